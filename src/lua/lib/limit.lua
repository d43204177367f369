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

-- Upwards: cut off, a rate would be more than it is.
local function limit_text(tat)
	return string.format('%d', math.ceil(tat))
end

local function limit_charge(bucket, tat, now)
	redis.call('SET', bucket, limit_text(tat), 'PX', string.format('%d', 60000 + (tat - now) / 1000))
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

-- The rate that an operator has set for a number (operate.lua), in place of the one it is configured with: field l:<number> of the domain's
-- holds, "rate until since tier"; until 0: until it is reset.  Returns interval and tolerance (µs) of that, or those given.
local function limit_in_force(account, holds, now_ms, interval, tolerance)
	local text = redis.call('HGET', holds, 'l:' .. string.match(account, '[^:]*$'))
	local rate, till = string.match(text or '', '^(%d+) (%d+) ')
	if not rate or (till ~= '0' and tonumber(till) <= now_ms) then
		return interval, tolerance
	end
	interval = math.ceil(1000000 / rate)
	return interval, (math.max(1, math.floor(rate / 10)) - 1) * interval / 3	-- as flow/admit.c has it
end

-- After a breaker closed the rate starts at 1 a second and doubles every so many ms.  Returns the interval (µs), and whether it is over.
local function limit_ramp(since_ms, now_ms, step_ms, interval)
	local steps = math.max(0, math.floor((now_ms - since_ms) / step_ms))
	local ramp = 1000000 / 2 ^ math.min(steps, 20)
	return math.max(interval, ramp), ramp <= interval
end
