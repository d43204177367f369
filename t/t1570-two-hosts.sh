#!/usr/bin/env bash
# Two hosts with four senders each on one Redis: their limits are one, also while they are restarted.
# alone: it measures rates.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=limit_(queueing|approaching) state=raised'
expect_log 'child_died|amqp_down|redis_down'
alerts() { load peek --queue t.alerts | python3 -c "
import json, sys
for line in sys.stdin:
    a = json.loads(line)['body']
    if a['kind'] == '$1': print(a['state'])"; }

test_expect_success 'a number of the standard tier before a Graph that refuses the 81st message in any sliding second' '
	stack_up --no-wamd --senders 4 --tenants 1 --accounts 1 --sandbox-args "--rate 80 --pair on --delay 2-20" \
		--set limit.window=2s --set lane.idle=1s --set amqp.confirm_timeout=1s --set lane.grace=6s --set message.unknown_timer=2s &&
	sed -i -E "s/^([[:space:]]*)rate = [0-9]+;/\1tier = \"standard\";/" "$DIR"/tenants.d/*.conf && stack start-wamd && stack start-host2 &&
	"$T/rmq" "$RMQ_DIR" eval >/dev/null <<-END
		V = <<"$VHOST">>, X = rabbit_misc:r(V, exchange, <<"whatsapp.alerts">>), Q = rabbit_misc:r(V, queue, <<"t.alerts">>),
		rabbit_amqqueue:declare(Q, true, false, [], none, <<"stack">>),
		rabbit_binding:add({binding, X, <<"#">>, Q, []}, <<"stack">>).
	END
'
test_expect_success '1,900 messages; after some seconds one host is killed and comes back, then the other is restarted' '
	feed --count 1900 --prefix two --on-unknown at_most_once && wait_for "[[ \$(sandbox_ledger | wc -l) -ge 350 ]]" 20 &&
	stack kill-host2 && stack start-host2 && wait_for "[[ \$(sandbox_ledger | wc -l) -ge 800 ]]" 20 &&
	stack stop-wamd && stack start-wamd &&
	wait_for "[[ \$(sandbox_ledger | wc -l) -ge 1780 ]]" 40	# what a killed sender had under way is nobody'"'"'s to send again
'
test_expect_success 'Graph refused none of them: no second had more than 80' '
	sandbox_ledger | python3 -c "
import collections, json, sys
posts = [json.loads(l) for l in sys.stdin]
codes = collections.Counter(p[\"code\"] for p in posts if not p[\"accepted\"])
t = sorted(float(p[\"t\"]) for p in posts)
lo = most = 0
for hi in range(len(t)):
    while t[hi] - t[lo] >= 1: lo += 1
    most = max(most, hi - lo + 1)
print(len(posts), \"POSTs, refused:\", dict(codes), \"most in a second:\", most)
san = \"$WAMD_BUILD\".endswith(\"san\")     # sanitizers bunch what leaves on time; the plain build shows the claim
assert most <= 80 + 8 * san and sum(codes.values()) <= 40 * san and set(codes) <= {130429}"
'
test_expect_success '97 % of rate times headroom was used while nobody was killed' '
	sandbox_ledger | python3 -c "
import json, sys
t = sorted(float(json.loads(l)[\"t\"]) for l in sys.stdin)
part = t[950:1750]		# after the restarts, before the end
rate = (len(part) - 1) / (part[-1] - part[0])
print(round(rate, 1), \"a second of 72\")
assert rate >= 72 * (0.9 if \"$WAMD_BUILD\".endswith(\"san\") else 0.97)"
'
test_expect_success 'each was sent once' '
	wait_for "ledger --strict >ledger.out" 60; cat ledger.out; ledger --strict >/dev/null
'
test_expect_success 'that messages queue, and that the limit is near, was said once for all senders of both hosts, and that it is over' '
	wait_for "[[ \$(alerts limit_queueing | tail -n 1) == resolved && \$(alerts limit_approaching | tail -n 1) == resolved ]]" 40 &&
	for kind in limit_queueing limit_approaching; do
		alerts "$kind" | sort | uniq -c >said; cat said
		[[ $(grep -c . said) -eq 2 && $(awk "{ print \$1 }" said | sort -u) == 1 ]] || return 1
	done
'
test_done
