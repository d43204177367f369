-- operate: what an operator decides about holds, breakers and rates.
-- KEYS  1 the account, or any key of the domain  2 holds of the domain  3 hold of the recipient, where one is held or released
-- ARGV  1 verb  2…  as below
--   hold field ms words      ms 0: until it is released            ok now_ms hold
--   release field            an automatic one, too                 ok | nothing
--   trip ms                  the breaker opens for so long         ok now_ms
--   limit field ms rate tier the number has this rate (lib/limit.lua); ms 0: until it is reset   ok
--   unlimit field            the one it is configured with         ok | nothing
--   reset                    the breaker closes, the rate at once  ok | nothing (it was closed)
--@ time
--@ hold
--@ cell
--@ breaker
local verb, field = ARGV[1], ARGV[2]
local now_ms = math.floor(now_us() / 1000)
local is_recipient = string.sub(field or '', 1, 2) == 'r:'

-- An operator's hold or rate ends without anybody who takes its field away.
local function forget_ended()
	local all = redis.call('HGETALL', KEYS[2])
	for i = 1, #all, 2 do
		local h = hold_parse(all[i + 1])
		local till = string.sub(all[i], 1, 2) == 'l:' and tonumber(string.match(all[i + 1], '^%d+ (%d+) ')) or 0
		if (h and h.kind == 'operator' and hold_wait(h, now_ms) == 0) or (till > 0 and till <= now_ms) then
			redis.call('HDEL', KEYS[2], all[i])
		end
	end
end

if verb == 'hold' then
	local ms = tonumber(ARGV[3])
	local text = hold_format({ kind = 'operator', till = ms > 0 and now_ms + ms or 0, since = string.format('%.0f', now_ms),
		times = 0, lease = 0, owner = '-', code = '0', words = ARGV[4] })
	forget_ended()
	redis.call('HSET', KEYS[2], field, text)
	if is_recipient and ms > 0 then
		redis.call('SET', KEYS[3], 'operator', 'PX', ms)
	elseif is_recipient then
		redis.call('SET', KEYS[3], 'operator')
	end
	return { 'ok', string.format('%.0f', now_ms), text }
elseif verb == 'release' then
	forget_ended()
	local was = redis.call('HDEL', KEYS[2], field) + (is_recipient and redis.call('DEL', KEYS[3]) or 0)
	return { was > 0 and 'ok' or 'nothing' }
elseif verb == 'limit' then
	local ms = tonumber(ARGV[3])
	forget_ended()
	redis.call('HSET', KEYS[2], field, string.format('%d %.0f %.0f %s', ARGV[4], ms > 0 and now_ms + ms or 0, now_ms, ARGV[5]))
	return { 'ok' }
elseif verb == 'unlimit' then
	forget_ended()
	return { redis.call('HDEL', KEYS[2], field) > 0 and 'ok' or 'nothing' }
elseif verb == 'trip' then
	local ms = tonumber(ARGV[2])
	redis.call('HDEL', KEYS[1], 'bo', 'bk', 'ra')
	redis.call('HSET', KEYS[1], 'bs', 'open', 'bu', now_ms + ms)
	redis.call('PEXPIRE', KEYS[1], DAY_MS + ms)
	return { 'ok', string.format('%.0f', now_ms) }
elseif verb == 'reset' then
	local was = redis.call('HGET', KEYS[1], 'bs')
	redis.call('HDEL', KEYS[1], 'bs', 'bu', 'bo', 'bk', 'ra', unpack(breaker_cells()))
	return { was and 'ok' or 'nothing' }
end
return redis.error_reply('operate: no such verb: ' .. verb)
