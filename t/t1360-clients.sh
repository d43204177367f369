#!/usr/bin/env bash
# Producers as others write them - Node with amqplib, Node with axios, curl - tell wamd of the same messages: each is sent once, and
# all of them, Redis and Graph say the same of it.
. "$(dirname "$0")/lib.sh"

count=20
expect_log 'alert kind=limit_(approaching|queueing) state=raised'

# skip WHY: what they need is not ours to have.
skip() {
	echo "1..0 # SKIP $1"
	test_over=1
	exit 0
}
command -v node >/dev/null && command -v npm >/dev/null || skip 'node and npm are not installed'
clients=$(dirname "$WAMD_BUILD")/clients
[[ $WAMD_BUILD == */build ]] && clients=$WAMD_BUILD/clients
# npm only fetches what the lock file names, with the digests in it.
if [[ ! -e $clients/node_modules/.package-lock.json || $T/clients/package-lock.json -nt $clients/node_modules/.package-lock.json ]]; then
	mkdir -p "$clients"
	cp "$T"/clients/{package.json,package-lock.json,.npmrc} "$clients/"
	(cd "$clients" && timeout 120 npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1 && touch node_modules/.package-lock.json) ||
		skip 'npm cannot fetch amqplib and axios'
fi
cp "$T"/clients/*.mjs "$clients/"

test_expect_success 'a stack with the API' '
	stack_up --api --senders 2 --tenants 1 --accounts 1 --rate 2000 --sandbox-args "--rate 0 --pair off --delay 5-50" &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]" &&
	python3 -c "
import json
for i in range($count):
    print(json.dumps({\"id\": \"m%d\" % i, \"tenant_id\": \"t1\", \"to\": \"+49152%07d\" % i, \"type\": \"text\",
                      \"text\": {\"body\": \"Grüße %d \\u2713\" % i}, \"metadata\": {\"n\": i}}, ensure_ascii=i % 2 == 0))" >messages && [[ $(wc -l <messages) -eq $count ]]
'
test_expect_success "$count messages, each from all three at once" '
	key=$(key_of t1)
	node "$clients/amqp.mjs" "$AMQP_URL" "$TRASH/messages" >amqp.json & amqp=$!
	API_KEY=$key node "$clients/http.mjs" "$API_URL" "$TRASH/messages" >http.json & http=$!
	while read -r line; do
		KEY=$key api /v1/messages -H "Prefer: wait=30" --json "$line" || return 1
		echo
	done <messages >curl.ndjson
	wait $amqp && wait $http && cat amqp.json && wait_for "[[ \$(depth whatsapp.outbound) -eq 0 ]]"
'
# Each as "id wamid", in order.
of_object() { python3 -c 'import json, sys; [print(*row) for row in sorted(json.load(open(sys.argv[1])).items())]' "$1"; }
of_lines() { python3 -c 'import json, sys; [print(*row) for row in sorted((r["id"], r["wamid"]) for r in map(json.loads, filter(str.strip, open(sys.argv[1]))))]' "$1"; }
redis_dump() {
	redis --scan --pattern "wamd:m:*" | while read -r key; do redis hmget "$key" id w s | paste -sd" "; done | LC_ALL=C sort
}
test_expect_success 'amqplib, axios, curl and Redis agree on every one, and Graph was told of each once' '
	of_object amqp.json >a && of_object http.json | diff a - && of_lines curl.ndjson | diff a - && [[ $(wc -l <a) -eq $count ]] &&
	redis_dump >dump && grep -c " sent$" dump && sed "s/ sent$//" dump | diff a - &&
	sandbox_ledger | python3 -c "
import json, sys
print(*sorted(r[\"wamid\"] for r in map(json.loads, sys.stdin) if r[\"accepted\"]), sep=\"\n\")" >graph && cut -d" " -f2 a | LC_ALL=C sort | diff - graph
'
test_expect_success 'and on what was said: every text came to Graph as it was written' '
	sandbox_ledger | python3 -c "
import json, sys
want = {(m[\"to\"].lstrip(\"+\"), m[\"text\"][\"body\"]) for m in map(json.loads, open(\"messages\"))}
seen = {(r[\"to\"].lstrip(\"+\"), r[\"body\"][\"text\"][\"body\"]) for r in map(json.loads, sys.stdin)}
assert seen == want, seen ^ want"
'
test_done
