#!/usr/bin/env bash
# What Graph takes and says later failed: by the table of errors it is tried again, held, or dead with an alert; told once, and never lost.
. "$(dirname "$0")/lib.sh"

count=200
[[ ${WAMD_LONG:-} ]] && count=5000

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'
expect_log 'warn wamd child_died'
expect_log 'warn sender.* settle_lost'

# hooks [MEMBERS]: the order for webhooks; messages fail late as `late` says: TO CODE TIMES, a line each (TIMES 0: each time).
hooks() {
	python3 -c '
import json, sys
late = [{k: v for k, v in zip(("to", "code", "times"), (f[0], int(f[1]), int(f[2]))) if v} for f in (l.split() for l in open("late"))]
print(json.dumps(dict({"url": sys.argv[1], "secret": "the-secret", "latency_ms": [1, 20], "retry_ms": [100, 500], "late": late}, **json.loads(sys.argv[2]))))
' "$API_URL/webhooks/whatsapp" "${1-{\}}" >order && sandbox_curl webhooks --json @order >/dev/null
}
message() {	# ID TO EXPECT
	printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"+%s","type":"text","correlation_id":"c-%s","metadata":{"of":"%s"},"priority":4,"text":{"body":"plain-words-of %s."}},"headers":{"X-Mine":"mine-%s"},"expect":"%s"}\n' "$1" "$2" "$1" "$1" "$1" "$1" "$3"
}
ends() {	# ID STATE ATTEMPTS
	wait_for "wamctl message why t1 $1 | grep -q \"^state  *$2 after $3 attempt\"" 30
	wamctl message why t1 "$1" >why && test_grep "^state  *$2 after $3 attempt" why
}
letter() { load peek --queue whatsapp.outbound.dlq | grep "\"id\":\"$1\"\|\"id\": \"$1\"" >letter; }
# told ID: status, what follows, code of its events from webhooks, in order.
told() {
	load peek --queue t.events | python3 -c '
import json, sys
for e in (json.loads(l)["body"] for l in sys.stdin):
    if e["id"] == sys.argv[1] and "state" in e: print(e["status"], e["state"], e.get("next", "-"), e.get("code", 0), (e.get("metadata") or {}).get("of"))' "$1" >told
}
told_is() {	# ID LINE...
	local id=$1
	shift
	told "$id" && sort told >have && printf '%s\n' "$@" | sort | cmp -s - have
}
settled_hooks() { sandbox_stats | python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["webhooks"]["pending"] > 0)'; }
# says STATUS ID N: Meta tells this status of attempt N once more; its HTTP answer.
says() {
	sandbox_ledger | python3 -c '
import base64, json, sys
status, ident, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
for p in map(json.loads, sys.stdin):
    if ("plain-words-of %s." % ident) not in json.dumps(p["body"]) or not p["accepted"]: continue
    if base64.urlsafe_b64decode(p["callback"][3:] + "==")[16] != n: continue
    s = {"id": p["wamid"], "status": status, "timestamp": "1764000000", "recipient_id": "1", "biz_opaque_callback_data": p["callback"]}
    if status == "failed": s["errors"] = [{"code": 131016, "title": "x"}]
    print(json.dumps({"body": {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value":
        {"messaging_product": "whatsapp", "metadata": {"phone_number_id": p["pnid"]}, "statuses": [s]}}]}]}}))
    break
' "$1" "$2" "$3" >one && sandbox_curl webhooks/send --json @one | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])'
}

