-- redmoon_write is the one way to a record: all verbs, and the functions that
-- assign to self, write through it, in these steps.
--
--   open    what the model says of its records, from the words of the call
--   …       the verb looks at what is stored, and decides
--   check   what could still refuse the write; nothing is written before
--   flush   the write: fields set, fields removed, times to live
--
-- A record is a table: key, ttl (milliseconds that a write begins anew; "" or 0
-- for none), version (the name of its version field, or ""), and of its fields,
-- unless it has none such:
--   lives  those with a time to live of their own: name → milliseconds that a
--          write of the field begins anew, "keep" to keep what the field has
--   was    those that were renamed: name → the names it had, the latest first.
--          Where its own is not stored the field has the text of the first that
--          is; whoever writes the field removes them
-- and of a write under a lease:
--   fence  its fencing token; fenced is the key of the greatest that has written
local M = {}

local number = require "redmoon_number"

-- open reads the words that all calls begin with, and returns the record and the
-- place of the word behind them.
--   KEYS[1]  the record
--   KEYS[#]  its fence, of a write under a lease: then "F" and its token are a word
--            in front of the others
--   ARGV[1]  its ttl
--   ARGV[2]  its version
--   ARGV[3]  number of its fields of which there is more to say, and then of each
--            name, life ("" for none), and names it had with commas between
function M.open(keys, argv)
  local token = string.match(argv[1], "^F(%d+)$")
  local first = token and 1 or 0
  local r, more = {key = keys[1], ttl = argv[first + 1], version = argv[first + 2]}, tonumber(argv[first + 3])
  if token then
    r.fenced, r.fence = keys[#keys], token
  end
  for i = first + 4, first + 1 + 3 * more, 3 do
    local name, life = argv[i], argv[i + 1]
    if life ~= "" then
      r.lives = r.lives or {}
      r.lives[name] = life
    end
    for old in string.gmatch(argv[i + 2], "[^,]+") do
      r.was = r.was or {}
      r.was[name] = r.was[name] or {}
      table.insert(r.was[name], old)
    end
  end
  return r, first + 4 + 3 * more
end

-- before returns the names that a field had.
local function before(r, name)
  return r.was and r.was[name] or {}
end

-- texts returns what is stored of fields, in their order, false for nothing.
function M.texts(r, names)
  if #names == 0 then
    return {}
  elseif not r.was then
    return redis.call("HMGET", r.key, unpack(names))
  end
  local asked = {}
  for _, name in ipairs(names) do
    asked[#asked + 1] = name
    for _, old in ipairs(before(r, name)) do
      asked[#asked + 1] = old
    end
  end
  local stored, texts, at = redis.call("HMGET", r.key, unpack(asked)), {}, 1
  for n, name in ipairs(names) do
    local last = at + #before(r, name)
    texts[n] = false
    for i = at, last do
      texts[n] = texts[n] or stored[i]
    end
    at = last + 1
  end
  return texts
end

-- exists tells whether the record is stored.
function M.exists(r)
  return redis.call("EXISTS", r.key) == 1
end

-- delete removes the record.
function M.delete(r)
  redis.call("DEL", r.key)
end

-- begins tells whether to write the text that a field has already does
-- something: it begins the field's time to live anew.
function M.begins(r, name)
  return r.lives ~= nil and (r.lives[name] or "keep") ~= "keep"
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
  local names, asked, new = {}, {}, false
  for i = from, to, 2 do
    local name, life = set[i], r.lives[set[i]]
    if life then
      names[#names + 1], asked[#asked + 1] = name, name
      for _, old in ipairs(before(r, name)) do
        asked[#asked + 1] = old
      end
      new = new or life ~= "keep"
    end
  end
  r.ends, r.begin = {}, {}
  if #names == 0 then
    return nil
  end
  local ends = redis.pcall("HPEXPIRETIME", r.key, "FIELDS", #asked, unpack(asked))
  if ends and ends.err then
    if not string.find(ends.err, "nknown", 1, true) then
      return ends
    elseif new then
      return {err = "ERR unknown command HPEXPIRE", unsupported = "Redis 7.4 or Valkey 9"}
    end
    return nil -- a server where no field has one
  end
  local at = 1
  for _, name in ipairs(names) do
    local life, last, ending = r.lives[name], at + #before(r, name), -2
    for i = at, last do
      ending = ending == -2 and ends and ends[i] or ending -- -2 where nothing is stored
    end
    at = last + 1
    if life ~= "keep" then
      r.begin[life] = r.begin[life] or {}
      table.insert(r.begin[life], name)
    elseif ending > 0 then
      r.ends[name] = ending
    end
  end
  return nil
end

-- guard returns the error that refuses a write under a lease which is over, nil if
-- there is none.
function M.guard(r)
  if r.fence then
    local stored = redis.call("GET", r.fenced)
    if stored and tonumber(stored) > tonumber(r.fence) then
      return {err = "FENCED " .. stored}
    end
  end
  return nil
end

-- mark notes under which lease was written, for a week.
function M.mark(r)
  if r.fence then
    redis.call("SET", r.fenced, r.fence, "PX", 604800000)
  end
end

-- check returns the error that refuses a write, nil if there is none. set holds
-- names and texts in turns, from one place to another.
function M.check(r, set, from, to)
  local refused = M.guard(r)
  if refused then
    return refused
  end
  if r.lives then
    return remember(r, set, from, to)
  end
  return nil
end

-- withOld returns the names from first to last in gone, and those that the fields
-- which are written had.
local function withOld(r, set, from, to, gone, first, last)
  local all = {}
  local function add(name)
    for _, old in ipairs(before(r, name)) do
      all[#all + 1] = old
    end
  end
  for i = first, last do
    all[#all + 1] = gone[i]
    add(gone[i])
  end
  for i = from, to, 2 do
    add(set[i])
  end
  return all, 1, #all
end

-- flush writes, and returns 1: set as in check, and gone, names, likewise.
function M.flush(r, set, from, to, gone, first, last)
  if r.was then
    gone, first, last = withOld(r, set, from, to, gone, first, last)
  end
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
  M.mark(r)
  return 1
end

return M
