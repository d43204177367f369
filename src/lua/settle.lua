-- settle: what came of the attempt.  Compare-and-set on owner and attempt; a success is always written.
-- KEYS  1 record  2 WAMID index (any key of the domain when there is no WAMID)
-- ARGV  1 owner  2 n  3 what: sent | retry | back | unknown | dead  4 wamid  5 reason  6 code  7 history entry (JSON)
--       8 record_ttl_ms  9 tail_ms  10 wamid_ttl_ms  11 K  12 error text
-- `back` gives the attempt back: it was never made (throttled, account in trouble).
-- Answers { verdict, n, history }: ok (also when this very settle was done before) | lost (no longer ours; nothing written)
--   | duplicate (a second WAMID for this message: both were accepted)
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
	return { 'ok', n, history }
end

local target = { retry = 'retry', back = 'retry', unknown = 'unknown', dead = 'dead' }
local after_n = what == 'back' and n - 1 or n
if state == 'sending' and r[3] == owner and have_n == n then
	write('s', target[what], 'n', after_n, 'r', ARGV[5], 'code', ARGV[6], 'e', ARGV[12])
	return { 'ok', after_n, history }
end
if state == target[what] and r[3] == owner and have_n == after_n then
	return { 'ok', after_n, history }
end
return { 'lost', have_n or 0, history }
