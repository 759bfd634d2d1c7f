-- model.delete removes a record of a model whose Lua hook before_delete may refuse
-- that.
-- KEYS[1]   the record
-- ARGV[1…]  what write.open reads
-- Returns 1, or 0 when there was no record.
local M = {}

local write = require "redmoon_write"

function M.delete(keys, argv)
  local r = write.open(keys, argv)
  if not write.exists(r) then
    return 0
  end
  write.delete(r)
  return 1
end

return M
