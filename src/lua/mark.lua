-- mark: why a message waits, for people who ask; nothing is decided by it.
-- KEYS  1 id index  2 the record (only where it may have one: a retry, a replay)
-- ARGV  1 word ('': it waits no longer)  2 account  3 ms it is put aside (0: nobody knows)  4 detail ('-': none)  5 first seen (Unix ms)  6 ttl_ms
--       7 replay: which dead letter it was taken from ('': none)
-- The mark is "~ <first seen> <word> <written> <until> <account> <detail>".  It is left in the record while that waits, too (wt), or in the
-- id index where that leads to no record; a message that was taken back ('- ') stays so.  Answers { marked }: 1 | 0.
--@ time
local now_ms = math.floor(now_us() / 1000)
local ms = tonumber(ARGV[3])

local function text(first)
	return string.format('~ %s %s %.0f %.0f %s %s', first, ARGV[1], now_ms, ms > 0 and now_ms + ms or 0, ARGV[2], ARGV[4])
end

if KEYS[2] and ARGV[1] ~= '' then
	local r = redis.call('HMGET', KEYS[2], 's', 'rp')
	local is_reopened = (r[1] == 'dead' or r[1] == 'expired') and ARGV[7] ~= '' and r[2] ~= ARGV[7]
	if r[1] == 'retry' or is_reopened then
		redis.call('HSET', KEYS[2], 'wt', text(ARGV[5]))
		return { 1 }
	elseif r[1] then
		return { 0 }
	end
end
local was = redis.call('GET', KEYS[1]) or ''
local kind = string.sub(was, 1, 2)
if was ~= '' and kind ~= '+ ' and kind ~= '~ ' then
	return { 0 }
elseif ARGV[1] == '' then
	return { kind == '~ ' and redis.call('DEL', KEYS[1]) or 0 }
end
redis.call('SET', KEYS[1], text(string.match(was, '^[+~] (%d+)') or ARGV[5]), 'PX', math.max(1, tonumber(ARGV[6])))
return { 1 }
