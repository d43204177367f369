-- status: Meta's webhook about a message, in any order, any number of times, before the answer to its POST or long after it.
-- KEYS  1 record  2 WAMID index  3 evidence of the number: when the newest POST began that a webhook has proven (ms)
--       4 what came about this WAMID while nobody knew it  5 usage of the number's templates today
--       6 since when the number's webhooks come (lib/window.lua)
--       7 the message as it was sent, sealed (settle.lua), until it arrives
-- ARGV  1 verb  2 wamid  3 status  then
--   take  4 tenant  5 attempt its token names (0: it has none)  6 when, at Meta's (ms)  7 Graph's code (0: none)  8 K  9 record_ttl_ms
--         10 wamid_ttl_ms  11 publish_ms  12 parked_ttl_ms  13 all of it, for the parked ones  14 evidence_ttl_ms  15 usage_ttl_ms
--     news state was id account context duplicate    to be published by who asks, who has publish_ms for it
--     late state was id account context duplicate step carrier n base first_seen history template body
--                                                     a failure for which something must follow first (late.lua): step open; or, where that
--                                                     was decided and never marked as told: retry | dead; followed: the next attempt
--                                                     is out; over: it has arrived after all
--     busy ms                                         somebody publishes it, or its answer is not settled; ask again then, for that may fail
--     known                                           was published
--     stranger                                        no record, or another tenant's
--     parked                                          a WAMID nobody knows: it may still be settled
--   told  4 attempt                                   ok: it was published, with what follows
--   parked                                            what was parked under this WAMID
-- The state follows from all that was told, not from what came last: read counts whatever comes after it; failed counts while nothing
-- says that it arrived.  A status is proof that Graph took the message, whatever its record says; but failed proves nothing that would end
-- it, and once something followed for a failed attempt, its sent proves nothing any more, only that it arrived after all.
--@ time
--@ window
--@ late
local verb, wamid, status = ARGV[1], ARGV[2], ARGV[3]
local now_ms = math.floor(now_us() / 1000)
local ORDER = { 'played', 'read', 'delivered', 'failed', 'sent' }

local function state_of()
	for _, word in ipairs(ORDER) do
		if redis.call('HEXISTS', KEYS[1], 'S:' .. word) == 1 then
			return word
		end
	end
	return 'accepted'
end

local function prove(r, attempt)
	redis.call('HSET', KEYS[1], 's', 'sent', 'n', math.max(attempt, tonumber(r[2]) or 0), 'w', wamid, 'at', now_ms, 'pv', r[1] or '')
	redis.call('HDEL', KEYS[1], 'r', 'code', 'l', 'e')
	redis.call('SET', KEYS[2], ARGV[8], 'PX', ARGV[10])
end

-- sent is counted where the answer is settled; here, what became of it.
local function count_usage(template)
	if template and status ~= 'sent' then
		redis.call('HINCRBY', KEYS[5], template .. ' ' .. (status == 'failed' and 'failed:' .. ARGV[7] or status), 1)
		redis.call('PEXPIRE', KEYS[5], ARGV[15])
	end
end

-- Whose status it is where no token says so: the WAMID's last attempt.
local function attempt_of(r, said)
	if said > 0 or r[4] ~= wamid then
		return said
	end
	return (r[1] == 'sent' or not r[12]) and tonumber(r[2]) or tonumber(r[12])
end

-- Graph took two attempts of it.
local function note_second()
	if redis.call('HGET', KEYS[1], 'w2') ~= wamid then
		redis.call('HINCRBY', KEYS[1], 'dup', 1)
		redis.call('HSET', KEYS[1], 'w2', wamid)
	end
	return 1
end

-- ps is the newest attempt's: a status of an earlier one proves nothing of that.
local function note_evidence(r, said)
	if r[8] and said > 0 and said == tonumber(r[2]) and (tonumber(redis.call('GET', KEYS[3]) or '') or 0) < tonumber(r[8]) then
		redis.call('SET', KEYS[3], r[8], 'PX', ARGV[14])
	end
	if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[9]) then
		redis.call('PEXPIRE', KEYS[1], ARGV[9])
	end
end

local function late(r, step, attempt)
	local b = redis.call('HMGET', KEYS[1], 'b', 't0', 'h', 'fc')
	redis.call('HSET', KEYS[1], 'fl', now_ms + tonumber(ARGV[11]))
	return { 'late', state_of(), r[1], r[5] or '', r[6] or '', r[7] or '', 0, step, step == 'open' and late_carrier(r[1], r[14]) or b[4] or '',
		attempt, tonumber(b[1]) or 0, b[2] or 0, b[3] or '', r[11] or '', redis.call('GET', KEYS[7]) or '' }
end

