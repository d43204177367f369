#!/usr/bin/env bash
# What one tenant guesses of another's: on every route it is told what it is told of what does not exist.  And one key is one message.
. "$(dirname "$0")/lib.sh"

guesses=1000 keys=10
[[ ${WAMD_LONG:-} ]] && guesses=10000 keys=100
expect_log 'alert kind=(limit_approaching|limit_queueing|held) state=raised'

# mine PATH [CURL OPTION...]: t1's; the answer is in "answer".
mine() { api "$1" -o answer --fail-with-body "${@:2}" || { cat answer; return 1; }; }
text() { printf '{"id":"%s","to":"%s","type":"text","text":{"body":"victim-%s"}}' "$1" "$2" "$1"; }
state_is() { mine "/v1/messages/$1" && jq -e ".state == \"$2\"" answer; }
# What t1 has, as it sees it: must be the same afterwards.
look() {
	for path in "messages/$held" messages/order-1 messages/dead-1 "media/$handle" accounts/t1-a1/profile "templates/secret_offer?account=t1-a1"; do
		mine "/v1/$path" && jq -S 'del(.last_used)' answer || return 1
	done
}

test_expect_success 'two tenants; one has messages, files, templates and a profile' '
	stack_up --api --senders 1 --tenants 2 --rate 1000 --sandbox-args "--rate 0 --pair off" --set limit.management_calls=5000 && wait_for "mine /readyz" &&
	sandbox_curl templates --json "{\"waba_id\":\"$(fact t1-a1 waba_id)\",\"name\":\"secret_offer\",\"language\":\"en_US\",\"category\":\"UTILITY\",\"status\":\"APPROVED\",\"components\":[{\"type\":\"BODY\",\"text\":\"victim-template\"}]}" >/dev/null &&
	mine /v1/templates/refresh -X POST && jq -e ".fetched == 1" answer && printf "\\x89PNG\\r\\n\\x1a\\nvictim" >a.png && mine /v1/media -F file=@a.png && handle=$(jq -r .handle answer) sha=$(jq -r .sha256 answer) &&
	mine /v1/accounts/t1-a1/profile --json "{\"about\":\"victim-profile\"}" && graph_faults "{\"fault\":\"error\",\"http\":400,\"code\":131026,\"match\":{\"to\":\"+4915200000002\"}}" >/dev/null &&
	wamctl account hold t1 t1-a2 --reason victim-reason && held=$(python3 -c "import uuid; print(uuid.uuid4())") && mine /v1/messages --json "[$(text order-1 +4915200000001),$(text dead-1 +4915200000002),{\"account_id\":\"t1-a2\",$(text "$held" +4915200000003 | cut -c2-)]" &&
	wait_for "state_is order-1 sent && state_is dead-1 dead && state_is $held queued" && wamid=$(mine /v1/messages/order-1 && jq -r .wamid answer) && look >before
