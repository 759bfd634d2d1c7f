-- What may happen to an item of the inventory, each in one atomic step. `self` is a
-- record of the Go type Item; self.holds is Go's map of holds, a table here.
local M = {}

-- before_save keeps what is derived, and with it the promise of the inventory: that no
-- more is held than there is. It runs whoever writes, and refuses who breaks that.
function M.before_save(self)
  local held = 0
  for _, hold in pairs(self.holds) do
    held = held + hold.n
  end
  if held > self.stock then
    fail("STOCK", string.format("%s: %d are held, and there would be %d", self.id, held, self.stock))
  end
  self.free = self.stock - held
end

-- sweep lets go of the holds that have ended. Nobody needs to do that in time: whoever
-- asks for something does it first.
local function sweep(self)
  local now = math.floor(NOW * 1000)
  for order, hold in pairs(self.holds) do
    if hold.ends <= now then
      self.holds[order] = nil
      self.free = self.free + hold.n
    end
  end
  return now
end

--- reserve holds n for an order, for so many milliseconds.
--- @arg order string
--- @arg n int
--- @arg ms int
--- @return int
function M.reserve(self, order, n, ms)
  local now = sweep(self)
  if n <= 0 or self.holds[order] then
    fail("ORDER", string.format("%s cannot reserve %d", order, n))
  elseif n > self.free then
    fail("SOLD", string.format("%d are free, not %d", self.free, n))
  end
  self.holds[order] = {n = n, ends = now + ms}
  return self.free - n
end

--- commit takes what an order holds out of the stock.
--- @arg order string
--- @return int
function M.commit(self, order)
  sweep(self)
  local hold = self.holds[order]
  if not hold then
    fail("GONE", order .. " holds nothing, or no longer")
  end
  self.stock = self.stock - hold.n
  self.holds[order] = nil
  return self.stock
end

--- release lets go of what an order holds; that it holds nothing is fine.
--- @arg order string
function M.release(self, order)
  self.holds[order] = nil
end

return M
