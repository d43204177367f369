#!/usr/bin/env bash
# What Graph may do wrong, and the class each must get: not sent, unknown, server, throttled, held, refused.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

expect_log 'answer_surprise'
expect_log 'hop_newer'
quick=(--set 'retry.server=["100ms","100ms","100ms","100ms","100ms"]' --set 'retry.connect=["100ms","100ms","100ms","100ms","100ms"]'
	--set message.unknown_timer=300ms --set graph.send_timeout=1s --set message.lease_margin=500ms
	--set 'retry.throttle=["100ms","100ms","100ms","100ms","100ms"]' --set 'retry.wait=["200ms","300ms"]')

# FAULT OUTCOME ACCEPTED: each fault happens once to a message of its own; then the first attempt in its history must say
# OUTCOME, and Graph accepts it once more (or never: what it refuses for good).  ACCEPTED: Graph had taken it all the same.
cat >cases <<'EOF'
{"fault":"error","code":131016,"http":503}             server     no
{"fault":"error","code":2,"http":500}                  server     no
{"fault":"error","code":131000,"http":500}             server     no
{"fault":"error","code":1,"http":500}                  server     no
{"fault":"error","code":130472}                        server     no
{"fault":"error","code":4,"http":429}                  throttled  no
{"fault":"error","code":80007}                         throttled  no
{"fault":"error","code":131056,"http":403}             throttled  no
{"fault":"error","code":190,"http":401}                held       no
{"fault":"error","code":131045,"http":500}             held       no
{"fault":"error","code":368,"http":403}                held       no
{"fault":"error","code":131026}                        refused    never
{"fault":"error","code":100}                           refused    never
{"fault":"html","http":500}                            unknown    no
{"fault":"html","http":502}                            unknown    no
{"fault":"hang"}                                       unknown    yes
{"fault":"drip","bytes_per_s":5}                       unknown    yes
{"fault":"accept_then_cut"}                            unknown    yes
{"fault":"refuse_then_cut","how":"rst"}                unknown    no
{"fault":"cut_answer","after":20}                      unknown    yes
{"fault":"no_id"}                                      unknown    yes
{"fault":"garbage"}                                    unknown    yes
{"fault":"rst_stream"}                                 unknown    yes
EOF
test_expect_success 'a stack with short timers' '
	stack_up --no-breakers --senders 1 --rate 1000 "${quick[@]}" --sandbox-args "--rate 0 --pair off"
'
n=0
while read -r fault outcome accepted; do
	n=$((n + 1)) id=case-$n
	want=1; [[ $accepted == yes ]] && want=2; [[ $accepted == never ]] && want=0
	test_expect_success "$fault is $outcome" '
		graph_faults "${fault%\}},\"times\":1,\"match\":{\"text_contains\":\"$id.\"}}" &&
		printf "{\"body\":{\"id\":\"%s\",\"tenant_id\":\"t1\",\"account_id\":\"t1-a1\",\"to\":\"+49151123456%02d\",\"type\":\"text\",\"text\":{\"body\":\"%s.\"}},\"expect\":\"any\"}\n" $id $n $id | publish &&
		wait_for "wamctl message why t1 $id | grep -qE \"^state +(sent|dead)\"" 15 &&
		wamctl message why t1 $id >why; cat why &&
		test_grep "^attempt 1 [^ ]* $outcome " why &&
		seen=$(sandbox_ledger | python3 -c "import json, sys; print(sum(1 for l in sys.stdin if \"$id.\\\"\" in l and json.loads(l)[\"accepted\"]))") &&
		echo "accepted $seen of $want" && [[ $seen -eq $want ]]
	'
done <cases
test_expect_success 'GOAWAY and refused streams: what was read and not answered is unknown; at_most_once accepts nothing twice' '
	graph_faults "[{\"fault\":\"goaway\",\"times\":3,\"match\":{\"text_contains\":\"away-\"}},{\"fault\":\"rst_stream\",\"refused\":true,\"times\":3,\"match\":{\"text_contains\":\"away-\"}}]" &&
	feed --count 30 --rate 50 --prefix away --on-unknown at_most_once &&
	wait_for "ledger --strict --allow-doubles >ledger.out" 20; cat ledger.out; ledger --strict --allow-doubles >/dev/null &&
	sandbox_ledger | python3 -c "
import collections, json, sys
taken = collections.Counter()
for p in map(json.loads, sys.stdin):
    text = p[\"body\"][\"text\"][\"body\"]
    if \"away-\" in text and p[\"accepted\"]: taken[text] += 1
print(len(taken), \"of 30 accepted\")
assert taken and max(taken.values()) == 1"
'
test_expect_success 'a copy that a later version wrote is kept, not sent and not lost' '
	printf "%s\n" "{\"body\":{\"id\":\"later\",\"tenant_id\":\"t1\",\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"later\"}},\"headers\":{\"x-wamd-hop\":\"v=2 kind=something n=9\"},\"expect\":\"any\"}" | publish &&
	wait_for "grep -q hop_newer $DIR/wamd.log" 10 &&
	stack stop-wamd && for q in whatsapp.retry.300ms whatsapp.outbound; do load peek --queue $q; done >kept && grep "v=2 kind=something n=9" kept &&
	! sandbox_ledger | grep -q "\"later\""
'
test_done
