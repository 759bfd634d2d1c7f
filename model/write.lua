-- redmoon_write is the one way to a record: all verbs, and the functions that
-- assign to self, write through it, in these steps.
--
--   open    what the model says of its records, from the words of the call
--   …       the verb looks at what is stored, and decides
--   check   what could still refuse the write; nothing is written before
--   flush   the write: fields set, fields removed, times to live
--
-- A record is a table: key, ttl (milliseconds that a write begins anew; "" or 0
-- for none), version (the name of its version field, or ""), and lives, unless no
-- field has a time to live of its own: name → milliseconds that a write of the
-- field begins anew, "" to keep what the field has.
local M = {}

local number = require "redmoon_number"

-- open reads the words that all calls begin with, and returns the record and the
-- place of the word behind them.
--   KEYS[1]  the record
--   ARGV[1]  its ttl
--   ARGV[2]  its version
--   ARGV[3]  number of its lives, and then name and value of each
function M.open(keys, argv)
  local r, at, lives = {key = keys[1], ttl = argv[1], version = argv[2]}, 4, tonumber(argv[3])
  if lives > 0 then
    r.lives = {}
    for i = 4, 2 + 2 * lives, 2 do
      r.lives[argv[i]] = argv[i + 1]
    end
    at = 4 + 2 * lives
  end
  return r, at
end

-- exists tells whether the record is stored.
function M.exists(r)
  return redis.call("EXISTS", r.key) == 1
end

-- begins tells whether to write the text that a field has already does
-- something: it begins the field's time to live anew.
function M.begins(r, name)
  return r.lives ~= nil and (r.lives[name] or "") ~= ""
end

-- count adds the version behind old, false for none, to what is set. If there is
-- none it returns why.
function M.count(r, old, set)
  local new, why = number.add(old or "0", "1", "0 9223372036854775807")
  if new then
    set[#set + 1] = r.version
    set[#set + 1] = new
  end
  return why
end

-- remember notes the times to live of fields that are to be set: HSET ends them.
local function remember(r, set, from, to)
  local names, new = {}, false
  for i = from, to, 2 do
    local life = r.lives[set[i]]
    if life then
      names[#names + 1] = set[i]
      new = new or life ~= ""
    end
  end
  r.ends, r.begin = {}, {}
  if #names == 0 then
    return nil
  end
  local at = redis.pcall("HPEXPIRETIME", r.key, "FIELDS", #names, unpack(names))
  if at and at.err then
    if not string.find(at.err, "nknown", 1, true) then
      return at
    elseif new then
      return {err = "ERR unknown command HPEXPIRE", unsupported = "Redis 7.4 or Valkey 9"}
    end
    return nil -- a server where no field has one
  end
  for i, name in ipairs(names) do
    local life = r.lives[name]
    if life ~= "" then
      r.begin[life] = r.begin[life] or {}
      table.insert(r.begin[life], name)
    elseif at and at[i] and at[i] > 0 then
      r.ends[name] = at[i]
    end
  end
  return nil
end

-- check returns the error that refuses a write, nil if there is none. set holds
-- names and texts in turns, from one place to another.
function M.check(r, set, from, to)
  if r.lives then
    return remember(r, set, from, to)
  end
  return nil
end

-- flush writes: set as in check, and gone, names, likewise.
function M.flush(r, set, from, to, gone, first, last)
  -- First what is set: a hash that loses its last field is gone, and with it its
  -- time to live.
  if from <= to then
    redis.call("HSET", r.key, unpack(set, from, to))
  end
  if first <= last then
    redis.call("HDEL", r.key, unpack(gone, first, last))
  end
  if r.ends then
    for life, names in pairs(r.begin) do
      redis.call("HPEXPIRE", r.key, life, "FIELDS", #names, unpack(names))
    end
    for name, at in pairs(r.ends) do
      redis.call("HPEXPIREAT", r.key, string.format("%.0f", at), "FIELDS", 1, name)
    end
  end
  if r.ttl ~= "" and r.ttl ~= 0 then
    redis.call("PEXPIRE", r.key, r.ttl)
  end
end

return M
