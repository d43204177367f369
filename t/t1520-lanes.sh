#!/usr/bin/env bash
# Lanes: what an account has too much of waits in a queue of its own, once, in order; others do not wait for it.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=limit_(queueing|approaching) state=raised'
expect_log 'warn wamd child_died'
expect_log 'redis_down|amqp_down'
rate_of() {	# ACCOUNT RATE
	python3 - "$DIR/tenants.d/${1%-*}.conf" "$1" "$2" <<-'PY'
	import re, sys
	file, account, rate = sys.argv[1:]
	text = open(file).read()
	at = text.index(f'id = "{account}"')
	open(file, "w").write(text[:at] + re.sub(r"rate = \d+;", f"rate = {rate};", text[at:], count=1))
	PY
}
queues() { load depth --queue "whatsapp.lane.$1" --queue "whatsapp.lane.$1.high" --queue whatsapp.lanes; }
texts() { sandbox_ledger | python3 -c "
import json, sys
for p in map(json.loads, sys.stdin):
    text = p['body']['text']['body']
    if '$1' in text: print(text)"; }
# Messages of one prefix are numbered by feed: how far from its place were 95 % of them POSTed, and how often did a later one come first?
disorder() { sandbox_ledger | python3 -c "
import json, re, sys
n = [int(re.search(r'$1-(\d+)', json.dumps(p['body'])).group(1)) for p in map(json.loads, sys.stdin) if '$1-' in json.dumps(p['body'])]
print(sorted(abs(place - number) for place, number in enumerate(n, 1))[len(n) * 95 // 100], sum(1 for a, b in zip(n, n[1:]) if a > b))"; }

test_expect_success 'one account may send 20 a second, the others as fast as they like' '
	stack_up --no-wamd --senders 2 --tenants 2 --accounts 2 --rate 1000 --sandbox-args "--rate 0 --pair off" \
		--set limit.pair_interval=0ms --set amqp.confirm_timeout=1s --set lane.grace=6s --set lane.idle=1s --set breaker.probe_lease=2s &&
	rate_of t1-a1 20 && stack start-wamd && slow=$(number_of t1-a1)
'
test_expect_success '400 for it and then 400 for the others: the others are all sent before a quarter of its own' '
	feed --count 400 --rate 300 --prefix slow --account t1-a1 && feed --count 400 --prefix fast --account t1-a2 --account t2-a1 &&
	wait_for "[[ \$(texts fast- | wc -l) -eq 400 ]]" 15 && [[ $(texts slow- | wc -l) -lt 100 ]]
'
test_expect_success 'they wait in the lane of the account, behind one ticket' '
	queues "$slow" >q && python3 - q "$slow" <<PY
import json, sys
q = json.load(open(sys.argv[1]))
print(q)
assert q["whatsapp.lane." + sys.argv[2]] > 100, q
PY
'
test_expect_success 'urgent ones overtake them in the lane' '
	feed --count 5 --prefix urgent --account t1-a1 --priority 9 && wait_for "[[ \$(texts urgent- | wc -l) -eq 5 ]]" 10 &&
	[[ $(texts slow- | wc -l) -lt 300 ]]
'
test_expect_success 'all are sent, once, with one transport publish each at the most' '
	wait_for "[[ \$(texts slow- | wc -l) -eq 400 ]]" 40 && wait_for at_rest 20; cat ledger.out; at_rest &&
	echo "laned: $(total laned) of 805" && [[ $(total laned) -le 805 && $(total laned) -ge 200 ]]
'
test_expect_success 'in the order in which they came, but where two senders had taken them already' '
	read -r places times < <(disorder slow) && echo "at most $places places away; $times times a later one first" &&
	[[ $places -le 200 && $times -le 120 ]]
'
test_expect_success 'the lane is closed when it has been empty: no queue is left, no ticket' '
	wait_for "[[ \$(total lanes_closed) -eq \$(total lanes_opened) ]]" 30 &&
	queues "$slow" >q && python3 - q <<PY
import json, sys
q = json.load(open(sys.argv[1]))
print(q)
assert [v for k, v in q.items() if k != "whatsapp.lanes"] == [None, None] and not q["whatsapp.lanes"], q
PY
'
test_expect_success 'the alert was raised once, and resolved' '
	grep "alert kind=limit_queueing" "$DIR/wamd.log"; [[ $(grep -c "alert kind=limit_queueing state=raised .*t1-a1" "$DIR/wamd.log") -eq 1 ]] &&
	wait_for "grep -q \"alert kind=limit_queueing state=resolved\" \"$DIR/wamd.log\"" 5
'
test_expect_success 'messages that wait survive the loss of everything in Redis, and of all senders' '
	feed --count 200 --prefix lost --account t1-a1 && wait_for "[[ \$(depth whatsapp.lane.$slow) -gt 50 ]]" 10 &&
	redis flushall && stack kill-wamd && stack start-wamd && redis flushall &&
	wait_for "[[ \$(texts lost- | sort -u | wc -l) -eq 200 ]]" 40
'
test_expect_success 'a lane that is joined while it closes stays, and gives all it has' '
	for i in 1 2 3 4 5 6; do
		feed --count 30 --prefix "again$i" --account t1-a1 && wait_for "[[ \$(texts again$i- | wc -l) -eq 30 ]]" 20 || return 1
	done
'
test_expect_success 'nothing is left anywhere' '
	wait_for "[[ \$(load depth --queue whatsapp.lane.$slow) == *null* ]]" 30 && [[ $(depth whatsapp.outbound.dlq) -eq 0 ]]
'
test_expect_success 'no turn of a loop was long' 'loop_was_never_away'
test_done
