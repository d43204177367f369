#!/usr/bin/env bash
# The sandbox as Meta's sender of webhooks: what a receiver on loopback gets of accepted messages, and how it is tried again.
. "$(dirname "$0")/lib.sh"

umask 077
cat >accounts.json <<'E'
[{"tenant_id":"t1","account_id":"t1-a1","phone_number_id":"100001","waba_id":"9001","access_token":"TOKEN-1","app_id":"777","app_secret":"one"},
 {"tenant_id":"t2","account_id":"t2-a1","phone_number_id":"200001","waba_id":"9002","access_token":"TOKEN-2","app_id":"778","app_secret":"two"}]
E
# A line of `seen` for each webhook: path, how it was answered, whether its signature was right, the body.  `mode` says what is answered:
# a status, "late" (not before the mode is another), or "drop" (the connection ends).
cat >receiver.py <<'E'
import hashlib, hmac, http.server, json, threading, time
lock = threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args):
        pass
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) < int(self.headers["Content-Length"]):
            with lock, open("torn", "a") as f:
                f.write("x\n")
            return
        secret = b"two" if self.path == "/hooks/two" else b"one"
        want = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        mode = open("mode").read().strip()
        line = {"path": self.path, "mode": mode, "good": want == self.headers.get("X-Hub-Signature-256"), "t": time.time(),
                "port": self.client_address[1]}
        try:
            line["body"] = json.loads(body)
        except ValueError:
            line["raw"] = len(body)
        with lock, open("seen", "a") as f:
            f.write(json.dumps(line) + "\n")
        while mode == "late":
            time.sleep(.01)
            mode = open("mode").read().strip()
        if mode == "drop":
            self.close_connection = True
            return
        self.send_response(int(mode))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
E
echo 200 >mode
python3 receiver.py >receiver.out 2>receiver.err &
receiver=$!
"$WAMD_BUILD/wamd-sandbox" --accounts accounts.json --plain --rate 0 --pair off >sandbox.out 2>sandbox.log &
sandbox=$!
# shellcheck disable=SC2317 # called by trap
stop_all() {
	local rc=$?
	kill "$sandbox" "$receiver" 2>/dev/null
	wait "$sandbox" "$receiver"
	(exit "$rc")
	test_cleanup
}
trap stop_all EXIT

order() {	# PATH JSON: answered with 200; the answer is in out
	[[ $(curl -gsS -o out -w '%{http_code}' "$url/_sandbox/$1" -d "$2") == 200 ]] || { cat out; return 1; }
}
send() {	# NUMBER HOW_MANY [CALLBACK]: that many messages, Graph's answers in answers.  Some may have none.
	local token=TOKEN-${1:0:1} message i
	for ((i = 0; i < $2; i++)); do
		message="{'messaging_product':'whatsapp','to':'+1650555$((1000 + i))','type':'text','biz_opaque_callback_data':'${3-cb}-$i',"
		message+="'text':{'body':'hello'}}"
		printf 'url="%s"\nheader="Authorization: Bearer %s"\ndata="%s"\nnext\n' "$url/v25.0/$1/messages" "$token" "${message//\'/\\\"}"
	done | sed '$d' | curl -gsS -K - >answers 2>/dev/null || :
}
fresh() { : >seen; : >torn; echo 200 >mode; curl -gsS -X POST "$url/_sandbox/reset" >/dev/null; }
seen_is() {	# PYTHON: about seen (webhooks), got (its statuses in their order), stats, ledger (entries)
	curl -gsS "$url/_sandbox/stats" >stats && curl -gsS "$url/_sandbox/ledger" >ledger && python3 - "$1" <<-'E'
	import collections, json, sys
	seen = [json.loads(line) for line in open("seen")]
	got = [s for w in seen if "body" in w for e in w["body"].get("entry", []) for c in e["changes"]
	       for s in c["value"].get("statuses", [])]
	stats = json.load(open("stats"))["webhooks"]
	ledger = [json.loads(line) for line in open("ledger")]
	by = collections.defaultdict(list)
	for s in got:
	    by[s["id"]].append(s["status"])
	assert eval(sys.argv[1]), (stats, dict(by), seen[:3], ledger[:3])
	E
}
stats_are() { curl -gsS "$url/_sandbox/stats" | python3 -c "import json, sys; s = json.load(sys.stdin)['webhooks']; sys.exit(not ($1))"; }
all_in() { wait_for 'stats_are "s[\"pending\"] == 0"' 20; }

test_expect_success 'receiver and sandbox listen' '
	wait_for "grep -q ^listening sandbox.out && grep -q . receiver.out" 20 &&
	url=$(sed -n "s/^listening //p" sandbox.out) && to=http://127.0.0.1:$(cat receiver.out)
