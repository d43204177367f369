#!/usr/bin/env bash
# Webhooks: what became of each message, told once and never backwards; what they prove of outcomes that nobody could tell.
. "$(dirname "$0")/lib.sh"

count=300
[[ ${WAMD_LONG:-} ]] && count=3000

expect_log 'warn wamd child_died|error wamd crash_loop'	# the same sender may be killed several times in a row
expect_log 'alert kind=(meta_news|held|template_stopped|limit_queueing|limit_approaching) state=raised'
expect_log 'warn sender.* settle_lost'
expect_log 'warn (sender|api).* (amqp|redis)_down'

hooks() { sandbox_curl webhooks --json "$1" >/dev/null; }
post() { sandbox_curl webhooks/send --json "$1" >answer && python3 -c "import json; print(json.load(open('answer'))['status'])"; }
texts() {	# FROM TO [MEMBERS]: text messages
	python3 - "$@" <<-'PY'
	import json, sys
	for i in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
	    print(json.dumps({"body": dict({"id": "m%d" % i, "tenant_id": "t1", "account_id": "t1-a1", "to": "+49151%07d" % i, "type": "text",
	                               "correlation_id": "c%d" % i, "metadata": {"n": i}, "text": {"body": "hi"}}, **json.loads(sys.argv[3] if len(sys.argv) > 3 else "{}"))}))
	PY
}
# events: what was told of messages so far, id status state, one a line in the order of their coming.
events() {
	load peek --queue t.events | python3 -c "
import json, sys
for l in sys.stdin:
    e = json.loads(l)['body']
    if e['tenant_id'] == 't1': print(e['id'], e['status'], e.get('state', '-'), e.get('correlation_id'), (e.get('metadata') or {}).get('n'))" >events
}
told() { events && cut -d" " -f2 events | grep -cx "$1"; }
# each_once STATUS FROM TO: an event with this status for each message, and none twice
each_once() {
	events && python3 - "$@" <<-'PY'
	import collections, sys
	seen = collections.Counter(l.split()[0] for l in open("events") if l.split()[1] == sys.argv[1])
	want = {"m%d" % i for i in range(int(sys.argv[2]), int(sys.argv[3]) + 1)}
	sys.exit(bool(want - set(seen)) or any(seen[i] != 1 for i in want))
	PY
}
state() { wamctl -j message why t1 "$1" | python3 -c "import json, sys; print(json.load(sys.stdin)['state'])"; }

test_expect_success 'a stack whose API takes webhooks of one app' '
	printf "the-secret\nthe-next-secret\nverify: hello-meta\n" >"$TRASH/app.secret" && chmod 600 "$TRASH/app.secret" &&
	stack_up --own-broker --api --no-breakers --senders 2 --tenants 2 --accounts 2 --rate 2000 --sandbox-args "--rate 0 --pair off" \
		--set "webhook.apps=[\"main=$TRASH/app.secret\"]" --set "retry.wait=[\"300ms\",\"1s\"]" --set message.unknown_timer=1s \
		--set graph.send_timeout=2s --set message.lease_margin=1s --set message.unknown_max=20s &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]"
'
test_expect_success 'Meta sets it up with the word, and nobody without' '
	[[ $(curl -s "$API_URL/webhooks/whatsapp/main?hub.mode=subscribe&hub.challenge=12345&hub.verify_token=hello-meta") == 12345 ]] &&
	[[ $(curl -s "$API_URL/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=12345&hub.verify_token=hello-meta") == 12345 ]] &&
	[[ $(curl -s -o /dev/null -w "%{http_code}" "$API_URL/webhooks/whatsapp/main?hub.mode=subscribe&hub.challenge=1&hub.verify_token=hello") == 403 ]] &&
	[[ $(curl -s -o /dev/null -w "%{http_code}" "$API_URL/webhooks/whatsapp/other?hub.mode=subscribe&hub.challenge=1&hub.verify_token=hello-meta") == 403 ]]
'
test_expect_success 'a wrong signature is refused, and nothing of it is read' '
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp/main\",\"secret\":\"the-secret\",\"latency_ms\":[5,200],\"duplicates\":0.3,\"shuffle\":true,\"batch\":20}" &&
	[[ $(post "{\"body\":{\"object\":\"x\"},\"signature\":\"bad\"}") == 401 && $(post "{\"body\":{\"object\":\"x\"},\"signature\":\"none\"}") == 401 ]] &&
	[[ $(total webhooks_forged) -eq 2 && $(total webhooks) -eq 0 ]] &&
	[[ $(post "{\"raw\":\"no JSON\",\"signature\":\"bad\"}") == 401 ]]
'
test_expect_success "of $count messages each status is told once, in whatever order it came" '
	texts 1 $count | publish && wait_for "each_once read 1 $count" 60 && each_once sent 1 $count && each_once delivered 1 $count &&
	each_once accepted 1 $count && [[ $(cut -d" " -f2 events | sort | uniq -c | wc -l) -eq 4 ]] &&
	wamctl message show t1 m7 >way && test_grep "^read +20" way && test_grep "^attempt 1 .* sent http=200" way &&
	grep -qx "m7 read read c7 7" events && ! grep -E "^m[0-9]+ (sent|delivered) accepted" events
