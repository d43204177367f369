#!/usr/bin/env bash
# The HTTP API: messages come in, once for each Idempotency-Key; what cannot be queued is said, and nobody sees another tenant's things.
. "$(dirname "$0")/lib.sh"

expect_log 'warn wamd child_died'
expect_log 'alert kind=(held|limit_approaching|limit_queueing) state=raised'
expect_log 'warn sender\[[01]\] (amqp|redis)_down'
# text ID TO TEXT: a message as JSON; ID may be empty.
text() { printf '{%s"to":"%s","type":"text","text":{"body":"%s"}}' "${1:+\"id\":\"$1\",}" "$2" "$3"; }
# answers STATUS PATH [CURL OPTION...]: the answer is in "answer", its head in "head".
answers() {
	local want=$1 path=$2 got
	shift 2
	got=$(api "$path" -D head -o answer -w '%{http_code}' "$@") || return 1
	[[ $got == "$want" ]] || { echo "$path: status $got, not $want"; cat head answer; return 1; }
}
posts() { answers "$1" /v1/messages --json "$2" "${@:3}"; }
# is MEMBER VALUE: of the last answer.
is() {
	python3 - "$@" <<-'PY'
	import json, sys
	v = json.load(open("answer"))
	for part in sys.argv[1].split("."): v = v[int(part)] if part.isdigit() else v[part]
	print(sys.argv[1], "=", v)
	sys.exit(str(v) != sys.argv[2])
	PY
}
member() { python3 -c 'import json, sys; print(json.load(open("answer"))[sys.argv[1]])' "$1"; }
to_graph() { sandbox_ledger | grep -c "\"body\":\"$1\""; }		# POSTs with this text
letters_are() { [[ $(depth whatsapp.outbound.dlq) -eq $1 ]]; }
state_is() { answers 200 "/v1/messages/$1" && is state "$2"; }

test_expect_success 'a stack with the API; it is alive and ready' '
	stack_up --own-broker --api --senders 2 --tenants 2 --rate 1000 --sandbox-args "--rate 0 --pair off" --set "retry.wait=[\"300ms\",\"1s\",\"4s\"]" &&
	answers 200 /healthz && wait_for "answers 200 /readyz" && is status ready && wait_for "wamctl status | grep \"api\[0\] .* ready\""
'
test_expect_success 'a message is queued, sent, and can be asked about' '
	posts 202 "$(text "" +4915200000001 one)" -H "Correlation-Id: corr-1" -H "Request-Id: req-1" && is status queued && id=$(member id) &&
	test_grep "^Request-Id: req-1" head && test_grep "^Correlation-Id: corr-1" head &&
	wait_for "state_is $id sent" && is wamid "$(member wamid)" && is history.0.outcome sent && [[ $(to_graph one) -eq 1 ]] &&
	load peek --queue t.events | grep "\"correlation_id\": *\"corr-1\"" | grep -q accepted
'
test_expect_success 'with Prefer: wait the WAMID is in the answer; without it in time, 202' '
	posts 200 "$(text w1 +4915200000001 waited)" -H "Prefer: wait=20" && is status sent && is id w1 && test_grep wamid answer &&
	wamctl account hold t1 t1-a2 --reason test && posts 202 "{\"account_id\":\"t1-a2\",$(text w2 +4915200000001 held | cut -c2-)" -H "Prefer: wait=1" &&
	is status queued && state_is w2 queued
'
test_expect_success 'what is queued can be taken back, and is never sent; what is sent cannot' '
	answers 200 /v1/messages/w2/cancel -X POST && is status cancelled && answers 200 /v1/messages/w2/cancel -X POST && state_is w2 cancelled &&
	wamctl message why t1 w2 | grep "taken back" && wamctl account release t1 t1-a2 && wait_for "letters_are 1" && state_is w2 dead && is reason cancelled &&
	[[ $(to_graph held) -eq 0 ]] && wamctl dlq list --reason cancelled | grep w2 && wamctl dlq drop --id w2 &&
	answers 409 /v1/messages/w1/cancel -X POST && is code too_late && answers 404 /v1/messages/none/cancel -X POST
