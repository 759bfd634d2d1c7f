local M = {}

function M.refuse(item)
  fail("SOLD OUT", item)
end

return M
