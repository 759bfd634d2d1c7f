-- before.lua stands before a watched script, on its first line: a redis of the
-- script's own, which notes every call and answers those that are stubbed.
-- __watch counts statements, __calls are the calls: words, "r" or "e", reply.
local __watch, __calls = {}, {}
local redis = (function()
  local native, stubs = redis, {}

  -- The last word of ARGV says how many before it are stubs: the number of words
  -- of the command, these, the reply.
  local last = #ARGV
  local first = last - tonumber(ARGV[last])
  local at = first - 1
  local function word()
    at = at + 1
    return ARGV[at]
  end
  local function value()
    local kind, text = word(), word()
    if kind == "s" then
      return text
    elseif kind == "i" then
      return tonumber(text)
    elseif kind == "k" then
      return {ok = text}
    elseif kind == "e" then
      return {err = text}
    elseif kind == "l" then
      local list = {}
      for i = 1, tonumber(text) do
        list[i] = value()
      end
      return list
    end
    return false
  end
  while at < last - 1 do
    local stub = {words = {}}
    for i = 1, tonumber(word()) do
      stub.words[i] = word()
    end
    stub.reply = value()
    stubs[#stubs + 1] = stub
  end
  for i = last, first, -1 do
    ARGV[i] = nil
  end

  local function copy(v)
    if type(v) ~= "table" then
      return v
    end
    local c = {}
    for k, x in pairs(v) do
      c[k] = copy(x)
    end
    return c
  end

  local function wordsOf(...)
    local words = {}
    for i = 1, select("#", ...) do
      local v = select(i, ...)
      words[i] = type(v) == "string" and v or type(v) == "number" and string.format("%.17g", v) or "<" .. type(v) .. ">"
    end
    return words
  end

  local function stubFor(words)
    for n = #stubs, 1, -1 do
      local is = true
      for i, word in ipairs(stubs[n].words) do
        is = is and words[i] and (word == words[i] or i == 1 and string.upper(word) == string.upper(words[i]))
      end
      if is then
        return stubs[n]
      end
    end
  end

  local function call(protected, ...)
    local note = {wordsOf(...), "r", false}
    __calls[#__calls + 1] = note
    local stub, r, ok = stubFor(note[1]), nil, true
    if stub then
      r = copy(stub.reply)
      ok = type(r) ~= "table" or not r.err
    elseif protected then
      r = native.pcall(...)
      ok = type(r) ~= "table" or not r.err
    else
      local words, n = {...}, select("#", ...)
      ok, r = xpcall(function() return native.call(unpack(words, 1, n)) end, function(e) return e end)
    end
    note[3] = copy(r)
    if not ok then
      note[2], note[3] = "e", string.gsub(type(r) == "table" and tostring(r.err) or tostring(r), "^@?[%w_]*: ?%d+: ", "")
      if not protected then
        error(r, 0)
      end
    end
    return r
  end

  return setmetatable({
    call = function(...) return call(false, ...) end,
    pcall = function(...) return call(true, ...) end,
  }, {__index = native})
end)()
