#!/usr/bin/env bash
# "wamctl message why" names what a message waits for: each cause is produced for real, and told in words and in JSON.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|breaker_open|limit_queueing|limit_approaching|tenants_away|host_breaker_open) state=raised'
expect_log 'tenants_away|redis_(down|lost)|script_failed|alert_lost|amqp_(blocked|down)|token_bad|graph_away|parked'

message() {	# ACCOUNT ID TO [MORE]
	printf '{"body":{"id":"%s","tenant_id":"%s","account_id":"%s","to":"%s","type":"text","text":{"body":"hello %s"}%s}}\n' "$2" "${1%-*}" "$1" "$3" "$2" "${4-}"
}
posted() { sandbox_ledger | grep -c "hello $1\""; }
lane_has() { wait_for "[[ \$(depth whatsapp.lane.$(number_of "$1")) -ge $2 ]]"; }	# ACCOUNT COUNT
# What keeps it is the first of these causes, in this order; the words fit the pattern.  One that nobody knows, too, says what would.
why() {	# "CAUSE..." PATTERN TENANT ID [OPTION...]
	local causes=$1 pattern=$2
	shift 2
	wamctl -j message why "$@" >json 2>/dev/null
	wamctl message why "$@" >text 2>&1
	python3 - "$causes" <<-'PY' && test_grep "$pattern" text
	import json, sys
	a, want = json.load(open("json")), sys.argv[1].split()
	have = [c["cause"] for c in a.get("causes", [])]
	assert have[:len(want)] == want and a.get("cause") == (want[0] if want else None), (want, a)
	assert a.get("why") or a.get("detail"), a
	PY
}
indexes() { redis --raw --scan --pattern "$1" >keys && mapfile -t keys <keys && redis --raw mget "${keys[@]}" | paste -d " " keys -; }	# PATTERN
waits() { wait_for "why $(printf '%q ' "$@")" 15; }
state_is() { python3 -c "import json, sys; a = json.load(open('json')); assert a['state'] == '$1' and a['attempts'] == $2, a"; }
alarm() {	# set | clear
	if [[ $1 == set ]]; then echo 'rabbit_alarm:set_alarm({{resource_limit, disk, node()}, []}).'; else echo 'rabbit_alarm:clear_alarm({resource_limit, disk, node()}).'; fi |
		"$T/rmq" "$RMQ_DIR" eval
}

test_expect_success 'three tenants from the tenant service, with accounts that may send 2 a second' '
	stack_up --api --own-broker --senders 2 --tenants 3 --accounts 3 --rate 2 --tenant-service wamd --sandbox-args "--rate 0 --pair off" \
		--set limit.pair_interval=8s --set limit.pair_burst=1 --set message.hold_in_memory=400ms --set hold.first=10m --set graph.send_timeout=1s \
		--set message.lease_margin=1s --set "retry.server=[\"5s\",\"5s\",\"5s\",\"5s\",\"5s\"]" --set message.unknown_timer=5s --set lane.idle=800ms --set "retry.wait=[\"1s\",\"3s\"]" --set tenant_service.timeout=500ms \
		--set tenant_service.retry_max=300ms &&
	message t2-a3 first +4915100000001 | publish && wait_for "[[ \$(posted first) -eq 1 ]]" && why "" "^why  *Graph accepted it; it waits for nothing" t2 first &&
	! grep ^cause text
'

# ---- the account ----
test_expect_success 'limit: more than the rate lets through waits in the lane' '
	for i in {1..50}; do message t1-a1 "many-$i" "+49151000010$((i + 10))"; done | publish && lane_has t1-a1 20 &&
	indexes "wamd:i:{t1}:t1:many-*" | sed -n "s/^[^ ]*:\(many-[0-9]*\) ~ .* limit .*/\1/p" | sort -V | tail -n 1 >id && [[ -s id ]] &&
	why "limit" "^why .*more came than its rate lets through: it may send 2 a second; at most [0-9]+ are before it" t1 "$(<id)" &&
	test_grep "^cause     limit$" text && python3 -c "import json; a = json.load(open(\"json\")); assert 0 < a[\"waiting_before_at_most\"] <= 50, a"
'
test_expect_success 'lane: what came before it goes first, though nothing holds the account any more' '
	wamctl hold set t1 --account=t1-a2 --reason=shortly && for i in {1..39}; do message t1-a2 "turn-$i" "+49151000020$((i + 10))"; done | publish && lane_has t1-a2 37 &&
	message t1-a2 turn-40 +4915100002050 | publish &&
	waits "pause lane" "^why  *account t1-a2 is on hold by an operator, until it is released: shortly; it waits" t1 turn-40 && wamctl hold release t1 --account=t1-a2 &&
	waits "lane" "^why  *it waits in its account.s lane, behind those that came before it; at most [0-9]+ are before it, for which its rate needs [0-9]+s" t1 turn-40 && state_is queued 0
