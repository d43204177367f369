#!/usr/bin/env bash
# Every message type of the Cloud API: from the queue to Graph, and the content arrives as it was.
. "$(dirname "$0")/lib.sh"

test_expect_success 'two tenants, and a sandbox that keeps bodies' '
	stack_up --tenants 2 --accounts 2 --set template.validate=false --sandbox-args "--rate 0 --keep-bodies"
'

# One line a message: what is published, and how it must end.  What Graph must see of it goes to "wanted".
cat >make-messages <<'PY'
import json, sys
pnid, wanted, n = sys.argv[1], open("wanted", "w"), 0
URL = {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com/x"}}
LINK = {"link": "https://example.com/a.jpg"}
BODY = {"text": "a body"}
def reply(i): return {"type": "reply", "reply": {"id": "id-%d" % i, "title": "Title %d" % i}}
def card(i, action): return {"card_index": i, "type": "cta_url", "header": {"type": "image", "image": LINK}, "body": BODY, "action": action}
def product(i): return {"card_index": i, "type": "product", "action": {"product_retailer_id": "p%d" % i, "catalog_id": "1"}}
def template(*components): return {"name": "order_update", "language": {"code": "en_US"}, "components": list(components)}
PARAMETERS = {"type": "body", "parameters": [
    {"type": "text", "text": "Ann"}, {"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}},
    {"type": "date_time", "date_time": {"fallback_value": "Monday"}}]}
def button(kind, **parameter): return {"type": "button", "sub_type": kind, "index": "0", "parameters": [parameter]}

contents = [
    ("text", {"body": "gr\u00fc\u00df \U0001F600 https://example.com", "preview_url": True}),
    ("image", {"id": "1013859600285441", "caption": "c"}), ("image", LINK),
    ("video", dict(LINK, caption="c")), ("audio", {"id": "1013859600285441", "voice": True}),
    ("document", dict(LINK, caption="c", filename="a.pdf")), ("sticker", {"id": "1013859600285441"}),
    ("location", {"latitude": 37.44, "longitude": -122.16, "name": "HQ", "address": "1 Way"}),
    ("location", {"latitude": "37.44", "longitude": "-122.16"}),
    ("contacts", [{"name": {"formatted_name": "Ann B", "first_name": "Ann"}, "phones": [{"phone": "+1650", "type": "WORK", "wa_id": "1650"}],
                   "emails": [{"email": "a@example.com"}], "urls": [{"url": "https://example.com"}], "org": {"company": "C"},
                   "addresses": [{"city": "X", "country_code": "us"}], "birthday": "2000-01-31"}]),
    ("reaction", {"message_id": "wamid.HBgLMTY1", "emoji": "\U0001F600"}), ("reaction", {"message_id": "wamid.HBgLMTY1", "emoji": ""}),
]
contents += [("interactive", i) for i in [
    {"type": "button", "header": {"type": "image", "image": LINK}, "body": BODY, "footer": {"text": "f"},
     "action": {"buttons": [reply(1), reply(2), reply(3)]}},
    {"type": "list", "header": {"type": "text", "text": "h"}, "body": {"text": "x" * 4096}, "action": {"button": "Go", "sections": [
        {"title": "s%d" % s, "rows": [{"id": "%d-%d" % (s, r), "title": "t", "description": "d"} for r in range(5)]} for s in (1, 2)]}},
    {"type": "cta_url", "header": {"type": "document", "document": dict(LINK, filename="a.pdf")}, "body": BODY, "action": URL},
    {"type": "flow", "body": BODY, "action": {"name": "flow", "parameters": {
        "flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", "mode": "draft", "flow_token": "t", "flow_action": "navigate",
        "flow_action_payload": {"screen": "S", "data": {"a": 1}}}}},
    {"type": "product", "body": BODY, "action": {"catalog_id": "1", "product_retailer_id": "p"}},
    {"type": "product_list", "header": {"type": "text", "text": "h"}, "body": BODY,
     "action": {"catalog_id": "1", "sections": [{"title": "s", "product_items": [{"product_retailer_id": "p"}]}]}},
    {"type": "catalog_message", "body": BODY, "action": {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "p"}}},
    {"type": "location_request_message", "body": BODY, "action": {"name": "send_location"}},
    {"type": "address_message", "body": BODY, "action": {"name": "address_message", "parameters": {
        "country": "IN", "values": {"name": "n", "in_pin_code": "400063"}, "saved_addresses": [{"id": "a", "value": {"city": "c"}}],
        "validation_errors": {"in_pin_code": "no"}}}},
    {"type": "carousel", "body": BODY, "action": {"cards": [card(0, URL), card(1, URL)]}},
    {"type": "carousel", "body": BODY, "action": {"cards": [
        card(i, {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "a", "title": "A"}}]}) for i in range(10)]}},
    {"type": "carousel", "body": BODY, "action": {"cards": [product(0), product(1)]}},
    {"type": "order_details", "body": BODY, "action": {"name": "review_and_pay", "parameters": {
        "reference_id": "r", "type": "digital-goods", "currency": "INR", "total_amount": {"value": 1, "offset": 100}}}},
    {"type": "order_status", "body": BODY, "action": {"name": "review_order", "parameters": {"reference_id": "r", "order": {"status": "shipped"}}}},
    {"type": "call_permission_request", "action": {"name": "call_permission_request"}},
    {"type": "voice_call", "body": BODY, "action": {"name": "voice_call", "parameters": {"display_text": "Call", "ttl_minutes": 100}}},
    {"type": "request_contact_info", "body": BODY, "action": {"name": "request_contact_info"}},
]]
contents += [("template", template(*c)) for c in [
    (), ({"type": "header", "parameters": [{"type": "text", "text": "A1", "parameter_name": "order_no"}]}, PARAMETERS),
    ({"type": "header", "parameters": [{"type": "image", "image": LINK}]}, button("url", type="text", text="9")),
    ({"type": "header", "parameters": [{"type": "document", "document": dict(LINK, filename="a.pdf")}]},
     button("quick_reply", type="payload", payload="p")),
    ({"type": "header", "parameters": [{"type": "location", "location": {"latitude": "1", "longitude": "2"}}]},
     button("copy_code", type="coupon_code", coupon_code="SAVE20")),
    (button("flow", type="action", action={"flow_token": "t", "flow_action_data": {"a": 1}}),),
    ({"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1700000000000}}]},),
    ({"type": "carousel", "cards": [{"card_index": i, "components": [{"type": "header", "parameters": [{"type": "image", "image": LINK}]}]}
                                    for i in (0, 1)]},),
]]

def put(body, want, tenant, ident):
    print(json.dumps({"body": body, "tenant_id": tenant, "id": ident, "expect": "sent"}))
    wanted.write(json.dumps(want) + "\n")
def own(more, want):
    global n
    n += 1
    put(dict({"id": "own-%d" % n, "tenant_id": "t1", "account_id": "t1-a1"}, **more), want, "t1", "own-%d" % n)
def second(waba, want):
    global n
    n += 1
    put({"metadata": {"tenantId": "t1", "phoneNumberId": pnid, "internalId": "second-%d" % n}, "wabaPayload": waba}, want, "t1", "second-%d" % n)

for i, (kind, payload) in enumerate(contents):
    to = "+49151%07d" % (i + 1)
    whole = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": kind, kind: payload}
    own({"to": to, "type": kind, kind: payload}, whole)
    second(dict(whole, recipient_type=None), whole)
text = {"type": "text", "text": {"body": "hi"}}
rest = {"messaging_product": "whatsapp", "recipient_type": "individual"}
own(dict(text, to="+491520000001", context={"message_id": "wamid.HBgLMTY1"}, recipient_identity_key_hash="h"),
    dict(rest, to="+491520000001", context={"message_id": "wamid.HBgLMTY1"}, recipient_identity_key_hash="h", **text))
own(dict(text, recipient="US.13491208655302741918"), dict(rest, recipient="US.13491208655302741918", **text))
own(dict(text, recipient_type="group", to="Y2FwaV9ncm91cDox"), dict(rest, recipient_type="group", to="Y2FwaV9ncm91cDox", **text))
read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgLMTY1"}
typing = dict(read, typing_indicator={"type": "text"})
own({"type": "read", "read": {"message_id": "wamid.HBgLMTY1"}}, read)
own({"type": "typing", "typing": {"message_id": "wamid.HBgLMTY1"}}, typing)
second(read, read)
second(typing, typing)
PY
test_expect_success 'each example of the documentation is published, in both forms' '
	pnid=$(number_of t1-a1) &&
	python3 make-messages "$pnid" >messages &&
	publish <messages
'
test_expect_success 'all of them are sent, read receipts and typing too' '
	wait_for "[[ \$(total sent) -ge $(wc -l <messages) ]]" &&
	wait_for at_rest
'
test_expect_success 'Graph saw each as it was meant, and nothing else' '
	sandbox_ledger >ledger.ndjson &&
	python3 - <<-\PY
	import collections, json
	def canon(o): return json.dumps(o, sort_keys=True)
	seen, wanted = collections.Counter(), collections.Counter(canon(json.loads(l)) for l in open("wanted"))
	for post in map(json.loads, open("ledger.ndjson")):
	    body = post["body"]
	    callback = body.pop("biz_opaque_callback_data", None)
	    assert (callback is None) == (body.get("status") == "read"), body
	    seen[canon(body)] += 1
	assert seen == wanted, (list((seen - wanted))[:3], list((wanted - seen))[:3])
	PY
'
test_expect_success 'a control message is told of, and there is no WAMID' '
	id=$(python3 -c "
import json
for l in open(\"messages\"):
    m = json.loads(l)
    if m[\"body\"].get(\"type\") == \"read\": print(m[\"id\"])") &&
	wamctl -j message why t1 "$id" >why.json &&
	test_grep "\"state\": ?\"sent\"" why.json && ! grep wamid why.json &&
	load peek --queue t.events | grep "\"$id\"" >event && test_grep "\"accepted\"" event && ! grep wamid event &&
	[[ -z $(redis --scan --pattern "*w:{*}:") ]]
'
test_expect_success 'what breaks a rule is dead at once, and its error names the place and nothing of the content' '
	publish <<-\END &&
	{"body":{"id":"bad-1","tenant_id":"t1","account_id":"t1-a1","to":"+491511234567","type":"interactive","interactive":{"type":"button","body":{"text":"b"},"action":{"buttons":[{"type":"reply","reply":{"id":"a","title":"SECRET title, too long"}}]}}},"expect":"dead:bad_content"}
	{"body":{"id":"bad-2","tenant_id":"t1","account_id":"t1-a1","to":"+491511234567","type":"image","image":{"id":"1","link":"https://example.com"}},"expect":"dead:bad_content"}
	{"body":{"id":"bad-3","tenant_id":"t1","account_id":"t1-a1","to":"+491511234567","type":"hologram","hologram":{}},"expect":"dead:unsupported_type"}
	END
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 3 ]]" &&
	wait_for at_rest &&
	load peek --queue whatsapp.outbound.dlq >dlq &&
	test_grep "interactive.action.buttons\[0\].reply.title: found 22 characters, allowed 1 to 20" dlq &&
	test_grep "image: found several, allowed exactly one of id, link and media" dlq &&
	! grep SECRET "$DIR/wamd.log"
'
test_expect_success 'a type that wamd does not know goes to Graph once it may' '
	graph_reset &&
	mkdir -p "$DIR/conf.d" &&
	echo "message: { unknown_types = \"pass\"; };" >"$DIR/conf.d/types.conf" &&
	wamctl reload && wait_for "wamctl status" && wait_for "! wamctl status | grep draining" &&
	publish <<-\END &&
	{"body":{"id":"new-1","tenant_id":"t1","account_id":"t1-a1","to":"+491511234567","type":"hologram","hologram":{"depth":3}},"expect":"dead:refused"}
	END
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 4 ]]" &&
	sandbox_ledger >ledger.ndjson && test_grep "\"hologram\":\{\"depth\":3\}" ledger.ndjson
'
test_done
