#!/usr/bin/env bash
# What operators do about holds, breakers, lanes and limits, in the words of wamctl(8).
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|breaker_open|limit_queueing|limit_approaching) state=raised'
expect_log 'host_breaker'

posted() { sandbox_ledger | grep -c "$1"; }	# PATTERN
sent() { wait_for "[[ \$(posted $1) -eq $2 ]]" "${3:-20}"; }	# PATTERN TIMES [SECONDS]
# wamctl gives an error with this exit status and code.
refused() {	# STATUS PATTERN COMMAND...
	local want=$1 pattern=$2 rc=0
	shift 2
	wamctl "$@" >out 2>err || rc=$?
	[[ $rc -eq $want ]] && test_grep "$pattern" err
}
# shows PATTERN COMMAND...: a line of what wamctl prints.
shows() {
	local pattern=$1
	shift
	wamctl "$@" >out && test_grep "$pattern" out
}
# Each member of the answer's first object in this list, or of the answer, that Python says yes to.
holds_true() {	# EXPRESSION COMMAND...
	local expression=$1
	shift
	wamctl -j "$@" >json && python3 -c "
import json
a = json.load(open('json'))
assert $expression, a"
}
text() {	# ID TO
	printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a2","to":"%s","type":"text","text":{"body":"%s"}}}\n' "$1" "$2" "$1"
}

test_expect_success 'two tenants with two accounts each; nothing is on hold, no breaker is open, no account has a lane' '
	stack_up --own-broker --senders 2 --rate 100 --sandbox-args "--rate 0 --pair off" --set limit.pair_interval=0ms --set hold.first=60s \
		--set "retry.wait=[\"500ms\",\"1s\"]" --set breaker.probe_lease=2s --set breaker.ramp=10s --set message.hold_in_memory=200ms &&
	shows "nothing is on hold" hold list && shows "all breakers are closed" breaker list && shows "no account has a lane" lane list
'

# ---- accounts ----
test_expect_success 'an account that is held for an hour sends nothing, the others go on' '
	shows "^held: account t1-a1 of tenant t1, until 20" account hold t1 t1-a1 --for=1h --reason="the customer asked for it" &&
	feed --count 40 --prefix held --account t1-a1 && feed --count 40 --prefix free --account t1-a2 --account t2-a1 &&
	sent free- 40 && wait_for "[[ \$(depth whatsapp.lane.$(fact t1-a1 phone_number_id)) -gt 0 ]]" && [[ $(posted held-) -eq 0 ]]
'
test_expect_success 'hold list and account list say so' '
	shows "^account  *t1  *t1-a1  *operator  *-  *- .* the customer asked for it" hold list &&
	shows "^t1  *t1-a1 .* closed  *open  *account by operator: it ends in .*: the customer asked for it" account list &&
	shows "nothing is on hold" hold list --tenant t2 && holds_true "len(a[\"accounts\"]) == 2" account list --tenant t1 &&
	holds_true "a[\"holds\"][0][\"by\"] == \"operator\" and a[\"holds\"][0][\"until\"] > a[\"holds\"][0][\"since\"]" hold list
'
test_expect_success 'lane list and lane show tell how many wait' '
	shows "^t1  *t1-a1  *open  *held " lane list && wait_for "holds_true \"a[\\\"lanes\\\"][0][\\\"waiting_normal\\\"] == 40\" lane list" &&
	shows "^waiting   40, and 0 of high priority" lane show t1 t1-a1 && shows "^why .* because it was on hold" lane show t1 t1-a1 &&
	shows "no account has a lane" lane list --tenant t2 && shows "^why .*it has no lane" lane show t2 t2-a1
'
test_expect_success 'released, they are sent within seconds' '
	shows "^released: account t1-a1 of tenant t1" account release t1 t1-a1 && sent held- 40 10 &&
	shows "nothing is on hold" hold list && refused 66 "no_hold" account release t1 t1-a1
'
test_expect_success 'a hold ends by itself' '
	wamctl hold set t1 --account=t1-a1 --for=2s --reason=short && feed --count 5 --prefix short --account t1-a1 &&
	wait_for "[[ \$(depth whatsapp.lane.$(fact t1-a1 phone_number_id)) -gt 0 ]]" && [[ $(posted short-) -eq 0 ]] && sent short- 5 15 &&
	shows "nothing is on hold" hold list && refused 66 no_hold hold release t1 --account=t1-a1
'

