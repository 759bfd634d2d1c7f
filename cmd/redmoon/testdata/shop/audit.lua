local M = {}
--- @undeclared
function M.refused(item, n)
  -- Nobody is told of one.
  if n > 1 then redis.call("HINCRBY", item .. ":refused", "n", n) end
end
--- @undeclared
function M.clear(item)
  redis.call("DEL", item .. ":refused")
end

return M
