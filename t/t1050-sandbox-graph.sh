#!/usr/bin/env bash
# The sandbox beside sending: Graph's nodes for tokens, accounts, templates and media, the tenant service and the state manager, as curl sees them.
. "$(dirname "$0")/lib.sh"

umask 077
cat >accounts.json <<'END'
[{"tenant_id":"t1","account_id":"t1-a1","phone_number_id":"100001","waba_id":"9001","access_token":"TOKEN-1","app_id":"777","app_secret":"one"},
 {"tenant_id":"t1","account_id":"t1-a2","phone_number_id":"100002","waba_id":"9001","access_token":"TOKEN-2","app_id":"777","app_secret":"one"},
 {"tenant_id":"t2","account_id":"t2-a1","phone_number_id":"200001","waba_id":"9002","access_token":"TOKEN-3","app_id":"778","app_secret":"two",
  "require_appsecret_proof":true,"tenant_tier":"gold"}]
END
echo service-token >service.token
"$WAMD_BUILD/wamd-sandbox" --accounts accounts.json --tls-dir tls --tenant-token service.token --state-token service.token --token-life 60 --keep-bodies >sandbox.out 2>sandbox.log &
sandbox=$!
# shellcheck disable=SC2317 # called by trap
stop_sandbox() {
	local rc=$?
	kill "$sandbox" 2>/dev/null
	wait "$sandbox"
	(exit "$rc")
	test_cleanup
}
trap stop_sandbox EXIT

message='{"messaging_product":"whatsapp","to":"+16505551234","type":"text","text":{"body":"hello"}}'
now=$(date +%s)

# ask [CURL OPTION...] URL: body to out, head to head; the status is printed.
ask() { curl -gsS --cacert tls/ca.pem -D head -o out -w '%{http_code}\n' "$@"; }
graph() { local path=$1; shift; ask -H "Authorization: Bearer $token" "$@" "$url/v25.0/$path"; }
order() { local path=$1; shift; ask "$@" "$url/_sandbox/$path" >status && grep -q "^200$" status || { cat status out; return 1; }; }
service() { local path=$1; shift; ask -H "Authorization: Bearer service-token" "$@" "$url/tenant-service/$path"; }
# is STATUS COMMAND...
is() {
	local want=$1 got
	shift
	got=$("$@")
	[[ $got == "$want" ]] || { echo "not $want but $got:"; cat out; return 1; }
}
# out_is PYTHON: an expression about the answer d.  The interpreter itself and bare, not what finds it: it starts 200 times.
python=$(python3 -c "import sys; print(sys.executable)")
out_is() { "$python" -SE -c "import json; d = json.load(open('out')); assert ($1), d"; }
token=TOKEN-1

test_expect_success 'it listens' '
	wait_for "grep -q ^listening sandbox.out" 20 &&
	url=$(sed -n "s/^listening //p" sandbox.out)
'

# ---- tokens ----
test_expect_success 'a token that expired, was revoked or became invalid gets 190 with its subcode, a new one works' '
	is 200 graph 100001/messages -d "$message" &&
	order tokens -d "{\"account\":\"t1-a1\",\"state\":\"expired\",\"new_token\":\"TOKEN-1b\"}" &&
	is 401 graph 100001/messages -d "$message" &&
	out_is "d[\"error\"][\"code\"] == 190 and d[\"error\"][\"error_subcode\"] == 463 and d[\"error\"][\"fbtrace_id\"]" &&
	is 401 graph 100001 &&
	token=TOKEN-1b && is 200 graph 100001/messages -d "$message" &&
	order tokens -d "{\"token\":\"TOKEN-1b\",\"state\":\"revoked\"}" && is 401 graph 100001 && out_is "d[\"error\"][\"error_subcode\"] == 460" &&
	order tokens -d "{\"token\":\"TOKEN-1b\",\"state\":\"invalid\",\"subcode\":492}" && is 401 graph 100001 && out_is "d[\"error\"][\"error_subcode\"] == 492" &&
	order tokens -d "{\"account\":\"100001\",\"state\":\"valid\"}" && is 200 graph 100001 &&
	order tokens -d "{\"token\":\"TOKEN-1b\",\"expires_in\":0}" && is 401 graph 100001 && out_is "d[\"error\"][\"error_subcode\"] == 463" &&
	token=unheard-of && is 401 graph 100001 && out_is "\"error_subcode\" not in d[\"error\"]" &&
	token=TOKEN-1
