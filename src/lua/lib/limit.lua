-- GCRA: the bucket is one number, the theoretical arrival time (µs) of the next message that would fit exactly.
-- Returns how long (µs) to wait, 0: it fits; and the bucket's new value.  A jump of Redis's clock never refills more than the
-- burst, and a bucket more than 2 s beyond what its own tolerance allows lies in the future of a clock that went back.
local function limit_check(stored, now, interval, tolerance)
	local tat = tonumber(stored) or now
	if tat < now or tat > now + tolerance + interval + 2000000 then
		tat = now
	end
	local wait = tat - tolerance - now
	if wait > 0 then
		return math.ceil(wait), tat
	end
	return 0, tat + interval
end

-- A number's rate is corrected by what Graph says of it, in permille (f, last changed at ft): down to 70 % with each 130429, at most
-- once a second, for what is in flight tells the same; up by 1 % of the rate a second.
local FULL, LEAST = 1000, 100
local function limit_share(f, ft, now_ms)
	if not f then
		return FULL
	end
	return math.min(FULL, tonumber(f) + math.max(0, now_ms - tonumber(ft)) / 100)
end

local function limit_shrink(account, now_ms)
	local r = redis.call('HMGET', account, 'f', 'ft')
	if r[1] and now_ms - tonumber(r[2]) < 1000 then
		return
	end
	redis.call('HSET', account, 'f', math.max(LEAST, math.floor(limit_share(r[1], r[2], now_ms) * 0.7)), 'ft', now_ms)
end

-- After a breaker closed the rate starts at 1 a second and doubles every so many ms.  Returns the interval (µs), and whether it is over.
local function limit_ramp(since_ms, now_ms, step_ms, interval)
	local steps = math.max(0, math.floor((now_ms - since_ms) / step_ms))
	local ramp = 1000000 / 2 ^ math.min(steps, 20)
	return math.max(interval, ramp), ramp <= interval
end
