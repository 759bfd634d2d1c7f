-- board.lua answers questions about a leaderboard without a second round trip.
local board, names = KEYS[1], KEYS[2]
local ask, who, n = ARGV[1], ARGV[2], tonumber(ARGV[3] or 10)

local function row(member, score, rank)
	local shown = redis.call("HGET", names, member)
	return { member, string.format("%.17g", score), rank, shown or false }
end

-- Members of equal score share a rank: 1 2 2 4.
local function ranked(flat, from)
	local rows, rank, last = {}, from, nil
	for i = 1, #flat, 2 do
		local at = from + (i - 1) / 2
		if flat[i+1] ~= last then rank, last = at, flat[i+1] end
		rows[#rows+1] = row(flat[i], flat[i+1], rank)
	end
	return rows
end

local answers; answers = {
	top = function()
		return ranked(redis.call("ZREVRANGE", board, 0, n - 1, "WITHSCORES"), 1)
	end,

	around = function()
		local at = redis.call("ZREVRANK", board, who)
		if not at then return {} end
		local from = math.max(0, at - math.floor(n / 2))
		return ranked(redis.call("ZREVRANGE", board, from, from + n - 1, "WITHSCORES"), from + 1)
	end,

	gap = function()
		local score = redis.call("ZSCORE", board, who)
		local at = score and redis.call("ZREVRANK", board, who)
		if not at or at == 0 then return "0" end
		local above = redis.call("ZREVRANGE", board, at - 1, at - 1, "WITHSCORES")
		return string.format("%.17g", above[2] - score)
	end,

	["both"] = function()
		local a, b = answers.top(), answers.around()
		return { a, b }
	end,
}

local mean, m2, count = 0, 0, 0
if ask == "deviation" then
	local cursor = "0"
	repeat
		local reply = redis.call("ZSCAN", board, cursor)
		cursor = reply[1]
		for i = 2, #reply[2], 2 do
			local x = reply[2][i] + 0
			count = count + 1
			local delta = x - mean
			mean = mean + delta / count
			m2 = m2 + delta * (x - mean)
		end
	until cursor == "0"
	return count > 1 and string.format("%.17g", (m2 / (count - 1)) ^ .5) or "0"
end

local answer = answers[ask]
if answer == nil then
	local known = {}
	for k in pairs(answers) do known[#known + 1] = k end
	table.sort(known, function(a, b) return a < b end)
	return redis.error_reply("ASK one of " .. table.concat(known, ", "))
end
return answer()
