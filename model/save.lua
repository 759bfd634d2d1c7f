-- model.save writes a whole record, whether or not there is one.
-- KEYS[1]   the record
-- ARGV[1…]  what write.open reads
-- ARGV[…]   the version it was loaded with, "" if it has none
-- ARGV[…]   number of fields that are set
-- ARGV[…]   name, text of each; then the names of those that are absent
-- Returns 1; or, when the stored version is another, that version as a text:
-- "0" for a record without one, "" if there is no record.
local M = {}

local number = require "redmoon_number"
local write = require "redmoon_write"

-- is tells whether a stored version, perhaps written otherwise than we would, is
-- the one that was loaded.
local function is(stored, version)
  return stored == version or number.add(stored, "0", "-9223372036854775808 9223372036854775807") == version
end

function M.save(keys, argv)
  local r, at = write.open(keys, argv)
  if r.version ~= "" then
    local stored = redis.call("HGET", r.key, r.version)
    if not is(stored or "0", argv[at]) then
      return stored or write.exists(r) and "0" or ""
    end
  end
  local from = at + 2
  local to = from - 1 + 2 * tonumber(argv[at + 1])
  local refused = write.check(r, argv, from, to)
  if refused then
    return refused
  end
  return write.flush(r, argv, from, to, argv, to + 1, #argv)
end

return M
