-- watch: what the fleet knew of a number, and the holds that its health sets and ends.
-- KEYS  1 the number's hash: what it was like when somebody looked last, by fact  2 holds of the domain
-- ARGV  1 verb  2…  as below
--   look hold_ms hold_max_ms quotas n { field state code words } × n  fact…    state: BLOCKED, or what lets messages go
--        { n, event × n, value × facts }: held FIELD MS TIMES | released FIELD; '' where nothing was known
--   keep ttl_ms { fact value }…                                         { ok }
-- Who looks tells of what is different, and keeps it only then: dying between the two tells it twice, not never.
--@ time
--@ hold
local verb = ARGV[1]
local now_ms = math.floor(now_us() / 1000)

-- Health does not speak of what an answer of Graph's said of an account, as of its token, nor of a quota that is used up
-- (quotas: " code code … ").
local function may_end(field, h)
	return h.kind == 'auto' and not string.find(ARGV[4], ' ' .. h.code .. ' ', 1, true) and (string.sub(field, 1, 2) ~= 'a:' or string.sub(h.words, 1, 7) == 'health:')
end

local function judge(field, state, code, words, events)
	local h = hold_parse(redis.call('HGET', KEYS[2], field) or '')
	if state ~= 'BLOCKED' then
		if h and may_end(field, h) then
			redis.call('HDEL', KEYS[2], field)
			events[#events + 1] = 'released ' .. field
		end
		return
	end
	if h and hold_wait(h, now_ms) > 0 then
		return
	end
	local ms, times = hold_set_auto(KEYS[2], field, h, now_ms, ARGV[2], ARGV[3], code, words)
	events[#events + 1] = string.format('held %s %.0f %d', field, ms, times)
end

if verb == 'look' then
	local n, events = tonumber(ARGV[5]), {}
	for i = 0, n - 1 do
		judge(ARGV[6 + 4 * i], ARGV[7 + 4 * i], ARGV[8 + 4 * i], ARGV[9 + 4 * i], events)
	end
	local answer = { #events, unpack(events) }
	for i = 6 + 4 * n, #ARGV do
		answer[#answer + 1] = redis.call('HGET', KEYS[1], ARGV[i]) or ''
	end
	return answer
elseif verb == 'keep' then
	for i = 3, #ARGV, 2 do
		redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
	end
	redis.call('PEXPIRE', KEYS[1], ARGV[2])
	return { 'ok' }
end
return redis.error_reply('watch: no such verb: ' .. verb)
