-- model.delete removes a record, under a fence.
-- KEYS[1]   the record
-- KEYS[2]   its fence
-- ARGV[1…]  what write.open reads
-- Returns whether there was one.
local M = {}

local write = require "redmoon_write"

function M.delete(keys, argv)
  local r = write.open(keys, argv)
  local refused = write.check(r, {}, 1, 0)
  if refused then
    return refused
  end
  local there = write.exists(r)
  write.delete(r)
  write.flush(r, {}, 1, 0, {}, 1, 0)
  return there and 1 or 0
end

return M
