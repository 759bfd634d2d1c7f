-- redmoon_table: lists and JSON as tables, and back to the texts that Go writes. JSON
-- is as of encoding/json: members in the order of the struct, keys of a map sorted, []
-- for a list and {} for a map, null for one that is nil, and integers in all their
-- digits. A shape says what Go's type is, a list that begins with its kind:
--   s, b           a string, a boolean
--   f least most   a float, within what it can hold where that is given
--   i least most   an integer; its digits where a number would not be exact
--   r              a time in RFC 3339, a string in Lua
--   u              a UUID, likewise
--   p shape        a pointer: nil is null
--   l shape n      a list, of n elements where n is given
--   m shape        a map with strings as keys
--   o members      a struct; a member is {name, shape, whether it is left out empty}
-- A list or map that is null is an empty table that is remembered, so that it stays
-- null unless something is put into it.
local M = {}

local number = require "redmoon_number"
local texts = require "redmoon_text"
local time = require "redmoon_time"
local value = require "redmoon_value"

local nulls = {}
local zeroTime = "0001-01-01T00:00:00Z"

local function fault(code, at, what)
  error({err = code .. " " .. at .. " " .. what})
end

local function isNull(v)
  return v == nil or v == cjson.null
end

-- zero is what Go makes of a value that is not there.
local zero
function zero(shape)
  local kind, v = shape[1], nil
  if kind == "l" or kind == "m" then
    v = {}
    for i = 1, shape[3] or 0 do
      v[i] = zero(shape[2])
    end
    nulls[v] = not shape[3] or nil
  elseif kind == "o" then
    v = {}
    for _, member in ipairs(shape[2]) do
      v[member[1]] = zero(member[2])
    end
  elseif kind == "i" or kind == "f" then
    v = 0
  elseif kind == "b" then
    v = false
  elseif kind ~= "p" then
    v = kind == "r" and zeroTime or kind == "u" and value.zeroID or ""
  end
  return v
end

local names = {s = "a string", b = "a boolean", f = "a number", i = "an integer", r = "a time in RFC 3339", u = "a UUID", l = "a list", m = "a map", o = "a struct"}
local types = {s = "string", b = "boolean", f = "number", i = "number", r = "string", u = "string", l = "table", m = "table", o = "table"}

local function inexact(at, v)
  fault("RANGE", at, string.format("has %.0f, beyond 2^53, where Lua numbers are no longer exact", v))
end

local mark = nil -- in front of the digits of an integer, see text.lua

