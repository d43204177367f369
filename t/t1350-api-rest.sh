#!/usr/bin/env bash
# The HTTP API beside sending: files, lists of messages, and what the keeper asks Graph for a tenant.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(limit_approaching|limit_queueing|number_changed|account_restricted) state=raised'
expect_log 'warn wamd child_died'
declare -A keys			# by tenant: asked for once
# answers STATUS PATH [CURL OPTION...]: the answer is in "answer", its head in "head".
answers() {
	local want=$1 path=$2 got
	shift 2
	[[ -n ${keys[${TENANT-t1}]-} ]] || keys[${TENANT-t1}]=$(key_of "${TENANT-t1}")
	got=$(KEY=${KEY-${keys[${TENANT-t1}]}} api "$path" -D head -o answer -w '%{http_code}' "$@") || return 1
	[[ $got == "$want" ]] || { echo "$path: status $got, not $want"; cat head answer; return 1; }
}
# holds_true EXPRESSION: about a, the last answer.
holds_true() { python3 -c "import json, sys; a = json.load(open('answer')); sys.exit(not ($1))" || { echo "not so: $1"; cat answer; return 1; }; }
member() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" answer; }
refused() { answers "$1" "${@:3}" && test_grep "\"code\":\"$2\"" answer; }
spool() { find "$DIR" -path '*/media/*' -type f "$@"; }
make() { { printf "$3"; head -c "$2" /dev/zero | tr '\0' "${4-x}"; } | head -c "$2" >"$1"; }	# NAME BYTES MAGIC [FILL]
api_pid() { wamctl -j status | python3 -c "import json, sys; print(next(p['pid'] for p in json.load(sys.stdin)['processes'] if p['role'] == '${1-api}' and not p['draining']))"; }
peak_kb() { awk '/VmHWM/ { print $2 }' "/proc/$(api_pid)/status"; }
state_is() { answers 200 "/v1/messages/$1" && grep -q "\"state\":\"$2\"" answer; }
as_document() { printf '{"id":"%s","to":"+4915200000001","type":"document","document":{"media":"%s","filename":"a.pdf"}}' "$1" "$2"; }

# ---- files ----
test_expect_success 'a stack with the API' '
	stack_up --api --senders 1 --tenants 2 --rate 1000 --sandbox-args "--rate 0 --pair off" --set api.slow_timeout=1s --set graph.manage_timeout=2s \
		--set "retry.wait=[\"300ms\",\"1s\"]" --set "retry.server=[\"1m\",\"1m\",\"1m\",\"1m\",\"1m\"]" &&
	wait_for "answers 200 /readyz" && make a.pdf 31457280 "%%PDF-1.7\n" && make a.png 70000 "\\x89PNG\\r\\n\\x1a\\n" && make b.png 70001 "\\x89PNG\\r\\n\\x1a\\n" y
'
test_expect_success 'a form with a file of 30 MB: taken, in little memory' '
	before=$(peak_kb) && answers 201 /v1/media -F "file=@a.pdf" && holds_true "a[\"size\"] == 31457280 and a[\"mime\"] == \"application/pdf\" and a[\"kind\"] == \"document\"" &&
	holds_true "a[\"sha256\"] == \"$(sha256sum a.pdf | cut -d" " -f1)\" and a[\"filename\"] == \"a.pdf\"" && handle=$(member handle) && test_grep "^Location: /v1/media/$handle" head &&
	echo "$before $(peak_kb)" && { [[ $WAMD_BUILD == */san ]] || [[ $(($(peak_kb) - before)) -lt 5120 ]]; }
'
test_expect_success 'a message that names its handle is sent with it' '
	answers 200 /v1/messages -H "Prefer: wait=25" --json "$(as_document d1 "$handle")" && holds_true "a[\"status\"] == \"sent\"" &&
	[[ $(sandbox_curl media | grep -c "$(sha256sum a.pdf | cut -d" " -f1)") -eq 1 ]]
'
test_expect_success 'the same bytes as they are; what they are called; fields before and behind the file' '
	answers 201 "/v1/media?filename=b%C3%BC.png" -H "Content-Type: image/png" --data-binary @a.png && holds_true "a[\"mime\"] == \"image/png\" and a[\"filename\"] == \"bü.png\"" &&
	answers 201 /v1/media --data-binary @a.png && holds_true "a[\"mime\"] == \"image/png\"" && answers 201 /v1/media -F "type=image/png" -F "file=@a.png;type=application/octet-stream" &&
	answers 201 /v1/media -F "file=@a.png" -F "filename=later.png" -F other=x && holds_true "a[\"filename\"] == \"later.png\"" &&
	answers 201 /v1/media -T - -X POST -H "Content-Type: image/png" <a.png && holds_true "a[\"size\"] == 70000"
