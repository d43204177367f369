-- settle: what came of the attempt.  Compare-and-set on owner and attempt; a success is always written.
-- KEYS  1 record  2 the account  3 holds of the domain, then, each only where it is wanted: (4) WAMID index, and what webhooks told of this
--       WAMID before it was known (status.lua); (9, or dead) the message as it was sent, for late failures (late.lua); (8) usage of its
--       template today; (15) hold of the recipient
-- ARGV  1 owner  2 n  3 what: sent | retry | back | unknown | dead  4 wamid ('': none)  5 code  6 history entry (JSON; '': none)
--       7 what it says of the account: good | failed | slow | '' (nothing)
--       and, absent behind the last that says something: 8 its template, name/language ('': none)  9 the sealed message ('': it is not
--       stored)  10 reason  11 error text  12 the hold's field that it sets ('': none)  13 hold_ms  14 hold_max_ms
--       15 recipient_ms: hold of this recipient (0: none)  16… it was a probe: fields of the holds that concern it (lib/gate.lua; '': none)
-- Settings (include/tbl/rules.h) are constants: BREAKER_CALLS, …
-- `back` gives the attempt back: it was never made (throttled, account in trouble, its lease over before it was begun).
-- Answers { verdict, n, history (=: this entry and no other), event… }: ok (also when this very settle was done before) | lost (no longer ours; nothing written)
--   | duplicate (a second WAMID for this message: both were accepted).  Events, each told once in the fleet:
--   breaker_opened MS | breaker_closed | held FIELD MS TIMES | released FIELD | parked (webhooks have told of this WAMID already)
--@ rules
--@ time
--@ cell
local VERSION = '1'
local owner, n, what, wamid = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local template, sealed, recipient_ms = ARGV[8] or '', ARGV[9] or '', tonumber(ARGV[15]) or 0
local now_text = now_in_text()
local now_ms = tonumber(now_text)
local r = redis.call('HMGET', KEYS[1], 's', 'n', 'o', 'w', 'h', 'x', 'pv', 'fn', 'r')
local state, have_n = r[1], tonumber(r[2])
local history = r[5] or ''

local key_at = 3
local function next_key()
	key_at = key_at + 1
	return KEYS[key_at]
end
local index, parked, body, usage, recipient
if wamid ~= '' then
	index, parked = next_key(), next_key()
end
if sealed ~= '' or what == 'dead' then
	body = next_key()
end
if template ~= '' then
	usage = next_key()
end
if recipient_ms > 0 then
	recipient = next_key()
end

local function write(...)
	if ARGV[6] ~= '' then
		history = history == '' and ARGV[6] or history .. ',' .. ARGV[6]
	end
	local ttl = math.max(0, (tonumber(r[6]) or now_ms) - now_ms) + TAIL_MS + RECORD_TTL_MS
	redis.call('HSET', KEYS[1], 'v', VERSION, 'o', owner, 'h', history, 'at', now_text, ...)
	redis.call('PEXPIRE', KEYS[1], string.format('%d', ttl))
end

-- First the record.  What follows of it: counts, the word under which its template's usage grows; stores, that the sealed message is kept.
local after_n, is_ok, counts, stores = what == 'back' and n - 1 or n, true, nil, false
local target = { retry = 'retry', back = 'retry', unknown = 'unknown', dead = 'dead' }
if what == 'sent' and state == 'sent' and r[4] ~= wamid then
	if redis.call('HGET', KEYS[1], 'w2') ~= wamid then	-- counted once, however often it is told
		redis.call('HINCRBY', KEYS[1], 'dup', 1)
		redis.call('HSET', KEYS[1], 'w2', wamid)
	end
	stores = r[7] and have_n == n		-- another attempt was proven while this one was out
	is_ok = false
elseif what == 'sent' and state == 'sent' then
	if not r[7] then
		return { 'ok', n, history }
	end
	write('n', math.max(n, have_n or n))	-- a webhook was faster than the answer (status.lua)
	counts, stores = 'sent', true
elseif what == 'sent' then
	if n <= (tonumber(r[8]) or 0) then
		return { 'lost', have_n or 0, history }		-- it has failed since (late.lua): admit knows what follows
	end
	if index then
		redis.call('SET', index, string.match(KEYS[1], '.*:(.*)'), 'PX', WAMID_TTL_MS)
	end
	write('s', 'sent', 'n', have_n and have_n > n and r[2] or ARGV[2], 'w', wamid)
	if r[9] then
		redis.call('HDEL', KEYS[1], 'l', 'r', 'code', 'e')
	else
		redis.call('HDEL', KEYS[1], 'l')
	end
	counts, stores = 'sent', true
