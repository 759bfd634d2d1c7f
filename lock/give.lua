-- lock.give is lock.release for what most calls are, see lock.take: one lock, held
-- alone by the one who asks.
-- KEYS[1]  state
-- KEYS[2]  queue
-- ARGV[1]  token
-- Returns 1; nothing, and then it has done nothing, where lock.release is to be asked.
local M = {}

function M.give(keys, argv)
  local call = redis.call
  local is = call("HMGET", keys[1], "owner", "fence")
  if is[1] ~= argv[1] then
    return nil
  end
  local entry = call("LPOP", keys[2])
  while entry do -- the first in the queue whose process hears
    local token, ttl, channel = string.match(entry, "^(%S+) x 1 (%d+) (.+)$")
    if token then
      local t = call("TIME")
      local now = t[1] * 1000000 + t[2]
      local fence, ends = math.max(is[2] + 1, now), now + math.min(ttl, 2000) * 1000
      call("HSET", keys[1], "owner", token, "until", ends, "fence", fence, "claim", channel)
      local heard = redis.pcall(string.sub(channel, 1, 1) == "s" and "SPUBLISH" or "PUBLISH", string.sub(channel, 2),
        string.format("%s %.0f %.0f", token, ends, fence))
      if type(heard) == "number" and heard > 0 then
        return 1
      end
      is[2] = fence
    end
    entry = call("LPOP", keys[2])
  end
  call("HSET", keys[1], "owner", "", "claim", "")
  return 1
end

return M