'
test_expect_success 'the tenant is told the same by the HTTP API, and finds it among its messages' '
	api /v1/messages/turn-40 >answer && test_grep "\"cause\":\"lane\"" answer && test_grep "\"why\":\"it waits in its account.s lane" answer &&
	api "/v1/messages?state=queued&account_id=t1-a2&limit=1000" >answer && test_grep "\"id\":\"turn-40\",\"account_id\":\"t1-a2\",\"state\":\"queued\"" answer &&
	api "/v1/messages?state=queued&account_id=t1-a3&limit=1000" >answer && ! grep turn-40 answer
'
test_expect_success 'pair limit: only the recipient has had enough' '
	message t2-a1 pair-1 +4915100000002 | publish && wait_for "[[ \$(posted pair-1) -eq 1 ]]" && message t2-a1 pair-2 +4915100000002 | publish &&
	waits "pair_limit" "^why  *its recipient has had enough messages of this number for now; it comes back in [1-3]s" t2 pair-2
'
test_expect_success 'pause: an operator holds the account, and says why' '
	wamctl pause t2 --account t2-a2 --for 1h --reason "they moved" && message t2-a2 paused +4915100000003 | publish &&
	waits "pause lane" "^why  *account t2-a2 is on hold by an operator, it ends in .*: they moved; it waits" t2 paused && test_grep "^cause     pause, lane$" text &&
	wamctl resume t2 --account t2-a2 && wait_for "[[ \$(posted paused) -eq 1 ]]"
'
test_expect_success 'a recipient or a template on hold is named; others go' '
	wamctl hold set t2 --account=t2-a2 --recipient=+4915100000004 --reason=asked && message t2-a2 to-held +4915100000004 | publish &&
	waits "pause" "^why  *its recipient is on hold by an operator, until it is released: asked" t2 to-held &&
	wamctl hold release t2 --account=t2-a2 --recipient=+4915100000004 && wait_for "[[ \$(posted to-held) -eq 1 ]]"
'
test_expect_success 'breaker: tripped, and when one message tries' '
	wamctl breaker trip t2 t2-a2 --for=1h && message t2-a2 tripped +4915100000005 | publish &&
	waits "breaker lane" "^why  *the breaker of account t2-a2 is open: nothing goes; one message tries in " t2 tripped &&
	wamctl breaker reset t2 t2-a2 && wait_for "[[ \$(posted tripped) -eq 1 ]]"
'
test_expect_success 'hold: Graph refused the token' '
	graph_faults "{\"fault\":\"error\",\"code\":190,\"http\":401,\"times\":1,\"match\":{\"phone_number_id\":\"$(number_of t2-a3)\"}}" &&
	message t2-a3 refused +4915100000006 | publish && waits "hold lane" "^why  *account t2-a3 is on hold after an answer of Graph.s, one message tries in .*: .*190" t2 refused &&
	state_is retry 0 && message t2-a3 behind-it +4915100000007 | publish && waits "hold lane" "^why  *account t2-a3 is on hold" t2 behind-it && state_is queued 0 &&
	wamctl hold release t2 --account=t2-a3 && wait_for "[[ \$(posted behind-it) -eq 1 ]]"
'

# ---- the attempt ----
test_expect_success 'retry timer: when the next attempt is made, and what the last answer was' '
	graph_faults "{\"fault\":\"error\",\"code\":131016,\"http\":500,\"times\":1,\"match\":{\"text_contains\":\"hello again\"}}" &&
	message t2-a1 again +4915100000008 | publish && waits "retry_timer" "^why  *attempt 2 waits in a delay queue and is made in [0-9]+s; the last answer was: .*131016" t2 again && state_is retry 1
'
test_expect_success 'unknown outcome: nobody can tell whether Graph took it' '
	graph_faults "{\"fault\":\"refuse_then_cut\",\"how\":\"fin\",\"times\":1,\"match\":{\"text_contains\":\"hello lost\"}}" &&
	message t2-a1 lost +4915100000009 | publish && waits "unknown_outcome" "^why  *nobody can tell yet whether Graph took attempt 1" t2 lost && state_is unknown 1 &&
	python3 -c "import json; c = json.load(open(\"json\"))[\"causes\"]; assert len(c) == 1 and c[0][\"until\"], c"
'

# ---- priorities ----
test_expect_success 'pause by priority: the low ones of the tenant wait, others of the same account go' '
	wamctl pause t2 --priority low --for 1h --reason "the night" >out && test_grep "^held: priority low of tenant t2, until" out &&
	{ message t2-a2 low +4915100000010; message t2-a2 high +4915100000011 ",\"priority\":9"; message t2-a2 normal +4915100000012 ",\"priority\":4"; } | publish &&
	wait_for "[[ \$(posted high) -eq 1 && \$(posted normal) -eq 1 ]]" &&
	waits "pause" "^why  *all of low priority of tenant t2 is on hold by an operator, it ends in .*: the night" t2 low && state_is queued 0 && [[ $(posted low) -eq 0 ]]
