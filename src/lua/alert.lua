-- alert: is this word news?  One record for each kind and subject, shared by the workers of all hosts.  Whoever gets another answer
-- than quiet publishes it, and says told when the broker has it.
-- KEYS  1 record
-- ARGV  1 verb: raise | resolve | told  2 token of the word; asked again it stays the same  3 cooldown_ms
--       4 how often it was raised  5 text  6 severity
-- Answers { verdict, n, since }: raised n times since then (Unix ms)
--   raised    it was not active
--   again     active, and not said for cooldown_ms
--   resolved  it was active
--   quiet     active and said, or nothing to resolve
-- The same token gets the same answer, so what has no answer is asked again as it is.  What nobody said told for may have died with
-- its worker: after CLAIM_MS the next one to ask gets it.
--@ time
local KEPT_MS = 7 * 86400000
local RESOLVED_MS = 3600000	-- of a resolved one that is not told yet
local CLAIM_MS = 120000
local verb, token, cooldown, times = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = math.floor(now_us() / 1000)
local r = redis.call('HMGET', KEYS[1], 's', 'at', 'last', 'n', 'by', 'told')
local state, since, last, n, by = r[1], tonumber(r[2]) or now, tonumber(r[3]) or 0, tonumber(r[4]) or 0, r[5]
local active = state == 'raised' or state == 'again'

local function is_over(ms)	-- also when the clock went back by so much
	return math.abs(now - last) >= ms
end
local is_lost = r[6] ~= '1' and is_over(CLAIM_MS)

local function say(word, ttl)
	redis.call('HSET', KEYS[1], 's', word, 'at', since, 'last', now, 'n', n, 'by', token, 'told', 0)
	redis.call('PEXPIRE', KEYS[1], ttl)
	return { word, n, since }
end

if verb == 'told' then
	if by == token and active then
		redis.call('HSET', KEYS[1], 'told', 1)
	elseif by == token then
		redis.call('DEL', KEYS[1])
	end
	return { 'ok' }
end
if by == token then
	return { state, n, since }
end
if verb == 'resolve' then
	if active or (state and is_lost) then
		return say('resolved', RESOLVED_MS)
	end
	return { 'quiet', 0, 0 }
end
if not active then
	since, n = now, 0
end
n = n + times
redis.call('HSET', KEYS[1], 'n', n, 'text', ARGV[5], 'severity', ARGV[6])
redis.call('PEXPIRE', KEYS[1], KEPT_MS)
if not active then
	return say('raised', KEPT_MS)
elseif is_lost then
	return say(state, KEPT_MS)
elseif is_over(cooldown) then
	return say('again', KEPT_MS)
end
return { 'quiet', n, since }
