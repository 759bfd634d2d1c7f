-- redmoon_self gives Lua functions the records of a model: `self` and the
-- records among their arguments. Reading a field decodes its text, assigning
-- encodes it; what was assigned is written at the end, in one go, if the
-- function did not fail.
local M = {}

local number = require "redmoon_number"
local time = require "redmoon_time"
local write = require "redmoon_write"

local order = {}  -- the states of records, in the order of opening
local byKey = {}  -- key → state: one record opened twice is one record
local states = {} -- the record as functions see it → state

local function fault(code, message)
  error({err = code .. " " .. message})
end

local huge = 1 / 0 -- math.huge is finite on the embedded server

-- exists tells whether the record is stored, asking the server at most once.
local function exists(s)
  if s.exists == nil then
    s.exists = write.exists(s)
  end
  return s.exists
end

-- stored returns the text of a field, or else of the names that it had; false if
-- it has none.
local function stored(s, name)
  local text = s.text[name]
  if s.deleted then
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
local function kind(s, name)
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

-- decode returns the value of a stored text.
local function decode(s, name, text, letter, more)
  local v, want
  if letter == "s" then
    v = text
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

local function keep(s, name, v)
  local rule = s.rules and s.rules[name] and broken(s.rules[name], v)
  if rule then
    fault("RULE", s.key .. " " .. name .. " breaks its rule " .. rule)
  end
end

-- encode returns the text of a value, and refuses what the field's Go type or
-- its rules do not allow.
local function encode(s, name, v, letter, more)
  local want, is = "a string", "string"
  if letter == "i" or letter == "t" or letter == "r" or letter == "x" then
    want, is = "an integer", "number"
  elseif letter == "f" or letter == "n" then
    want, is = "a float", "number"
  elseif letter ~= "s" and letter ~= "w" then
    want, is = "a boolean", "boolean"
  end
  if type(v) ~= is then
    fault("TYPE", s.key .. " " .. name .. " is " .. want .. ", not a " .. type(v))
  elseif is == "string" then
    if letter == "w" and not listed(more, v) then
      fault("RANGE", s.key .. " " .. name .. ": " .. v .. " is not one of " .. more)
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

-- self:delete() removes the record at the end, and tells whether there was one. From
-- then on it does not exist.
function methods.delete(s)
  inHook(s, "deletes its record; a method may", true)
  local was = exists(s)
  if was then
    M.run(s, "before_delete")
  end
  s.deleted = s.deleted or was
  s.exists = false
  s.value, s.known, s.change, s.changed, s.renew, s.life = {}, {}, {}, {}, nil, nil
  return was
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

local function get(s, name)
  if s.known[name] then
    return s.value[name]
  end
  if not s.fields[name] then
    local method = methods[name]
    if name == "key" then
      return s.key
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
    s.exists = true
    v = decode(s, name, text, letter, more)
  elseif not optional then
    if not exists(s) then
      fault("NOTFOUND", s.key .. " does not exist")
    end
    local preset = s.presets and s.presets[name]
    v = letter == "r" and -62135596800000000 or 0
    if preset then
      v = decode(s, name, preset, letter, more)
    elseif letter == "s" or letter == "w" then
      v = ""
    elseif letter == "b" or letter == "e" then
      v = false
    end
  end
  s.value[name], s.known[name] = v, true
  return v
end

local function set(s, name, v)
  inHook(s, "assigns " .. tostring(name) .. "; before_save may")
  local letter, more, optional = kind(s, name)
  if name == s.version then
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
-- those of luarule.go, and in hooks the module of hooked.go.
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

-- recordOf returns a record as functions see it.
local function recordOf(s)
  if not s.record then
    s.record = setmetatable({}, {
      __index = function(_, name) return get(s, name) end,
      __newindex = function(_, name, v) set(s, name, v) end,
    })
    states[s.record] = s
  end
  return s.record
end

-- run calls a hook of a record, if its model has that one.
function M.run(s, hook)
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
  s.hook = nil
end

-- open returns the record of a key; names are the fields to fetch at once, the
-- rest is as in state.
function M.open(key, fields, names, version, ttl, more)
  local s = state(key, fields, version, ttl, more)
  fetch(s, names)
  return recordOf(s)
end

-- Records whose fields are locals of the script come here for what those do not do:
-- texts that are not plain, values that may be refused, fields that need more than
-- an HSET.
local inlined = {}

-- adopt begins such a record, of which texts are fetched already.
function M.adopt(n, key, fields, names, texts, version, ttl, more)
  local s = state(key, fields, version, ttl, more)
  loaded(s, names, texts)
  inlined[n] = s
end

-- inline does one thing with one of them. Of a local and what it was first, settle
-- takes over what was assigned.
function M.inline(n, what, name, v, first)
  local s = inlined[n]
  if what == "get" then
    return get(s, name)
  elseif what == "set" then
    set(s, name, v)
  elseif methods[what] then
    return methods[what](s, name, v)
  elseif what == "write" then
    return number.write(name)
  elseif what == "renew" then
    s.renew = true
  elseif v ~= first or s.change[name] ~= nil then
    set(s, name, v)
  end