'
test_expect_success 'what is known of a file; another tenant knows nothing of it' '
	answers 200 "/v1/media/$handle" && holds_true "a[\"here\"] and a[\"size\"] == 31457280 and len(a[\"ids\"]) == 1" && sha=$(member sha256) && answers 200 "/v1/media/$sha" &&
	answers 200 "/v1/media/sha256:$sha" && TENANT=t2 refused 404 media_not_here "/v1/media/$sha" && TENANT=t2 refused 404 media_not_here "/v1/media/$handle" &&
	refused 404 media_not_here /v1/media/1234567890 && refused 404 media_not_here "/v1/media/m.$(printf "a%.0s" {1..22})" && refused 404 media_not_here "/v1/media/$(printf "a%.0s" {1..64})" &&
	refused 404 media_not_here "/v1/media/..%2F..%2Fetc" && TENANT=t2 refused 404 media_not_here "/v1/media/$handle" -X DELETE && answers 200 "/v1/media/$handle"
'
test_expect_success 'what it cannot be sent as is refused, and leaves nothing' '
	files=$(spool | sort) && : >empty && make large.png 6000000 "\\x89PNG\\r\\n\\x1a\\n" && make huge.pdf 105000000 "%%PDF-1.7\n" &&
	refused 400 media_empty /v1/media -F "file=@empty" && refused 400 media_empty /v1/media -F "type=x/y" && refused 415 media_type /v1/media -F "file=@a.png;type=image/jpeg" &&
	refused 413 media_too_large /v1/media -F "file=@large.png" && refused 413 media_too_large /v1/media -F "file=@huge.pdf" && refused 413 media_too_large /v1/media -H "Content-Type: application/pdf" --data-binary @huge.pdf &&
	refused 400 bad_request /v1/media -F "file=@a.png" -F "file=@b.png" && refused 400 bad_request /v1/media -H "Content-Type: multipart/form-data" -d x &&
	refused 400 bad_request /v1/media -H "Content-Type: multipart/form-data; boundary=q" -d "$(printf -- "--q\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc")" &&
	refused 400 bad_request /v1/media -F "type=$(head -c 400 /dev/zero | tr "\0" x)" -F "file=@a.png" && KEY=wk.t1.$(printf "a%.0s" {1..43}) refused 401 unauthorized /v1/media -F "file=@b.png" &&
	rm huge.pdf && [[ $(spool | sort) == "$files" ]]
'
test_expect_success 'who stops in the middle is cut, and leaves nothing' '
	files=$(spool | sort) && python3 - "$API_LISTEN" "$(key_of t1)" <<-"PY" &&
	import socket, sys, time
	host, port = sys.argv[1].rsplit(":", 1)
	for kind in ("hang", "close"):
	    s = socket.create_connection((host, int(port)))
	    s.sendall(("POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: image/png\r\nContent-Length: 900000\r\n\r\n" % sys.argv[2]).encode() + b"\x89PNG\r\n\x1a\n" + b"x" * 300000)
	    if kind == "hang":
	        s.settimeout(10)
	        began = time.time(); assert s.recv(100) == b"", "it was answered"; assert time.time() - began < 6
	    s.close()
	PY
	wait_for "[[ \$(spool | sort) == \"\$files\" ]]"
'
test_expect_success 'a file that is deleted is gone, and its name with it' '
	answers 201 /v1/media -F "file=@b.png" && b=$(member handle) && sha=$(member sha256) && answers 200 "/v1/media/$b" -X DELETE && refused 404 media_not_here "/v1/media/$b" &&
	refused 404 media_not_here "/v1/media/$sha" && ! spool | grep "$sha"
