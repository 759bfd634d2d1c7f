-- redmoon_value decodes what is stored of a record's fields, and encodes what Lua
-- assigns to them, as the Go type of each wants it. A record's state is as in self.lua.
local M = {}

local number = require "redmoon_number"
local time = require "redmoon_time"

local huge = 1 / 0 -- math.huge is finite on the embedded server

-- fault raises an error that Go knows by its code.
function M.fault(code, message)
  error({err = code .. " " .. message})
end

local fault = M.fault

-- kind returns the letter of a field's type, what goes with it, and whether the
-- field may be absent: then the letter is an upper-case one.
--   s          string
--   i bounds   integer
--   f bounds   float; n where NaN and infinities are stored too
--   b          boolean; e where an empty text is false
--   t unit     time in microseconds, stored in units of so many
--   r          time in microseconds, stored as RFC 3339
--   w words    string that is one of a few
--   x words    integer that is one of a few
--   u          UUID, a string
--   a n        string of n bytes
--   o          string that only Go makes
--   l, c       list of strings, by the option list or commas
--   j          JSON; what has no shape only Go writes
function M.kind(s, name)
  local as = s.fields[name]
  if not as then
    fault("FIELD", s.key .. " has no field " .. tostring(name) .. " that Lua can use")
  end
  local letter = string.sub(as, 1, 1)
  local lower = string.lower(letter)
  return lower, string.sub(as, 3), letter ~= lower
end

local function inexact(s, name, text)
  fault("RANGE", s.key .. " " .. name .. ": " .. text .. " is beyond 2^53, where Lua numbers are no longer exact")
end

-- far tells whether a time is so far from 1970 that Lua numbers do not tell it
-- from the next one of its unit: how far that is depends on the powers of 2 in
-- the unit. Go's zero time is a number in all units.
local function far(microseconds, unit)
  local most = 9007199254740992
  if unit == "1000" then
    most = most * 8
  elseif unit == "1000000" then
    most = most * 64
  end
  return (microseconds >= most or microseconds <= -most) and microseconds ~= -62135596800000000
end

local function tooFar(s, name, text)
  fault("RANGE", s.key .. " " .. name .. ": " .. text .. " is too far from 1970 to be exact as a number of microseconds")
end

-- listed tells whether a text is one of the words with a space between.
local function listed(words, text)
  return not string.find(text, " ", 1, true) and string.find(" " .. words .. " ", " " .. text .. " ", 1, true)
end

M.zeroID = "00000000-0000-0000-0000-000000000000"

function M.isID(text)
  return #text == 36 and string.find(text, "^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$") ~= nil
end

-- lists are the functions of table.lua for lists of strings, and kinds of fields that
-- are tables.
local lists = {l = {"split", "join"}, c = {"cut", "paste"}}

function M.isTable(letter)
  return letter == "j" or lists[letter] ~= nil
end

-- missing returns the value of a field that is not stored and never absent.
function M.missing(s, name, letter, more)
  if letter == "s" or letter == "w" or letter == "o" then
    return ""
  elseif letter == "b" or letter == "e" then
    return false
  elseif letter == "r" then
    return -62135596800000000
  elseif letter == "u" then
    return M.zeroID
  elseif letter == "a" then
    return string.rep("\0", tonumber(more))
  elseif lists[letter] then
    return {}
  elseif letter == "j" then
    return s.tables.missing(s.shapes and s.shapes[name])
  end
  return 0
end

-- decode returns the value of a stored text.
function M.decode(s, name, text, letter, more)
  local v, want
  if letter == "s" or letter == "o" then
    v = text
  elseif letter == "j" then
    return s.tables.decode(text, s.shapes and s.shapes[name], s.key .. " " .. name)
  elseif lists[letter] then
    return s.tables[lists[letter][1]](text)
  elseif letter == "u" then
    want = "a UUID"
    v = M.isID(text) and text or nil
  elseif letter == "a" then
    want = "of " .. more .. " bytes"
    v = #text == tonumber(more) and text or nil
  elseif letter == "w" then
    want = "one of " .. more
    v = listed(more, text) and text or nil
  elseif letter == "i" or letter == "t" or letter == "x" then
    want = "an integer"
    v = number.small(text)
    if not v then
      local sign, digits = string.match(text, "^([-+]?)0*(%d+)$")
      v = digits and number.parse(digits)
      local rounded = v and string.format("%.0f", v) ~= digits
      if rounded and letter == "t" then
        tooFar(s, name, text)
      elseif rounded or v and v > 9007199254740992 and letter ~= "t" then
        inexact(s, name, text)
      end
      if v and sign == "-" then
        v = 0 - v
      end
    end
    if v and letter == "t" then
      v = v * tonumber(more)
      if far(v, more) then
        tooFar(s, name, text)
      end
    elseif letter == "x" and not listed(more, text) then
      want, v = "one of " .. more, nil
    end
  elseif letter == "r" then
    want = "a time in RFC 3339"
    v = time.parse(text)
    if v and far(v, "1") then
      tooFar(s, name, text)
    end
  elseif letter == "f" or letter == "n" then
    want = "a number"
    v = number.parse(text)
    if not v and letter == "n" then
      v = text == "NaN" and 0 / 0 or text == "+Inf" and huge or text == "-Inf" and -huge or nil
    end
  else
    want = "a boolean"
    local word = " " .. string.lower(text) .. " "
    if string.find(" 1 true t yes y on ", word, 1, true) then
      v = true
    elseif string.find(" 0 false f no n off ", word, 1, true) or text == "" and letter == "e" then
      v = false
    end
  end
  if v == nil then
    fault("DECODE", s.key .. " " .. name .. ": " .. text .. " is not " .. want)
  end
  return v