# ---- what else may be held ----
for what in "tenant" "number --number=$(printf %s NUMBER)" "waba --waba=WABA"; do
	scope=${what%% *} option=${what#"$scope"}
	test_expect_success "a $scope is held and released" '
		option=${option/NUMBER/$(fact t1-a1 phone_number_id)} && option=${option/WABA/$(fact t1-a1 waba_id)} &&
		shows "^held: $scope .*, until it is released" hold set t1 $option --reason=all &&
		shows "^$scope  *t1 .*released  *until it is released: all" hold list &&
		shows "^t1  *t1-a1 .* $scope by operator" account list && feed --count 5 --prefix "of-$scope" --account t1-a1 &&
		feed --count 5 --prefix "beside-$scope" --account t2-a1 && sent "beside-$scope" 5 &&
		wait_for "[[ \$(depth whatsapp.lane.$(fact t1-a1 phone_number_id)) -gt 0 ]]" && [[ $(posted "of-$scope") -eq 0 ]] &&
		shows "^released: $scope" hold release t1 $option && sent "of-$scope" 5 10 && refused 66 no_hold hold release t1 $option
	'
done
test_expect_success 'a template is held, by one of its accounts, and released, by its business account: other messages go' '
	wamctl hold set t1 --account=t1-a2 --template=hello_world --reason=words &&
	shows "^template  *t1  *hello_world  *operator" hold list &&
	text tpl-other +491511234567 | publish && sent "\"tpl-other\"" 1 &&
	refused 66 no_hold hold release t1 --waba="$(fact t1-a2 waba_id)" &&
	shows "^released: template hello_world" hold release t1 --waba="$(fact t1-a2 waba_id)" --template=hello_world &&
	shows "nothing is on hold" hold list
'
test_expect_success 'a recipient is held: others get theirs; no number stands in Redis or in an answer' '
	wamctl hold set t1 --account=t1-a2 --recipient=+491519999999 --reason=asked && text to-held +491519999999 | publish &&
	text to-other +491511234567 | publish && sent "\"to-other\"" 1 && [[ $(posted "\"to-held\"") -eq 0 ]] &&
	shows "^recipient  *t1  *[0-9a-f]{16}  *operator" hold list && ! wamctl -j hold list | grep 1519999999 &&
	redis --raw keys "*" >keys && redis --raw hgetall "wamd:s:{t1}" >>keys && test_grep ":s:.t1.:r:" keys && ! grep 1519999999 keys &&
	wamctl hold release t1 --account=t1-a2 --recipient=+491519999999 && sent "\"to-held\"" 1 &&
	refused 66 no_hold hold release t1 --account=t1-a2 --recipient=+491519999999
'

# ---- what Graph holds ----
test_expect_success 'after code 190 the account is held by Graph, and hold list says when it is tried again' '
	graph_faults "{\"fault\":\"error\",\"code\":190,\"http\":401,\"times\":1,\"match\":{\"phone_number_id\":\"$(fact t2-a2 phone_number_id)\"}}" &&
	feed --count 1 --prefix dead --account t2-a2 && wait_for "shows \"^account  *t2  *t2-a2  *graph  *190  *1 .*one message tries in\" hold list" &&
	feed --count 20 --prefix dead-more --account t2-a2 && holds_true "a[\"holds\"][0][\"code\"] == 190 and a[\"holds\"][0][\"next_try\"]" hold list &&
	wait_for "[[ \$(depth whatsapp.lane.$(fact t2-a2 phone_number_id)) -gt 0 ]]" && [[ $(posted dead-more) -eq 0 ]] &&
	shows "^t2  *t2-a2 .* account by graph \(190\): " account list
'
test_expect_success 'alert list names it, of this tenant only, until it is over' '
	shows "^held  *warning  *t2  *t2-a2  *account:t2:t2-a2|^held  *warning  *t2  *t2-a2 " alert list && shows "no alert is active" alert list --tenant t1 &&
	holds_true "[x[\"kind\"] for x in a[\"alerts\"]] == [\"held\"] and a[\"alerts\"][0][\"count\"] >= 1" alert list --tenant=t2 &&
	refused 64 "allowed 1 to 1000" alert list --limit 0 && refused 66 unknown_tenant alert list --tenant nobody
'
test_expect_success 'hold release lets it go on: everything is sent' '
	wamctl hold release t2 --account=t2-a2 && sent dead-more 20 15 && wait_for "ledger --strict >ledger.out" 20 &&
	wait_for "grep -q \"alert kind=held state=resolved .* tenant=t2 account=t2-a2 .*an operator released it\" \"$DIR/wamd.log\"" 5 &&
	wait_for "shows \"no alert is active\" alert list --tenant t2" 5
'

# ---- breakers ----
test_expect_success 'a breaker that is tripped stops its account' '
	shows "^open: account t2-a1 of tenant t2 sends nothing until 20" breaker trip t2 t2-a1 --for=1h &&
	shows "^t2  *t2-a1  *open .*nothing goes; one message tries in " breaker list &&
	shows "^why  *nothing goes; one message tries in " breaker show t2 t2-a1 && feed --count 10 --prefix tripped --account t2-a1 &&
	wait_for "[[ \$(depth whatsapp.lane.$(fact t2-a1 phone_number_id)) -gt 0 ]]" && [[ $(posted tripped-) -eq 0 ]] &&
	shows "its breaker was open" lane show t2 t2-a1
'
test_expect_success 'reset, it sends at once, with its whole rate' '
	shows "^closed: account t2-a1" breaker reset t2 t2-a1 && sent tripped- 10 10 && shows "^state  *closed" breaker show t2 t2-a1 &&
	shows "^answers  *[0-9]+ good, 0 failed in the last minute" breaker show t2 t2-a1 && shows "^closed, as it was" breaker reset t2 t2-a1
'
test_expect_success 'tripped for a second, one message tries, and then the rate grows from 1 a second' '
	wamctl breaker trip t2 t2-a1 --for=1s && wait_for "shows \"^state  *due\" breaker show t2 t2-a1" &&
	shows "^why  *the next message tries" breaker show t2 t2-a1 && feed --count 1 --prefix probe --account t2-a1 && sent probe- 1 &&
	wait_for "shows \"^t2  *t2-a1  *ramp\" breaker list" && shows "^why .*it closed a short while ago" breaker show t2 t2-a1 &&
	shows "^ramp  *[0-9]+ a second" limit show t2 t2-a1 && shows "^t2  *t2-a1 .* ramp " account list && wamctl breaker reset t2 t2-a1 &&
	shows "all breakers are closed" breaker list
'

# ---- limits ----
test_expect_success 'limit show tells the rate and how much of it is used' '
	shows "^rate  *100 a second" limit show t1 t1-a2 && feed --count 30 --prefix use --account t1-a2 && sent use- 30 &&
	holds_true "a[\"rate\"] == 100 and a[\"rate_now\"] == 100 and a[\"used\"] + a[\"used_last\"] >= 30 and a[\"share_percent\"] == 100" \
		limit show t1 t1-a2 && shows "^why  *it may send 100 a second" limit show t1 t1-a2
'
test_expect_success 'Graph says it is too fast: its share shrinks, and grows again' '
	graph_faults "{\"fault\":\"error\",\"code\":130429,\"times\":1,\"match\":{\"phone_number_id\":\"$(fact t1-a2 phone_number_id)\"}}" &&
	feed --count 1 --prefix fast --account t1-a2 && wait_for "shows \"^why  *Graph said that it was too fast\" limit show t1 t1-a2" &&
	holds_true "a[\"rate_now\"] < 100 and 70 <= a[\"share_percent\"] < 100" limit show t1 t1-a2 && sent fast- 2
'

# ---- an operator's rate ----
test_expect_success 'limit set lets an account send slower, at once and for its time' '
	shows "^set  *5 a second until 20" limit set t1 t1-a2 5 --for=1h && shows "^why .*an operator has set its rate to 5, which ends in " limit show t1 t1-a2 &&
	shows "^t1  *t1-a2 .*  100  *5  *" account list && began=$(date +%s%N) && feed --count 20 --prefix slow --account t1-a2 && sent slow- 20 20 &&
	took=$(( ($(date +%s%N) - began) / 1000000 )) && echo "20 at 5 a second: $took ms" && [[ $took -ge 3000 ]]
'
test_expect_success 'a reload keeps it; reset gives its own rate back, at once' '
	wamctl reload && wamctl wait-ready && holds_true "a[\"operator_rate\"][\"rate\"] == 5 and a[\"rate\"] == 100" limit show t1 t1-a2 &&
	shows "^why " limit reset t1 t1-a2 && ! grep "operator has set" out && ! wamctl limit show t1 t1-a2 | grep "^set" && shows "^rate" limit reset t1 t1-a2 &&
	began=$(date +%s%N) && feed --count 60 --prefix whole --account t1-a2 && sent whole- 60 20 && [[ $(( ($(date +%s%N) - began) / 1000000 )) -lt 3000 ]] &&
	test_grep " operator uid=[0-9]+ command=limit tenant=t1 account=t1-a2 rate=5 for=1h result=done" "$DIR/wamd.log" &&
	test_grep " operator uid=[0-9]+ command=unlimit tenant=t1 account=t1-a2 rate=100 for=- result=as_it_was" "$DIR/wamd.log"
'
test_expect_success 'a number is at most what its tier grants, a tier what wamd uses of it; one that has ended is gone' '
	refused 64 "rate: found 101, allowed 1 to 100 a second, which is what tier standard grants, or a tier" limit set t1 t1-a2 101 &&
	refused 64 "rate: found 0, allowed" limit set t1 t1-a2 0 && refused 64 "rate: found fast, allowed" limit set t1 t1-a2 fast &&
	refused 64 "for: found 1ms" limit set t1 t1-a2 5 --for 1ms && refused 66 "unknown_account" limit set t1 nobody 5 &&
	shows "^set  *225 a second, of tier plus, until it is reset" limit set t1 t1-a2 plus && wamctl limit set t1 t1-a2 7 --for 1s &&
	wait_for "! wamctl limit show t1 t1-a2 | grep \"^set\"" 5 && shows "^why " limit show t1 t1-a2 && ! grep "operator has set" out
'

# ---- the host ----
test_expect_success 'the breaker of the host stops this machine, and reset lets it go on' '
	shows "^state  *closed" host show && shows "^why .*messages go" host show && shows "^state  *open" host trip --for=1h &&
	shows "^why  *this machine sends nothing" host show && feed --count 10 --prefix host --account t1-a1 --account t2-a1 &&
	wait_for "[[ \$(load depth --queue whatsapp.outbound) == *:*0* ]]" && [[ $(posted host-) -eq 0 ]] &&
	holds_true "a[\"state\"] == \"open\" and a[\"left_ms\"] > 3000000" host show && shows "^state  *closed" host reset && sent host- 10
'

# ---- mistakes ----
test_expect_success 'what is wrong is said, with exit status 64 or 66' '
	refused 66 "unknown_tenant: " hold set nobody --reason=x && refused 66 "unknown_account: " hold set t1 --account=nobody --reason=x &&
	refused 66 "unknown_account: " hold set t1 --number=123 --reason=x && refused 66 "unknown_account: " hold release t1 --waba=123 &&
	refused 66 "unknown_account: " hold set t1 --account=nobody --template=x --reason=x &&
	refused 64 "bad_request: reason: found 0 bytes, allowed 1 to 200" hold set t1 &&
	refused 64 "bad_request: for: found soon, allowed 1s to 365d" hold set t1 --for=soon --reason=x &&
	refused 64 "bad_request: for: found 10ms, allowed 1s to 365d" account hold t1 t1-a1 --for=10ms --reason=x &&
	refused 64 "bad_request: account, number, waba: found several" hold set t1 --account=t1-a1 --waba=1 --reason=x &&
	refused 64 "bad_request: number: found x, allowed" hold set t1 --number=x --reason=x &&
	refused 64 "bad_request: template: .*add account or waba" hold set t1 --template=x --reason=x &&
	refused 64 "bad_request: recipient: .*add account" hold set t1 --recipient=+491511234567 --reason=x &&
	refused 64 "bad_request: recipient: found 2 characters, allowed E.164" hold set t1 --account=t1-a1 --recipient=12 --reason=x &&
	refused 64 "bad_request: for: found 8d, allowed 1s to 7d" breaker trip t1 t1-a1 --for=8d &&
	refused 66 "unknown_account: " breaker show t1 nobody && refused 66 "unknown_account: " breaker trip t1 nobody &&
	refused 66 "unknown_account: " lane show t1 t2-a1 && refused 66 "unknown_account: " limit show t2 t1-a1 &&
	refused 66 "unknown_tenant: " account list --tenant nobody && refused 64 "bad_request: for: " host trip --for=never &&
	refused 64 "^usage: wamctl breaker show tenant account" breaker show t1 && refused 64 "^usage: wamctl hold set tenant" hold set t1 --for &&
	shows "nothing is on hold" hold list
'
test_expect_success 'pause and resume are other words for it' '
	wamctl pause t1 --account t1-a1 --for 1h --reason nothing && shows "t1-a1" hold list && wamctl resume t1 --account t1-a1 && shows "nothing is on hold" hold list
'
test_expect_success 'every change is in the log, with who did it and without the reason or a number' '
	grep " operator " "$DIR/wamd.log" >log && test_grep "uid=$(id -u) command=hold tenant=t1 account=t1-a1 what=a:t1:t1-a1 for=1h result=held" log &&
	test_grep "command=release tenant=t1 account=t1-a1 what=a:t1:t1-a1 for=- result=released" log &&
	test_grep "command=trip tenant=t2 account=t2-a1 what=breaker for=1h result=open" log && test_grep "command=reset what=host" log &&
	test_grep "what=recipient" log && ! grep -E "the customer|asked" log
'
test_expect_success 'without Redis or the broker they say so' '
	stack kill-redis && wait_for "refused 75 store_away hold list" && refused 75 store_away hold set t1 --reason=x &&
	refused 75 store_away breaker show t1 t1-a1 && shows "^state" host show && stack start-redis && wait_for "wamctl hold list" &&
	stack kill-broker && refused 75 broker_away lane show t1 t1-a1 && stack start-broker && wait_for "wamctl status"
'
expect_log '(redis|amqp)_(down|lost)|script_failed|alert_lost'
test_expect_success 'nothing was lost or doubled, and no turn of a loop was long' '
	wait_for "ledger --strict >ledger.out" 30; cat ledger.out; ledger --strict && loop_was_never_away
'
test_done
