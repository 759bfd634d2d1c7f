--- @include "lib/words"
--- @key article
--- @arg least int = 10
--- @return string
local have = tonumber(redis.call("GET", article) or 0)
if have < least then
  return words(have) .. ": order more"
end
return words(have)
