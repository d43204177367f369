-- operate: what an operator decides about holds and breakers.
-- KEYS  1 the account, or any key of the domain  2 holds of the domain
-- ARGV  1 verb  2…  as below
--   hold field ms words      ms 0: until it is released            ok
--   release field            ok | nothing
--   trip ms                  the breaker opens for so long         ok
--   reset                    the breaker closes, the rate at once  ok | nothing
local verb = ARGV[1]
local now_ms = math.floor(now_us() / 1000)

if verb == 'hold' then
	local ms = tonumber(ARGV[3])
	redis.call('HSET', KEYS[2], ARGV[2], hold_format({ kind = 'operator', till = ms > 0 and now_ms + ms or 0,
		since = string.format('%.0f', now_ms), times = 0, lease = 0, owner = '-', code = '0', words = ARGV[4] }))
	return { 'ok' }
elseif verb == 'release' then
	return { redis.call('HDEL', KEYS[2], ARGV[2]) == 1 and 'ok' or 'nothing' }
elseif verb == 'trip' then
	local ms = tonumber(ARGV[2])
	redis.call('HDEL', KEYS[1], 'bo', 'bk', 'ra')
	redis.call('HSET', KEYS[1], 'bs', 'open', 'bu', now_ms + ms)
	redis.call('PEXPIRE', KEYS[1], DAY_MS + ms)
	return { 'ok' }
elseif verb == 'reset' then
	local was = redis.call('HGET', KEYS[1], 'bs')
	redis.call('HDEL', KEYS[1], 'bs', 'bu', 'bo', 'bk', 'ra', unpack(breaker_cells()))
	return { was and 'ok' or 'nothing' }
end
return redis.error_reply('operate: no such verb: ' .. verb)
