-- model.delete removes a record: under a fence, or of a model whose Lua hook
-- before_delete may refuse that.
-- KEYS[1]   the record
-- KEYS[…]   what write.open reads
-- ARGV[1…]  likewise
-- Returns 1, or 0 when there was no record.
local M = {}

local write = require "redmoon_write"

function M.delete(keys, argv)
  local r = write.open(keys, argv)
  local refused = write.guard(r)
  if refused then
    return refused
  end
  local there = write.exists(r)
  if there then
    write.delete(r)
  end
  write.mark(r)
  return there and 1 or 0
end

return M
