#!/usr/bin/env bash
# What is being asked for when the end comes, and must wait after all, goes back to the broker: the drain does not wait for it.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=limit_(queueing|approaching) state=raised'

test_expect_success 'an account that may send once a second' '
	stack_up --senders 1 --tenants 1 --accounts 1 --rate 1 --sandbox-args "--rate 0 --pair off"
'
test_expect_success 'SIGTERM while Redis has not answered for four messages: one goes, three go back, and that is the end' '
	redis client pause 2000 ALL && feed --count 4 --prefix waits && wait_for "[[ \$(depth whatsapp.outbound) -eq 0 ]]" 2 &&
	kill -TERM "$WAMD_PID" && wait_for "! kill -0 $WAMD_PID 2>/dev/null" 15 && ! grep -E "drain_given_up|drain_timeout" "$DIR/wamd.log" &&
	test_grep "draining active=[1-4]" "$DIR/wamd.log"
'
test_expect_success 'the next start sends the rest, each once' '
	stack stop-wamd; stack start-wamd && wait_for at_rest
'
test_done
