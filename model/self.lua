-- redmoon_self gives Lua functions the records of a model: `self` and the records among
-- their arguments. What they assigned is written at the end, in one go, if the function
-- did not fail, after hooks had their say.
local M = {}

local number = require "redmoon_number"
local record = require "redmoon_record"
local value = require "redmoon_value"
local write = require "redmoon_write"

local fault = value.fault
local order, methods, exists, stored, get, set = record.order, record.methods, record.exists, record.stored, record.get, record.set
local state, loaded, fetch, recordOf, same, sync = record.state, record.loaded, record.fetch, record.recordOf, record.same, record.sync

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

-- before calls the hooks before_save of records that were changed, and returns those
-- with hooks.
local function before()
  local saves = {}
  for _, s in ipairs(order) do
    local changes = s.hooks and s.counted
    if s.hooks then
      for _, name in ipairs(s.changed) do
        changes = changes or differs(s, name)
      end
    end
    if changes then
      record.run(s, "before_save")
      saves[#saves + 1] = s
    end
  end
  return saves
end

-- close writes what was assigned. What is to be written of all records stands, and was
-- found to be sound, before the first after_save is called, and is written behind the
-- last: each of them may still refuse all.
function M.close()
  for _, s in ipairs(order) do
    sync(s)
  end
  local saves = before()
  for _, s in ipairs(order) do
    s.writes = #s.changed > 0 or s.renew
    if s.writes then
      plan(s)
    end
  end
  for _, s in ipairs(saves) do
    if s.hooks.after_save then
      settled(s)
      record.run(s, "after_save")
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
  s.hooks, s.keys, s.ready, s.renew = hooks, r.keys, true, true
  s.fence, s.fenced = r.fence, r.fenced
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
  s.hooks, s.keys, s.ready, s.exists = hooks, r.keys, true, true
  fetch(s, names)
  methods.delete(s)
  M.close()
end

return M
