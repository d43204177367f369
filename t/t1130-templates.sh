#!/usr/bin/env bash
# Templates: fetched once for all, found without a further trip, held against what is sent, held while Meta has paused them.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(limit_queueing|limit_approaching|held|message_refused|template_category|template_stopped) state=raised'

templates() { sandbox_curl templates "$@" >/dev/null; }
calls() { sandbox_stats | python3 -c "import json, sys; print(json.load(sys.stdin)['calls'].get('templates', 0))"; }
said() { grep -c "alert kind=$1 state=$2 .*${3-}" "$DIR/wamd.log"; }	# KIND STATE [PATTERN]

# send ID TEMPLATE...: a template message of t1-a1, its template object as JSON.
send() {
	printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"+49151%07d","type":"template","template":%s}}\n' \
		"$1" "$((RANDOM * 100 + RANDOM % 100))" "$2"
}
order_short='{"name":"order","language":"en_US","header":"A1","body":["Ann","done"],"buttons":["9"]}'
order_full='{"name":"order","language":{"code":"en_US"},"components":[{"type":"header","parameters":[{"type":"text","text":"A1"}]},
{"type":"body","parameters":[{"type":"text","text":"Ann"},{"type":"text","text":"done"}]},
{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"9"}]}]}'
order_full=$(tr -d '\n' <<<"$order_full")

# rendered ID: what the recipient of this message sees.
rendered() {
	sandbox_ledger | python3 -c "
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    if m.get('rendered'):
        print(m['rendered'].get('body'))"
}
dead() {	# ID: its reason and error
	wamctl -j dlq show t1 "$1" 2>/dev/null | python3 -c "
import json, sys
a = json.load(sys.stdin)
a = a.get('letter', a)
print(a['reason'], a.get('error', ''))"
}
dies() { wait_for "dead $1 >out" && test_grep "$2" out; }

test_expect_success 'a business account with templates at Graph' '
	stack_up --tenants 2 --senders 2 --accounts 2 --sandbox-args "--rate 0 --pair off" --set "retry.wait=[\"300ms\",\"1s\"]" --set hold.first=60s \
		--set template.check=1s --set message.hold_in_memory=200ms --set limit.management_calls=5000 &&
	waba=$(fact t1-a1 waba_id) &&
	cat >order.json <<-EOF &&
	{"waba_id":"$waba","name":"order","language":"en_US","status":"APPROVED","category":"UTILITY","parameter_format":"POSITIONAL",
	"components":[{"type":"HEADER","format":"TEXT","text":"Order {{1}}"},{"type":"BODY","text":"Hi {{1}}, it is {{2}}."},
	{"type":"FOOTER","text":"Thanks"},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track","url":"https://x.example/t/{{1}}"},
	{"type":"QUICK_REPLY","text":"Stop"}]}]}
	EOF
	templates --json "$(cat order.json)" &&
	templates --json "{\"waba_id\":\"$waba\",\"name\":\"hello\",\"language\":\"en_US\",\"status\":\"APPROVED\",\"category\":\"MARKETING\",
		\"components\":[{\"type\":\"BODY\",\"text\":\"Hello\"}]}" &&
	templates --json "{\"waba_id\":\"$waba\",\"name\":\"orderly\",\"language\":\"de\",\"status\":\"REJECTED\",\"category\":\"UTILITY\",
		\"components\":[{\"type\":\"BODY\",\"text\":\"Hallo\"}]}"
'
test_expect_success 'the short form is made into what Graph takes, and the recipient sees what was meant' '
	send short "$order_short" | publish && wait_for "[[ \$(accepted) -eq 1 ]]" &&
	rendered >out && test_grep "Hi Ann, it is done." out
'
test_expect_success 'one fetch was enough, and a hundred more messages cost none, in either form' '
	before=$(calls) && [[ $before -eq 1 ]] &&
	for i in {1..50}; do send "short-$i" "$order_short"; send "full-$i" "$order_full"; done | publish &&
	wait_for "[[ \$(accepted) -eq 101 ]]" && [[ $(calls) -le $((before + 1)) ]]
'
test_expect_success 'what does not fit its template never reaches Graph, and the error names the place' '
	{ send few "{\"name\":\"order\",\"language\":\"en_US\",\"header\":\"A1\",\"body\":[\"Ann\"],\"buttons\":[\"9\"]}"
	  send lines "{\"name\":\"order\",\"language\":\"en_US\",\"header\":\"A1\",\"body\":[\"Ann\",\"a\\nb\"],\"buttons\":[\"9\"]}"
	  send rejected "{\"name\":\"orderly\",\"language\":\"de\"}"; } | publish &&
	dies few "template_parameters body: found 1 parameter" && dies lines "template_parameters body.*line break" &&
	dies rejected "template_not_approved" && [[ $(accepted) -eq 101 ]]
'
test_expect_success 'a template that Graph does not know is asked for once, however many want it' '
	before=$(calls) &&
	for i in {1..40}; do send "nobody-$i" "{\"name\":\"nobody\",\"language\":\"en_US\"}"; done | publish &&
	dies nobody-40 "template_unknown" && wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 43 ]]" &&
	[[ $(calls) -le $((before + 2)) ]]
'
test_expect_success 'one that Meta pauses in mid-run stops within a message of each sender; its messages wait' '
	for i in {1..200}; do send "run-$i" "$order_short"; done | publish &
	wait_for "[[ \$(accepted) -ge 120 ]]" &&
	sandbox_curl templates -X PATCH --json "{\"waba_id\":\"$waba\",\"name\":\"order\",\"status\":\"PAUSED\"}" >/dev/null && wait &&
	send after "$order_short" | publish && wait_for "[[ \$(said held raised p:$waba:order/en_US) -eq 1 ]]" &&
	paused=$(accepted) && wamctl template refresh t1 t1-a1 && [[ $(accepted) -eq $paused ]] &&
	wamctl hold list >out && test_grep "order/en_US" out && send other "{\"name\":\"hello\",\"language\":\"en_US\"}" | publish &&
	wait_for "[[ \$(accepted) -eq $((paused + 1)) ]]"
