-- lock.acquire takes locks, all of them or, of those who wait, one after another in
-- the order of KEYS, which is the same for all: so nobody waits in a circle.
-- KEYS[…]  of each lock: state, queue, and holders where there are three
-- ARGV[1]  token
-- ARGV[2]  ms to hold
-- ARGV[3]  "x" to hold alone, "s" to share
-- ARGV[4]  how many may share
-- ARGV[5]  keys of a lock
-- ARGV[6]  entry for the queue, "" not to wait: the first four words, and the channel
--          to tell, behind "s" if it is sharded, else "p"
-- ARGV[7]  the entry that it may have there already, "" if it asks for the first time
-- Returns how many are held, the server's time in µs, and: if all are, the fencing
-- token; else the µs after which the first that is not may be free, and how many
-- wait before this one.
local M = {}

local lock = require "redmoon_lock"

-- try takes all or none.
local function try(locks, token, shape, limit, now, ms)
  for _, l in ipairs(locks) do
    if not lock.holds(l, token, shape) and not lock.admits(l, shape, limit, now) then
      return {0, now, lock.rest(l, now), 0}
    end
  end
  local fence = 0
  for _, l in ipairs(locks) do
    fence = math.max(fence, lock.holds(l, token, shape) or lock.take(l, token, shape, now, ms, ""))
  end
  return {#locks, now, fence, 0}
end

-- enqueue puts an entry at the end of the queue, or in the place of the one that was
-- there before, and returns how many are in front of it.
local function enqueue(l, entry, was, ms, now)
  local at = was ~= "" and redis.call("LPOS", l.queue, was)
  if at then
    redis.call("LSET", l.queue, at, entry)
  else
    at = redis.call("RPUSH", l.queue, entry) - 1
  end
  lock.keep(l.queue, ms)
  return at
end

-- wait takes one after another, and queues for the first that it does not get.
local function wait(locks, token, shape, limit, now, ms, entry, was)
  local most = 0
  for n, l in ipairs(locks) do
    local fence = lock.holds(l, token, shape)
    if fence then
      lock.extend(l, token, shape, now, ms)
    elseif lock.admits(l, shape, limit, now) then
      fence = lock.take(l, token, shape, now, ms, "")
    else
      fence = lock.holds(l, token, shape) -- admits may have found it first in the queue
    end
    if not fence then
      local before = enqueue(l, entry, was, ms, now)
      return {n - 1, now, lock.rest(l, now), before}
    end
    most = math.max(most, fence)
  end
  return {#locks, now, most, 0}
end

function M.acquire(keys, argv)
  local token, ttl, shape, limit, stride, entry = argv[1], tonumber(argv[2]), argv[3], tonumber(argv[4]), tonumber(argv[5]), argv[6]
  local now, locks = lock.now(), {}
  for at = 0, #keys - 1, stride do
    locks[#locks + 1] = lock.open(keys, at, stride, now)
  end
  local got
  if entry == "" then
    got = try(locks, token, shape, limit, now, ttl)
  else
    got = wait(locks, token, shape, limit, now, ttl, entry, argv[7])
  end
  for _, l in ipairs(locks) do
    if got[1] == #locks and #locks > 1 then -- one token for all of them
      lock.raise(l, got[3])
    end
    lock.keep(l.state, ttl)
    if l.holders and got[1] > 0 then
      lock.keep(l.holders, ttl)
    end
  end
  return got
end

return M