'
test_expect_success 'debug_token answers an app and the tokens of the same app' '
	is 200 ask "$url/v25.0/debug_token?input_token=TOKEN-2&access_token=777%7Cone" &&
	out_is "d[\"data\"][\"is_valid\"] and d[\"data\"][\"app_id\"] == \"777\" and d[\"data\"][\"granular_scopes\"][0][\"target_ids\"] == [\"9001\"]" &&
	is 200 graph "debug_token?input_token=TOKEN-1b" &&
	out_is "not d[\"data\"][\"is_valid\"] and d[\"data\"][\"error\"][\"subcode\"] == 463" &&
	is 400 graph "debug_token?input_token=TOKEN-3" &&
	is 401 ask "$url/v25.0/debug_token?input_token=TOKEN-2&access_token=777%7Cwrong"
'
test_expect_success 'an exchange gives a token with an end, the old one stays; a revoked one is gone' '
	is 400 ask "$url/v25.0/oauth/access_token?grant_type=fb_exchange_token&client_id=777&client_secret=two&fb_exchange_token=TOKEN-1" &&
	is 200 ask "$url/v25.0/oauth/access_token?grant_type=fb_exchange_token&client_id=777&client_secret=one&fb_exchange_token=TOKEN-1" &&
	out_is "d[\"token_type\"] == \"bearer\" and d[\"expires_in\"] == 60" &&
	new=$(python3 -c "import json; print(json.load(open(\"out\"))[\"access_token\"])") &&
	is 200 graph 100001 && token=$new && is 200 graph 100001/messages -d "$message" &&
	is 200 ask "$url/v25.0/oauth/revoke?client_id=777&client_secret=one&revoke_token=$new" && out_is "d[\"success\"]" &&
	is 401 graph 100001 && token=TOKEN-1
'
test_expect_success 'appsecret_proof is wanted where the account says so, from sends, too' '
	proof=$(printf TOKEN-3 | openssl dgst -sha256 -hmac two -r | cut -d" " -f1) && token=TOKEN-3 &&
	is 400 graph 200001 && out_is "d[\"error\"][\"code\"] == 100 and \"appsecret_proof\" in d[\"error\"][\"message\"]" &&
	is 400 graph 200001/messages -d "$message" && is 400 graph "200001/messages?appsecret_proof=00" -d "$message" &&
	is 200 graph "200001/messages?appsecret_proof=$proof" -d "$message" && is 200 graph "200001?appsecret_proof=$proof" &&
	token=TOKEN-1 && is 400 graph "100001?appsecret_proof=$proof"
'

# ---- numbers and business accounts ----
test_expect_success 'a number has the fields that are asked for, and Meta'"'"'s without' '
	is 200 graph 100001 && out_is "d[\"throughput\"] == {\"level\": \"STANDARD\"} and d[\"id\"] == \"100001\" and \"status\" not in d" &&
	is 200 graph "100002?fields=quality_rating,health_status" && out_is "sorted(d) == [\"health_status\", \"id\", \"quality_rating\"]" &&
	is 400 graph "100001?fields=nonsense" && out_is "\"(nonsense)\" in d[\"error\"][\"message\"]" &&
	is 400 graph 200001 && out_is "d[\"error\"][\"error_subcode\"] == 33" &&
	is 400 ask -H "Authorization: Bearer TOKEN-1" "$url/vX/100001" && is 401 ask "$url/v25.0/100001" &&
	is 200 ask "$url/v25.0/100001?access_token=TOKEN-1"
'
test_expect_success 'what is ordered for a node is said, and the worst entity counts' '
	order nodes -d "{\"id\":\"100001\",\"fields\":{\"quality_rating\":\"RED\",\"throughput\":{\"level\":\"HIGH\"}}}" &&
	order nodes -d "{\"id\":\"9001\",\"fields\":{\"account_review_status\":\"REJECTED\"},\"health\":{\"WABA\":{\"can_send_message\":\"BLOCKED\",\"errors\":[{\"error_code\":141006}]}}}" &&
	is 200 graph "100001?fields=quality_rating,throughput,health_status" &&
	out_is "d[\"quality_rating\"] == \"RED\" and d[\"health_status\"][\"can_send_message\"] == \"BLOCKED\" and len(d[\"health_status\"][\"entities\"]) == 4" &&
	is 200 graph "9001?fields=account_review_status" && out_is "d[\"account_review_status\"] == \"REJECTED\"" &&
	order nodes -d "{\"id\":\"9001\",\"health\":{\"WABA\":null}}" &&
	is 200 graph "100001?fields=health_status" && out_is "d[\"health_status\"][\"can_send_message\"] == \"AVAILABLE\"" &&
	! order nodes -d "{\"id\":\"9001\",\"fields\":{\"nonsense\":1}}"
