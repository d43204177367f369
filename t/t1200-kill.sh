#!/usr/bin/env bash
# SIGKILL at any moment: nothing is lost, nothing is accepted twice, and every outcome that nobody can know is accounted for.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing|limit_approaching) state=raised'
expect_log 'warn wamd child_died'
expect_log 'error wamd crash_loop'
# A machine that starts 300 processes in half a minute may let one of them wait past a deadline; the ledger judges.
expect_log 'sender.*((amqp|redis)_down|alert_lost|settle_lost)'
kills=300
[[ -z ${WAMD_LONG-} ]] || kills=3000
# Timers are shortened, not the rules: a lease outlives its POST, an unknown outcome waits out its own queue.
short=(--set graph.send_timeout=2s --set message.lease_margin=1s --set message.unknown_timer=1s
	--set 'retry.wait=["500ms","1s","4s"]' --set 'retry.server=["1s","1s","1s","1s","1s"]'
	--set 'retry.connect=["1s","1s","1s","1s","1s"]' --set respawn.min=5ms --set respawn.max=20ms --set respawn.alarm=1000)


test_expect_success 'four senders; each incarnation dies at its 25th POST, between the first body byte and the answer' '
	WAMD_FAIL=body_read:25:kill stack_up --no-breakers --tenants 2 --accounts 4 --senders 4 --rate 1000 "${short[@]}" \
		--sandbox-args "--rate 0 --delay 20-300"
'
test_expect_success "$kills more SIGKILLs of drawn senders while 300 messages a second come in (at_most_once)" '
	{ feed --count $((kills * 25)) --rate 300 --on-unknown at_most_once --timeout 120 & } && feeder=$! &&
	"$T/kill-senders" "$WAMD_PID" $kills 20 60 &&
	wait $feeder
'
test_expect_success 'at least 20 of the deaths were inside a POST' '
	n=$(grep -c "failpoint point=body_read" "$DIR/wamd.log") && echo "$n inside a POST" && [[ $n -ge 20 ]]
'
test_expect_success 'the failpoint is gone with a restart of wamd' '
	stack stop-wamd && stack start-wamd
'
test_expect_success 'lost 0, accepted twice 0, every record final, every queue empty' '
	wait_for at_rest 60; cat ledger.out; at_rest
'
test_expect_success 'every unknown outcome is in the dead-letter queue as such, and nothing else is' '
	load peek --queue whatsapp.outbound.dlq >dlq &&
	python3 - dlq <<PY
import collections, json, sys
reasons = collections.Counter(json.loads(l)["body"]["reason"] for l in open(sys.argv[1]))
print(reasons)
assert set(reasons) == {"unknown_outcome"} and reasons["unknown_outcome"] >= 20, reasons
PY
'
test_done
