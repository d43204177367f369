#!/usr/bin/env bash
# What webhooks teach: whose window is open, who wants no marketing, which account may not send, and whose a number is.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(meta_news|held|account_restricted|number_changed|limit_approaching|limit_queueing) state=raised'

hooks() { sandbox_curl webhooks --json "$1" >/dev/null; }
post() { sandbox_curl webhooks/send --json "$1" >answer && python3 -c "import json; print(json.load(open('answer'))['status'])"; }
news() { sandbox_curl webhooks/field --json "{\"waba_id\":\"$(fact "$1" waba_id)\",\"field\":\"$2\",\"value\":$3}" >/dev/null; }	# ACCOUNT FIELD VALUE
writes() { sandbox_curl webhooks/inbound --json "{\"phone_number_id\":\"$(number_of "$1")\",\"from\":\"$2\",\"text\":\"$3\"}" >/dev/null; }	# ACCOUNT FROM TEXT
wishes() {	# VALUE TIME: what user 1 says of marketing messages of t1-a1
	news t1-a1 user_preferences "{\"metadata\":{\"phone_number_id\":\"$(number_of t1-a1)\"},\"user_preferences\":[{\"wa_id\":\"4915200000001\",
		\"category\":\"marketing_messages\",\"value\":\"$1\",\"timestamp\":$2}]}"
}
message() { echo "{\"body\":{\"id\":\"$2\",\"tenant_id\":\"${1%-*}\",\"account_id\":\"$1\",\"to\":\"+$3\",$4}}"; }	# ACCOUNT ID TO REST
text() { message "$1" "$2" "$3" "\"type\":\"text\",\"text\":{\"body\":\"hello $2\"}${4-}"; }
template() { message "$1" "$2" "$3" "\"type\":\"template\",\"template\":{\"name\":\"$4\",\"language\":\"en\"}"; }
event() {	# ID STATUS MEMBER: of the last such event that is_told has seen
	python3 -c "
import json
found = [e for e in (json.loads(l)['body'] for l in open('events')) if e['id'] == '$1' and e['status'] == '$2']
print(found[-1].get('$3', '-') if found else 'none')"
}
look() { load peek --queue t.events >events; }
is_told() { look && grep -qE "\"id\": ?\"$1\".*\"status\": ?\"$2\"" events; }	# ID STATUS
refused() { wait_for "is_told $1 failed" && [[ $(event "$1" failed reason) == "$2" && $(event "$1" failed attempts) -eq 0 ]] && ! sandbox_ledger | grep "hello $1"; }
why() { wamctl -j message why t1 "$1" | python3 -c "import json, sys; print(json.load(sys.stdin).get('$2', '-'))"; }
knows() { [[ $(redis --scan --pattern "wamd:u:*" | grep -c .) -eq $1 ]]; }	# so many keys of users and their numbers

test_expect_success 'a stack with a tenant service: who has not been asked for is known to nobody' '
	printf "the-secret\n" >"$TRASH/app.secret" && chmod 600 "$TRASH/app.secret" &&
	stack_up --api --senders 2 --tenants 2 --accounts 2 --rate 200 --tenant-service wamd --sandbox-args "--rate 0 --pair off" \
		--set "webhook.apps=[\"main=$TRASH/app.secret\"]" --set guard.window=refuse --set guard.opt_out=refuse --set guard.learn=0ms \
		--set "guard.stop_words=[\"STOP\"]" --set "guard.start_words=[\"START\"]" --set "retry.wait=[\"300ms\",\"1s\"]" --set template.check=50ms &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]" &&
	hooks "{\"url\":\"$API_URL/webhooks/whatsapp/main\",\"secret\":\"the-secret\",\"latency_ms\":[0,50]}" &&
	for t in t1 t2; do for c in marketing utility; do
		sandbox_curl templates --json "{\"waba_id\":\"$(fact $t-a1 waba_id)\",\"name\":\"$c\",\"language\":\"en\",\"status\":\"APPROVED\",\"category\":\"${c^^}\",\"components\":[{\"type\":\"BODY\",\"text\":\"Some $c\"}]}" >/dev/null || return 1
	done; done
