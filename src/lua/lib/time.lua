-- Redis's own clock: the only one that all senders on all hosts share.
local DAY_MS = 86400000

local function now_us()
	local t = redis.call('TIME')
	return t[1] * 1000000 + t[2]
end

-- The ms, for scripts that mostly write them down, and the µs beyond.
local function now_in_text()
	local t = redis.call('TIME')
	local us = '00000' .. t[2]
	return t[1] .. string.sub(us, -6, -4), string.sub(us, -3)
end
