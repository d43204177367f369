#!/usr/bin/env bash
# Tenants from a tenant service: asked for once, kept while it is away, changed and removed under load; tokens rotated in mid-run.
. "$(dirname "$0")/lib.sh"

expect_log 'wamd tenants_away|keeper.* tenants_away|alert kind=tenants_away state=raised'
expect_log 'alert kind=(limit_approaching|limit_queueing) state=raised'
expect_log 'tenant_unreadable'
expect_log 'child_died'
calls() { sandbox_curl tenants/calls | python3 -c "import json, sys; print(json.load(sys.stdin).get('$1', 0))"; }
fault() { graph_faults "[{\"match\":{\"route\":\"tenant\"},$1}]"; }
# Bodies for a tenant that the accounts file does not know.
messages_for() {	# TENANT COUNT PREFIX
	python3 -c "
import json
for i in range($2):
    print(json.dumps({'body': {'id': f'$3-{i}', 'tenant_id': '$1', 'to': '+4915200000%03d' % i, 'type': 'text', 'text': {'body': f'hello $3-{i}'}}}))"
}

test_expect_success 'six tenants from the tenant service, none of them in a file' '
	stack_up --senders 3 --tenants 6 --accounts 2 --tenant-service wamd --set tenant_service.unknown_ttl=500ms \
		--set tenant_service.retry_max=300ms --set tenant_service.timeout=700ms --set retry.wait="[\"1s\",\"2s\"]" &&
	[[ $(ls "$DIR/tenants.d" | wc -l) -eq 0 && $(calls t1) -eq 0 ]]
'
test_expect_success 'three senders miss a tenant at once: it is asked for once' '
	feed --count 300 --prefix first --account t1-a1 --account t1-a2 --account t2-a1 && wait_for "at_rest" &&
	[[ $(calls t1) -eq 1 && $(calls t2) -eq 1 && $(calls t3) -eq 0 ]] && wamctl tenant list && wamctl tenant show t1
'
test_expect_success 'a tenant that it does not know is dead-lettered, one that comes later is served' '
	messages_for nobody 3 lost | publish && wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 3 ]]" &&
	wamctl dlq list --reason unknown_tenant && [[ $(calls nobody) -le 2 ]]
'
test_expect_success 'the service is away: known tenants go on, unknown ones wait' '
	fault "\"fault\":\"error\",\"http\":503,\"code\":2" &&
	feed --count 200 --prefix known --account t1-a1 --account t2-a1 && before=$(accepted) &&
	feed --count 100 --prefix unknown --account t3-a1 --account t4-a1 &&
	wait_for "[[ \$(total tenant_waits) -ge 100 ]]" && wait_for "[[ \$(accepted) -ge $((before)) ]]" &&
	! sandbox_ledger | grep -q "unknown-" && wait_for "[[ \$(accepted) -eq 500 ]]" && wamctl tenant list | head -n 1 &&
	wamctl dlq list --tenant nobody-knows && ! wamctl tenant show nobody-knows 2>err && test_grep tenants_away err
'
test_expect_success 'it comes back: those who waited are sent, once, no attempt used' '
	sandbox_curl faults -X DELETE && wait_for at_rest 60 && [[ $(accepted) -eq 600 ]] &&
	test_grep "alert kind=tenants_away state=resolved" "$DIR/wamd.log"
'
for how in '"fault":"hang"' '"fault":"html","http":200' '"fault":"cut_request","after":10' '"fault":"drip","bytes_per_s":5'; do
	test_expect_success "the service $how while its answers are no longer fresh: known tenants go on" '
		wamctl tenant refresh && fault "$how" && n=$(accepted) &&
		feed --count 100 --prefix "stale$RANDOM" --account t1-a1 --account t2-a2 && wait_for "[[ \$(accepted) -eq $((n + 100)) ]]" 10 &&
		sandbox_curl faults -X DELETE && wait_for at_rest
	'
