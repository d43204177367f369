#!/usr/bin/env bash
# The life of tokens: checked in the background, exchanged before they end, rotated, bad; nothing is lost and no attempt is used.
. "$(dirname "$0")/lib.sh"

expect_log 'token_bad'
expect_log 'alert kind=(token_bad|token_expiring|held|limit_approaching|limit_queueing|token_refresh) state=raised'
order() { sandbox_curl tokens --json "$1" >/dev/null; }
result_of() {	# JOB ACCOUNT
	wamctl -j job list | python3 -c "import json, sys
for j in json.load(sys.stdin)['jobs']:
    if j['job'] == '$1' and j['account_id'] == '$2': print(j['result'], j.get('words', ''))"
}
refused() { sandbox_ledger | grep -c '"code": *190' || :; }
shown() { wamctl -j tenant show "${1%-*}" | python3 -c "import json, sys
print([a.get('token_expires_at', '-') for a in json.load(sys.stdin)['accounts'] if a['account_id'] == '$1'][0])"; }

test_expect_success 'a start with a bad token among good ones: all else is sent at once, the account is held, people are told' '
	stack_up --no-wamd --tenants 3 --accounts 1 --sandbox-args "--token-life 8" --set token.check=500ms --set token.look=300ms \
		--set job.retry_min=100ms --set job.retry_max=500ms --set hold.first=2s --set hold.max=2s &&
	order "{\"account\":\"t3-a1\",\"state\":\"revoked\"}" && stack start-wamd &&
	feed --count 100 --prefix start --account t1-a1 --account t2-a1 && wait_for "[[ \$(accepted) -eq 100 ]]" &&
	wait_for "grep -q \"alert kind=token_bad state=raised .*tenant=t3\" \"$DIR/wamd.log\"" && wait_for "wamctl hold list | grep t3-a1" &&
	wait_for "result_of token_check t1-a1 | grep \"^ok good\"" && wamctl job list && ! wamctl token check t3 t3-a1
'
test_expect_success 'its messages wait; a new token in its file is found, and they are sent, none with a used-up attempt' '
	feed --count 40 --prefix waits --account t3-a1 && order "{\"account\":\"t3-a1\",\"new_token\":\"EAAnew3x0123456789\"}" &&
	echo EAAnew3x0123456789 >"$DIR/secrets/t3-a1.token" && wait_for at_rest 40 &&
	wait_for "grep -q \"alert kind=token_bad state=resolved .*tenant=t3\" \"$DIR/wamd.log\"" && ! wamctl hold list | grep t3-a1 &&
	[[ $(depth whatsapp.outbound.dlq) -eq 0 ]]
'
test_expect_success 'a token ends in 6 seconds while messages flow: exchanged before, nobody notices' '
	before=$(refused) && order "{\"account\":\"t1-a1\",\"expires_in\":6}" && touch "$DIR/secrets/t1-a1.token" &&
	feed --count 800 --rate 60 --prefix flow --account t1-a1 && wait_for at_rest && [[ $(refused) -eq $before ]] &&
	test_grep "token_refreshed tenant=t1" "$DIR/wamd.log" && [[ $(wc -w <"$DIR/state/tokens/t1/t1-a1") -eq 3 ]] &&
	[[ $(stat -c %a "$DIR/state/tokens/t1/t1-a1") == 600 ]] && wamctl job list --tenant t1
'
test_expect_success 'after a restart the refreshed token is used, not the configured one, which has ended' '
	stack stop-wamd && stack start-wamd && before=$(refused) && feed --count 50 --prefix again --account t1-a1 && wait_for at_rest &&
	[[ $(refused) -eq $before ]]
'
test_expect_success 'a token that ends and cannot be exchanged: people are told days before' '
	sed -i "/app_secret_file/d; s/rate = 80;/rate = 80;\n\t\t\ttoken_expires_at = \"$(date -u -d "+60 hours" +%Y-%m-%dT%H:%M:%SZ)\";/" "$DIR/tenants.d/t2.conf" &&
	wamctl reload && wait_for "grep -q \"alert kind=token_expiring state=raised .*tenant=t2 .*what=3d\" \"$DIR/wamd.log\"" &&
	shown t2-a1
'
test_expect_success 'it stops while Graph is asked about a token' '
	graph_faults "{\"fault\":\"hang\",\"match\":{\"route\":\"debug_token\"}}" >/dev/null &&
	wait_for "sandbox_curl faults | grep \"hits.:[1-9]\"" && stack stop-wamd && graph_reset >/dev/null && ! grep -a Sanitizer "$DIR/wamd.out"
'
test_expect_success 'no token is in Redis or in the log' '
	for secret in $(python3 -c "import json
for a in json.load(open(\"$DIR/accounts.json\")): print(a[\"access_token\"], a[\"app_secret\"])") EAAnew3x0123456789 $(cut -d" " -f1 "$DIR/state/tokens/t1/t1-a1"); do
		! grep -rlq -- "$secret" "$DIR/wamd.log" "$DIR/wamd.out" "$DIR/redis" "$DIR/redis.log" || { echo "a secret is in a log or in Redis"; return 1; }
	done
'
test_done
