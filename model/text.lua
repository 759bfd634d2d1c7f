-- redmoon_text: the texts of strings and numbers in JSON, as encoding/json writes them,
-- and lists of texts.
local M = {}

local number = require "redmoon_number"

local function isText(s)
  if not string.find(s, "[\128-\255]") then
    return true
  end
  for _, sequence in ipairs({
    "[\194-\223][\128-\191]", "\224[\160-\191][\128-\191]", "\237[\128-\159][\128-\191]", "[\225-\239][\128-\191][\128-\191]",
    "\240[\144-\191][\128-\191][\128-\191]", "[\241-\243][\128-\191][\128-\191][\128-\191]", "\244[\128-\143][\128-\191][\128-\191]",
  }) do
    if sequence == "[\225-\239][\128-\191][\128-\191]" and string.find(s, "\237[\160-\191]") then
      return false -- half of a surrogate pair
    end
    s = string.gsub(s, sequence, " ")
  end
  return not string.find(s, "[\128-\255]")
end

-- quote returns nil for what is not UTF-8.
function M.quote(s)
  if not string.find(s, '[%c"\\\128-\255]') then
    return '"' .. s .. '"'
  elseif not isText(s) then
    return nil
  end
  if string.find(s, '[%c"\\]') then
    local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\127"] = "\127"}
    s = string.gsub(s, '[%c"\\]', function(c)
      return escapes[c] or string.format("\\u%04x", string.byte(c))
    end)
  end
  s = string.gsub(s, "\226\128[\168\169]", {["\226\128\168"] = "\\u2028", ["\226\128\169"] = "\\u2029"})
  return '"' .. s .. '"'
end

-- float writes the shortest digits that read back as v, with an exponent where Go's
-- JSON has one.
function M.float(v)
  if v == 0 then
    return 1 / v < 0 and "-0" or "0"
  end
  local size = math.abs(v)
  if size >= 1e-6 and size < 1e21 then
    local text = number.write(v)
    local digits, exponent = string.match(text, "^(.-)e%+(%d+)$")
    if not digits then
      return text
    end
    local whole, rest = string.match(digits, "^(%-?%d)%.(%d*)$")
    rest = rest == "0" and "" or rest
    return whole .. rest .. string.rep("0", tonumber(exponent) - #rest)
  end
  local text
  for digits = size < 2.2250738585072014e-308 and 0 or 14, 16 do
    text = string.format("%." .. digits .. "e", v)
    if number.parse(text) == v then
      break
    end
  end
  local sign, first, rest, way, exponent = string.match(text, "^(-?)(%d)%.?(%d-)0*e([-+])0*(%d+)$")
  return sign .. first .. (rest == "" and "" or "." .. rest) .. "e" .. way .. exponent
end

-- concat is table.concat in pieces: the embedded server has no room for thousands.
function M.concat(texts, sep)
  if #texts <= 500 then
    return table.concat(texts, sep)
  end
  local parts = {}
  for i = 1, #texts, 500 do
    parts[#parts + 1] = table.concat(texts, sep, i, math.min(i + 499, #texts))
  end
  return M.concat(parts, sep)
end

-- exact makes strings of the integers in a JSON that a number of Lua does not hold, with
-- a mark in front that is nowhere else in it, and returns the mark, nil if there are
-- none.
function M.exact(text)
  if not string.find(text, "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d") then
    return text, nil
  end
  local mark, found = "\127", false
  while string.find(text, mark, 1, true) do
    mark = mark .. "\127"
  end
  local function keep(digits)
    if #digits < 16 or not string.find(digits, "^-?%d+$") or string.format("%.0f", number.parse(digits)) == digits and math.abs(number.parse(digits)) < 9007199254740992 then
      return digits
    end
    found = true
    return '"' .. mark .. digits .. '"'
  end
  local parts, at = {}, 1
  while true do
    local quote = string.find(text, '"', at, true)
    parts[#parts + 1] = string.gsub(string.sub(text, at, (quote or 0) - 1), "-?%d[%d%.eE+-]*", keep)
    if not quote then
      break
    end
    local stop = string.find(text, '["\\]', quote + 1)
    while stop and string.byte(text, stop) == 92 do
      stop = string.find(text, '["\\]', stop + 2)
    end
    if not stop then
      return text, nil -- it is no JSON
    end
    parts[#parts + 1] = string.sub(text, quote, stop)
    at = stop + 1
  end
  return M.concat(parts, ""), found and mark or nil
end

return M
