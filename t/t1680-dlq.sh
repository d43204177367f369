#!/usr/bin/env bash
# Dead letters are not the end: list, show, replay and drop, each message sent once however often and however badly it is replayed.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

expect_log 'warn wamd child_died'
# shellcheck disable=SC2034 # used in a test's script
quick=(--set 'retry.server=["100ms","100ms","100ms","100ms","100ms"]' --set 'retry.wait=["300ms","1s","4s"]'
	--set message.unknown_timer=500ms --set graph.send_timeout=2s --set message.lease_margin=1s)
message() {	# ID [MORE JSON MEMBERS]
	printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"+491511234567","type":"text","text":{"body":"%s"}%s}}\n' \
		"$1" "$1" "${2-}"
}
# counts KEY=VALUE... < JSON: the answer has these numbers.
counts() {
	python3 -c '
import json, sys
answer = json.load(sys.stdin)
print(answer)
for want in sys.argv[1:]:
    key, value = want.split("=")
    assert answer.get(key) == int(value), want' "$@"
}
letters() { depth whatsapp.outbound.dlq; }
letters_are() { [[ $(letters) -eq $1 ]]; }
accepted_of() {	# TENANT: how many messages Graph accepted, and how many different ones
	sandbox_ledger | python3 -c '
import collections, json, sys
numbers = {a["phone_number_id"] for a in json.load(open(sys.argv[1])) if a["tenant_id"] == sys.argv[2]}
posts = [json.loads(line) for line in sys.stdin]
texts = collections.Counter(p["body"]["text"]["body"] for p in posts if p.get("accepted") and p["pnid"] in numbers)
print(sum(texts.values()), len(texts))' "$DIR/accounts.json" "$1"
}
accepted_are() { [[ $(accepted_of "$1") == "$2 $2" ]]; }
# dropped FILTER...: what a drop will take, for the ledger; then the drop.
dropped() {
	wamctl -j dlq list --limit 10000 "$@" | python3 -c '
import json, sys
for letter in json.load(sys.stdin)["letters"]: print(json.dumps(letter))' >>"$DIR/dropped.ndjson" && wamctl -j dlq drop "$@"
}

test_expect_success '200 messages of two tenants that Graph refuses are 200 dead letters' '
	stack_up --no-breakers --senders 2 --tenants 2 --rate 1000 "${quick[@]}" --sandbox-args "--rate 0 --pair off" &&
	wamctl -j dlq list | counts matched=0 left=0 &&
	graph_faults "{\"fault\":\"error\",\"code\":131026}" &&
	feed --count 200 && wait_for "letters_are 200" 30
'
test_expect_success 'list tells 50 of them and counts all; filters narrow it down; the letters are there again when it answers' '
	wamctl -j dlq list >list && counts matched=200 left=200 <list && letters_are 200 &&
	python3 -c "
