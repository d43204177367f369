#!/usr/bin/env bash
# Retries and their end, priority, and the correlation id on its way through everything.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

quick=(--set 'retry.server=["200ms","200ms","300ms","300ms","400ms"]' --set 'retry.connect=["200ms","200ms","300ms","300ms","400ms"]'
	--set message.unknown_timer=500ms --set graph.send_timeout=2s --set 'retry.throttle=["200ms","400ms","400ms","400ms","400ms"]'
	--set 'retry.wait=["300ms","1s"]')
message() {	# ID [MORE JSON MEMBERS]
	printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"+491511234567","type":"text","text":{"body":"%s"}%s}%s}\n' \
		"$1" "$1" "${2-}" "${3-}"
}
posts_of() { sandbox_ledger | grep -c "\"$1\""; }
dead() { load peek --queue whatsapp.outbound.dlq | grep "\"$1\""; }

test_expect_success 'a stack with short steps' '
	stack_up --no-breakers --senders 2 --rate 1000 "${quick[@]}" --sandbox-args "--rate 0 --pair off"
'
test_expect_success 'two server errors, then success: three POSTs, sent, two failures in its history' '
	graph_faults "{\"fault\":\"error\",\"code\":131016,\"http\":500,\"times\":2,\"match\":{\"text_contains\":\"twice\"}}" &&
	message twice | publish &&
	wait_for "wamctl message why t1 twice | grep -q \"state  *sent after 3\"" 15 &&
	[[ $(posts_of twice) -eq 3 ]] &&
	wamctl message why t1 twice >why && test_grep "attempt 2 .* server http=500 code=131016" why
'
test_expect_success 'a message that fails six times is in the dead-letter queue with six attempts in its history' '
	graph_faults "{\"fault\":\"error\",\"code\":131000,\"http\":500,\"match\":{\"text_contains\":\"never\"}}" &&
	message never ",\"correlation_id\":\"case 4711/ä\"" ",\"expect\":\"dead:retries_used\"" | publish &&
	wait_for "dead never >letter" 20 &&
	[[ $(posts_of never) -eq 6 ]] &&
	python3 - letter <<PY
import json, sys
d = json.loads(open(sys.argv[1]).read())["body"]
assert d["v"] == 1 and d["reason"] == "retries_used" and d["code"] == 131000 and d["attempts"] == 6, d
assert [h["n"] for h in d["history"]] == [1, 2, 3, 4, 5, 6] and all(h["code"] == 131000 for h in d["history"]), d
assert d["message"]["id"] == "never" and d["correlation_id"] == "case 4711/ä", d
PY
'
test_expect_success 'its correlation id is the same in status event, dead letter and log' '
	load peek --queue t.events | grep "\"never\"" >event && test_grep "case 4711/" event &&
	python3 -c "import json; e = json.load(open(\"event\")); assert e[\"body\"][\"correlation_id\"] == \"case 4711/ä\" == e[\"properties\"][\"correlation_id\"] and e[\"body\"][\"status\"] == \"failed\", e" &&
	test_grep "id=never .*correlation=case 4711/ä .*reason=retries_used" "$DIR/wamd.log"
'
test_expect_success 'from AMQP property and header the correlation id is taken as well' '
	{ message by-property "" ",\"correlation_id\":\"from-property\""
	  message by-header "" ",\"headers\":{\"X-Correlation-ID\":\"from-header\"}"; } | publish &&
	wait_for "load peek --queue t.events | grep -q by-header" 10 &&
	load peek --queue t.events >events && grep by-property events | grep -q from-property && grep by-header events | grep -q from-header
'
test_expect_success 'what Graph refuses for good is dead at once, with its code' '
	graph_faults "{\"fault\":\"error\",\"code\":131026,\"match\":{\"text_contains\":\"refused\"}}" &&
	message refused "" ",\"expect\":\"dead:refused\"" | publish &&
	wait_for "dead refused >letter" 10 && test_grep "131026" letter && [[ $(posts_of refused) -eq 1 ]]
'
test_expect_success 'throttling uses no attempt: eight refusals, then sent as attempt 1' '
	graph_faults "{\"fault\":\"error\",\"code\":130429,\"times\":8,\"match\":{\"text_contains\":\"slowly\"}}" &&
	message slowly | publish &&
	wait_for "wamctl message why t1 slowly | grep -q \"state  *sent after 1\"" 20 && [[ $(posts_of slowly) -eq 9 ]]
