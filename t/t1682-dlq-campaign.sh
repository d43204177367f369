#!/usr/bin/env bash
# A bad day's dead letters: filtered, replayed at a rate, by two people at once and a second time; each message is sent once.
. "$(dirname "$0")/lib.sh"

count=600
[[ -z ${WAMD_LONG-} ]] || count=10000

expect_log 'alert kind=(held|message_refused|limit_queueing|limit_approaching) state=raised'
half=$((count / 2))
letters_are() { [[ $(depth whatsapp.outbound.dlq) -eq $1 ]]; }
# refused [ARG...]: each message of these ends as a dead letter.
refused() {
	graph_faults "{\"fault\":\"error\",\"code\":131026,\"http\":400}" >/dev/null && feed "$@" && wait_for "letters_are $before" 60 &&
	sandbox_curl faults -X DELETE >/dev/null
}
# accepted_once TENANT COUNT: so many messages of its numbers, no two for one recipient
accepted_once() {
	sandbox_ledger | python3 -c '
import collections, json, sys
numbers = {a["phone_number_id"] for a in json.load(open(sys.argv[1])) if a["tenant_id"] == sys.argv[2]}
seen = collections.Counter(p["body"]["to"] for p in map(json.loads, sys.stdin) if p["accepted"] and p["pnid"] in numbers)
print(len(seen), "messages, accepted", sum(seen.values()), "times")
sys.exit(len(seen) != int(sys.argv[3]) or sum(seen.values()) != len(seen))' "$DIR/accounts.json" "$1" "$2"
}
test_expect_success "$count dead letters of two tenants" '
	stack_up --no-breakers --tenants 2 --accounts 2 --senders 2 --rate 2000 --sandbox-args "--rate 0 --pair off" && before=$count &&
	refused --count $count --recipients $count --to +4915100000000
'
test_expect_success 'half of them are found by filter and replayed at 500 a second, the others stay' '
	wamctl dlq replay --tenant t1 --code 131026 --dry-run >out && test_grep "^$half dead letters match" out &&
	began=$EPOCHREALTIME && wamctl dlq replay --tenant t1 --code 131026 --rate 500 >out && took=$(python3 -c "print($EPOCHREALTIME - $began)") &&
	test_grep "^$half of $half matching dead letters replayed, 0 skipped; $half are left" out && echo "$took s" &&
	python3 -c "import sys; sys.exit(not $took > 0.9 * $half / 500)" && letters_are $half && wait_for "accepted_once t1 $half" 60
'
test_expect_success 'the rest by two people at once: each message is sent once' '
	{ wamctl dlq replay --tenant t2 --rate 500 >one 2>&1 & } && first=$! &&
	{ wamctl dlq replay --tenant t2 --rate 500 >two 2>&1; second=$?; wait $first; first=$?; cat one two; [[ $first -eq 0 || $second -eq 0 ]]; } &&
	wamctl dlq replay --tenant t2 && wait_for "letters_are 0" && wait_for "accepted_once t2 $half" 60
'
test_expect_success 'a second bad day: the same again, and still each once' '
	refused --count $count --recipients $count --to +4915200000000 --prefix second &&
	wamctl dlq replay --all --rate 500 >out && cat out && test_grep "^$count of $count matching dead letters replayed" out &&
	wait_for "accepted_once t1 $count && accepted_once t2 $count" 60 && wait_for at_rest 60; cat ledger.out; at_rest
'
test_done