'
test_expect_success 'an operator takes back, too, in the same words' '
	wamctl account hold t1 t1-a2 --reason test && posts 202 "{\"account_id\":\"t1-a2\",$(text w3 +4915200000001 unwanted | cut -c2-)" && state_is w3 queued &&
	wamctl message cancel t1 w3 >out && test_grep "^w3: taken back" out && wamctl message show t1 w3 | grep "^state  *cancelled" &&
	wamctl account release t1 t1-a2 && wait_for "letters_are 1" && state_is w3 dead && wamctl dlq drop --id w3 &&
	! wamctl message cancel t1 w1 2>err && test_grep "too_late: it is sent" err && ! wamctl message cancel t1 none 2>err && test_grep "no_record" err
'
test_expect_success 'what waits for a retry can be taken back, too' '
	graph_faults "{\"fault\":\"error\",\"http\":500,\"code\":131000,\"match\":{\"to\":\"+4915200000009\"}}" && posts 202 "$(text r1 +4915200000009 fails)" &&
	wait_for "state_is r1 retry" && answers 200 /v1/messages/r1/cancel -X POST && graph_reset && wait_for "letters_are 1" 40 && state_is r1 dead &&
	is reason cancelled && wamctl dlq drop --id r1
'
test_expect_success 'a list of messages: each has its result, in order' '
	posts 202 "[$(text b1 +4915200000002 b1),{\"to\":\"12\"},$(text b2 +4915200000002 b2),7]" && is queued 2 && is refused 2 && is results.0.id b1 &&
	is results.0.status queued && is results.1.code bad_recipient && is results.2.id b2 && is results.3.code bad_field &&
	wait_for "state_is b1 sent" && wait_for "state_is b2 sent" &&
	python3 -c "import json; print(json.dumps({\"messages\": [{\"to\": \"+49152%08d\" % i, \"type\": \"text\", \"text\": {\"body\": \"thousand\"}} for i in range(1000)]}))" >many &&
	posts 202 @many && is queued 1000 && wait_for "[[ \$(to_graph thousand) -eq 1000 ]]" &&
	python3 -c "import json; print(json.dumps([{} for i in range(1001)]))" >more && posts 422 @more && posts 422 "[]"
'
loads() { "$WAMD_BUILD/wamd-load" post --to "$API_URL/v1/messages" --accounts "${2-$DIR/accounts.json}" --count "$1" "${@:3}" >report; }
good() { test_grep "\"good\": $1," report; }
test_expect_success 'a load: texts from all accounts in turn, each with its key; errors and slow answers are told by the exit status' '
	loads 40 "$DIR/accounts.json" --rate 400 --prefix loaded --out loaded.ndjson --p95 10s && good 40 && [[ $(wc -l <loaded.ndjson) -eq 40 ]] &&
	[[ $(grep -c "\"account_id\":\"t2-a1\"" loaded.ndjson) -eq 10 ]] && wait_for "[[ \$(sandbox_ledger | grep -c \"message loaded-\") -eq 40 ]]" &&
	sed "s/wk\.t1\.[^\"]*/wk.t1.wrong/" "$DIR/accounts.json" >wrong.json && { loads 4 "$PWD/wrong.json" --prefix wrong; [[ $? -eq 65 ]]; } && good 2 &&
	loads 4 "$PWD/wrong.json" --prefix wrong2 --may-fail 2 && { loads 100 "$DIR/accounts.json" --rate 100000 --connections 1 --p95 1ms; [[ $? -eq 65 ]]; } && good 100
'
test_expect_success 'the second envelope' '
	second="{\"metadata\":{\"internalId\":\"s1\",\"phoneNumberId\":\"$(number_of t1-a1)\"},\"wabaPayload\":{\"messaging_product\":\"whatsapp\",\"to\":\"4915200000003\",\"type\":\"text\",\"text\":{\"body\":\"second\"}}}" &&
	answers 202 /whatsapp/send --json "$second" && is id s1 && wait_for "state_is s1 sent" && [[ $(to_graph second) -eq 1 ]] &&
	answers 422 /whatsapp/send --json "$(text x +4915200000003 x)" && answers 403 /whatsapp/send --json "${second/\"internalId\"/\"tenantId\":\"t2\",\"internalId\"}" && is code other_tenant
