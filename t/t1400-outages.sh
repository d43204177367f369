#!/usr/bin/env bash
# Broker and Redis killed and restarted, the network to each cut: every message ends in the right place, sending resumes by itself.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

expect_log 'amqp_down'
expect_log 'redis_down'
expect_log 'consumer_lost'
cut=4
[[ -z ${WAMD_LONG-} ]] || cut=10
short=(--set graph.send_timeout=2s --set message.lease_margin=1s --set message.unknown_timer=1s
	--set 'retry.wait=["500ms","1s","4s"]' --set 'retry.server=["1s","1s","1s","1s","1s"]'
	--set 'retry.connect=["1s","1s","1s","1s","1s"]' --set amqp.reconnect_max=1s --set redis.timeout=600ms --set amqp.connect_timeout=3s --set graph.connect_timeout=3s)

proxy_to() {	# NAME URL: a fault proxy in front of the server of URL; sets NAME_port and NAME_ctl
	local port=${2##*@127.0.0.1:} line
	port=${port##*127.0.0.1:}
	port=${port%%/*}
	"$T/proxy" --listen 127.0.0.1:0 --to "127.0.0.1:$port" >"$TRASH/$1.proxy" &
	proxies+=($!)
	wait_for "[[ -s $TRASH/$1.proxy ]]" && read -r _ line _ ctl <"$TRASH/$1.proxy"
	eval "$1_port=\$line $1_ctl=\${ctl##* }"
}
proxies=()
totals() { wamctl -j status | python3 -c "import json, sys; print(json.load(sys.stdin)['totals']['$1'])"; }
# Twenty fresh messages, over the broker itself: they are sent, whatever waits beside them.
sends_again() {
	local before
	before=$(totals sent) && feed --count 20 --on-unknown at_most_once --timeout 60 && wait_for "[[ \$(totals sent) -ge $((before + 20)) ]]" "$1"
}

test_expect_success 'a stack of its own; wamd reaches broker, Redis and Graph through fault proxies' '
	stack_up --no-breakers --own-broker --senders 2 --rate 1000 --no-wamd --sandbox-args "--rate 0 --pair off --delay 20-100" "${short[@]}" &&
	proxy_to amqp "$AMQP_URL" && proxy_to redis "$REDIS_URL" && proxy_to graph "$GRAPH_URL" &&
	cat >"$DIR/conf.d/99-proxies.conf" <<-EOF &&
	amqp: { urls = [ "${AMQP_URL/127.0.0.1:*\//127.0.0.1:$amqp_port/}" ]; };
	redis: { url = "${REDIS_URL/127.0.0.1:*\//127.0.0.1:$redis_port/}"; };
	graph: { url = "https://127.0.0.1:$graph_port"; };
	EOF
	stack start-wamd
'
feeder=
# Messages come in all the time, over the broker itself, not through the proxy.
while_feeding() {
	{ feed --count "$1" --rate 200 --on-unknown at_most_once --timeout 180 & } && feeder=$!
}
test_expect_success "Redis's network is cut for $cut s: nothing is sent blind, then sending resumes within seconds" '
	while_feeding 2000 && sends_again 10 &&
	"$T/proxy" --ctl $redis_ctl blackhole both &&
	wait_for "grep -q redis_down $DIR/wamd.log" 10 &&
	posts=$(totals posted) && deadline=$((SECONDS + cut)) && wait_for "[[ $SECONDS -lt 0 || \$SECONDS -ge $deadline ]]" 20 &&
	[[ $(totals posted) -le $((posts + 512)) ]] &&
	"$T/proxy" --ctl $redis_ctl pass && "$T/proxy" --ctl $redis_ctl drop-all &&
	sends_again 10
'
test_expect_success "the broker's network is cut for $cut s" '
	"$T/proxy" --ctl $amqp_ctl refuse && "$T/proxy" --ctl $amqp_ctl drop-all &&
	wait_for "grep -q amqp_down $DIR/wamd.log" 10 &&
	{ wamctl send t1 +4915112345678 Hello --id away 2>err; [[ $? -eq 75 ]]; } && test_grep "broker_away: .* with the id away, it is sent once" err &&
	deadline=$((SECONDS + cut)) && wait_for "[[ \$SECONDS -ge $deadline ]]" 20 &&
	"$T/proxy" --ctl $amqp_ctl pass &&
	sends_again 15
'
test_expect_success "Graph's network is cut for $cut s" '
	"$T/proxy" --ctl $graph_ctl blackhole both &&
	deadline=$((SECONDS + cut)) && wait_for "[[ \$SECONDS -ge $deadline ]]" 20 &&
	"$T/proxy" --ctl $graph_ctl pass && "$T/proxy" --ctl $graph_ctl drop-all &&
	sends_again 30
'
test_expect_success 'Redis is killed and started again on its append-only file' '
	stack kill-redis && stack start-redis && sends_again 15
'
test_expect_success 'the broker is killed and started again on its data' '
	wait $feeder && while_feeding 600 && sends_again 10 && wait $feeder &&
	stack kill-broker && stack start-broker && wait_for "wamctl status" 60
'
test_expect_success 'a last message goes through; then all is in the right place' '
	feed --count 1 --prefix last && wait_for at_rest 90; cat ledger.out; at_rest
'
test_expect_success 'what ended as unknown is in the dead-letter queue as unknown_outcome' '
	load peek --queue whatsapp.outbound.dlq >dlq &&
	! grep -v "\"reason\": \?\"unknown_outcome\"" dlq
'
test_expect_success 'the loop was never away for longer than 50 ms' loop_was_never_away
test_expect_success 'what an operator sends right after a reload waits for the new keeper to reach its broker' '
	"$T/proxy" --ctl $amqp_ctl delay 50 && wamctl reload && wamctl send t1 +4915112345678 Hello --id soon && "$T/proxy" --ctl $amqp_ctl pass
'
kill "${proxies[@]}"
test_done