'
test_expect_success "$guesses guesses of the other, on every route of openapi.json: nothing is known, nothing is changed" '
	python3 - "$(dirname "$T")/etc/openapi.json" "$API_LISTEN" "$(key_of t2)" $guesses "$held" "$handle" "$sha" "$wamid" "$(number_of t1-a1)" "$(fact t1-a1 waba_id)" <<-"PY" && look >after && diff before after
	import http.client, json, random, re, sys, urllib.parse
	api, listen, key, n = json.load(open(sys.argv[1])), sys.argv[2], sys.argv[3], int(sys.argv[4])
	held, handle, sha, wamid, number, waba = sys.argv[5:11]
	seed = random.randrange(1 << 30); print("seed", seed); rnd = random.Random(seed)
	connection = http.client.HTTPConnection(listen, timeout=30)
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	def like(s):	# of the same form, and nobody has it
	    keep = next((len(k) for k in ("sha256:", "wamid.", "m.") if s.startswith(k)), 0)
	    return "".join(c if not c.isalnum() or i < keep else rnd.choice("123456789" if c.isdigit() else "abcdef" if c in "abcdef" else letters[:26] if c.islower() else letters[26:52]) for i, c in enumerate(s))
	theirs = [held, "order-1", "dead-1", handle, sha, "sha256:" + sha, "t1-a1", "t1-a2", number, waba, "secret_offer", wamid, "t1"]
	nobody = lambda s: "zz" + like(s)[2:] if s.startswith("t1") else like(s)
	mutations = [lambda s: s] * 6 + [lambda s: s.upper(), lambda s: s[:-1], lambda s: s + "0", lambda s: "t1:" + s, lambda s: "../" + s, lambda s: s + "/", lambda s: "*", lambda s: "?" + s[1:],
	    lambda s: s + "\0", lambda s: " " + s, lambda s: s + "*", lambda s: "{t1}:t1:" + s, lambda s: "t2:../t1:" + s, lambda s: s + "?tenant=t1", lambda s: s + "&tenant=t1", lambda s: s * 9, lambda s: "%2e%2e/" + s, lambda s: ""]
	def ask(method, path, query, body, kind):
	    head = {"Authorization": "Bearer " + key}
	    if kind: head["Content-Type"] = kind
	    query = "?" + urllib.parse.urlencode(query) if query else ""
	    connection.request(method, path + query, body, head)
	    r = connection.getresponse()
	    return r.status, r.read().decode(), sorted(k.lower() for k, _ in r.getheaders() if k.lower() not in ("date", "content-length"))
	def plain(text, name):
	    if name == "cursor": text = re.sub(r"\"messages\":\[.*\]", "", text)	# its own, from another place on
	    text = re.sub(r"\"request_id\":\"[^\"]*\"", "", text)
	    text = re.sub(r"\"next\":\"\d+\"|\"id\":\"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}\"", "", text)	# a message that was queued has an id of its own
	    return re.sub(r"found .{,50}?, allowed", "", text)	# what was asked
	places = []		# where a guess may stand: (method, path, its query parameter or None, body with a guess, type)
	for path, item in api["paths"].items():
	    for method, op in item.items():
	        if method == "parameters" or op.get("security") == []: continue
	        method, kind, bodies = method.upper(), None, [None]
	        if "requestBody" in op and "application/json" in op["requestBody"]["content"]:
	            kind = "application/json"
	            bodies = [lambda g: {"account_id": g}, lambda g: {"tenant_id": g}, lambda g: {"type": "image", "image": {"media": g}}] if "/messages" in path or "/send" in path else [lambda g: {"about": "taken over"}]
	        if "{id}" in path: places += [(method, path, None, b, kind) for b in bodies]
	        elif kind: places += [(method, path, None, b, kind) for b in bodies if "/messages" in path]
	        names = [p["name"] for p in op.get("parameters", []) if p["in"] == "query"] + ["tenant", "tenant_id", "account", "ref", "id"]
	        if path != "/v1/media": places += [(method, path.replace("{id}", rnd.choice(theirs)), name, bodies[0], kind) for name in names if not kind or "{id}" in path]
	def message(extra): return json.dumps({"to": "+4915200000009", "type": "text", "text": {"body": "guess"}, **extra})
	def guess_at(place, guess):
	    method, path, name, body, kind = place
	    full = path.replace("{id}", urllib.parse.quote(guess, safe=""))
	    extra = body(guess) if body else None
	    text = None if extra is None else json.dumps(extra) if "/messages" not in path else message(extra)
	    return ask(method, full, {name: guess} if name else None, text, kind)
	def fits(place, guess): return bool(guess) or place[2] or "{id}" not in place[1]
	todo = [(p, i, lambda s: s) for p in places for i in range(len(theirs))]
	todo = todo[:] if len(todo) <= n else rnd.sample(todo, n)
	todo += [(rnd.choice(places), rnd.randrange(len(theirs)), rnd.choice(mutations)) for _ in range(n - len(todo))]
	statuses, bad = {}, 0
	for place, i, mutate in todo:
	    s = mutate(theirs[i]); nothing = mutate(nobody(theirs[i]))
	    if not fits(place, s): s = nothing = "x"
	    one, other = guess_at(place, s), guess_at(place, nothing)
	    statuses[one[0]] = statuses.get(one[0], 0) + 1
	    same = one[0] == other[0] and one[2] == other[2] and plain(one[1], place[2]) == plain(other[1], place[2])
	    leaks = [w for w in ("victim", "t1-a", number, waba, sha, held, handle, wamid, "secret_offer", "order-1", "dead-1") if w in one[1] and w not in s]
	    if not same or leaks:
	        bad += 1; print(place[:3], repr(s), repr(nothing), leaks, one, other, sep="\n  ")
	        if bad > 5: break
	print(len(places), "places,", len(todo), "guesses:", statuses)
	assert not bad and 404 in statuses and 422 in statuses and len(places) > 60
	PY