'
# refused STATUS CODE BODY [FIELD]
refused() { posts "$1" "$3" && is code "$2" && test_grep "^Content-Type: application/problem.json" head && is status "$1" && { [[ -z ${4-} ]] || is errors.0.field "$4"; }; }
test_expect_success 'what cannot be sent is refused, with a code and the field' '
	refused 400 not_json "{" && refused 400 not_json "" && refused 400 duplicate_key "{\"to\":1,\"to\":2}" &&
	refused 400 too_deep "$(printf "[%.0s" {1..40})" && refused 422 bad_recipient "$(text x 0 x)" to && refused 422 bad_field "{\"to\":\"+4915200000001\"}" type &&
	refused 422 text_empty "$(text x +4915200000001 "")" text.body && refused 422 unknown_account "{\"account_id\":\"t2-a1\",$(text x +4915200000001 x | cut -c2-)" account_id &&
	refused 422 bad_field "{\"priority\":11,$(text x +4915200000001 x | cut -c2-)" priority && refused 403 other_tenant "{\"tenant_id\":\"t2\",$(text x +4915200000001 x | cut -c2-)" tenant_id &&
	refused 413 too_large "$(text x +4915200000001 "$(head -c 120000 /dev/zero | tr "\0" x)")" 2>/dev/null; answers 415 /v1/messages -H "Content-Type: text/plain" -d x &&
	answers 404 /v1/nothing && answers 405 /v1/messages -X DELETE && answers 400 /v1/messages --json "$(text x +4915200000001 x)" -H "Idempotency-Key;" &&
	head -c 9000000 /dev/zero >large && [[ $(api /v1/messages --json @large -o /dev/null -w "%{http_code}") -eq 413 ]] && letters_are 0
'
test_expect_success 'no key, a wrong one, one of an unknown tenant: the same answer, and nothing else is said' '
	KEY=nonsense answers 401 /v1/messages/w1 && cut -d, -f1-5 answer >first && KEY=wk.t1.$(printf "a%.0s" {1..43}) answers 401 /v1/messages/w1 && cut -d, -f1-5 answer >second &&
	KEY=wk.nobody.$(printf "a%.0s" {1..43}) answers 401 /v1/messages/w1 && cut -d, -f1-5 answer >third && cmp first second && cmp first third &&
	test_grep "^WWW-Authenticate: Bearer" head && [[ $(curl -sS -o /dev/null -w "%{http_code}" "$API_URL/v1/messages/w1") -eq 401 ]] &&
	KEY=wk.t2.$(key_of t1 | cut -d. -f3) answers 401 /v1/messages/w1
'
test_expect_success 'the id of another tenant is none' '
	TENANT=t2 answers 404 /v1/messages/w1 && is code no_message && TENANT=t2 answers 404 /v1/messages/w1/cancel -X POST && TENANT=t2 posts 202 "$(text w1 +4915200000001 other)" &&
	TENANT=t2 wait_for "TENANT=t2 state_is w1 sent" && is tenant_id t2 && state_is w1 sent && is tenant_id t1
'
test_expect_success 'accounts and templates: its own, whatever the query says' '
	answers 200 "/v1/accounts?tenant=t2" && is accounts.0.account_id t1-a1 && is accounts.1.tenant_id t1 && [[ $(grep -o account_id answer | wc -l) -eq 2 ]] &&
	answers 200 /v1/accounts/t1-a2 && is account_id t1-a2 && answers 200 /v1/accounts/t1-a2/limits && is rate 1000 && answers 200 "/v1/accounts/$(number_of t1-a1)" &&
	answers 404 /v1/accounts/t2-a1 && is code unknown_account && answers 404 "/v1/accounts/$(number_of t2-a1)/limits" && answers 404 "/v1/accounts/x?account=t1-a1&tenant=t2" &&
	answers 200 /v1/templates && is account_id t1-a1 && answers 200 "/v1/templates?account=t1-a2&tenant=t2" && is tenant_id t1 && answers 404 "/v1/templates?account=t2-a1" &&
	answers 404 /v1/templates/nope && is code template_unknown && answers 404 /v1/templates/nope/preview --json "{}" && ! grep -E "EAA|secret" answer
'
test_expect_success 'wamctl -K makes a key, which is good once its digest is in the tenant'"'"'s file' '
	wamctl -K t2 >new && [[ $(head -n 1 new) == wk.t2.* && $(wc -l <new) -eq 2 ]] && KEY=$(head -n 1 new) answers 401 /v1/accounts &&
	sed -i "s|^.api_keys = .*|&|; s|\(api_keys = ( .*\) );|\1, $(sed -n "2s/api_keys = ( \(.*\) );/\1/p" new) );|" "$DIR/tenants.d/t2.conf" && wamctl reload &&
	wait_for "KEY=$(head -n 1 new) answers 200 /v1/accounts" && is accounts.0.tenant_id t2 && TENANT=t2 answers 200 /v1/accounts && ! wamctl -K "a b"
'
test_expect_success 'a key may be for reading only, may end, and may follow another without a pause' '
	sha() { printf %s "$1" | sha256sum | cut -c1-64; } && reader=wk.t1.$(printf "r%.0s" {1..43}) ended=wk.t1.$(printf "e%.0s" {1..43}) &&
	sed -i "s|\(api_keys = ( .*\) );|\1, { id = \"reader\"; sha256 = \"$(sha "$reader")\"; scopes = [ \"read\" ]; }, { id = \"ended\"; sha256 = \"$(sha "$ended")\"; expires = \"2020-01-01T00:00:00Z\"; } );|" "$DIR/tenants.d/t1.conf" &&
	wamctl reload && wait_for "KEY=$reader answers 200 /v1/messages/w1" && KEY=$reader posts 403 "$(text x +4915200000001 x)" && is code scope_missing && KEY=$ended answers 401 /v1/messages/w1 &&
	answers 200 /v1/messages/w1
'
keyed() { posts "$1" "$(text "" +4915200000004 "$3")" -H "Idempotency-Key: $2"; }
test_expect_success 'the same key gives the same answer, another body is refused' '
	keyed 202 key-1 idem && id=$(member id) && keyed 202 key-1 idem && is id "$id" && test_grep "^Idempotency-Replayed: true" head &&
	keyed 422 key-1 changed && is code idempotency_key_reused && TENANT=t2 keyed 202 key-1 idem && [[ $(member id) != "$id" ]] &&
	wait_for "[[ \$(to_graph idem) -eq 2 ]]" && posts 202 "[$(text "" +4915200000004 l1),$(text "" +4915200000004 l2)]" -H "Idempotency-Key: key-2" &&
	cp answer before && posts 202 "[$(text "" +4915200000004 l1),$(text "" +4915200000004 l2)]" -H "Idempotency-Key: key-2" && cmp answer before && wait_for "[[ \$(to_graph l2) -eq 1 ]]"
'
test_expect_success 'a hundred at once with one key: one message; the others hear the same, or that it is being done' '
	key=$(key_of t1) && seq 100 | xargs -P 100 -I{} curl -sS -o /dev/null -w "%{http_code}\n" -H "Authorization: Bearer $key" -H "Idempotency-Key: crowd" --json "$(text "" +4915200000005 crowd)" "$API_URL/v1/messages" >codes &&
	sort codes | uniq -c && [[ $(grep -c "^202$\|^409$" codes) -eq 100 ]] && grep -q "^202$" codes && keyed 422 crowd x && wait_for "[[ \$(to_graph crowd) -ge 1 ]]" &&
	wait_for "[[ \$(depth whatsapp.outbound) -eq 0 ]]" && [[ $(to_graph crowd) -eq 1 ]]
'
test_expect_success 'without Redis the same key still is one message' '
	keyed 202 key-3 redisless && stack kill-redis && wait_for "answers 503 /readyz" && is missing redis && keyed 202 key-4 lone && keyed 202 key-4 lone &&
	answers 503 /v1/messages/w1 && stack start-redis && wait_for "answers 200 /readyz" && wait_for "[[ \$(to_graph lone) -eq 1 ]]" && keyed 202 key-4 lone &&
	wait_for "[[ \$(depth whatsapp.outbound) -eq 0 ]]" && [[ $(to_graph lone) -eq 1 && $(to_graph redisless) -eq 1 ]]
'
test_expect_success 'without a broker nothing is taken: 503, and when; afterwards the same request is' '
	stack kill-broker && wait_for "answers 503 /readyz" && is missing broker && keyed 503 key-5 later && test_grep "^Retry-After: [0-9]" head &&
	posts 503 "[$(text "" +4915200000004 later2)]" && is code broker_away && stack start-broker && wait_for "answers 200 /readyz" 60 && keyed 202 key-5 later &&
	wait_for "[[ \$(to_graph later) -eq 1 ]]" && [[ $(to_graph later2) -eq 0 ]]
'
test_expect_success 'reloads under a stream of requests: none is refused, none lost' '
	key=$(key_of t1) && (umask 077; printf "header = \"Authorization: Bearer %s\"\nheader = \"Content-Type: application/json\"\n" "$key" >curlrc) &&
	before=$(to_graph stream || :) && : >codes && touch running && for w in 1 2 3 4; do
		(while [[ -e running ]]; do curl -sS -K curlrc -o /dev/null -w "%{http_code} %{errormsg}\n" -d "$(text "" "+491521$((RANDOM % 90000 + 10000))" stream)" "$API_URL/v1/messages"; done >"codes$w" 2>&1) &
	done; jobs -p >streams
	for i in 1 2 3 4; do
		want=$((i * 40)); wait_for "[[ \$(cat codes? | wc -l) -ge $want ]]" && wamctl reload || break
		wait_for "[[ \$(wamctl -j status | python3 -c \"import json, sys; print(sum(p[\\\"draining\\\"] for p in json.load(sys.stdin)[\\\"processes\\\"]))\") -eq 0 ]]" 60
	done; rm running; wait; cat codes? >codes; sort codes | uniq -c; wc -l <codes
	[[ $(grep -vc "^202 $" codes) -eq 0 && $(wc -l <codes) -ge 160 ]] && { wait_for "[[ \$(to_graph stream) -eq $(wc -l <codes) ]]" || { to_graph stream; depth whatsapp.outbound; wamctl status; wamctl lane list; wamctl hold list; return 1; }; }
'
# Only root may look into another's memory, and the process does not let its own user.
if [[ $(id -u) -eq 0 && $WAMD_BUILD != */san ]]; then
	# in_memory PID: which of the secrets are found there
	in_memory() {
		python3 - "$1" "$DIR/accounts.json" <<-'PY'
		import json, re, sys
		secrets = {a[k].encode() for a in json.load(open(sys.argv[2])) for k in ("access_token", "app_secret")}
		found = set()
		with open("/proc/%s/mem" % sys.argv[1], "rb", 0) as mem:
		    for line in open("/proc/%s/maps" % sys.argv[1]):
		        start, end = (int(x, 16) for x in line.split()[0].split("-"))
		        if "rw" not in line.split()[1]: continue
		        try: mem.seek(start); data = mem.read(end - start)
		        except OSError: continue
		        found |= {s for s in secrets if s in data}
		print(len(found))
		PY
	}
	pid_of() { wamctl -j status | python3 -c "import json, sys; print(next(p['pid'] for p in json.load(sys.stdin)['processes'] if p['role'] == '$1' and not p['draining']))"; }
	test_expect_success 'the process that strangers speak to has no token and no app secret in its memory' '
		[[ $(in_memory "$(pid_of keeper)") -eq 6 ]] && in_memory "$(pid_of api)" && [[ $(in_memory "$(pid_of api)") -eq 0 ]]
	'
fi
test_done