'
status_of() {	# ACCOUNT
	echo "{\"body\":{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"$(fact "$1" waba_id)\",\"changes\":[{\"field\":\"messages\",\"value\":{
		\"metadata\":{\"phone_number_id\":\"$(number_of "$1")\"},\"statuses\":[{\"id\":\"wamid.X\",\"status\":\"sent\",\"timestamp\":\"1\"}]}}]}]}}"
}
test_expect_success 'a webhook of a number that nobody knows comes again; one that a sender has heard of is taken, and told' '
	[[ $(post "$(status_of t1-a1)") == 503 && $(total webhooks_later) -eq 1 ]] &&
	text t1-a1 first 4915200000009 | publish && wait_for "is_told first read" && [[ $(total webhooks_later) -eq 1 ]] &&
	[[ $(redis get "wamd:pn:{$(number_of t1-a1)}") == "t1 t1-a1" && $(redis get "wamd:pb:{$(fact t1-a1 waba_id)}") == t1\ * ]] &&
	[[ $(post "$(status_of t1-a2)") == 200 && $(post "$(status_of t2-a1)") == 503 ]]
'
test_expect_success 'nothing was known of the number until its first webhook: a text to a stranger went' '
	[[ $(event first accepted warnings) == - ]] && knows 1
'

# ---- the window ----
test_expect_success 'a user writes: the window is open; to another the text is refused, without an attempt' '
	writes t1-a1 4915200000001 hello && wait_for "knows 2" && [[ $(total inbound) -eq 1 ]] &&
	{ text t1-a1 open-1 4915200000001; text t1-a1 closed-1 4915200000002; } | publish &&
	wait_for "is_told open-1 accepted" && refused closed-1 outside_window && [[ $(total guard_refused) -eq 1 && $(why closed-1 state) == dead ]] &&
	[[ $(wamctl -j dlq list --reason outside_window | python3 -c "import json, sys; print(len(json.load(sys.stdin)[\"letters\"]))") -eq 1 ]]
'
test_expect_success 'a template needs no window, and each number has its own' '
	{ template t1-a1 tpl-1 4915200000002 utility; text t1-a2 other-1 4915200000001; } | publish &&
	wait_for "is_told tpl-1 accepted" && wait_for "is_told other-1 accepted"		# of t1-a2 nothing is known yet
'
test_expect_success 'a message that names a template goes as that, once, and as itself to those whose window is open' '
	fallback=",\"fallback_template\":{\"name\":\"utility\",\"language\":\"en\"}" &&
	{ text t1-a1 fall-1 4915200000002 "$fallback"; text t1-a1 fall-2 4915200000001 "$fallback"; } | publish && wait_for "is_told fall-1 read" &&
	wait_for "is_told fall-2 accepted" && [[ $(event fall-1 accepted sent_as) == template && $(event fall-2 accepted sent_as) == - ]] &&
	! sandbox_ledger | grep "hello fall-1" && sandbox_ledger | grep -q "hello fall-2" && [[ $(total fallbacks) -eq 1 && $(why fall-1 sent_as) == template ]] &&
	before=$(accepted) && text t1-a1 fall-1 4915200000002 "$fallback" | publish && wait_for "[[ \$(total repeated) -ge 1 ]]" &&
	wait_for "look && [[ \$(grep -c \"fall-1.*sent_as\" events) -eq 2 ]]" && [[ $(accepted) -eq $before ]]
'
test_expect_success 'a template that is not there makes it a dead letter' '
	text t1-a1 fall-3 4915200000002 ",\"fallback_template\":{\"name\":\"nothing\",\"language\":\"en\"}" | publish && refused fall-3 template_unknown
'
set_guards() {	# WINDOW OPT_OUT
	sed -i -E "s/(window = )\"[a-z]+\"/\1\"$1\"/; s/(opt_out = )\"[a-z]+\"/\1\"$2\"/" "$DIR/conf.d/99-set.conf" && wamctl reload &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]"
}
test_expect_success 'warned of: it goes, and its event says so' '
	set_guards warn warn && { text t1-a1 warn-1 4915200000002; text t1-a1 warn-2 4915200000001; } | publish && wait_for "is_told warn-1 accepted" && wait_for "is_told warn-2 accepted" &&
	[[ $(event warn-1 accepted warnings) == "['"'outside_window'"']" && $(event warn-2 accepted warnings) == - ]] && [[ $(total guard_warned) -eq 1 ]] &&
	test_grep "notice sender.* guard id=warn-1 .*warning=outside_window" "$DIR/wamd.log"
'

