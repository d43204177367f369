#!/usr/bin/env bash
# GET /metrics and GET /v1/history: what they say is what happened, they never go back, and they wait for nobody.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(limit_(queueing|approaching)|held|message_refused) state=raised'
expect_log 'child_died sender'
expect_log 'amqp_down|redis_down'

count=600
[[ ${WAMD_LONG:-} ]] && count=6000
promtool=$(command -v promtool || echo "$(dirname "$T")/build/prometheus/usr/bin/promtool")
scrape() { curl -sS --max-time 2 "$METRICS/metrics"; }
# value NAME [LABELS-PATTERN]: the sum of a metric's samples.
value() {
	scrape | awk -v name="$1" -v labels="${2:-}" '{ split($1, a, "{") }
		a[1] == name && (labels == "" || $0 ~ labels) { sum += $NF; n++ } END { if (!n) exit 1; printf "%d\n", sum }'
}
is() {
	local found
	found=$(value "${@:2}")
	[[ $found -eq $1 ]] || { echo "$2 ${3-}: $found, not $1"; return 1; }
}
# never_back OLD NEW: each counter and bucket of the one is in the other, and no smaller.
never_back() {
	python3 - "$1" "$2" <<-'PY'
	import re, sys
	def read(f):
	    return {k: float(v) for k, v in (l.rsplit(" ", 1) for l in open(f) if l.strip() and l[0] != "#")}
	old, new = map(read, sys.argv[1:])
	grows = [k for k in old if re.match(r"wamd_\w+(_total|_bucket|_count|_sum)\b", k)]
	assert len(grows) > 100, len(grows)
	for k in grows:
	    assert k in new and new[k] >= old[k], (k, old[k], new.get(k))
	PY
}

test_expect_success 'a stack with metrics on a port of its own; only loopback may be named' '
	port=$(python3 -c "import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])") &&
	METRICS=http://127.0.0.1:$port &&
	stack_up --api --own-broker --senders 2 --tenants 2 --accounts 2 --rate 100000 --sandbox-args "--rate 0 --pair off --delay 20-60" \
		--set metrics.listen=127.0.0.1:$port --set metrics.accounts=3 --set amqp.reconnect_max=1s &&
	printf "metrics: { listen = \"0.0.0.0:9464\"; };\n" >bad.conf && ! "$WAMD_BUILD/wamd" -t -f bad.conf 2>err &&
	test_grep "metrics.listen: found .*own addresses" err
'
test_expect_success 'the port answers /metrics to readers and nothing else; the admin socket and wamctl say the same' '
	[[ $(curl -s -o /dev/null -w "%{http_code} %{content_type}" $METRICS/metrics) == "200 text/plain; version=0.0.4"* ]] &&
	[[ $(curl -s -o /dev/null -w %{http_code} $METRICS/v1/status) == 404 ]] &&
	[[ $(curl -s -o /dev/null -w %{http_code} -X POST $METRICS/metrics) == 405 ]] &&
	wamctl metrics >page && test_grep "^wamd_info\{version=" page && test_grep "^wamd_sent_total\{role=\"sender\",number=\"1\"\} 0$" page
'
test_expect_success "$count messages: the numbers are those of the ledger" '
	feed --count $count --rate 200 --prefix good --on-unknown at_most_once --timeout 120 &&
	at_rest && [[ $(accepted) -eq $count ]] &&
	wait_for "is $count wamd_sent_total" && is $count wamd_answers_total "outcome=\"sent\"" &&
	is $count wamd_graph_seconds_count && is $count wamd_added_latency_seconds_count && is $count wamd_queue_wait_seconds_count &&
	is $((2 * count)) wamd_redis_seconds_count && is $count wamd_graph_seconds_bucket "le=\"\+Inf\"" &&
	is 0 wamd_graph_seconds_bucket "le=\"0.01\"" && is $count wamd_posted_total
'
test_expect_success 'dead letters by reason, and how many wait; what the broker and Redis know comes within a survey' '
	printf "%s\n" "{\"raw\":\"nonsense\"}" | publish && wait_for "is 1 wamd_dead_letters_total reason=.not_json" &&
	wamctl hold set t1 --account t1-a1 --for 1h --reason "a look" && kill -HUP "$WAMD_PID" &&
	wait_for "is 2 wamd_generation && is 1 wamd_dead_letters_waiting && is 1 wamd_holds_active scope=.account" 40 &&
	is 1 wamd_account_held account=.t1-a1 && is 0 wamd_account_held account=.t1-a2 && wamctl hold release t1 --account t1-a1 &&
	is 1 wamd_queue_messages "outbound.dlq"
'
test_expect_success 'series of accounts are capped, and it is said how many are left out' '
	[[ $(scrape | grep -c "^wamd_account_rate{") -eq 3 ]] && is 1 wamd_accounts_left_out && is 4 wamd_accounts &&
	! scrape | grep -E "\"49[0-9]{5}" && ! scrape | grep -F "$(number_of t1-a1)"
'
test_expect_success 'requests to the HTTP API are timed' '
	api /v1/accounts >/dev/null && wait_for "[[ \$(value wamd_request_seconds_count) -ge 1 ]]"
