-- lane: the queue of an account that must wait: may this message join it, who takes from it, may it be closed?
-- KEYS  1 the account  2 holds of the domain
-- ARGV  1 verb  2 who asks  3…  as below
-- Fields in the account's hash:
--   ls lu   state, and since or until when (ms): opening | open | closing | deleting; absent: there is none
--   lh ll   holder, and the end of its lease
--   lw lo   why it was opened, and when (ms)
-- A lane is open only when its ticket was confirmed by the broker, and the ticket is acked only when the lane is gone: there is always
-- somebody who takes from it, now or after a restart, whatever Redis has forgotten.
--   join ticketed(0|1) why opening_ms stale_ms
--       joined first(0|1)   publish into it, within the time of a join
--       ticket              confirm a ticket first, then join with ticketed 1
--       later ms            somebody else is opening or deleting it
--   take lease_ms held-fields…   the ticket is in my hands; also asked again and again while I hold it
--       mine state gate_ms look_ms why   its gate is closed so long; ask again in look_ms
--   hold lease_ms held-fields…   the same, but only if nobody else has taken it since
--       mine state gate_ms look_ms why | other
--   close                   it has been empty for a while           closing | no state
--   delete grace_ms deadline_ms   nobody joined since               deleting | no state
--   gone                    the queues are deleted                  ok | no state
--   kept                    they were not empty                     ok | no state
--   leave                   I hold it no longer                     ok
-- The newest holder of a ticket wins, for its ticket is certainly alive; who lost acks its own.
-- Between close and delete lies a grace longer than any join and publish may take: RabbitMQ confirms what is routed to a queue that is
-- deleted before it gets there, so a late publisher must not exist.
--@ time
--@ hold
--@ gate
local verb, who = ARGV[1], ARGV[2]
local now_ms = math.floor(now_us() / 1000)
local a = redis.call('HMGET', KEYS[1], 'ls', 'lu', 'lh', 'll', 'bs', 'bu')
local state, at, holder, lease_end = a[1], tonumber(a[2]) or 0, a[3], tonumber(a[4]) or 0

local function set(...)
	redis.call('HSET', KEYS[1], ...)
	redis.call('PEXPIRE', KEYS[1], 86400000)
end

local function join()
	local ticketed, why, opening_ms, stale_ms = ARGV[3] == '1', ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
	if state == 'deleting' and now_ms < at then
		return { 'later', at - now_ms }
	elseif ticketed then
		local first = state ~= 'open' and state ~= 'closing'
		set('ls', 'open', 'lu', now_ms, 'lw', why, 'll', math.max(lease_end, now_ms))
		if first then
			set('lo', now_ms)
		end
		return { 'joined', first and 1 or 0 }
	elseif state == 'open' or state == 'closing' then
		-- Nobody has taken from it for long: its ticket is lost, or the broker is.  One more does no harm.
		if now_ms - lease_end > stale_ms and now_ms - at > stale_ms then
			set('lu', now_ms)
			return { 'ticket' }
		end
		if state == 'closing' then
			set('ls', 'open', 'lu', now_ms)
		end
		return { 'joined', 0 }
	elseif state == 'opening' and now_ms < at then
		return { 'later', at - now_ms }
	end
	set('ls', 'opening', 'lu', now_ms + opening_ms)
	return { 'ticket' }
end

local function take()
	local fields = {}
	for i = 4, #ARGV do
		if ARGV[i] ~= '' then
			fields[#fields + 1] = ARGV[i]
		end
	end
	if not state or (state == 'opening' and now_ms >= at) then	-- Redis lost it, or who opened it is dead
		state = 'open'
		set('ls', state, 'lu', now_ms)
	end
	set('lh', who, 'll', now_ms + tonumber(ARGV[3]))
	local why, ms, _, look_ms = gate_check({ a[5], a[6] }, fields, gate_holds(KEYS[2], fields), now_ms)
	return { 'mine', state, math.ceil(ms), math.ceil(look_ms), why or '' }
end

if verb == 'join' then
	return join()
elseif verb == 'take' or (verb == 'hold' and (not holder or holder == who)) then
	return take()
elseif verb == 'hold' then
	return { 'other' }
elseif verb == 'leave' then
	if holder == who then
		redis.call('HSET', KEYS[1], 'll', now_ms)
		redis.call('HDEL', KEYS[1], 'lh')
	end
	return { 'ok' }
elseif holder ~= who then
	return { 'no', state or '' }
elseif verb == 'close' and (state == 'open' or state == 'closing') then	-- again: the answer got lost, or the former holder did
	set('ls', 'closing', 'lu', state == 'closing' and at or now_ms)
	return { 'closing' }
elseif verb == 'delete' and (state == 'deleting' or (state == 'closing' and now_ms - at >= tonumber(ARGV[3]))) then
	set('ls', 'deleting', 'lu', now_ms + tonumber(ARGV[4]))
	return { 'deleting' }
elseif verb == 'gone' and state == 'deleting' then	-- past its deadline somebody may have opened it anew
	redis.call('HDEL', KEYS[1], 'ls', 'lu', 'lh', 'll', 'lw', 'lo')
	return { 'ok' }
elseif verb == 'kept' then
	set('ls', 'open', 'lu', now_ms)
	return { 'ok' }
end
return { 'no', state or '' }