done
test_expect_success 'a reload while the service is away: the next keeper knows what the last one knew' '
	fault "\"fault\":\"html\",\"http\":503" && wamctl reload && n=$(accepted) &&
	feed --count 100 --prefix reloaded --account t1-a1 --account t2-a2 && wait_for "[[ \$(accepted) -eq $((n + 100)) ]]" 20 &&
	sandbox_curl faults -X DELETE && wait_for at_rest
'
test_expect_success 'answers that are the same cost no document: 304' '
	wamctl tenant refresh && feed --count 60 --prefix same --account t1-a1 && wait_for at_rest && wait_for "[[ \$(calls t1) -ge 3 ]]"
'
senders_know() {
	wamctl -j status | python3 -c "import json, sys
s = json.load(sys.stdin)
sys.exit(any(p['gauges']['tenants_seen'] != s['tenants_changed'] for p in s['processes'] if p['role'] == 'sender'))"
}
status_of_t2() { sandbox_curl tenants/t2 -X PATCH --json "{\"status\":\"$1\"}" && wamctl tenant refresh --tenant t2 && wamctl tenant show t2 | grep "$1" && wait_for senders_know; }
test_expect_success 'a tenant is suspended: its messages wait; active again: they go' '
	status_of_t2 suspended && feed --count 50 --prefix paused --account t2-a1 && wait_for "[[ \$(total laned) -ge 50 ]]" &&
	n=$(accepted) && feed --count 50 --prefix other --account t1-a1 && wait_for "[[ \$(accepted) -eq $((n + 50)) ]]" &&
	! sandbox_ledger | grep -q paused- && status_of_t2 active && wait_for at_rest 40 && [[ $(sandbox_ledger | grep -c paused-) -ge 50 ]]
'
test_expect_success 'a feature that is switched off for a tenant: feature_disabled' '
	sandbox_curl tenants/t5 -X PATCH --json "{\"features\":{\"text\":false}}" && feed --count 3 --prefix off --account t5-a1 &&
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 6 ]]" && wamctl dlq list --reason feature_disabled
'
test_expect_success 'an account is taken away, another one comes: no message is lost' '
	feed --count 200 --rate 400 --prefix gone --account t2-a2 &
	sandbox_curl tenants/t2/accounts/t2-a2 -X DELETE && wamctl tenant refresh --tenant t2 && wait $! && feeds=$((feeds + 1)) &&
	wait_for at_rest && wamctl dlq list --reason unknown_account --limit 2
'
test_expect_success 'a token is rotated, the old one revoked: one 190 for each sender, nothing held, no attempt used' '
	sandbox_curl tokens --json "{\"account\":\"t1-a1\",\"state\":\"revoked\",\"new_token\":\"EAArotated123456789\"}" &&
	sandbox_curl tenants/t1 -X PATCH --json "{\"accounts\":[{\"account_id\":\"t1-a1\",\"access_token\":\"EAArotated123456789\"}]}" &&
	feed --count 200 --prefix rotated --account t1-a1 && wait_for at_rest && ! wamctl hold list | grep t1-a1 &&
	[[ $(total token_again) -ge 1 ]] && ! grep "alert kind=held" "$DIR/wamd.log"
'
test_expect_success 'the keeper is killed: known tenants go on, unknown ones are served by the next keeper' '
	pid=$(wamctl -j status | python3 -c "import json, sys; print(next(p[\"pid\"] for p in json.load(sys.stdin)[\"processes\"] if p[\"role\"] == \"keeper\"))") &&
	kill -STOP "$pid" && n=$(accepted) && feed --count 50 --prefix alone --account t1-a1 && wait_for "[[ \$(accepted) -eq $((n + 50)) ]]" &&
	feed --count 50 --prefix later --account t6-a1 && kill -KILL "$pid" && wait_for "[[ \$(accepted) -eq $((n + 100)) ]]" 30 && wait_for at_rest
'
test_done
