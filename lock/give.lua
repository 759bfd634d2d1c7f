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
      local now = t[1] .. string.sub("00000" .. t[2], -6)
      local fence = now
      if tonumber(is[2]) >= tonumber(now) then
        fence = string.format("%.0f", is[2] + 1)
      end
      if tonumber(ttl) > 2000 then
        ttl = "2000"
      end
      call("HSET", keys[1], "owner", token, "since", now, "ttl", ttl, "fence", fence, "claim", channel)
      local command = string.sub(channel, 1, 1) == "s" and "SPUBLISH" or "PUBLISH"
      local heard = redis.pcall(command, string.sub(channel, 2), token .. " " .. now .. " " .. ttl .. " " .. fence)
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
