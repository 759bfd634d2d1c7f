-- redmoon_time: texts of RFC 3339 as microseconds since 1970, and back as package
-- field writes them.
local M = {}

local floor = math.floor

local toMarch = 719468 -- days from March 1st of the year 0, where leap days come last

local function isDay(year, month, day)
  local most = 31
  if month == 2 then
    most = (year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) and 29 or 28
  elseif month == 4 or month == 6 or month == 9 or month == 11 then
    most = 30
  end
  return month >= 1 and month <= 12 and day >= 1 and day <= most
end

-- parse returns nil for any other text. What is finer than a microsecond it drops.
function M.parse(text)
  local year, month, day, hour, minute, second, fraction, zone =
    string.match(text, "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d?):(%d%d):(%d%d)([.,]?%d*)([-+Z].*)$")
  if not year or fraction ~= "" and not string.find(fraction, "^[.,]%d") then
    return nil
  end
  year, month, day = tonumber(year, 10), tonumber(month, 10), tonumber(day, 10)
  hour, minute, second = tonumber(hour, 10), tonumber(minute, 10), tonumber(second, 10)
  if not isDay(year, month, day) or hour > 23 or minute > 59 or second > 59 then
    return nil
  end

  local offset = 0
  if zone ~= "Z" then
    local sign, hours, minutes = string.match(zone, "^([-+])(%d%d):(%d%d)$")
    if not sign then
      return nil
    end
    offset = 60 * tonumber(hours, 10) + tonumber(minutes, 10)
    if offset >= 1440 or tonumber(minutes, 10) > 60 then
      return nil
    end
    offset = sign == "-" and -offset or offset
  end

  if month < 3 then
    month, year = month + 12, year - 1
  end
  local days = 365 * year + floor(year / 4) - floor(year / 100) + floor(year / 400) + floor((153 * (month - 3) + 2) / 5) + day - 1 - toMarch
  local micro = tonumber(string.sub(string.sub(fraction, 2) .. "000000", 1, 6), 10)
  return (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000000 + micro
end

-- write returns the text of a whole number of microseconds.
function M.write(v)
  local seconds = floor(v / 1000000)
  local micro, days = v - seconds * 1000000, floor(seconds / 86400)
  local of = seconds - days * 86400

  days = days + toMarch
  local era = floor(days / 146097)
  days = days - era * 146097
  local year = floor((days - floor(days / 1460) + floor(days / 36524) - floor(days / 146096)) / 365)
  days = days - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * days + 2) / 153)
  local day = days - floor((153 * month + 2) / 5) + 1
  year, month = year + 400 * era, month + 3
  if month > 12 then
    year, month = year + 1, month - 12
  end

  local fraction = micro > 0 and string.gsub(string.format(".%06d", micro), "0+$", "") or ""
  return string.format("%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month, day, floor(of / 3600), floor(of / 60) % 60, of % 60, fraction)
end

return M