'
test_expect_success 'the next secret is good, too' '
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp\",\"secret\":\"the-next-secret\",\"latency_ms\":[5,50]}" &&
	texts 11001 11010 | publish && wait_for "each_once read 11001 11010"
'
# Evidence needs later messages of the same number: while something is waited for, one goes out now and then.
probes=0
probe_and() {
	probes=$((probes + 1))
	texts $((19000 + probes)) $((19000 + probes)) | publish >/dev/null && "$@"
}
test_expect_success 'answers that are lost: proven by webhooks, and not sent again; what Graph did not take is sent by the evidence of later ones' '
	before=$(accepted) &&
	graph_faults "[{\"fault\":\"refuse_then_cut\",\"times\":5},{\"fault\":\"accept_then_cut\",\"times\":20}]" >/dev/null && texts 12001 12045 | publish &&
	wait_for "probe_and each_once read 12001 12045" 60 && wait_for at_rest && [[ $(total proven) -ge 10 ]] &&
	[[ $(accepted) -eq $((before + 45 + probes)) ]]
'
kill_one() {	# a sender that is there
	local pid
	pid=$(wamctl -j status | python3 -c "
import json, sys
print(*[p['pid'] for p in json.load(sys.stdin)['processes'] if p['role'] == 'sender'][-1:])") && [[ $pid ]] && kill -KILL "$pid"
}
test_expect_success 'senders are killed in the middle, webhooks come late: nothing is lost, nothing is sent twice' '
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp/main\",\"secret\":\"the-secret\",\"latency_ms\":[5,500],\"duplicates\":0.1,\"shuffle\":true}" &&
	before=$(($(accepted) - probes)) && graph_faults "[{\"fault\":\"delay\",\"min_ms\":20,\"max_ms\":300}]" >/dev/null &&
	{ texts 40001 $((40000 + count)) | publish & } &&
	for i in 1 2 3 4 5 6 7 8; do
		wait_for "[[ \$(accepted) -ge $((before + i * count / 12)) ]]" 60 &&
		wait_for kill_one 10 || return 1
	done && sandbox_curl faults -X DELETE >/dev/null &&
	wait_for "probe_and each_once delivered 40001 $((40000 + count))" 120 && wait_for at_rest 60 && [[ $(accepted) -eq $((before + count + probes)) ]]
'
test_expect_success 'the broker is away: 503, nothing half-stored, and Meta comes again' '
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp/main\",\"secret\":\"the-secret\",\"latency_ms\":[0,0],\"retry_ms\":[200,1000],\"pause\":true}" &&
	texts 15001 15020 | publish && wait_for "[[ \$(state m15020) == sent ]]" && stack kill-broker && hooks "{\"pause\":false}" &&
	wait_for "[[ \$(total webhooks_later) -ge 5 ]]" && stack start-broker && wait_for "each_once read 15001 15020" 90
'
test_expect_success 'a user writes: passed on; a template is paused: held at once' '
	sandbox_curl webhooks/inbound --json "{\"phone_number_id\":\"$(number_of t1-a1)\",\"from\":\"4915199999999\",\"text\":\"hello\"}" >/dev/null &&
	wait_for "[[ \$(total inbound) -eq 1 ]]" &&
	waba=$(fact t1-a1 waba_id) &&
	sandbox_curl templates --json "{\"waba_id\":\"$waba\",\"name\":\"hello\",\"language\":\"en_US\",\"status\":\"PAUSED\",\"category\":\"MARKETING\",\"components\":[{\"type\":\"BODY\",\"text\":\"Hello\"}]}" >/dev/null &&
	sandbox_curl webhooks/field --json "{\"waba_id\":\"$waba\",\"field\":\"message_template_status_update\",\"value\":{\"event\":\"PAUSED\",\"message_template_id\":1,\"message_template_name\":\"hello\",\"message_template_language\":\"en-US\"}}" >/dev/null &&
	wait_for "wamctl hold list | grep -q hello/en_US" &&
	sandbox_curl webhooks/field --json "{\"waba_id\":\"$waba\",\"field\":\"account_update\",\"value\":{\"event\":\"ACCOUNT_RESTRICTION\",\"restriction_info\":[{\"restriction_type\":\"RESTRICTED_BIZ_INITIATED_MESSAGING\"}]}}" >/dev/null &&
	wait_for "grep -q \"alert kind=meta_news state=raised\" \"$DIR/wamd.log\""
'
test_expect_success 'statuses of nobody here, and of another tenant, change nothing' '
	events && cp events before &&
	for token in "" "w1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; do
		[[ $(post "{\"body\":{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":\"messages\",\"value\":{\"metadata\":{\"phone_number_id\":\"$(number_of t2-a1)\"},\"statuses\":[{\"id\":\"wamid.X\",\"status\":\"sent\",\"timestamp\":\"1\",\"biz_opaque_callback_data\":\"$token\"}]}}]}]}}") == 200 ]] || return 1
	done && events && cmp events before
'
test_expect_success 'nothing was lost or sent twice' '
	wait_for at_rest
'
test_done
