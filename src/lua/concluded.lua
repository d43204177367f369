-- concluded: the dead letter of a final record was confirmed by the broker; redeliveries need not publish it again.
-- KEYS  1 record
if redis.call('EXISTS', KEYS[1]) == 1 then
	redis.call('HSET', KEYS[1], 'c', 1)
end
return { 'ok' }
