-- gate: what keeps an account from sending, apart from its limits: its breaker, and holds on it or on what it belongs to.
-- The account's hash (a:{d}:<phone number id>) holds, beside its lane and its limits' corrections:
--   bs bu bk bo   breaker: open | half (absent: closed); until when, or until when the probe is leased; opened so often in a row;
--                 whose delivery is the probe
--   nt            its number's limit: the bucket of lib/limit.lua (µs)
--   ra            since when the rate grows again after it closed (ms)
--   g0 … g11, b0 … b11   good and failed answers of five seconds each, slot * 1000000 + count
-- The domain's holds (s:{d}) are fields t:<tenant> a:<tenant>:<account> n:<number> w:<waba> p:<waba>:<template> and
-- p:<waba>:<template>/<language> and q:<tenant>:<class of priorities>, each
--   "auto|operator until since times lease owner code words"; until 0: for ever.  An automatic hold whose time is over lets one leased
--   probe through, like an open breaker; an operator's simply ends.
-- Beside them stands what operators have set a number's rate to: l:<number> (lib/limit.lua).
-- A recipient's hold is a key (s:{d}:r:<number>:<who>) that ends by itself; an operator's is a field r:<number>:<who> here, too, so that
-- it can be listed.
local LOOK_MS = 250	-- a probe is mostly answered long before its lease is over

-- The fields that concern a message; in the order in which they are told.  argv: its tenant 6, account 7, WABA 10, class of its priority 11,
-- template as name/language 15.
local function gate_fields(account, argv)
	local tenant, waba, template = argv[6], argv[10], argv[15] or ''
	local fields = { 't:' .. tenant, 'a:' .. tenant .. ':' .. argv[7], 'n:' .. string.match(account, '.*:(.*)'), 'w:' .. waba }
	if template ~= '' then
		fields[5], fields[6] = 'p:' .. waba .. ':' .. string.match(template, '^[^/]*'), 'p:' .. waba .. ':' .. template
	end
	fields[#fields + 1] = 'q:' .. tenant .. ':' .. argv[11]
	return fields
end

-- The values of these fields, none being none.
local function gate_holds(holds, fields)
	return #fields > 0 and redis.call('HMGET', holds, unpack(fields)) or {}
end

-- breaker: { bs, bu }; fields and values: the holds that concern this message, as gate_holds gives them.
-- Returns what closes the gate and for how long (ms; nil: open), the probes that a message takes by passing, and when to look again:
-- soon, if only a probe is waited for.
local function gate_check(breaker, fields, values, now_ms)
	local why, longest, probes, is_probed = nil, 0, {}, false
	if breaker[1] then
		local left = (tonumber(breaker[2]) or 0) - now_ms
		if left > 0 then
			why, longest, is_probed = 'breaker', left, breaker[1] == 'half'
		else
			probes[1] = 'breaker'
		end
	end
	for i, field in ipairs(fields) do
		local h = values[i] and hold_parse(values[i])
		if h then
			local wait, probe, probed = hold_wait(h, now_ms)
			if wait > longest then
				why, longest, is_probed = field, wait, probed
			elseif probe then
				probes[#probes + 1] = field
			end
		end
	end
	return why, longest, probes, is_probed and math.min(longest, LOOK_MS) or longest
end

-- The message that goes now is the only one until it has an answer or its lease ends: its sender must have given up by then.
local function gate_lease(account, holds, probes, owner, now_ms, lease_ms)
	for _, what in ipairs(probes) do
		if what == 'breaker' then
			redis.call('HSET', account, 'bs', 'half', 'bu', now_ms + lease_ms, 'bo', owner)
		else
			local h = hold_parse(redis.call('HGET', holds, what))
			h.lease, h.owner = now_ms + lease_ms, owner
			redis.call('HSET', holds, what, hold_format(h))
		end
	end
end

-- The same for an owner that has passed before and may have been leased probes: those it still has do not close the gate to it.
local function gate_check_again(account, holds, fields, owner, now_ms)
	local a, values, mine = redis.call('HMGET', account, 'bs', 'bu', 'bo'), gate_holds(holds, fields), {}
	if a[3] == owner then
		mine[1], a[1] = 'breaker', false
	end
	for i, field in ipairs(fields) do
		local h = values[i] and hold_parse(values[i])
		if h and h.owner == owner then
			mine[#mine + 1], values[i] = field, false
		end
	end
	local why, _, probes = gate_check(a, fields, values, now_ms)
	for _, what in ipairs(mine) do
		probes[#probes + 1] = what
	end
	return why, probes
end
