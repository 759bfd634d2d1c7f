local M = {}

M.steps = {}

--[[
A comment, and a function
that nobody calls.
]]
function M.never() end

local function refuse(key) fail("REFUSED", key .. " by rule") end

function M.refuse(key)
  refuse(key)
end

function M.steps.second(key)
  M.refuse(key)
end

return M