'
# ---- lists of messages ----
# lists QUERY: all pages of it, the ids in "ids"
lists() {
	local cursor='' pages=0
	: >ids
	while :; do
		answers 200 "/v1/messages?$1&limit=${2-100}${cursor:+&cursor=$cursor}" || return 1
		sed 's/{"id":/\n&/g' answer | sed -nE 's/^\{"id":"([^"]*)".*"state":"([^"]*)".*/\1 \2/p' >>ids
		cursor=$(member next) pages=$((pages + 1))
		[[ -n $cursor ]] || break
	done
	sort -u -o ids ids; echo "$pages pages, $(wc -l <ids) messages"
}
found() { [[ $(wc -l <ids) -eq $1 ]] || { head ids; return 1; }; }
text() { printf '{"id":"%s","to":"%s","type":"text","text":{"body":"%s"}}' "$1" "$2" "${3-x}"; }
test_expect_success 'open, sent and dead ones, by state, account, recipient, code and time' '
	graph_faults "{\"fault\":\"error\",\"http\":400,\"code\":131026,\"match\":{\"to\":\"+4915200000077\"}}" >/dev/null &&
	graph_faults "{\"fault\":\"error\",\"http\":500,\"code\":131000,\"match\":{\"to\":\"+4915200000078\"}}" >/dev/null &&
	wamctl account hold t1 t1-a2 --reason test && answers 202 /v1/messages --json "[$(text l-dead +4915200000077),$(text l-retry +4915200000078),{\"account_id\":\"t1-a2\",$(text l-held +4915200000079 | cut -c2-)]" &&
	answers 202 /v1/messages --json "{\"idempotency_key\":\"l-key\",$(text l-sent +4915200000080 | cut -c2-)" && wait_for "state_is l-dead dead && state_is l-key sent && state_is l-retry retry" &&
	lists "" && test_grep "l-dead dead" ids && test_grep "l-retry retry" ids && test_grep "l-held queued" ids && test_grep "l-sent sent" ids && test_grep "d1 sent" ids && found 5 &&
	lists state=dead && found 1 && holds_true "a[\"messages\"][0][\"reason\"] == \"refused\" and a[\"messages\"][0][\"code\"] == 131026" && lists state=retry,queued && found 2 && lists code=131026 && found 1 &&
	lists to=%2B4915200000080 && found 1 && holds_true "a[\"messages\"][0][\"idempotency_key\"] == \"l-key\"" && lists to=+4915200000079 && found 0 && lists to=4915200000077 && found 1 && wait_for "lists account_id=t1-a2 && found 1" 10 && lists "account_id=$(number_of t1-a1)" && found 4 &&
	lists since=1h && found 5 && lists until=1h && found 0 && lists since=2999-01-01T00:00:00Z && found 0 && graph_reset && wamctl account release t1 t1-a2
'
test_expect_success 'what is asked badly is refused, with the field' '
	for x in state=new account_id=t2-a1 to=12 since=yesterday code=0 limit=0 limit=1001 cursor=x; do
		refused 422 bad_field "/v1/messages?$x" && test_grep "\"field\":\"${x%%=*}\"" answer || return 1
	done
'
test_expect_success 'pages, among the messages of others; and Redis was never asked for long' '
	python3 -c "import json; print(json.dumps([{\"id\": \"p%d\" % i, \"to\": \"+49152%08d\" % i, \"type\": \"text\", \"text\": {\"body\": \"many\"}} for i in range(300)]))" >many &&
	answers 202 /v1/messages --json @many && TENANT=t2 answers 202 /v1/messages --json @many && wait_for "[[ \$(total sent) -ge 602 ]]" 60 && redis slowlog reset && redis config set slowlog-log-slower-than 20000 &&
	lists state=sent 50 && grep -c "^p" ids && [[ $(grep -c "^p" ids) -eq 300 ]] && TENANT=t2 lists "" 200 && found 300 && [[ $(redis slowlog len) -eq 0 ]]
'

# ---- what the keeper asks Graph ----
calls() { sandbox_stats | jq ".calls.$1"; }	# ROUTE
# Messages of the cases above may still be sent.
asked_of_graph() { sandbox_stats | jq ".calls | del(.messages)"; }
say() { answers "$1" "/v1/accounts/$2" "${@:3}"; }
test_expect_success 'profile, health, verification and figures of its own accounts' '
	say 200 t1-a1/profile && holds_true "a[\"account_id\"] == \"t1-a1\" and a[\"tenant_id\"] == \"t1\"" && say 200 t1-a1/profile --json "{\"about\":\"We are open\",\"websites\":[\"https://a.example\"]}" &&
	holds_true "a[\"about\"] == \"We are open\"" && say 200 "$(number_of t1-a1)/profile" && test_grep "We are open" answer && say 200 t1-a1/health && holds_true "a[\"health\"][\"can_send\"] == \"AVAILABLE\" and a[\"rate\"] == 1000" &&
	say 200 t1-a1/verification && holds_true "a[\"verified_name\"] and a[\"verification\"] and \"health\" not in a" &&
	say 200 t1-a1/analytics && holds_true "a[\"kind\"] == \"messages\" and len(a[\"rows\"]) == 8" && say 200 "t1-a1/analytics?kind=templates&template=11,12,13,14,15,16,17,18,19,20&from=80d" &&
	holds_true "len(a[\"rows\"]) > 100" && wc -c answer && [[ $(wc -c <answer) -gt 24576 ]] && answers 200 /v1/templates/refresh -X POST && test_grep fetched answer && answers 200 "/v1/templates/refresh?account=t1-a2" -X POST