'
test_expect_success 'and goes on when Meta lets it' '
	sandbox_curl templates -X PATCH --json "{\"waba_id\":\"$waba\",\"name\":\"order\",\"status\":\"APPROVED\"}" >/dev/null &&
	wamctl template refresh t1 t1-a1 && wait_for "[[ \$(accepted) -eq 303 ]]" && wait_for "[[ \$(said held resolved) -eq 1 ]]"
'
test_expect_success 'a message for a paused template dies at once where that is wanted' '
	sandbox_curl templates -X PATCH --json "{\"waba_id\":\"$waba\",\"name\":\"order\",\"status\":\"DISABLED\"}" >/dev/null &&
	sed -i "s/^template:.*//" "$DIR/wamd.conf" && echo "template: { paused = \"dead\"; check = \"1s\"; };" >>"$DIR/wamd.conf" &&
	wamctl reload && wamctl template refresh t1 t1-a1 && send disabled "$order_short" | publish && dies disabled "template_disabled" &&
	sandbox_curl templates -X PATCH --json "{\"waba_id\":\"$waba\",\"name\":\"order\",\"status\":\"APPROVED\"}" >/dev/null &&
	wamctl template refresh t1 t1-a1
'
test_expect_success 'another category is told, for it costs money' '
	sandbox_curl templates -X PATCH --json "{\"waba_id\":\"$waba\",\"name\":\"order\",\"category\":\"MARKETING\"}" >/dev/null &&
	wamctl template refresh t1 t1-a1 && wait_for "[[ \$(said template_category raised) -eq 1 ]]"
'
test_expect_success 'lists by status, category and language; search by name; what is counted is what was sent' '
	wamctl template list t1 t1-a1 --status approved >out && test_grep "^order " out && ! grep orderly out &&
	wamctl template list t1 t1-a1 --category marketing --language en_US >out && test_grep "^hello " out &&
	wamctl template search t1 t1-a1 rder >out && test_grep "^orderly " out && test_grep "^order " out && ! grep hello out &&
	wamctl template search t1 t1-a1 order --exact >out && ! grep orderly out && wamctl template search t1 t1-a1 orderl --prefix >out &&
	test_grep "^orderly " out && ! grep "^order " out &&
	wamctl template show t1 t1-a1 order >out && test_grep "Hi [{][{]1}}, it is [{][{]2}}." out &&
	echo "$order_short" >t.json && wamctl template preview t1 t1-a1 order --message-file t.json >out && test_grep "Hi Ann, it is done." out &&
	wamctl -j template usage t1 t1-a1 >json && python3 -c "
import json
n = {t[\"name\"]: t.get(\"sent\") for t in json.load(open(\"json\"))[\"templates\"]}
assert n == {\"order\": 302, \"hello\": 1}, n"
'
test_expect_success 'another tenant does not see them' '
	wamctl template list t2 t2-a1 >out && ! grep order out && code=0 && { wamctl template show t2 t2-a1 order || code=$?; } && [[ $code -eq 66 ]]
'
test_expect_success 'a catalogue of 6,000; a cursor that is no longer good in the middle of it: from the start again, and all are there' '
	templates --json "{\"waba_id\":\"$(fact t2-a1 waba_id)\",\"count\":6000,\"name\":\"tpl_%d\",\"language\":\"en_US\",\"status\":\"APPROVED\",
		\"category\":\"UTILITY\",\"components\":[{\"type\":\"BODY\",\"text\":\"Hello {{1}}, and welcome.\"}]}" &&
	templates --json "{\"knobs\":{\"stale_after\":20,\"stale_cursors\":1}}" && before=$(calls) &&
	wamctl template refresh t2 t2-a1 >refreshed && test_grep "^6000 templates fetched" refreshed && [[ $(calls) -eq $((before + 1 + 20 + 1 + 60)) ]]
'
test_expect_success 'it is listed in parts, searched by beginnings, and sent from' '
	wamctl template list t2 t2-a1 --limit 5 >out && test_grep "^5 of 6000" out && [[ $(grep -c "^tpl_" out) -eq 5 ]] &&
	wamctl template search t2 t2-a1 tpl_599 --prefix >out && [[ $(grep -c "^tpl_599" out) -eq 11 && $(grep -c "^tpl_" out) -eq 11 ]] &&
	wamctl template search t2 t2-a1 tpl_6 --prefix --limit 3 >out && test_grep "^3 of 112" out &&
	wamctl template search t2 t2-a1 tpl_6000 --exact >out && [[ $(grep -c "^tpl_" out) -eq 1 ]] && before=$(accepted) &&
	send many "{\"name\":\"tpl_4711\",\"language\":\"en_US\",\"body\":[\"Ann\"]}" | sed "s/\"t1/\"t2/g" | publish &&
	wait_for "[[ \$(accepted) -eq $((before + 1)) ]]" && rendered >out && test_grep "^Hello Ann, and welcome" out
'
test_expect_success 'a page that is too heavy for Graph is halved' '
	templates --json "{\"knobs\":{\"page_max\":60}}" && before=$(calls) && wamctl template refresh t2 t2-a1 >out &&
	test_grep "^6000 templates fetched" out && [[ $(calls) -eq $((before + 121)) ]] &&
	wamctl template list t2 t2-a1 --limit 1 >out && test_grep "^1 of 6000" out
'
test_expect_success 'nothing was lost or sent twice' '
	at_rest && log_is_clean
'
test_done
