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
