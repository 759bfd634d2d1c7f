local M = {}

-- A function of a record.
--- @arg amount int
function M.withdraw(self, amount)
  self.balance = self.balance - amount
end

return M
