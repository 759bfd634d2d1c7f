-- lease takes, extends and gives back a lease with a fencing token.
-- KEYS[1]  lease, string: owner
-- KEYS[2]  fence, string: the last token given out
-- ARGV[1]  verb: take, extend, give
-- ARGV[2]  owner
-- ARGV[3]  ttl, ms
-- Returns the token, 0 or an error.

local lease, fence = KEYS[1], KEYS[2]
local verb, owner, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])

if not ttl or ttl <= 0 or ttl ~= math.floor(ttl) then
  return redis.error_reply("BADTTL " .. tostring(ARGV[3]))
end

local verbs = {}

function verbs.take()
  local holder = redis.call("GET", lease)
  if holder and holder ~= owner then
    local left = redis.call("PTTL", lease)
    return -left
  end
  redis.call("SET", lease, owner, "PX", ttl)
  if holder == owner then
    return tonumber(redis.call("GET", fence)) or 0
  end
  return redis.call("INCR", fence)
end

function verbs.extend()
  if redis.call("GET", lease) == owner then
    redis.call("PEXPIRE", lease, ttl)
    return 1
  else
    return 0
  end
end

function verbs.give()
  if redis.call("GET", lease) == owner then
    return redis.call("DEL", lease)
  end
  return 0
end

local f = verbs[verb]
if f then
  local ok, result = pcall(f)
  if ok then return result end
  if type(result) == "table" and result.err then
    return result
  end
  return { err = "LEASE " .. tostring(result) }
end
return redis.error_reply("UNKNOWN " .. verb)
