-- redmoon_number: numbers as package field writes them, the same on every
-- server. Bounds are a text, "least most", with " 0" behind it where zero is
-- allowed beside what they enclose.
--
-- A module is built anew by each call of a script, so what is rarely needed is
-- made where it is needed.
local M = {}

-- small reads an integer of up to 15 digits, which a Lua number holds exactly
-- with room for sums; nil for any other text.
function M.small(text)
  return #text <= 15 and string.find(text, "^-?%d+$") and tonumber(text, 10) + 0 or nil
end

-- parse reads a decimal text, and returns nil for any other. tonumber by itself
-- takes 0x10 and nan on some servers, and 1e+21 on some servers only.
function M.parse(text)
  local digits, exponent = string.match(text, "^([-+]?[%d.]+)(.*)$")
  if not digits or exponent ~= "" and not string.match(exponent, "^[eE][-+]?%d+$") then
    return nil
  end
  if not string.find(digits, ".", 1, true) then
    digits = digits .. ".0"
  end
  return tonumber(digits .. exponent)
end

-- write returns the shortest text that reads back as v, the one Go writes.
function M.write(v)
  if v == 0 then
    return 1 / v < 0 and "-0" or "0"
  end

  -- layout turns 1.25e+03 into 1250, and 1e+21 into 1.0e+21.
  local function layout(scientific)
    local sign, first, rest, exponent = string.match(scientific, "^(-?)(%d)%.?(%d*)e([-+]%d+)$")
    rest = string.match(rest, "^(.-)0*$")
    local point = tonumber(exponent)
    if point < -6 or point >= 18 then
      return sign .. first .. "." .. (rest == "" and "0" or rest) .. "e" .. exponent
    elseif point < 0 then
      return sign .. "0." .. string.rep("0", -point - 1) .. first .. rest
    elseif #rest <= point then
      return sign .. first .. rest .. string.rep("0", point - #rest)
    end
    return sign .. first .. string.sub(rest, 1, point) .. "." .. string.sub(rest, point + 1)
  end

  -- 15 digits say all of most numbers, 17 of all; the very smallest have fewer.
  local text
  for digits = math.abs(v) < 2.2250738585072014e-308 and 0 or 14, 16 do
    text = layout(string.format("%." .. digits .. "e", v))
    if M.parse(text) == v then
      break
    end
  end
  return text
end

-- outside returns what is wrong with v under bounds, nil if nothing.
function M.outside(v, bounds)
  local least, most, zero = string.match(bounds, "^(%S+) (%S+)(.*)$")
  if v == 0 and zero ~= "" then
    return nil
  elseif v < (tonumber(least) or M.parse(least)) then
    return "below " .. least
  elseif v > (tonumber(most) or M.parse(most)) then
    return "above " .. most
  end
end

-- addfloat returns the text of text + n, or nil and why there is none.
function M.addfloat(text, n, bounds)
  local old = M.parse(text)
  if not old then
    return nil, "it is not a number"
  end
  local sum = old + M.parse(n)
  local why = M.outside(sum, bounds)
  if why then
    return nil, "the sum would be " .. why
  end
  return sum == old and text or M.write(sum)
end

-- addlong is add for integers of 64 bits. Such a one is two numbers, high * 10^9
-- + low with low from 0 to 10^9 - 1: Lua's own are exact to 2^53 only.
local function addlong(text, n, bounds)
  local function split(long)
    local sign, digits = string.match(long, "^([-+]?)0*(%d+)$")
    if not digits or #digits > 20 then
      return nil
    end
    local high, low = tonumber(string.sub(digits, 1, -10)) or 0, tonumber(string.sub(digits, -9))
    if sign ~= "-" then
      return high, low
    elseif low == 0 then
      return 0 - high, 0
    end
    return -high - 1, 1e9 - low
  end

  local high, low = split(text)
  if not high then
    return nil, "it is not an integer"
  end
  local high2, low2 = split(n)
  high, low = high + high2, low + low2
  if low >= 1e9 then
    high, low = high + 1, low - 1e9
  end

  local sign, front, back = "", high, low
  if high < 0 then
    sign, front, back = "-", -high, 0
    if low > 0 then
      front, back = front - 1, 1e9 - low
    end
  end
  local sum = string.format("%.0f", back)
  if front > 0 then
    sum = string.format("%.0f%09.0f", front, back)
  end

  local least, most, zero = string.match(bounds, "^(%S+) (%S+)(.*)$")
  local leastHigh, leastLow = split(least)
  local mostHigh, mostLow = split(most)
  if high == 0 and low == 0 and zero ~= "" then
    return "0"
  elseif high < leastHigh or high == leastHigh and low < leastLow then
    return nil, "the sum would be " .. sign .. sum .. ", below " .. least
  elseif high > mostHigh or high == mostHigh and low > mostLow then
    return nil, "the sum would be " .. sign .. sum .. ", above " .. most
  end
  return sign .. sum
end

-- add returns the text of text + n, integers, exactly; or nil and why not.
function M.add(text, n, bounds)
  local a, b = M.small(text), M.small(n)
  if not a or not b then
    return addlong(text, n, bounds)
  end
  local sum = string.format("%.0f", a + b)
  local why = M.outside(a + b, bounds)
  if why then
    return nil, "the sum would be " .. sum .. ", " .. why
  end
  return sum
end

return M