'
test_expect_success 'what is asked badly costs no call of Graph; of the accounts of others it says what it says of none' '
	before=$(asked_of_graph) && refused 422 bad_field "/v1/accounts/t1-a1/analytics?kind=weather" && test_grep "\"field\":\"kind\"" answer && refused 422 bad_field /v1/accounts/t1-a1/profile --json "{\"vertical\":\"SHOP\"}" &&
	refused 422 bad_field /v1/accounts/t1-a1/profile --json "[]" && refused 400 not_json /v1/accounts/t1-a1/profile --json "{" && refused 415 media_type /v1/accounts/t1-a1/profile -d x=y &&
	refused 413 too_large /v1/accounts/t1-a1/profile --json "{\"about\":\"$(head -c 17000 /dev/zero | tr "\0" x)\"}" &&
	for x in profile health verification analytics; do refused 404 unknown_account /v1/accounts/t2-a1/$x && refused 404 unknown_account "/v1/accounts/$(number_of t2-a1)/$x" || return 1; done &&
	refused 404 unknown_account /v1/accounts/t2-a1/profile --json "{}" && refused 404 unknown_account "/v1/templates/refresh?account=t2-a1" -X POST && [[ $(asked_of_graph) == "$before" ]]
'
test_expect_success 'a key for reading changes nothing' '
	reader=wk.t1.$(printf "r%.0s" {1..43}) && sed -i "s|\(api_keys = ( .*\) );|\1, { id = \"reader\"; sha256 = \"$(printf %s "$reader" | sha256sum | cut -c1-64)\"; scopes = [ \"read\" ]; } );|" "$DIR/tenants.d/t1.conf" &&
	wamctl reload && KEY=$reader wait_for "say 200 t1-a1/verification" && KEY=$reader refused 403 scope_missing /v1/accounts/t1-a1/profile --json "{}" && KEY=$reader refused 403 scope_missing /v1/templates/refresh -X POST &&
	KEY=$reader refused 403 scope_missing /v1/media -F file=@b.png && KEY=$reader refused 403 scope_missing "/v1/media/$handle" -X DELETE
'
test_expect_success 'the same question of many is one call' '
	before=$(calls profile) && graph_faults "{\"fault\":\"delay\",\"ms\":700,\"match\":{\"route\":\"profile\"},\"times\":1}" >/dev/null && key=${keys[t1]} &&
	seq 10 | xargs -P 10 -I{} curl -sS -o /dev/null -w "%{http_code}\n" -H "Authorization: Bearer $key" "$API_URL/v1/accounts/t1-a1/profile" >codes && [[ $(grep -c "^200$" codes) -eq 10 && $(calls profile) -le $((before + 2)) ]]
'
test_expect_success 'what Graph refuses and what it does not answer is told, each with its code' '
	graph_faults "{\"fault\":\"error\",\"code\":100,\"http\":400,\"match\":{\"route\":\"profile\"},\"times\":1}" >/dev/null && refused 502 graph_refused /v1/accounts/t1-a1/profile && test_grep "Graph says 100" answer &&
	graph_faults "{\"fault\":\"hang\",\"match\":{\"route\":\"profile_set\"},\"times\":1}" >/dev/null && refused 504 graph_away /v1/accounts/t1-a1/profile --json "{\"about\":\"later\"}"
'
test_expect_success 'the keeper is killed while it asks: what only looks is asked of the next one, what changes is not known' '
	for x in "200 t1-a1/profile profile" "504 t1-a1/profile profile_set --json {\"about\":\"now\"}"; do
		set -- $x; graph_faults "{\"fault\":\"hang\",\"match\":{\"route\":\"$3\"},\"times\":1}" >/dev/null; before=$(calls $3)
		say "$1" "$2" "${@:4}" >said & asking=$!
		wait_for "[[ \$(calls $3) -gt $before ]]" && kill -KILL "$(api_pid keeper)" && wait $asking && wait_for "answers 200 /readyz" || { cat said; return 1; }
	done && say 200 t1-a1/profile
'
test_done
