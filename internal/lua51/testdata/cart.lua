-- cart.lua: methods of a record as `self` sees them.
local Cart = {}
local LIMIT = 0x40
local function fail(code, message) error({ err = code .. ' ' .. message }) end

--- @arg sku string
--- @arg quantity int
function Cart:add(sku, quantity)
  if self.state ~= 'open' then
    fail('CLOSED', 'cart ' .. self.id)
  end
  if quantity < 1 or quantity % 1 ~= 0 then fail('QUANTITY', quantity) end

  local held = self.lines[sku]
  local line = held or { sku = sku, quantity = 0, price = self:priceOf(sku) }
  line.quantity = line.quantity + quantity
  self.lines[sku] = line
  self.total = self.total + line.price * quantity
  self.count = (self.count or 0) + (held and 0 or 1)
  if self.count > LIMIT then fail('FULL', self.count .. ' lines') end
  return self.total, self.count
end

function Cart:priceOf(sku)
  local price = redis.call('HGET', self.key .. ':prices', sku)
  return tonumber(price) or fail('NOPRICE', sku)
end

function Cart:remove(sku)
  local line = self.lines[sku]
  if not line then return false end
  self.lines[sku] = nil
  self.count, self.total = self.count - 1, self.total - line.price * line.quantity
  return true
end

--- @return {total:int, tax:int}
function Cart:checkout(rate)
  local tax = math.floor(self.total * rate + 0.5)
  self.state, self.closed_at = 'closed', redis.call('TIME')[1]
  for sku, line in pairs(self.lines) do
    redis.call('HINCRBY', self.key .. ':sold', sku, line.quantity)
  end
  if Cart.hooks and Cart.hooks.closed then Cart.hooks.closed(self) end
  return { total = self.total + tax, tax = tax }
end

Cart.hooks = { closed = function(cart) redis.call('PUBLISH', 'carts', cart.id) end }

return Cart
