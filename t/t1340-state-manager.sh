#!/usr/bin/env bash
# The state manager: told of every message, in single steps with growing times, whatever comes in what order and whoever is away.
. "$(dirname "$0")/lib.sh"

count=200
[[ ${WAMD_LONG:-} ]] && count=3000
expect_log 'warn wamd child_died|error wamd crash_loop|keeper.* state_away|alert kind=(state_manager_away|limit_queueing|limit_approaching|held) state=raised'
expect_log 'warn keeper.* state_(refused|unreadable)'

queue=whatsapp.status.state-manager
hooks() { sandbox_curl webhooks --json "$1" >/dev/null; }
keeper() { wamctl -j status | python3 -c "
import json, sys
print(*[p['pid'] for p in json.load(sys.stdin)['processes'] if p['role'] == 'keeper' and not p['draining']][-1:])"; }
texts() {	# PREFIX COUNT
	python3 - "$@" <<-'PY'
	import json, sys
	for i in range(int(sys.argv[2])):
	    print(json.dumps({"body": {"id": "%s-%d" % (sys.argv[1], i), "tenant_id": "t1", "account_id": "t1-a1", "to": "+49151%07d" % i, "type": "text",
	                               "text": {"body": "hi"}}}))
	PY
}
# states PYTHON: something about d, all that the state manager holds, and by, its messages by our id.
states() {
	sandbox_curl states >states.json && python3 -c "
import json, sys
d = json.load(open('states.json'))
by = {m['mappingId']: m for m in d['messages']}
def all_are(prefix, n, *words):
    found = [m for m in d['messages'] if m['mappingId'].startswith(prefix + '-')]
    return len(found) == n and all(m['status'] in words for m in found)
sys.exit(not ($1))"
}
whole() {	# no step was left out, no time is older than the one before, nothing was refused
	states "d['refused'] == 0 and all(
		[h['status'] for h in m['history']] == ['queued', 'sent', 'delivered', 'read'][:len(m['history'])] and
		[h['timestamp'] for h in m['history'][1:]] == sorted({h['timestamp'] for h in m['history'][1:]}) for m in d['messages'])" || { cat states.json; return 1; }
}
told() { python3 -c "import json; print(json.load(open('s.json'))['state_manager'].get('$1', -1))"; }
look() { wamctl -j status >s.json; }
is_there() { load depth --queue "$1" | python3 -c "import json, sys; sys.exit(json.load(sys.stdin).get('$1') is None)"; }
turn_on() {	# URL
	cat >"$DIR/conf.d/60-state.conf" <<-END
	state_manager: { url = "$1"; token_file = "$TRASH/state.token"; ca_file = "$DIR/tls/ca.pem"; timeout = "700ms"; retry_max = "300ms"; window = 16; };
	END
	wamctl reload
}
told_all() {	# PREFIX COUNT [WORD]
	wait_for "states \"all_are('$1', $2, '${3:-read}')\"" 60
}

test_expect_success 'off by default: no queue, and nobody is told' '
	printf "the-secret\n" >app.secret && echo state-canary-0123456789 >state.token && chmod 600 app.secret state.token &&
	stack_up --api --no-breakers --senders 2 --tenants 1 --accounts 1 --rate 2000 --set "webhook.apps=[\"main=$TRASH/app.secret\"]" \
		--set respawn.min=5ms --set respawn.max=50ms --set respawn.calm=1ms --set respawn.alarm=1000 \
		--sandbox-args "--rate 0 --pair off --state-token $TRASH/state.token" &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]" &&
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp\",\"secret\":\"the-secret\",\"latency_ms\":[0,50],\"duplicates\":0.3,\"shuffle\":true,\"read_rate\":1}" &&
	texts off 5 | publish && wait_for at_rest && ! is_there $queue && look && [[ $(python3 -c "import json; print(\"state_manager\" in json.load(open(\"s.json\")))") == False ]]
'
test_expect_success 'on, but it does not listen: sending goes on, the queue grows, an alert is raised once' '
	turn_on http://127.0.0.1:1 && wait_for "is_there $queue" && before=$(accepted) && texts early 20 | publish &&
	wait_for "[[ \$(accepted) -eq $((before + 20)) ]]" && wait_for "look && [[ \$(told state) == away && \$(told waiting) -ge 40 && \$(told in_hand) -eq 16 ]]" &&
	wamctl status | tee out && test_grep "state manager away since .*; 16 events in hand, [0-9]+ wait" out &&
	wait_for "grep -q \"alert kind=state_manager_away state=raised\" \"$DIR/wamd.log\""
'
test_expect_success 'it is somewhere else: a reload, and all of it arrives, bound first' '
	turn_on "$SANDBOX_URL/state-manager" && told_all early 20 && whole && states "d[\"bound\"] == 20" &&
	wait_for "grep -q \"alert kind=state_manager_away state=resolved\" \"$DIR/wamd.log\"" &&
	[[ $(grep -c "alert kind=state_manager_away state=raised" "$DIR/wamd.log") -eq 1 ]]
'
test_expect_success "$count messages with webhooks in any order, some twice: each is told step by step" '
	texts many $count | publish && told_all many $count && whole && states "d[\"repeated\"] == 0"