-- digitsOf are those of an integer that a number does not hold, nil for all else.
local function digitsOf(v)
  return mark and type(v) == "string" and string.sub(v, 1, #mark) == mark and string.sub(v, #mark + 1) or nil
end

local read

-- element is one of a list or map, which Lua cannot hold where it is nil.
local function element(v, shape, at)
  v = read(v, shape, at)
  if v == nil then
    fault("RANGE", at, "is null, which a Lua table cannot hold as an element")
  end
  return v
end

-- read makes of what cjson decoded a value of a shape.
function read(v, shape, at)
  local kind, digits = shape[1], digitsOf(v)
  if isNull(v) then
    return zero(shape)
  elseif kind == "p" then
    return read(v, shape[2], at)
  elseif digits and kind == "i" then
    local why
    digits, why = number.add(digits, "0", shape[2] .. " " .. shape[3])
    if not digits then
      fault("DECODE", at, "is no integer of its type: " .. why)
    end
    return digits
  end
  if digits then
    v = number.parse(digits)
  end
  if type(v) ~= types[kind] or kind == "i" and v ~= math.floor(v) or kind == "r" and not time.parse(v) or kind == "u" and not value.isID(v) then
    fault("DECODE", at, "is not " .. names[kind])
  elseif kind == "i" and (v >= 9007199254740992 or v <= -9007199254740992) then
    inexact(at, v)
  elseif types[kind] ~= "table" then
    return v
  end
  local out = {}
  if kind == "l" then
    local plain = not mark and shape[2][1] == "s" -- most lists are of strings
    for i = 1, shape[3] or #v do
      local one = v[i]
      out[i] = plain and type(one) == "string" and one or element(one, shape[2], at .. "[" .. i .. "]")
    end
  elseif kind == "m" then
    for name, one in pairs(v) do
      out[name] = element(one, shape[2], at .. "." .. name)
    end
  else
    local folded
    for _, member in ipairs(shape[2]) do
      local name, one = member[1], v[member[1]]
      if one == nil then -- Go takes a name in any case
        if not folded then
          folded = {}
          for key, other in pairs(v) do
            folded[string.lower(key)] = other
          end
        end
        one = folded[string.lower(name)]
      end
      out[name] = read(one, member[2], at .. "." .. name)
    end
  end
  return out
end

-- plain makes of what cjson decoded a value without null; it is for types that have
-- no shape.
local function plain(v, at)
  if isNull(v) then
    return nil
  elseif digitsOf(v) then
    return digitsOf(v)
  elseif type(v) == "number" and v == math.floor(v) and (v >= 9007199254740992 or v <= -9007199254740992) then
    inexact(at, v)
  elseif type(v) ~= "table" then
    return v
  end
  local out = {}
  for key, one in pairs(v) do
    out[key] = plain(one, at)
  end
  return out
end

-- decode reads a text.
function M.decode(text, shape, at)
  local exact
  exact, mark = texts.exact(text)
  local ok, v = pcall(cjson.decode, exact)
  if not ok or v == nil and not string.find(text, "^%s*null%s*$") then -- the embedded server answers nil
    fault("DECODE", at, "is not JSON")
  elseif shape then
    return read(v, shape, at)
  end
  return plain(v, at)
end

local function quote(s, at)
  local quoted = texts.quote(s)
  if not quoted then
    fault("RANGE", at, "is not UTF-8, which JSON cannot say")
  end
  return quoted
end

-- before is the order of bytes; that of < is the server's locale's.
local function before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

local function isEmpty(v, shape)
  if v == nil or shape[1] == "p" then -- a pointer to nothing much is one
    return v == nil
  end
  return v == false or v == 0 or v == "" or shape[1] == "i" and tonumber(v) == 0 or (shape[1] == "m" or shape[1] == "l" and not shape[3]) and next(v) == nil
end

local write

local function list(v, shape, at)
  local parts, n = {}, shape[3] or #v
  for i in pairs(v) do
    if type(i) ~= "number" or i < 1 or i > n or i ~= math.floor(i) then
      fault("TYPE", at, "is a list" .. (shape[3] and " of " .. n or "") .. ", and has an element " .. tostring(i))
    end
  end
  for i = 1, n do
    local one = v[i]
    parts[i] = shape[2][1] == "s" and type(one) == "string" and texts.quote(one) or write(one, shape[2], at .. "[" .. i .. "]")
  end
  return "[" .. texts.concat(parts, ",") .. "]"
end

local function map(v, shape, at)
  local keys, parts = {}, {}
  for key in pairs(v) do
    if type(key) ~= "string" then
      fault("TYPE", at, "is a map with strings as keys, and has " .. tostring(key))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  for i, key in ipairs(keys) do
    parts[i] = quote(key, at) .. ":" .. write(v[key], shape[2], at .. "." .. key)
  end
  return "{" .. texts.concat(parts, ",") .. "}"
end

local function struct(v, shape, at)
  local parts, known = {}, {}
  for _, member in ipairs(shape[2]) do
    local name, one = member[1], v[member[1]]
    known[name] = true
    if not (member[3] and isEmpty(one, member[2])) then
      parts[#parts + 1] = quote(name, at) .. ":" .. write(one, member[2], at .. "." .. name)
    end
  end
  for name in pairs(v) do
    if not known[name] then
      fault("TYPE", at, "has no member " .. tostring(name))
    end
  end
  return "{" .. texts.concat(parts, ",") .. "}"
end

-- write is the text of a value of a shape.
function write(v, shape, at)
  local kind = shape[1]
  if kind == "p" then
    return v == nil and "null" or write(v, shape[2], at)
  elseif v == nil and (kind == "m" or kind == "l" and not shape[3]) or nulls[v or false] and next(v) == nil then
    return "null"
  elseif kind == "i" and type(v) == "string" and string.find(v, "^-?%d+$") then
    local digits, why = number.add(v, "0", shape[2] .. " " .. shape[3])
    if not digits then
      fault("RANGE", at, "cannot be " .. v .. ": " .. why)
    end
    return digits
  elseif type(v) ~= types[kind] then
    fault("TYPE", at, "is " .. names[kind] .. ", not a " .. type(v))
  elseif kind == "s" then
    return quote(v, at)
  elseif kind == "b" then
    return tostring(v)
  elseif kind == "l" then
    return list(v, shape, at)
  elseif kind == "m" then
    return map(v, shape, at)
  elseif kind == "o" then
    return struct(v, shape, at)
  elseif kind == "r" and not time.parse(v) or kind == "u" and not value.isID(v) then
    fault("RANGE", at, "is " .. names[kind] .. ", not " .. v)
  elseif kind == "r" or kind == "u" then
    return quote(kind == "u" and string.lower(v) or v, at)
  elseif v - v ~= 0 then
    fault("RANGE", at, "must be finite, and is " .. tostring(v))
  elseif kind == "f" then
    local why = shape[2] and number.outside(v, shape[2] .. " " .. shape[3])
    if why then
      fault("RANGE", at, "is " .. texts.float(v) .. ", " .. why)
    end
    return texts.float(v)
  elseif v ~= math.floor(v) then
    fault("TYPE", at, "is an integer, not " .. tostring(v))
  elseif v >= 9007199254740992 or v <= -9007199254740992 then
    inexact(at, v)
  end
  local why = number.outside(v, shape[2] .. " " .. shape[3])
  if why then
    fault("RANGE", at, "is " .. string.format("%.0f", v) .. ", " .. why)
  end
  return string.format("%.0f", v + 0)
end

function M.encode(v, shape, at)
  if not shape then
    fault("TYPE", at, "is JSON that only Go can write, and was changed")
  end
  return write(v, shape, at)
end

-- missing is the value of a field that is not stored.
function M.missing(shape)
  return shape and zero(shape) or {}
end

-- split reads the text of a list, which package field tells of.
function M.split(text)
  local list, element = {}, ""
  if text == "\\e" then
    return {""}
  elseif text == "" or text == "\\n" then
    return list
  end
  for part in string.gmatch(string.gsub(text, "\\(.)", function(c) return c == "," and "\\1" or "\\0" end) .. ",", "([^,]*),") do
    element = string.gsub(part, "\\([01])", {["0"] = "\\", ["1"] = ","})
    list[#list + 1] = element
  end
  return list
end

local function strings(v, at)
  if type(v) ~= "table" then
    fault("TYPE", at, "is a list, not a " .. type(v))
  end
  for i in pairs(v) do
    if type(i) ~= "number" or i < 1 or i > #v or i ~= math.floor(i) or type(v[i]) ~= "string" then
      fault("TYPE", at, "is a list of strings, and has " .. tostring(v[i]) .. " at " .. tostring(i))
    end
  end
  return v
end

-- join is the text of a list.
function M.join(v, at)
  local parts = {}
  for i, text in ipairs(strings(v, at)) do
    parts[i] = string.gsub(text, "[\\,]", "\\%0")
  end
  local text = texts.concat(parts, ",")
  return #parts == 1 and text == "" and "\\e" or text
end

-- cut reads a text with commas between what is not empty, and paste makes one.
function M.cut(text)
  local list = {}
  for part in string.gmatch(text, "[^,]+") do
    list[#list + 1] = part
  end
  return list
end

function M.paste(v, at)
  for _, text in ipairs(strings(v, at)) do
    if text == "" or string.find(text, ",", 1, true) then
      fault("RANGE", at, "has an element that is empty or has a comma, which would not be read back: " .. text)
    end
  end
  return texts.concat(v, ",")
end

-- same tells whether two values have one text.
function M.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  elseif next(a) == nil and next(b) == nil then
    return nulls[a] == nulls[b]
  end
  for key, v in pairs(a) do
    if not M.same(v, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

return M
