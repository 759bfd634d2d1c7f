-- stock keeps how many there are of each item.
local M = {}
local audit = require "audit"

local least = 0

local function have(item)
  return tonumber(redis.call("GET", item)) or 0
end

-- _missing tells how many are missing.
--- @key item
--- @arg n int
--- @return int
function M._missing(item, n)
  return math.max(n - have(item), least)
end

--- @key item
--- @arg n int
--- @return int
function M.take(item, n)
  if M._missing(item, n) > 0 then
    audit.refused(item, n)
    fail("SOLD_OUT", string.format("have %d, want %d", have(item), n))
  end
  return redis.call("DECRBY", item, n)
end

--- @key item
--- @return int
function M.reset(item)
  redis.call("SET", item, 0) return 0
end

return M
