-- concluded: the dead letter of a final record was confirmed by the broker; redeliveries need not publish it again, nobody needs its body.
-- KEYS  1 record  2 the message as it was sent (late.lua)
local state = redis.call('HGET', KEYS[1], 's')
if state then
	redis.call('HSET', KEYS[1], 'c', 1)
end
if state == 'dead' or state == 'expired' then	-- else it was replayed meanwhile
	redis.call('DEL', KEYS[2])
end
return { 'ok' }
