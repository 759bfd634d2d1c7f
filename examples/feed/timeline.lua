local M = {}

-- push puts a post on a timeline, and the oldest off it. A post that is there already
-- stays where it is: it may be pushed as often as one likes.
--- @arg post int
--- @arg at int
--- @arg keep int
--- @return bool
function M.push(timeline, post, at, keep)
  local new = redis.call("ZADD", timeline, "NX", at, post)
  redis.call("ZREMRANGEBYRANK", timeline, 0, -keep - 1)
  return new == 1
end

return M
