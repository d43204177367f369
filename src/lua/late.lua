-- late: what follows for a message that Graph took and Meta says later failed (lib/late.lua; status.lua has handed it out).
-- KEYS  1 record  2 the message as it was sent, sealed  3 holds of the domain  4 usage of the number's templates today
--       5 the account  6 hold of the recipient (any key of the domain where ARGV 18 is 0)
-- ARGV  1 verb  2 n  then
--   fail  3 what: retry | dead  4 reason  5 code  6 error text  7 history entry (JSON)  8 record_ttl_ms  9 tail_ms  10 publish_ms
--         11 the hold's field that it sets ('': none)  12 hold_ms  13 hold_max_ms  14 usage_ttl_ms  15 when, at Meta's (ms)
--         16 its carrier, as status.lua has told it: who asks relies on it  17 the account's rate is too high (0|1)
--         18 recipient_ms: hold of this recipient (0: none)
--     ok history held      held: 'held FIELD MS TIMES', or ''; who asked has publish_ms to publish it
--     changed              it is another thing by now: ask status.lua again
--   keep  3 the sealed message ('': it is not stored)  4 body_ttl_ms
--     ok                   it has come home: a webhook had proven it while it was out, and from now on it is here
--     changed              its record says something else by now: ask admit again
-- retry: attempt n failed, as after an answer; a copy made for n + 1 may go.  Without the message (its time is over) there is no retry.
--@ time
--@ hold
--@ limit
--@ late
local VERSION = 1
local verb, n = ARGV[1], tonumber(ARGV[2])
local now_ms = math.floor(now_us() / 1000)

-- Only what is not held yet is told.
local function set_hold()
	local h = hold_parse(redis.call('HGET', KEYS[3], ARGV[11]) or '')
	if h and hold_wait(h, now_ms) > 0 then
		return ''
	end
	local ms, times = hold_set_auto(KEYS[3], ARGV[11], h, now_ms, ARGV[12], ARGV[13], ARGV[5], ARGV[6])
	return string.format('held %s %.0f %d', ARGV[11], ms, times)
end

-- It was to be tried again, and its message is gone: as if it had not been there in the first place.
local function is_lost(r)
	return tonumber(r[6]) == n and tonumber(r[2]) == n and r[1] == 'retry' and r[7] == 'here' and ARGV[3] == 'dead'
		and redis.call('EXISTS', KEYS[2]) == 0
end

-- Who asks status.lua again need not wait for the lease that was for this.
local function changed(r)
	if r[1] and n > (tonumber(r[6]) or 0) then
		redis.call('HSET', KEYS[1], 'fl', 0)
	end
	return { 'changed' }
end

local function fail()
	local r = redis.call('HMGET', KEYS[1], 's', 'n', 'h', 'x', 'pv', 'fn', 'fc', 'tp')
	local lost = is_lost(r)
	local carrier = lost and 'here' or late_carrier(r[1], r[5])
	if not lost and late_look(KEYS[1], n, now_ms) ~= 'open' then
		return changed(r)
	end
	if carrier ~= ARGV[16] or (carrier == 'here' and ARGV[3] == 'retry' and redis.call('EXISTS', KEYS[2]) == 0) then
		return changed(r)
	end
	local history = r[3] and r[3] ~= '' and r[3] .. ',' .. ARGV[7] or ARGV[7]
	local ttl = math.max(0, (tonumber(r[4]) or now_ms) - now_ms) + tonumber(ARGV[9]) + tonumber(ARGV[8])
	local what = carrier == 'letter' and 'dead' or ARGV[3]
	redis.call('HSET', KEYS[1], 'v', VERSION, 's', what, 'n', n, 'r', ARGV[4], 'code', ARGV[5], 'e', ARGV[6], 'h', history, 'at', now_ms,
		'c', carrier == 'letter' and 1 or 0, 'fn', n, 'fl', now_ms + tonumber(ARGV[10]), 'fc', carrier)
	redis.call('HDEL', KEYS[1], 'pv', 'l', 'P:failed')
	if what == 'retry' then		-- the next attempt has statuses of its own
		redis.call('HDEL', KEYS[1], 'S:sent', 'P:sent', 'S:failed')
	else
		redis.call('HSET', KEYS[1], 'S:failed', ARGV[15])
	end
	redis.call('PEXPIRE', KEYS[1], ttl)
	redis.call('PEXPIRE', KEYS[2], ttl)	-- until it is published
	if r[8] and not lost then
		redis.call('HINCRBY', KEYS[4], r[8] .. ' failed:' .. ARGV[5], 1)
		redis.call('PEXPIRE', KEYS[4], ARGV[14])
	end
	if ARGV[17] == '1' then
		limit_shrink(KEYS[5], now_ms)
	end
	recipient_hold(KEYS[6], tonumber(ARGV[18]), ARGV[5])
	return { 'ok', history, ARGV[11] ~= '' and set_hold() or '' }
end

local function keep()
	local r = redis.call('HMGET', KEYS[1], 's', 'S:delivered', 'S:read', 'S:played')
	if r[1] ~= 'sent' then
		return { 'changed' }
	end
	redis.call('HDEL', KEYS[1], 'pv')
	if ARGV[3] ~= '' and not (r[2] or r[3] or r[4]) then
		redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
	end
	return { 'ok' }
end

if verb == 'fail' then
	return fail()
elseif verb == 'keep' then
	return keep()
end
return redis.error_reply('late: no such verb: ' .. verb)
