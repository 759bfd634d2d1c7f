-- model.pop removes a field and returns what it held.
-- KEYS[1]   the record
-- ARGV[1…]  what write.open reads
-- ARGV[…]   the field
-- ARGV[…]   what it must hold to be removed: "any", a text; "none", so that it
--           only is looked at; or "this", the text in the next word
-- Returns the text and 1 if it was removed, 0 if it was not; nothing when the
-- field is absent; -1 when there is no record; or the version, its text and the
-- reason when it cannot be counted up.
local M = {}

local write = require "redmoon_write"

function M.pop(keys, argv)
  local r, at = write.open(keys, argv)
  local field, when = argv[at], argv[at + 1]
  local text = write.texts(r, {field})[1]
  if not text then
    return write.exists(r) and {} or -1
  elseif when == "none" or when == "this" and text ~= argv[at + 2] then
    return {text, 0}
  end

  local set = {}
  if r.version ~= "" then
    local old = redis.call("HGET", r.key, r.version)
    local why = write.count(r, old, set)
    if why then
      return {r.version, old or "", why}
    end
  end
  local refused = write.check(r, set, 1, #set)
  if not refused then
    write.flush(r, set, 1, #set, {field}, 1, 1)
  end
  return refused or {text, 1}
end

return M
