#!/usr/bin/env bash
# What Graph says of accounts: numbers, health, profiles, business accounts, webhooks, figures - and what follows from it.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(number_changed|account_restricted|held|limit_queueing|limit_approaching) state=raised'

order() { sandbox_curl nodes --json "$1" >/dev/null; }
calls() { sandbox_stats | python3 -c "import json, sys; print(json.load(sys.stdin)['calls']['$1'])"; }	# ROUTE
refusals() { grep -cE "graph_refused .*code=(4|17|32|80007|80008) " "$DIR/wamd.log"; }	# sandbox_stats counts messages only
posted() { sandbox_ledger | grep -c "$1"; }
said() { grep -c "alert kind=$1 state=$2 .*${3-}" "$DIR/wamd.log"; }	# KIND STATE [PATTERN]
# shows PATTERN COMMAND...: a line of what wamctl prints.
shows() {
	local pattern=$1
	shift
	wamctl "$@" >out && test_grep "$pattern" out
}
# wamctl fails with this exit status and words.
refused() {	# STATUS PATTERN COMMAND...
	local want=$1 pattern=$2 rc=0
	shift 2
	wamctl "$@" >out 2>err || rc=$?
	[[ $rc -eq $want ]] && test_grep "$pattern" err
}
holds_true() {	# EXPRESSION COMMAND...
	local expression=$1
	shift
	wamctl -j "$@" >json && python3 -c "
import json
a = json.load(open('json'))
assert $expression, a"
}

