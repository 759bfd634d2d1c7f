--[[
  index.lua keeps secondary indexes in step with a hash.

  The first argument is JSON: what the indexes are. The others are the fields.
]]
local key, prefix = KEYS[1], KEYS[2]
local spec = cjson.decode(ARGV[1])
local fields, old = {}, {}

--[==[ Fields come flat: name, value, name, value. A closing ]] or ]=] in here
is no end. ]==]
for i = 2, #ARGV, 2 do
  fields[ARGV[i]] = ARGV[i + 1]
end

local flat = redis.call("HGETALL", key)
for i = 1, #flat, 2 do old[flat[i]] = flat[i + 1] end

local function each(list, f, ...)
  for position, item in ipairs(list or {}) do
    local stop = f(item, position, ...)
    if stop ~= nil then
      return stop
    end
  end
end

local function escape(s)
  return (string.gsub(s, "[%%{}:]", function(c) return string.format("%%%02x", string.byte(c)) end))
end

local function name(index, value)
  if value == nil or value == "" then return nil end
  if index.fold then value = string.lower(value) end
  return prefix .. ':' .. index.field .. ':' .. escape(value)
end

-- Uniques first: nothing is written unless all hold.
local taken = each(spec.uniques, function(index)
  local k = name(index, fields[index.field])
  local holder = k and redis.call("GET", k)
  if holder and holder ~= key then
    return index.field
  end
end)
if taken then
  return redis.error_reply([[UNIQUE ]] .. taken)
end

local changed = 0
local function move(index, _, add, remove)
  local before, after = name(index, old[index.field]), name(index, fields[index.field])
  if fields[index.field] == nil or before == after then
    return
  end
  changed = changed + 1
  if before then redis.call(remove, before, key) end
  if after then redis.call(add, after, key) end
end
each(spec.indices, move, "SADD", "SREM")
each(spec.uniques, function(index)
  local before, after = name(index, old[index.field]), name(index, fields[index.field])
  if before ~= after then
    if before then redis.call("DEL", before) end
    if after then redis.call("SET", after, key) end
  end
end)

for f, v in pairs(fields) do
  if v == "\0" then
    redis.call("HDEL", key, f)
  else
    redis.call("HSET", key, f, v)
  end
end
if spec.ttl and -spec.ttl < 0 then redis.call("PEXPIRE", key, spec.ttl) end
return changed
