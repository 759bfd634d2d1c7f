-- lock.window counts what was allowed within a sliding window, and allows more if
-- that stays within the limit.
-- KEYS[1]  sorted set: what was allowed, by the server's time in µs
-- ARGV[1]  limit
-- ARGV[2]  µs of the window
-- ARGV[3]  how many are asked for
-- ARGV[4]  a text of this call's own
-- Returns 1 or 0, how many more would be allowed now, and the µs after which those
-- that were not would be.
local M = {}

local lock = require "redmoon_lock"

--- @idempotent
function M.window(keys, argv)
  local log, limit, window, n, id = keys[1], tonumber(argv[1]), tonumber(argv[2]), tonumber(argv[3]), argv[4]
  local now = lock.now()
  redis.call("ZREMRANGEBYSCORE", log, "-inf", string.format("%.0f", now - window))
  local used = redis.call("ZCARD", log)
  if redis.call("ZSCORE", log, id .. ":1") then -- allowed before, and the answer was lost
    return {1, math.max(limit - used, 0), 0, 0}
  elseif used + n > limit then
    local oldest = redis.call("ZRANGE", log, used + n - limit - 1, used + n - limit - 1, "WITHSCORES")
    return {0, math.max(limit - used, 0), tonumber(oldest[2]) + window - now, 0}
  end
  local at = string.format("%.0f", now)
  for i = 1, n do
    redis.call("ZADD", log, at, id .. ":" .. string.format("%.0f", i))
  end
  redis.call("PEXPIRE", log, string.format("%.0f", math.ceil(window / 1000)))
  return {1, limit - used - n, 0, 0}
end

return M
