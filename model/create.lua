-- model.create makes a record unless there is one.
-- KEYS[1]   the record
-- ARGV[1…]  what write.open reads
-- ARGV[…]   its fields: name, text, …
-- Returns 1, or 0 when the record exists.
local M = {}

local write = require "redmoon_write"

function M.create(keys, argv)
  local r, at = write.open(keys, argv)
  if write.exists(r) then
    return 0
  end
  local refused = write.check(r, argv, at, #argv)
  if refused then
    return refused
  end
  return write.flush(r, argv, at, #argv, argv, 1, 0)
end

return M