'
test_expect_success 'hold list shows it, another class is another hold, and what is wrong is said' '
	wamctl hold list >out && test_grep "^priority  *t2  *low  *operator .* the night" out && wamctl hold list --tenant t1 >out && ! grep priority out &&
	! wamctl resume t2 --priority high 2>err && test_grep no_hold err && ! wamctl pause t2 --priority urgent --reason x 2>err &&
	test_grep "bad_request: priority: found urgent, allowed low, normal, high" err && ! wamctl pause t2 --priority low --account t2-a2 --reason x 2>err &&
	test_grep "bad_request: priority: of the whole tenant" err && wamctl account list --tenant t2 >out && ! grep "priority" out
'
test_expect_success 'who asks about a message that nobody knows is told of it, too' '
	why "pause" "no_record: no record: .*what would hold it now: all of low priority of tenant t2 is on hold" t2 nobody --account t2-a1 &&
	why "" "no_record" t1 nobody --account t1-a3 && ! wamctl message why t1 nobody --account t2-a1 2>err && test_grep unknown_account err
'
test_expect_success 'resumed, they go' '
	wamctl resume t2 --priority low && wait_for "[[ \$(posted low) -eq 1 ]]"
'

# ---- this machine ----
test_expect_success 'the breaker of the host, a machine that was drained' '
	wamctl hold set t2 --account=t2-a2 --reason=later && message t2-a2 later +4915100000013 | publish && waits "pause lane" later t2 later && wamctl host trip --for=1h &&
	why "pause host_breaker lane" "this machine sends nothing; one message tries in" t2 later && wamctl host reset && wamctl drain &&
	waits "no_sender pause lane" "^why  *no sender takes messages on this machine" t2 later && wamctl reload && wamctl wait-ready && waits "pause lane" later t2 later
'
test_expect_success 'broker blocked: an alarm, since when, whatever else holds it' '
	wamctl hold set t2 --account=t2-a1 --reason=later && message t2-a1 trigger +4915100000014 | publish && lane_has t2-a1 1 && alarm set &&
	wamctl hold release t2 --account=t2-a1 && waits "broker_blocked pause lane" "^why  *the broker takes no publishes \(alarm\), and nothing new is begun, for [0-9]+" t2 later &&
	why "broker_blocked" "what would hold it now: the broker takes no publishes" t1 nobody && alarm clear &&
	waits "pause lane" later t2 later && wamctl hold release t2 --account=t2-a2 && wait_for "[[ \$(posted later) -eq 1 && \$(posted trigger) -eq 1 ]]"
'
test_expect_success 'tenant service away: a tenant that nobody here knows yet, and since when' '
	graph_faults "{\"fault\":\"html\",\"http\":503,\"match\":{\"route\":\"tenant\"}}" && message t3-a1 stranger +4915100000015 | publish &&
	waits "tenant_service_away" "tenants_away: the tenant service does not answer, and the tenant is not known here: its messages wait in delay queues" t3 stranger &&
	waits "tenant_service_away" "the last failure was: .*503" t3 other && python3 -c "import json; assert json.load(open(\"json\"))[\"causes\"][0][\"since\"]" &&
	sandbox_curl faults -X DELETE >/dev/null && wait_for "[[ \$(posted stranger) -eq 1 ]]" && wait_for "why \"\" waits.for.nothing t3 stranger"
'
test_expect_success 'Redis away: it says so, and what the senders of this machine have' '
	stack kill-redis && waits "redis_away" "store_away: Redis does not answer, for [0-9]+s: .*\(2 of 2 senders of this machine cannot reach it\)" t1 turn-40 &&
	{ status=0; wamctl message why t1 turn-40 2>/dev/null || status=$?; [[ $status -eq 75 ]]; } && stack start-redis && wait_for "wamctl message why t1 turn-40"
'
if [[ -n ${WAMD_LONG-} ]]; then
test_expect_success 'broker away: the senders have no connection' '
	wamctl hold set t1 --account=t1-a3 --reason=later && message t1-a3 last +4915100000016 | publish && waits "pause lane" later t1 last && stack kill-broker &&
	waits "broker_away pause lane" "^why  *the senders of this machine have no connection to the broker, for [0-9]+s" t1 last && stack start-broker &&
	wait_for "wamctl status" && wamctl hold release t1 --account=t1-a3 && wait_for "[[ \$(posted last) -eq 1 ]]" 20
'
fi
test_expect_success 'in the end nothing is marked but what waits, and nothing was lost or doubled' '
	wait_for at_rest 40; cat ledger.out; at_rest && indexes "wamd:i:*" >values && [[ $(grep -c . values) -gt 60 ]] && ! grep " ~" values && loop_was_never_away
'
test_done
