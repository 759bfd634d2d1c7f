-- main
local __p=""
local function __t(e) local at,blank,level=__p,0,3
while blank<6 and level<60 do local _,w=pcall(error,"",level) level=level+1 w=string.match(w,":(%d+): $") if w then at=at.." "..w blank=0 else blank=blank+1 end end
local text,silent if type(e)=="table" then text,silent=e.err,e.ignore_error_stats_update if type(text)~="string" then local ok,json=pcall(cjson.encode,e) text="ERR error object: "..(ok and json or "table") end else text="ERR "..tostring(e) end
text=string.gsub(text,"%c"," ") if not string.find(text,"^%S") then text="ERR"..text end
return {err=text.." {lua"..at.."}",ignore_error_stats_update=silent} end
local function __r(v,want,optional,what) local is=type(v)
if optional and (v==nil or v==false and want~="b") then return false end
if want=="s" and is=="table" and type(rawget(v,"ok"))=="string" then return v.ok end
if want=="x" and (is=="string" and string.find(v,"^-?%d+$") or is=="number" and v==math.floor(v) and v>=-9007199254740992 and v<=9007199254740992) then return v end
if is=="number" then is=string.format("%.17g",v) elseif is=="boolean" then is=tostring(v) end
error({err="TYPE "..what.." is "..is..", not a"..({s=" string",b=" bool",f=" float",x="n int64",i="n int",t=" time",l=" table"})[want]}) end
local function __m() local __={}
__.main=function(KEYS,ARGV,first,second,n)
local sep = "-"
local sep = "-"
local function pair(a, b) return a .. sep .. b end
local count = 1
local count = (count or 0) + 1
local a = pair(first, second)
return a .. count .. string.format("%d", n)
end
local r=__.main(KEYS,ARGV,KEYS[1],KEYS[2],tonumber(ARGV[1]))
local type=type if type(r)=="table" and rawget(r,"err") and type(rawget(r,"err"))=="string" then error(r) end
if type(r)~="string" then r=__r(r,"s",false,"the result of main") end
return r
end
local ok,r=xpcall(__m,__t) if not ok and (type(r)~="table" or type(rawget(r,"err"))~="string") then r={err="ERR "..(type(r)=="string" and string.gsub(r,"%c"," ") or "error handler failed: "..type(r)).." {lua"..__p.."}"} end return r
