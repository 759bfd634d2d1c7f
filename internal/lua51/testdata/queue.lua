-- queue.lua: jobs with priorities, retries and a dead letter list.
local Q = { retries = 5, backoff = { base = 250, cap = 6e4, [0] = 0; 10 } }
Q.__index = Q

local rcall = redis.call

local function id(q) return q.prefix .. "id" end
local function job(q, n) return q.prefix .. "job:" .. n end

function Q.new(prefix)
  return setmetatable({ prefix = prefix .. ":", seen = {} }, Q)
end

function Q:push(payload, priority, delay)
  local n = rcall("INCR", id(self))
  local score = (priority or 0) * 2 ^ 32 + n % 0x100000000
  rcall("HSET", job(self, n), "data", payload, "tries", 0)
  if delay and delay > 0 then
    rcall("ZADD", self.prefix .. "later", delay, n)
  else
    rcall("ZADD", self.prefix .. "ready", score, n)
  end
  self.seen[n] = true
  return n
end

function Q:backoffFor(tries)
  local ms = self.backoff.base
  for _ = 2, tries do
    ms = ms * 2
    if ms >= self.backoff.cap then
      ms = self.backoff.cap
      break
    end
  end
  return ms
end

function Q:fail(n, why, now)
  local key = job(self, n)
  local tries = rcall("HINCRBY", key, "tries", 1)
  if tries > Q.retries then
    rcall("HSET", key, "why", why)
    rcall("LPUSH", self.prefix .. "dead", n)
    rcall("LTRIM", self.prefix .. "dead", 0, 999)
    return false, "dead"
  elseif tries == Q.retries then
    rcall("HSET", key, "last", "1")
  elseif tries < 0 then
    return nil
  else
    rcall("HDEL", key, "last")
  end
  rcall("ZADD", self.prefix .. "later", now + self:backoffFor(tries), n)
  return true
end

function Q:promote(now, max)
  local due = rcall("ZRANGEBYSCORE", self.prefix .. "later", "-inf", now, "LIMIT", 0, max)
  for i, n in ipairs(due) do
    rcall("ZREM", self.prefix .. "later", n)
    rcall("ZADD", self.prefix .. "ready", -i, n)
  end
  return #due
end

local q = Q.new(KEYS[1])
local verbs = {
  push = function(...) return q:push(...) end,
  fail = function(n, why, now) return q:fail(tonumber(n), why, tonumber(now)) end;
  promote = function(now, max) return q:promote(tonumber(now), tonumber(max)) end,
}
local verb = table.remove(ARGV, 1)
return (verbs[verb] or error("no verb " .. verb))(unpack(ARGV))
