-- call: may this management call go to Graph now?  Meta counts them by app and business account; messages are not among them.
-- KEYS  1 bucket: t its GCRA value (lib/limit.lua); b nobody calls until then (ms), bc the code that said so, bk so often in a row
-- ARGV  1 verb  2…  as below
--   take interval_us tolerance_us    go | wait MS rate | wait MS CODE
--   block ms least_ms most_ms code   ok MS: for how long; ms 0: Graph did not say, then least_ms, doubled each time in a row
--@ time
--@ limit
local HOUR_MS, DAY_MS = 3600000, 86400000
local verb = ARGV[1]
local now = now_us()
local now_ms = math.floor(now / 1000)
local r = redis.call('HMGET', KEYS[1], 't', 'b', 'bc', 'bk')
local left = (tonumber(r[2]) or 0) - now_ms
if left > DAY_MS then	-- of a clock that went back
	left = 0
end

if verb == 'take' then
	if left > 0 then
		return { 'wait', left, r[3] or '0' }
	end
	local wait, tat = limit_check(r[1], now, tonumber(ARGV[2]), tonumber(ARGV[3]))
	if wait > 0 then
		return { 'wait', math.ceil(wait / 1000), 'rate' }
	end
	redis.call('HSET', KEYS[1], 't', string.format('%.0f', tat))
	redis.call('PEXPIRE', KEYS[1], math.ceil((tat - now) / 1000) + HOUR_MS)	-- bk, too, is of use for so long
	return { 'go' }
elseif verb == 'block' then
	local ms, times = tonumber(ARGV[2]), tonumber(r[4]) or 0
	if left > 0 then	-- others were on their way when it was said first
		ms = math.max(ms, left)
	else
		times = left > -HOUR_MS and r[2] and times + 1 or 0
		ms = ms > 0 and ms or math.min(tonumber(ARGV[4]), tonumber(ARGV[3]) * 2 ^ math.min(times, 20))
	end
	ms = math.min(ms, DAY_MS)
	redis.call('HSET', KEYS[1], 'b', string.format('%.0f', now_ms + ms), 'bc', ARGV[5], 'bk', times)
	redis.call('PEXPIRE', KEYS[1], ms + HOUR_MS)
	return { 'ok', ms }
end
return redis.error_reply('call: no such verb: ' .. verb)
