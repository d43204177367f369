-- settle: what came of the attempt.  Compare-and-set on owner and attempt; a success is always written.
-- KEYS  1 record  2 WAMID index (any key of the domain when there is no WAMID)  3 the account  4 holds of the domain
--       5 hold of the recipient
-- ARGV  1 owner  2 n  3 what: sent | retry | back | unknown | dead  4 wamid  5 reason  6 code  7 history entry (JSON)
--       8 record_ttl_ms  9 tail_ms  10 wamid_ttl_ms  11 K  12 error text
--       13 what it says of the account: good | failed | slow | '' (nothing)  14 it was the probe (0|1)
--       15 breaker: calls at least  16 percent of them failed  17 open_ms  18 open_max_ms
--       19 the hold's field that it sets ('': none)  20 hold_ms  21 hold_max_ms  22 the hold's words
--       23 recipient_ms: hold of this recipient (0: none)
--       24-28 fields of the holds that concern it (lib/gate.lua; '': none)
-- `back` gives the attempt back: it was never made (throttled, account in trouble).
-- Answers { verdict, n, history, event… }: ok (also when this very settle was done before) | lost (no longer ours; nothing written)
--   | duplicate (a second WAMID for this message: both were accepted).  Events, each told once in the fleet:
--   breaker_opened MS | breaker_closed | held FIELD MS TIMES | released FIELD
local VERSION = 1
local owner, n, what, wamid = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local now_ms = math.floor(now_us() / 1000)
local r = redis.call('HMGET', KEYS[1], 's', 'n', 'o', 'w', 'h', 'x')
local state, have_n = r[1], tonumber(r[2])
local history = r[5] or ''
local ttl = math.max(0, (tonumber(r[6]) or now_ms) - now_ms) + tonumber(ARGV[9]) + tonumber(ARGV[8])

local function entry_added()
	if ARGV[7] == '' then
		return history
	end
	return history == '' and ARGV[7] or history .. ',' .. ARGV[7]
end

local function write(...)
	history = entry_added()
	redis.call('HSET', KEYS[1], 'v', VERSION, 'o', owner, 'h', history, 'at', now_ms, ...)
	redis.call('PEXPIRE', KEYS[1], ttl)
end

-- The breaker: an answer of the probe decides; any other only counts, and not while it is open, for it began before.
local function judge_breaker(events)
	local says = ARGV[13]
	if says == 'slow' then
		limit_shrink(KEYS[3], now_ms)
		says = 'good'
	end
	local a = redis.call('HMGET', KEYS[3], 'bs', 'bo')
	if a[1] and a[2] == owner then
		if says == 'failed' then
			events[#events + 1] = 'breaker_opened ' .. breaker_open(KEYS[3], now_ms, tonumber(ARGV[17]), tonumber(ARGV[18]))
		elseif says == 'good' then
			breaker_close(KEYS[3], now_ms)
			events[#events + 1] = 'breaker_closed'
		else
			redis.call('HSET', KEYS[3], 'bu', now_ms)	-- it never got there: the next one tries
			redis.call('HDEL', KEYS[3], 'bo')
		end
	elseif not a[1] and says ~= '' then
		breaker_count(KEYS[3], now_ms, says == 'failed')
		if says == 'failed' then
			local all, failed = breaker_sums(KEYS[3], now_ms)
			if all >= tonumber(ARGV[15]) and failed * 100 >= all * tonumber(ARGV[16]) then
				events[#events + 1] = 'breaker_opened ' ..
					breaker_open(KEYS[3], now_ms, tonumber(ARGV[17]), tonumber(ARGV[18]))
			end
		end
	end
end

-- Only what is not held yet is told; a probe that found the same trouble holds for twice the time.
local function set_hold(field, events)
	local h = hold_parse(redis.call('HGET', KEYS[4], field) or '')
	if h and hold_wait(h, now_ms) > 0 and (h.kind == 'operator' or h.owner ~= owner) then
		return
	elseif h and h.kind == 'operator' then	-- it has ended: nothing is held
		h = nil
	end
	local times = h and h.times + 1 or 0
	local ms = math.min(tonumber(ARGV[21]), tonumber(ARGV[20]) * 2 ^ math.min(times, 20))
	redis.call('HSET', KEYS[4], field, hold_format({ kind = 'auto', till = now_ms + ms, since = h and h.since or string.format('%.0f', now_ms),
		times = times, lease = 0, owner = '-', code = ARGV[6], words = ARGV[22] }))
	redis.call('PERSIST', KEYS[4])
	events[#events + 1] = string.format('held %s %.0f %d', field, ms, times)
end

-- The probe of a hold has an answer that does not speak of the same trouble: over, if it reached Graph at all.
local function judge_holds(events)
	for i = 24, 28 do
		local h = ARGV[i] ~= '' and ARGV[i] ~= ARGV[19] and hold_parse(redis.call('HGET', KEYS[4], ARGV[i]) or '')
		if h and h.owner == owner then
			if ARGV[13] == 'good' or ARGV[13] == 'slow' then
				redis.call('HDEL', KEYS[4], ARGV[i])
				events[#events + 1] = 'released ' .. ARGV[i]
			else
				h.lease, h.owner, h.till = 0, '-', now_ms + 1000
				redis.call('HSET', KEYS[4], ARGV[i], hold_format(h))
			end
		end
	end
end

local function settled(verdict, after_n)
	local answer = { verdict, after_n, history }
	judge_breaker(answer)
	if ARGV[19] ~= '' then
		set_hold(ARGV[19], answer)
	end
	if ARGV[14] == '1' then
		judge_holds(answer)
	end
	if ARGV[23] ~= '0' and recipient_wait(redis.call('PTTL', KEYS[5])) < tonumber(ARGV[23]) then	-- an operator's may be longer
		redis.call('SET', KEYS[5], ARGV[6], 'PX', ARGV[23])
	end
	return answer
end

if what == 'sent' then
	if state == 'sent' then
		if r[4] == wamid then
			return { 'ok', n, history }
		end
		if redis.call('HGET', KEYS[1], 'w2') ~= wamid then	-- counted once, however often it is told
			redis.call('HINCRBY', KEYS[1], 'dup', 1)
			redis.call('HSET', KEYS[1], 'w2', wamid)
		end
		return { 'duplicate', n, history }
	end
	redis.call('SET', KEYS[2], ARGV[11], 'PX', ARGV[10])
	write('s', 'sent', 'n', math.max(n, have_n or n), 'w', wamid)
	redis.call('HDEL', KEYS[1], 'r', 'code', 'l', 'e')
	return settled('ok', n)
end

local target = { retry = 'retry', back = 'retry', unknown = 'unknown', dead = 'dead' }
local after_n = what == 'back' and n - 1 or n
if state == 'sending' and r[3] == owner and have_n == n then
	write('s', target[what], 'n', after_n, 'r', ARGV[5], 'code', ARGV[6], 'e', ARGV[12])
	return settled('ok', after_n)
end
if state == target[what] and r[3] == owner and have_n == after_n then
	return { 'ok', after_n, history }
end
return { 'lost', have_n or 0, history }
