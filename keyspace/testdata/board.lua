local M = {}

--- @arg keep int
--- @return int
function M.trim(key, keep)
  return redis.call("ZREMRANGEBYRANK", key, 0, -keep - 1)
end

return M