'
test_expect_success 'without an order there are none' '
	fresh && send 100001 2 && seen_is "not seen and stats[\"news\"] == 0 and len(ledger) == 2 and ledger[0][\"webhooks\"] == {}"
'
test_expect_success 'each accepted message is sent, delivered and read, signed, in order and as Meta writes it' '
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"connections\":1}" && send 100001 20 && all_in &&
	seen_is "all(w[\"good\"] and w[\"path\"] == \"/hooks/one\" for w in seen) and len(by) == 20 and len(seen) == 60" &&
	seen_is "all(v == [\"sent\", \"delivered\", \"read\"] for v in by.values()) and len({w[\"port\"] for w in seen}) == 1" &&
	seen_is "sorted(by) == sorted(e[\"wamid\"] for e in ledger)" &&
	seen_is "all(e[\"webhooks\"] == {\"sent\": 1, \"delivered\": 1, \"read\": 1} for e in ledger)" &&
	seen_is "all({\"id\": s[\"id\"], \"callback\": s[\"biz_opaque_callback_data\"]} in [{\"id\": e[\"wamid\"], \"callback\": e[\"callback\"]} for e in ledger] for s in got)" &&
	seen_is "all(type(s[\"timestamp\"]) is str and s[\"timestamp\"].isdigit() and s[\"recipient_id\"].startswith(\"1650555\") and \"conversation\" not in s for s in got)" &&
	seen_is "all((\"pricing\" in s) == (s[\"status\"] != \"read\") for s in got)" &&
	seen_is "seen[0][\"body\"][\"object\"] == \"whatsapp_business_account\" and seen[0][\"body\"][\"entry\"][0][\"id\"] == \"9001\"" &&
	seen_is "seen[0][\"body\"][\"entry\"][0][\"changes\"][0][\"value\"][\"metadata\"][\"phone_number_id\"] == \"100001\"" &&
	seen_is "stats[\"delivered_news\"] == 60 and stats[\"posts\"] == 60 and stats[\"answer_ms\"][\"max\"] >= stats[\"answer_ms\"][\"p50\"] > 0"
'
test_expect_success 'statuses come in batches, of several numbers, and no status is torn from its number' '
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"batch\":1000,\"batch_ms\":1000}" &&
	send 100001 50 && send 200001 50 && all_in &&
	seen_is "len(got) == 300 and len(seen) < 20 and all(w[\"good\"] for w in seen) and all(v == [\"sent\", \"delivered\", \"read\"] for v in by.values())" &&
	seen_is "all(e[\"id\"] == {\"100001\": \"9001\", \"200001\": \"9002\"}[c[\"value\"][\"metadata\"][\"phone_number_id\"]] for w in seen for e in w[\"body\"][\"entry\"] for c in e[\"changes\"])" &&
	seen_is "all(len(e[\"changes\"]) == 1 for w in seen for e in w[\"body\"][\"entry\"])"
'
test_expect_success 'business accounts have orders of their own, the others none' '
	fresh && order webhooks "[{\"url\":\"$to/hooks/two\",\"secret\":\"two\",\"wabas\":[\"9002\"],\"statuses\":[\"sent\"]}]" &&
	send 100001 3 && send 200001 3 && all_in &&
	seen_is "len(seen) == 3 and all(w[\"good\"] and w[\"path\"] == \"/hooks/two\" and w[\"body\"][\"entry\"][0][\"id\"] == \"9002\" for w in seen)"
'
test_expect_success 'shuffled, doubled and dropped statuses, and failures' '
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"shuffle\":true,\"latency_ms\":[0,20]}" && send 100001 60 && all_in &&
	seen_is "len(got) == 180 and any(v != [\"sent\", \"delivered\", \"read\"] for v in by.values()) and all(sorted(v) == [\"delivered\", \"read\", \"sent\"] for v in by.values())" &&
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"duplicates\":1,\"latency_ms\":[0,5],\"statuses\":[\"sent\",\"delivered\"]}" &&
	send 100001 10 && all_in &&
	seen_is "len(got) == 40 and all(v.count(\"sent\") == v.count(\"delivered\") == 2 for v in by.values()) and stats[\"duplicates\"] == 20" &&
	seen_is "all(e[\"webhooks\"] == {\"sent\": 2, \"delivered\": 2} for e in ledger)" &&
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"drop\":1}" && send 100001 5 &&
	seen_is "not seen and stats[\"dropped\"] == 15 and stats[\"pending\"] == 0" &&
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"fail\":{\"rate\":1,\"code\":131026}}" && send 100001 5 && all_in &&
	seen_is "len(got) == 5 and all(s[\"status\"] == \"failed\" and s[\"errors\"][0][\"code\"] == 131026 and s[\"errors\"][0][\"error_data\"][\"details\"] for s in got)" &&
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"read_rate\":0.5}" && send 100001 100 && all_in &&
	seen_is "20 < sum(\"read\" in v for v in by.values()) < 80 and all(\"delivered\" in v for v in by.values())"