'
test_expect_success 'nothing goes back when a sender is killed, or at a reload' '
	scrape >before && wait_for "[[ \$(value wamd_sent_total) -ge $count ]]" &&
	pid=$(wamctl -j status | python3 -c "import json, sys; print(next(p[\"pid\"] for p in json.load(sys.stdin)[\"processes\"] if p[\"role\"] == \"sender\"))") &&
	kill -KILL "$pid" && wait_for "is 1 wamd_crashes_total" && wait_for "wamctl status" && scrape >killed && never_back before killed &&
	kill -HUP "$WAMD_PID" && wait_for "is 3 wamd_generation && wamctl status && is 0 wamd_window" && scrape >reloaded && never_back killed reloaded &&
	feed --count 50 --rate 200 --prefix again --on-unknown at_most_once --timeout 60 &&
	wait_for "is $((count + 50)) wamd_sent_total" && scrape >after && never_back reloaded after && [[ $(accepted) -eq $((count + 50)) ]]
'
test_expect_success 'an upgrade keeps the port' '
	kill -USR2 "$WAMD_PID" && wait_for "is 1 wamd_upgrades_total && wamctl status" && scrape >upgraded && never_back after upgraded
'
# history_has N: the ring adds up to N messages that were sent.
history_has() {
	wamctl -j history >history.json && python3 - history.json "$1" <<-\PY
	import json, sys
	h = json.load(open(sys.argv[1]))
	s = h["series"]
	assert h["step_s"] == 5 and h["at_ms"] % 5000 == 0
	assert all(len(v) == 180 for v in s.values()), s
	assert s["sent"][0] is None and s["sent"][-1] is not None
	assert sum(v or 0 for v in s["sent"]) == int(sys.argv[2]), s["sent"]
	p50, p99 = ([v for v in s["graph_" + q + "_ms"] if v is not None] for q in ("p50", "p99"))
	assert 10 <= max(p50) <= 200 and max(p99) >= max(p50), (p50, p99)
	PY
}
test_expect_success 'the last 15 minutes have it: sums are what was sent, gaps are null' '
	wait_for "history_has $((count + 50)) 2>/dev/null" 20 && wamctl history >shown && test_grep "^MINUTE +RECEIVED" shown && test_grep "^-1 " shown
'
if [[ -x $promtool ]]; then
	test_expect_success 'promtool finds nothing wrong with the page, and the rules do what their tests say' '
		scrape | "$promtool" check metrics && cp "$(dirname "$T")"/etc/examples/prometheus-rules*.yml . &&
		"$promtool" check rules prometheus-rules.yml && "$promtool" test rules prometheus-rules-test.yml
	'
else
	echo "# no promtool here: its word on the page and the tests of the rules are left out (make promtool gets it)"
fi
test_expect_success 'rules and dashboard name no metric that is not there' '
	scrape >page && python3 "$T/metric-names" page "$(dirname "$T")"/etc/examples/prometheus-rules.yml "$(dirname "$T")"/etc/examples/grafana-dashboard.json
'
test_expect_success 'a scrape answers at once while Redis and broker are away' '
	stack kill-redis && stack kill-broker && scrape >gone && never_back upgraded gone &&
	wait_for "is 0 wamd_senders_ready" && [[ $(curl -s -o /dev/null -w "%{time_total}" $METRICS/metrics) < 0.5 ]] &&
	wait_for "[[ \$(value wamd_survey_age_seconds of=.redis) -ge 1 ]]" && wait_for "[[ \$(value wamd_redis_lost_total) -ge 1 && \$(value wamd_amqp_lost_total) -ge 1 ]]"
'
stack start-broker >/dev/null 2>&1; stack start-redis >/dev/null 2>&1
test_expect_success 'lines of the log are JSON objects when that is asked for' '
	wait_for "wamctl status" 60 && lines=$(wc -l <"$DIR/wamd.log") && printf "log: { format = \"json\"; };\n" >"$DIR/conf.d/99-json.conf" &&
	kill -HUP "$WAMD_PID" && wait_for "grep -q \"^{.*\\\"event\\\":\\\"reloaded\\\"\" $DIR/wamd.log" && wait_for "is 0 wamd_window && wamctl status" &&
	feed --count 5 --rate 200 --prefix json --on-unknown at_most_once --timeout 60 && wait_for "grep -c \"\\\"event\\\":\\\"settled\\\"\" $DIR/wamd.log | grep -qx 5" &&
	python3 - "$DIR/wamd.log" "$lines" <<-\PY
	import json, sys
	seen = set()
	for line in list(open(sys.argv[1]))[int(sys.argv[2]):]:
	    if line[0] != "{":          # of those that still drain
	        continue
	    o = json.loads(line)
	    assert o["time"][-1] == "Z" and o["level"] in ("debug", "info", "notice", "warn", "error"), o
	    seen.add((o["event"], o["who"].split("[")[0]))
	    if o["event"] == "settled":
	        assert o["fields"]["outcome"] == "sent" and o["fields"]["tenant"] in ("t1", "t2"), o
	assert ("settled", "sender") in seen and ("reloaded", "wamd") in seen, seen
	PY
'

test_done
