#!/usr/bin/env bash
# What waits in a delay queue comes back, whoever is killed in the moment it does: the keeper brings it, with a confirm; the broker only what the keeper left.
. "$(dirname "$0")/lib.sh"

expect_log 'warn wamd child_died'
expect_log 'error wamd crash_loop'
expect_log 'amqp_down|settle_lost|consumer_lost'
expect_log 'alert kind=(limit_queueing|limit_approaching|message_refused) state=raised'
step=300
steps() { printf '["%sms","%sms","%sms","%sms","%sms"]' "$1" "$1" "$1" "$1" "$1"; }
short=(--set amqp.reconnect_max=500ms --set amqp.retry_grace=2s --set respawn.min=5ms --set respawn.max=50ms --set respawn.alarm=1000
	--set "retry.server=$(steps $step)" --set 'retry.wait=["300ms","1s","2s"]' --set message.unknown_timer=500ms
	--set retry.budget=100)
now_ms() { date +%s%3N; }
until_ms() { wait_for "[[ \$(now_ms) -ge $1 ]]" 10; }
# All fail once; the last of them has gone to its delay queue when this returns.
fail_once() {	# PREFIX COUNT
	graph_faults "{\"fault\":\"error\",\"code\":131016,\"http\":500,\"times\":$2,\"match\":{\"text_contains\":\"$1\"}}" >/dev/null &&
	feed --count "$2" --prefix "$1" --on-unknown at_most_once --timeout 60 &&
	wait_for "[[ \$(grep -c 'id=$1-.* outcome=server' $DIR/wamd.log) -ge $2 ]]" 20
}
came_back() { wait_for at_rest "${1-40}" || { cat ledger.out; return 1; }; }
keeper() { grep -l '^wamd:keeper' /proc/[0-9]*/task/*/comm 2>/dev/null | cut -d/ -f3 | while read -r p; do [[ $(awk '{ print $4 }' "/proc/$p/stat") != "$WAMD_PID" ]] || echo "$p"; done; }
rounds=8
[[ -z ${WAMD_LONG-} ]] || rounds=100

test_expect_success 'a stack with a broker of its own' '
	stack_up --own-broker --no-breakers --senders 2 --rate 1000 "${short[@]}" --sandbox-args "--rate 0 --pair off --delay 5-30"
'
test_expect_success 'what failed is tried again after its step, not before' '
	fail_once first 20 && came_back && sandbox_ledger | python3 -c "
import collections, json, sys
times = collections.defaultdict(list)
for p in map(json.loads, sys.stdin): times[p[\"body\"][\"text\"][\"body\"]].append(1000 * float(p[\"t\"]))
gaps = [t[1] - t[0] for t in times.values() if len(t) > 1]
print(len(gaps), min(gaps), max(gaps))
assert len(gaps) == 20 and min(gaps) >= $step"
'
for k in $(seq $rounds); do
	test_expect_success "the broker is killed around the moment they come due (round $k)" '
		fail_once "broker$k" 60 && at=$(now_ms) && until_ms $((at + 60 * (k % 8))) && stack kill-broker && stack start-broker && came_back
	'
done
test_expect_success 'the keeper is killed while it holds them' '
	fail_once keeper 60 && old=$(keeper) && kill -KILL "$old" && came_back && [[ $(keeper) != "$old" ]]
'
test_expect_success 'a reload passes on what is held' '
	fail_once reload 60 && wamctl reload && came_back
'
for point in delay_due delay_confirmed; do
	test_expect_success "killed at $point" '
		stack stop-wamd && WAMD_FAIL=$point:5:kill stack start-wamd && fail_once "$point" 60 &&
		wait_for "grep -q \"failpoint point=$point .*action=kill\" $DIR/wamd.log" 20 &&
		stack stop-wamd && WAMD_FAIL="" stack start-wamd && came_back
	'
done
test_expect_success 'nothing takes from a step that is no longer in the settings: after the grace the broker brings it back' '
	stack stop-wamd && sed -i "s/${step}ms/400ms/g" "$DIR"/conf.d/99-set.conf && stack start-wamd && fail_once left 30 &&
	stack stop-wamd && [[ $(depth whatsapp.retry.400ms) -gt 0 ]] &&
	sed -i "s/400ms/250ms/g" "$DIR"/conf.d/99-set.conf && stack start-wamd && came_back
'
# Its record is gone, so only the copy itself can say that it may be a second one.
accepted_of() { sandbox_ledger | python3 -c "import json, sys; print(sum(1 for p in map(json.loads, sys.stdin) if p['accepted'] and '$1' in p['body']['text']['body']))"; }
test_expect_success 'the keeper dies between confirm and ack, and Redis forgets: what was sent is not sent again' '
	stack stop-wamd && WAMD_FAIL=delay_confirmed:1:kill stack start-wamd && fail_once forgotten 1 &&
	wait_for "[[ \$(accepted_of forgotten) -eq 1 ]]" 20 && stack stop-wamd && redis flushall &&
	WAMD_FAIL="" stack start-wamd && wait_for "load peek --queue whatsapp.outbound.dlq | grep -q forgotten.*unknown_outcome" 20 &&
	wait_for "[[ \$(accepted_of forgotten) -eq 1 && \$(depth whatsapp.outbound) -eq 0 ]]" 5
'
test_done