'
test_expect_success 'what is not answered with 200 comes again, later and later, until it is' '
	fresh && echo 503 >mode &&
	order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"statuses\":[\"sent\"],\"retry_ms\":[20,80]}" && send 100001 2 &&
	wait_for "stats_are \"s[\\\"refused\\\"] >= 12\"" 20 && echo 200 >mode && all_in &&
	seen_is "all(len(v) >= 6 for v in by.values()) and stats[\"refused\"] + stats[\"lost\"] == stats[\"retries\"] and stats[\"refused\"] + 2 <= len(seen) <= stats[\"retries\"] + 2 and stats[\"delivered\"] == 2" &&
	seen_is "all(e[\"webhooks\"] == {\"sent\": 1} for e in ledger) and all(w[\"good\"] for w in seen)" &&
	seen_is "[b - a for t in [[w[\"t\"] for w in seen if w[\"body\"][\"entry\"][0][\"changes\"][0][\"value\"][\"statuses\"][0][\"id\"] == ledger[0][\"wamid\"]]] for a, b in zip(t[1:4], t[2:5])][0] >= .04" &&
	fresh && echo 201 >mode && send 100001 1 && wait_for "stats_are \"s[\\\"refused\\\"] >= 2\"" 20 &&
	echo drop >mode && wait_for "stats_are \"s[\\\"lost\\\"] >= 2\"" 20 && echo 200 >mode && all_in && seen_is "stats[\"delivered\"] == 1"
'
test_expect_success 'a receiver that takes long, one that never answers, webhooks that are cut' '
	fresh && echo late >mode &&
	order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"statuses\":[\"sent\"],\"timeout_ms\":100,\"retry_ms\":[20,20],\"connections\":4}" &&
	send 100001 8 && wait_for "stats_are \"s[\\\"lost\\\"] >= 8\"" 20 && seen_is "stats[\"in_flight\"] <= 4 and stats[\"delivered\"] == 0" &&
	echo 200 >mode && all_in && seen_is "len(by) == 8 and stats[\"delivered\"] == 8" &&
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"statuses\":[\"sent\"],\"cut\":0.5,\"retry_ms\":[1,1]}" &&
	send 100001 40 && all_in && seen_is "len(got) == 40 and stats[\"lost\"] > 5" && wait_for "[[ \$(wc -l <torn) == $(python3 -c "import json; print(json.load(open(\"stats\"))[\"webhooks\"][\"lost\"])") ]]" 20
'
test_expect_success 'nobody there, then another URL: what waits goes to the new one' '
	fresh && order webhooks "{\"url\":\"http://127.0.0.1:1/none\",\"secret\":\"x\",\"statuses\":[\"sent\"],\"retry_ms\":[20,20]}" && send 200001 3 &&
	wait_for "stats_are \"s[\\\"lost\\\"] >= 6\"" 20 && order webhooks "{\"url\":\"$to/hooks/two\",\"secret\":\"two\",\"retry_ms\":[20,20]}" && all_in &&
	seen_is "len(got) == 3 and all(w[\"good\"] for w in seen) and stats[\"delivered\"] == 3"
'
test_expect_success 'a pause holds everything, the end of it lets everything go; a clear forgets it' '
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"pause\":true,\"connections\":1}" && send 100001 5 &&
	seen_is "not seen and stats[\"pending\"] == 15 and stats[\"paused\"]" && order webhooks "{\"pause\":false}" && all_in &&
	seen_is "all(v == [\"sent\", \"delivered\", \"read\"] for v in by.values()) and len(by) == 5" &&
	order webhooks "{\"pause\":true}" && : >seen && send 100001 5 && curl -gsS -X DELETE "$url/_sandbox/webhooks" >out &&
	seen_is "not seen and stats[\"pending\"] == 0 and not stats[\"paused\"]" && send 100001 1 && seen_is "stats[\"pending\"] == 0"