end

-- broken returns the rule of a field that a value breaks, nil if it keeps them all.
local function broken(rule, v)
  local zero = v == "" or v == 0 or v == false
  local text = type(v) == "number" and number.write(v) or v
  if rule.omit and zero then
    return nil
  elseif rule.required and zero then
    return "required"
  elseif rule.oneof and not listed(rule.oneof, text) then
    return "oneof=" .. rule.oneof
  elseif rule.ne == v then
    return "ne=" .. v
  elseif rule.eq and rule.eq ~= v then
    return "eq=" .. rule.eq
  elseif rule.least or rule.most then
    local _, characters = string.gsub(v, "[^\128-\191]", "")
    if characters < (rule.least or 0) then
      return "min=" .. rule.least
    elseif rule.most and characters > rule.most then
      return "max=" .. rule.most
    end
  end
  return nil
end

-- keep faults where a value breaks a rule of its field.
function M.keep(s, name, v)
  local rule = s.rules and s.rules[name] and broken(s.rules[name], v)
  if rule then
    fault("RULE", s.key .. " " .. name .. " breaks its rule " .. rule)
  end
end

-- encode returns the text of a value, and refuses what the field's Go type or
-- its rules do not allow.
function M.encode(s, name, v, letter, more)
  local want, is = "a string", "string"
  if letter == "j" then
    return s.tables.encode(v, s.shapes and s.shapes[name], s.key .. " " .. name)
  elseif lists[letter] then
    return s.tables[lists[letter][2]](v, s.key .. " " .. name)
  elseif letter == "o" then
    fault("TYPE", s.key .. " " .. name .. " is a text that only Go makes")
  elseif letter == "i" or letter == "t" or letter == "r" or letter == "x" then
    want, is = "an integer", "number"
  elseif letter == "f" or letter == "n" then
    want, is = "a float", "number"
  elseif letter == "b" or letter == "e" then
    want, is = "a boolean", "boolean"
  end
  if type(v) ~= is then
    fault("TYPE", s.key .. " " .. name .. " is " .. want .. ", not a " .. type(v))
  elseif is == "string" then
    if letter == "w" and not listed(more, v) then
      fault("RANGE", s.key .. " " .. name .. ": " .. v .. " is not one of " .. more)
    elseif letter == "u" and not M.isID(v) then
      fault("RANGE", s.key .. " " .. name .. ": " .. v .. " is not a UUID")
    elseif letter == "a" and #v ~= tonumber(more) then
      fault("RANGE", s.key .. " " .. name .. " is of " .. more .. " bytes, not " .. #v)
    end
    return v
  elseif is == "boolean" then
    return v and "1" or "0"
  end
  if v ~= v or v == huge or v == -huge then
    if letter == "n" then
      return v ~= v and "NaN" or v > 0 and "+Inf" or "-Inf"
    end
    fault("RANGE", s.key .. " " .. name .. " must be finite, and is " .. tostring(v))
  end
  if letter == "t" or letter == "r" then
    if far(v, letter == "r" and "1" or more) then
      tooFar(s, name, string.format("%.0f", v))
    elseif letter == "r" then
      return time.write(math.floor(v))
    end
    return string.format("%.0f", math.floor(v / tonumber(more)) + 0)
  elseif want == "an integer" and v ~= math.floor(v) then
    fault("TYPE", s.key .. " " .. name .. " is an integer, not " .. tostring(v))
  end
  if want == "an integer" and (v >= 9007199254740992 or v <= -9007199254740992) then
    inexact(s, name, string.format("%.0f", v)) -- 2^53 itself may be what is left of 2^53 + 1
  end
  if letter == "x" then
    local text = string.format("%.0f", v + 0)
    if not listed(more, text) then
      fault("RANGE", s.key .. " " .. name .. ": " .. text .. " is not one of " .. more)
    end
    return text
  end
  local why = number.outside(v, more)
  if why then
    fault("RANGE", s.key .. " " .. name .. ": " .. number.write(v) .. " is " .. why)
  end
  return want == "an integer" and string.format("%.0f", v + 0) or number.write(v)
end

return M
