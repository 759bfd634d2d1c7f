-- model.update changes fields of a record that exists.
-- KEYS[1]  the record
-- ARGV[1]  its time to live in milliseconds, "" to leave it as it is
-- ARGV[2]  name of its version field, "" if it has none
-- ARGV[3…] four words a change: what to do, field, value, bounds
--            set       the value is the new text
--            absent    likewise, unless the field has one
--            clear     the field is removed
--            add       the value is added, an integer, within bounds
--            addfloat  likewise, a float
--            was       of the field of the next change: the value is the names it
--                      had, with commas between, and where neither they nor the
--                      field are stored a sum begins with the text in bounds
-- Returns the number of fields that have another text now; -1 when there is no
-- record; or the field, its text and the reason when a sum was refused. Then
-- nothing is changed.
local number = require "redmoon_number"
local key, ttl, version = KEYS[1], ARGV[1], ARGV[2]

local names = {}
for i = 3, #ARGV, 4 do
  names[#names + 1] = ARGV[i + 1]
end
if version ~= "" then
  names[#names + 1] = version
end
local texts = #names > 0 and redis.call("HMGET", key, unpack(names)) or {}
local exists = false
for n = 1, #names do
  exists = exists or texts[n]
end
if not exists and redis.call("EXISTS", key) == 0 then
  return -1
end

local set, gone, changed = {}, {}, 0
local was, start = {}, "0"
for n = 1, (#ARGV - 2) / 4 do
  local what, field, value, bounds = unpack(ARGV, 4 * n - 1, 4 * n + 2)
  local old, new, why = texts[n], value, nil
  for _, name in ipairs(was) do
    old = old or redis.call("HGET", key, name)
  end
  if what == "was" then
    for name in string.gmatch(value, "[^,]+") do
      was[#was + 1] = name
    end
    start, new = bounds, old
  elseif what == "absent" then
    new = old or value
  elseif what == "clear" then
    new = false
  elseif what ~= "set" then
    new, why = number[what](old or start, value, bounds)
    if not new then
      return {field, old or "", why}
    end
  end
  if new ~= old then
    changed = changed + 1
    if new then
      set[#set + 1] = field
      set[#set + 1] = new
    else
      gone[#gone + 1] = field
    end
    for _, name in ipairs(was) do
      gone[#gone + 1] = name
    end
  end
  if what ~= "was" then
    was, start = {}, "0"
  end
end
if version ~= "" and changed > 0 then
  local old = texts[#names]
  local new, why = number.add(old or "0", "1", "0 9223372036854775807")
  if not new then
    return {version, old or "", why}
  end
  set[#set + 1] = version
  set[#set + 1] = new
end

-- Nothing can be refused from here on.
if #set > 0 then
  redis.call("HSET", key, unpack(set))
end
if #gone > 0 then
  redis.call("HDEL", key, unpack(gone))
end
if ttl ~= "" then
  redis.call("PEXPIRE", key, ttl)
end
return changed
