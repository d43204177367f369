-- admit: may this delivery be sent now?  One atomic decision over the record, the gate and the limits of one domain.
-- KEYS  1 record  2 the number's bucket  3 id index  4 the account  5 holds of the domain  6 hold of the recipient
--       7… buckets of further limits
-- ARGV  1 owner  2 lease_ms  3 kind of copy  4 attempt the copy carries  5 redelivered (0|1)
--       6 policy for unknown outcomes  7 attempts allowed  8 expires_at (Unix ms)  9 record_ttl_ms  10 interval_us  11 tolerance_us
--       12 id  13 tenant  14 account  15 digest  16 K  17 first_seen (Unix ms)  18 tail_ms (longest delay + margin)
--       19 replay: which dead letter it was taken from ('': none)  20 attempts of that letter  21 it may duplicate (0|1)
--       22 ms since it came, if its place is in the account's lane as soon as that is open (0: it is not)  23 probe_lease_ms  24 ramp_ms (a rate's doubling)
--       25 window_ms in which the number's use is looked at  26 percent of its rate that count as approaching the limit
--       27-31 fields of the holds that concern it (lib/gate.lua; '': none)
--       then for each further limit: interval_us, tolerance_us, the verdict when it says no (wait | pair)
-- Answers { verdict, n, … }:
--   go n base probe note      record says sending, the limits are charged: send attempt n; base of them were used in earlier lives;
--                             probe 1: it is the only one that may go, note: approaching | calm | '' of the number's limit
--   lane n                    others of its account wait in the lane: it must join them
--   held n ms why             the gate is closed so long (breaker, or a hold's field); nothing was written
--   wait n ms                 the account's limits say no; nothing was written
--   pair n ms                 the recipient has had enough of this number for now; nothing was written
--   busy n ms                 another sender's lease runs that long
--   park n                    unknown outcome of attempt n: wait out its timer
--   successor n               attempt n failed and its retry copy may be missing: publish it again
--   final n state wamid reason code concluded history error
--   newer                     written by a later version: leave it alone
-- All or nothing: checks first, one HSET as the commit point (an error in a script keeps the writes made so far).
-- A replay opens a dead or expired record once (rp: the letter that did it last): a new life with all attempts, counted on from
-- the last, so that tokens stay distinct.  rp is compared, not ordered: letters come from several clocks.  The worst that a stray
-- copy of an older replay can do is one more life of a message that is dead; sent is final, and an unknown outcome needs its leave.
local VERSION = 1
local TOKEN_MAX = 255	-- the attempt is one byte of the token
local owner, lease, kind, copy_n = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local redelivered, policy, allowed = ARGV[5] == '1', ARGV[6], tonumber(ARGV[7])
local now = now_us()
local now_ms = math.floor(now / 1000)

local r = redis.call('HMGET', KEYS[1], 'v', 's', 'n', 'o', 'l', 'w', 'r', 'x', 'c', 'code', 'h', 'e', 'b', 'rp')
local version, state, n = tonumber(r[1]), r[2], tonumber(r[3]) or 0
local expires = math.min(tonumber(r[8]) or math.huge, tonumber(ARGV[8]))
local replay, base, life = ARGV[19], tonumber(r[13]) or 0, {}	-- base: attempts of earlier lives

local function write(...)
	-- No copy can outlive expires by more than one delay step; the record must outlive every copy.
	local ttl = math.max(0, expires - now_ms) + tonumber(ARGV[18]) + tonumber(ARGV[9])
	local set = { 'HSET', KEYS[1], 'v', VERSION, 'id', ARGV[12], 'te', ARGV[13], 'ac', ARGV[14], 'dg', ARGV[15],
		't0', ARGV[17], 'x', string.format('%.0f', expires), 'at', now_ms }
	for _, fields in ipairs({ life, { ... } }) do
		for _, f in ipairs(fields) do
			set[#set + 1] = f
		end
	end
	redis.call(unpack(set))
	redis.call('PEXPIRE', KEYS[1], ttl)
	redis.call('SET', KEYS[3], ARGV[16] .. ' ' .. ARGV[15], 'PX', ttl)
end

local function finish(final, reason)
	write('s', final, 'n', n, 'r', reason)
	return { 'final', n, final, '', reason, r[10] or 0, 0, r[11] or '', r[12] or '' }
end

local FURTHER = 7	-- the first key, and below the first argument, of the further limits
local FURTHER_AT = 32

local function hold_fields()
	local fields = {}
	for i = 27, 31 do
		if ARGV[i] ~= '' then
			fields[#fields + 1] = ARGV[i]
		end
	end
	return fields
end

-- Counts this message; when a window has ended, what its sender is told of the number's use.
local function count_use(at, used, told)
	local window_ms = tonumber(ARGV[25])
	local slot = math.floor(now_ms / window_ms)
	if tonumber(at) == slot then
		redis.call('HINCRBY', KEYS[4], 'uc', 1)
		return ''
	end
	local share = use_share(at, used, slot, window_ms, tonumber(ARGV[10]))
	redis.call('HSET', KEYS[4], 'us', slot, 'uc', 1, 'ul', tonumber(at) == slot - 1 and used or 0)
	redis.call('PEXPIRE', KEYS[4], DAY_MS)
	return use_judge(KEYS[4], share, tonumber(ARGV[26]) / 100, told)
end

local function go()
	if now_ms >= expires then
		return finish('expired', 'expired')
	end
	local a = redis.call('HMGET', KEYS[4], 'bs', 'bu', 'ls', 'ra', 'f', 'ft', 'us', 'uc', 'ua', 'lo')
	-- What came before the lane was opened is before all that waits there.
	if ARGV[22] ~= '0' and (a[3] == 'open' or a[3] == 'closing') and now_ms - tonumber(ARGV[22]) >= (tonumber(a[10]) or 0) then
		return { 'lane', n }
	end
	local fields = hold_fields()
	local why, closed_ms, probes = gate_check({ a[1], a[2] }, fields, gate_holds(KEYS[5], fields), now_ms)
	if why then
		return { 'held', n, math.ceil(closed_ms), why }
	end
	-- All limits are asked, then all are charged; the one that keeps the message longest is told.
	local interval, tolerance, ramp_is_over = tonumber(ARGV[10]) * FULL / limit_share(a[5], a[6], now_ms), tonumber(ARGV[11]), true
	if a[4] then
		interval, ramp_is_over = limit_ramp(tonumber(a[4]), now_ms, tonumber(ARGV[24]), interval)
		tolerance = 0
	end
	local limits = { { key = KEYS[2], interval = interval, tolerance = tolerance, verdict = 'wait' } }
	for i = FURTHER, #KEYS do
		local at = FURTHER_AT + 3 * (i - FURTHER)
		limits[#limits + 1] = { key = KEYS[i], interval = tonumber(ARGV[at]), tolerance = tonumber(ARGV[at + 1]),
			verdict = ARGV[at + 2] }
	end
	local longest = recipient_wait(redis.call('PTTL', KEYS[6])) * 1000
	local verdict = longest > 0 and 'pair' or nil
	for _, l in ipairs(limits) do
		local wait
		wait, l.tat = limit_check(redis.call('GET', l.key), now, l.interval, l.tolerance)
		if wait > longest then
			longest, verdict = wait, l.verdict
		end
	end
	if verdict then
		return { verdict, n, math.ceil(longest / 1000) }
	end
	for _, l in ipairs(limits) do
		redis.call('SET', l.key, string.format('%.0f', l.tat), 'PX', 60000 + math.ceil((l.tat - now) / 1000))
	end
	if a[4] and ramp_is_over then
		redis.call('HDEL', KEYS[4], 'ra')
	end
	gate_lease(KEYS[4], KEYS[5], probes, owner, now_ms, tonumber(ARGV[23]))
	local note = count_use(a[7], a[8], a[9])
	write('s', 'sending', 'n', n + 1, 'o', owner, 'l', now_ms + lease)
	return { 'go', n + 1, base, #probes > 0 and 1 or 0, note }
end

local function park()
	write('s', 'unknown', 'n', n)
	return { 'park', n }
end

local function decide()
	if policy == 'at_most_once' or n >= base + allowed or now_ms >= expires then
		return finish('dead', 'unknown_outcome')
	end
	return go()
end

-- The retry's sender checked it too, but retry.max may be lower by now.
local function retry()
	n = copy_n - 1
	if n >= base + allowed then
		return finish('dead', 'retries_used')
	end
	return go()
end

local function may_reopen()
	return replay ~= '' and (state == 'dead' or state == 'expired') and r[14] ~= replay
		and (r[7] ~= 'unknown_outcome' or ARGV[21] == '1') and n + allowed <= TOKEN_MAX
end

local function new_life()
	base = n
	life = { 'b', n, 'rp', replay, 'c', 0, 'r', '' }
end

if state and version ~= VERSION and version ~= VERSION - 1 then
	return { 'newer', n }
end
if may_reopen() then
	expires = tonumber(ARGV[8])
	new_life()
	return go()
end
if not state then
	if replay ~= '' then	-- the record has ended since: the letter knows the attempts
		n = math.min(tonumber(ARGV[20]), TOKEN_MAX - allowed)
		new_life()
	end
	-- A copy that is only made when a record exists, and there is none: Redis lost it.
	if kind == 'retry' and not redelivered then
		return retry()
	elseif kind == 'unknown' then
		n = copy_n
		return decide()
	elseif kind == 'retry' or kind == 'busy' then
		n = copy_n
		return park()
	end
	return go()
elseif state == 'sending' then
	local left = (tonumber(r[5]) or 0) - now_ms
	if r[4] == owner then
		-- The same delivery asks again because our answer got lost: it has sent nothing yet, and has paid already.
		-- Its sender counts all leases from this call.
		local probes = gate_probes_of(KEYS[4], KEYS[5], hold_fields(), owner)
		redis.call('HSET', KEYS[1], 'l', now_ms + lease)
		gate_lease(KEYS[4], KEYS[5], probes, owner, now_ms, tonumber(ARGV[23]))
		return { 'go', n, base, #probes > 0 and 1 or 0, '' }
	elseif left > 0 then
		return { 'busy', n, left }
	end
	return park()
elseif state == 'unknown' then
	if kind == 'unknown' and copy_n == n then
		return decide()
	end
	return { 'park', n }
elseif state == 'retry' then
	if kind == 'retry' and copy_n > n then
		return retry()
	end
	return { 'successor', n }
end
return { 'final', n, state, r[6] or '', r[7] or '', r[10] or 0, r[9] or 0, r[11] or '', r[12] or '' }
