-- redmoon_change decides what changes make of stored texts. A change is four
-- words: what to do, field, value, bounds.
--   set       the value is the new text
--   absent    likewise, unless the field has one
--   clear     the field is removed
--   add       the value is added, an integer, within bounds; "add 7" begins with 7
--             where the field has no text
--   addfloat  likewise, a float
local M = {}

local number = require "redmoon_number"
local write = require "redmoon_write"

-- read returns the texts of the fields that the changes from argv[at] on are
-- of, in their order, then that of the version, and whether there is a record.
function M.read(r, argv, at)
  local names = {}
  for i = at, #argv, 4 do
    names[#names + 1] = argv[i + 1]
  end
  if r.version ~= "" then
    names[#names + 1] = r.version
  end
  local texts = write.texts(r, names)
  local exists = false
  for n = 1, #names do
    exists = exists or texts[n]
  end
  return texts, exists or write.exists(r)
end

-- decide adds to set and gone what the changes do to texts, and returns how many
-- fields have another text then; or nil and the reply that refuses them: the
-- field, its text and the reason.
function M.decide(r, argv, at, texts, set, gone)
  local changed = 0
  for n = 1, (#argv - at + 1) / 4 do
    local what, field, value, bounds = unpack(argv, at + 4 * n - 4, at + 4 * n - 1)
    local old, new, why = texts[n], value, nil
    if what == "absent" then
      new = old or value
    elseif what == "clear" then
      new = false
    elseif what ~= "set" then
      local sum, start = string.match(what, "^(%a+) ?(.*)$")
      new, why = number[sum](old or start ~= "" and start or "0", value, bounds)
      if not new then
        return nil, {field, old or "", why}
      end
    end
    if new ~= old then
      changed = changed + 1
    end
    if new and (new ~= old or what ~= "absent" and write.begins(r, field)) then
      set[#set + 1] = field
      set[#set + 1] = new
    elseif not new and old then
      gone[#gone + 1] = field
    end
  end
  return changed
end

return M
