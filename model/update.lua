-- model.update changes fields of a record that exists.
-- KEYS[1]   the record
-- ARGV[1…]  what write.open reads
-- ARGV[…]   the changes, see change.lua
-- Returns the number of fields that have another text now; -1 when there is no
-- record; or the field, its text and the reason when a sum was refused. Then
-- nothing is changed.
local M = {}

local change = require "redmoon_change"
local write = require "redmoon_write"

function M.update(keys, argv)
  local r, at = write.open(keys, argv)
  local texts, exists = change.read(r, argv, at)
  if not exists then
    return -1
  end
  local set, gone = {}, {}
  local changed, refused = change.decide(r, argv, at, texts, set, gone)
  if refused then
    return refused
  end
  if r.version ~= "" and changed > 0 then
    local old = texts[#texts]
    local why = write.count(r, old, set)
    if why then
      return {r.version, old or "", why}
    end
  end
  refused = write.check(r, set, 1, #set)
  if refused then
    return refused
  end
  write.flush(r, set, 1, #set, gone, 1, #gone)
  return changed
end

return M
