-- redmoon_hooked is redmoon_write for the verbs of a model with Lua hooks: what a
-- verb has decided goes through self.lua, as what a method assigns does, and there
-- meets the hooks. A write is checked there too, but for its fence.
local M = {}

local hooks = require "redmoon_model"
local records = require "redmoon_self"
local write = require "redmoon_write"

function M.open(keys, argv)
  local r, at = write.open(keys, argv)
  r.keys = hooks.keys(keys)
  return r, at
end

function M.texts(r, names)
  return write.texts(r, names)
end

function M.exists(r)
  return write.exists(r)
end

function M.count(r, old, set)
  return write.count(r, old, set)
end

function M.guard(r)
  return write.guard(r)
end

function M.mark(r)
  write.mark(r)
end

function M.check(r, set, from, to)
  return write.guard(r)
end

function M.flush(r, set, from, to, gone, first, last)
  return records.save(hooks, r, set, from, to, gone, first, last)
end

function M.delete(r)
  records.remove(hooks, r)
end

return M
