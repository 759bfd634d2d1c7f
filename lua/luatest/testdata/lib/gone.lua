local function gone(key)
  if redis.call("DEL", key) == 1 then return true end
  return pcall(redis.call, "GET", key) == nil
end
