-- Redis's own clock: the only one that all senders on all hosts share.
local function now_us()
	local t = redis.call('TIME')
	return t[1] * 1000000 + t[2]
end