# few_accounts: of each tenant two, with rates by tier; Graph has more numbers of it.
few_accounts() {
	python3 - "$DIR"/tenants.d/*.conf <<-'PY'
	import re, sys
	for path in sys.argv[1:]:
	    text = open(path).read()
	    accounts = re.findall(r"\t\t\{.*?\n\t\t\}", text, re.S)[:2]
	    head = text[:text.index("accounts = (")]
	    body = ",\n".join(accounts).replace("rate = 100;", 'tier = "standard";')
	    open(path, "w").write(head + "accounts = (\n" + body + "\n\t);\n};\n")
	PY
}
watched() { wamctl -j job list | python3 -c "
import json, sys
runs = [j['result'] for j in json.load(sys.stdin)['jobs'] if j['job'] in ('account_watch', 'token_check')]
sys.exit(len(runs) != 8 or set(runs) != {'ok'})"; }

test_expect_success 'two accounts of two tenants each, rates by tier; Graph has 102 numbers of each and allows 200 calls an hour' '
	stack_up --senders 2 --accounts 102 --rate 100 --sandbox-args "--management-rate 200 --rate 0 --pair off" --set hold.first=60s \
		--set "retry.wait=[\"500ms\",\"1s\"]" --set message.hold_in_memory=200ms &&
	few_accounts && printf "job: { first = \"1s\"; };\n" >"$DIR/conf.d/50-first.conf" &&	# a keeper that goes again must not have begun
	wamctl reload && wait_for "wamctl status" &&
	number=$(fact t1-a1 phone_number_id) waba=$(fact t1-a1 waba_id) &&
	holds_true "a[\"rate\"] == 72" limit show t1 t1-a1
'
test_expect_success 'the keeper has looked at each by itself: what is seen the first time is no change' '
	wait_for watched 100 && shows "^rate +72 a second" account health t1 t1-a1 && ! grep ^changed out &&
	[[ $(said number_changed raised) -eq 0 ]] && graph_reset
'

# ---- what there is to see ----
test_expect_success 'account phone shows the number' '
	shows "^account +t1-a1 of tenant t1, number $number" account phone t1 t1-a1 && test_grep "^quality +GREEN" out &&
	test_grep "^throughput +STANDARD" out && test_grep "^limit +TIER_2K" out && test_grep "^may send +AVAILABLE" out &&
	test_grep "^  waba +AVAILABLE" out && refused 66 unknown_account account phone t1 nobody
'
test_expect_success 'an app that may not read all fields gets those that all may read' '
	graph_faults "{\"fault\":\"error\",\"match\":{\"route\":\"node\"},\"code\":100,\"http\":400,\"times\":1}" && before=$(calls node) &&
	shows "^quality +GREEN" account phone t1 t1-a1 && ! grep "^limit" out && [[ $(calls node) -eq $((before + 2)) ]]
'
test_expect_success 'account waba lists all its numbers, over pages' '
	before=$(calls phone_numbers) &&
	holds_true "len(a[\"numbers\"]) == 102 and len({n[\"phone_number_id\"] for n in a[\"numbers\"]}) == 102 and not a[\"is_cut\"]" \
		account waba t1 t1-a1 && [[ $(calls phone_numbers) -eq $((before + 2)) ]] && shows "^review +APPROVED" account waba t1 t1-a1
'
test_expect_success 'a cursor that Graph no longer knows: the listing begins anew, once' '
	graph_faults "{\"fault\":\"error\",\"match\":{\"route\":\"phone_numbers\"},\"code\":100,\"http\":400,\"skip\":1,\"times\":1}" && before=$(calls phone_numbers) &&
	holds_true "len(a[\"numbers\"]) == 102" account waba t1 t1-a1 && [[ $(calls phone_numbers) -eq $((before + 4)) ]]
'
test_expect_success 'a connection that is cut is no answer; a second try is' '
	graph_faults "{\"fault\":\"refuse_then_cut\",\"match\":{\"route\":\"node\"},\"times\":1}" && shows "^quality +GREEN" account phone t1 t1-a1
'
test_expect_success 'what Graph refuses is told in its words' '
	graph_faults "{\"fault\":\"error\",\"match\":{\"route\":\"profile\"},\"code\":200,\"http\":403,\"times\":1}" &&
	refused 69 "graph_refused: Graph says 200: " account profile t1 t1-a1
'

# ---- profiles ----
test_expect_success 'account profile-set changes what is named; the picture goes by an upload' '
	printf "\\xff\\xd8\\xff\\xe0a picture" >picture.jpg &&
	shows "^about +We are open" account profile-set t1 t1-a1 --about="We are open" --vertical RETAIL --website=https://a.example \
		--website=https://b.example --picture-file=picture.jpg &&
	test_grep "^picture +https://" out && test_grep "^website +https://b.example" out && [[ $(calls upload) -eq 1 ]] &&
	shows "^email +us@a.example" account profile-set t1 t1-a1 --email us@a.example && test_grep "^about +We are open" out &&
	shows "^account" account profile-set t1 t1-a1 --website= && ! grep "^website" out && [[ $(calls upload_start) -eq 1 ]]
'
test_expect_success 'what breaks a limit costs no call' '
	before=$(calls profile_set) && refused 64 "about: found 140 characters, allowed 1 to 139" account profile-set t1 t1-a1 \
		--about="$(printf "%0140d" 0)" && refused 64 "vertical: found .SHOP., allowed ALCOHOL" account profile-set t1 t1-a1 --vertical SHOP &&
	refused 64 "websites: found .a.example., allowed" account profile-set t1 t1-a1 --website a.example &&
	refused 64 "nothing to change" account profile-set t1 t1-a1 &&
	echo GIF89a >no.gif && refused 64 "picture: found something else" account profile-set t1 t1-a1 --picture-file=no.gif &&
	[[ $(calls profile_set) -eq $before && $(calls upload_start) -eq 1 ]]
'

# ---- webhooks ----
test_expect_success 'account subscription and subscribe' '
	shows "NO webhooks" account subscription t1 t1-a1 && test_grep "no app is subscribed" out &&
	shows "gets the webhooks" account subscribe t1 t1-a1 && shows "^$(fact t1-a1 app_id) +Sandbox" account subscription t1 t1-a1
'

# ---- figures ----
test_expect_success 'account analytics as table, JSON and CSV' '
	shows "^START +END +SENT +DELIVERED" account analytics t1 t1-a1 &&
	holds_true "a[\"kind\"] == \"messages\" and len(a[\"rows\"]) == 8 and a[\"rows\"][0][\"sent\"] > 0" account analytics t1 t1-a1 &&
	shows "cost" account analytics t1 t1-a1 --kind=pricing --from=3d --granularity=half-hour --csv && head -n 1 out | grep -q "^start,end,.*volume" &&
	[[ $(wc -l <out) -ge 145 ]] && shows "^conversations from" account analytics t1 t1-a1 --kind conversations --granularity month &&
	refused 64 "kind: found" account analytics t1 t1-a1 --kind weather
'
test_expect_success 'figures of templates come over pages' '
	before=$(calls template_analytics) &&
	holds_true "len({(r[\"template_id\"], r[\"start\"]) for r in a[\"rows\"]}) == len(a[\"rows\"]) and len(a[\"rows\"]) > 100" \
		account analytics t1 t1-a1 --kind templates --template 11,12,13 --from=45d && [[ $(calls template_analytics) -gt $((before + 1)) ]]
'

# ---- changes ----
test_expect_success 'a change is told once' '
	order "{\"id\":\"$number\",\"fields\":{\"quality_rating\":\"RED\"}}" &&
	shows "^changed +quality: GREEN -> RED" account health t1 t1-a1 && wamctl account health t1 t1-a1 &&
	wait_for "[[ \$(said number_changed raised \"the quality rating of the number was GREEN, and is RED\") -eq 1 ]]" &&
	[[ $(said number_changed raised) -eq 1 ]]
'
test_expect_success 'the next one, too, and that of the old value is over' '
	order "{\"id\":\"$number\",\"fields\":{\"quality_rating\":\"YELLOW\",\"status\":\"RESTRICTED\"}}" && wamctl account health t1 t1-a1 &&
	wait_for "[[ \$(said number_changed raised) -eq 3 && \$(said number_changed resolved) -eq 1 ]]" &&
	wait_for "[[ \$(said account_restricted raised \"the number is RESTRICTED\") -eq 1 ]]" &&
	order "{\"id\":\"$number\",\"fields\":{\"quality_rating\":null,\"status\":null}}" && wamctl account health t1 t1-a1 &&
	wait_for "[[ \$(said account_restricted resolved) -eq 1 ]]"
'
test_expect_success 'throughput HIGH raises the rate of a tier, in all senders; STANDARD lowers it' '
	order "{\"id\":\"$number\",\"fields\":{\"throughput\":{\"level\":\"HIGH\"}}}" && shows "^rate +900 a second" account health t1 t1-a1 &&
	test_grep "rate=900 was=72" "$DIR/wamd.log" &&
	holds_true "a[\"rate\"] == 900" limit show t1 t1-a1 && feed --count 10 --prefix first --account t1-a1 &&
	wait_for "[[ \$(posted first-) -eq 10 ]]" && begin=$(date +%s%N) && feed --count 1500 --prefix fast --account t1-a1 &&
	wait_for "[[ \$(posted fast-) -eq 1500 ]]" && [[ $(($(date +%s%N) - begin)) -lt 15000000000 ]] &&
	order "{\"id\":\"$number\",\"fields\":{\"throughput\":null}}" && shows "^rate +72 a second" account health t1 t1-a1
'

# ---- holds ----
text() { printf "{\"body\":{\"id\":\"%s\",\"tenant_id\":\"t1\",\"account_id\":\"t1-a1\",\"to\":\"+491512345678%s\",\"type\":\"text\",\"text\":{\"body\":\"%s\"}}}\n" "$1" "$2" "$1"; }
test_expect_success 'BLOCKED holds what it names; AVAILABLE ends the hold' '
	order "{\"id\":\"$waba\",\"health\":{\"WABA\":{\"can_send_message\":\"BLOCKED\",\"errors\":[{\"error_code\":141006,\"error_description\":\"No payment\"}]}}}" &&
	shows "^held +w:$waba" account health t1 t1-a1 && test_grep "-> Add or repair the payment method" out &&
	shows "^waba +t1 +$waba +graph +141006" hold list &&
	wait_for "[[ \$(said held raised \"health: No payment\") -eq 1 && \$(said account_restricted raised) -eq 2 ]]" &&
	text held-1 1 | publish && wait_for "[[ \$(depth whatsapp.lane.$number) -eq 1 ]]" && [[ $(posted held-) -eq 0 ]] &&
	order "{\"id\":\"$waba\",\"health\":{\"WABA\":null}}" && shows "^released +w:$waba" account health t1 t1-a1 &&
	wait_for "[[ \$(posted held-) -eq 1 ]]" && shows "nothing is on hold" hold list && wait_for "[[ \$(said held resolved) -eq 1 ]]"
'
test_expect_success 'an operator may hold what health calls available' '
	wamctl hold set t1 --number="$number" --reason="mine" && wamctl account health t1 t1-a1 && shows "^number .* mine" hold list &&
	wamctl hold release t1 --number="$number"
'
test_expect_success 'what an answer held is released by health, too' '
	graph_faults "{\"fault\":\"error\",\"code\":131042,\"http\":400,\"times\":1}" && text paid-1 2 | publish &&
	wait_for "wamctl hold list | grep -q 131042" && shows "^released " account health t1 t1-a1 && wait_for "[[ \$(posted paid-) -ge 1 ]]"
'

# ---- the limit ----
test_expect_success 'as many calls as anybody wants, and Graph refuses none: what would wait too long is told' '
	for i in $(seq 110); do wamctl account phone t1 t1-a$((i % 2 + 1)) >/dev/null 2>>limited || :; done &&
	test_grep "graph_limited: the management calls of this hour are used up .*; again in" limited && [[ $(refusals) -eq 0 ]] &&
	wamctl account phone t2 t2-a1
'
test_expect_success 'when Graph says that there were too many, nobody calls until it allows' '
	sandbox_curl limit --json "{\"waba_id\":\"$(fact t2-a1 waba_id)\",\"calls_per_hour\":2}" &&
	wamctl account phone t2 t2-a1 && wamctl account phone t2 t2-a2 && refused 69 "graph_refused: Graph says 80008" account phone t2 t2-a1 &&
	[[ $(refusals) -eq 1 ]] && refused 75 "graph_limited: Graph wants no calls .*80008.*; again in" account phone t2 t2-a1 &&
	[[ $(refusals) -eq 1 ]]
'
test_expect_success 'no loop was ever held up' 'loop_was_never_away'

test_done
