#!/usr/bin/env bash
# What strangers do to the door of webhooks: forge and mutate signatures, hold connections; and a broker that is away in the middle.
. "$(dirname "$0")/lib.sh"

forged=2000 slow=200
[[ ${WAMD_LONG-} ]] && forged=100000 slow=2000
expect_log 'warn (sender|api).* (amqp|redis)_down'
expect_log 'alert kind=(held|limit_approaching|limit_queueing) state=raised'

test_expect_success 'a stack that takes webhooks, and 50 messages that Graph took' '
	printf "the-secret\n" >app.secret && chmod 600 app.secret && ulimit -n "$(ulimit -H -n)" &&
	stack_up --own-broker --api --no-breakers --senders 1 --tenants 1 --accounts 1 --rate 2000 --sandbox-args "--rate 0 --pair off" \
		--set "webhook.apps=[\"main=$TRASH/app.secret\"]" --set api.connections=100 --set api.slow_timeout=20s &&
	feed --count 50 --prefix m && wait_for "[[ \$(accepted) -eq 50 ]]" && wait_for at_rest &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]"
'
# webhooks STATUS EACH: lines with EACH messages in one webhook, as Meta would tell their status.
webhooks() {
	sandbox_ledger | python3 -c '
import json, sys, time
word, each = sys.argv[1], int(sys.argv[2])
rows = [r for r in map(json.loads, sys.stdin) if r["accepted"]]
for i in range(0, len(rows), each):
    print(json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": sys.argv[3]}, "statuses": [
            {"id": r["wamid"], "status": word, "timestamp": str(int(time.time())), "recipient_id": "1",
             "biz_opaque_callback_data": r["body"]["biz_opaque_callback_data"]} for r in rows[i:i + each]]}}]}]}))' "$1" "$2" "$(number_of t1-a1)"
}
post_lines() { "$WAMD_BUILD/wamd-load" post --to "$API_URL/webhooks/whatsapp/main" --lines "$@"; }
# told STATUS: how many events have it, and how many messages they are about.
told() { load peek --queue t.events | python3 -c '
import json, sys
ids = [e["id"] for e in (json.loads(l)["body"] for l in sys.stdin) if e["status"] == sys.argv[1]]
print(len(ids), len(set(ids)))' "$1"; }

test_expect_success "$forged webhooks whose signature is forged or mutated: all are refused, and nothing of them is read" '
	webhooks delivered 1 >lines && python3 - "$API_LISTEN" $forged <<-\PY &&
		import collections, hashlib, hmac, http.client, random, sys
		random.seed(1)
		bodies = open("lines", "rb").read().splitlines()
		def mutated(data):
		    at = random.randrange(len(data))
		    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1:]
		def sign(body, secret=b"the-secret", digest=hashlib.sha256): return hmac.new(secret, body, digest).hexdigest()
		# Each gives what is sent: body, header (None: none).
		forgeries = [
		    lambda b: (mutated(b), "sha256=" + sign(b)),
		    lambda b: (b + b" ", "sha256=" + sign(b)),
		    lambda b: (b[:-1], "sha256=" + sign(b)),
		    lambda b: (b, "sha256=" + sign(b)[:-1] + "0123456789abcdef"[int(sign(b)[-1], 16) ^ 1 << random.randrange(4)]),
		    lambda b: (b, "sha256=" + sign(b, b"another-secret")),
		    lambda b: (b, "sha256=" + sign(b, b"the-secret\n")),
		    lambda b: (b, "sha256=" + sign(b)[:-2]),
		    lambda b: (b, "sha256=" + sign(b) + "00"),
		    lambda b: (b, "SHA256=" + sign(b)),
		    lambda b: (b, sign(b)),
		    lambda b: (b, "sha1=" + sign(b, digest=hashlib.sha1)),
		    lambda b: (b, "sha256=" + hashlib.sha256(b).hexdigest()),
		    lambda b: (b, "sha256=" + "%064x" % random.getrandbits(256)),
		    lambda b: (b, "sha256="), lambda b: (b, ""), lambda b: (b, None)]
		host, port = sys.argv[1].rsplit(":", 1)
		c, seen = http.client.HTTPConnection(host, int(port)), collections.Counter()
		for i in range(int(sys.argv[2])):
		    body, header = forgeries[i % len(forgeries)](bodies[i % len(bodies)])
		    c.request("POST", "/webhooks/whatsapp/main", body, {"X-Hub-Signature-256": header} if header is not None else {})
		    answer = c.getresponse(); answer.read(); seen[answer.status] += 1
		print(seen)
		assert seen == {401: int(sys.argv[2])}
	PY
	[[ $(total webhooks_forged) -eq $forged && $(total webhooks) -eq 0 && $(total statuses) -eq 0 && $(total webhooks_later) -eq 0 ]] && ! grep webhook_ "$DIR/wamd.log" &&
	[[ $(told delivered) == "0 0" ]]
'
test_expect_success 'the same bodies with their signature are taken' '
	post_lines lines --sign app.secret --connections 4 >report && cat report && wait_for "[[ \$(told delivered) == \"50 50\" ]]"
'
# More than there may be connections, each with half a head or half a body; "held" while it is there, "cut" says how many were closed.
hold() {
	python3 - "$API_LISTEN" "$slow" <<-'PY'
	import os, select, socket, sys, time
	host, port = sys.argv[1].rsplit(":", 1)
	held = []
	for i in range(int(sys.argv[2])):
	    s = socket.create_connection((host, int(port)))
	    try: s.sendall(b"POST /webhooks/whatsapp/main HTTP/1.1\r\nHost: x\r\n" + (b"X-Slow: " if i % 2 else b"Content-Length: 5000\r\n\r\n{"))
	    except OSError: pass
	    held.append(s)
	open("held", "w").close()
	while os.path.exists("hold"):		# a byte now and then, as those do who want to stay
	    for s in held:
	        try: s.send(b"x")
	        except OSError: pass
	    time.sleep(.2)
	PY
}
test_expect_success "$slow connections that hang, more than may be open, and good webhooks come through, none of them late" '
	webhooks read 1 >lines && touch hold && { hold & } && holder=$! && wait_for "[[ -e held ]]" 60 &&
	post_lines lines --sign app.secret --connections 4 --rate 50 >report; rc=$?; cat report; rm hold; wait "$holder"
	[[ $rc -eq 0 ]] && python3 -c "import json; r = json.load(open(\"report\")); assert r[\"good\"] == 50 and r[\"ms\"][\"p99\"] < 1000" &&
	wait_for "[[ \$(told read) == \"50 50\" ]]"
'
test_expect_success 'without a broker a webhook of 50 statuses is answered with 503, and nothing is half-stored: told again, each is told once' '
	webhooks played 50 >lines && [[ $(wc -l <lines) -eq 1 ]] && stack kill-broker && wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 503 ]]" &&
	later=$(total webhooks_later) && ! post_lines lines --sign app.secret >report && cat report && [[ $(total webhooks_later) -eq $((later + 1)) ]] &&
	stack start-broker && wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]" 60 && [[ $(told played) == "0 0" ]] &&
	wait_for "post_lines lines --sign app.secret >report" && [[ $(told played) == "50 50" ]] &&
	before=$(total statuses_again) && post_lines lines --sign app.secret >report && [[ $(told played) == "50 50" && $(total statuses_again) -eq $((before + 50)) ]]
'
test_done
