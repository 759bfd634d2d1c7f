-- window is a sliding window rate limit: so many hits in so much time, with
-- a cost for each. It answers whether, how many are left, and when to retry.
local key = KEYS[1];
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]);
local cost = tonumber(ARGV[3] or "1");

local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

local at = now()
local floor = at - window
redis.call('ZREMRANGEBYSCORE', key, '-inf', floor)

local used = 0
do
  local cursor, page = 0, nil
  repeat
    local to = cursor + 99
    page = redis.call('ZRANGE', key, cursor, to)
    for i = 1, #page do
      local n = string.match(page[i], '^%d+:(%d+)$')
      used = used + tonumber(n or 1)
    end
    cursor = to + 1
    local done = #page < 100
  until done
end

if used + cost > limit then
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  local wait = first[2] and (first[2] + window - at) or window
  return {0, limit - used, wait}
end

local seq = redis.call('INCR', key .. ':seq')
while redis.call('ZSCORE', key, seq .. ':' .. cost) do
  seq = seq + 1
  if seq > 2^53 then break end
end
redis.call('ZADD', key, at, seq .. ':' .. cost)
redis.call('PEXPIRE', key, window)
redis.call('PEXPIRE', key .. ':seq', window)
return {1, limit - used - cost, 0}
