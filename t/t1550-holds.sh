#!/usr/bin/env bash
# Holds that Graph's answers set: what is in trouble waits as a whole, one message tries, others go on; nothing is burned.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|limit_queueing) state=raised'
waba_of() { python3 -c "import json; print(next(a['waba_id'] for a in json.load(open('$DIR/accounts.json')) if a['account_id'] == '$1'))"; }
posts_of() { sandbox_ledger | grep -c "\"pnid\":\"$1\""; }
sent_of() { sandbox_ledger | grep "\"pnid\":\"$1\"" | grep -c '"accepted":true'; }
spent() {	# PREFIX: attempts that the records of its messages count
	sandbox_ledger >posts; wamctl message why t1 "$1-000001" >why; sed -n 's/^state .* after \([0-9]*\) attempt.*/\1/p' why
}

test_expect_success 'two tenants of two accounts; one number has a dead token' '
	stack_up --senders 2 --tenants 2 --accounts 2 --rate 1000 --sandbox-args "--rate 0 --pair off" --set limit.pair_interval=0ms \
		--set hold.first=2s --set hold.max=4s --set lane.idle=1s --set amqp.confirm_timeout=1s --set lane.grace=6s &&
	dead=$(number_of t1-a1) &&
	graph_faults "{\"fault\":\"error\",\"code\":190,\"http\":401,\"match\":{\"phone_number_id\":\"$dead\"}}"
'
test_expect_success '200 messages of it cost Graph a few calls, then wait in the lane; the other accounts send' '
	feed --count 200 --prefix dead --account t1-a1 && feed --count 300 --prefix good --account t1-a2 --account t2-a1 --account t2-a2 &&
	wait_for "[[ \$(sandbox_ledger | grep -c good-) -eq 300 ]]" 10 &&
	wait_for "[[ \$(depth whatsapp.lane.$dead) -ge 150 ]]" 10 && echo "POSTs with the dead token: $(posts_of $dead)"
'
test_expect_success 'while it is held one message tries each time, and the time doubles to its maximum' '
	grep -E "gate .* held a:t1:t1-a1 2000 0" "$DIR/wamd.log" && before=$(posts_of $dead) &&
	wait_for "grep -qE \"gate .* held a:t1:t1-a1 4000 2\" \"$DIR/wamd.log\"" 30 &&
	after=$(posts_of $dead) && echo "$before POSTs before, $after after three probes" && [[ $((after - before)) -le 3 ]]
'
test_expect_success 'the alert was said once' '
	[[ $(grep -c "alert kind=held state=raised .*what=a:t1:t1-a1" "$DIR/wamd.log") -eq 1 ]]
'
test_expect_success 'with a good token again everything is sent, with no attempt burned, and the alert is resolved' '
	sandbox_curl faults -X DELETE && wait_for "[[ \$(sent_of $dead) -eq 200 ]]" 30 &&
	wait_for "grep -q \"alert kind=held state=resolved .*what=a:t1:t1-a1\" \"$DIR/wamd.log\"" 5 &&
	[[ $(spent dead) -eq 1 ]]
'
test_expect_success 'the business account in trouble holds all its numbers; the quota says for how many minutes' '
	graph_faults "{\"fault\":\"error\",\"code\":80007,\"http\":429,\"estimated_time_to_regain_access\":1,\"times\":1,\"match\":{\"phone_number_id\":\"$(number_of t2-a1)\"}}" &&
	feed --count 1 --prefix quota --account t2-a1 && wait_for "grep -qE \"gate .* held w:[0-9]+ 60000 0\" \"$DIR/wamd.log\"" 10 &&
	feed --count 20 --prefix waits --account t2-a2 && wait_for "[[ \$(depth whatsapp.lane.$(number_of t2-a2)) -eq 20 ]]" 10 &&
	[[ $(sandbox_ledger | grep -c waits-) -eq 0 ]]
'
# Its end by time takes the minute; an operator need not wait for that.
[[ -n ${WAMD_LONG-} ]] || test_expect_success 'an operator may end it' '
	wamctl hold list >holds && test_grep "80007" holds && wamctl hold release t2 --waba="$(waba_of t2-a1)"
'
test_expect_success 'and after it, they go; nothing is lost' '
	wait_for "[[ \$(sandbox_ledger | grep -c waits-) -eq 20 ]]" 80 && wait_for at_rest 30; cat ledger.out; at_rest
'
test_done
