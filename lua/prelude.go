package lua

// The wrapper of every script. It does three things that Redis leaves undone:
//
//   - A table raised without a string in its field err ends the server process
//     on Redis 7.0 to 7.4 and Valkey 8 (they print what is not there). __t makes
//     an error reply of whatever was raised.
//   - Scripts have no debug library, so no traceback. error(…, level) puts the
//     position of a level of the stack before its message, and so tells it: the
//     walk starts at 3, the function that raised, and ends after six levels in a
//     row that have none (C functions and tail calls).
//   - An error that is returned, not raised, keeps its code as the first word on
//     all servers, and gets no tail with the script's SHA.
//
// The reply ends with the lines of the script: "… {lua 12 7}", with a plus where
// something was written, see partial.go: "… {lua+ 12 7}". That also tells
// it from an error of the server, which may mean that the script has not run.
// Control characters become blanks: a reply is one line, and a zero byte would
// cut it. The last line covers a handler that failed itself: a hostile
// metatable, or no stack left.
const (
	preludeTrace = `local __p=""
local function __t(e) local at,blank,level=__p,0,3
while blank<6 and level<60 do local _,w=pcall(error,"",level) level=level+1 w=string.match(w,":(%d+): $") if w then at=at.." "..w blank=0 else blank=blank+1 end end
local text,silent if type(e)=="table" then text,silent=e.err,e.ignore_error_stats_update if type(text)~="string" then local ok,json=pcall(cjson.encode,e) text="ERR error object: "..(ok and json or "table") end else text="ERR "..tostring(e) end
text=string.gsub(text,"%c"," ") if not string.find(text,"^%S") then text="ERR"..text end
return {err=text.." {lua"..at.."}",ignore_error_stats_update=silent} end`

	preludeRun = `local ok,r=xpcall(__m,__t) if not ok and (type(r)~="table" or type(rawget(r,"err"))~="string") then r={err="ERR "..(type(r)=="string" and string.gsub(r,"%c"," ") or "error handler failed: "..type(r)).." {lua"..__p.."}"} end return r`

	// fail(code, message) is how a function refuses: a typed error in Go.
	preludeFail = `local function fail(code,message) code=tostring(code) error({err=message==nil and code or code.." "..tostring(message)}) end`

	// NOW is the server's time in seconds, read once.
	preludeNow = `local NOW=redis.call("TIME") NOW=NOW[1]+NOW[2]/1000000`

	// time is for reckoning with times, which are microseconds since 1970.
	preludeTime = `local __now local time={second=1000000,minute=60000000,hour=3600000000,day=86400000000}
function time.now() if not __now then local t=redis.call("TIME") __now=t[1]*1000000+t[2] end return __now end
function time.midnight(at) return at-at%86400000000 end`

	// __o gives an argument that is absent its default.
	helperDefault = `local function __o(v,default) if v==nil then return default end return v end`

	// __j reads a JSON argument. cjson's null is a value that counts as true;
	// here it is nil, as on the embedded server.
	helperJSON = `local function __j(text) local v,null=cjson.decode(text),cjson.null if v==null then return nil end
local function clean(t) for k,x in pairs(t) do if x==null then t[k]=nil elseif type(x)=="table" then clean(x) end end end
if type(v)=="table" and string.find(text,"null",1,true) then clean(v) end return v end`

	// __w makes a plain copy of a table that is the reply as it is. The embedded
	// server follows metatables and circles without end, and functions end it.
	helperReply = `local function __w(v,what,depth) local is=type(v)
if is=="function" or is=="thread" then error({err="TYPE "..what.." has a "..is..", which is no reply"}) end
if is~="table" then return v end
if depth==60 then error({err="TYPE "..what.." has tables in more than 60 levels"}) end
local plain={} for k,x in next,v do plain[k]=__w(x,what,depth+1) end return plain end`

	// __r takes what is not plainly of its declared type: what converts to it
	// without loss it returns, all else is a fault. Where nil is allowed, a missing
	// value of redis.call, false, is one.
	helperResult = `local function __r(v,want,optional,what) local is=type(v)
if optional and (v==nil or v==false and want~="b") then return false end
if want=="s" and is=="table" and type(rawget(v,"ok"))=="string" then return v.ok end
if want=="x" and (is=="string" and string.find(v,"^-?%d+$") or is=="number" and v==math.floor(v) and v>=-9007199254740992 and v<=9007199254740992) then return v end
if is=="number" then is=string.format("%.17g",v) elseif is=="boolean" then is=tostring(v) end
error({err="TYPE "..what.." is "..is..", not a"..({s=" string",b=" bool",f=" float",x="n int64",i="n int",t=" time",l=" table"})[want]}) end`
)
