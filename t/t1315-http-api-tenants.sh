#!/usr/bin/env bash
# The HTTP API with a tenant service: whose key it is is found out when the first request comes, and known while the service is away.
. "$(dirname "$0")/lib.sh"

expect_log 'warn keeper\[0\] tenants_away|alert kind=tenants_away state=raised'
status() { api "/v1/accounts" -o answer -w '%{http_code}\n' "$@"; }
is() { [[ $(status) -eq $1 ]]; }

test_expect_success 'a key that the tenant service has' '
	stack_up --api --senders 1 --tenants 3 --tenant-service wamd --sandbox-args "--rate 0 --pair off" --set tenant_service.ttl=300ms --set tenant_service.unknown_ttl=300ms --set tenant_service.timeout=1s &&
	is 200 && test_grep "t1-a1" answer && ! grep t2 answer && TENANT=t2 is 200 && test_grep "t2-a1" answer
'
test_expect_success 'a tenant that it does not know, a key that it does not have: 401' '
	KEY=wk.nobody.$(printf "a%.0s" {1..43}) is 401 && KEY=wk.t1.$(printf "a%.0s" {1..43}) is 401 && KEY=wk.t1.$(key_of t2 | cut -d. -f3) is 401
'
test_expect_success 'a message through it is sent' '
	api /v1/messages -H "Prefer: wait=20" --json "{\"account_id\":\"t1-a1\",\"to\":\"+4915200000001\",\"type\":\"text\",\"text\":{\"body\":\"served\"}}" | grep wamid
'
test_expect_success 'another key, with scopes, in place of the old one' '
	new=$(wamctl -K t1 | head -n 1) && sha=$(printf %s "$new" | sha256sum | cut -c1-64) &&
	sandbox_curl tenants/t1 -X PATCH --json "{\"api_keys_sha256\":[],\"api_keys\":[{\"id\":\"new\",\"sha256\":\"$sha\",\"scopes\":[\"read\"]}]}" &&
	wait_for "KEY=$new is 200" && is 401 && [[ $(KEY=$new api /v1/messages --json "{}" -o /dev/null -w "%{http_code}") -eq 403 ]]
'
test_expect_success 'while the service is away those that are known are served, and of the others nobody can tell' '
	stop=$SANDBOX_PID && kill -STOP "$stop" && TENANT=t2 is 200 && wait_for "TENANT=t3 is 503" && test_grep tenants_away answer && TENANT=t2 is 200; rc=$?
	kill -CONT "$stop"; [[ $rc -eq 0 ]] && wait_for "TENANT=t3 is 200"
'
test_expect_success 'the process that strangers speak to was told no token' '
	[[ $(id -u) -ne 0 || $WAMD_BUILD == */san ]] || {
		pid=$(wamctl -j status | python3 -c "import json, sys; print(next(p[\"pid\"] for p in json.load(sys.stdin)[\"processes\"] if p[\"role\"] == \"api\"))") &&
		python3 - "$pid" "$DIR/accounts.json" <<-"PY"
		import json, sys
		secrets = {a[k].encode() for a in json.load(open(sys.argv[2])) for k in ("access_token", "app_secret")}
		with open("/proc/%s/mem" % sys.argv[1], "rb", 0) as mem:
		    for line in open("/proc/%s/maps" % sys.argv[1]):
		        start, end = (int(x, 16) for x in line.split()[0].split("-"))
		        if "rw" not in line.split()[1]: continue
		        try: mem.seek(start); data = mem.read(end - start)
		        except OSError: continue
		        assert not [s for s in secrets if s in data], line
		PY
	}
'
test_done