: >late
test_expect_success 'a stack that takes webhooks, with short steps' '
	printf "the-secret\n" >"$TRASH/app.secret" && chmod 600 "$TRASH/app.secret" &&
	stack_up --api --no-breakers --senders 2 --rate 2000 --sandbox-args "--rate 0 --pair off" --set "webhook.apps=[\"main=$TRASH/app.secret\"]" \
		--set "retry.server=[\"100ms\",\"100ms\",\"100ms\",\"100ms\",\"100ms\"]" --set "retry.throttle=[\"100ms\",\"100ms\",\"100ms\",\"100ms\",\"100ms\"]" \
		--set "retry.wait=[\"100ms\",\"200ms\",\"2s\"]" --set hold.first=100ms --set hold.max=200ms --set message.unknown_timer=500ms \
		--set graph.send_timeout=2s --set message.lease_margin=1s --set respawn.min=10ms --set respawn.max=100ms --set respawn.alarm=1000 &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]"
'
test_expect_success '130472 is tried again: it fails twice after it was sent, then arrives; each failure says what follows' '
	printf "%s\n" "491510000001 130472 2" >late && hooks && message again 491510000001 sent | publish &&
	ends again sent 3 && wait_for "told_is again \"failed retry retry 130472 again\" \"failed retry retry 130472 again\" \"sent sent - 0 again\" \
		\"sent sent - 0 again\" \"sent sent - 0 again\" \"delivered delivered - 0 again\" \"read read - 0 again\"" 15; cat told
	[[ $(grep -c failed told) -eq 2 ]] && test_grep "read read" told &&
	wamctl message why t1 again | grep -c "130472" >n && [[ $(cat n) -eq 2 ]]
'
test_expect_success '130472 for ever: five retries, then dead' '
	printf "%s\n" "491510000002 130472 0" >late && hooks && message always 491510000002 dead:retries_used | publish &&
	ends always dead 6 && wait_for "letter always" && python3 - letter <<-PY
	import json, sys
	m = json.loads(open(sys.argv[1]).read()); d = m["body"]
	assert d["reason"] == "retries_used" and d["code"] == 130472 and d["attempts"] == 6 and d["correlation_id"] == "c-always", d
	assert d["message"]["text"]["body"] == "plain-words-of always." and d["message"]["metadata"] == {"of": "always"}, d
	assert [h["outcome"] for h in d["history"]] == ["sent", "server"] * 6, d["history"]
	assert [h.get("by") for h in d["history"]] == [None, "webhook"] * 6, d["history"]
	PY
'
test_expect_success '131026 is dead, without an alert; 131047 is dead and an alert' '
	printf "%s\n" "491510000003 131026 0" "491510000004 131047 0" >late && hooks &&
	{ message no-user 491510000003 dead:refused; message window 491510000004 dead:refused; } | publish &&
	ends no-user dead 1 && ends window dead 1 && wait_for "letter no-user" && test_grep "\"reason\": ?\"refused\"" letter && test_grep "131026" letter &&
	wait_for "letter window" && wait_for "told window && grep -qx \"failed failed dead_letter 131047 window\" told" &&
	wait_for "grep -q \"alert kind=message_refused state=raised .*what=code:131047\" \"$DIR/wamd.log\"" 5 && ! grep "alert .*code:131026" "$DIR/wamd.log"
'
test_expect_success '131048 holds the number, with an alert, and goes when the hold is over' '
	printf "%s\n" "491510000005 131048 1" >late && hooks && message spam 491510000005 sent | publish && ends spam sent 2 &&
	test_grep "gate tenant=t1 account=t1-a1 held n:" "$DIR/wamd.log" && test_grep "alert kind=held state=raised .*what=n:[0-9]* " "$DIR/wamd.log" &&
	wait_for "told spam && grep -qx \"failed retry retry 131048 spam\" told" && wait_for "told spam && grep -q ^read told"
'
test_expect_success 'a copy is the message as it came: its headers and priority are there' '
	test_grep "late_failure id=spam .*attempt=1 code=131048 class=held next=retry" "$DIR/wamd.log"
