-- lock.extend begins the time of a holder anew.
-- KEYS[…]  of each lock: state, queue, and holders where there are three
-- ARGV[1]  token
-- ARGV[2]  ms to hold
-- ARGV[3]  "x" to hold alone, "s" to share
-- ARGV[4]  keys of a lock
-- ARGV[5]  what the fence is to be at least
-- Returns 1 if it holds all of them, else 0, and then nothing has changed.
local M = {}

local lock = require "redmoon_lock"

--- @idempotent
function M.extend(keys, argv)
  local token, ttl, shape, stride, fence = argv[1], tonumber(argv[2]), argv[3], tonumber(argv[4]), tonumber(argv[5])
  local now, locks = lock.now(), {}
  for at = 0, #keys - 1, stride do
    local l = lock.open(keys, at, stride, now)
    if not lock.holds(l, token, shape) then
      return 0
    end
    locks[#locks + 1] = l
  end
  for _, l in ipairs(locks) do
    lock.extend(l, token, shape, now, ttl)
    lock.raise(l, fence)
    lock.keep(l.state, ttl)
    if l.holders then
      lock.keep(l.holders, ttl)
    end
  end
  return 1
end

return M