'
test_expect_success 'lists come in pages, by next and by cursors' '
	is 200 graph "9001/phone_numbers?limit=1&fields=verified_name" && out_is "[n[\"id\"] for n in d[\"data\"]] == [\"100001\"]" &&
	next=$(python3 -c "import json; print(json.load(open(\"out\"))[\"paging\"][\"next\"])") &&
	is 200 ask -H "Authorization: Bearer TOKEN-1" "$next" &&
	out_is "[n[\"id\"] for n in d[\"data\"]] == [\"100002\"] and \"next\" not in d[\"paging\"] and d[\"paging\"][\"previous\"]" &&
	is 400 graph "9001/phone_numbers?after=nonsense" &&
	is 200 graph "9001/template_analytics?start=$((now - 864000))&end=$now&granularity=daily&template_ids=[1,2]&limit=100" &&
	all=$(python3 -c "import json; print(len(json.load(open(\"out\"))[\"data\"][0][\"data_points\"]))") && [[ $all -ge 20 ]] &&
	is 200 graph "9001/template_analytics?start=$((now - 864000))&end=$now&granularity=daily&template_ids=[1,2]&limit=3" &&
	out_is "len(d[\"data\"][0][\"data_points\"]) == 3 and d[\"paging\"][\"next\"]"
'
test_expect_success 'analytics are fields with arguments' '
	is 200 graph "9001?fields=analytics.start($((now - 86400))).end($now).granularity(DAY),pricing_analytics.start($((now - 86400))).end($now).granularity(DAILY)" &&
	out_is "d[\"analytics\"][\"phone_numbers\"] == [\"100001\", \"100002\"] and d[\"analytics\"][\"data_points\"][0][\"sent\"] > 0 and d[\"pricing_analytics\"][\"data\"][0][\"data_points\"]" &&
	is 400 graph "9001?fields=analytics.start(1).end($now).granularity(DAILY)"
'
test_expect_success 'subscribed apps' '
	is 200 graph 9001/subscribed_apps -X POST && is 200 graph 9001/subscribed_apps &&
	out_is "d[\"data\"][0][\"whatsapp_business_api_data\"][\"id\"] == \"777\"" &&
	is 200 graph 9001/subscribed_apps -X DELETE && is 200 graph 9001/subscribed_apps && out_is "d[\"data\"] == []"
