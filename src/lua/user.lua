-- user: what a webhook tells of a user: that he wrote, that he wants marketing messages or none (fields: lib/window.lua).
-- KEYS  1 the number's key  2… the user's hashes, one for each name he has
-- ARGV  1 when, by Meta's clock (ms; 0: it did not say)  2 he wrote (0|1)  3 of marketing messages: stop | start | '' (nothing)
-- Answers { ok }.  Times only go forward, so webhooks may come in any order and twice.  That he wants none stays for ever; what else
-- is known ends with the window, or when no late webhook can contradict it any more.
--@ time
--@ window
local SLACK_MS, LATE_MS = 3600000, 691200000	-- Meta repeats webhooks for 7 days
local now_ms = math.floor(now_us() / 1000)
local at = tonumber(ARGV[1])
if at <= 0 or at > now_ms then
	at = now_ms
end

local function keep(key)
	local u = redis.call('HMGET', key, 'in', 'mt', 'mo')
	local written, spoken, wants_none = tonumber(u[1] or '') or 0, tonumber(u[2] or '') or 0, u[3]
	if ARGV[2] == '1' and at > written then
		written = at
		redis.call('HSET', key, 'in', string.format('%.0f', at))
	end
	if ARGV[3] ~= '' and at >= spoken then
		spoken = at
		wants_none = ARGV[3] == 'stop'
		redis.call('HSET', key, 'mt', string.format('%.0f', at))
		if wants_none then
			redis.call('HSET', key, 'mo', 1)
		else
			redis.call('HDEL', key, 'mo')
		end
	end
	if wants_none then
		redis.call('PERSIST', key)
	else
		redis.call('PEXPIRE', key, math.max(1, math.max(written + WINDOW_MS + SLACK_MS, spoken > 0 and spoken + LATE_MS or 0) - now_ms))
	end
end

webhook_came(KEYS[1], now_ms)
for i = 2, #KEYS do
	keep(KEYS[i])
end
return { 'ok' }
