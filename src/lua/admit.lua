-- admit: may this delivery be sent now?  One atomic decision over the record, the gate and the limits of one domain.
-- KEYS  1 record  2 id index  3 the account  4 holds of the domain  5 hold of the recipient
--       then, each only where it is wanted: the recipient's bucket (12), the tenant's (20), and (kind unknown, or 16) evidence of the
--       number (status.lua), what is known of the recipient, of the number's users (lib/window.lua)
-- ARGV  1 owner  2 expires_at (Unix ms)  3 interval_us  4 tolerance_us  5 id  6 tenant  7 account  8 digest  9 first_seen (Unix ms)
--       10 its WABA  11 class of its priority, which may be on hold for its tenant  12 it has the limit of its recipient (0|1)
--       and, each '' or absent where there is nothing to say, absent behind the last that says something:
--       13 ms since it came, if its place is in the account's lane as soon as that is open  14 what its status events carry (JSON)
--       15 its template, name/language
--       16 guards: it needs an open window, it is marketing (each -: no, or nobody cares | warn | refuse), a template that may go in
--          its place (- | named | sent: this is it)
--       17 a copy of it: kind, the attempt it carries, redelivered (0|1), its hops, its nonce (0: none), when it was published (ms)
--       18 a replay: which dead letter it was taken from, attempts of that letter, it may duplicate (0|1)
--       19 policy for unknown outcomes (else POLICY)  20, 21 interval_us and tolerance_us of its tenant's limit
-- Settings (include/tbl/rules.h) are constants: LEASE_MS, ATTEMPTS, …
-- Answers { verdict, n, … }:
--   go n base probe note guard   record says sending, the limits are charged: send attempt n; base of them were used in earlier lives;
--                             probe 1: it is the only one that may go, note: approaching | calm | '' of the number's limit;
--                             guard: any of outside_window, opted_out (it goes all the same) and fallback (a template in its place)
--   window n                  the recipient's window is closed, and it names a template: nothing was written
--   lane n                    others of its account wait in the lane: it must join them
--   held n ms look_ms why     the gate is closed so long (breaker, or a hold's field), ask again in look_ms; nothing was written
--   wait n ms                 the account's limits say no; nothing was written
--   pair n ms                 the recipient has had enough of this number for now; nothing was written
--   busy n ms                 another sender's lease runs that long
--   park n                    unknown outcome of attempt n: wait out its timer
--   twin n                    the same, but another copy of it does already
--   successor n               attempt n failed, or the next was given back; the retry copy may be missing: publish it again
--   final n state wamid reason code concluded history error guard
--   proven n wamid history    sent, as a webhook has proven while this copy was out: it must be kept before it goes (late.lua)
--   newer                     written by a later version: leave it alone
-- All or nothing: checks first, one HSET as the commit point (an error in a script keeps the writes made so far).
-- A replay opens a dead or expired record once (rp: the letter that did it last): a new life with all attempts, counted on from
-- the last, so that tokens stay distinct.  rp is compared, not ordered: letters come from several clocks.  The worst that a stray
-- copy of an older replay can do is one more life of a message that is dead; sent is final, and an unknown outcome needs its leave.
-- A message that was taken back ends where it would go: cx in its record, or, as long as it has none, '- TIME' in the id index (cancel.lua).
-- This and settle are most of what Redis does: what few messages need is defined where it is needed, a number becomes text by %d, and what
-- is text already stays text.
--@ rules
--@ time
--@ limit
local VERSION, BEFORE = '1', '0'
local TOKEN_MAX = 255	-- the attempt is one byte of the token
local owner = ARGV[1]
local now_text, beyond = now_in_text()
local now_ms = tonumber(now_text)
local now = now_ms * 1000 + beyond

local guards, copy, letter = ARGV[16] or '', ARGV[17] or '', ARGV[18] or ''

local r = redis.call('HMGET', KEYS[1], 's', 'v', 'n')
local state, version, n = r[1], r[2], tonumber(r[3]) or 0
if state and version ~= VERSION and version ~= BEFORE then
	return { 'newer', n }
end
r = state and redis.call('HMGET', KEYS[1], 'o', 'l', 'w', 'r', 'x', 'c', 'code', 'h', 'e', 'b', 'rp', 'cx', 'ps', 'gd', 'pv', 'uc') or {}
local expires = math.min(tonumber(r[5]) or math.huge, tonumber(ARGV[2]))
local base, life = tonumber(r[10]) or 0, nil	-- base: attempts of earlier lives
local cancelled = r[12] == '1'

-- What follows attempt are fields that only some have.
local function write(s, attempt, ...)
	if life then
		local fields = life
		life = nil
		for i = 1, select('#', ...) do
			fields[#fields + 1] = (select(i, ...))
		end
		return write(s, attempt, unpack(fields))
	end
	-- No copy can outlive expires by more than one delay step; the record must outlive every copy.
	local ttl = string.format('%d', math.max(0, expires - now_ms) + TAIL_MS + RECORD_TTL_MS)
	redis.call('HSET', KEYS[1], 'v', VERSION, 'id', ARGV[5], 'te', ARGV[6], 'ac', ARGV[7], 'dg', ARGV[8], 't0', ARGV[9],
		'x', r[5] and string.format('%d', expires) or ARGV[2], 'at', now_text, 'rw', string.match(KEYS[5], '.*:(.*)'),
		's', s, 'n', attempt, ...)
	redis.call('PEXPIRE', KEYS[1], ttl)
	redis.call('SET', KEYS[2], string.match(KEYS[1], '.*:(.*)') .. ' ' .. ARGV[8], 'PX', ttl)
end

local function finish(final, reason)
	write(final, n, 'r', reason)
	return { 'final', n, final, '', reason, r[7] or 0, 0, r[8] or '', r[9] or '', r[14] or '' }
end

-- What is wrong with sending it to this recipient now ('': nothing that is known), and what becomes of it; fallback: what goes in its place.
local guard, fallback
if guards ~= '' then
--@ window
	local window, marketing
	window, marketing, fallback = string.match(guards, '^(%S+) (%S+) (%S+)$')
	guard = function()
		local user = redis.call('HMGET', KEYS[#KEYS - 1], 'in', 'mo')
		if marketing ~= '-' and user[2] then
			return 'opted_out', marketing
		elseif window ~= '-' and window_is_closed(KEYS[#KEYS], user[1], now_ms, LEARN_MS) then
			return 'outside_window', fallback == 'named' and 'window' or window
		end
		return ''
	end
end

if state or copy ~= '' or letter ~= '' then
	-- What its record, its copy or its letter say.  Returns the verdict, or nothing: it may go, as attempt n + 1.
	local function by_state()
		local kind, copy_n, redelivered, hops, nonce, published = string.match(copy, '^(%S+) (%d+) (%d) (%d+) (%x+) (%d+)$')
		local replay, letter_n, may_duplicate = string.match(letter, '^(%S+) (%d+) (%d)$')
		kind, copy_n, hops, nonce = kind or 'none', tonumber(copy_n) or 0, tonumber(hops) or 0, nonce or '0'

		-- A sender that dies between the confirm of a parked copy and its ack leaves two.  The one with the most hops that has come is
		-- kept in uc (attempt, hops, nonce, when); it is acked only when a successor with more is confirmed.  Another is not needed if
		-- that one was seen after it was published; by whichever clock, it has waited out its timer since.
		local function this_copy()
			return string.format('%d %d %s %s', n, hops, nonce, now_text)
		end
		local function is_twin()
			local of, most, kept, seen = string.match(r[16] or '', '^(%d+) (%d+) (%x+) (%d+)$')
			most, seen, published = tonumber(most), tonumber(seen), tonumber(published)
			local is_behind = tonumber(of) == n and (hops < most or (hops == most and nonce ~= kept)) and
				(now_ms - seen < UNKNOWN_TIMER_MS or ((published or 0) > 0 and seen >= published))
			if nonce ~= '0' and not is_behind then
				redis.call('HSET', KEYS[1], 'uc', this_copy())
			end
			return is_behind and nonce ~= '0' and kind == 'unknown'
		end

		local function park()
			if nonce ~= '0' then
				write('unknown', n, 'uc', this_copy())
			else
				write('unknown', n)
			end
			return { 'park', n }
		end

		-- Webhooks of a later POST of the same number have come, and none of this one: Graph did not take it.  None of any: wait, for some time.
		local EVIDENCE_MS = 5000
		local function by_evidence()
			local proven = tonumber(redis.call('GET', KEYS[#KEYS - 2]) or '')
			local begun = tonumber(r[13] or '') or 0
			if not proven then
				return BLIND
			elseif proven >= begun + EVIDENCE_MS then
				return 'at_least_once'
			end
			return now_ms - begun < UNKNOWN_MAX_MS and 'wait' or 'at_most_once'
		end

		local function decide()
			local policy = (ARGV[19] or '') ~= '' and ARGV[19] or POLICY
			local how = policy == 'evidence' and by_evidence() or policy
			if how == 'wait' and now_ms < expires then
				return { 'park', n }
			end
			local _, then_what = nil, nil
			if guard then
				_, then_what = guard()
			end
			if how ~= 'at_least_once' or n >= base + ATTEMPTS or now_ms >= expires or then_what == 'refuse' then
				return finish('dead', 'unknown_outcome')
			end
			return nil
		end

		-- The retry's sender checked it too, but retry.max may be lower by now.
		local function retry()
			n = copy_n - 1
			return n >= base + ATTEMPTS and finish('dead', 'retries_used') or nil
		end

		local function new_life()
			base = n
			cancelled = false
			life = { 'b', n, 'rp', replay, 'c', '0', 'r', '', 'cx', '0' }
		end

		if replay and (state == 'dead' or state == 'expired') and r[11] ~= replay and (r[4] ~= 'unknown_outcome' or may_duplicate == '1')
			and n + ATTEMPTS <= TOKEN_MAX then
			expires = tonumber(ARGV[2])
			new_life()
			return nil
		end
		if not state then
			if replay then	-- the record has ended since: the letter knows the attempts
				n = math.min(tonumber(letter_n), TOKEN_MAX - ATTEMPTS)
				new_life()
			end
			-- A copy that is only made when a record exists, and there is none: Redis lost it.
			if kind == 'retry' and redelivered ~= '1' then
				return retry()
			elseif kind == 'unknown' then
				n = copy_n
				return decide()
			elseif kind == 'retry' or kind == 'busy' then
				n = copy_n
				return park()
			end
			return nil
		elseif state == 'sending' then
			local left = (tonumber(r[2]) or 0) - now_ms
			if r[1] == owner then
				-- The same delivery asks again because our answer got lost: it has sent nothing yet, and has paid already.
				-- Its sender counts all leases from this call.
--@ hold
--@ gate
				local why, probes = gate_check_again(KEYS[3], KEYS[4], gate_fields(KEYS[3], ARGV), owner, now_ms)
				if why then	-- another has its probe by now, or the gate was closed since
					write('retry', n - 1)
					return { 'successor', n - 1 }
				end
				redis.call('HSET', KEYS[1], 'l', string.format('%d', now_ms + LEASE_MS))
				gate_lease(KEYS[3], KEYS[4], probes, owner, now_ms, PROBE_MS)
				return { 'go', n, base, #probes > 0 and 1 or 0, '', r[14] or '' }
			elseif left > 0 then
				return { 'busy', n, left }
			end
			return park()
		elseif state == 'unknown' then
			if is_twin() then
				return { 'twin', n }
			end
			if kind == 'unknown' and copy_n == n then
				return decide()
			end
			return { 'park', n }
		elseif state == 'retry' then
			if kind == 'retry' and copy_n > n then
				return retry()
			end
			return { 'successor', n }
		elseif state == 'sent' and r[15] then
			return { 'proven', n, r[3] or '', r[8] or '' }
		end
		return { 'final', n, state, r[3] or '', r[4] or '', r[7] or 0, r[6] or 0, r[8] or '', r[9] or '', r[14] or '' }
	end

	local verdict = by_state()
	if verdict then
		return verdict
	end
end

-- From here on: may it go now?
local has_pair = ARGV[12] == '1'
local tenant_interval = tonumber(ARGV[20])
local n_further = (has_pair and 1 or 0) + (tenant_interval and 1 or 0)
if cancelled or (not state and string.sub(redis.call('GET', KEYS[2]) or '', 1, 2) == '- ') then
	return finish('dead', 'cancelled')
end
if now_ms >= expires then
	return finish('expired', 'expired')
end
local a = redis.call('HMGET', KEYS[3], 'bs', 'bu', 'ls', 'ra', 'f', 'ft', 'us', 'uc', 'ua', 'lo', 'nt')
-- What came before the lane was opened is before all that waits there.
if (a[3] == 'open' or a[3] == 'closing') and (ARGV[13] or '') ~= '' and now_ms - tonumber(ARGV[13]) >= (tonumber(a[10]) or 0) then
	return { 'lane', n }
end

local whole, tolerance = tonumber(ARGV[3]), tonumber(ARGV[4])
local probes, lease_probes = nil, nil
local longest, verdict = 0, nil
if a[1] or redis.call('EXISTS', KEYS[4], KEYS[5]) > 0 then
--@ hold
--@ gate
	local fields = gate_fields(KEYS[3], ARGV)
	local why, closed_ms, look_ms
	why, closed_ms, probes, look_ms = gate_check({ a[1], a[2] }, fields, gate_holds(KEYS[4], fields), now_ms)
	if why then
		return { 'held', n, math.ceil(closed_ms), math.ceil(look_ms), why }
	end
	lease_probes = gate_lease
	whole, tolerance = limit_in_force(KEYS[3], KEYS[4], now_ms, whole, tolerance)
	longest = recipient_wait(redis.call('PTTL', KEYS[5])) * 1000
	verdict = longest > 0 and 'pair' or nil
end

local said, then_what = '', nil
if guard then
	said, then_what = guard()
	if then_what == 'window' then
		return { 'window', n }
	elseif then_what == 'refuse' then
		return finish('dead', said)
	elseif fallback == 'sent' then
		said = said == '' and 'fallback' or 'fallback ' .. said
	end
end

-- All limits are asked, then all are charged; the one that keeps the message longest is told.
local interval, ramp_is_over = whole, true
if a[5] then
	interval = whole * FULL / limit_share(a[5], a[6], now_ms)
end
if a[4] then
	interval, ramp_is_over = limit_ramp(tonumber(a[4]), now_ms, RAMP_MS, interval)
	tolerance = 0
end
local wait, tat = limit_check(a[11], now, interval, tolerance)
local pair_tat, tenant_tat
if wait > longest then
	longest, verdict = wait, 'wait'
end
if has_pair then
	wait, pair_tat = limit_check(redis.call('GET', KEYS[6]), now, PAIR_INTERVAL, PAIR_TOLERANCE)
	if wait > longest then
		longest, verdict = wait, 'pair'
	end
end
if tenant_interval then
	wait, tenant_tat = limit_check(redis.call('GET', KEYS[5 + n_further]), now, tenant_interval, tonumber(ARGV[21]))
	if wait > longest then
		longest, verdict = wait, 'wait'
	end
end
if verdict then
	return { verdict, n, math.ceil(longest / 1000) }
end
if has_pair then
	limit_charge(KEYS[6], pair_tat, now)
end
if tenant_interval then
	limit_charge(KEYS[5 + n_further], tenant_tat, now)
end
if a[4] and ramp_is_over then
	redis.call('HDEL', KEYS[3], 'ra')
end
if lease_probes then
	lease_probes(KEYS[3], KEYS[4], probes, owner, now_ms, PROBE_MS)
end

-- Charges the number, and counts this message; when a window has ended, its sender is told of the number's use.
local note, slot = '', math.floor(now_ms / USE_WINDOW_MS)
if tonumber(a[7]) == slot then
	redis.call('HSET', KEYS[3], 'nt', limit_text(tat), 'uc', string.format('%d', a[8] + 1))
else
--@ use
	redis.call('HSET', KEYS[3], 'nt', limit_text(tat), 'us', slot, 'uc', '1', 'ul', tonumber(a[7]) == slot - 1 and a[8] or '0')
	redis.call('PEXPIRE', KEYS[3], DAY_MS)
	note = use_judge(KEYS[3], use_share(a[7], a[8], slot, USE_WINDOW_MS, whole), USE_WARN / 100, a[9])
end

if life then	-- what webhooks told of the life before is over
	redis.call('HDEL', KEYS[1], 'S:sent', 'P:sent', 'S:failed', 'P:failed')
end
local more = { 'o', owner, 'l', string.format('%d', now_ms + LEASE_MS), 'ps', now_text }
if (ARGV[14] or '') ~= '' then
	more[7], more[8] = 'ct', ARGV[14]
end
if (ARGV[15] or '') ~= '' then
	more[#more + 1], more[#more + 2] = 'tp', ARGV[15]
end
if said ~= (r[14] or '') then
	more[#more + 1], more[#more + 2] = 'gd', said
end
write('sending', n == 0 and '1' or string.format('%d', n + 1), unpack(more))
return { 'go', n + 1, base, probes and #probes > 0 and 1 or 0, note, said }
