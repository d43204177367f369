-- catalogue: the templates of one tenant's business account, as Graph lists them, for all hosts.
-- KEYS  1 the catalogue: fields "name/language" (JSON of the definition), "!name" (when all of that name were fetched, ms), and
--         ":gen" (another one whenever a template is another one), ":at" (when all of it was fetched, ms)
--       2 holds of the domain
-- ARGV  1 verb  2 prefix of the holds' fields ("p:<waba>:")  3 life_ms  4 hold_ms  5 hold_max_ms  then
--   put  { name/language, definition, word, code, words, category } …  word: sendable | held | other; code, words: of the hold
--                                    { gen, event… }
--   end  name/language…              all there are: others go.  { gen, event… }
--   only name { name/language }…     all there are of this name; none: Graph does not know it.  { gen, event… }
--   look name_ttl_ms name/language   { gen, at, definition or '', 1 if Graph was asked for this name, or for all, so lately }
-- Events: held FIELD MS TIMES CODE WORDS | released FIELD | category NAME/LANGUAGE OLD NEW | status NAME/LANGUAGE WORD
-- A hold that a template's status sets ends by its status, too; one that an answer of Graph's set, by its probe or by its status.
--@ time
--@ hold
local verb, prefix, life = ARGV[1], ARGV[2], ARGV[3]
local now_ms = math.floor(now_us() / 1000)

local function gen()
	return tonumber(redis.call('HGET', KEYS[1], ':gen') or '') or 0
end

local function changed()
	-- Never one that was there before the catalogue was lost.
	local next = math.max(gen() + 1, now_ms)
	redis.call('HSET', KEYS[1], ':gen', string.format('%.0f', next))
end

local function text_of(definition, member)
	return definition and string.match(definition, '"' .. member .. '":"([^"]*)"') or ''
end

local function judge(key, word, code, words, events)
	local field = prefix .. key
	local h = hold_parse(redis.call('HGET', KEYS[2], field) or '')
	if word == 'sendable' then
		if h and h.kind == 'auto' then
			redis.call('HDEL', KEYS[2], field)
			events[#events + 1] = 'released ' .. field
		end
	elseif word == 'held' and not (h and hold_wait(h, now_ms) > 0) then
		local ms, times = hold_set_auto(KEYS[2], field, h, now_ms, ARGV[4], ARGV[5], code, words)
		events[#events + 1] = string.format('held %s %.0f %d %s %s', field, ms, times, code, words)
	end
end

local function put(events)
	local is_new = false
	for i = 6, #ARGV, 6 do
		local key, definition, word, category = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 5]
		local had = redis.call('HGET', KEYS[1], key)
		if had ~= definition then
			is_new = true
			redis.call('HSET', KEYS[1], key, definition)
			local was = text_of(had, 'category')
			if was ~= '' and was ~= category then
				events[#events + 1] = 'category ' .. key .. ' ' .. was .. ' ' .. category
			end
			if had and text_of(had, 'status') ~= text_of(definition, 'status') then
				events[#events + 1] = 'status ' .. key .. ' ' .. text_of(definition, 'status')
			end
		end
		judge(key, word, ARGV[i + 3], ARGV[i + 4], events)
	end
	if is_new then
		changed()
	end
end

-- Fields that belong to templates and are not among those from ARGV[first] on; of one name, or (nil) of all.
local function drop_others(first, name)
	local known, gone = {}, {}
	for i = first, #ARGV do
		known[ARGV[i]] = true
	end
	for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
		local of = string.match(field, '^([^:!][^/]*)/')
		if of and not known[field] and (not name or of == name) then
			gone[#gone + 1] = field
		elseif not name and string.sub(field, 1, 1) == '!' then	-- made-up names must not stay for ever
			redis.call('HDEL', KEYS[1], field)
		end
	end
	for _, field in ipairs(gone) do
		redis.call('HDEL', KEYS[1], field)
	end
	if #gone > 0 then
		changed()
	end
end

local function answer(events)
	local out = { string.format('%.0f', gen()) }
	for _, e in ipairs(events) do
		out[#out + 1] = e
	end
	return out
end

local events = {}
if verb == 'put' then
	put(events)
	if redis.call('PTTL', KEYS[1]) < 0 then
		redis.call('PEXPIRE', KEYS[1], life)
	end
	return answer(events)
elseif verb == 'end' then
	drop_others(6, nil)
	redis.call('HSET', KEYS[1], ':at', string.format('%.0f', now_ms))
	if gen() == 0 then
		changed()
	end
	redis.call('PEXPIRE', KEYS[1], life)
	return answer(events)
elseif verb == 'only' then
	drop_others(7, ARGV[6])
	redis.call('HSET', KEYS[1], '!' .. ARGV[6], string.format('%.0f', now_ms))
	if redis.call('PTTL', KEYS[1]) < 0 then
		redis.call('PEXPIRE', KEYS[1], life)
	end
	return answer(events)
elseif verb == 'look' then
	local r = redis.call('HMGET', KEYS[1], ':gen', ':at', ARGV[7], '!' .. string.match(ARGV[7], '^[^/]*'))
	local asked = math.max(tonumber(r[2] or '') or 0, tonumber(r[4] or '') or 0)
	return { r[1] or '0', r[2] or '0', r[3] or '', now_ms - asked < tonumber(ARGV[6]) and 1 or 0 }
end
return redis.error_reply('catalogue: no such verb: ' .. verb)