'
test_expect_success 'a failure that is told five times makes one retry; of an old attempt it changes nothing, and after delivery neither' '
	printf "%s\n" "491510000006 131016 1" >late && hooks "{\"duplicates\":1}" && message often 491510000006 sent | publish && ends often sent 2 &&
	wait_for "told often && grep -q ^read told" && for i in 1 2 3; do [[ $(says failed often 1) == 200 ]] || return 1; done &&
	[[ $(says failed often 2) == 200 && $(says sent often 1) == 200 ]] && wait_for settled_hooks && told often && cat told &&
	[[ $(grep -c "^failed retry" told) -eq 1 && $(grep -c "^failed read none" told) -eq 1 && $(grep -c "^delivered" told) -eq 1 ]] &&
	ends often sent 2 && [[ $(sandbox_ledger | grep -c "plain-words-of often\.") -eq 2 ]]
'
test_expect_success 'what was sent is stored without plain words; what is no longer stored is dead without its content' '
	printf "%s\n" "491510000007 131016 1" >late && hooks "{\"pause\":true}" && message gone 491510000007 dead:body_gone | publish && ends gone sent 1 &&
	redis --scan --pattern "wamd:b:*" >bodies && [[ $(wc -l <bodies) -eq 1 && $(redis strlen "$(cat bodies)") -gt 100 ]] &&
	[[ $(redis pttl "$(cat bodies)") -gt 80000000 ]] && grep -rqF "$(cat bodies)" "$DIR/redis" && ! grep -rF "plain-words-of" "$DIR/redis" &&
	redis del "$(cat bodies)" && hooks && ends gone dead 1 && wait_for "letter gone" && python3 - letter <<-PY
	import json, sys
	d = json.loads(open(sys.argv[1]).read())["body"]
	assert d["reason"] == "body_gone" and d["message"] is None and d["id"] == "gone" and d["correlation_id"] == "c-gone" and d["first_seen"], d
	PY
