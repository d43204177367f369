-- renew: a lease is prolonged by its owner only: by then it may be another's.
-- KEYS  1 the lease
-- ARGV  1 owner  2 ms               1: it was ours | 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return { 0 }
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { 1 }
