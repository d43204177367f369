#!/usr/bin/env bash
# The contracts for programs: etc/openapi.json keeps what its last release promised, etc/asyncapi.json says what is on the queues.
. "$(dirname "$0")/lib.sh"

top=$(dirname "$T")
expect_log 'alert kind=(held|message_refused|meta_news|limit_approaching|limit_queueing) state=raised'

test_expect_success 'every kind of incompatible change of etc/openapi.json would be found' '
	"$T/openapi-compat" --self-test && "$T/openapi-compat" "$top/etc/openapi.json" "$top/etc/openapi.json"
'
test_expect_success 'a change is measured by the last tag, and may break what was only with another version' '
	! command -v git >/dev/null || (
		repository() { git -c user.name=t -c user.email=t@localhost -c commit.gpgsign=false -c tag.gpgsign=false "$@" >git.out 2>&1; }
		mkdir history && cd history && repository init && cp "$top/etc/openapi.json" . && repository add . && repository commit -m one &&
		"$T/openapi-compat" --since-tag openapi.json | grep "^skipped: " && repository tag v1 && "$T/openapi-compat" --since-tag openapi.json &&
		sed -i "s,/healthz,/health," openapi.json && ! "$T/openapi-compat" --since-tag openapi.json >found && test_grep "^/healthz is gone" found &&
		sed -i "s/\"version\": \"1\"/\"version\": \"2\"/" openapi.json && "$T/openapi-compat" --since-tag openapi.json >found && test_grep "may break" found
	)
'
test_expect_success "since the last release nothing was broken: $(cd "$top" && "$T/openapi-compat" --since-tag etc/openapi.json | head -n 1)" '
	(cd "$top" && "$T/openapi-compat" --since-tag etc/openapi.json)
'

if ! python3 -c 'import jsonschema' 2>/dev/null; then
	echo "# skipped: python3-jsonschema is not installed (make deps-ci), so etc/asyncapi.json was not held against anything"
	test_done
fi
test_expect_success 'etc/asyncapi.json has the words of the tables, and examples that fit its schemas' '"$T/asyncapi-check" tables'
if [[ ! -x $WAMD_BUILD/wamd ]]; then
	echo "# $WAMD_BUILD: no programs, so what is on the queues was not looked at"
	test_done
fi

# seen CHANNEL QUEUE [WANTED...]: all that is there fits, and what is wanted of it is there.
seen() {
	local channel=$1 queue=$2 wanted
	load peek --queue "$queue" >"$channel.ndjson" && "$T/asyncapi-check" seen "$channel" <"$channel.ndjson" >"$channel.found" || return 1
	cat "$channel.found"
	for wanted in "${@:3}"; do grep -qE "\"$wanted\"" "$channel.ndjson" || { echo "none is $wanted"; return 1; }; done
}
order() { sandbox_curl "webhooks$1" --json "$2" >/dev/null; }
hooks() { order "" "{\"url\":\"$API_URL/webhooks/whatsapp/main\",\"secret\":\"the-secret\",\"latency_ms\":[1,20]$1}"; }

test_expect_success 'a stack with webhooks, whose every exchange somebody listens to' '
	printf "the-secret\n" >app.secret && chmod 600 app.secret &&
	stack_up --api --no-breakers --senders 1 --tenants 1 --accounts 2 --rate 1000 --sandbox-args "--rate 0 --pair off" \
		--set "webhook.apps=[\"main=$TRASH/app.secret\"]" --set "retry.server=[\"200ms\"]" --set retry.max=1 --set amqp.message_max=64KB &&
	"$T/rmq" "$RMQ_DIR" eval >/dev/null <<-END
		V = <<"$VHOST">>, Listen = fun(Exchange, Queue) ->
			X = rabbit_misc:r(V, exchange, Exchange), Q = rabbit_misc:r(V, queue, Queue),
			rabbit_amqqueue:declare(Q, true, false, [], none, <<"stack">>),
			rabbit_binding:add({binding, X, <<"#">>, Q, []}, <<"stack">>) end,
		Listen(<<"whatsapp.alerts">>, <<"t.alerts">>), Listen(<<"whatsapp.inbound">>, <<"t.inbound">>).
	END
	hooks ""
