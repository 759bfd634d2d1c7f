-- What is done to cities in one atomic step. `self` and `other` are records of
-- the Go type City: their fields have Go's names and types.
local M = {}

local function check(self, other)
  if self.key == other.key then
    fail("SAME", self.name .. " cannot be merged with itself")
  end
  if not other:exists() then
    fail("GONE", other.key .. " is not there to be merged")
  end
end

--- merge moves the people of other to self.
--- @return int
function M.merge(self, other)
  check(self, other)
  self.population = self.population + other.population
  other.population = 0
  return self.population
end

-- A mistake, kept to show what it looks like: names are not numbers.
local function density(city, area)
  return city.name / area
end

--- @arg area float
--- @return float
function M.density(self, area)
  self.population = 0 -- never written: the next line fails
  local people = density(self, area)
  return people
end

return M
