#!/usr/bin/env bash
# What must wait goes to its account's lane in the order in which it came, also when many are moved there at once.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|limit_queueing|limit_approaching) state=raised'
expect_log 'redis_down|amqp_down'	# one process takes 300 at once
number() { seq "$1" "$2" | sed "s/.*/{\"body\":{\"id\":\"$3-&\",\"tenant_id\":\"t1\",\"account_id\":\"${4:-t1-a1}\",\"to\":\"+49151000&\",\"type\":\"text\",\"text\":{\"body\":\"$3-&\"}}}/"; }
# The messages of a prefix, numbered from 10001, as they were POSTed: of which one was at most $2 other places farther on?
in_order() { sandbox_ledger | python3 -c "
import json, re, sys
def runs(n):
	out = [[n[0]]]
	for a, b in zip(n, n[1:]): out[-1].append(b) if b == a + 1 else out.append([b])
	return out
n = [int(m.group(1)) - 10000 for m in (re.search(r'\"$1-(\d+)\"', json.dumps(json.loads(p)['body'])) for p in sys.stdin) if m]
far = max(abs(place - number) for place, number in enumerate(n, 1))
print(len(n), 'messages, the farthest', far, 'places from its own')
print('runs:', *['%d-%d' % (r[0], r[-1]) for r in runs(n)])
sys.exit(far > $2)"; }
lane() { depth whatsapp.lane.$(number_of "${1:-t1-a1}"); }

# The first one opens the connection: those that wait for it have no order.  The lane of t1-a1 stays open from here on, t1-a2
# has none yet.
test_expect_success 'one sender; its account is put on hold' '
	stack_up --senders 1 --tenants 1 --accounts 2 --rate 100 --sandbox-args "--rate 0 --pair off" --set limit.pair_interval=0ms &&
	number 10001 10001 first | publish && wait_for "[[ \$(accepted) -eq 1 ]]" &&
	wamctl hold set t1 --account=t1-a1 --reason=shortly
'
test_expect_success '300 come at once: all wait in the lane' '
	number 10001 10300 held | publish && wait_for "[[ \$(lane) -eq 300 ]]" 20
'
test_expect_success 'the hold ends: they are sent in the order in which they came' '
	wamctl hold release t1 --account=t1-a1 && wait_for "[[ \$(accepted) -eq 301 ]]" 30 && in_order held 12
'
total=301
for account in t1-a1 t1-a2; do
	test_expect_success "300 at once, which its limit makes wait: $account sends them in the order in which they came" "
		number 10001 10300 limited-$account $account | publish && wait_for '[[ \$(accepted) -eq $((total + 300)) ]]' 30 && in_order limited-$account 12
	"
	total=$((total + 300))
done
for account in t1-a1 t1-a2; do
	test_expect_success "on hold while $account sends 300: those that have not begun keep their order" "
		number 10001 10300 midway-$account $account | publish && wait_for '[[ \$(accepted) -ge $((total + 50)) ]]' &&
		wamctl hold set t1 --account=$account --reason=midway && wait_for '[[ \$((\$(accepted) + \$(lane $account))) -eq $((total + 300)) ]]' 20 &&
		wamctl hold release t1 --account=$account && wait_for '[[ \$(accepted) -eq $((total + 300)) ]]' 30 && in_order midway-$account 12
	"
	total=$((total + 300))
done
test_expect_success 'nothing was lost or sent twice' '
	wait_for at_rest 20; cat ledger.out; at_rest
'
test_done