'
test_expect_success 'a 502 without a Graph error is an unknown outcome, never a plain retry; at_least_once sends it again' '
	expect_log "answer_surprise" &&
	graph_faults "{\"fault\":\"html\",\"http\":502,\"times\":1,\"match\":{\"text_contains\":\"gateway\"}}" &&
	message gateway | publish &&
	wait_for "wamctl message why t1 gateway | grep -q \"state  *sent after 2\"" 10 &&
	wamctl message why t1 gateway >why && test_grep "attempt 1 .* unknown http=502" why
'
test_expect_success 'a 200 without an id too; at_most_once leaves it to people' '
	graph_faults "{\"fault\":\"no_id\",\"times\":1,\"match\":{\"text_contains\":\"nameless\"}}" &&
	message nameless ",\"on_unknown\":\"at_most_once\"" ",\"expect\":\"any\"" | publish &&
	wait_for "dead nameless >letter" 10 && test_grep unknown_outcome letter && [[ $(posts_of nameless) -eq 1 ]]
'
test_expect_success 'the same message published twice is one POST; the second gets the recorded answer' '
	{ message once; message once; } | publish &&
	wait_for "[[ \$(load peek --queue t.events | grep -c \"\\\"once\\\"\") -eq 2 ]]" 10 && [[ $(posts_of once) -eq 1 ]]
'
test_expect_success 'the same id with another text is another message' '
	{ message "part"; message "part" | sed "s/\"body\":\"part\"/\"body\":\"part two\"/"; } | publish &&
	wait_for "[[ \$(sandbox_ledger | grep -c part) -eq 2 ]]" 10
'
test_expect_success 'a message that expires while it waits is dead as expired, and not sent' '
	graph_faults "{\"fault\":\"error\",\"code\":131016,\"http\":500,\"match\":{\"text_contains\":\"stale\"}}" &&
	message stale ",\"ttl_s\":1" ",\"expect\":\"dead:expired\"" | publish &&
	wait_for "dead stale >letter" 15 && test_grep "\"expired\"" letter && [[ $(posts_of stale) -lt 6 ]]
'
test_expect_success 'where no connection can be made, retries go on and end as retries_used' '
	port=$(python3 -c "import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])") &&
	printf "graph: { url = \"https://127.0.0.1:%s\"; };\n" "$port" >"$DIR/conf.d/99-z.conf" && wamctl reload &&
	message nowhere "" ",\"expect\":\"dead:retries_used\"" | publish &&
	wait_for "dead nowhere >letter" 20 && test_grep "\"attempts\": ?6" letter && [[ $(posts_of nowhere) -eq 0 ]] &&
	rm "$DIR/conf.d/99-z.conf" && wamctl reload
'
test_expect_success 'all is at rest' '
	wait_for "at_rest --allow-doubles" 20; cat ledger.out; at_rest --allow-doubles
'
test_expect_success '1,000 bulk, then 10 urgent ones: they overtake 95 % of the bulk that was in no window yet' '
	stack stop-wamd && sandbox_curl faults -X DELETE && graph_faults "{\"fault\":\"delay\",\"ms\":100}" &&
	feed --count 1000 --prefix bulk --priority 1 && feed --count 10 --prefix urgent --priority 9 &&
	printf "amqp: { prefetch = 32; };\n" >"$DIR/conf.d/99-window.conf" && stack start-wamd &&
	wait_for "[[ \$(sandbox_ledger | grep -cE \"bulk|urgent\") -eq 1010 ]]" 40 &&
	sandbox_ledger | python3 -c "
import json, sys
order = [json.loads(l)[\"body\"][\"text\"][\"body\"] for l in sys.stdin if \"bulk\" in l or \"urgent\" in l]
last = max(i for i, text in enumerate(order) if \"urgent\" in text)
print(\"the last urgent one was POST\", last)
assert last < 2 * 32 + 10 + 0.05 * 1000"
'
test_expect_success 'all is at rest again' '
	wait_for "at_rest --allow-doubles" 20; cat ledger.out; at_rest --allow-doubles
'
test_done
