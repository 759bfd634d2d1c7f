-- traps.lua is no service to anyone: it is made of what readers of Lua get wrong.
local goto, continue = 'goto is a name', "\x41 is x41 and \065\10\z"
local s = [[
the first line end is not in it]] .. [==[ ]] ]=] ]==] .. 'a\
b' .. "\"\'\\" .. ''
local n = 3 .. 4 .. .5 .. 5.
local a, a = 1, 2 -- the second shadows the first
local x, u = -2 ^ -2 ^ 2, not nil == false, #s - -1 .. "" --[[ in
the middle ]] local y = { [1] = 1, 2; 3, x = { {} , }, ["end"] = nil, f = function() return end }
local z = y.x.f, y["end"], y [ 'x' ] . f, (y).x, ("%d"):rep(2), ("a")
;(function(...) local one, two = arg, ... end)(1, (...), ...)
do local function f(self, ...) return arg, self end f{1; n = 1} f"a" f[[b]] 'c' f '' end
if a then elseif x then else end
for i = 1, 2, 3 do for k, v, w in next, {}, nil do do break end end end
while true do
  repeat local done = function() return done end until done or
    done
  if x then break end break
end
function y.x.f(a, b) return a, b, end_, _end, nil end
function y.x:g() return self, self.x, self["y"], self[1], self:g() end
local function r() return r end
local t = function() return t end
y.x, y[1], y[y][y] = 1, 2, f().x
local lt, le, gt, ge, ne = 1 < 2, 1 <= 2, 1 > 2, 1 >= 2, 1 ~= 2 and 3 == 3 or not 4
local e = 1e10 + 1E+10 - 1e-10 * 0xFf / 0x1p4 % 08
a.b["c"][d].e:f(1, ...)"g"{ h = 1 }.i = function(...) return ... end
return (...), ..., nil;
