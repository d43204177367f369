#!/usr/bin/env bash
# The proxies of etc/examples in front of the API: TLS, messages and webhooks through each, and what stays outside.
. "$(dirname "$0")/lib.sh"

PATH=$PATH:/usr/sbin:/sbin
examples=$(dirname "$T")/etc/examples
expect_log 'alert kind=limit_(approaching|queueing) state=raised'

test_expect_success 'a stack with the API and webhooks, and a certificate of our own' '
	printf "the-secret\nverify: hello-meta\n" >app.secret && chmod 600 app.secret &&
	stack_up --api --senders 1 --tenants 1 --accounts 1 --rate 1000 --set "webhook.apps=[\"main=$TRASH/app.secret\"]" &&
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=wamd.example.org \
		-addext subjectAltName=DNS:wamd.example.org -keyout wamd.key -out wamd.crt && cat wamd.crt wamd.key >wamd.pem &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} \$API_URL/readyz) == 200 ]]"
'
free_port() { python3 -c 'import random, socket
while True:
    try:
        s = socket.socket(); s.bind(("127.0.0.1", random.randrange(15000, 32000))); print(s.getsockname()[1]); break
    except OSError: pass'; }
# As they are shipped, but for names, ports and what takes seconds.
nginx_start() {
	sed -E "s,127\.0\.0\.1:8080,$API_LISTEN,; s,listen 443,listen 127.0.0.1:$port,; /listen \[/d; s,/etc/ssl/(certs|private),$TRASH,; s,wamd\.pem,wamd.crt,
		s,/var/log/nginx,$TRASH,; s,client_header_timeout 5s,client_header_timeout 1s," "$examples/nginx.conf" >nginx-site.conf &&
	cat >nginx.conf <<-END &&
		daemon off; pid $TRASH/nginx.pid; error_log $TRASH/nginx-error.log; worker_processes 1; events { worker_connections 512; }
		$([[ $(id -u) -ne 0 ]] || echo "user root;")
		http {
			client_body_temp_path $TRASH/body; proxy_temp_path $TRASH/temp; fastcgi_temp_path $TRASH/fcgi; uwsgi_temp_path $TRASH/uwsgi;
			scgi_temp_path $TRASH/scgi; include $TRASH/nginx-site.conf;
		}
	END
	nginx -t -c "$TRASH/nginx.conf" -p "$TRASH" -e "$TRASH/nginx-error.log" && { nginx -c "$TRASH/nginx.conf" -p "$TRASH" -e "$TRASH/nginx-error.log" & }
}
haproxy_start() {
	sed -E "s,127\.0\.0\.1:8080,$API_LISTEN,; s,bind :443,bind 127.0.0.1:$port,; s,/etc/haproxy/certs,$TRASH,; s,http-request 5s,http-request 1s,; s,(maxconn [0-9]+)000$,\100," \
		"$examples/haproxy.cfg" >haproxy.cfg &&
	haproxy -c -f haproxy.cfg && { haproxy -db -f haproxy.cfg >haproxy.log 2>&1 & }
}
# through PATH [CURL OPTION...]: its status; the answer is in "answer".
through() {
	local path=$1
	shift
	curl -sS --cacert wamd.crt --resolve "wamd.example.org:$port:127.0.0.1" -D head -o answer -w '%{http_code}\n' "$@" "https://wamd.example.org:$port$path"
}
gives() {
	local want=$1 got
	shift
	got=$(through "$@") && [[ $got == "$want" ]] || { echo "$2: ${got-}, not $want"; cat head answer; return 1; }
}
# A webhook as Meta would post it: that the message was read.
webhook() {
	python3 - "$(number_of t1-a1)" "$1" "$2" <<-'PY'
	import hashlib, hmac, json, sys, time
	number, wamid, secret = sys.argv[1:]
	body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
	    "metadata": {"phone_number_id": number}, "statuses": [{"id": wamid, "status": "read", "timestamp": str(int(time.time()))}]}}]}]})
	open("hook", "w").write(body)
	print("X-Hub-Signature-256: sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest())
	PY
}
posted() { gives "$1" /webhooks/whatsapp/main -H "$2" -H "Content-Type: application/json" --data-binary @hook; }
# A head that never ends is given up before long, and so is what needs no proxy at all: plain HTTP.
cut_off() {
	python3 - "$port" <<-'PY'
	import socket, ssl, sys, time
	context = ssl.create_default_context(cafile="wamd.crt")
	with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="wamd.example.org") as s:
	    s.settimeout(5)
	    s.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: wamd.example.org\r\nX-Slow: ")
	    began = time.monotonic()
	    try: answer = s.recv(100)
	    except OSError: answer = b""
	    print(answer, time.monotonic() - began)
	    assert time.monotonic() - began < 4 and (not answer or b" 408" in answer)
	PY
}
# Before the shell's own trap: what we started goes first.
proxy=
trap '[[ -z $proxy ]] || kill $proxy 2>/dev/null; test_cleanup' EXIT

for name in nginx haproxy; do
	if ! command -v "$name" >/dev/null; then
		echo "# skipped: $name is not installed (make deps-ci)"
		continue
	fi
	port=$(free_port)
	test_expect_success "$name starts with what we ship, and a message goes through it" '
		"${name}_start" && proxy=$! &&
		wait_for "through /v1/accounts >/dev/null 2>&1" &&
		gives 200 /v1/messages -H "Authorization: Bearer $(key_of t1)" -H "Prefer: wait=20" --json "{\"id\":\"$name\",\"to\":\"+4915200000001\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}}" &&
		wamid=$(python3 -c "import json; print(json.load(open(\"answer\"))[\"wamid\"])") &&
		gives 202 /whatsapp/send -H "Authorization: Bearer $(key_of t1)" --json "{\"metadata\":{\"internalId\":\"$name-2\"},\"wabaPayload\":{\"to\":\"+4915200000001\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}}}" &&
		gives 401 /v1/messages --json "{}"
	'
	test_expect_success "$name: a webhook goes through, byte for byte; a forged one is refused" '
		posted 200 "$(webhook "$wamid" the-secret)" && wait_for "load peek --queue t.events | grep \"\\\"$name\\\"\" | grep -q \"\\\"read\\\"\"" &&
		posted 401 "$(webhook "$wamid" another-secret)" &&
		gives 200 "/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=12345&hub.verify_token=hello-meta" && [[ $(cat answer) == 12345 ]]
	'
	test_expect_success "$name: what is too large, too slow or not for strangers stays outside" '
		python3 -c "print(\"x\" * 5000000)" >large && gives 413 /webhooks/whatsapp/main --data-binary @large &&
		python3 -c "print(\"x\" * 9000000)" >large && gives 413 /v1/messages -H "Authorization: Bearer $(key_of t1)" --data-binary @large &&
		[[ $(through /v1/accounts -H "X-Large: $(printf "x%.0s" {1..20000})") == 4?? ]] &&
		gives 404 /readyz && gives 404 /healthz && gives 404 /v2/other && cut_off &&
		[[ $(curl -s -o /dev/null -w "%{http_code}" "http://127.0.0.1:$port/v1/accounts") != 2?? ]]
	'
	test_expect_success "$name logs no word that is secret" '
		cat "$name".log wamd.log >said 2>/dev/null; test_grep "/webhooks/whatsapp" said && ! grep -e hello-meta -e "wk\." said
	'
	kill "$proxy" 2>/dev/null && wait "$proxy" 2>/dev/null
	proxy=
done
test_done
