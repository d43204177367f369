-- request: one HTTP request with an Idempotency-Key.   KEYS: its record   ARGV: verb, owner, digest of the request, ms, status, body
-- begin  ms: lease    { go }               nobody works on it: do it, and say end or drop
--                     { busy left_ms }     another is at it
--                     { done status body } answered before: say the same
--                     { reused }           the key came with another request
-- end    ms: life     { ok }, or { lost } when the lease has gone to another: its answer counts
-- drop                { ok }               nothing came of it: the next one begins anew
-- Asking the same twice gives the same answer.
--@ time
local verb, owner, digest, ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local now_ms = math.floor(now_us() / 1000)
local r = redis.call('HMGET', KEYS[1], 'd', 'o', 'l', 'st', 'b')

if verb == 'begin' then
	if r[1] and r[1] ~= digest then
		return { 'reused' }
	elseif r[4] then
		return { 'done', r[4], r[5] }
	end
	local left = (tonumber(r[3]) or 0) - now_ms
	if r[2] and r[2] ~= owner and left > 0 then
		return { 'busy', left }
	end
	redis.call('HSET', KEYS[1], 'd', digest, 'o', owner, 'l', now_ms + ms)
	redis.call('PEXPIRE', KEYS[1], ms)
	return { 'go' }
elseif verb == 'end' then
	if r[4] or (r[2] and r[2] ~= owner) or (r[1] and r[1] ~= digest) then
		return { r[2] == owner and 'ok' or 'lost' }
	end
	redis.call('HSET', KEYS[1], 'd', digest, 'o', owner, 'st', ARGV[5], 'b', ARGV[6])
	redis.call('PEXPIRE', KEYS[1], ms)
elseif r[2] == owner and not r[4] then
	redis.call('DEL', KEYS[1])
end
return { 'ok' }
