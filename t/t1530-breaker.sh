#!/usr/bin/env bash
# The breaker of an account: one that fails waits in its lane, others do not notice; one probe at a time; back slowly.
# alone: it measures rates.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(breaker_open|limit_queueing|limit_approaching) state=raised'
expect_log 'warn wamd child_died'
cycles=50 lease=1 steps='["1s","2s","4s","8s","8s"]'
[[ -z ${WAMD_LONG-} ]] || cycles=1000 lease=10 steps='["8s","60s","60s","120s","120s"]'	# none may use up its attempts meanwhile
rate_of() {	# ACCOUNT RATE
	python3 - "$DIR/tenants.d/${1%-*}.conf" "$1" "$2" <<-'PY'
	import re, sys
	file, account, rate = sys.argv[1:]
	text = open(file).read()
	at = text.index(f'id = "{account}"')
	open(file, "w").write(text[:at] + re.sub(r"rate = \d+;", f"rate = {rate};", text[at:], count=1))
	PY
}
posts_of() { sandbox_ledger | grep -c "\"pnid\":\"$1\""; }
# Python over the POSTs of NUMBER, in order: t (when they came), ok (accepted), fault, body.
over_posts() {	# NUMBER SCRIPT [ARG...]
	sandbox_ledger >posts && python3 - "$@" <<-'PY'
	import json, re, sys
	number, script, args = sys.argv[1], sys.argv[2], sys.argv[3:]
	posts = [p for p in map(json.loads, open("posts")) if p["pnid"] == number]
	t, ok, fault = [float(p["t"]) for p in posts], [p["accepted"] for p in posts], [p["fault"] for p in posts]
	gaps = [b - a for a, b in zip(t, t[1:])]
	exec(script)
	PY
}
# All records of a number's account: attempts they count.
attempts_of() {	# ACCOUNT
	redis eval "local c, n = '0', 0
		repeat
			local r = redis.call('SCAN', c, 'MATCH', 'wamd:m:*', 'COUNT', 1000)
			for _, k in ipairs(r[2]) do
				local f = redis.call('HMGET', k, 'ac', 'n')
				if f[1] == ARGV[1] then n = n + tonumber(f[2]) end
			end
			c = r[1]
		until c == '0'
		return n" 0 "$1"
}
# How long the slowest of the messages in FILE took from its publish to Graph.
slowest() {	# FILE
	sandbox_ledger >posts && python3 - "$1" <<-'PY'
	import json, sys
	at = {p["body"]["text"]["body"].split()[-1]: float(p["t"]) for p in map(json.loads, open("posts"))}
	late = [(at.get(m["id"]), m["t"]) for m in map(json.loads, open(sys.argv[1]))]
	assert all(a for a, _ in late), f"{sum(not a for a, _ in late)} never got to Graph"
	late = max(a - b for a, b in late)
	print("the slowest took", round(late, 2), "s")
	assert late <= 2
	PY
}

