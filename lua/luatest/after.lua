-- after.lua stands behind a watched script, which is the function __main: the
-- reply is what was seen, and the script's own reply last.
local ok, r = xpcall(__main, function(e) return e end)
if not ok then
  r = {err = type(r) == "table" and type(rawget(r, "err")) == "string" and r.err or "ERR " .. tostring(r)}
end
local failed = type(r) == "table" and type(rawget(r, "err")) == "string"
if failed then
  r = r.err
elseif r == nil then
  r = false
end
local counts = {}
for i, n in pairs(__watch) do
  counts[#counts + 1] = i .. ":" .. n
end
return {"redmoon luatest", __sha, table.concat(counts, " "), __calls, failed and "e" or "r", r}
