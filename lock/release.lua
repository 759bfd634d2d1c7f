-- lock.release ends a holder, and gives the lock to those who wait.
-- KEYS[…]  of each lock: state, queue, and holders where there are three
-- ARGV[1]  token
-- ARGV[2]  "x" if it holds alone, "s" if it shares
-- ARGV[3]  keys of a lock
-- ARGV[4]  "1" if it may be waiting
-- Returns how many it held.
local M = {}

local lock = require "redmoon_lock"

function M.release(keys, argv)
  local token, shape, stride, waits = argv[1], argv[2], tonumber(argv[3]), argv[4]
  local now, held = lock.now(), 0
  for at = 0, #keys - 1, stride do
    local l = lock.open(keys, at, stride, now)
    if waits == "1" then
      lock.leave(l, token)
    end
    if lock.holds(l, token, shape) then
      lock.drop(l, token, shape)
      held = held + 1
    end
    lock.grant(l)
  end
  return held
end

return M
