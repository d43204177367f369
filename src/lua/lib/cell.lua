-- cell: an account's answers, good and failed, counted by five seconds (fields: lib/gate.lua).
local CELLS, CELL_MS, CELL_FULL = 12, 5000, 1000000

-- A cell is one number, its slot and the count behind it, so that counting is one command: which slot it is of shows afterwards.
local function breaker_count(account, now_ms, letter)
	local slot = math.floor(now_ms / CELL_MS)
	local cell = letter .. slot % CELLS
	if math.floor(redis.call('HINCRBY', account, cell, '1') / CELL_FULL) ~= slot then
		redis.call('HSET', account, cell, string.format('%d', slot * CELL_FULL + 1))
		redis.call('PEXPIRE', account, DAY_MS)
	end
end
