-- cancel: may this message still be taken back?   KEYS: id index, record   ARGV: what the index said when the record's key was read from it
-- { again }                 the index says something else by now: read it anew
-- { unknown }               nobody has taken such a message
-- { cancelled }             it will not be sent: admit ends it when its turn comes
-- { sending } | { unknown_outcome }   an attempt is being made, or nobody can tell what came of it
-- { final state }           too late
-- Without a record the index has '+ TIME' of a message that the HTTP API or an operator put on the queue, or '~ TIME …' of one that waits
-- (mark.lua), and '- TIME' once it is taken back.
local was = redis.call('GET', KEYS[1])
if not was then
	return { 'unknown' }
elseif was ~= ARGV[1] then
	return { 'again' }
end
local mark = string.sub(was, 1, 2)
if mark == '- ' then
	return { 'cancelled' }
elseif mark == '+ ' or mark == '~ ' then
	local ttl = redis.call('PTTL', KEYS[1])
	redis.call('SET', KEYS[1], '- ' .. (string.match(was, '%d+') or '0'), 'PX', math.max(ttl, 1))
	return { 'cancelled' }
end
local state = redis.call('HGET', KEYS[2], 's')
if not state then
	return { 'unknown' }
elseif state == 'sending' then
	return { 'sending' }
elseif state == 'unknown' then
	return { 'unknown_outcome' }
elseif state == 'retry' then
	redis.call('HSET', KEYS[2], 'cx', 1)
	return { 'cancelled' }
elseif state == 'dead' and redis.call('HGET', KEYS[2], 'r') == 'cancelled' then
	return { 'cancelled' }
end
return { 'final', state }
