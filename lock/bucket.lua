-- lock.bucket takes tokens out of a bucket that fills at a steady rate.
-- KEYS[1]  hash: tokens, and at, the server's time in µs when there were so many
-- ARGV[1]  tokens that flow in
-- ARGV[2]  within so many µs
-- ARGV[3]  tokens that it holds
-- ARGV[4]  tokens that are asked for
-- Returns 1 or 0, how many tokens are left, and the µs after which there would be
-- enough.
local M = {}

local lock = require "redmoon_lock"

function M.bucket(keys, argv)
  local bucket, rate, most, n = keys[1], tonumber(argv[1]) / tonumber(argv[2]), tonumber(argv[3]), tonumber(argv[4])
  local now = lock.now()
  local is = redis.call("HMGET", bucket, "tokens", "at")
  local tokens, at = tonumber(is[1] or argv[3]), tonumber(is[2] or now)
  if now > at then -- else the clock was set back: nothing flows until it is there again
    tokens, at = math.min(tokens + (now - at) * rate, most), now
  end
  if tokens < n then
    return {0, math.floor(tokens), math.ceil((n - tokens) / rate) + at - now, 0}
  end
  tokens = tokens - n
  redis.call("HSET", bucket, "tokens", string.format("%.17g", tokens), "at", string.format("%.0f", at))
  redis.call("PEXPIRE", bucket, string.format("%.0f", math.ceil((most - tokens) / rate / 1000) + 1000))
  return {1, math.floor(tokens), 0, 0}
end

return M
