#!/usr/bin/env bash
# What becomes of a message by Graph's error code: as it was asked for, and as the operator has it after a reload.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

generation() { wamctl -j status | python3 -c 'import json, sys; print(json.load(sys.stdin)["generation"])'; }
# The new senders are ready and the old ones gone: what is published now meets the new configuration.
reloaded() {
	local next=$(($(generation) + 1))
	wamctl reload && wait_for "one_generation $next" 20
}
one_generation() {
	wamctl -j status | python3 -c "
import json, sys
s = json.load(sys.stdin)
senders = [p for p in s['processes'] if p['role'] == 'sender']
sys.exit(not (senders and all(p['generation'] == $1 and p['gauges']['ready'] for p in senders)))"
}
message() {	# ID EXPECT
	printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"+491511234567","type":"text","text":{"body":"%s."}},"expect":"%s"}\n' "$1" "$1" "$2"
}
# meets ID CODE TIMES EXPECT: publishes a message whose first TIMES POSTs Graph answers with CODE (0: every one).
meets() {
	local times=",\"times\":$3"
	[[ $3 -gt 0 ]] || times=''
	graph_faults "{\"fault\":\"error\",\"code\":$2$times,\"match\":{\"text_contains\":\"$1.\"}}" && message "$1" "$4" | publish
}
posts_of() { sandbox_ledger | grep -c "\"$1\.\""; }
ends() {	# ID STATE ATTEMPTS
	wait_for "wamctl message why t1 $1 | grep -q \"^state  *$2 after $3 attempt\"" 20
	wamctl message why t1 "$1" >why && test_grep "^state  *$2 after $3 attempt" why
}
dead() { load peek --queue whatsapp.outbound.dlq | grep "\"$1\"" >letter; }
# log_says ID OUTCOME CODE SCOPE
log_says() { test_grep "settled id=$1 .*outcome=$2 .*code=$3 .*scope=$4 " "$DIR/wamd.log"; }

test_expect_success 'a stack with short steps' '
	stack_up --no-breakers --senders 1 --rate 1000 --sandbox-args "--rate 0 --pair off" \
		--set "retry.server=[\"100ms\",\"100ms\",\"100ms\",\"100ms\",\"100ms\"]" \
		--set "retry.connect=[\"100ms\",\"100ms\",\"100ms\",\"100ms\",\"100ms\"]" \
		--set "retry.wait=[\"200ms\",\"300ms\"]"
'
test_expect_success '130472 is tried again: two refusals, then sent as attempt 3' '
	meets some-130472 130472 2 any && ends some-130472 sent 3 && [[ $(posts_of some-130472) -eq 3 ]] &&
	log_says some-130472 server 130472 recipient
'
test_expect_success '130472 for ever: five retries, then dead, and its history says what was in trouble' '
	meets all-130472 130472 0 dead:retries_used && ends all-130472 dead 6 && [[ $(posts_of all-130472) -eq 6 ]] &&
	wait_for "dead all-130472" 10 && python3 - letter <<PY
import json, sys
d = json.loads(open(sys.argv[1]).read())["body"]
assert d["reason"] == "retries_used" and d["code"] == 130472, d
assert [(h["outcome"], h["scope"]) for h in d["history"]] == [("server", "recipient")] * 6, d
PY
'
for code in 131026 131047; do
	test_expect_success "$code is dead at once" '
		meets is-$code $code 0 dead:refused && ends is-$code dead 1 && [[ $(posts_of is-$code) -eq 1 ]] &&
		wait_for "dead is-$code" 10 && test_grep "\"code\": *$code" letter && log_says is-$code refused $code recipient
	'
done
test_expect_success '131047 is an alert, 131026 is none' '
	wait_for "grep -q \"alert kind=message_refused state=raised .*what=code:131047\" \"$DIR/wamd.log\"" 5 &&
	! grep "alert .*code:131026" "$DIR/wamd.log"
'
test_expect_success '131048 is held: it waits without using an attempt, then goes' '
	meets is-131048 131048 3 any && ends is-131048 sent 1 && [[ $(posts_of is-131048) -eq 4 ]] &&
	log_says is-131048 held 131048 number &&
	test_grep "alert kind=held state=raised .*what=n:[0-9]* " "$DIR/wamd.log" && test_grep "gate tenant=t1 account=t1-a1 released n:" "$DIR/wamd.log"
'
test_expect_success 'what was sent names no scope' '
	! grep "outcome=sent .*scope=" "$DIR/wamd.log"
'
test_expect_success 'a class that is none is refused with file, line and item, and nothing changes' '
	expect_log "error wamd reload_refused" && before=$(generation) &&
	printf "graph:\n{\n\terror_classes = [ \"131026=server\", \"131047=later\" ];\n};\n" >"$DIR/conf.d/50-classes.conf" &&
	! wamctl reload 2>err && test_grep "50-classes.conf:3: graph.error_classes: found .*131047=later.*, allowed" err &&
	[[ $(generation) -eq $before ]]
'
test_expect_success 'the operator has it otherwise: after a reload 131026 is tried again and 130472 dead at once' '
	printf "graph: { error_classes = [ \"131026=server\", \"130472=refused\" ]; };\n" >"$DIR/conf.d/50-classes.conf" && reloaded &&
	meets own-131026 131026 2 any && ends own-131026 sent 3 && log_says own-131026 server 131026 recipient &&
	meets own-130472 130472 0 dead:refused && ends own-130472 dead 1 && [[ $(posts_of own-130472) -eq 1 ]]
'
test_expect_success 'without the setting all is as it was' '
	rm "$DIR/conf.d/50-classes.conf" && reloaded &&
	meets again-131026 131026 0 dead:refused && ends again-131026 dead 1
'
test_expect_success 'no way to Graph: five retries, then dead' '
	printf "graph: { url = \"http://127.0.0.1:1\"; };\n" >"$DIR/conf.d/50-away.conf" && reloaded &&
	message away dead:retries_used | publish && ends away dead 6 &&
	[[ $(grep -c "^attempt [1-6] [^ ]* not_sent http=0 code=0 " why) -eq 6 ]] && [[ $(posts_of away) -eq 0 ]]
'
test_expect_success 'every message is where it belongs' '
	wait_for "ledger --strict >ledger.out" 20; cat ledger.out; ledger --strict >/dev/null
'
test_done