'
profile() { graph 100001/whatsapp_business_profile -H "Content-Type: application/json" -d "{\"messaging_product\":\"whatsapp\",$1}"; }
test_expect_success 'a profile keeps what is within the limits, and its picture is an upload that came in two pieces' '
	is 200 profile "\"about\":\"We sell\",\"websites\":[\"https://example.com\"],\"vertical\":\"RETAIL\"" &&
	is 400 profile "\"about\":\"\"" && is 400 profile "\"vertical\":\"SPACE\"" && is 400 profile "\"websites\":[\"example.com\"]" &&
	is 400 profile "\"about\":\"$(printf "%0140d" 0)\"" && is 400 profile "\"profile_picture_handle\":\"4::no\"" &&
	is 200 graph "777/uploads?file_name=p.png&file_length=10&file_type=image/png" -X POST &&
	id=$(python3 -c "import json; print(json.load(open(\"out\"))[\"id\"])") &&
	is 200 ask -H "Authorization: OAuth TOKEN-1" -H "file_offset: 0" --data-binary 12345 "$url/v25.0/$id" &&
	is 200 ask -H "Authorization: OAuth TOKEN-1" "$url/v25.0/$id" && out_is "d[\"file_offset\"] == 5" &&
	is 400 ask -H "Authorization: OAuth TOKEN-1" -H "file_offset: 4" --data-binary 12345 "$url/v25.0/$id" &&
	is 401 ask -H "Authorization: Bearer TOKEN-1" -H "file_offset: 5" --data-binary 12345 "$url/v25.0/$id" &&
	is 200 ask -H "Authorization: OAuth TOKEN-1" -H "file_offset: 5" --data-binary 12345 "$url/v25.0/$id" &&
	is 200 profile "\"profile_picture_handle\":\"$(python3 -c "import json; print(json.load(open(\"out\"))[\"h\"])")\"" &&
	is 200 graph 100001/whatsapp_business_profile &&
	out_is "d[\"data\"][0][\"about\"] == \"We sell\" and \"100001\" in d[\"data\"][0][\"profile_picture_url\"]"
'
test_expect_success 'too many management calls: 80008, and how long it takes' '
	order limit -d "{\"waba_id\":\"9001\",\"calls_per_hour\":1}" && is 200 graph 9001 && is 400 graph 9001 &&
	out_is "d[\"error\"][\"code\"] == 80008 and d[\"error\"][\"is_transient\"]" &&
	test_grep "^x-business-use-case-usage: .*\"9001\".*\"call_count\":100,.*\"estimated_time_to_regain_access\":60" head &&
	is 200 graph 100001/messages -d "$message" &&
	order limit -d "{\"waba_id\":\"9001\",\"calls_per_hour\":null}" && is 200 graph 9001
'

# ---- templates ----
put_templates() { order templates -d "$1"; }
named() { is 200 graph "9001/message_templates?fields=name&$1" && out_is "[t[\"name\"] for t in d[\"data\"]] == $2"; }
# template NAME [COMPONENTS]: sends it from 100001
template() {
	graph 100001/messages -d "{\"messaging_product\":\"whatsapp\",\"to\":\"+16505551001\",\"type\":\"template\",
		\"template\":{\"name\":\"$1\",\"language\":{\"code\":\"en\"},\"components\":[${2-}]}}"
}
code_is() { test_grep "\"code\":$1," out; }
member() { "$python" -SE -c "import json; print(json.load(open('out'))$1)"; }
text_body='{"type":"body","parameters":[{"type":"text","text":"Ann"}]}'

test_expect_success 'a list of 600 templates: pages, filters, fields, a summary' '
	put_templates "{\"waba_id\":\"9001\",\"count\":600,\"name\":\"tpl_%d\",\"language\":\"en\",\"components\":[{\"type\":\"BODY\",\"text\":\"Hi {{1}}.\"}]}" &&
	put_templates "[{\"waba_id\":\"9001\",\"id\":\"5001\",\"name\":\"sale\",\"language\":\"de\",\"status\":\"PAUSED\",\"category\":\"MARKETING\",
		\"quality_score\":{\"score\":\"RED\"},\"components\":[{\"type\":\"BODY\",\"text\":\"Cheap shoes\"}]},
		{\"name\":\"short\",\"language\":\"en\",\"body_parameters\":1},{\"waba_id\":\"9002\",\"name\":\"theirs\",\"language\":\"en\"}]" &&
	is 200 graph 9001/message_templates && out_is "len(d[\"data\"]) == 25 and \"quality_score\" not in d[\"data\"][0] and d[\"data\"][0][\"status\"] == \"APPROVED\"" &&
	is 200 graph "9001/message_templates?limit=500&fields=id,name,status,components,quality_score&summary=total_count,message_template_limit" &&
	out_is "len(d[\"data\"]) == 500 and d[\"summary\"] == {\"total_count\": 602, \"message_template_limit\": 6000} and d[\"data\"][0][\"components\"][0][\"type\"] == \"BODY\"" &&
	next=$(member "[\"paging\"][\"next\"]") && is 200 ask -H "Authorization: Bearer $token" "$next" &&
	out_is "len(d[\"data\"]) == 102 and \"next\" not in d[\"paging\"] and d[\"data\"][-1][\"name\"] == \"short\"" &&
	named name=sal "[\"sale\"]" && named status=paused "[\"sale\"]" && named category=marketing "[\"sale\"]" && named language=de "[\"sale\"]" &&
	named quality_score=RED "[\"sale\"]" && named content=shoes "[\"sale\"]" && named name_or_content=SHOES "[\"sale\"]" &&
	named "status=PAUSED,APPROVED&name=tpl_600" "[\"tpl_600\"]" && named name=theirs "[]" &&
	is 400 graph "9001/message_templates?fields=nonsense" && code_is 100 && is 400 graph 9002/message_templates && code_is 100
'
test_expect_success 'a stale cursor, a cursor that was ordered to be one, a page that is too heavy' '
	is 200 graph "9001/message_templates?limit=10" && after=$(member "[\"paging\"][\"cursors\"][\"after\"]") &&
	is 200 graph "9001/message_templates?after=$after" &&
	put_templates "{\"knobs\":{\"stale_cursors\":1,\"page_max\":100}}" &&
	is 400 graph "9001/message_templates?after=$after" && code_is 131059 && is 200 graph "9001/message_templates?after=$after" &&
	is 400 graph "9001/message_templates?limit=101" && code_is 1 && grep -q "reduce the amount of data" out &&
	put_templates "{\"waba_id\":\"9001\",\"name\":\"one_more\",\"language\":\"en\"}" &&
	is 400 graph "9001/message_templates?after=$after" && code_is 131059 &&
	is 400 ask -H "Authorization: Bearer $token" "$url/v23.0/9001/message_templates?after=$after" && code_is 100
'
test_expect_success 'one template by its id; what is ordered changes it' '
	is 200 graph "5001?fields=name,status,health_status" && out_is "d[\"status\"] == \"PAUSED\" and d[\"id\"] == \"5001\" and d[\"health_status\"]" &&
	order templates -X PATCH -d "{\"name\":\"sale\",\"status\":\"APPROVED\",\"category\":\"UTILITY\"}" &&
	is 200 graph 5001 && out_is "d[\"status\"] == \"APPROVED\" and d[\"category\"] == \"UTILITY\" and d[\"name\"] == \"sale\"" &&
	! order templates -X PATCH -d "{\"name\":\"unheard_of\",\"status\":\"APPROVED\"}" &&
	token=TOKEN-3 && is 400 graph "5001?appsecret_proof=$proof" && out_is "d[\"error\"][\"error_subcode\"] == 33" && token=TOKEN-1
'
test_expect_success 'templates are created, edited, unpaused and deleted within the rules' '
	is 200 graph 9001/message_templates -H "Content-Type: application/json" -d "{\"name\":\"mine\",\"language\":\"en\",\"category\":\"utility\",\"components\":[{\"type\":\"BODY\",\"text\":\"Hi {{1}}, there.\"}]}" &&
	out_is "d[\"status\"] == \"PENDING\" and d[\"category\"] == \"UTILITY\"" && id=$(member "[\"id\"]") &&
	is 404 template mine "$text_body" && code_is 132001 &&
	is 400 graph "$id" -d "category=MARKETING" && code_is 2388039 &&
	order templates -X PATCH -d "{\"name\":\"mine\",\"status\":\"APPROVED\"}" && is 200 template mine "$text_body" &&
	is 400 graph "$id" -d "category=MARKETING" && code_is 100 &&
	is 200 graph "$id" -H "Content-Type: application/json" -d "{\"components\":[{\"type\":\"BODY\",\"text\":\"Now {{1}} and {{2}}.\"}]}" && is 404 template mine "$text_body" &&
	order templates -X PATCH -d "{\"name\":\"mine\",\"status\":\"APPROVED\"}" && is 400 template mine "$text_body" && code_is 132000 &&
	is 400 graph "$id" -d "message_send_ttl_seconds=60" && code_is 2388039 &&
	is 400 graph 9001/message_templates -d "name=Bad%20Name&language=en&category=UTILITY" && code_is 100 &&
	is 400 graph 9001/message_templates -d "name=mine&language=en&category=UTILITY&components=[]" && code_is 100 &&
	is 400 graph 9001/message_templates -d "name=edge&language=en&category=UTILITY&components=[{\"type\":\"BODY\",\"text\":\"{{1}} is first\"}]" && code_is 2388299 &&
	order templates -X PATCH -d "{\"name\":\"mine\",\"status\":\"PAUSED\"}" && is 400 template mine && code_is 132015 &&
	is 200 graph "$id/unpause" -X POST && is 400 graph "$id/unpause" -X POST &&
	order templates -X PATCH -d "{\"name\":\"mine\",\"status\":\"DISABLED\"}" && is 400 template mine && code_is 132016 &&
	is 400 graph "9001/message_templates?name=mine" -X DELETE && order templates -X PATCH -d "{\"name\":\"mine\",\"status\":\"APPROVED\"}" &&
	is 400 graph "9001/message_templates?name=mine&hsm_id=1" -X DELETE && is 200 graph "9001/message_templates?name=mine&hsm_id=$id" -X DELETE &&
	is 404 template mine && is 400 graph 9001/message_templates -d "name=mine&language=en&category=UTILITY&components=[{\"type\":\"BODY\",\"text\":\"Hi.\"}]" && grep -q "30 days" out
'
test_expect_success 'the quota of templates and of creations in an hour' '
	put_templates "{\"knobs\":{\"templates_max\":1}}" && create="name=new&language=en&category=UTILITY&components=[{\"type\":\"BODY\",\"text\":\"Hi.\"}]" &&
	is 400 graph 9001/message_templates -d "$create" && code_is 2388019 && put_templates "{\"knobs\":{\"templates_max\":6000,\"creations_per_hour\":1}}" &&
	is 400 graph 9001/message_templates -d "$create" && code_is 80012 &&
	put_templates "{\"knobs\":{\"creations_per_hour\":100,\"review\":\"APPROVED\"}}" && is 200 graph 9001/message_templates -d "$create" &&
	out_is "d[\"status\"] == \"APPROVED\"" && is 200 template new
'
test_expect_success 'sends are compared with the definition; the ledger has what the recipient sees, the catalogue what became of them' '
	order reset -X POST &&
	is 200 template tpl_7 "$text_body" && out_is "d[\"messages\"][0][\"message_status\"] == \"accepted\"" &&
	is 400 template tpl_7 && code_is 132000 &&
	is 400 template tpl_7 "{\"type\":\"header\",\"parameters\":[{\"type\":\"image\",\"image\":{\"id\":\"1\"}}]},$text_body" && code_is 132012 &&
	is 400 template tpl_7 "{\"type\":\"body\",\"parameters\":[{\"type\":\"text\",\"text\":\"a\\nb\"}]}" && code_is 132018 &&
	is 200 template short "$text_body" && is 400 template short && code_is 132000 && is 404 template theirs && code_is 132001 &&
	order ledger && head -n 1 out >first && mv first out &&
	out_is "d[\"rendered\"] == {\"header\": None, \"body\": \"Hi Ann.\", \"footer\": None, \"buttons\": []} and d[\"body\"][\"type\"] == \"template\"" &&
	order "templates?name=tpl_7" && out_is "[(t[\"accepted\"], t[\"refused\"]) for t in d] == [(1, 2)]" &&
	order "templates?name=tpl_7" -X DELETE && is 404 template tpl_7 "$text_body" &&
	order templates -X DELETE && is 200 template anything && is 200 graph 9001/message_templates && out_is "d[\"data\"] == []"
'
test_expect_success 'template calls have faults and a limit of their own' '
	order faults -d "[{\"fault\":\"error\",\"code\":2,\"times\":1,\"match\":{\"route\":\"templates\"}}]" &&
	is 503 graph 9001/message_templates && is 200 graph 9001/message_templates &&
	order limit -d "{\"waba_id\":\"9001\",\"calls_per_hour\":1}" && is 200 graph 9001/message_templates && is 400 graph 9001/message_templates && code_is 80008 &&
	order limit -d "{\"waba_id\":\"9001\",\"calls_per_hour\":null}"
'

# ---- media ----
# upload FILE TYPE [CURL OPTION...]
upload() { local file=$1 type=$2; shift 2; graph 100001/media -F messaging_product=whatsapp -F "file=@$file;type=$type" -F "type=$type" "$@"; }
image() { graph "$1/messages" -d "{\"messaging_product\":\"whatsapp\",\"to\":\"+16505551001\",\"type\":\"image\",\"image\":{\"id\":\"$2\"}}"; }

test_expect_success 'before the first upload a message may name any media id' '
	is 200 image 100001 4711 && order media && out_is "d == []" &&
	order media -d "{\"strict\":true}" && is 400 image 100001 4711 && code_is 100 && order media -d "{\"strict\":false}" && is 200 image 100001 4711
'
test_expect_success 'an upload is known by its id, its hash and its size, to its number only' '
	printf "\377\330\377\340picture" >a.jpg && is 200 upload a.jpg image/jpeg && id=$(member "[\"id\"]") &&
	is 200 graph "$id?phone_number_id=100001" && sum=$(sha256sum <a.jpg | cut -d" " -f1) &&
	out_is "d[\"sha256\"] == \"$sum\" and d[\"file_size\"] == 11 and d[\"mime_type\"] == \"image/jpeg\" and d[\"id\"] == \"$id\" and d[\"url\"]" &&
	is 400 graph "$id?phone_number_id=100002" && out_is "d[\"error\"][\"error_subcode\"] == 33" &&
	is 200 image 100001 "$id" && token=TOKEN-2 && is 400 image 100002 "$id" && code_is 100 && token=TOKEN-1 &&
	is 400 image 100001 4711 && grep -q "media attachment ID" out &&
	order media && out_is "[(m[\"phone_number_id\"], m[\"sha256\"], m[\"sends\"], m[\"filename\"]) for m in d] == [(\"100001\", \"$sum\", 1, \"a.jpg\")]" &&
	is 200 graph "$id" -X DELETE && is 400 graph "$id" && is 400 image 100001 "$id"
'
test_expect_success 'ids end' '
	is 200 upload a.jpg image/jpeg && id=$(member "[\"id\"]") && is 200 image 100001 "$id" &&
	order media -d "{\"expire\":\"$id\"}" && is 400 image 100001 "$id" && code_is 100 && is 400 graph "$id" && code_is 100 &&
	! order media -d "{\"expire\":\"4711\"}" && order media -d "{\"expire\":\"all\"}" &&
	order media && out_is "[m[\"state\"] for m in d] == [\"deleted\", \"expired\"]"
'
test_expect_success 'what Meta does not take: types, sizes, empty files, other bytes than the type says, half a form' '
	is 400 upload a.jpg image/gif && code_is 100 && grep -q "one of the following types" out &&
	is 400 upload a.jpg image/png && code_is 131053 &&
	: >empty && is 400 upload empty text/plain && code_is 131053 &&
	{ cat a.jpg && head -c 6000000 /dev/zero; } >big.jpg && is 400 upload big.jpg image/jpeg && code_is 131053 && grep -q 5242880 out &&
	is 400 graph 100001/media -F messaging_product=whatsapp -F type=image/jpeg && code_is 100 &&
	is 400 graph 100001/media -F "file=@a.jpg;type=image/jpeg" && code_is 100 && is 400 graph 100001/media -d x && code_is 100 &&
	is 400 upload a.jpg image/jpeg -F "file=@a.jpg;type=image/jpeg" && token=TOKEN-3 && is 400 upload a.jpg image/jpeg && token=TOKEN-1
'
test_expect_success 'a file larger than any other body comes through, on HTTP/1.1 in chunks, too; its bytes are not kept' '
	{ printf %%PDF- && head -c 20000000 /dev/zero; } >big.pdf && is 200 upload big.pdf application/pdf && id=$(member "[\"id\"]") &&
	is 200 upload big.pdf application/pdf --http1.1 -H "Transfer-Encoding: chunked" &&
	is 200 graph "$id" && out_is "d[\"file_size\"] == 20000005 and d[\"sha256\"] == \"$(sha256sum <big.pdf | cut -d" " -f1)\"" &&
	is 413 graph 100001/messages --http1.1 -H "Expect:" --data-binary @big.pdf &&
	order stats && out_is "d[\"rss_kb\"] < 200000"
'
test_expect_success 'uploads have faults: an error, an end amid the body' '
	order faults -d "{\"fault\":\"error\",\"code\":131053,\"times\":1,\"match\":{\"route\":\"media_upload\"}}" &&
	is 400 upload a.jpg image/jpeg && code_is 131053 &&
	order faults -d "{\"fault\":\"cut_request\",\"after\":1000000,\"times\":1,\"match\":{\"route\":\"media_upload\"}}" && ! upload big.pdf application/pdf && is 200 upload a.jpg image/jpeg &&
	order media -X DELETE && is 200 image 100001 4711 && order faults -X DELETE
'

# ---- the tenant service ----
test_expect_success 'a tenant, 304 while nothing changes, 404, and 401 without the token' '
	is 401 ask "$url/tenant-service/v1/tenants/t1" && is 404 service v1/tenants/t9 && is 404 service v1/nonsense &&
	is 200 service v1/tenants/t1 && out_is "d[\"status\"] == \"active\" and [a[\"access_token\"] for a in d[\"accounts\"]] == [\"TOKEN-1\", \"TOKEN-2\"]" &&
	etag=$(sed -n "s/^etag: \(.*\)\r/\1/p" head) &&
	is 304 service v1/tenants/t1 -H "If-None-Match: $etag" &&
	is 200 service v1/tenants/t1/accounts/t1-a1/token -X PUT -d "{\"access_token\":\"STORED\",\"token_expires_at\":1900000000}" &&
	is 200 service v1/tenants/t1 -H "If-None-Match: $etag" &&
	out_is "d[\"accounts\"][0][\"access_token\"] == \"STORED\" and d[\"accounts\"][0][\"token_expires_at\"] == 1900000000" &&
	is 400 service v1/tenants/t1/accounts/t1-a1/token -X PUT -d "{}" && is 404 service v1/tenants/t1/accounts/no/token -X PUT -d "{}"
'
test_expect_success 'the shape of the field' '
	is 200 service tenants/t1/credentials/meta && out_is "d == {\"accessToken\": \"STORED\"}" &&
	is 200 service tenants/t2/whatsapp && out_is "d[\"phoneNumberId\"] == \"200001\" and d[\"accessToken\"] != \"TOKEN-3\"" &&
	is 200 service tenants/by-phone/200001 && out_is "d == {\"tenantId\": \"t2\"}" && is 404 service tenants/by-phone/1
'
test_expect_success 'tenants are changed, suspended, removed; and each read is counted' '
	order reset -X POST &&
	order tenants/t2 -X PATCH -d "{\"status\":\"suspended\",\"accounts\":[{\"account_id\":\"t2-a2\",\"phone_number_id\":\"200002\"}]}" &&
	is 200 service v1/tenants/t2 && out_is "d[\"status\"] == \"suspended\" and d[\"tier\"] == \"gold\" and len(d[\"accounts\"]) == 2" &&
	order tenants/t2/accounts/t2-a1 -X DELETE && is 200 service v1/tenants/t2 && out_is "len(d[\"accounts\"]) == 1" &&
	order tenants/t2 -X DELETE && is 404 service v1/tenants/t2 &&
	order tenants/t2 -X PUT -d "{\"status\":\"active\"}" && is 200 service v1/tenants/t2 &&
	order tenants/calls && out_is "d == {\"t2\": 4}"
'
test_expect_success 'its faults: away, cut, slow, garbage, another shape; sends never see them, nor it theirs' '
	order faults -d "[{\"fault\":\"html\",\"http\":503,\"times\":1,\"match\":{\"route\":\"tenant\"}},
		{\"fault\":\"refuse_then_cut\",\"times\":1,\"match\":{\"path\":\"/tenant-service/*\"}},
		{\"fault\":\"garbage\",\"times\":1,\"match\":{\"route\":\"tenant\"}},
		{\"fault\":\"wrong_shape\",\"times\":1,\"match\":{\"route\":\"tenant\"}},
		{\"fault\":\"delay\",\"ms\":50,\"times\":1,\"match\":{\"path\":\"*/tenants/t1\"}},
		{\"fault\":\"error\",\"code\":2,\"match\":{\"route\":\"node\"}},{\"fault\":\"error\",\"code\":131016}]" &&
	is 503 service v1/tenants/t1 &&
	! service v1/tenants/t1 && is 200 service v1/tenants/t1 && ! python3 -m json.tool <out &&
	is 200 service v1/tenants/t1 && out_is "\"tenant_id\" not in d" &&
	is 200 service v1/tenants/t1 && out_is "d[\"tenant_id\"] == \"t1\"" &&
	is 503 graph 100001 && out_is "d[\"error\"][\"code\"] == 2" &&
	is 200 graph 9001/phone_numbers && is 500 graph 100001/messages -d "$message" &&
	order tenants/calls && out_is "d[\"t1\"] == 5" &&
	order stats && out_is "d[\"calls\"][\"tenant\"] == 9 and d[\"calls\"][\"node\"] == 1 and d[\"calls\"][\"messages\"] == 1" &&
	! order faults -d "{\"fault\":\"hang\",\"match\":{\"route\":\"nonsense\"}}"
'

# ---- the state manager ----
states() { local path=$1; shift; ask -H "Authorization: Bearer service-token" "$@" "$url/state-manager/$path"; }
said() { states "message/$1/status" -X PATCH -d "{\"status\":\"$2\",\"timestamp\":\"$3\"}"; }
test_expect_success 'a WAMID is bound once, and unknown before; 401 without the token' '
	order faults -X DELETE && is 401 ask "$url/state-manager/message" -d "{}" && is 404 said wamid.A%3D sent 2026-11-23T10:00:00Z &&
	is 400 states message -d "{\"wamid\":\"wamid.A=\"}" && is 201 states message -d "{\"wamid\":\"wamid.A=\",\"mappingId\":\"m1\"}" &&
	is 200 states message -d "{\"wamid\":\"wamid.A=\",\"mappingId\":\"m1\"}" && is 409 states message -d "{\"wamid\":\"wamid.A=\",\"mappingId\":\"m2\"}"
'
test_expect_success 'it takes single steps with newer times, and nothing else' '
	is 400 said wamid.A%3D delivered 2026-11-23T10:00:00Z && is 400 said wamid.A%3D sent 1764000000 && is 400 said wamid.A%3D seen 2026-11-23T10:00:00Z &&
	is 200 said wamid.A%3D sent 2026-11-23T10:00:00Z && is 400 said wamid.A%3D sent 2026-11-23T10:00:00Z && is 400 said wamid.A%3D sent 2026-11-23T10:00:01Z &&
	is 400 said wamid.A%3D delivered 2026-11-23T10:00:00.000Z && is 400 said wamid.A%3D delivered 2026-11-23T12:00:00+01:00 &&
	is 200 said wamid.A%3D delivered 2026-11-23T10:00:00.001Z && is 400 said wamid.A%3D failed 2026-11-23T10:00:09Z &&
	is 200 said wamid.A%3D read 2026-11-23T10:00:01Z &&
	order states && out_is "(d[\"bound\"], d[\"bound_again\"], d[\"taken\"], d[\"repeated\"], d[\"refused\"]) == (1, 1, 3, 1, 10)" &&
	out_is "d[\"messages\"][0][\"status\"] == \"read\" and len(d[\"messages\"][0][\"history\"]) == 4 and len(d[\"reasons\"]) == 10"
'
test_expect_success 'its faults: away, and taken without an answer' '
	order faults -d "[{\"fault\":\"html\",\"http\":503,\"times\":1,\"match\":{\"path\":\"/state-manager/*\"}},
		{\"fault\":\"accept_then_cut\",\"times\":1,\"match\":{\"route\":\"state_status\"}}]" &&
	is 503 states message -d "{\"wamid\":\"wamid.B\",\"mappingId\":\"m2\"}" && is 201 states message -d "{\"wamid\":\"wamid.B\",\"mappingId\":\"m2\"}" &&
	! said wamid.B sent 2026-11-23T10:00:00Z && order states && out_is "d[\"messages\"][1][\"status\"] == \"sent\"" &&
	order states -X DELETE && is 404 said wamid.B delivered 2026-11-23T10:00:01Z
'
test_expect_success 'the file is read again: tenants are as it says, tokens keep their state' '
	order faults -X DELETE && order tokens -d "{\"token\":\"TOKEN-2\",\"state\":\"revoked\"}" &&
	kill -HUP "$sandbox" && wait_for "grep -q accounts-loaded sandbox.log" &&
	is 200 service v1/tenants/t1 && out_is "d[\"accounts\"][0][\"access_token\"] == \"TOKEN-1\"" &&
	token=TOKEN-2 && is 401 graph 100002 && token=TOKEN-1 && is 200 graph 100002
'
test_expect_success 'it ends well, having freed what it had' '
	kill "$sandbox" && wait "$sandbox" && ! grep -i sanitizer sandbox.log
'

test_done
