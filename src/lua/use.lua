-- use: has a number calmed down of which people were told that it approaches its limit?  admit sees it by the next message; this is
-- asked in case none comes.
-- KEYS  1 the account
-- ARGV  1 window_ms  2 percent of its rate  3 interval_us
-- Answers { calm | busy | nothing }: calm is told to one asker; nothing: another one was told.
local window_ms = tonumber(ARGV[1])
local slot = math.floor(now_us() / 1000 / window_ms)
local a = redis.call('HMGET', KEYS[1], 'us', 'uc', 'ua')
if not a[3] then
	return { 'nothing' }
elseif tonumber(a[1]) == slot then
	return { 'busy' }	-- its next message tells
end
local note = use_judge(KEYS[1], use_share(a[1], a[2], slot, window_ms, tonumber(ARGV[3])), tonumber(ARGV[2]) / 100, true)
return { note == 'calm' and note or 'busy' }