# ---- marketing ----
now=$(date +%s)
test_expect_success 'a user who wants none: marketing is refused, all else goes; others get it' '
	set_guards refuse refuse && wishes stop $((now - 60)) && wait_for "[[ \$(redis --scan --pattern \"wamd:u:*\" | while read -r k; do redis hget \"\$k\" mo; done 2>/dev/null | grep -cx 1) -eq 1 ]]" &&
	{ template t1-a1 mo-1 4915200000001 marketing; template t1-a1 mo-2 4915200000001 utility; template t1-a1 mo-3 4915200000002 marketing; text t1-a1 mo-4 4915200000001; } | publish &&
	refused mo-1 opted_out && for i in 2 3 4; do wait_for "is_told mo-$i accepted" || return 1; done
'
test_expect_success 'wanted again; an older word does not undo that; a word of the user does' '
	wishes resume $((now - 30)) && wishes stop $((now - 90)) &&
	n=10; again() { n=$((n + 1)); template t1-a1 "mo-$n" 4915200000001 marketing | publish && wait_for "is_told mo-$n accepted || is_told mo-$n failed" && is_told "mo-$n" "$1"; } &&
	wait_for "again accepted" && writes t1-a1 4915200000001 " stop " && wait_for "again failed" && [[ $(event "mo-$n" failed reason) == opted_out ]] &&
	writes t1-a1 4915200000001 START && wait_for "again accepted"
'

# ---- news of accounts and numbers ----
test_expect_success 'banned: its business account is held at once; enabled again: what waited goes' '
	waba=$(fact t1-a1 waba_id) && news t1-a1 account_update "{\"event\":\"DISABLED_UPDATE\",\"ban_info\":{\"waba_ban_state\":\"DISABLE\",\"waba_ban_date\":\"today\"}}" &&
	wait_for "wamctl hold list | grep -q \"^waba .*\$waba .*banned\"" && text t1-a1 ban-1 4915200000001 | publish &&
	wait_for "[[ \$(depth whatsapp.lane.$(number_of t1-a1)) -eq 1 ]]" && ! sandbox_ledger | grep "hello ban-1" &&
	news t1-a1 account_update "{\"event\":\"DISABLED_UPDATE\",\"ban_info\":{\"waba_ban_state\":\"REINSTATE\"}}" &&
	wait_for "is_told ban-1 accepted" && ! wamctl hold list | grep "$waba"
'
test_expect_success 'more throughput: the keeper looks at the number, and its rate grows' '
	sandbox_curl tenants/t1 -X PATCH --json "{\"accounts\":[{\"account_id\":\"t1-a1\",\"rate\":null,\"tier\":\"standard\"}]}" >/dev/null && wamctl tenant refresh --tenant t1 &&
	wait_for "wamctl -j limit show t1 t1-a1 | grep -q \"\\\"rate\\\": *72\"" &&
	sandbox_curl nodes --json "{\"id\":\"$(number_of t1-a1)\",\"fields\":{\"throughput\":{\"level\":\"HIGH\"}}}" >/dev/null &&
	news t1-a1 phone_number_quality_update "{\"display_phone_number\":\"15550783881\",\"event\":\"THROUGHPUT_UPGRADE\",\"current_limit\":\"TIER_UNLIMITED\"}" &&
	wait_for "grep -q \"account=t1-a1 throughput=HIGH rate=900 was=72\" \"$DIR/wamd.log\"" && wait_for "wamctl -j limit show t1 t1-a1 | grep -q \"\\\"rate\\\": *900\""
'
test_expect_success 'blocked, says the health that the keeper looks at after a violation: held' '
	sandbox_curl nodes --json "{\"id\":\"$waba\",\"health\":{\"WABA\":{\"can_send_message\":\"BLOCKED\",\"errors\":[{\"error_code\":141006,\"error_description\":\"No payment\"}]}}}" >/dev/null &&
	news t1-a1 account_update "{\"event\":\"ACCOUNT_VIOLATION\",\"violation_info\":{\"violation_type\":\"SCAM\"}}" && wait_for "wamctl hold list | grep -q \"^waba .*\$waba .*No payment\""
'
test_expect_success 'no number of a user, and nothing he wrote, is in a log or in Redis' '
	! grep -E "49152000000|STOP|START" "$DIR/wamd.log" && ! redis --scan | grep 49152000000
'
test_done