'
test_expect_success 'a message whose answer was lost has its webhooks; one that was not accepted has none' '
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\",\"statuses\":[\"sent\"]}" &&
	order faults "[{\"fault\":\"accept_then_cut\",\"match\":{\"callback_prefix\":\"acc\"}},{\"fault\":\"refuse_then_cut\",\"match\":{\"callback_prefix\":\"ref\"}}]" &&
	send 100001 3 acc && send 100001 3 ref && all_in &&
	seen_is "len(ledger) == 6 and len(got) == 3 and all(s[\"biz_opaque_callback_data\"].startswith(\"acc\") for s in got)"
'
test_expect_success 'webhooks of a test of its own: good, badly signed, unsigned, no JSON, large' '
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\"}" &&
	order webhooks/send "{\"body\":{\"object\":\"x\",\"entry\":[]}}" && grep -q "\"status\":200,\"ms\":" out &&
	order webhooks/send "{\"body\":{},\"signature\":\"bad\"}" && order webhooks/send "{\"body\":{},\"signature\":\"none\"}" &&
	order webhooks/send "{\"raw\":\"no JSON\"}" && order webhooks/send "{\"body\":{\"n\":1},\"url\":\"$to/hooks/two\",\"secret\":\"two\"}" &&
	order webhooks/send "{\"body\":{},\"pad\":5000000}" &&
	seen_is "[w[\"good\"] for w in seen] == [True, False, False, True, True, True] and seen[3][\"raw\"] == 7 and seen[4][\"path\"] == \"/hooks/two\"" &&
	echo 401 >mode && order webhooks/send "{\"body\":{}}" && grep -q "\"status\":401" out &&
	order webhooks/send "{\"body\":{},\"url\":\"http://127.0.0.1:1/\"}" && grep -q "\"status\":0,.*\"error\":" out &&
	! order webhooks/send "{\"body\":{},\"url\":\"http://192.0.2.1:80/\"}" && ! order webhooks/send "{}"
'
test_expect_success 'a user writes, and any field comes' '
	fresh && order webhooks "{\"url\":\"$to/hooks/one\",\"secret\":\"one\"}" &&
	order webhooks/inbound "{\"phone_number_id\":\"100001\",\"from\":\"16505551234\",\"text\":\"hi\"}" && all_in &&
	seen_is "seen[0][\"good\"] and [(m[\"from\"], m[\"text\"][\"body\"], m[\"type\"]) for m in seen[0][\"body\"][\"entry\"][0][\"changes\"][0][\"value\"][\"messages\"]] == [(\"16505551234\", \"hi\", \"text\")]" &&
	order webhooks/inbound "{\"phone_number_id\":\"100001\",\"from_user_id\":\"US.1\",\"type\":\"reaction\",\"message\":{\"reaction\":{\"emoji\":\"x\"}}}" && all_in &&
	seen_is "seen[1][\"body\"][\"entry\"][0][\"changes\"][0][\"value\"][\"messages\"][0][\"reaction\"] == {\"emoji\": \"x\"}" &&
	order webhooks/field "{\"waba_id\":\"9001\",\"field\":\"account_review_update\",\"value\":{\"decision\":\"APPROVED\"}}" && all_in &&
	seen_is "seen[2][\"good\"] and seen[2][\"body\"][\"entry\"][0][\"changes\"] == [{\"field\": \"account_review_update\", \"value\": {\"decision\": \"APPROVED\"}}] and seen[2][\"body\"][\"entry\"][0][\"time\"] > 1e9" &&
	! order webhooks/inbound "{\"phone_number_id\":\"1\",\"from\":\"1\"}" && ! order webhooks/field "{\"field\":\"x\"}"
'
test_expect_success 'orders that make no sense change nothing' '
	for bad in "{}" "[{}]" "{\"url\":\"$to/x\"}" "{\"url\":\"$to/x\",\"secret\":\"s\",\"batch\":0}" "{\"url\":\"$to/x\",\"secret\":\"s\",\"drop\":2}" \
		"{\"url\":\"https://example.org/\",\"secret\":\"s\"}" "{\"url\":\"http://10.0.0.1:80/\",\"secret\":\"s\"}" "{\"pause\":1}" \
		"{\"url\":\"$to/x\",\"secret\":\"s\",\"nonsense\":1}" "{\"url\":\"$to/x\",\"secret\":\"s\",\"statuses\":[\"failed\"]}" \
		"{\"url\":\"$to/x\",\"secret\":\"s\",\"latency_ms\":[5,1]}"; do
		! order webhooks "$bad" && grep -q "\"error\":\"..*\"" out || return 1
	done &&
	fresh && send 100001 1 && all_in && seen_is "len(got) == 3"
'
test_expect_success 'the sandbox has logged nothing' '! grep -E " (warn|error) |Sanitizer|runtime error" sandbox.log'

test_done
