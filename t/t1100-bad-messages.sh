#!/usr/bin/env bash
# Every kind of bad message ends in the dead-letter queue with its own reason; the good ones among them do not notice.
. "$(dirname "$0")/lib.sh"

test_expect_success 'two tenants, and by a reload a third one without a default account' '
	stack_up --tenants 2 --accounts 2 --sandbox-args "--rate 0" &&
	cat >"$DIR/tenants.d/t3.conf" <<-EOF &&
	tenant: { id = "t3"; accounts = (
		{ id = "one"; phone_number_id = "300000000000001"; waba_id = "3"; access_token = "x"; },
		{ id = "two"; phone_number_id = "300000000000002"; waba_id = "3"; access_token = "x"; } ); };
	EOF
	wamctl reload &&
	wait_for "wamctl status" &&
	wait_for "! wamctl status | grep draining"
'

# One line a message: what is published, and how it must end.
cat >make-messages <<'PY'
import json, sys
good = lambda i, **more: dict({"id": "good-%d" % i, "tenant_id": "t1", "account_id": "t1-a1", "to": "+491511234567", "type": "text",
                               "text": {"body": "good %d" % i}}, **more)
out = []
def bad(reason, body=None, **how):
    out.append(dict({"body": body} if body is not None else {}, expect="dead:" + reason, **how))
def without(*keys, **more):
    m = good(len(out), **more)
    m["id"] = "bad-%d" % len(out)
    for k in keys: m.pop(k, None)
    return m

bad("not_json", raw="this is no JSON", id="")
bad("not_json", raw="[1,2,3]", id="")
bad("not_json", raw="{\"id\":\"half", id="")
bad("too_large", raw_size=10000000, id="")
bad("too_deep", raw="{\"id\":\"deep\",\"x\":" + "[" * 100000 + "]" * 100000 + "}", id="")
bad("duplicate_key", raw='{"id":"twice","id":"again","tenant_id":"t1"}', id="")
bad("not_json", raw='{"id":"nul\\u0000","tenant_id":"t1"}', id="")
bad("too_large", raw='{"id":"wide","x":[' + "1," * 20001 + "1]}", id="")
bad("unknown_tenant", without(tenant_id="nobody"))
bad("unknown_account", without(account_id="t2-a1"))
bad("no_account", without("account_id", tenant_id="t3"))
bad("no_id", without("id"), id="")
bad("bad_recipient", without(to="12"))
bad("bad_recipient", without(to="+0123456789"))
bad("bad_recipient", without(to="+49151x234567"))
bad("bad_recipient", without("to"))
bad("bad_recipient", without("to", recipient="12345"))
bad("text_too_long", without(text={"body": "x" * 4097}))
bad("text_empty", without(text={"body": ""}))
bad("bad_field", without(text={"body": 5}))
bad("bad_field", without(text="hello"))
bad("bad_field", without(priority="high"))
bad("bad_field", without(priority=11))
bad("bad_field", without(ttl_s=0))
bad("bad_field", without(expires_at="tomorrow"))
bad("bad_field", without(on_unknown="maybe"))
bad("bad_field", without("tenant_id"))
bad("bad_field", without("type", "text"))
bad("bad_field", without(type=7))
bad("unsupported_type", without(type="hologram", hologram={}))
bad("expired", without(expires_at="2020-01-01T00:00:00Z"))
bad("bad_field", {"metadata": 5, "wabaPayload": {}}, id="")
bad("no_id", {"metadata": {"tenantId": "t1"}, "wabaPayload": {"to": "+491511234567", "type": "text", "text": {"body": "x"}}}, id="")
bad("unsupported_type", {"metadata": {"tenantId": "t1", "internalId": "bad-second"}, "wabaPayload": {"to": "+491511234567", "type": "x"}},
    id="bad-second", tenant_id="t1")
lines = []
for i, b in enumerate(out):
    lines.append(b)
    lines.append({"body": good(i), "expect": "sent"})
lines.append({"body": good(len(out), text={"body": "\U0001F600" * 4096}), "expect": "sent"})
lines.append({"body": {"metadata": {"tenantId": "t1", "phoneNumberId": sys.argv[1], "internalId": "second"},
                       "wabaPayload": {"messaging_product": "whatsapp", "to": "491511234567", "type": "text", "text": {"body": "hi"}}},
              "id": "second", "tenant_id": "t1", "expect": "sent"})
for l in lines: print(json.dumps(l))
PY
test_expect_success 'bad and good messages are published in turn' '
	pnid=$(python3 -c "import json; print(json.load(open(\"$DIR/accounts.json\"))[0][\"phone_number_id\"])") &&
	python3 make-messages "$pnid" >messages &&
	wamctl -j status >before &&
	publish <messages
'
test_expect_success 'each bad one is in the dead-letter queue with its reason, each good one is sent' '
	bad=$(grep -c "dead:" messages) good=$(grep -c "\"sent\"" messages) &&
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq $bad ]]" &&
	wait_for "ledger --strict" 20 &&
	load peek --queue whatsapp.outbound.dlq >dlq &&
	python3 - messages dlq <<PY
import collections, json, sys
want = collections.Counter(json.loads(l)["expect"][5:] for l in open(sys.argv[1]) if "dead:" in l)
have = collections.Counter(json.loads(l)["body"]["reason"] for l in open(sys.argv[2]))
assert want == have, (want - have, have - want)
PY
'
test_expect_success 'an error names the field, the kind found and what is allowed' '
	test_grep "text.body: found a number, allowed a string" dlq &&
	test_grep "text.body: found 4097 characters, allowed 1 to 4096" dlq &&
	test_grep "priority: found 11, allowed 0 to 10" dlq
'
test_expect_success 'what is no JSON travels as message_b64; what was too large is told by its size' '
	test_grep "message_b64" dlq && test_grep "\"message_size\": ?10000000" dlq
'
test_expect_success 'no worker was restarted' '
	wamctl -j status >after &&
	python3 - before after <<PY
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
pids = lambda s: sorted(p["pid"] for p in s["processes"])
assert pids(a) == pids(b) and b["crashes"] == 0, (a, b)
PY
'
test_done