end

-- same tells whether a stored text, perhaps written otherwise than we would,
-- says what was assigned: then it stays.
local function same(s, name, text)
  if not text or s.value[name] == nil then
    return false
  end
  local ok, v = pcall(decode, s, name, text, kind(s, name))
  return ok and v == s.value[name]
end

-- differs tells whether a change of a field is one of what is stored, too.
local function differs(s, name)
  local old = stored(s, name)
  return s.change[name] ~= old and not same(s, name, old)
end

-- plan adds to a record what is to be written of it, or faults.
local function plan(s)
  local set, gone, changed = {}, {}, false
  for _, name in ipairs(s.changed) do
    local text, new = s.change[name], differs(s, name)
    changed = changed or new
    if text and (new or write.begins(s, name)) then
      set[#set + 1] = name
      set[#set + 1] = text
    elseif new then
      gone[#gone + 1] = name
    end
  end
  if s.counted then -- by the verb
    set[#set + 1] = s.version
    set[#set + 1] = s.counted
  elseif s.version ~= "" and changed then
    local old = stored(s, s.version)
    local why = write.count(s, old, set)
    if why then
      fault("DECODE", s.key .. " " .. s.version .. " (" .. old .. ") cannot be counted up: " .. why)
    end
  end
  local refused = write.check(s, set, 1, #set)
  if refused and refused.unsupported then
    fault("UNSUPPORTED", s.key .. ": its fields have times to live of their own; they need " .. refused.unsupported)
  elseif refused then
    error(refused)
  end
  s.set, s.gone, s.final = set, gone, s.change
end

-- settled makes a record look as it will be stored, to after_save.
local function settled(s)
  s.value, s.known, s.change = {}, {}, {}
  for i = 1, #s.set, 2 do
    s.text[s.set[i]] = s.set[i + 1]
  end
  for _, name in ipairs(s.gone) do
    s.text[name] = false
    for _, old in ipairs(s.was and s.was[name] or {}) do
      s.text[old] = false
    end
  end
end

-- hooked calls the hooks of records that were changed, and plans their writes. What
-- is to be written stands before the first after_save is called, and is written
-- behind the last: each of them may still refuse all.
local function hooked()
  local saves = {}
  for _, s in ipairs(order) do
    local changes = s.counted
    for _, name in ipairs(s.changed) do
      changes = changes or differs(s, name)
    end
    if s.hooks and changes then
      M.run(s, "before_save")
      saves[#saves + 1] = s
    end
  end
  for _, s in ipairs(saves) do
    plan(s)
  end
  for _, s in ipairs(saves) do
    if s.hooks.after_save then
      settled(s)
      M.run(s, "after_save")
    end
  end
end

-- close writes what was assigned, after all of it was found to be sound.
function M.close()
  for _, s in ipairs(order) do
    if s.hooks then
      hooked()
      break
    end
  end
  for _, s in ipairs(order) do
    s.writes = #s.changed > 0 or s.renew
    if s.writes and not s.set then
      plan(s)
    end
  end
  for _, s in ipairs(order) do
    if s.deleted then
      write.delete(s)
    elseif s.writes then
      write.flush(s, s.set, 1, #s.set, s.gone, 1, #s.gone)
    end
    if s.life then
      redis.call("PEXPIRE", s.key, string.format("%.0f", s.life))
    elseif s.life == false then
      redis.call("PERSIST", s.key)
    end
  end
end

-- save is how the verbs of a model with hooks write: r, set and gone are those of
-- write.flush. It returns 1, or, where hooks gave fields another text than the verb,
-- 1 with name and text of each, false for none.
function M.save(hooks, r, set, from, to, gone, first, last)
  local fields, names, version, ttl, more = hooks.about()
  local s = state(r.key, fields, version, ttl, more)
  s.hooks, s.ready, s.renew = hooks, true, true
  local asked, given = {}, {}
  for _, name in ipairs(names) do
    asked[#asked + 1] = name
  end
  local function change(name, text)
    asked[#asked + 1] = name
    if name == s.version then
      s.counted = text
      return
    elseif given[name] == nil then
      s.changed[#s.changed + 1] = name
    end
    given[name], s.change[name] = text, text
  end
  for i = from, to, 2 do
    change(set[i], set[i + 1])
  end
  for i = first, last do
    change(gone[i], false)
  end
  fetch(s, asked)
  s.new = not exists(s)
  s.exists = true
  M.close()
  local told = {1}
  for _, name in ipairs(s.changed) do
    if s.final[name] ~= given[name] then
      told[#told + 1] = name
      told[#told + 1] = s.final[name]
    end
  end
  return #told > 1 and told or 1
end

-- remove is how they delete a record, which is there.
function M.remove(hooks, r)
  local fields, names, version, ttl, more = hooks.about()
  local s = state(r.key, fields, version, ttl, more)
  s.hooks, s.ready, s.exists = hooks, true, true
  fetch(s, names)
  methods.delete(s)
  M.close()
end

return M