elseif state == 'sending' and r[3] == owner and have_n == n then
	write('s', target[what], 'n', after_n, 'r', ARGV[10], 'code', ARGV[5], 'e', ARGV[11])
	if what == 'dead' then
		redis.call('DEL', body)
		counts = 'failed:' .. ARGV[5]
	end
elseif state == target[what] and r[3] == owner and have_n == after_n then
	return { 'ok', after_n, history }
else
	return { 'lost', have_n or 0, history }
end

if stores and r[7] then
	redis.call('HDEL', KEYS[1], 'pv')
end
if stores and sealed ~= '' then	-- what has arrived cannot fail any more
	local arrived = redis.call('HMGET', KEYS[1], 'S:delivered', 'S:read', 'S:played')
	if not (arrived[1] or arrived[2] or arrived[3]) then
		redis.call('SET', body, sealed, 'PX', BODY_TTL_MS)
	end
end
if not is_ok then
	return { 'duplicate', n, history }
end
if usage and counts then	-- once for each message that was sent or died: this very settle is never written twice
	redis.call('HINCRBY', usage, template .. ' ' .. counts, '1')
	redis.call('PEXPIRE', usage, USAGE_TTL_MS)
end
local answer = { 'ok', after_n, history == ARGV[6] and '=' or history }

-- The breaker: an answer of the probe decides; any other only counts, and not while it is open, for it began before.
local says = ARGV[7]
if says == 'slow' then
--@ limit
	limit_shrink(KEYS[2], now_ms)
	says = 'good'
end
local a = redis.call('HMGET', KEYS[2], 'bs', 'bo')
if not a[1] and says == 'good' then
	breaker_count(KEYS[2], now_ms, 'g')
elseif a[1] and a[2] == owner or not a[1] and says ~= '' then
--@ breaker
	if a[1] and says == 'good' then
		breaker_close(KEYS[2], now_ms)
		answer[#answer + 1] = 'breaker_closed'
	elseif a[1] and says == '' then
		redis.call('HSET', KEYS[2], 'bu', now_text)	-- it never got there: the next one tries
		redis.call('HDEL', KEYS[2], 'bo')
	else
		local all, failed
		if not a[1] then
			breaker_count(KEYS[2], now_ms, 'b')
			all, failed = breaker_sums(KEYS[2], now_ms)
		end
		if a[1] or (all >= BREAKER_CALLS and failed * 100 >= all * BREAKER_PERCENT) then
			answer[#answer + 1] = 'breaker_opened ' .. breaker_open(KEYS[2], now_ms, BREAKER_OPEN_MS, BREAKER_OPEN_MAX_MS)
		end
	end
end
if ARGV[10] then	-- it may say something of holds
--@ hold
	local field, holds = ARGV[12] or '', KEYS[3]
	if field ~= '' then
		-- Only what is not held yet is told; a probe that found the same trouble holds for twice the time.
		local h = hold_parse(redis.call('HGET', holds, field) or '')
		if not h or hold_wait(h, now_ms) == 0 or (h.kind ~= 'operator' and h.owner == owner) then
			local ms, times = hold_set_auto(holds, field, h, now_ms, ARGV[13], ARGV[14], ARGV[5], ARGV[11])
			answer[#answer + 1] = string.format('held %s %.0f %d', field, ms, times)
		end
	end
	-- The probe of a hold has an answer that does not speak of the same trouble: over, if it reached Graph at all.
	for i = 16, #ARGV do
		local h = ARGV[i] ~= '' and ARGV[i] ~= field and hold_parse(redis.call('HGET', holds, ARGV[i]) or '')
		if h and h.owner == owner then
			if ARGV[7] == 'good' or ARGV[7] == 'slow' then
				redis.call('HDEL', holds, ARGV[i])
				answer[#answer + 1] = 'released ' .. ARGV[i]
			else
				-- Never begun: the next one tries at once.  Else soon: it was no answer.
				h.lease, h.owner, h.till = 0, '-', now_ms + ((what == 'back' and ARGV[7] == '') and 0 or 1000)
				redis.call('HSET', holds, ARGV[i], hold_format(h))
			end
		end
	end
	if recipient then
		recipient_hold(recipient, recipient_ms, ARGV[5])
	end
end
if what == 'sent' and state ~= 'sent' and parked and redis.call('EXISTS', parked) == 1 then
	answer[#answer + 1] = 'parked'
end
return answer
