-- redmoon_lock is what the scripts of locks share: a lock's state, its queue, and
-- the one way in which it comes to a holder. doc.go draws the layout.
--
-- A lock is a table: the names of its keys, and what is stored of it. A holder is
-- exclusive ("x") or shared ("s"). A token is one call of Acquire; it stands for the
-- holder, and before that for the waiter. Times are the server's, in µs.
--
-- Of an exclusive lock that nobody owns nobody waits in the queue: whoever ends an
-- owner grants the lock in the same script.
local M = {}

local hour = 3600000 -- ms that keys outlive what they are about
local claim = 2000   -- ms that a waiter has to confirm what was handed to it

-- now returns the server's time.
function M.now()
  local t = redis.call("TIME")
  return t[1] * 1000000 + t[2]
end

-- keep sees to it that a key lives for an hour more than ms, and never for less
-- than it did.
function M.keep(key, ms)
  if redis.call("PTTL", key) < ms + hour then
    redis.call("PEXPIRE", key, ms + 2 * hour)
  end
end

-- forget takes all who wait by a channel out of the queue.
local function forget(l, channel)
  for _, entry in ipairs(redis.call("LRANGE", l.queue, 0, -1)) do
    if string.sub(entry, -#channel - 1) == " " .. channel then
      redis.call("LREM", l.queue, 1, entry)
    end
  end
end

-- open reads the lock whose keys stand behind keys[at].
function M.open(keys, at, stride, now)
  local l = {state = keys[at + 1], queue = keys[at + 2], shared = 0}
  local is = redis.call("HMGET", l.state, "owner", "since", "ttl", "fence", "claim")
  l.fence = tonumber(is[4] or 0)
  if is[1] and is[1] ~= "" then
    l.ends = is[2] + is[3] * 1000
    if l.ends > now then
      l.owner = is[1]
    elseif is[5] and is[5] ~= "" then -- a process that was handed the lock and never said a word
      forget(l, is[5])
    end
  end
  if stride == 3 then
    l.holders = keys[at + 3]
    for _, token in ipairs(redis.call("ZRANGEBYSCORE", l.holders, "-inf", now, "LIMIT", 0, 1000)) do
      redis.call("ZREM", l.holders, token)
      redis.call("HDEL", l.state, "h:" .. token)
    end
    l.shared = redis.call("ZCARD", l.holders)
  end
  return l
end

-- holds returns the fencing token of a holder, nil for all others.
function M.holds(l, token, shape)
  if shape == "x" then
    return l.owner == token and l.fence or nil
  end
  local fence = redis.call("HGET", l.state, "h:" .. token)
  return fence and tonumber(fence) or nil
end

-- room tells whether a lock that nobody owns has room for one more holder.
local function room(l, shape, limit)
  return shape == "x" and l.shared == 0 or shape == "s" and l.shared < limit
end

-- take makes a token a holder for some ms, and returns its fencing token: more
-- than all before, even where the state was lost, for time does not go back. channel
-- is where the holder was told of it, "" where it asked itself.
function M.take(l, token, shape, now, ms, channel)
  local ends = now + ms * 1000
  l.fence = math.max(l.fence + 1, now)
  if shape == "x" then
    l.owner, l.ends = token, ends
    redis.call("HSET", l.state, "owner", token, "since", now, "ttl", ms, "fence", l.fence, "claim", channel)
  else
    l.shared = l.shared + 1
    redis.call("ZADD", l.holders, ends, token)
    redis.call("HSET", l.state, "fence", l.fence, "h:" .. token, l.fence)
  end
  return l.fence
end

-- extend gives a holder some ms from now.
function M.extend(l, token, shape, now, ms)
  if shape == "x" then
    redis.call("HSET", l.state, "since", now, "ttl", ms, "claim", "")
  else
    redis.call("ZADD", l.holders, "XX", now + ms * 1000, token)
  end
end

-- raise lifts the fence, that the next token be more than it.
function M.raise(l, fence)
  if fence > l.fence then
    l.fence = fence
    redis.call("HSET", l.state, "fence", fence)
  end
end

-- drop ends a holder.
function M.drop(l, token, shape)
  if shape == "x" then
    l.owner = nil
    redis.call("HSET", l.state, "owner", "", "claim", "")
  else
    l.shared = l.shared - 1
    redis.call("ZREM", l.holders, token)
    redis.call("HDEL", l.state, "h:" .. token)
  end
end

-- grant gives a lock without an exclusive holder to those first in the queue for
-- whom there is room, and returns whether others wait. Nobody hears a process that
-- is gone: its waiters lose their places here.
function M.grant(l, now)
  while not l.owner do
    local entry
    if l.holders then
      entry = redis.call("LINDEX", l.queue, 0)
    else
      entry = redis.call("LPOP", l.queue)
    end
    if not entry then
      return false
    end
    local token, shape, limit, ttl, channel = string.match(entry, "^(%S+) (%a) (%d+) (%d+) (.+)$")
    if l.holders then
      if token and not room(l, shape, tonumber(limit)) then
        return true
      end
      redis.call("LPOP", l.queue)
    end
    if token then
      -- It is tempting to tell first, but what is told must be true: a full
      -- server refuses the write.
      now = now or M.now()
      local ms = math.min(ttl, claim)
      local fence = M.take(l, token, shape, now, ms, channel)
      local command = string.sub(channel, 1, 1) == "s" and "SPUBLISH" or "PUBLISH"
      local heard = redis.pcall(command, string.sub(channel, 2), string.format("%s %.0f %.0f %.0f", token, now, ms, fence))
      if type(heard) ~= "number" or heard == 0 then
        M.drop(l, token, shape)
      end
    end
  end
  return true
end

-- admits tells whether a newcomer may take the lock: those who wait come first.
function M.admits(l, shape, limit, now)
  return not l.owner and not M.grant(l, now) and room(l, shape, limit)
end

-- rest returns the µs after which the lock may be free by itself.
function M.rest(l, now)
  local ends = l.owner and l.ends or now
  if not l.owner and l.holders then
    ends = tonumber(redis.call("ZRANGE", l.holders, 0, 0, "WITHSCORES")[2] or now)
  end
  return math.max(ends - now, 0)
end

return M
