-- late: what Graph took and Meta says later failed.  Fields of the record:
--   fn   the newest attempt that failed late and for which something followed (late.lua)
--   fl   1: that was published, and told; else until when (ms) somebody does it
--   fc   who publishes it: here (who takes the webhook) | out (the message itself is in a queue or in a sender's hands, and whoever
--        has it will be told by admit) | letter (its dead letter was there before)
local ARRIVED = { delivered = true, read = true, played = true }

-- May something follow for attempt n?  open | busy (nobody has settled its answer yet) | over.
local function late_look(record, n, now_ms)
	local r = redis.call('HMGET', record, 's', 'n', 'fn', 'l', 'S:delivered', 'S:read', 'S:played')
	local state = r[1]
	if n ~= tonumber(r[2]) or n <= (tonumber(r[3]) or 0) or r[5] or r[6] or r[7] then
		return 'over'
	elseif state == 'sending' then
		return (tonumber(r[4]) or 0) > now_ms and 'busy' or 'open'
	end
	return (state == 'sent' or state == 'unknown' or state == 'retry') and 'open' or 'over'
end

-- Who has the message: state and pv of its record.  What a webhook has proven has not come home yet (admit, settle, and keep of late.lua take pv
-- away when it does).
local function late_carrier(state, pv)
	if state ~= 'sent' then
		return 'out'
	elseif pv == 'dead' or pv == 'expired' then
		return 'letter'
	end
	return pv and 'out' or 'here'
end
