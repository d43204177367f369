-- breaker: opens when too many of the answers of a minute failed (they are counted by lib/cell.lua; fields: lib/gate.lua).
local function breaker_cells()
	local names = {}
	for i = 0, CELLS - 1 do
		names[#names + 1], names[#names + 2] = 'g' .. i, 'b' .. i
	end
	return names
end

-- Answers and failures of the last minute.
local function breaker_sums(account, now_ms)
	local slot, sums = math.floor(now_ms / CELL_MS), { 0, 0 }
	for i, text in ipairs(redis.call('HMGET', account, unpack(breaker_cells()))) do
		local value = tonumber(text) or 0
		local at, count = math.floor(value / CELL_FULL), value % CELL_FULL
		if at > slot - CELLS and at <= slot then
			sums[2 - i % 2] = sums[2 - i % 2] + count
		end
	end
	return sums[1] + sums[2], sums[2]
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
