#!/usr/bin/env bash
# The tenant service is away for long, and the keeper dies again and again: known tenants go on, unknown ones wait, nothing is lost.
. "$(dirname "$0")/lib.sh"

away_s=10
[[ -z ${WAMD_LONG-} ]] || away_s=600
expect_log 'tenants_away|child_died|alert kind=(tenants_away|limit_approaching|limit_queueing|held) state=raised|token_bad|graph_away'
fault() { sandbox_curl faults -X DELETE >/dev/null && graph_faults "[{\"match\":{\"route\":\"tenant\"},$1}]" >/dev/null; }
keeper() { ps -o pid=,comm= --ppid "$WAMD_PID" | awk '/keeper/ { print $1; exit }'; }
feed_known() { feed --count $((100 * away_s / 2)) --rate 100 --prefix "$1" --account t1-a1 --account t2-a1 --account t3-a1 --account t4-a1; }
bodies() {	# TENANT COUNT PREFIX
	python3 -c "
import json
for i in range($2):
    print(json.dumps({'body': {'id': f'$3-{i}', 'tenant_id': '$1', 'to': '+4915200%06d' % i, 'type': 'text', 'text': {'body': f'hello $3-{i}'}}}))"
}

test_expect_success 'ten tenants, four of them known; answers are fresh for half a second' '
	stack_up --senders 2 --tenants 10 --accounts 1 --tenant-service wamd --sandbox-args "--rate 0 --pair off" --set tenant_service.ttl=500ms \
		--set tenant_service.timeout=700ms --set tenant_service.retry_max=300ms --set tenant_service.unknown_ttl=500ms --set hold.first=500ms \
		--set hold.max=500ms --set respawn.calm=1ms --set retry.wait="[\"1s\",\"2s\"]" &&
	feed --count 40 --prefix known --account t1-a1 --account t2-a1 --account t3-a1 --account t4-a1 && wait_for at_rest
'
test_expect_success "for $away_s s the service answers nonsense, then hangs: known tenants are sent to, unknown ones wait" '
	fault "\"fault\":\"html\",\"http\":503" && feed --count 60 --prefix early --account t5-a1 --account t6-a1 && bodies nobody 5 nobody | publish &&
	feed_known first && fault "\"fault\":\"hang\"" && feed --count 60 --prefix late --account t7-a1 && feed_known second &&
	wait_for "[[ \$(accepted) -eq $((40 + 100 * away_s)) ]]" 10 && ! sandbox_ledger | grep -E "hello (early|late|nobody)-" &&
	[[ $(depth whatsapp.outbound.dlq) -eq 0 ]] && wamctl tenant list | head -n 1 && test_grep "alert kind=tenants_away state=raised" "$DIR/wamd.log"
'
test_expect_success 'at least 99 % of the known ones left within a second, as ever' '
	sandbox_ledger >posts && python3 - "$DIR"/published*.ndjson <<-"PY"
	import json, sys
	when = {m["id"]: m["t"] for path in sys.argv[1:] for m in map(json.loads, open(path))}
	waits = []
	for post in map(json.loads, open("posts")):
	    body = json.loads(post["body"]) if isinstance(post["body"], str) else post["body"]
	    id = next((w for w in body["text"]["body"].split() if w in when), "")
	    if id.startswith(("first", "second")):
	        waits.append(post["t"] - when[id])
	waits.sort()
	print(len(waits), "messages; 50 %:", round(waits[len(waits) // 2], 3), "99 %:", round(waits[len(waits) * 99 // 100], 3), "most:", round(waits[-1], 3))
	assert len(waits) >= 900 and waits[len(waits) * 99 // 100] < 1
	PY
'
test_expect_success 'it is back: who waited is served, once and with the first attempt; who is unknown is told so' '
	sandbox_curl faults -X DELETE >/dev/null &&
	wait_for "[[ \$(accepted) -eq $((40 + 100 * away_s + 120)) && \$(depth whatsapp.outbound.dlq) -eq 5 ]]" 30 && wait_for at_rest &&
	test_grep "alert kind=tenants_away state=resolved" "$DIR/wamd.log" && sandbox_ledger | python3 -c "
import base64, json, sys
n = 0
for p in map(json.loads, sys.stdin):
    token = p[\"callback\"].split(\"|\")[0][3:]
    attempt = base64.urlsafe_b64decode(token + \"=\" * (-len(token) % 4))[16]
    assert p[\"accepted\"] and attempt == 1, p
    n += 1
print(n, \"POSTs, each the first attempt\")"
'
test_expect_success 'the keeper dies 20 times while tenants are asked for and tokens are rotated: nothing is lost' '
	before=$(accepted) && RANDOM=4711
	feed --count 3000 --rate 100 --prefix dying >feed.out 2>&1 &
	feeder=$! feeds=$((feeds + 1))
	for i in $(seq 20); do
		wait_for "now=\$(keeper); [[ -n \$now && \$now != ${old:-0} ]]" && old=$(keeper) && a=t$((RANDOM % 10 + 1)) && token=EAAkilled${i}x0123456789 &&
		sandbox_curl tokens --json "{\"account\":\"$a-a1\",\"state\":\"revoked\",\"new_token\":\"$token\"}" >/dev/null &&
		sandbox_curl "tenants/$a" -X PATCH --json "{\"accounts\":[{\"account_id\":\"$a-a1\",\"access_token\":\"$token\"}]}" >/dev/null &&
		sent=$(accepted) && wait_for "[[ \$(accepted) -gt $((sent + RANDOM % 40)) ]] || ! kill -0 $feeder 2>/dev/null" && kill -KILL "$old" || return 1
	done
	wait $feeder && wait_for at_rest 60; cat ledger.out
	at_rest && [[ $(grep -c "child_died keeper" "$DIR/wamd.log") -ge 20 && $(accepted) -eq $((before + 3000)) && $(depth whatsapp.outbound.dlq) -eq 5 ]] &&
	[[ $(sandbox_ledger | grep -c "\"code\": *190") -ge 1 ]]	# or no rotation was ever met
'
test_done
