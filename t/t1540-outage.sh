#!/usr/bin/env bash
# Graph away for everybody: no storm of retries meanwhile, back at full speed soon after, nothing lost and nothing doubled.
# alone: it measures rates.
. "$(dirname "$0")/lib.sh"

expect_log 'warn sender\[[0-9]+\] (host_breaker|alert kind=host_breaker_open) state=(open|raised)'
expect_log 'alert kind=(breaker_open|limit_approaching|limit_queueing) state=raised'
rate=100 part=7 calm=1 after=16 server='["1s","3s","6s","12s","30s"]' connect='["200ms","1s","3s","12s","30s"]'
[[ -z ${WAMD_LONG-} ]] || rate=500 part=20 calm=20 after=35 server='["10s","30s","60s","120s","300s"]' connect='["2s","8s","30s","120s","300s"]'
posts() { sandbox_stats | python3 -c "import json, sys; s = json.load(sys.stdin); print(s['posts'] + s['partial'])"; }
now() { date +%s.%N; }
wait_until() { wait_for "python3 -c \"import sys, time; sys.exit(time.time() < $1)\"" 100; }	# a moment of the clock
proxy='' away=''
proxy_up() {	# PORT, 0: a free one.  Graph's address for wamd; without it nobody listens there
	rm -f "$TRASH/proxy.out"
	"$T/proxy" --listen "127.0.0.1:$1" --to "${SANDBOX_URL#https://}" >"$TRASH/proxy.out" &
	proxy=$!
	wait_for "[[ -f $TRASH/proxy.out && \$(wc -l <$TRASH/proxy.out) -gt 0 ]]" 10 && read -r _ proxy_port _ proxy_ctl <"$TRASH/proxy.out"
}
# What came to Graph, or was begun, while messages came in for so long.
during() {	# NAME
	local seen begun from
	seen=$(posts) begun=$(total posted) from=$(now) && wait_until "$(python3 -c "print($from + $part)")" &&
	seen=$(($(posts) - seen)) begun=$(($(total posted) - begun)) &&
	echo "$(date +%T) $1: $seen POSTs came to Graph, $begun were begun; $((rate * part)) messages came in" &&
	[[ $seen -le $((rate * part * 12 / 10 + 20)) && $begun -le $((rate * part * 12 / 10 + 20)) ]]
}
# Other faults, with nothing accepted between them: an answer that gets lost would be a double.
graph_changes() {	# JSON
	[[ -n $away ]] || { away=1; graph_faults "$1"; return; }
	"$T/proxy" --ctl "$proxy_ctl" refuse && "$T/proxy" --ctl "$proxy_ctl" drop-all && sandbox_curl faults -X DELETE && graph_faults "$1" &&
	"$T/proxy" --ctl "$proxy_ctl" pass
}
errors() { graph_changes '{"fault":"error","code":131016,"http":500}' && during 131016; }
silence() { graph_changes '[{"fault":"hang","accepted":false,"probability":0.5},{"fault":"refuse_then_cut"}]' && during "no answer"; }
nobody() { kill "$proxy" && { wait "$proxy"; during 'no listener'; }; }
came_back() {	# how long after $back three seconds had 90 % of the rate; and so had all others until the feed ended
	sandbox_ledger >posts && python3 - "$back" "$rate" "$1" <<-'PY'
	import json, sys, time
	back, rate, last = map(float, sys.argv[1:])
	t = sorted(float(p["t"]) for p in map(json.loads, open("posts")) if p["accepted"] and float(p["t"]) >= back)
	seconds = [sum(1 for x in t if back + k <= x < back + k + 1) for k in range(min(40, int(time.time() - back)))]
	good = [sum(seconds[k:k + 3]) >= 2.7 * rate for k in range(len(seconds) - 2)]
	print("accepted each second after the end:", seconds)
	assert True in good[:31], "not yet"
	first = good.index(True)
	print("nine tenths of the rate from second", first, "on; the first one", round(t[0] - back, 2), "s after the end")
	if len(seconds) >= last:
	    assert all(good[first:int(last) - 3]), "and then no longer"
	PY
}
round() {	# FEED KIND...
	local file=$DIR/published$1.ndjson prefix=m$1- from
	shift
	load feed --accounts "$DIR/accounts.json" --out "$file" --prefix "$prefix" --rate $rate --count $((rate * (calm + $# * part + after))) \
		--timeout 100 & feeder=$!
	from=$(now) && wait_until "$(python3 -c "print($from + $calm)")" && [[ $(wc -l <"$file") -ge $((rate * calm * 9 / 10)) ]] || return 1
	while [[ $# -gt 0 ]]; do
		"$1" || return 1
		shift
	done
	sandbox_curl faults -X DELETE && proxy_up "$proxy_port" && back=$(now) away=''
}
all_back() { wait_for "came_back 99" 35 >/dev/null 2>&1; wait $feeder; wait_for "came_back $((after - 1))" 2; }

test_expect_success "ten accounts, $rate messages a second all the time" '
	stack_up --no-wamd --senders 2 --tenants 2 --accounts 5 --rate 1000 --sandbox-args "--rate 0 --pair off --delay 20" \
		--set limit.pair_interval=0ms --set graph.send_timeout=2s --set graph.connect_timeout=2s --set message.lease_margin=1s \
		--set message.unknown_timer=2s --set "retry.server=$server" --set "retry.connect=$connect" &&
	proxy_up 0 && echo "graph: { url = \"https://127.0.0.1:$proxy_port\"; };" >"$DIR/conf.d/99-proxy.conf" && stack start-wamd
'
test_expect_success "for $((3 * part)) s Graph answers with errors, then not at all, then nobody listens: no storm" 'round 1 errors silence nobody'
test_expect_success 'Graph is back: within 30 s as much goes out as comes in' 'all_back'
test_expect_success "the breaker of the host was told once, and its end once" '
	grep -E "host_breaker|kind=breaker_open" "$DIR/wamd.log"
	[[ $(grep -c "alert kind=host_breaker_open state=raised" "$DIR/wamd.log") -eq 1 &&
		$(grep -c "alert kind=host_breaker_open state=resolved" "$DIR/wamd.log") -eq 1 ]]
'
test_expect_success 'all are sent, each once' '
	wait_for at_rest 400; cat ledger.out; at_rest && [[ $(depth whatsapp.outbound.dlq) -eq 0 ]]
'
test_expect_success 'started while Graph does not answer anybody: that is no trouble of the accounts, their breakers stay closed' '
	stack stop-wamd && redis eval "for _, k in ipairs(redis.call(\"KEYS\", \"wamd:a:*\")) do redis.call(\"DEL\", k) end" 0 &&
	graph_faults "{\"fault\":\"hang\",\"accepted\":false}" && feed --count 400 --prefix late && stack start-wamd &&
	wait_for "[[ \$(total unknown) -ge 300 ]]" 10 && ! grep breaker_opened "$DIR/wamd.log" &&
	sandbox_curl faults -X DELETE && wait_for at_rest 30; cat ledger.out; at_rest
'
test_expect_success 'no turn of a loop was long' 'loop_was_never_away'
if [[ -n ${WAMD_LONG-} ]]; then
	test_expect_success 'once more, and it begins with no answers' 'round 2 silence errors nobody && all_back && wait_for at_rest 400; cat ledger.out; at_rest'
fi
kill $proxy
test_done
