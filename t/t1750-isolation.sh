#!/usr/bin/env bash
# One tenant's things are out of another's reach; and no secret is anywhere but in memory.
. "$(dirname "$0")/lib.sh"

expect_log 'tenant_unreadable|token_bad|alert kind=(token_bad|tenant_unreadable|limit_approaching|limit_queueing) state=raised'
# A message of a tenant with an id of its own choice.
message() {	# TENANT ACCOUNT ID TO
	echo "{\"body\":{\"id\":\"$3\",\"tenant_id\":\"$1\",\"account_id\":\"$2\",\"to\":\"$4\",\"type\":\"text\",\"text\":{\"body\":\"hello $1-$3\"}}}"
}

(umask 077; echo BEARERcanary0123456789 >bearer)
test_expect_success 'three tenants from the tenant service; two of them use the same message ids, the same recipient' '
	stack_up --senders 2 --tenants 3 --accounts 2 --tenant-service wamd --set tenant_service.bearer_file="$PWD/bearer" \
		--sandbox-args "--rate 0 --pair off --tenant-token $PWD/bearer" --set token.check=1s --set account.watch=1s \
		--set token.look=300ms --set job.retry_min=100ms --set job.retry_max=300ms &&
	for i in 1 2 3 4 5; do message t1 t1-a1 "same-$i" +4915200000001; message t2 t2-a1 "same-$i" +4915200000001; done | publish &&
	wait_for "[[ \$(sandbox_ledger | wc -l) -eq 10 ]]" && wait_for "[[ \$(depth t.events) -eq 10 ]]" &&
	[[ $(sandbox_ledger | grep -c "hello t1-same") -eq 5 && $(sandbox_ledger | grep -c "hello t2-same") -eq 5 ]] &&
	for t in t1 t2; do wamctl -j message why "$t" same-3; done | tee why && [[ $(sort -u why | wc -l) -gt 1 ]]
'
test_expect_success 'the account or the number of another tenant is unknown' '
	{ message t1 t2-a1 thief-1 +4915200000002; message t1 "$(fact t2-a1 phone_number_id)" thief-2 +4915200000002; } | publish &&
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 2 ]]" && wamctl dlq list --tenant t1 &&
	[[ $(wamctl -j dlq list --tenant t1 --reason unknown_account | python3 -c "import json, sys; print(len(json.load(sys.stdin)[\"letters\"]))") -eq 2 ]] &&
	! sandbox_ledger | grep thief
'
test_expect_success 'commands for a tenant find nothing of another' '
	for c in "limit show" "breaker show" "lane show" "account hold" "token check" "account phone"; do
		wamctl $c t1 t2-a1 >out 2>&1 && { echo "$c found it"; return 1; }
		test_grep unknown_account out || return 1
	done
	wamctl -j dlq list --tenant t2 | grep thief && return 1
	! wamctl message why t3 same-3
'
test_expect_success 'a number belongs to whoever has it: another tenant that claims it goes on without' '
	sandbox_curl tenants/t3 -X PATCH --json "{\"accounts\":[{\"account_id\":\"t3-a2\",\"phone_number_id\":\"$(fact t1-a1 phone_number_id)\"}]}" &&
	wamctl tenant refresh --tenant t3 && message t3 t3-a1 mine +4915200000003 | publish && wait_for "[[ \$(sandbox_ledger | grep -c t3-mine) -eq 1 ]]" &&
	message t3 t3-a2 stolen +4915200000003 | publish && wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 3 ]]" &&
	wait_for "grep -q \"alert kind=tenant_unreadable state=raised .*tenant=t3\" \"$DIR/wamd.log\"" && wamctl tenant show t3 && ! wamctl tenant show t3 | grep t3-a2
'
service_says() { curl -sS --fail-with-body --cacert "$DIR/tls/ca.pem" -H "Authorization: Bearer $(<bearer)" "$SANDBOX_URL/tenant-service/v1/tenants/$1"; }
token_at_service() { service_says t2 | python3 -c 'import json, sys; print(next(a["access_token"] for a in json.load(sys.stdin)["accounts"] if a["account_id"] == "t2-a1"))'; }
test_expect_success 'a token is refreshed, another one rotated after it was revoked; messages go with both' '
	! curl -sS --fail --cacert "$DIR/tls/ca.pem" "$SANDBOX_URL/tenant-service/v1/tenants/t2" 2>/dev/null &&
	old=$(token_at_service) && sandbox_curl tokens --json "{\"account\":\"t2-a1\",\"expires_in\":6}" >/dev/null && wamctl tenant refresh --tenant t2 &&
	wait_for "[[ \$(token_at_service) != $old ]]" && token_at_service >refreshed &&
	sandbox_curl tokens --json "{\"account\":\"t1-a2\",\"state\":\"revoked\",\"new_token\":\"EAArotatedcanary0123456789\"}" >/dev/null &&
	sandbox_curl tenants/t1 -X PATCH --json "{\"accounts\":[{\"account_id\":\"t1-a2\",\"access_token\":\"EAArotatedcanary0123456789\"}]}" >/dev/null &&
	{ message t2 t2-a1 after-refresh +4915200000004; message t1 t1-a2 after-rotation +4915200000004; } | publish &&
	wait_for "[[ \$(sandbox_ledger | grep -c \"hello t[12]-after-.*accepted.:true\\|accepted.:true.*hello t[12]-after-\") -eq 2 ]]" &&
	wamctl hold set t1 --account t1-a2 --reason canary && message t1 t1-a2 waits +4915200000005 | publish && wait_for "[[ \$(depth whatsapp.lane.$(fact t1-a2 phone_number_id)) -eq 1 ]]"
