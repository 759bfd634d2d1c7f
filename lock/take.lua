-- lock.take is lock.acquire for what most calls are: one lock, to be held alone, asked
-- for the first time, that is free or held. It is a script of its own, without any
-- function but one, for the server makes all of a script's anew with each call.
-- KEYS[1]  state
-- KEYS[2]  queue
-- ARGV[1]  token
-- ARGV[2]  ms to hold
-- ARGV[3]  entry for the queue, "" not to wait
-- Returns as lock.acquire does; nothing, and then it has done nothing, where that one
-- is to be asked.
local M = {}

function M.take(keys, argv)
  local call = redis.call
  local is, t = call("HMGET", keys[1], "owner", "since", "ttl", "fence"), call("TIME")
  local owner, micros = is[1], t[1] .. string.sub("00000" .. t[2], -6) -- as text: to write a number takes a µs
  local now = tonumber(micros)
  if not owner and call("EXISTS", keys[2]) == 1 then -- somebody has deleted the state
    return nil
  elseif not owner or owner == "" then -- and then nobody waits
    local fence = micros
    if is[4] and tonumber(is[4]) >= now then
      fence = string.format("%.0f", is[4] + 1)
    end
    call("HSET", keys[1], "owner", argv[1], "since", micros, "ttl", argv[2], "fence", fence)
    if not owner or now % 16 == 0 then -- often enough, and not always
      call("PEXPIRE", keys[1], argv[2] + 7200000)
    end
    return {1, micros, fence, 0}
  end
  local rest = is[2] + is[3] * 1000 - now
  if rest <= 0 or owner == argv[1] then
    return nil
  elseif argv[3] == "" then
    return {0, micros, rest, 0}
  end
  local at = call("RPUSH", keys[2], argv[3]) - 1
  if at == 0 or now % 16 == 0 then
    call("PEXPIRE", keys[1], argv[2] + 7200000)
    call("PEXPIRE", keys[2], argv[2] + 7200000)
  end
  return {0, micros, rest, at}
end

return M
