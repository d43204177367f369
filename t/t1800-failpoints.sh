#!/usr/bin/env bash
# Killed, stopped or failed between every two durable writes: t/ledger finds nothing lost and nothing doubled.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

expect_log 'warn wamd child_died'
expect_log 'error wamd crash_loop'
expect_log 'amqp_down'
expect_log 'settle_lost'
expect_log 'redis_down'
short=(--set graph.send_timeout=1s --set message.lease_margin=500ms --set message.unknown_timer=500ms
	--set 'retry.wait=["300ms","1s","2s"]' --set 'retry.server=["300ms","300ms","300ms","300ms","300ms"]'
	--set 'retry.connect=["300ms","300ms","300ms","300ms","300ms"]' --set respawn.min=5ms --set respawn.max=50ms
	--set respawn.alarm=1000)
visits=7
[[ -z ${WAMD_LONG-} ]] || visits='1 2 3 7 20 50'

test_expect_success 'one stack; wamd is started anew for each point' '
	stack_up --no-breakers --no-wamd --senders 2 --rate 1000 "${short[@]}" --sandbox-args "--rate 0 --pair off --delay 5-30" &&
	graph_faults "{\"fault\":\"error\",\"code\":131016,\"probability\":0.1}"
'
# One in ten POSTs fails, so that retry copies and dead letters are on their way too.
hit() {	# POINT K ACTION
	local run="$1-$2-$3"
	WAMD_FAIL=$1:$2:$3 stack start-wamd >/dev/null && before=$(grep -c "point=$1 " "$DIR/wamd.log")
	feed --count 150 --prefix "$run" --on-unknown at_most_once --timeout 60 &&
	wait_for "grep -q 'failpoint point=$1 .*action=$3' $DIR/wamd.log" 20 || return 1
	# A stopped sender is frozen past its lease, then goes on.
	if [[ $3 == stop ]]; then
		wait_for "grep -lE '^State:.*stopped' /proc/[0-9]*/status 2>/dev/null | xargs -r dirname | xargs -r -I{} grep -l wamd:sender {}/comm | grep -q ." 10
		deadline=$((SECONDS + 3)); wait_for "[[ \$SECONDS -ge $deadline ]]" 5
		for s in $(cat "/proc/$WAMD_PID/task/$WAMD_PID/children"); do kill -CONT "$s"; done
	fi
	stack stop-wamd && WAMD_FAIL='' stack start-wamd && wait_for at_rest 40; cat ledger.out
	at_rest && stack stop-wamd
}
for point in before_admit after_admit body_read answered after_settle after_publish before_ack after_ack; do
	for k in $visits; do
		test_expect_success "killed at visit $k of $point" "hit $point $k kill"
	done
done
test_expect_success "frozen past the lease when admitted" "hit after_admit 7 stop"
test_expect_success "frozen past the lease when answered" "hit answered 7 stop"
test_expect_success "settle's answer gets lost" "hit settle_lost 7 err"
test_done