'
test_expect_success 'messages in both forms and of bad ones each kind, refused ones, failures that Graph tells late, users who write' '
	graph_faults "[{\"fault\":\"error\",\"http\":400,\"code\":131026,\"match\":{\"to\":\"+4915200000002\"}},{\"fault\":\"error\",\"http\":500,\"code\":131000,\"match\":{\"to\":\"+4915200000003\"}},{\"fault\":\"error\",\"http\":400,\"code\":368,\"match\":{\"to\":\"+4915200000004\"},\"times\":1}]" >/dev/null &&
	python3 - "$(number_of t1-a2)" >lines <<-\PY &&
		import json, sys
		first = lambda i, to, **more: {"id": i, "tenant_id": "t1", "to": to, "type": "text", "text": {"body": "hi"}, **more}
		good = [first("a1", "+4915200000001", correlation_id="c1", metadata={"n": 1}, priority=3, ttl_s=60), first("a2", "+4915200000002"),
		        first("a3", "+4915200000003"), first("a4", "+4915200000004"),
		        {"metadata": {"internalId": "b1", "tenantId": "t1", "phoneNumberId": sys.argv[1], "correlationId": "c2"},
		         "wabaPayload": {"messaging_product": "whatsapp", "to": "+4915200000005", "type": "image", "image": {"link": "https://example.org/a.png"}}},
		        {"idempotency_key": "r1", "tenant_id": "t1", "type": "read", "read": {"message_id": "wamid.x"}}]
		bad = [first("x1", "12"), first("x2", "+4915200000001", tenant_id="nobody"), {"tenant_id": "t1"}, [1]]
		rows = [{"body": m} for m in good + bad] + [{"raw": "no JSON"}, {"raw": json.dumps(first("x3", "+4915200000001", text={"body": "y" * 70000}))}]
		print(*map(json.dumps, rows), sep="\n")
	PY
	head -n 6 lines >good && publish <lines && wait_for "[[ \$(total statuses) -ge 9 ]]" && hooks ",\"fail\":{\"rate\":1,\"code\":131049}" &&
	sed -n "1s/\"a1\"/\"a5\"/p" good | publish &&
	order /inbound "{\"phone_number_id\":\"$(number_of t1-a1)\",\"from\":\"4915199999999\",\"text\":\"hello\"}" &&
	order /inbound "{\"phone_number_id\":\"$(number_of t1-a1)\",\"from\":\"4915199999999\",\"type\":\"reaction\",\"message\":{\"reaction\":{\"emoji\":\"x\"}}}" &&
	order /field "{\"waba_id\":\"$(fact t1-a1 waba_id)\",\"field\":\"account_update\",\"value\":{\"event\":\"ACCOUNT_RESTRICTION\"}}" &&
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 9 && \$(total statuses) -ge 10 && \$(depth t.inbound) -eq 2 ]] && load peek --queue t.alerts | grep \"held\" | grep -q resolved" 20
'
test_expect_success 'events: what came of each, and what webhooks told of it' '
	seen status t.events accepted failed sent state delivered read refused retries_used bad_recipient && test_grep "[0-9] answer" status.found && test_grep "[0-9] status" status.found
'
test_expect_success 'dead letters: of JSON, of what is none, and of what was too large' '
	seen deadLetters whatsapp.outbound.dlq history message_b64 message_size refused not_json too_large unknown_tenant no_id && test_grep "^9 deadLetter" deadLetters.found
'
test_expect_success 'what users wrote' 'seen inbound t.inbound text reaction contact && test_grep "^2 inbound" inbound.found'
test_expect_success 'alerts: raised and resolved' 'seen alerts t.alerts raised resolved held meta_news'
test_expect_success 'examples of etc/openapi.json work, and every answer has a status and a form that it tells' '
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} $API_URL/readyz) == 200 ]]" &&
	sandbox_curl templates --json "{\"waba_id\":\"$(fact t1-a1 waba_id)\",\"name\":\"hello\",\"language\":\"en_US\",\"category\":\"UTILITY\",\"status\":\"APPROVED\",\"components\":[{\"type\":\"BODY\",\"text\":\"Hello\"}]}" >/dev/null &&
	"$T/openapi-examples" "$API_URL" "$(key_of t1)" t1 t1-a1
'
test_expect_success 'messages: in the lane, as copies with a hop; and on the input, as producers and the API put them' '
	wamctl hold set t1 --account t1-a1 --reason test && wamctl dlq replay --id a3 && sed -n 1p good | sed "s/\"a1\"/\"a9\"/" >again && publish <again &&
	lane=whatsapp.lane.$(number_of t1-a1) && wait_for "[[ \$(depth $lane) -eq 2 ]]" && load peek --queue "$lane" >lane &&
	sed "s/\"$lane\"/\"outbound\"/" lane | "$T/asyncapi-check" seen outbound >outbound.found && test_grep "^2 message" outbound.found && test_grep "x-wamd-replay" lane && test_grep "k=lane" lane &&
	stack stop-wamd && publish <good && seen outbound whatsapp.outbound a1 b1 r1 && test_grep "^1 envelope" outbound.found && test_grep "[0-9] message" outbound.found
'
test_done