'
test_expect_success 'a message of the one with a file of the other is not sent' '
	for ref in "sha256:$sha" "$handle"; do
		TENANT=t2 mine /v1/messages --json "{\"id\":\"g-${ref:0:2}\",\"to\":\"+4915200000008\",\"type\":\"image\",\"image\":{\"media\":\"$ref\"}}" || return 1
	done; wait_for "wamctl -j dlq show t2 g-sh | grep -q media_not_here && wamctl -j dlq show t2 g-m. | grep -q media_not_here"
'
test_expect_success 'a cursor of the other is a place, and not its messages' '
	none="[.messages[].id | select(test(\"^(v[0-9]|order-1|dead-1|$held)\"))] == []" &&
	python3 -c "import json; print(json.dumps([{\"id\": \"v%d\" % i, \"to\": \"+49152%08d\" % (100 + i), \"type\": \"text\", \"text\": {\"body\": \"x\"}} for i in range(300)]))" >many && mine /v1/messages --json @many &&
	mine "/v1/messages?limit=1" && cursor=$(jq -r .next answer) && [[ $cursor != null ]] && TENANT=t2 mine "/v1/messages?cursor=$cursor" && jq -e "$none" answer &&
	for i in $(seq 30); do TENANT=t2 mine "/v1/messages?cursor=$RANDOM" && jq -e "$none" answer >/dev/null || return 1; done
'
test_expect_success "a hundred posts at once with one key, $keys times: one message each" '
	python3 - "$API_LISTEN" "$(key_of t1)" $keys <<-"PY" &&
	import collections, http.client, json, sys, threading
	listen, key, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
	results, start = collections.defaultdict(list), threading.Barrier(100)
	def client():
	    c = http.client.HTTPConnection(listen, timeout=60)
	    c.connect()
	    for k in range(n):
	        start.wait()
	        c.request("POST", "/v1/messages", json.dumps({"to": "+49152%08d" % (1000 + k), "type": "text", "text": {"body": "crowd-%d." % k}}),
	                  {"Authorization": "Bearer " + key, "Idempotency-Key": "crowd-%d" % k, "Content-Type": "application/json"})
	        r = c.getresponse(); results[k].append((r.status, r.read().decode()))
	threads = [threading.Thread(target=client) for _ in range(100)]
	for t in threads: t.start()
	for t in threads: t.join()
	print(collections.Counter(status for r in results.values() for status, _ in r))
	for k, r in results.items():
	    assert len(r) == 100 and all(status in (202, 409) for status, _ in r) and len({body for status, body in r if status == 202}) == 1, (k, r)
	PY
	wait_for "[[ \$(sandbox_ledger | grep -o \"crowd-[0-9]*\\.\" | sort -u | wc -l) -eq $keys && \$(depth whatsapp.outbound) -eq 0 ]]" &&
	[[ $(sandbox_ledger | grep -c "crowd-[0-9]*\\.") -eq $keys ]]
'
test_done
