-- Functions that fail in all the ways a traceback has to show.
local M = {}
local deeper = require "deeper"

local function helper(key)
  local n = deeper.refuse(key)
  return n
end

function M.across_modules(key)
  local n = helper(key)
  return n
end

function M.by_a_bug(key)
  local limits = {}
  return limits.max + 1
end

function M.by_redis_call(key)
  redis.call("DEL", key)
  redis.call("RPUSH", key, "x")
  local n = redis.call("INCR", key)
  return n
end

function M.by_tail_call(key)
  return deeper.refuse(key) -- Lua forgets this line
end

M.in_a_callback = function(key)
  local text = string.gsub("abc", "b", function(c)
    fail("CALLBACK", "at " .. c)
  end)
  return text
end

function M.in_a_method(key)
  local n = M:method(key)
  return n
end

function M:method(key)
  fail("METHOD", key)
end

function M.in_a_table_of_functions(key)
  local n = deeper.steps.second(key)
  return n
end

function M.in_recursion(key)
  local function down(n)
    if n == 0 then fail("DOWN") end
    local x = down(n - 1)
    return x
  end
  local x = down(3)
  return x
end

function M.with_a_condition_over_lines(key)
  if key == "other"
    or deeper.refuse(key)
  then
    return 1
  end
end

return M
