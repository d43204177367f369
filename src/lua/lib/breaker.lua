-- breaker: counts an account's answers by the second and opens when too many of a minute's failed (fields: lib/gate.lua).
local CELLS, DAY_MS = 60, 86400000

local function breaker_count(account, now_ms, failed)
	local second = math.floor(now_ms / 1000)
	local cell = 'c' .. second % CELLS
	local at, good, bad = string.match(redis.call('HGET', account, cell) or '', '^(%d+) (%d+) (%d+)$')
	local is_new = tonumber(at) ~= second
	if is_new then
		good, bad = 0, 0
	end
	redis.call('HSET', account, cell, string.format('%d %d %d', second, good + (failed and 0 or 1), bad + (failed and 1 or 0)))
	if is_new then
		redis.call('PEXPIRE', account, DAY_MS)
	end
end

local function breaker_cells()
	local names = {}
	for i = 0, CELLS - 1 do
		names[#names + 1] = 'c' .. i
	end
	return names
end

-- Answers and failures of the last minute.
local function breaker_sums(account, now_ms)
	local second, all, failed = math.floor(now_ms / 1000), 0, 0
	for _, text in ipairs(redis.call('HMGET', account, unpack(breaker_cells()))) do
		local at, good, bad = string.match(text or '', '^(%d+) (%d+) (%d+)$')
		if at and tonumber(at) > second - CELLS and tonumber(at) <= second then
			all, failed = all + good + bad, failed + bad
		end
	end
	return all, failed
end

-- Opens for open_ms, doubled each time in a row up to open_max_ms; what was counted is forgotten.  Returns for how long.
local function breaker_open(account, now_ms, open_ms, open_max_ms)
	local times = tonumber(redis.call('HGET', account, 'bk')) or 0
	local ms = math.min(open_max_ms, open_ms * 2 ^ math.min(times, 20))
	redis.call('HDEL', account, 'bo', 'ra', unpack(breaker_cells()))
	redis.call('HSET', account, 'bs', 'open', 'bu', now_ms + ms, 'bk', times + 1)
	redis.call('PEXPIRE', account, DAY_MS + ms)
	return ms
end

local function breaker_close(account, now_ms)
	redis.call('HDEL', account, 'bs', 'bu', 'bo', 'bk', unpack(breaker_cells()))
	redis.call('HSET', account, 'ra', now_ms)
	redis.call('PEXPIRE', account, DAY_MS)
end
