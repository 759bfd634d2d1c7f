-- lock.acquire takes locks, all of them or, of those who wait, one after another in
-- the order of KEYS, which is the same for all: so nobody waits in a circle.
-- KEYS[…]  of each lock: state, queue, and holders where there are three
-- ARGV[1]  token
-- ARGV[2]  ms to hold
-- ARGV[3]  "x" to hold alone, "s" to share
-- ARGV[4]  how many may share
-- ARGV[5]  keys of a lock
-- ARGV[6]  channel to wait on, behind "s" if it is sharded, else "p"; "" not to wait
-- ARGV[7]  ms that a place in the queue lasts
-- Returns how many are held, the server's time in µs, and: if all are, the fencing
-- token; else the µs after which the first that is not may be free, and how many
-- wait before this one.
local M = {}

local lock = require "redmoon_lock"

-- try takes all or none.
local function try(locks, token, ttl, shape, limit, now)
  for _, l in ipairs(locks) do
    if not lock.holds(l, token, shape) and not lock.admits(l, shape, limit) then
      return {0, now, lock.rest(l), 0}
    end
  end
  local fence = 0
  for _, l in ipairs(locks) do
    fence = math.max(fence, lock.holds(l, token, shape) or lock.take(l, token, shape, ttl, ""))
  end
  return {#locks, now, fence, 0}
end

-- wait takes one after another, and queues for the first that it does not get.
local function wait(locks, token, ttl, shape, limit, now, channel, ends)
  local most = 0
  for n, l in ipairs(locks) do
    local fence = lock.holds(l, token, shape)
    if fence then
      lock.extend(l, token, shape, ttl)
    elseif lock.admits(l, shape, limit) then
      fence = lock.take(l, token, shape, ttl, "")
    else
      fence = lock.holds(l, token, shape) -- admits may have found it first in the queue
    end
    if not fence then
      local before = lock.enqueue(l, token, shape, limit, ttl, ends, channel)
      return {n - 1, now, lock.rest(l), before}
    end
    most = math.max(most, fence)
  end
  return {#locks, now, most, 0}
end

--- @idempotent
function M.acquire(keys, argv)
  local token, ttl, shape, limit, stride, channel = argv[1], tonumber(argv[2]), argv[3], tonumber(argv[4]), tonumber(argv[5]), argv[6]
  local now, locks = lock.now(), {}
  for at = 0, #keys - 1, stride do
    locks[#locks + 1] = lock.open(keys, at, stride, now)
  end
  local got
  if channel == "" then
    got = try(locks, token, ttl, shape, limit, now)
  else
    got = wait(locks, token, ttl, shape, limit, now, channel, now + tonumber(argv[7]) * 1000)
  end
  if got[1] == #locks and #locks > 1 then -- one token for all of them
    for _, l in ipairs(locks) do
      lock.raise(l, got[3])
    end
  end
  return got
end

return M