-- Decided before: is all of it done?  Who asks has to do what a dead process may have left.
local function late_again(r, attempt)
	local left = (tonumber(r[13]) or 0) - now_ms
	if r[13] == '1' then
		return { 'known' }
	elseif left > 0 then
		return { 'busy', left }
	elseif tonumber(r[2]) ~= attempt then
		return late(r, 'followed', attempt)
	elseif r[1] ~= 'retry' and r[1] ~= 'dead' then
		return late(r, 'over', attempt)
	end
	return late(r, r[1], attempt)
end

-- nil: nothing follows for it, it is only told.  What is said of an attempt before the last one changes nothing.
local function take_failed(r, said, attempt)
	local newest = tonumber(r[12]) or 0
	if attempt > 0 and attempt == newest then
		return late_again(r, attempt)
	elseif attempt > 0 and attempt < (tonumber(r[2]) or 0) then
		return { 'known' }
	elseif said == 0 and r[1] == 'sent' and late_carrier(r[1], r[14]) == 'out' then
		return { 'busy', 100 }	-- a WAMID alone does not say which attempt it was while another may be out
	end
	local look = attempt > 0 and (r[1] ~= 'sent' or r[4] == wamid) and late_look(KEYS[1], attempt, now_ms) or 'over'
	if look == 'busy' then
		return { 'busy', 100 }
	elseif look == 'over' then
		return nil
	end
	local left = tonumber(r[2]) == attempt and (tonumber(r[13]) or 0) - now_ms or 0
	if left > 0 then
		return { 'busy', left }
	end
	note_evidence(r, said)
	return late(r, 'open', attempt)
end

local function take()
	local r = redis.call('HMGET', KEYS[1], 's', 'n', 'te', 'w', 'id', 'ac', 'ct', 'ps', 'S:' .. status, 'P:' .. status, 'tp', 'fn', 'fl', 'pv')
	local said, duplicate = tonumber(ARGV[5]), 0
	if not r[1] then
		if said == 0 then
			redis.call('RPUSH', KEYS[4], ARGV[13])
			redis.call('PEXPIRE', KEYS[4], ARGV[12])
			return { 'parked' }
		end
		return { 'stranger' }
	elseif r[3] ~= ARGV[4] or (r[1] == 'sent' and r[4] ~= wamid and said == 0) then
		return { 'stranger' }
	end
	webhook_came(KEYS[6], now_ms)
	local attempt = attempt_of(r, said)
	if status == 'failed' then
		local answer = take_failed(r, said, attempt)
		if answer then
			return answer
		end
	elseif status == 'sent' and r[12] and attempt <= tonumber(r[12]) then
		return { 'known' }
	end
	if r[1] == 'sent' and r[4] ~= wamid then
		duplicate = note_second()
	elseif r[1] ~= 'sent' and status ~= 'failed' then
		prove(r, attempt)
	end
	note_evidence(r, said)
	if ARRIVED[status] then
		redis.call('DEL', KEYS[7])
	end
	if r[10] == '1' then
		return { 'known' }
	end
	local left = (tonumber(r[10] or '') or 0) - now_ms
	if left > 0 then
		return { 'busy', left }
	end
	if not r[9] then
		redis.call('HSET', KEYS[1], 'S:' .. status, ARGV[6])
		count_usage(r[11])
	end
	redis.call('HSET', KEYS[1], 'P:' .. status, now_ms + tonumber(ARGV[11]))
	return { 'news', state_of(), r[1], r[5] or '', r[6] or '', r[7] or '', duplicate }
end

-- What follows for a failure is published, too: nobody needs the message any more.
local function told(attempt)
	local r = redis.call('HMGET', KEYS[1], 's', 'n', 'fn', 'fc')
	local newest = tonumber(r[3]) or 0
	if not r[1] or attempt == 0 or attempt > newest or (status ~= 'failed' and status ~= 'sent') then
		if r[1] then
			redis.call('HSET', KEYS[1], 'P:' .. status, 1)
		end
	elseif status == 'failed' and attempt == newest then
		redis.call('HSET', KEYS[1], 'fl', 1)
		if tonumber(r[2]) == attempt and (r[1] == 'dead' or r[1] == 'retry') then
			redis.call('DEL', KEYS[7])
			if r[1] == 'dead' and r[4] == 'here' then
				redis.call('HSET', KEYS[1], 'c', 1)
			end
		end
	end
	return { 'ok' }
end

if verb == 'take' then
	return take()
elseif verb == 'told' then
	return told(tonumber(ARGV[4]))
elseif verb == 'parked' then
	return redis.call('LRANGE', KEYS[4], 0, -1)	-- ends by itself: taken twice does no harm, lost would
end
return redis.error_reply('status: no such verb: ' .. verb)
