#!/usr/bin/env bash
# Stop and reload under load: nothing lost, nothing doubled; a bad file changes nothing and says why.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=limit_(queueing|approaching) state=raised'
expect_log 'warn sender.* amqp_down connection=lanes: .*INTERNAL_ERROR .541.'	# RabbitMQ's own, when queues and their consumers go at once

generation() { wamctl -j status | python3 -c "import json, sys; print(json.load(sys.stdin)['generation'])"; }
one_generation() { ! wamctl status | grep -q draining; }

test_expect_success 'a stack under load: 300 messages a second, answers after 20 to 300 ms' '
	stack_up --senders 2 --rate 1000 --sandbox-args "--rate 0 --pair off --delay 20-300" &&
	{ feed --count 6000 --rate 300 --on-unknown at_most_once --timeout 120 & } && feeder=$! &&
	wait_for "grep -q settled $DIR/wamd.log" 10
'
test_expect_success 'SIGTERM: exit 0 within the drain time; the next start goes on' '
	for i in 1 2 3; do
		kill -TERM "$WAMD_PID" && wait_for "! kill -0 $WAMD_PID 2>/dev/null" 28 &&
		test_grep "wamd stopped status=0" "$DIR/wamd.log" &&
		stack stop-wamd; stack start-wamd || return 1
	done &&
	[[ $(grep -c "wamd stopped status=0" "$DIR/wamd.log") -eq 3 ]] &&
	! grep -E "drain_timeout|overdue" "$DIR/wamd.log"
'
test_expect_success 'SIGHUP with a broken file changes nothing, and says file, line and reason' '
	expect_log "error wamd reload_refused" &&
	before=$(generation) && pids=$(wamctl status | awk "/sender/ { print \$2 }") &&
	printf "# one\namqp: { prefetch = 0; };\n" >"$DIR/conf.d/99-bad.conf" &&
	kill -HUP "$WAMD_PID" &&
	wait_for "grep -q reload_refused $DIR/wamd.log" 5 &&
	test_grep "99-bad.conf:2: amqp.prefetch: found 0, allowed 1 to 10000" "$DIR/wamd.log" &&
	[[ $(generation) -eq $before && $(wamctl status | awk "/sender/ { print \$2 }") == "$pids" ]] &&
	! wamctl reload 2>err && test_grep "configuration_refused.*99-bad.conf:2" err &&
	! "$WAMD_BUILD/wamd" -t -f "$WAMD_CONF" 2>err && test_grep "99-bad.conf:2" err &&
	rm "$DIR/conf.d/99-bad.conf"
'
test_expect_success 'twenty reloads under load, one in three with a broken file' '
	for i in {1..20}; do
		rm -f "$DIR/conf.d/99-bad.conf" && { ((i % 3)) || echo "nonsense" >"$DIR/conf.d/99-bad.conf"; } &&
		kill -HUP "$WAMD_PID" && wait_for one_generation 30 || return 1
	done &&
	rm -f "$DIR/conf.d/99-bad.conf" && [[ $(generation) -gt 10 ]]
'
test_expect_success 'a setting that needs a restart is named and keeps its value' '
	expect_log "warn wamd setting_needs_restart" &&
	printf "state_dir = \"/nowhere\";\n" >"$DIR/conf.d/99-fixed.conf" &&
	wamctl reload >out && test_grep "setting_needs_restart state_dir" "$DIR/wamd.log" &&
	test_grep "^state_dir waits for a restart$" out &&
	wait_for "wamctl status" 20 && rm "$DIR/conf.d/99-fixed.conf" && wamctl reload
'
test_expect_success 'reload upon reload: each is answered, by the keeper that heard it' '
	for i in {1..8}; do wamctl reload || return 1; done
'
test_expect_success 'all 6,000 arrived, each once' '
	wait $feeder && wait_for at_rest 60; cat ledger.out; at_rest && test_grep "sent +6000" ledger.out
'
test_expect_success 'a second daemon on the same run directory is refused; USR1 reopens the log; QUIT stops at once' '
	! "$WAMD_BUILD/wamd" -F -f "$WAMD_CONF" 2>err && test_grep "another wamd runs" err &&
	mv "$DIR/wamd.log" "$DIR/wamd.log.1" && kill -USR1 "$WAMD_PID" && wait_for "[[ -e $DIR/wamd.log ]]" 5 &&
	kill -QUIT "$WAMD_PID" && wait_for "! kill -0 $WAMD_PID 2>/dev/null" 5 &&
	cat "$DIR/wamd.log" >>"$DIR/wamd.log.1" && mv "$DIR/wamd.log.1" "$DIR/wamd.log" &&
	[[ ! -e $DIR/run/admin.sock && ! -e $DIR/run/wamd.pid ]]
'
test_expect_success 'as a daemon of its own: the start answers when it runs, wamctl stop ends it' '
	"$WAMD_BUILD/wamd" -f "$WAMD_CONF" && WAMD_PID=$(cat "$DIR/run/wamd.pid") && wait_for "wamctl status" 20 &&
	wamctl stop && ! kill -0 "$WAMD_PID" 2>/dev/null
'
test_done
