-- model.edit changes fields of a record if it is as it was loaded.
-- KEYS[1]   the record
-- ARGV[1…]  what write.open reads
-- ARGV[…]   number of its fields; their names; one word with a 1 or 0 for each,
--           whether it was there; their texts, "" for those that were not
-- ARGV[…]   number of fields that are set, the version among them; name, text of
--           each; then the names of those that are removed
-- Returns 1; or, when another text is stored, the texts of all fields by now.
local M = {}

local write = require "redmoon_write"

function M.edit(keys, argv)
  local r, at = write.open(keys, argv)
  local fields = tonumber(argv[at])
  local there, was = argv[at + 1 + fields], at + 1 + fields
  local stored = redis.call("HMGET", r.key, unpack(argv, at + 1, at + fields))
  for i = 1, fields do
    local had = string.byte(there, i) == 49
    if stored[i] ~= (had and argv[was + i]) then
      return stored
    end
  end

  local from = was + fields + 2
  local to = from - 1 + 2 * tonumber(argv[from - 1])
  local refused = write.check(r, argv, from, to)
  if refused then
    return refused
  end
  return write.flush(r, argv, from, to, argv, to + 1, #argv)
end

return M
