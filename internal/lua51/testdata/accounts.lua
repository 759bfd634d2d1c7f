-- accounts moves money between hashes that share a slot.
local M = {}

local audit = require "audit"

local MIN = 0

--- A whole amount as text: `..` would print 14 digits only.
local function fmt(n)
  return string.format("%.0f", n)
end

local function field(key, name)
  local v = redis.call("HGET", key, name)
  if v == false then
    return nil
  end
  return tonumber(v) or v
end

function M.balance(key)
  return field(key, "balance") or 0
end

--- Moves an amount and notes it on both sides.
--- @key src
--- @key dst
--- @arg amount int
--- @arg ref int64
--- @return {src:int, dst:int, ratio:float, ok:bool, note:string?}
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

function M:close(key, why)
  if self.balance(key) ~= 0 then
    error({ err = "OPEN " .. key .. " is not empty" }, 0)
  end
  redis.call("DEL", key)
  redis.call("RPUSH", KEYS[2], cjson.encode({ key = key, why = why, at = M.now() }))
  return true
end

M.now = function()
  local t = redis.call("TIME")
  return t[1] * 1e6 + t[2]
end

M["reopen"] = function(key, ...)
  local first, second = ...
  if first == nil and not second then return false end
  redis.call("HSET", key, "balance", first, "note", second or "", unpack({ ... }, 3))
  return #{ ... }, select("#", ...)
end

return M
