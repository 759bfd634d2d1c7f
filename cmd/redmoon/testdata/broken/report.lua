local M = {}
local gone = require "gone"
return M
