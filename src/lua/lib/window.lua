-- window: what webhooks have taught of a number's users.
-- A number's key (u:{d}:<number>): since when its webhooks come without a day's silence (ms); it ends by itself in silence.
-- A user's hash (u:{d}:<number>:<who>):
--   in      when the user wrote last, by Meta's clock (ms)
--   mt mo   when the user spoke last of marketing messages; 1: and wants none
local WINDOW_MS, SILENCE_MS = 86400000, 90000000

local function webhook_came(number, now_ms)
	if redis.call('PEXPIRE', number, SILENCE_MS) == 0 then
		redis.call('SET', number, string.format('%.0f', now_ms), 'PX', SILENCE_MS)
	end
end

-- Certainly closed: where webhooks have not come for long enough, nobody can tell.
local function window_is_closed(number, written_ms, now_ms, learn_ms)
	local since = tonumber(redis.call('GET', number) or '')
	if not since or now_ms - since < learn_ms then
		return false
	end
	return now_ms - (tonumber(written_ms or '') or 0) >= WINDOW_MS
end
