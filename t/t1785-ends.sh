#!/usr/bin/env bash
# It is stopped whenever: while Graph hangs, operators wait for answers, Redis or the broker is frozen.  Each process ends by itself, and in order;
# with sanitizers this finds who is asked after its end.
. "$(dirname "$0")/lib.sh"

test_long
rounds=${WAMD_ROUNDS:-40}
RANDOM=${SEED:=$$}
echo "# SEED=$SEED"

# Whatever was asked or said when the end came.
expect_log '.'

test_expect_success 'a stack whose keeper has something to do all the time' '
	head -c 3000000 /dev/urandom >"$TRASH/file.bin" &&
	stack_up --no-wamd --own-broker --api --tenants 3 --accounts 2 --sandbox-args "--token-life 8" --set token.check=200ms --set token.look=200ms \
		--set account.watch=200ms --set template.refresh=300ms --set job.retry_min=50ms --set job.retry_max=300ms --set hold.first=2s \
		--set hold.max=2s --set drain_timeout=1s --set graph.manage_timeout=3s
'
misbehave() {
	local route
	graph_reset >/dev/null
	for route in templates debug_token node template_analytics profile media_upload messages exchange_token phone_numbers; do
		case $((RANDOM % 3)) in
		0) graph_faults "{\"fault\":\"hang\",\"match\":{\"route\":\"$route\"},\"times\":$((1 + RANDOM % 9))}" ;;
		1) graph_faults "{\"fault\":\"delay\",\"min_ms\":10,\"max_ms\":900,\"match\":{\"route\":\"$route\"}}" ;;
		esac >/dev/null
	done
}
# Each in the background; what they get for an answer, if any, is no matter here.
operators() {
	local command
	for command in "template refresh t1 t1-a1" "account health t1 t1-a1" "account profile t2 t2-a1" "account analytics t1 t1-a1 --kind messages" \
		"token refresh t2 t2-a1" "media upload t1 $TRASH/file.bin --name f.jpg --type image/jpeg" "dlq list" "lane list" "message show t1 x" \
		"send t1 +4915112345678 hello --wait" "breaker list" "account phone t1 t1-a1" "account subscription t1 t1-a1"; do
		# shellcheck disable=SC2086 # words
		wamctl $command >/dev/null 2>&1 &
	done
}
ended_well() {
	! grep -aE -A 20 "Sanitizer|runtime error:" "$DIR/wamd.out" && ! grep -E "child_died .*(status=[1-9]|signal=(4|6|7|8|11))" "$DIR/wamd.log"
}
round() {
	local frozen=''
	misbehave && stack start-wamd >/dev/null || return 1
	feed --count 60 --prefix "round$1" >/dev/null 2>&1 &
	operators
	sleep "$((RANDOM % 2)).$((RANDOM % 9))$((RANDOM % 9))"		# no fact: the end comes at any moment
	case $((RANDOM % 4)) in
	0) frozen=$REDIS_PID ;;
	1) frozen=$RMQ_PID ;;
	esac
	[[ -z $frozen ]] || kill -STOP "$frozen"
	stack stop-wamd >/dev/null
	[[ -z $frozen ]] || kill -CONT "$frozen"
	wait
	ended_well
}
test_expect_success "it is stopped $rounds times, at any moment: all end in order" '
	for i in $(seq 1 $rounds); do round "$i" || return 1; done
'
test_done