test_expect_success 'one account of four gets 131016 or no answer at all' '
	stack_up --no-wamd --senders 8 --tenants 2 --accounts 2 --rate 1000 --sandbox-args "--rate 0 --pair off --delay 30" \
		--set limit.pair_interval=0ms --set graph.send_timeout=2s --set message.lease_margin=500ms \
		--set message.unknown_timer=1s --set "retry.wait=[\"1s\",\"4s\"]" --set "retry.server=$steps" --set "retry.connect=$steps" \
		--set amqp.confirm_timeout=1s --set lane.grace=6s --set lane.idle=1s --set breaker.min_calls=10 \
		--set breaker.open=2500ms --set breaker.open_max=2500ms --set breaker.probe_lease=1s --set breaker.ramp=500ms &&
	rate_of t1-a1 100 && rate_of t2-a1 200 && stack start-wamd && sick=$(number_of t1-a1) sick2=$(number_of t2-a1) &&
	graph_faults "[{\"match\":{\"phone_number_id\":\"$sick\"},\"fault\":\"hang\",\"accepted\":false,\"probability\":0.3},
		{\"match\":{\"phone_number_id\":\"$sick\"},\"fault\":\"error\",\"code\":131016,\"http\":500}]"
'
test_expect_success 'its breaker opens; messages of the others are with Graph within 2 s' '
	feed --count 150 --prefix sick --account t1-a1 && feed --count 450 --rate 225 --prefix well --account t1-a2 --account t2-a2 &&
	wait_for "grep -q breaker_opened \"$DIR/wamd.log\"" 5 && wait_for "[[ \$(sandbox_ledger | grep -c well-) -eq 450 ]]" 5 &&
	slowest "$DIR/published$feeds.ndjson"
'
test_expect_success 'while it is open its messages wait in its lane, without attempts' '
	wait_for "[[ \$(depth whatsapp.lane.$sick) -ge 130 ]]" 10 && echo "$(depth whatsapp.lane.$sick) in the lane" &&
	wait_for "[[ \$(attempts_of t1-a1) -eq \$(posts_of $sick) ]]" 3
'
test_expect_success 'one probe each 2.5 s, and nothing else gets to Graph' '
	wait_for "[[ \$(grep -c \"breaker_opened\" \"$DIR/wamd.log\") -ge 2 ]]" 20 && over_posts $sick "
burst = [x for x in t if x - t[0] < 2]
print(len(burst), \"before it opened, then gaps of\", [round(g, 2) for g in gaps[len(burst) - 1:]][:9])
assert len(burst) <= 60 and gaps[len(burst) - 1:] and min(gaps[len(burst) - 1:]) >= 2
"
'
test_expect_success 'Graph recovers: the first second has no more than a tenth of its rate, then it doubles each 500 ms' '
	sandbox_curl faults -X DELETE && wait_for "[[ \$(sandbox_ledger | grep sick- | grep -c \"\\\"accepted\\\":true\") -eq 150 ]]" 30 &&
	over_posts $sick "
since = t[ok.index(True)] + .03
steps = [sum(1 for x in t if since + k * .5 <= x < since + k * .5 + .5) for k in range(7)]
print(\"POSTs in each half second after it closed:\", steps)
assert steps[0] + steps[1] <= 10
assert all(n <= .5 * 2 ** k + 2 for k, n in enumerate(steps)), \"faster than it may\"
assert sum(steps) >= 20, \"slower than it should\"
"
'
test_expect_success 'the alert was said once, and resolved once' '
	wait_for "grep -q \"alert kind=breaker_open state=resolved\" \"$DIR/wamd.log\"" 5; grep -E "alert kind=breaker_open|gate" "$DIR/wamd.log" | tail -n 20
	[[ $(grep -c "alert kind=breaker_open state=raised" "$DIR/wamd.log") -eq 1 &&
		$(grep -c "alert kind=breaker_open state=resolved" "$DIR/wamd.log") -eq 1 ]]
'
test_expect_success 'all are sent' 'wait_for at_rest 30; cat ledger.out; at_rest'

# For so short a time the messages wait in the senders, not in a lane: all eight want to probe as soon as it may be.
test_expect_success "another one opens and half-opens $cycles times before 8 senders; the others do not notice" '
	settings() { echo "breaker: { open = \"50ms\"; open_max = \"100ms\"; probe_lease = \"$1\"; };" >"$DIR/conf.d/99-short.conf" && wamctl reload; }
	settings 250ms &&
	graph_faults "[{\"match\":{\"phone_number_id\":\"$sick2\",\"text_contains\":\"hang\"},\"fault\":\"hang\",\"accepted\":false,\"times\":1},
		{\"match\":{\"phone_number_id\":\"$sick2\"},\"fault\":\"error\",\"code\":131016,\"http\":500}]" &&
	feed --count $((100 + cycles * 2)) --prefix many --account t2-a1 &&
	feed --count $((cycles * 12)) --rate 100 --prefix other --account t1-a2 --account t2-a2 &&
	wait_for "[[ \$(posts_of $sick2) -ge $((cycles + 90)) ]]" $((20 + cycles)) && slowest "$DIR/published$feeds.ndjson"
'
test_expect_success 'all senders are killed while one of them probes and Graph does not answer it' '
	settings ${lease}s &&
	feed --count 1 --prefix hang --account t2-a1 --priority 9 &&
	wait_for "sandbox_ledger | grep $sick2 | grep \"\\\"fault\\\":\\\"hang\\\"\"" 20 && killed=$(date +%s.%N) &&
	for s in $(cat "/proc/$WAMD_PID/task/$WAMD_PID/children"); do
		[[ $(cat "/proc/$s/comm") != wamd:sender* ]] || kill -KILL "$s"
	done
'
test_expect_success "no two probes overlapped; the dead one was in the way for $lease s and at most one more" '
	wait_for "[[ \$(sandbox_ledger | grep $sick2 | sed 1,/\\\"hang\\\"/d | wc -l) -ge 3 ]]" $((lease + 5)) && over_posts $sick2 "
burst = next(i for i in range(len(gaps)) if min(gaps[i:i + 10]) >= .078)
hang = fault.index(\"hang\")
probes = gaps[burst:hang]
print(burst + 1, \"POSTs before it opened,\", len(probes), \"probes, each in the way for 30 ms and followed by 50 or 100 ms:\")
print(\"gaps of\", round(min(probes), 3), \"to\", round(max(probes), 3), \"s, median\", round(sorted(probes)[len(probes) // 2], 3))
print(\"killed\", round($killed - t[hang], 2), \"s after its POST; the next one\", round(gaps[hang], 2), \"s after it\")
assert burst <= 85 and len(probes) >= $cycles and min(probes + gaps[hang + 1:]) >= .078
assert 0 < $killed - t[hang] < .7 * $lease <= $lease - .2 <= gaps[hang] <= $lease + 1
" && grep breaker_opened "$DIR/wamd.log" | grep account=t2-a1 | cut -d" " -f3 | sort | uniq -c | tee probers && [[ $(wc -l <probers) -ge 4 ]]
'
test_expect_success 'Graph recovers: all are sent, once' '
	sandbox_curl faults -X DELETE && wait_for at_rest 200; cat ledger.out; at_rest && [[ $(depth whatsapp.outbound.dlq) -eq 0 ]]
'
test_expect_success 'no turn of a loop was long' 'loop_was_never_away'
test_done
