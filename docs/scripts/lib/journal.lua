local M = {}

function M.write(log, what, n, note)
  redis.call("RPUSH", log, string.format("%.0f %s %d %s", NOW, what, n, note or "-"))
  redis.call("LTRIM", log, -100, -1)
end

return M
