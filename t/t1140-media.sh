#!/usr/bin/env bash
# Files of ours in messages: uploaded once for each number, whoever sends; again when Graph has lost them; and never nowhere.
. "$(dirname "$0")/lib.sh"

count=2000
[[ ${WAMD_LONG:-} ]] && count=10000

expect_log 'alert kind=(limit_queueing|limit_approaching) state=raised'
expect_log 'warn wamd child_died|child_killed|warn wamd crashed|sender.*(killed|signal)'

make() {	# NAME BYTES MAGIC: a file that begins with MAGIC (for printf)
	{ printf "$3"; head -c "$2" /dev/zero | tr '\0' "${4-x}"; } | head -c "$2" >"$1"
}
uploads() { sandbox_curl media | python3 -c "
import json, sys
print(sum(1 for m in json.load(sys.stdin) if m['sha256'] == '$1'))"; }	# SHA256
of_number() { sandbox_curl media | python3 -c "
import json, sys
print(sum(1 for m in json.load(sys.stdin) if m['sha256'] == '$1' and m['phone_number_id'] == '$2'))"; }	# SHA256 NUMBER
# pictures FROM TO ACCOUNT REF: image messages, each to somebody else.
pictures() {
	python3 - "$@" <<-'PY'
	import json, sys
	first, last, account, ref = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
	for i in range(first, last + 1):
	    print(json.dumps({"body": {"id": "p%d" % i, "tenant_id": "t1", "account_id": account, "to": "+49151%07d" % i, "type": "image",
	                               "image": {"media": ref, "caption": "c"}}}))
	PY
}
reason() { wamctl -j dlq show t1 "$1" 2>/dev/null | python3 -c "
import json, sys
a = json.load(sys.stdin)
a = a.get('letter', a)
print(a['reason'], a.get('code', ''), a.get('error', ''))"; }

test_expect_success 'four senders, and a picture that was given to wamd' '
	stack_up --tenants 2 --senders 4 --accounts 2 --rate 2000 --sandbox-args "--rate 0 --pair off" --set "retry.wait=[\"300ms\",\"1s\"]" \
		--set "retry.server=[\"300ms\",\"300ms\",\"300ms\",\"300ms\",\"300ms\"]" &&
	make a.png 100000 "\\x89PNG\\r\\n\\x1a\\n" && sha=$(sha256sum a.png | cut -d" " -f1) &&
	wamctl -j media upload t1 a.png >json && handle=$(python3 -c "import json; print(json.load(open(\"json\"))[\"handle\"])")
'
test_expect_success "one picture, $count messages of one number: exactly one upload" '
	{ pictures 1 $((count / 2)) t1-a1 "sha256:$sha"; pictures $((count / 2 + 1)) $count t1-a1 "$handle"; } | publish &&
	wait_for "[[ \$(accepted) -eq $count ]]" 120 && [[ $(uploads $sha) -eq 1 ]] && [[ $(total media_uploads) -eq 1 ]]
'
test_expect_success 'of a second number: one more' '
	pictures $((count + 1)) $((count + 50)) t1-a2 "sha256:$sha" | publish && wait_for "[[ \$(accepted) -eq $((count + 50)) ]]" &&
	[[ $(uploads $sha) -eq 2 && $(of_number $sha "$(number_of t1-a2)") -eq 1 ]]
'
test_expect_success 'thirty pictures, eight messages each, all at once: thirty uploads' '
	before=$(total media_uploads) sent=$(accepted) &&
	for i in {1..30}; do
		make "many-$i.png" "$((1000 + i))" "\\x89PNG\\r\\n\\x1a\\n" "$((i % 10))" && wamctl media upload t1 "many-$i.png" >/dev/null || return 1
	done &&
	python3 - <<-"PY" | publish &&
	import hashlib, json
	for k in range(1, 9):
	    for i in range(1, 31):
	        sha = hashlib.sha256(open("many-%d.png" % i, "rb").read()).hexdigest()
	        n = 50000 + 100 * k + i
	        print(json.dumps({"body": {"id": "p%d" % n, "tenant_id": "t1", "account_id": "t1-a1", "to": "+49151%07d" % n, "type": "image",
	                                   "image": {"media": "sha256:" + sha}}}))
	PY
	wait_for "[[ \$(accepted) -eq $((sent + 240)) ]]" 60 && [[ $(total media_uploads) -eq $((before + 30)) ]] && count=$((count + 240))
'
test_expect_success 'an id that has ended at Graph: uploaded anew, and no message is lost' '
	sandbox_curl media --json "{\"expire\":\"all\"}" >/dev/null && pictures 15001 15020 t1-a1 "$handle" | publish &&
	wait_for "[[ \$(accepted) -eq $((count + 70)) ]]" && [[ $(of_number $sha "$(number_of t1-a1)") -ge 2 ]]
'
test_expect_success 'the sender that uploads is killed: that delays its messages, and loses none' '
	make b.png 100001 "\\x89PNG\\r\\n\\x1a\\n" y && other=$(sha256sum b.png | cut -d" " -f1) && wamctl media upload t1 b.png >/dev/null &&
	graph_faults "{\"fault\":\"hang\",\"match\":{\"route\":\"media_upload\"},\"times\":1}" >/dev/null &&
	pictures 20001 20040 t1-a1 "sha256:$other" | publish &&
	wait_for "redis --scan --pattern \"*dl:*$other\" | grep -q ." &&
	key=$(redis --scan --pattern "*dl:*$other") && owner=$(redis get "$key") && pid=$(cut -d: -f2 <<<"$owner") &&
	kill -KILL "$pid" && redis pexpire "$key" 1500 >/dev/null &&
	wait_for "[[ \$(accepted) -eq $((count + 110)) ]]" 90 && [[ $(uploads $other) -ge 1 ]]
'
test_expect_success 'what is not here, and what Graph refuses, dies with its reason' '
	pictures 30001 30001 t1-a1 "sha256:$(printf 0%.0s {1..64})" | publish && wait_for "reason p30001 >out" && test_grep "^media_not_here" out &&
	graph_faults "{\"fault\":\"error\",\"match\":{\"route\":\"media_upload\"},\"code\":131053,\"http\":400,\"times\":1}" >/dev/null &&
	make c.png 100002 "\\x89PNG\\r\\n\\x1a\\n" z && wamctl media upload t1 c.png >/dev/null &&
	pictures 30002 30002 t1-a1 "sha256:$(sha256sum c.png | cut -d" " -f1)" | publish && wait_for "reason p30002 >out" &&
	test_grep "^media_refused 131053" out
'
test_expect_success 'another tenant cannot send it' '
	pictures 30003 30003 t1-a1 "sha256:$sha" | sed "s/\"t1\"/\"t2\"/; s/t1-a1/t2-a1/" | publish &&
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 3 ]]" && wamctl -j dlq show t2 p30003 | grep -q media_not_here
'
test_expect_success 'what Graph knows of a file is shown; then it is deleted there and here' '
	wamctl media show t1 "$handle" --account t1-a1 >out && test_grep "^Graph has [0-9]+: image/png, 100000 bytes, sha256 $sha" out &&
	gone=$(sed -nE "s/^Graph has ([0-9]+):.*/\1/p" out) && wamctl media delete t1 "$handle" --account t1-a1 >out &&
	test_grep "^$gone: deleted at Graph" out && test_grep "removed" out &&
	wamctl media show t1 "sha256:$sha" >out && test_grep "^on disk +no" out && ! grep -q "$gone" out
'
test_expect_success 'nothing was lost or sent twice' '
	wait_for at_rest
'
test_done