'
test_expect_success 'messages that failed, with Meta or on the way: failed is told, or nobody is bound' '
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp\",\"secret\":\"the-secret\",\"fail\":{\"rate\":1,\"code\":131049}}" && texts failed 5 | publish &&
	told_all failed 5 failed && states "[h[\"status\"] for h in by[\"failed-1\"][\"history\"]] == [\"queued\", \"failed\"]" &&
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp\",\"secret\":\"the-secret\",\"latency_ms\":[0,200],\"duplicates\":0.2,\"shuffle\":true}" &&
	echo "{\"body\":{\"id\":\"lost-1\",\"tenant_id\":\"t1\",\"account_id\":\"t1-a9\",\"to\":\"+491510000001\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}}}" | publish &&
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -ge 1 ]]" && states "\"lost-1\" not in by"
'
trouble() { sandbox_curl faults -X DELETE >/dev/null && graph_faults "[{\"match\":{\"path\":\"/state-manager/*\"},$1}]" >/dev/null; }
grows() {	# messages go out all the same, and what is told of them waits
	local before
	before=$(accepted) && texts "$1" 12 | publish && wait_for "[[ \$(accepted) -eq $((before + 12)) ]]" &&
	wait_for "look && [[ \$(told state) == away && \$(told waiting) -ge 20 ]]"
}
test_expect_success 'it answers 503, then not at all, takes without an answer, then cuts: what waited arrives, in order' '
	sandbox_curl states -X DELETE >/dev/null && trouble "\"fault\":\"html\",\"http\":503" && grows busy && trouble "\"fault\":\"hang\"" && grows hung &&
	trouble "\"fault\":\"accept_then_cut\",\"probability\":0.3" && told_all busy 12 && told_all hung 12 &&
	trouble "\"fault\":\"refuse_then_cut\"" && grows cut && sandbox_curl faults -X DELETE >/dev/null && told_all cut 12 && whole &&
	[[ $(total state_retried) -ge 4 && $(total state_refused) -eq 0 ]] && states "d[\"repeated\"] > 0"
'
test_expect_success 'no token, no word: that is trouble of ours, and costs no event' '
	mv state.token good.token && echo another-token-0123456789 >state.token && chmod 600 state.token && wamctl reload && grows locked &&
	mv good.token state.token && wamctl reload && told_all locked 12 && whole
'
test_expect_success 'the keeper is killed five times in the middle' '
	trouble "\"fault\":\"delay\",\"min_ms\":150,\"max_ms\":400" && texts killed $count | publish &&
	for i in 1 2 3 4 5; do
		told=$(total state_told) && wait_for "k=\$(keeper); [[ \$k && \$k != ${last:-0} ]]" && wait_for "[[ \$(total state_told) -gt $told ]]" 10 &&
		last=$k && kill -KILL "$k" || return 1
	done && ! states "all_are(\"killed\", $count, \"read\")" &&
	sandbox_curl faults -X DELETE >/dev/null && told_all killed $count && whole && [[ $(total state_refused) -eq 0 ]]
'
test_expect_success 'it dies each time between telling and knowing it: nothing is told that is not taken as told before' '
	stack stop-wamd && WAMD_FAIL=state_told:11:kill stack start-wamd && hooks "{\"url\":\"$API_URL/webhooks/whatsapp\",\"secret\":\"the-secret\",\"latency_ms\":[0,50]}" &&
	texts point 15 | publish && told_all point 15 && [[ $(grep -c "failpoint point=state_told" "$DIR/wamd.log") -ge 4 ]] && whole &&
	stack stop-wamd && stack start-wamd
'
test_expect_success 'a WAMID that it has forgotten is bound again; one message that it will not have holds up no other' '
	sandbox_curl states -X DELETE >/dev/null && hooks "{\"pause\":true}" &&
	texts lost 5 | publish && told_all lost 5 queued && sandbox_curl states -X DELETE >/dev/null &&
	hooks "{\"pause\":false}" && told_all lost 5 && states "d[\"bound\"] == 5 and len(d[\"reasons\"]) == 5 and all(r.startswith(\"404\") for r in d[\"reasons\"])" &&
	[[ $(total state_refused) -eq 0 ]] && trouble "\"fault\":\"html\",\"http\":422,\"times\":1" && texts poison 10 | publish &&
	wait_for "states \"sum(m[\\\"status\\\"] == \\\"read\\\" for m in d[\\\"messages\\\"]) >= 14\"" && [[ $(total state_refused) -ge 1 ]] && test_grep "state_refused id=poison-" "$DIR/wamd.log" &&
	wait_for "look && [[ \$(told waiting) -eq 0 && \$(told in_hand) -eq 0 ]]"
'
test_expect_success 'nor does one that it answers with 500 each time, or an event that is none' '
	graph_faults "[{\"match\":{\"path\":\"/state-manager/message\",\"text_contains\":\"heavy-3\"},\"fault\":\"html\",\"http\":500}]" >/dev/null &&
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp\",\"secret\":\"the-secret\",\"latency_ms\":[0,1500]}" && refused=$(total state_refused) &&
	{ texts heavy 6; texts beside 80; } | publish && told_all beside 80 &&
	wait_for "[[ \$(total state_refused) -gt $refused ]]" && sandbox_curl faults -X DELETE >/dev/null &&
	wait_for "look && [[ \$(told waiting) -eq 0 && \$(told in_hand) -eq 0 ]]"
'
test_expect_success 'what was told is kept under the tenant, for as long as a record can be there; no token is in the log' '
	key=$(redis --scan --pattern "wamd:sm:{t1}:*" | head -n 1) && [[ $key && $(redis pttl "$key") -gt 864000000 ]] && redis get "$key" | test_grep "^(read|failed|delivered|accepted|sent) [0-9]{13}$" - &&
	! grep -F canary "$DIR/wamd.log" && wait_for at_rest
'
test_done
