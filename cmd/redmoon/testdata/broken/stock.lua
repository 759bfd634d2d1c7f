local M = {}
local orders = require "orders"

--- @key item
--- @arg n int
function M.take(item, n)
  local have = rdis.call("GET", item)
  if have < n then
    orders.refuze(item)
  end
  count = have
end

return M
