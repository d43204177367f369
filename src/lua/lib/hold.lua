-- hold: one hold as text, and how long it keeps messages (where they are: lib/gate.lua).
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

-- An automatic hold for first_ms, doubled for each that stood here before and has ended, up to most_ms.  h: what stands there now, or
-- nil.  Returns for how long, and how many there were in a row.
local function hold_set_auto(holds, field, h, now_ms, first_ms, most_ms, code, words)
	if h and h.kind == 'operator' then	-- it has ended: nothing is held
		h = nil
	end
	local times = h and h.times + 1 or 0
	local ms = math.min(tonumber(most_ms), tonumber(first_ms) * 2 ^ math.min(times, 20))
	redis.call('HSET', holds, field, hold_format({ kind = 'auto', till = now_ms + ms, since = h and h.since or string.format('%.0f', now_ms),
		times = times, lease = 0, owner = '-', code = code, words = words }))
	redis.call('PERSIST', holds)
	return ms, times
end

-- How long (ms) a hold closes the gate, 0: not at all; whether passing it takes its probe, or its probe is under way.
local function hold_wait(h, now_ms)
	if h.kind == 'operator' then
		return h.till == 0 and FOREVER_MS or math.max(0, h.till - now_ms), false, false
	end
	local wait = math.max(0, h.till - now_ms, h.lease - now_ms)
	return wait, wait == 0, h.lease > h.till
end

-- The same of a recipient's hold, by the PTTL of its key; without one it is for ever.
local function recipient_wait(pttl)
	return pttl == -1 and FOREVER_MS or math.max(0, pttl)
end

-- Holds a recipient for ms (0: not at all); an operator's hold may be longer.
local function recipient_hold(key, ms, code)
	if ms > 0 and recipient_wait(redis.call('PTTL', key)) < ms then
		redis.call('SET', key, code, 'PX', ms)
	end
end
