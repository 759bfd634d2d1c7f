-- model.upsert changes fields of a record, and makes it if there is none.
-- KEYS[1]   the record
-- ARGV[1…]  what write.open reads
-- ARGV[…]   number of fields that a new record begins with, -1 if it must not be
--           made; then name, text of each
-- ARGV[…]   the changes, see change.lua
-- Returns 1 if the record is new, 0 if it is not; -1 when there is none and it
-- must not be made; or the field, its text and the reason when a sum was
-- refused. Then nothing is changed.
local M = {}

local change = require "redmoon_change"
local write = require "redmoon_write"

function M.upsert(keys, argv)
  local r, first = write.open(keys, argv)
  local new = tonumber(argv[first])
  local at = first + 1 + 2 * math.max(new, 0)
  local texts, exists = change.read(r, argv, at)
  local set, gone, made = {}, {}, 0
  if not exists then
    if new < 0 then
      return -1
    end
    made = 1
    local begin = {}
    for i = first + 1, at - 2, 2 do
      set[#set + 1] = argv[i]
      set[#set + 1] = argv[i + 1]
      begin[argv[i]] = argv[i + 1]
    end
    for n = 1, (#argv - at + 1) / 4 do
      texts[n] = begin[argv[at + 4 * n - 3]] or false
    end
  end

  local changed, refused = change.decide(r, argv, at, texts, set, gone)
  if refused then
    return refused
  end
  if r.version ~= "" and changed + made > 0 then
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
  return made
end

return M