'
test_expect_success 'every key in Redis names the tenant, or the limit domain, that it is of' '
	redis --scan >keys && [[ $(grep -c . keys) -gt 30 ]] && sort keys | sed -E "s/[0-9a-f]{16,}/*/g; s/[0-9]{6,}/#/g" | sort -u && grep -vE "^wamd:([a-z]+:\{[^}]*t[123]([/}]|$)|p[nb]:\{[0-9]{15}\}$|ai:\{alerts\}$)" keys >strangers; [[ ! -s strangers ]]
'
test_expect_success 'and is of a kind that wamd-messages(7) tells of, whose parts are what it says' '
	python3 - "$WAMD_BUILD/man/wamd-messages.7" "$DIR/accounts.json" <<-"PY"
	import json, re, sys
	shape = {"domain": r"t[123]", "K": r"[0-9a-f]{32}", "tenant": r"t[123]", "message-key": r"[\w-]+", "wamid": r"wamid\.[\w=+/-]+",
	         "phone-number-id": r"\d{15}", "who": r"[\w=-]+", "app": r"(\d{15}|-)", "business-account": r"\d{15}", "job": r"[a-z_]+", "kind": r"[a-z_]+",
	         "account": r"[\w-]*", "what": r"[^}]*", "waba": r"\d{15}", "day": r"\d{8}", "sha256": r"[0-9a-f]{64}", "handle": r"m\.[\w-]{22}", "key": r"[0-9a-f]{32}"}
	kinds = {}
	for line in open(sys.argv[1]):
	    if line.startswith(".It Cm wamd:"):		# mdoc: the word behind Ar is a part, "Ns" and "Cm" are none
	        kind, words = "", iter(line.split()[2:])
	        for word in words:
	            kind += shape[next(words)] if word == "Ar" else "" if word in ("Ns", "Cm") else re.escape(word.replace("\\&", ""))
	        kinds[line.strip()] = re.compile(kind)
	owner = {a["phone_number_id"]: a["tenant_id"] for a in json.load(open(sys.argv[2]))}
	used = set()
	for key in open("keys").read().split():
	    fits = [text for text, kind in kinds.items() if kind.fullmatch(key)]
	    assert fits, key
	    used.update(fits)
	    if re.match("wamd:p[nb]:", key) or key == "wamd:ai:{alerts}":	# of a number, for those who do not know whose it is; of all
	        continue
	    domain = re.search(r"\{(?:[a-z_]+:)?(t[123])", key)[1]
	    for number in re.findall(r"(?<!\d)\d{15}(?!\d)", key):     # nobody else'"'"'s number is in it
	        assert owner.get(number, domain) == domain, key
	    rest = re.match(r"wamd:[ir]:\{t[123]\}:(?:t:)?(t[123])(:|$)", key)
	    assert not rest or rest[1] == domain, key
	print(sorted(used))
	assert len(used) >= 7, used
	PY
'
test_expect_success 'every event and dead letter is of its own tenant, by routing key and content' '
	load peek --queue t.events >events && python3 - "$(fact t1-a1 phone_number_id)" <<-"PY"
	import json
	n = 0
	for line in open("events"):
	    m = json.loads(line)
	    body = m.get("body", m)
	    tenant = body["tenant_id"]
	    assert tenant in m["routing_key"].split("."), m
	    assert not body.get("account_id") or body["account_id"].startswith(tenant + "-") or body["status"] == "failed", m
	    n += 1
	print(n, "events")
	assert n >= 14, n
	PY
'
test_expect_success 'no token, app secret or key of the tenant service is in a log, in Redis, in a queue, in what wamctl prints, or in /proc' '
	wamctl tenant refresh --tenant t1 && python3 -c "import json
for a in json.load(open(\"$DIR/accounts.json\")):
    for k in (\"access_token\", \"app_secret\", \"api_key\"): print(a[k])" >canaries && cat bearer refreshed >>canaries && echo EAArotatedcanary0123456789 >>canaries &&
	for c in "tenant list" "tenant show t1" "account list" "job list" "hold list" "lane list" "breaker list" "limit show t1 t1-a1" "account phone t1 t1-a1" \
		"account profile t1 t1-a1" status; do wamctl -j $c; done >said 2>&1
	{ wamctl dlq list; wamctl -j dlq show t1 thief-1; wamctl -j message why t2 after-refresh; wamctl -j account list; wamctl hold list; } >>said 2>&1
	load peek --queue whatsapp.outbound.dlq >letters && load peek --queue "whatsapp.lane.$(fact t1-a2 phone_number_id)" >lane && grep -q waits lane && ps -eo pid,ppid,comm | awk "\$2 == $WAMD_PID || \$1 == $WAMD_PID { print \$1 }" >pids &&
	[[ $(wc -l <pids) -ge 4 && $(wc -l <canaries) -eq 21 ]] && while read -r pid; do tr "\0" "\n" <"/proc/$pid/cmdline"; { tr "\0" "\n" <"/proc/$pid/environ"; } 2>/dev/null || echo "of $pid: kept from us"; done <pids >proc &&
	! grep -rFlf canaries "$DIR/wamd.log" "$DIR/wamd.out" "$DIR/redis" "$DIR/redis.log" said letters lane events proc &&
	grep -qFf refreshed <(service_says t2) && grep -qFf canaries "$DIR/accounts.json"	# they are such as would be found
'
test_done
