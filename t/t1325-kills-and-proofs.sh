#!/usr/bin/env bash
# SIGKILL at any moment, with webhooks: what nobody could know is proven or refuted by them; nothing is lost, nothing is accepted twice.
. "$(dirname "$0")/lib.sh"

kills=100
[[ -z ${WAMD_LONG-} ]] || kills=${WAMD_KILLS:-10000}

expect_log 'alert kind=(held|limit_queueing|limit_approaching) state=raised'
expect_log 'warn wamd child_died|error wamd crash_loop'
expect_log 'sender.*(amqp_down|settle_lost)'

hooks() { sandbox_curl webhooks --json "{\"url\":\"$API_URL/webhooks/whatsapp\",\"secret\":\"the-secret\",\"latency_ms\":[5,500],\"wabas\":$1}" >/dev/null; }
unknown() { redis eval "local n = 0; for _, k in ipairs(redis.call('KEYS', 'wamd:m:{${1-*}}:*')) do n = n + (redis.call('HGET', k, 's') == 'unknown' and 1 or 0) end; return n" 0; }
# Evidence needs later messages of the same number: while something is waited for, some go out of each now and then.
n=0
later_ones() {
	n=$((n + 1))
	feed --count 8 --prefix "later$n" --timeout 30 >/dev/null && "$@"
}
test_expect_success 'four senders and webhooks; one answer of a hundred is cut' '
	printf "the-secret\n" >"$TRASH/app.secret" && chmod 600 "$TRASH/app.secret" &&
	stack_up --api --no-breakers --senders 4 --tenants 2 --accounts 4 --rate 1000 --sandbox-args "--rate 0 --pair off --delay 20-300" \
		--set "webhook.apps=[\"main=$TRASH/app.secret\"]" --set "retry.wait=[\"300ms\",\"1s\"]" --set message.unknown_timer=1s \
		--set graph.send_timeout=2s --set message.lease_margin=1s --set message.unknown_max=600s \
		--set respawn.min=5ms --set respawn.max=20ms --set respawn.alarm=1000 &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]" && hooks null &&
	graph_faults "[{\"fault\":\"accept_then_cut\",\"probability\":0.01},{\"fault\":\"delay\",\"min_ms\":20,\"max_ms\":300}]" >/dev/null
'
test_expect_success "$kills SIGKILLs of drawn senders while 300 messages a second come in" '
	{ feed --count $((kills * 12)) --rate 300 --timeout 120 & } && feeder=$! && "$T/kill-senders" "$WAMD_PID" $kills 20 60 && wait $feeder
'
test_expect_success 'lost 0, accepted twice 0, dead 0; no outcome is unknown any more' '
	sandbox_curl faults -X DELETE >/dev/null && wait_for "later_ones at_rest --webhooks" $((90 + kills / 20)); cat ledger.out
	at_rest --webhooks && echo "proven $(total proven)" && [[ $(total proven) -ge $((kills / 20)) && $(unknown) -eq 0 && $(depth whatsapp.outbound.dlq) -eq 0 ]]
'
# A cut takes the connection's other calls with it: what of others was not yet accepted is unknown too, until a later message of its number
# shows it.  All of t2 is one business account.
only_the_silent() {
	local id

	[[ $(unknown t1) -eq 0 ]] || return 1
	for id in $silent; do
		wamctl message why t2 "$id" | grep -qi unknown || return 1
	done
}
test_expect_success 'of one business account no webhooks come: its unknown outcomes are held and visible, others go on' '
	waba=$(fact t2-a1 waba_id) && hooks "$(python3 -c "import json; print(json.dumps([a[\"waba_id\"] for a in json.load(open(\"$DIR/accounts.json\")) if a[\"waba_id\"] != \"$waba\"]))")" &&
	graph_faults "{\"fault\":\"accept_then_cut\",\"times\":3,\"match\":{\"text_contains\":\"silent-\"}}" >/dev/null &&
	feed --account t2-a1 --count 3 --prefix silent &&
	silent=$(python3 -c "import json; print(*[json.loads(l)[\"id\"] for l in open(\"$DIR/published$feeds.ndjson\")])") && echo "$silent" && [[ $(wc -w <<<"$silent") -eq 3 ]] &&
	feed --account t1-a1 --count 50 --prefix others && wait_for "later_ones only_the_silent"
'
test_done
