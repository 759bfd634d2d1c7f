-- What may happen to an account, each in one atomic step. `self`, and `to`, are
-- records of the Go type Account; self.history is the key of its history.
local M = {}

-- before_save holds for whoever writes, Go or Lua: what the bank derives is derived
-- here, and nowhere else.
function M.before_save(self)
  self.peak = math.max(self.peak, self.balance)
  self.tier = self.peak >= 100000 and "gold" or "basic"
end

-- before_delete keeps accounts that have money.
function M.before_delete(self)
  if self.balance > 0 then
    fail("FUNDS", string.format("%s still has %d", self.key, self.balance))
  end
end

-- book changes a balance, and writes it down. Nothing fails behind it: what redis.call
-- writes is not taken back.
local function book(account, amount, about)
  account.balance = account.balance + amount
  account.entries = account.entries + 1
  redis.call("ZADD", account.history, amount, string.format("%d %s", account.entries, about))
end

--- deposit puts money into an account.
--- @arg amount int
--- @return int
function M.deposit(self, amount)
  if amount <= 0 then
    fail("AMOUNT", string.format("%d is nothing to deposit", amount))
  elseif not self:exists() then
    fail("NOTFOUND", self.key .. " is no account")
  end
  book(self, amount, "cash")
  return self.balance
end

--- transfer moves money to another account of the branch, within what is there and
--- what may go in a day.
--- @arg amount int
--- @return int
function M.transfer(self, to, amount)
  local today = time.midnight(time.now())
  local spent = self.day == today and self.spent or 0
  if amount <= 0 or self.key == to.key then
    fail("AMOUNT", string.format("%d from %s to %s is no transfer", amount, self.key, to.key))
  elseif not to:exists() then
    fail("NOTFOUND", to.key .. " is no account")
  elseif amount > self.balance then
    fail("FUNDS", string.format("have %d, need %d", self.balance, amount))
  elseif spent + amount > self.limit then
    fail("LIMIT", string.format("%d of %d are left today", self.limit - spent, self.limit))
  end
  self.day, self.spent = today, spent + amount
  book(self, -amount, to.key)
  book(to, amount, self.key)
  return self.balance
end

return M
