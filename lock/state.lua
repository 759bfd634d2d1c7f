-- redmoon_lock is what the scripts of locks share: a lock's state, its queue, and
-- the one way in which it comes to a holder. doc.go draws the layout.
--
-- A lock is a table: the names of its keys, the server's time in µs, and what is
-- stored of it. A holder is exclusive ("x") or shared ("s"). A token is one call of
-- Acquire; it stands for the holder, and before that for the waiter.
local M = {}

local hour = 3600000 -- ms that keys outlive what they are about
local claim = 2000   -- ms that a waiter has to confirm what was handed to it

-- now returns the server's time in µs.
function M.now()
  local t = redis.call("TIME")
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

local function text(n)
  return string.format("%.0f", n)
end

-- keep sees to it that a key lives for an hour more than ms, and never for less
-- than it did.
local function keep(key, ms)
  if redis.call("PTTL", key) < ms + hour then
    redis.call("PEXPIRE", key, text(ms + 2 * hour))
  end
end

-- open reads the lock whose keys stand behind keys[at].
function M.open(keys, at, stride, now)
  local l = {state = keys[at + 1], queue = keys[at + 2], now = now, shared = 0}
  local is = redis.call("HMGET", l.state, "owner", "until", "fence", "claim")
  l.ends, l.fence = tonumber(is[2] or "0"), tonumber(is[3] or "0")
  if is[1] and is[1] ~= "" then
    if l.ends > now then
      l.owner = is[1]
    elseif is[4] and is[4] ~= "" then
      l.silent = is[4] -- a process that was handed the lock and never said a word
    end
  end
  if stride == 3 then
    l.holders = keys[at + 3]
    for _, token in ipairs(redis.call("ZRANGEBYSCORE", l.holders, "-inf", text(now), "LIMIT", 0, 1000)) do
      redis.call("ZREM", l.holders, token)
      redis.call("HDEL", l.state, "h:" .. token)
    end
    l.shared = redis.call("ZCARD", l.holders)
  end
  return l
end

-- holds returns the fencing token of a holder, nil for all others.
function M.holds(l, token, shape)
  if shape == "x" then
    return l.owner == token and l.fence or nil
  end
  local fence = redis.call("HGET", l.state, "h:" .. token)
  return fence and tonumber(fence) or nil
end

-- room tells whether the lock has room for one more holder.
local function room(l, shape, limit)
  if shape == "x" then
    return not l.owner and l.shared == 0
  end
  return not l.owner and l.shared < limit
end

-- take makes a token a holder and returns its fencing token: more than all before,
-- even where the state was lost, for time does not go back. channel is where the
-- holder was told of it, "" where it asked itself.
function M.take(l, token, shape, ms, channel)
  l.fence = math.max(l.fence + 1, l.now)
  local ends = l.now + ms * 1000
  if shape == "x" then
    l.owner, l.ends = token, ends
    redis.call("HSET", l.state, "owner", token, "until", text(ends), "fence", text(l.fence), "claim", channel)
  else
    l.shared = l.shared + 1
    redis.call("ZADD", l.holders, text(ends), token)
    redis.call("HSET", l.state, "fence", text(l.fence), "h:" .. token, text(l.fence))
    keep(l.holders, ms)
  end
  keep(l.state, ms)
  return l.fence
end

-- extend begins a holder's time anew.
function M.extend(l, token, shape, ms)
  l.ends = l.now + ms * 1000
  if shape == "x" then
    redis.call("HSET", l.state, "until", text(l.ends), "claim", "")
  else
    redis.call("ZADD", l.holders, "XX", text(l.ends), token)
    keep(l.holders, ms)
  end
  keep(l.state, ms)
end

-- raise lifts the fence, that the next token be more than it.
function M.raise(l, fence)
  if fence > l.fence then
    l.fence = fence
    redis.call("HSET", l.state, "fence", text(fence))
  end
end

-- drop ends a holder.
function M.drop(l, token, shape)
  if shape == "x" then
    l.owner = nil
    redis.call("HSET", l.state, "owner", "", "until", "0", "claim", "")
  else
    l.shared = l.shared - 1
    redis.call("ZREM", l.holders, token)
    redis.call("HDEL", l.state, "h:" .. token)
  end
end

-- leave takes a token out of the queue.
function M.leave(l, token)
  redis.call("ZREM", l.queue, token)
  redis.call("HDEL", l.state, "w:" .. token)
end

-- enqueue puts a token at the end of the queue, unless it has a place there, and
-- returns how many are before it. ends is when its place is forfeited.
function M.enqueue(l, token, shape, limit, ttl, ends, channel)
  local before = redis.call("ZRANK", l.queue, token)
  if not before then
    before = redis.call("ZCARD", l.queue)
    local last = redis.call("ZRANGE", l.queue, -1, -1, "WITHSCORES")
    redis.call("ZADD", l.queue, text(tonumber(last[2] or "0") + 1), token)
  end
  redis.call("HSET", l.state, "w:" .. token, string.format("%s %.0f %.0f %.0f %s", shape, limit, ttl, ends, channel))
  local ms = math.ceil((ends - l.now) / 1000)
  keep(l.queue, ms)
  keep(l.state, ms)
  return before
end

-- tell returns whether anybody heard.
local function tell(channel, message)
  local command = string.sub(channel, 1, 1) == "s" and "SPUBLISH" or "PUBLISH"
  local heard = redis.pcall(command, string.sub(channel, 2), message)
  return type(heard) == "number" and heard > 0
end

-- grant gives the lock to those first in the queue for whom there is room, and
-- returns whether others wait. Nobody hears a process that is gone: its waiters
-- lose their places here. So do those whose time has passed, and those of a
-- process that let the lock lapse which it was handed last.
function M.grant(l)
  while not l.owner do
    local token = redis.call("ZRANGE", l.queue, 0, 0)[1]
    if not token then
      return false
    end
    local shape, limit, ttl, ends, channel =
      string.match(redis.call("HGET", l.state, "w:" .. token) or "", "^(%a) (%d+) (%d+) (%d+) (.+)$")
    local waits = shape and tonumber(ends) > l.now and channel ~= l.silent
    if waits and not room(l, shape, tonumber(limit)) then
      return true
    end
    M.leave(l, token)
    if waits then
      -- It is tempting to tell first, but what is told must be true: a full
      -- server refuses the write.
      local ms = math.min(tonumber(ttl), claim)
      local fence = M.take(l, token, shape, ms, channel)
      if not tell(channel, token .. " " .. text(l.now + ms * 1000) .. " " .. text(fence)) then
        M.drop(l, token, shape)
      end
    end
  end
  return true
end

-- admits tells whether a newcomer may take the lock: those who wait come first.
function M.admits(l, shape, limit)
  return not l.owner and not M.grant(l) and room(l, shape, limit)
end

-- rest returns the µs after which the lock may be free by itself.
function M.rest(l)
  local ends = l.owner and l.ends or 0
  if not l.owner and l.holders then
    ends = tonumber(redis.call("ZRANGE", l.holders, 0, 0, "WITHSCORES")[2] or "0")
  end
  return math.max(ends - l.now, 0)
end

return M
