-- redmoon_record is what Lua functions see of a record: reading a field decodes its
-- text, assigning encodes it, and both refuse what the model does not allow. What is
-- assigned is kept in the record's state; self.lua writes it.
local M = {}

local number = require "redmoon_number"
local value = require "redmoon_value"
local write = require "redmoon_write"

local order = {}  -- the states of records, in the order of opening
local byKey = {}  -- key → state: one record opened twice is one record
local states = {} -- the record as functions see it → state

local fault, kind, decode, encode, keep = value.fault, value.kind, value.decode, value.encode, value.keep

-- exists tells whether the record is stored, asking the server at most once.
local function exists(s)
  if s.exists == nil then
    s.exists = write.exists(s)
  end
  return s.exists
end

-- idOf returns the text of the record's id, which a pattern finds in its key; the
-- placement has written some characters of it as %25. What adopts keys has not.
local function idOf(s, pattern)
  local text = string.match(s.key, string.sub(pattern, 2))
  if string.sub(pattern, 1, 1) == "%" then
    text = string.gsub(text, "%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
  end
  return text
end

-- stored returns the text of a field, or else of the names that it had; false if
-- it has none.
local function stored(s, name)
  local text = s.text[name]
  if s.id and s.id[name] then
    text = idOf(s, s.id[name])
    s.text[name] = text
  elseif s.deleted then
    text = false
  elseif text == nil then
    text = redis.call("HGET", s.key, name)
    s.text[name] = text
  end
  if not text and s.was and s.was[name] then
    for _, old in ipairs(s.was[name]) do
      text = text or stored(s, old)
    end
  end
  return text
end

-- inHook faults where a hook does with its record what only a method may, or only
-- before_save.
local function inHook(s, what, notEven)
  if s.hook and (notEven or s.hook ~= "before_save") then
    fault("HOOK", s.key .. ": the hook " .. s.hook .. " " .. what)
  end
end

-- methods are those of a record; they take its state.
local methods = {}

methods.exists = exists

-- self:incr(field, n) adds to an integer, exactly, and returns the sum: a number,
-- or its digits where a number would not be exact. n may be digits, too.
function methods.incr(s, name, n)
  inHook(s, "adds to a field; before_save may")
  local letter, more, optional = kind(s, name)
  if letter ~= "i" or name == s.version then
    fault("TYPE", s.key .. " " .. tostring(name) .. " is nothing that incr adds to")
  elseif type(n) == "number" and n == math.floor(n) and n > -9007199254740992 and n < 9007199254740992 then
    n = string.format("%.0f", n)
  elseif type(n) ~= "string" or not string.find(n, "^-?%d+$") then
    fault("TYPE", s.key .. " " .. name .. ": incr adds an integer within 2^53 or a string of digits, not " .. tostring(n))
  end
  if not exists(s) then
    fault("NOTFOUND", s.key .. " does not exist")
  end
  local old = s.change[name]
  if old == nil then
    old = stored(s, name)
  end
  local text, why = number.add(old or not optional and s.presets and s.presets[name] or "0", n, more)
  if not text then
    fault("RANGE", s.key .. " " .. name .. ": " .. (old or "0") .. " and " .. n .. " cannot be added: " .. why)
  end
  local v = number.parse(text)
  keep(s, name, v)
  if s.change[name] == nil then
    s.changed[#s.changed + 1] = name
  end
  local exact = v > -9007199254740992 and v < 9007199254740992
  s.change[name], s.value[name], s.known[name] = text, exact and v or nil, exact or nil
  return exact and v or text
end

-- self:ttl() returns the milliseconds that the record has left, nil for no end.
function methods.ttl(s)
  if s.life ~= nil then
    return s.life or nil
  end
  local left = s.deleted and -2 or redis.call("PTTL", s.key)
  if s.new then
    return s.ttl > 0 and s.ttl or nil
  elseif left == -2 then
    fault("NOTFOUND", s.key .. " does not exist")
  end
  return left >= 0 and left or nil
end

-- self:expire(milliseconds) gives the record a time to live at the end; nil takes it.
function methods.expire(s, life)
  inHook(s, "sets a time to live; before_save may")
  if life ~= nil and (type(life) ~= "number" or life ~= math.floor(life) or life < 1 or life > 9007199254740991) then
    fault("TYPE", s.key .. ": a time to live is a whole number of milliseconds, at least 1, not " .. tostring(life))
  elseif not exists(s) then
    fault("NOTFOUND", s.key .. " does not exist")
  end
  s.life = life or false
end

-- missing returns the value of a field that is not stored and never absent.
local function missing(s, name, letter, more)
  local preset = s.presets and s.presets[name]
  if preset then
    return decode(s, name, preset, letter, more)
  end
  return value.missing(s, name, letter, more)
end

local function get(s, name)
  if s.known[name] then
    return s.value[name]
  end
  if not s.fields[name] then
    local method = methods[name]
    if name == "key" then
      return s.key
    elseif s.keys and s.keys[name] then
      return s.keys[name]
    elseif method then
      return function(record, ...) return method(states[record], ...) end
    end
  end
  local letter, more, optional = kind(s, name)
  local text, v = s.change[name], nil -- by incr
  if text == nil then
    text = stored(s, name)
  end
  if text then
    s.exists = s.exists or not (s.id and s.id[name]) or nil
    v = decode(s, name, text, letter, more)
  elseif not optional then
    if not exists(s) then
      fault("NOTFOUND", s.key .. " does not exist")
    end
    v = missing(s, name, letter, more)
  end
  s.value[name], s.known[name] = v, true
  return v
end

local function set(s, name, v)
  inHook(s, "assigns " .. tostring(name) .. "; before_save may")
  local letter, more, optional = kind(s, name)
  if s.id and s.id[name] then
    fault("FIELD", s.key .. " " .. name .. " is the id, which never changes")
  elseif name == s.version then
    fault("FIELD", s.key .. " " .. name .. " counts the changes, and is not assigned")
  end
  local text = false
  if v ~= nil then
    text = encode(s, name, v, letter, more)
    keep(s, name, v)
  elseif not optional then
    fault("TYPE", s.key .. " " .. name .. " is never absent")
  elseif s.rules and s.rules[name] and s.rules[name].present then
    fault("RULE", s.key .. " " .. name .. " must not be absent")
  end
  if not exists(s) then
    fault("NOTFOUND", s.key .. " does not exist")
  end
  if s.change[name] == nil then
    s.changed[#s.changed + 1] = name
  end
  s.value[name], s.known[name], s.change[name] = v, true, text
end

-- state returns the state of a record, the same for the same key. fields maps names
-- to types, of those that the function may use; version is the field that counts
-- changes, or ""; ttl is the time to live in milliseconds that a write renews, 0 for
-- none; more, which the record of most models lacks, has the lives and was of
-- write.lua, in presets the texts that are read of fields which are not stored, in rules
-- those of luarule.go, in hooks the module of luahook.go, in id by its name a pattern
-- for the id, in tables the module for fields that are, in shapes those of shape.go, and in keys those
-- of keyspaces by their names.
local function state(key, fields, version, ttl, more)
  local s = byKey[key]
  if not s then
    s = {
      key = key, fields = fields, version = version, ttl = ttl,
      text = {}, value = {}, known = {}, change = {}, changed = {},
    }
    byKey[key] = s
    order[#order + 1] = s
  end
  for name, as in pairs(fields) do
    s.fields[name] = as
  end
  for what, of in pairs(more or {}) do
    s[what] = s[what] or {}
    for name, one in pairs(of) do
      s[what][name] = one
    end
  end
  s.ttl = math.max(s.ttl, ttl)
  return s
end

-- loaded notes texts that were fetched.
local function loaded(s, names, texts)
  for i, name in ipairs(names) do
    if s.text[name] == nil then
      s.text[name] = texts[i]
    end
    if texts[i] then
      s.exists = true
    end
  end
end

-- fetch loads fields.
local function fetch(s, names)
  if #names > 0 then
    loaded(s, names, redis.call("HMGET", s.key, unpack(names)))
  end
end

-- recordOf returns a record as functions see it. Lua 5.1 asks no metatable what is in a
-- table: whoever walks one anyway finds a word of warning, and cjson.encode fails.
local function recordOf(s)
  if not s.record then
    s.record = setmetatable({["no table: name its fields"] = function() end}, {
      record = true, -- see helperEncode of package lua
      __index = function(_, name) return get(s, name) end,
      __newindex = function(_, name, v) set(s, name, v) end,
    })
    states[s.record] = s
  end
  return s.record
end

-- same tells whether a stored text, perhaps written otherwise than we would,
-- says what was assigned: then it stays.
local function same(s, name, text)
  local v = s.value[name]
  if not text or v == nil then
    return false
  end
  local ok, old = pcall(decode, s, name, text, kind(s, name))
  return ok and (old == v or type(v) == "table" and s.tables.same(old, v))
end

-- sync assigns the tables of a record that were changed in place.
local function sync(s)
  for name, v in pairs(s.tables and s.value or {}) do
    if type(v) == "table" then
      local letter, more = kind(s, name)
      local text, old = s.change[name], nil
      if text == nil then
        text = stored(s, name)
      end
      if text then
        old = decode(s, name, text, letter, more)
      else
        old = missing(s, name, letter, more)
      end
      if not s.tables.same(old, v) then
        set(s, name, v)
      end
    end
  end
end

-- run calls a hook of a record, if its model has that one.
local function run(s, hook)
  local f = s.hooks and s.hooks[hook]
  if not f then
    return
  end
  if not s.ready then -- the fields that hooks use
    s.ready = true
    local fields, names, version, ttl, more = s.hooks.about()
    state(s.key, fields, version, ttl, more)
    fetch(s, names)
  end
  s.hook = hook
  f(recordOf(s))
  sync(s)
  s.hook = nil
end

-- self:delete() removes the record at the end, and tells whether there was one. From
-- then on it does not exist.
function methods.delete(s)
  inHook(s, "deletes its record; a method may", true)
  local was = exists(s)
  if was then
    run(s, "before_delete")
  end
  s.deleted = s.deleted or was
  s.exists = false
  s.value, s.known, s.change, s.changed, s.renew, s.life = {}, {}, {}, {}, nil, nil
  return was
end

M.order, M.methods, M.exists, M.stored, M.get, M.set = order, methods, exists, stored, get, set
M.state, M.loaded, M.fetch, M.recordOf, M.same, M.sync, M.run = state, loaded, fetch, recordOf, same, sync, run

return M
