local M = {}
local acc = require "accounts"

--[[ A long comment, which
     the script does not need. ]]

local function record(key, what)
  redis.call("HINCRBY", key, "rejected", 1)
  if what == "strange" then
    error({ code = 7 })
  end
end
function M.reject(key, why, amount)
  record(key, why)
  fail("FUNDS", why .. ", need " .. string.format("%.0f", amount))
end

-- both balances
function M.summary(src, dst)
  local a, b = acc.balance(src), acc.balance(dst)
  return { src = a, dst = b, ratio = b / (a + b), ok = true }
end

function M.wipe(key) return redis.call("DEL", key) end

return M
