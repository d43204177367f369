-- use: how much of its rate a number used, a window at a time.  Fields of the account's hash:
--   us uc   the window that is counted now, and the messages in it; ul: in the one before
--   ua      people were told that it approaches its limit
-- at, used: us and uc.  The share of the rate in the window before slot.
local function use_share(at, used, slot, window_ms, interval)
	local before = tonumber(at) == slot - 1 and tonumber(used) or 0
	return before * interval / (window_ms * 1000)
end

-- What has changed: approaching | calm | ''.  Not the same figure both ways, or it would flap.
local function use_judge(account, share, threshold, told)
	if not told and share >= threshold then
		redis.call('HSET', account, 'ua', 1)
		return 'approaching'
	elseif told and share < threshold * 0.75 then
		redis.call('HDEL', account, 'ua')
		return 'calm'
	end
	return ''
end
