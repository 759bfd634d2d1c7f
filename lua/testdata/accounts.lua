-- accounts moves amounts between hashes.
local M = {}

local audit = require "audit"

local MIN = 0 -- nobody goes below

local function fmt(n)
  return string.format("%.0f", n)
end

-- not used by anybody
local function idle() end

--- What a hash holds.
--- @key key
--- @return int
function M.balance(key)
  return tonumber(redis.call("HGET", key, "balance")) or 0
end

--- Moves an amount, and notes a reference of all 64 bits.
--- @key src
--- @key dst
--- @arg amount int
--- @arg ref int64
--- @return json
function M.transfer(src, dst, amount, ref)
  local have = M.balance(src)
  if have - amount < MIN then
    audit.reject(src, "insufficient: have " .. fmt(have), amount)
  end
  redis.call("HINCRBY", src, "balance", -amount)
  redis.call("HINCRBY", dst, "balance", amount)
  redis.call("HSET", dst, "ref", ref)
  return audit.summary(src, dst)
end

function M.close(key)
  idle()
  return redis.call("DEL", key)
end

return M
