-- What changes a cache, each in one step. Times are microseconds of the server's
-- clock. A generation is two numbers, "hard.soft": what was stored under another
-- hard number is gone, under another soft one it is stale.
--
-- A lease is the token of the load that is under way. For a while after one that
-- stored nothing it is "!time m", since there is no value, or "!time e" and why: for
-- those who asked before that time.
local M = {}

local function micros()
  local now = redis.call("TIME")
  return now[1] * 1000000 + now[2]
end

-- _generation makes a generation that is not there: never one that was.
function M._generation(key, now, keep)
  local generation = redis.call("GET", key)
  if not generation then
    generation = string.format("%.0f.0", now)
    redis.call("SET", key, generation, "PX", keep)
  end
  return generation
end

function M._hard(generation)
  return string.match(generation, "^%d+")
end

-- _read returns what is stored, unless a removal came after it, and whether it
-- is fresh.
function M._read(entry, region, func, now, soft)
  local line = string.match(redis.call("GETRANGE", entry, 0, 255), "^([^\n]*)\n")
  local mark, stored, inRegion, inFunc = string.match(line or "", "^1.(.) (%d+) %d+ (%S+) (%S+)$")
  if not mark or M._hard(inRegion) ~= M._hard(region) or M._hard(inFunc) ~= M._hard(func) then
    return nil, false
  end
  local fresh = mark ~= "s" and inRegion == region and inFunc == func and (soft == 0 or now < tonumber(stored) + soft)
  return redis.call("GET", entry), fresh
end

-- _tell tells those who wait why nothing was stored. They ask more often than every
-- two seconds.
function M._tell(lease, now, why)
  redis.call("SET", lease, string.format("!%.0f %s", now, why), "PX", 2000)
end

-- look reads as MGET does, and the clock.
--- @key entry
--- @key region
--- @key func
--- @idempotent
function M.look(entry, region, func)
  local texts = redis.call("MGET", entry, region, func)
  return {now = micros(), entry = texts[1], region = texts[2], func = texts[3]}
end

-- begin asks for the lease. A caller who may do without a fresh value passes
-- what is fresh for it: an early one ignores that there is a fresh value, an
-- urgent one takes the lease from whoever has it, too.
--- @key entry
--- @key lease
--- @key region
--- @key func
--- @arg token string
--- @arg hold int     milliseconds of the lease
--- @arg keep int     milliseconds of the generations
--- @arg soft int     microseconds for which a value is fresh, 0 as long as it is stored
--- @arg asked int    how many microseconds ago the caller asked
--- @arg early bool
--- @arg urgent bool
function M.begin(entry, lease, region, func, token, hold, keep, soft, asked, early, urgent)
  local now = micros()
  local r = {state = "load", now = now, left = 0, region = M._generation(region, now, keep), func = M._generation(func, now, keep)}
  local fresh
  r.entry, fresh = M._read(entry, r.region, r.func, now, soft)
  if fresh and not early and not urgent then
    r.state = "fresh"
    return r
  end
  local held = redis.call("GET", lease)
  local failed, why = string.match(held or "", "^!(%d+) (.*)$")
  if failed and tonumber(failed) > now - asked and not urgent then
    r.state, r.why = "failed", why
    return r
  end
  if held and not failed and held ~= token and not urgent then
    r.state, r.left = "held", redis.call("PTTL", lease)
    return r
  end
  redis.call("SET", lease, token, "PX", hold)
  return r
end

-- store gives up the lease and stores what was loaded under it. It returns false
-- when the lease is somebody else's by now, or what was loaded has been removed.
--- @key entry
--- @key lease
--- @key region
--- @key func
--- @key keys
--- @arg token string
--- @arg kind string
--- @arg inRegion string  the generations when the load began
--- @arg inFunc string
--- @arg spent int        microseconds
--- @arg ttl int          milliseconds, 0 to store that there is none only for those who wait
--- @arg keep int         milliseconds of the generations
--- @arg body string
--- @arg member string    the argument, where the region lists them, or ""
--- @arg listed bool
--- @arg channel string   where near caches listen, or ""
function M.store(entry, lease, region, func, keys, token, kind, inRegion, inFunc, spent, ttl, keep, body, member, listed, channel)
  if redis.call("GET", lease) ~= token then
    return false
  end
  redis.call("DEL", lease)
  local now = micros()
  if M._hard(M._generation(region, now, keep)) ~= M._hard(inRegion) or M._hard(M._generation(func, now, keep)) ~= M._hard(inFunc) then
    return false
  end
  if ttl > 0 then
    redis.call("SET", entry, string.format("1%s  %.0f %.0f %s %s\n", kind, now, spent, inRegion, inFunc) .. body, "PX", ttl)
    redis.call("PEXPIRE", region, keep)
    redis.call("PEXPIRE", func, keep)
    if listed then
      redis.call("ZREMRANGEBYSCORE", keys, "-inf", string.format("%.0f", now / 1000))
      redis.call("ZADD", keys, string.format("%.0f", now / 1000 + ttl), member)
      redis.call("PEXPIRE", keys, keep)
    end
  else
    redis.call("DEL", entry)
    M._tell(lease, now, "m")
  end
  if channel ~= "" then
    redis.call("PUBLISH", channel, entry)
  end
  return true
end

-- fail gives up the lease and tells those who wait why.
--- @key lease
--- @arg token string
--- @arg why string
--- @idempotent
function M.fail(lease, token, why)
  if redis.call("GET", lease) == token then
    M._tell(lease, micros(), "e" .. why)
  end
end

-- invalidate has one entry loaded anew, and what is being loaded not stored.
--- @key entry
--- @key lease
--- @arg remove bool
--- @arg channel string
--- @idempotent
function M.invalidate(entry, lease, remove, channel)
  local there = redis.call("GETRANGE", entry, 0, 0) == "1"
  if remove then
    there = redis.call("DEL", entry) == 1
  elseif there then
    redis.call("SETRANGE", entry, 2, "s")
  end
  redis.call("DEL", lease)
  if channel ~= "" then
    redis.call("PUBLISH", channel, entry)
  end
  return there
end

-- advance has all of a generation loaded anew.
--- @key generation
--- @arg remove bool
--- @arg channel string
function M.advance(generation, remove, channel)
  local hard, soft = string.match(redis.call("GET", generation) or "", "^(%d+)%.(%d+)$")
  if hard then
    if remove then
      hard, soft = string.format("%.0f", tonumber(hard) + 1), "0"
    else
      soft = string.format("%.0f", tonumber(soft) + 1)
    end
    redis.call("SET", generation, hard .. "." .. soft, "KEEPTTL")
  end
  if channel ~= "" then
    redis.call("PUBLISH", channel, generation)
  end
end

return M
