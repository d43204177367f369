#!/usr/bin/env bash
# Killed between any two steps of a lane's life, and broker and Redis killed while lanes are full: nothing lost, nothing doubled.
. "$(dirname "$0")/lib.sh"

expect_log 'warn wamd child_died'
expect_log 'error wamd crash_loop'
expect_log '(amqp|redis)_down|settle_lost|consumer_lost'
expect_log 'alert kind=(breaker_open|host_breaker_open|limit_queueing|limit_approaching|message_refused) state=raised'
expect_log 'host_breaker state=open'
short=(--set graph.send_timeout=1500ms --set message.lease_margin=500ms --set message.unknown_timer=500ms
	--set 'retry.wait=["300ms","1s","2s"]' --set 'retry.server=["300ms","300ms","300ms","300ms","300ms"]'
	--set 'retry.connect=["300ms","300ms","300ms","300ms","300ms"]' --set respawn.min=5ms --set respawn.max=50ms
	--set respawn.alarm=1000 --set limit.pair_interval=0ms --set message.hold_in_memory=500ms --set amqp.reconnect_max=1s
	--set amqp.confirm_timeout=1s --set lane.grace=6s --set lane.idle=500ms --set breaker.min_calls=10 --set breaker.open=1s
	--set breaker.open_max=1s --set breaker.probe_lease=1s --set breaker.ramp=100ms)
rate_of() {	# ACCOUNT RATE
	python3 - "$DIR/tenants.d/${1%-*}.conf" "$1" "$2" <<-'PY'
	import re, sys
	file, account, rate = sys.argv[1:]
	text = open(file).read()
	at = text.index(f'id = "{account}"')
	open(file, "w").write(text[:at] + re.sub(r"rate = \d+;", f"rate = {rate};", text[at:], count=1))
	PY
}
no_lanes() { [[ $(redis eval "local n = 0 for _, k in ipairs(redis.call('KEYS', 'wamd:a:*')) do n = n + redis.call('HEXISTS', k, 'ls') end return n" 0) -eq 0 ]]; }
deaths() { cat "$DIR/wamd.log" 2>/dev/null | grep -c "failpoint point=$1 .*action=kill"; }
visits=1 closings=1
[[ -z ${WAMD_LONG-} ]] || visits='1 2 3 7 20' closings='1 2 3 4 5'

test_expect_success 'one stack with a broker of its own; one account may send 20 a second' '
	stack_up --own-broker --no-wamd --senders 2 --tenants 2 --accounts 2 --rate 1000 "${short[@]}" \
		--sandbox-args "--rate 0 --pair off --delay 5-30" && rate_of t1-a1 20 && slow=$(number_of t1-a1) sick=$(number_of t2-a1) &&
	stack start-wamd && stack stop-wamd
'
# Senders die again and again where the ticket takes them there: such a wamd is never ready, and is not waited for.
die_at() {	# POINT K COMMAND...: command runs when it has begun
	local before starter point=$1 k=$2
	shift 2
	before=$(deaths "$point")
	WAMD_FAIL=$point:$k:kill "$T/stack" start-wamd "$DIR" >start.out 2>&1 &
	starter=$!
	"$@" && wait_for "[[ \$(deaths $point) -gt $before ]]" 30
	local rc=$?
	stack kill-wamd
	wait $starter
	return $rc
}
then_all_is_well() {
	WAMD_FAIL='' stack start-wamd && wait_for at_rest 40
	local rc=$?
	cat ledger.out
	stack stop-wamd && return $rc
}
some() { feed --count "${2-36}" --prefix "$1" --account t1-a1 --on-unknown at_most_once --timeout 60; }
# Killed there while a lane fills.
# So many that one of two senders comes to its k-th visit.
hit() { die_at "$1" "$2" some "$1-$2" $((36 + 4 * $2)) && then_all_is_well; }	# POINT K
# Killed there while it is closed; the next messages come before the next holder.
hit_closing() { die_at "$1" 1 true && some "$1-$2" 12 && then_all_is_well; }	# POINT ROUND
for point in ticket_confirmed lane_joined lane_published ticket_taken lane_taken; do
	for k in $visits; do
		# A lane is opened, and its ticket taken, perhaps once only in one process's life.
		[[ $k -eq 1 || $point == lane_published ]] || continue
		test_expect_success "killed at visit $k of $point" "hit $point $k"
	done
done
for k in $closings; do
	for point in lane_deleting lane_deleted lane_gone; do
		test_expect_success "killed at $point (round $k)" "hit_closing $point $k"
	done
done
# Lanes are full, a breaker is open, and messages die, all at once.
trouble() {	# NAME
	graph_faults "[{\"match\":{\"phone_number_id\":\"$sick\"},\"fault\":\"error\",\"code\":131016,\"http\":500},
		{\"match\":{\"text_contains\":\"die\"},\"fault\":\"error\",\"code\":131026,\"http\":400}]" >/dev/null &&
	feed --count 160 --prefix "slow$1" --account t1-a1 --on-unknown at_most_once --timeout 60 &&
	feed --count 100 --prefix "sick$1" --account t2-a1 --on-unknown at_most_once --timeout 60 &&
	wait_for "[[ \$(depth whatsapp.lane.$slow) -ge 40 && \$(depth whatsapp.lane.$sick) -ge 20 ]]" 15 &&
	feed --count 300 --prefix "die$1" --account t1-a2 --account t2-a2 --on-unknown at_most_once --timeout 60 &&
	dead=$(depth whatsapp.outbound.dlq) && echo "lanes $(depth "whatsapp.lane.$slow") and $(depth "whatsapp.lane.$sick"), $dead dead letters"
}
all_well() {
	sandbox_curl faults -X DELETE >/dev/null && wait_for at_rest 60
	local rc=$?
	cat ledger.out
	return $rc
}
kill_broker() { stack kill-broker && stack start-broker; }
kill_redis() { stack kill-redis && stack start-redis; }
kill_senders() {
	local s
	for s in $(cat "/proc/$WAMD_PID/task/$WAMD_PID/children"); do
		[[ $(cat "/proc/$s/comm") != wamd:sender* ]] || kill -KILL "$s"
	done
}
test_expect_success 'senders, Redis and broker are killed while lanes are full, a breaker is open and messages die' '
	stack start-wamd && trouble all && kill_senders && kill_redis && kill_broker && all_well
'
if [[ -n ${WAMD_LONG-} ]]; then
	for what in broker redis senders; do
		for k in 1 2 3; do test_expect_success "the same with $what only (time $k)" "trouble $what$k && kill_$what && all_well"; done
	done
fi
test_expect_success 'no lane is left open when all is sent' '
	wait_for "no_lanes && [[ \$(load depth --queue whatsapp.lanes) == *:\\ 0* ]]" 20
'
test_done
