-- What is done to one article in one step.
local M = {}

local journal = require "lib.journal"

local function refuse(have, n)
  fail("SOLD_OUT", string.format("have %d, want %d", have, n))
end

--- take takes n pieces, and answers how many are left.
--- @key article
--- @key log
--- @arg n int
--- @arg note string?
--- @return int
function M.take(article, log, n, note)
  local have = tonumber(redis.call("GET", article) or 0)
  if have < n then
    refuse(have, n)
  end
  journal.write(log, "take", n, note)
  return redis.call("DECRBY", article, n)
end

return M
