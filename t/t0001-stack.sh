#!/usr/bin/env bash
# The private stack that all other tests stand on: up, down, killed, interrupted - and nothing stays behind.
. "$(dirname "$0")/lib.sh"

# Whoever has our directory in his command line, environment or as working directory is ours: a port mapper that turned
# daemon forgets all but its environment.
leftovers() {
	local p
	for p in /proc/[0-9]*; do
		[[ ${p#/proc/} != "$$" && ${p#/proc/} != "$BASHPID" ]] || continue
		if { cat "$p/cmdline" "$p/environ"; readlink "$p/cwd"; } 2>/dev/null | grep -qaF "$DIR"; then
			echo "${p#/proc/} $(tr '\0' ' ' <"$p/cmdline")"
		fi
	done 2>/dev/null
}
nobody_is_left() { [[ -z $(leftovers) ]] || { leftovers; return 1; }; }

test_expect_success 'RabbitMQ and Redis come up, with a vhost of their own' '
	stack_up --no-sandbox &&
	test "$(redis ping)" = PONG &&
	"$T/rmq" "$RMQ_DIR" ready
'
test_expect_success 'the queue for status events is there and bound' '
	echo "rabbit_amqqueue:count(<<\"$VHOST\">>)." | "$T/rmq" "$RMQ_DIR" eval >actual &&
	test_grep "^1$" actual
'
test_expect_success 'Redis is careful: AOF every second, no eviction, a password' '
	redis config get appendfsync >actual && test_grep everysec actual &&
	redis config get maxmemory-policy >actual && test_grep noeviction actual &&
	redis-cli -h 127.0.0.1 -p "$(redis config get port | tail -n 1)" ping 2>&1 | grep NOAUTH
'
test_expect_success 'secrets are for us alone' '
	test "$(stat -c %a "$DIR/accounts.json" "$DIR/wamd.conf" "$DIR/env" "$DIR"/secrets/* | sort -u)" = 600
'
test_expect_success 'Redis survives SIGKILL with what it had' '
	redis set a 1 &&
	old=$REDIS_PID && stack kill-redis && ! redis ping && stack start-redis &&
	test "$(redis get a)" = 1 && test "$REDIS_PID" != "$old"
'
test_expect_success 'a shared broker cannot be killed' '
	! stack kill-broker
'
test_expect_success 'a second stack in the same place is refused' '
	! "$T/stack" up "$DIR" --no-sandbox && test "$(redis ping)" = PONG
'
test_expect_success 'down ends everything and the vhost' '
	stack down && nobody_is_left &&
	echo "rabbit_vhost:exists(<<\"$VHOST\">>)." | "$T/rmq" "$RMQ_DIR" eval >actual && test_grep false actual
'
test_expect_success 'down again is no error, --purge removes the directory' '
	"$T/stack" down "$DIR" --purge && test ! -e "$DIR"
'
test_expect_success 'a stack that cannot come up leaves nothing' '
	! WAMD_BUILD=$TRASH/nothing stack_up && nobody_is_left && rm -rf "$DIR"
'
test_expect_success 'an own broker: killed, started again, on the same port' '
	stack_up --no-sandbox --own-broker && old=$RMQ_PID url=$AMQP_URL &&
	stack kill-broker && ! "$T/rmq" "$RMQ_DIR" ready && stack start-broker &&
	test "$RMQ_PID" != "$old" && test "$AMQP_URL" = "$url" && leftovers | grep beam.smp && stack down && nobody_is_left && rm -rf "$DIR"
'
# Ctrl-C goes to the whole foreground group; here the stack gets a group of its own to be interrupted in.
interrupted_at() {
	python3 - "$T/stack" "$DIR" "$1" <<-'END'
		import os, signal, subprocess, sys, time
		stack, where, moment = sys.argv[1], sys.argv[2], sys.argv[3]
		up = subprocess.Popen([stack, "up", where, "--no-sandbox", "--own-broker"], start_new_session=True)
		while not os.path.exists(f"{where}/{moment}") and up.poll() is None:
		    time.sleep(.005)
		os.killpg(up.pid, signal.SIGINT)
		sys.exit(0 if up.wait(60) != 0 else 1)
	END
}
for moment in env rmq/env rmq/pid pid/redis secrets; do
	test_expect_success "Ctrl-C during up (as soon as $moment exists) leaves nothing" '
		interrupted_at $moment && nobody_is_left
	'
	"$T/stack" down "$DIR" --purge >/dev/null 2>&1
done
test_done