'
# The table itself says what each code must do; 0 is no error by webhook.
sed -nE 's/^GRAPH_ERROR\(([1-9][0-9]*), *([A-Z]+), *[A-Z]+, *[A-Z]+, *([A-Z0-9]+),.*/\1 \2 \3/p' "$(dirname "$T")/include/tbl/graph_errors.h" >codes
all_ended() {
	redis eval "local out = {}
		for _, key in ipairs(redis.call('keys', 'wamd:m:*')) do
			local line = {}
			for i, v in ipairs(redis.call('hmget', key, 'id', 's', 'n', 'r', 'code')) do line[i] = v or '' end
			out[#out + 1] = table.concat(line, ' ')
		end
		return out" 0 >records
	load peek --queue whatsapp.outbound.dlq | python3 -c 'import json, sys
for l in sys.stdin: print(json.loads(l)["body"]["id"])' >dead
	python3 - <<-'PY'
	import sys
	records = {f[0]: f[1:] for f in (l.split(" ") for l in open("records").read().splitlines())}
	dead, wrong = set(open("dead").read().split()), []
	for code, kind, _ in (l.split() for l in open("codes")):
	    r = records.get("code-" + code, [])
	    want = ["dead", "1", "refused", code] if kind == "REFUSED" else ["sent", "2"]
	    if r[:len(want)] != want or (kind == "REFUSED") != ("code-" + code in dead):
	        wrong.append("%s %s: %s" % (code, kind, r))
	open("wrong", "w").write("\n".join(wrong))
	sys.exit(bool(wrong))
	PY
}
test_expect_success "each of the $(wc -l <codes) codes of the table ends by webhook as the table says" '
	[[ $(wc -l <codes) -gt 90 ]] && awk "{ printf \"49152%07d %s 1\n\", NR, \$1 }" codes >late && hooks &&
	n=0 && while read -r code class retries; do
		n=$((n + 1)) want=sent
		[[ $class != REFUSED ]] || want=dead:refused
		message "code-$code" "$(printf 49152%07d $n)" $want
	done <codes | publish && wait_for "all_ended" 60 && cat wrong && [[ ! -s wrong ]]
'
# One at a time: a connection that is cut takes all that is on it with it.
test_expect_success 'answers that are lost, then failures: each is tried again once, or is dead, and has its content' '
	for i in 1 2 3 4 5 6; do
		code=131016 end="sent 2" want=sent
		[[ $i -ne 6 ]] || code=131026 end="dead 1" want=dead:refused
		printf "49153%07d %s 1\n" "$i" $code >late && hooks "{\"latency_ms\":[$((i % 2 * 150)),$((i % 2 * 300))]}" &&
		graph_faults "[{\"fault\":\"accept_then_cut\",\"times\":1}]" >/dev/null &&
		message "cut-$i" "$(printf 49153%07d "$i")" $want | publish && ends "cut-$i" $end || return 1
	done && wait_for "letter cut-6" && test_grep "plain-words-of cut-6" letter && [[ $(grep -c "plain-words-of cut-" <(sandbox_ledger)) -eq 11 ]]
'
# Nobody in the middle of a start: or nobody ever gets to what is asked here.
kill_api() {
	local pid
	pid=$(wamctl -j status | python3 -c "
import json, sys
print(*[p['pid'] for p in json.load(sys.stdin)['processes'] if p['role'] == 'api' and p['gauges']['ready']][:1])") && [[ $pid ]] && kill -KILL "$pid"
}
test_expect_success "the api is killed ten times while failures come in: all $count end, none twice" '
	python3 -c "
import sys
for i in range(1, $count + 1): print(\"49154%07d %d %d\" % (i, [131016, 130472, 131026, 130429][i % 4], 1 + i % 2))" >late && hooks "{\"latency_ms\":[100,3000],\"duplicates\":0.3,\"batch\":5}" &&
	for i in $(seq 1 $count); do
		want=sent; [[ $((i % 4)) -ne 2 ]] || want=dead:refused
		message "kill-$i" "$(printf 49154%07d "$i")" $want
	done | publish && for i in 1 2 3 4 5 6 7 8 9 10; do wait_for kill_api 20 || return 1; done &&
	wait_for settled_hooks 90 && wait_for "at_rest --webhooks" 60
'
kills() { grep -c "failpoint point=$1 .*action=kill" "$DIR/wamd.log"; }
# failing POINT FROM TO: messages that fail later; what is retried is sent then.
failing() {
	local i want
	python3 -c "
for i in range(1, $3 + 1): print(\"49155%07d %d 1\" % (i, [131016, 131026][i % 2]))" >late && hooks &&
	for i in $(seq "$2" "$3"); do
		want=sent; [[ $((i % 2)) -eq 0 ]] || want=dead:refused
		message "$1-$i" "$(printf 49155%07d "$i")" $want
	done | publish
}
# POINT: each api that gets there for the third time; what it leaves is taken up when its lease is over.  Of a burst, any number may have been
# decided in Redis when the first api dies, and does not get there again: the second one dies by messages that come one by one.
die_at() {
	local i before
	: >late && hooks && stack stop-wamd && WAMD_FAIL=$1:3:kill stack start-wamd >/dev/null &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]" &&
	failing "$1" 1 8 && wait_for "[[ \$(kills $1) -ge 1 ]]" 20 &&
	for i in 9 10 11 12 13 14; do
		before=$(kills "$1")
		[[ $before -lt 2 ]] || break
		failing "$1" "$i" "$i" && wait_for "[[ \$(kills $1) -gt $before ]] || grep -q 'late_failure id=$1-$i ' \"\$DIR/wamd.log\"" 20 || return 1
	done && [[ $(kills "$1") -ge 2 ]] && stack stop-wamd && stack start-wamd >/dev/null && wait_for "at_rest --webhooks" 60
}
points=late_decided
[[ -z ${WAMD_LONG:-} ]] || points='late_decided late_confirmed'
for point in $points; do
	test_expect_success "the api dies at $point, again and again: all is taken up again" "die_at $point"
done
test_expect_success 'nothing was lost, sent twice or left' '
	wait_for "at_rest --webhooks" 30; cat ledger.out; at_rest --webhooks >/dev/null
'
test_done