import json
letters = json.load(open(\"list\"))[\"letters\"]
assert len(letters) == 50, len(letters)
assert all(l[\"code\"] == 131026 and l[\"attempts\"] == 1 and \"message\" not in l for l in letters)" &&
	wamctl -j dlq list --tenant t1 --reason refused --code 131026 --limit=1 >list && counts matched=100 <list &&
	wamctl -j dlq list --tenant t2 --account t2-a1 --limit 200 >list2 &&
	python3 -c "
import json
letters = json.load(open(\"list2\"))[\"letters\"]
assert 0 < len(letters) < 100 and all(l[\"account_id\"] == \"t2-a1\" for l in letters), len(letters)" &&
	wamctl -j dlq list --reason expired | counts matched=0 && wamctl -j dlq list --code 1 | counts matched=0 &&
	wamctl dlq list --tenant t2 --limit 3 >table && cat table && [[ $(wc -l <table) -eq 5 ]] &&
	test_grep "^[0-9T:.Z-]+ +t2 +t2-a[12] .* refused +131026 +1$" table && test_grep "and 97 more" table
'
test_expect_success 'show prints the whole letter, message included' '
	id=$(python3 -c "import json; print(json.load(open(\"list\"))[\"letters\"][0][\"id\"])") &&
	wamctl dlq show t1 "$id" >letter && test_grep "\"text\": \{" letter && test_grep "\"history\": \[" letter &&
	wamctl -j dlq list --id "$id" | counts matched=1 &&
	! wamctl dlq show t1 nobody 2>err && test_grep "no_letter" err && letters_are 200
'
test_expect_success 'replay and drop want a filter; unknown options and bad numbers are refused; a dry run changes nothing' '
	{ wamctl dlq replay 2>err; [[ $? -eq 64 ]]; } && test_grep "Name a filter" err &&
	{ wamctl dlq drop 2>err; [[ $? -eq 64 ]]; } && { wamctl dlq drop --rate 5 --all 2>err; [[ $? -eq 64 ]]; } &&
	{ wamctl dlq list --limit 0 2>err; [[ $? -eq 64 ]]; } && test_grep "limit: found 0" err &&
	wamctl dlq replay --all --dry-run >out && test_grep "^200 dead letters match, 200 of them would be replayed" out &&
	wamctl dlq drop --tenant t1 --dry-run >out && test_grep "^100 dead letters would be dropped" out &&
	letters_are 200 && [[ $(sandbox_ledger | wc -l) -eq 200 ]]
'
test_expect_success 'while the fault is there a replay ends in the dead-letter queue again, with both lives in its history' '
	wamctl dlq replay --id "$id" >out && test_grep "^1 of 1 matching dead letters replayed, 0 skipped; 199 are left" out &&
	wait_for "letters_are 200" 10 && wamctl -j dlq show t1 "$id" >letter &&
	python3 -c "
import json
l = json.load(open(\"letter\"))
assert l[\"attempts\"] == 2 and [h[\"n\"] for h in l[\"history\"]] == [1, 2], l"
'
test_expect_success 'after it has gone a replay of one tenant sends each of its messages once, and leaves the other alone' '
	sandbox_curl faults -X DELETE && wamctl -j dlq replay --tenant t1 --rate 1000 >out && counts matched=100 replayed=100 left=100 <out &&
	wait_for "accepted_are t1 100" 15 && accepted_are t2 0 && letters_are 100
'
test_expect_success 'what comes twice, even by hand with the same header, is not sent again' '
	wamctl -j dlq replay --tenant t1 | counts matched=0 &&
	wamctl -j message why t1 "$id" >why && test_grep "\"state\":\"sent\"" why && test_grep "\"attempts\":3" why &&
	python3 -c "
import json
print(json.dumps({\"body\": json.load(open(\"letter\"))[\"message\"], \"headers\": {\"x-wamd-replay\": \"v=1 t=1764000000009 n=1 d=1\"}}))" |
		publish && wait_for "[[ \$(load peek --queue t.events | grep \"\\\"$id\\\"\" | grep -c accepted) -eq 2 ]]" 10 && accepted_are t1 100
'
test_expect_success 'the keeper is killed in the middle of a replay; the next one sends the rest: each once' '
	{ wamctl dlq replay --tenant t2 --rate 40 >out 2>&1 & } && replay=$! &&
	wait_for "[[ \$(accepted_of t2) != \"0 0\" ]]" 10 &&
	wamctl dlq list 2>err; test_grep "dlq_busy" err &&
	"$T/kill-senders" "$WAMD_PID" 1 1 2 keeper && { wait $replay; [[ $? -ne 0 ]]; } &&
	n=$(accepted_of t2) && echo "killed after ${n% *}" && [[ ${n% *} -lt 100 ]] &&
	wait_for "wamctl status >/dev/null" 10 && wait_for "[[ \$(letters) -gt 0 ]]" 10 &&
	wamctl dlq replay --tenant t2 --rate 1000 && wait_for "accepted_are t2 100" 15 && wait_for "letters_are 0" 10
'
test_expect_success 'an unknown outcome is replayed with --may-duplicate only' '
	expect_log answer_surprise &&
	graph_faults "{\"fault\":\"html\",\"http\":502}" &&
	{ message doubt ",\"on_unknown\":\"at_most_once\""; message doubt2 ",\"on_unknown\":\"at_most_once\""; } | publish &&
	wait_for "letters_are 2" 15 && sandbox_curl faults -X DELETE &&
	wamctl dlq replay --all >out && test_grep "^0 of 2 .* 2 skipped; 2 are left" out && test_grep "skipped: 2 unknown_outcome" out &&
	letters_are 2 && wamctl -j dlq replay --id doubt --may-duplicate | counts matched=1 replayed=1 &&
	wait_for "wamctl message why t1 doubt | grep -q \"state  *sent after 2\"" 10
'
test_expect_success 'drop takes what matches, and nothing else' '
	printf "%s\n" "{\"raw\":\"no json\",\"expect\":\"dead:not_json\"}" | publish && wait_for "letters_are 2" 10 &&
	dropped --reason unknown_outcome | counts matched=1 dropped=1 left=1 && letters_are 1
'
test_expect_success 'what was no JSON is listed, not replayed, and may be dropped' '
	wamctl -j dlq replay --all | counts matched=1 skipped=1 replayed=0 left=1 && dropped --reason not_json | counts dropped=1 left=0 && letters_are 0
'
test_expect_success 'five retries of a second life, then dead again; sent in the third' '
	graph_faults "{\"fault\":\"error\",\"code\":131000,\"http\":500}" && message stubborn | publish &&
	wait_for "letters_are 1" 15 && wamctl dlq replay --all && wait_for "[[ \$(sandbox_ledger | grep -c stubborn) -eq 12 ]]" 15 &&
	wait_for "letters_are 1" 10 && wamctl -j dlq list | grep -q "\"attempts\":12" && sandbox_curl faults -X DELETE &&
	wamctl dlq replay --reason retries_used && wait_for "wamctl message why t1 stubborn | grep -q \"state  *sent after 13\"" 10
'
test_expect_success 'nothing lost, nothing doubled, all at rest' '
	wait_for at_rest 20; cat ledger.out; at_rest
'
test_expect_success 'no turn of a loop was long' 'loop_was_never_away'
test_done
