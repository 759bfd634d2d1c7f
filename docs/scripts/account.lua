local M = {}

--- pay moves cents from self to another account.
--- @arg cents int
--- @return int
function M.pay(self, to, cents)
  if self.balance < cents then
    fail("FUNDS", string.format("%s has %d, needs %d", self.owner, self.balance, cents))
  end
  if not to:exists() then
    fail("GONE", to.key)
  end
  self.balance = self.balance - cents
  to.balance = to.balance + cents
  return self.balance
end

return M
