#!/usr/bin/env bash
# Tenants come, change and go while messages flow: from files by SIGHUP, from the tenant service with two hosts and one refresh.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(limit_approaching|limit_queueing|token_refresh|held|token_bad) state=raised'
expect_log 'token_refresh |token_bad|tenants_away|alert kind=tenants_away'
calls() { sandbox_stats | python3 -c "import json, sys; print(json.load(sys.stdin)['calls']['$1'])"; }
dead() { wamctl -j dlq list --reason "$1" --limit 1000 | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["letters"]))'; }
# Both hosts write the same log.  The other host's senders may each meet the end of the old token once, before they have the new one.
refused() { grep -cE "settled .*account=$1 .*code=190" "$DIR/wamd.log" || :; }
reload() { wamctl reload >/dev/null && wait_for "wamctl status >/dev/null" 10; }

test_expect_success 'five tenants in files, one of them not there yet' '
	stack_up --senders 2 --tenants 5 --accounts 2 --sandbox-args "--rate 0 --pair off" --set hold.first=1s &&
	mkdir "$DIR/aside" && mv "$DIR/tenants.d/t5.conf" "$DIR/aside/" && reload
'
test_expect_success 'six reloads add, change, suspend and remove some while messages flow; none is lost' '
	{ feed --count 2000 --rate 200 --prefix flow & } && feeder=$! &&
	wait_for "[[ \$(sandbox_ledger | wc -l) -gt 100 ]]" && cp "$DIR/aside/t5.conf" "$DIR/tenants.d/" && reload &&
	sed -i "s/rate = 80;/rate = 40;/" "$DIR/tenants.d/t1.conf" && reload &&
	sed -i "s/^\tid = .t2.;/&\n\tsuspended = true;/" "$DIR/tenants.d/t2.conf" && reload &&
	mv "$DIR/tenants.d/t3.conf" "$DIR/aside/" && reload && sed -i "/suspended/d" "$DIR/tenants.d/t2.conf" && reload &&
	sed -i "s/rate = 40;/rate = 80;/" "$DIR/tenants.d/t1.conf" && reload &&
	wait $feeder && wait_for at_rest 60
'
test_expect_success 'what came for a tenant that was not there ended as unknown_tenant, all else was sent' '
	wamctl dlq list --limit 1000 | awk "NR > 1 { print \$2, \$5 }" | sort | uniq -c | tee dead &&
	[[ $(awk "{ print \$3 }" dead | sort -u) == unknown_tenant && $(awk "{ print \$2 }" dead | sort | tr "\n" " ") == "t3 t5 " ]]
'
test_expect_success 'from the tenant service, two hosts: a token that ends soon is exchanged once in the fleet, and stored' '
	stack down && DIR=$DIR-2 && stack_up --no-wamd --senders 2 --tenants 2 --accounts 1 --tenant-service wamd --sandbox-args "--rate 0 --pair off --token-life 3600" \
		--set token.check=1s --set token.look=400ms --set job.retry_min=100ms --set job.retry_max=300ms &&
	sandbox_curl tokens --json "{\"account\":\"t1-a1\",\"expires_in\":8}" && stack start-wamd && stack start-host2 &&
	feed --count 1500 --rate 100 --prefix both --account t1-a1 && wait_for at_rest && grep token_refreshed "$DIR/wamd.log" &&
	[[ $(calls exchange_token) -eq 1 && $(calls tenant_token) -eq 1 && $(refused t1-a1) -le 2 ]] &&
	! grep "held a:t1" "$DIR/wamd.log"
'
test_expect_success 'a token that cannot be stored is used nevertheless; stored when the service takes it; its older word does not come back' '
	graph_faults "[{\"match\":{\"route\":\"tenant_token\"},\"fault\":\"html\",\"http\":503}]" >/dev/null &&
	sandbox_curl tokens --json "{\"account\":\"t2-a1\",\"expires_in\":16}" && feed --count 1700 --rate 100 --prefix unstored --account t2-a1 &&
	wait_for "grep -q \"alert kind=token_refresh state=raised .*tenant=t2\" \"$DIR/wamd.log\"" &&
	wamctl tenant refresh --tenant t2 && reload && feed --count 100 --rate 100 --prefix kept --account t2-a1 && wait_for at_rest && [[ $(refused t2-a1) -le 4 ]] && ! grep "held a:t2" "$DIR/wamd.log" &&
	sandbox_curl faults -X DELETE && wait_for "grep -q \"alert kind=token_refresh state=resolved .*tenant=t2\" \"$DIR/wamd.log\"" &&
	stack stop-host2 && log_keeps_secrets
'
test_expect_success 'the second shape of a tenant service: credentials and number' '
	stack down && DIR=$DIR-3 && stack_up --senders 2 --tenants 3 --accounts 1 --tenant-service credentials --sandbox-args "--rate 0 --pair off" &&
	python3 -c "
import json
for a in json.load(open(\"$DIR/accounts.json\")):
    for i in range(20):
        id = a[\"tenant_id\"] + \"-%d\" % i
        print(json.dumps({\"body\": {\"id\": id, \"tenant_id\": a[\"tenant_id\"], \"account_id\": a[\"phone_number_id\"], \"to\": \"+4915200000%03d\" % i, \"type\": \"text\", \"text\": {\"body\": \"hello \" + id}}}))" | publish &&
	wait_for at_rest && wamctl tenant show t1 && [[ $(calls tenant_credentials) -eq 3 ]]
'
test_done
