-- accounts.transfer
local __p=""
local function __t(e) local at,blank,level=__p,0,3
while blank<6 and level<60 do local _,w=pcall(error,"",level) level=level+1 w=string.match(w,":(%d+): $") if w then at=at.." "..w blank=0 else blank=blank+1 end end
local text,silent if type(e)=="table" then text,silent=e.err,e.ignore_error_stats_update if type(text)~="string" then local ok,json=pcall(cjson.encode,e) text="ERR error object: "..(ok and json or "table") end else text="ERR "..tostring(e) end
text=string.gsub(text,"%c"," ") if not string.find(text,"^%S") then text="ERR"..text end
return {err=text.." {lua"..at.."}",ignore_error_stats_update=silent} end
local function fail(code,message) code=tostring(code) error({err=message==nil and code or code.." "..tostring(message)}) end
local function __r(v,want,optional,what) local is=type(v)
if optional and (v==nil or v==false and want~="b") then return false end
if want=="s" and is=="table" and type(rawget(v,"ok"))=="string" then return v.ok end
if want=="x" and (is=="string" and string.find(v,"^-?%d+$") or is=="number" and v==math.floor(v) and v>=-9007199254740992 and v<=9007199254740992) then return v end
if is=="number" then is=string.format("%.17g",v) elseif is=="boolean" then is=tostring(v) end
error({err="TYPE "..what.." is "..is..", not a"..({s=" string",b=" bool",f=" float",x="n int64",i="n int",t=" time",l=" table"})[want]}) end
local function __m() local __={audit={reject=nil,summary=nil},accounts={balance=nil,transfer=nil}}
do
local M = __.audit
local acc = __.accounts
local function record(key, what)
  redis.call("HINCRBY", key, "rejected", 1) __p="+"
  if what == "strange" then
    error({ code = 7 })
  end
end
function M.reject(key, why, amount)
  record(key, why)
  fail("FUNDS", why .. ", need " .. string.format("%.0f", amount))
end
function M.summary(src, dst)
  local a, b = acc.balance(src), acc.balance(dst)
  return { src = a, dst = b, ratio = b / (a + b), ok = true }
end
end
do
local M = __.accounts
local audit = __.audit
local MIN = 0
local function fmt(n)
  return string.format("%.0f", n)
end
function M.balance(key)
  return tonumber(redis.call("HGET", key, "balance")) or 0
end
function M.transfer(src, dst, amount, ref)
  local have = M.balance(src)
  if have - amount < MIN then
    audit.reject(src, "insufficient: have " .. fmt(have), amount)
  end
  redis.call("HINCRBY", src, "balance", -amount) __p="+"
  redis.call("HINCRBY", dst, "balance", amount) __p="+"
  redis.call("HSET", dst, "ref", ref) __p="+"
  return audit.summary(src, dst)
end
end
local r=__.accounts.transfer(KEYS[1],KEYS[2],tonumber(ARGV[1]),ARGV[2])
local type=type if type(r)=="table" and rawget(r,"err") and type(rawget(r,"err"))=="string" then error(r) end
if type(r)~="table" then __r(r,"l",false,"the result of accounts.transfer") end
local o,v={0,0,0,0,0}
v=r["src"] if type(v)~="number" or v%1~=0 or v<-9007199254740992 or v>9007199254740992 then v=__r(v,"i",false,"the field src of the result of accounts.transfer") end o[1]=v
v=r["dst"] if type(v)~="number" or v%1~=0 or v<-9007199254740992 or v>9007199254740992 then v=__r(v,"i",false,"the field dst of the result of accounts.transfer") end o[2]=v
v=r["ratio"] if type(v)=="number" then v=string.format("%.17g",v) else v=__r(v,"f",false,"the field ratio of the result of accounts.transfer") end o[3]=v
v=r["ok"] if v==true then v=1 elseif v==false then v=0 else v=__r(v,"b",false,"the field ok of the result of accounts.transfer") end o[4]=v
v=r["note"] if type(v)~="string" then v=__r(v,"s",true,"the field note of the result of accounts.transfer") end o[5]=v
r=o
return r
end
local ok,r=xpcall(__m,__t) if not ok and (type(r)~="table" or type(rawget(r,"err"))~="string") then r={err="ERR "..(type(r)=="string" and string.gsub(r,"%c"," ") or "error handler failed: "..type(r)).." {lua"..__p.."}"} end return r
