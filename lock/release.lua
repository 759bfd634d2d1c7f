-- lock.release ends a holder, and gives the lock to those who wait.
-- KEYS[…]  of each lock: state, queue, and holders where there are three
-- ARGV[1]  token
-- ARGV[2]  "x" if it holds alone, "s" if it shares
-- ARGV[3]  keys of a lock
-- ARGV[4]  the entry that it may have in the queue, "" if it has none
-- Returns how many it held.
local M = {}

local lock = require "redmoon_lock"

function M.release(keys, argv)
  local token, shape, stride, entry = argv[1], argv[2], tonumber(argv[3]), argv[4]
  local now, held = lock.now(), 0
  for at = 0, #keys - 1, stride do
    local l = lock.open(keys, at, stride, now)
    if entry ~= "" then
      redis.call("LREM", l.queue, 0, entry)
    end
    if lock.holds(l, token, shape) then
      held = held + 1
      lock.drop(l, token, shape)
    end
    lock.grant(l, now)
  end
  return held
end

return M
