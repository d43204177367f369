-- gate: what keeps an account from sending, apart from its limits: its breaker, and holds on it or on what it belongs to.
-- The account's hash (a:{d}:<phone number id>) holds, beside its lane and its limits' corrections:
--   bs bu bk bo   breaker: open | half (absent: closed); until when, or until when the probe is leased; opened so often in a row;
--                 whose delivery is the probe
--   ra            since when the rate grows again after it closed (ms)
--   c0 … c59      answers of one second each: "second good failed"
-- The domain's holds (s:{d}) are fields t:<tenant> a:<tenant>:<account> n:<number> w:<waba> p:<waba>:<template>, each
--   "auto|operator until since times lease owner code words"; until 0: for ever.  An automatic hold whose time is over lets one leased
--   probe through, like an open breaker; an operator's simply ends.
-- A recipient's hold is a key (s:{d}:r:<number>:<who>) that ends by itself; an operator's is a field r:<number>:<who> here, too, so that
-- it can be listed.
local FOREVER_MS = 86400000

local function hold_parse(text)
	local kind, till, since, times, lease, owner, code, words =
		string.match(text, '^(%S+) (%d+) (%d+) (%d+) (%d+) (%S+) (%d+) (.*)$')
	if not kind then
		return nil
	end
	return { kind = kind, till = tonumber(till), since = since, times = tonumber(times), lease = tonumber(lease), owner = owner,
		code = code, words = words }
end

local function hold_format(h)
	return string.format('%s %.0f %s %d %.0f %s %s %s', h.kind, h.till, h.since, h.times, h.lease, h.owner, h.code, h.words)
end

-- How long (ms) a hold closes the gate, 0: not at all; and whether passing it takes its probe.
local function hold_wait(h, now_ms)
	if h.kind == 'operator' then
		return h.till == 0 and FOREVER_MS or math.max(0, h.till - now_ms), false
	end
	local wait = math.max(0, h.till - now_ms, h.lease - now_ms)
	return wait, wait == 0
end

-- The same of a recipient's hold, by the PTTL of its key; without one it is for ever.
local function recipient_wait(pttl)
	return pttl == -1 and FOREVER_MS or math.max(0, pttl)
end

-- The values of these fields, none being none.
local function gate_holds(holds, fields)
	return #fields > 0 and redis.call('HMGET', holds, unpack(fields)) or {}
end

-- breaker: { bs, bu }; fields and values: the holds that concern this message, as gate_holds gives them.
-- Returns what closes the gate and for how long (ms; nil: open), and the probes that a message takes by passing.
local function gate_check(breaker, fields, values, now_ms)
	local why, longest, probes = nil, 0, {}
	if breaker[1] then
		local left = (tonumber(breaker[2]) or 0) - now_ms
		if left > 0 then
			why, longest = 'breaker', left
		else
			probes[1] = 'breaker'
		end
	end
	for i, field in ipairs(fields) do
		local h = values[i] and hold_parse(values[i])
		if h then
			local wait, probe = hold_wait(h, now_ms)
			if wait > longest then
				why, longest = field, wait
			elseif probe then
				probes[#probes + 1] = field
			end
		end
	end
	return why, longest, probes
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

-- What owner is the probe of, in the words of gate_check.
local function gate_probes_of(account, holds, fields, owner)
	local probes = {}
	if redis.call('HGET', account, 'bo') == owner then
		probes[1] = 'breaker'
	end
	for i, text in ipairs(gate_holds(holds, fields)) do
		local h = text and hold_parse(text)
		if h and h.owner == owner then
			probes[#probes + 1] = fields[i]
		end
	end
	return probes
end
