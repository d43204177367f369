-- trouble: the keeper, or a webhook, says beside any message that something is in trouble, or no longer: an automatic hold as settle sets it.
-- KEYS  1 holds of the domain
-- ARGV  1 verb  2 field  3 code  then
--   set   4 hold_ms  5 hold_max_ms  6 words     held ms times | as_is (it is held)
--   over                                        released | nothing (no automatic hold with this code; code 0: with any)
--@ time
--@ hold
local verb, field, code = ARGV[1], ARGV[2], ARGV[3]
local now_ms = math.floor(now_us() / 1000)
local h = hold_parse(redis.call('HGET', KEYS[1], field) or '')

if verb == 'set' then
	if h and hold_wait(h, now_ms) > 0 then
		return { 'as_is' }
	end
	local ms, times = hold_set_auto(KEYS[1], field, h, now_ms, ARGV[4], ARGV[5], code, ARGV[6])
	return { 'held', ms, times }
elseif verb == 'over' then
	if not h or h.kind ~= 'auto' or (code ~= '0' and h.code ~= code) then
		return { 'nothing' }
	end
	redis.call('HDEL', KEYS[1], field)
	return { 'released' }
end
return redis.error_reply('trouble: no such verb: ' .. verb)
