-- sweep: what an account needs that nobody else will see to.  The keeper asks this of each, now and then.
-- KEYS  1 the account  2 holds of the domain
-- ARGV  1 stale_ms  2 window_ms  3 percent of its rate  4 interval_us
-- Answers { ticket, calm }, each 0 or 1, and 1 to one asker:
--   ticket   its lane is there and nobody has taken from it for stale_ms: its ticket is lost, or the broker is; one more does no harm
--   calm     people were told that the number approaches its limit, and it does not any more; admit says so by the next message, if
--            one comes
--@ time
--@ limit
--@ use
local stale_ms, window_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local now_ms = math.floor(now_us() / 1000)
local slot = math.floor(now_ms / window_ms)
local a = redis.call('HMGET', KEYS[1], 'ls', 'lu', 'll', 'us', 'uc', 'ua')
local ticket, calm = 0, 0
if a[1] and now_ms - (tonumber(a[2]) or 0) > stale_ms and now_ms - (tonumber(a[3]) or 0) > stale_ms then
	redis.call('HSET', KEYS[1], 'lu', now_ms)
	ticket = 1
end
if a[6] and tonumber(a[4]) ~= slot then
	local interval = limit_in_force(KEYS[1], KEYS[2], now_ms, tonumber(ARGV[4]), 0)
	local share = use_share(a[4], a[5], slot, window_ms, interval)
	calm = use_judge(KEYS[1], share, tonumber(ARGV[3]) / 100, true) == 'calm' and 1 or 0
end
return { ticket, calm }
