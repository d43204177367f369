#!/usr/bin/env bash
# Dead letters can be mended: another message goes into the letter, the letter stays what it was, and a replay sends it once.
# Filters choose what they say.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

expect_log 'warn wamd child_died'
# shellcheck disable=SC2034 # used in a test's script
quick=(--set 'retry.server=["100ms","100ms","100ms","100ms","100ms"]' --set 'retry.wait=["300ms","1s","4s"]')
message() {	# ID TO [TEXT [MORE JSON MEMBERS]]
	printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"%s","type":"text","text":{"body":"%s"}%s}}\n' \
		"$1" "$2" "${3-$1}" "${4-}"
}
letters() { depth whatsapp.outbound.dlq; }
letters_are() { [[ $(letters) -eq $1 ]]; }
show() { wamctl dlq show "${2-t1}" "$1"; }
matches() {	# COUNT FILTER...: so many letters fit
	local n=$1
	shift
	wamctl -j dlq list "$@" | python3 -c 'import json, sys; n = json.load(sys.stdin)["matched"]; print(n); sys.exit(n != int(sys.argv[1]))' "$n"
}
exits() {	# STATUS COMMAND...
	local want=$1 rc=0
	shift
	"$@" || rc=$?
	[[ $rc -eq $want ]] || { echo "exit status $rc, not $want, of: $*"; return 1; }
}
accepted_for() {	# TEXT: to whom Graph took it, a line each
	sandbox_ledger | python3 -c '
import json, sys
posts = [json.loads(line) for line in sys.stdin]
for p in posts:
    if p.get("accepted") and p["body"]["text"]["body"] == sys.argv[1]: print(p["to"].lstrip("+"))' "$1"
}
is_sent() {	# ID ATTEMPTS
	wamctl message why t1 "$1" | grep -qE "^state +sent after $2 attempt"
}
mended() {	# ID: the old letter of a record that stays dead is gone in a moment; the ledger wants to know why
	wamctl -j dlq list --id "$1" | python3 -c '
import json, sys
for letter in json.load(sys.stdin)["letters"]: print(json.dumps(letter))' >>"$DIR/dropped.ndjson"
}
# shellcheck disable=SC2034 # used in tests
wrong=491510000001 right=491510000002
# same_but FILE1 FILE2 MEMBER...: two letters differ in these members, and in nothing else.
same_but() {
	python3 - "$@" <<-'PY'
	import json, sys
	a, b = (json.load(open(f)) for f in sys.argv[1:3])
	differs = {k for k in a.keys() | b.keys() if a.get(k) != b.get(k)}
	assert differs == set(sys.argv[3:]), differs
	PY
}

test_expect_success 'a message to a wrong number is a dead letter' '
	stack_up --no-breakers --senders 2 --tenants 2 --rate 1000 "${quick[@]}" --sandbox-args "--rate 0 --pair off" &&
	graph_faults "{\"fault\":\"error\",\"code\":131026,\"match\":{\"to\":\"+$wrong\"}}" &&
	message m1 "+$wrong" | publish && wait_for "letters_are 1" 15 && show m1 >before
'
test_expect_success 'what is no message, changes the tenant or has no letter is refused, and nothing changes' '
	edit() { exits "$1" wamctl dlq edit "${@:2}" 2>err; } &&
	printf "{" >bad && edit 78 t1 m1 --message-file=bad && test_grep "not_json: line 1" err &&
	printf "[]" | edit 78 t1 m1 --message-file=- && test_grep "not_json: found an array, allowed an object" err &&
	edit 78 t1 m1 --set to=12 && test_grep "bad_recipient: to: " err &&
	edit 78 t1 m1 --set text.body= && test_grep "text_empty: text.body" err &&
	edit 78 t1 m1 --set text.body.x=1 && test_grep "bad_path: set: found text.body.x" err &&
	edit 78 t1 m1 --set tenant_id=t2 && test_grep "other_tenant: tenant_id: found t2, allowed t1" err &&
	message m1 "+$right" | python3 -c "
import json, sys
print(json.dumps(dict(json.load(sys.stdin)[\"body\"], tenant_id=\"t2\")))" >other && edit 78 t1 m1 --message-file other && test_grep other_tenant err &&
	edit 66 t1 nobody --set "to=+$right" && test_grep no_letter err && edit 66 t2 m1 --set "to=+$right" &&
	edit 66 t1 m1 --message-file=none && test_grep "none: No such file" err &&
	edit 64 t1 m1 && test_grep "found nothing to change" err && edit 64 t1 m1 --set to && test_grep "allowed path=value" err &&
	edit 64 t1 m1 --set "to=+$right" --message-file other && test_grep "found both" err && edit 64 t1 &&
	wait_for "letters_are 1" 5 && show m1 >after && diff before after
'
test_expect_success 'a member is set; the letter is the same in all else' '
	mended m1 && wamctl dlq edit t1 m1 --set "to=+$right" >out && test_grep "^edited; .* wamctl dlq replay --tenant t1 --id m1$" out &&
	letters_are 1 && show m1 >after && same_but before after message edited_at &&
	test_grep "\"to\": \"\+$right\"" after && test_grep "\"edited_at\": \"20[0-9T:.-]*Z\"" after
'
test_expect_success 'edited again, with its text and all attempts before it' '
	wamctl -j dlq edit t1 m1 --set "text.body=new words" --set text.preview_url=false >out && show m1 >after && letters_are 1 &&
	same_but before after message edited_at &&
	python3 -c "
import json
m, told = json.load(open(\"after\"))[\"message\"], json.load(open(\"out\"))
assert m[\"text\"] == {\"body\": \"new words\", \"preview_url\": False} and told[\"message\"] == m, m"
'
test_expect_success 'a replay sends the new message, once, with all its attempts: five server errors, then it is accepted' '
	graph_faults "{\"fault\":\"error\",\"code\":131000,\"http\":500,\"times\":5,\"match\":{\"text_contains\":\"new words\"}}" &&
	wamctl dlq replay --id m1 >out && test_grep "^1 of 1 matching dead letters replayed, 0 skipped; 0 are left" out &&
	wait_for "is_sent m1 7" 15 && accepted_for "new words" >to && [[ $(cat to) == "$right" ]] && [[ -z $(accepted_for m1) ]] && letters_are 0
'
test_expect_success 'replayed a second time, as after a crash, it is not sent again' '
	python3 -c "
import datetime, json
l = json.load(open(\"after\"))
t = datetime.datetime.fromisoformat(l[\"died_at\"].replace(\"Z\", \"+00:00\"))
ms = round(t.timestamp() * 1000)
print(json.dumps({\"body\": l[\"message\"], \"headers\": {\"x-wamd-replay\": \"v=1 t=%d n=%d d=0\" % (ms, l[\"attempts\"])}}))" | publish &&
	wait_for "[[ \$(load peek --queue t.events | grep \"\\\"m1\\\"\" | grep -c accepted) -eq 2 ]]" 10 &&
	[[ $(accepted_for "new words" | wc -l) -eq 1 ]] && letters_are 0
'
test_expect_success 'a whole message comes from standard input or a file; it keeps its id, and other letters keep their messages' '
	{ message m2 12; message m3 12; } | publish && wait_for "letters_are 2" 10 &&
	printf "{\"tenant_id\":\"t1\",\"to\":\"+%s\",\"text\":{\"body\":\"from stdin\"}}" "$right" | wamctl dlq edit t1 m2 --message-file=- &&
	show m3 >after && test_grep "\"to\": \"12\"" after &&
	printf "{\"tenant_id\":\"t1\",\"account_id\":\"t1-a2\",\"to\":\"+%s\",\"text\":{\"body\":\"from a file\"}}" "$right" >file &&
	wamctl dlq edit t1 m3 --message-file file && show m3 >after && test_grep "\"account_id\": \"t1-a2\"" after && letters_are 2 &&
	wamctl dlq replay --tenant t1 && wait_for "is_sent m2 1 && is_sent m3 1" 10 &&
	[[ $(accepted_for "from stdin") == "$right" && $(accepted_for "from a file") == "$right" ]]
'
test_expect_success 'as much text as a message may have can be set, and a file larger than any message is refused' '
	message m4 12 | publish && wait_for "letters_are 1" 10 &&
	wamctl dlq edit t1 m4 --set "to=+$right" --set "text.body=$(python3 -c "print(\"\U0001F600\" * 4096)")" &&
	show m4 >before && python3 -c "print(\" \" * 2000000)" >large &&
	! wamctl dlq edit t1 m4 --message-file large 2>err && test_grep "too_large: found 2000001 bytes" err &&
	show m4 >after && diff before after && wamctl dlq edit t1 m4 --set text.body=m4 && wamctl dlq replay --id m4 && wait_for "is_sent m4 1" 10
'
test_expect_success 'what expired is sent when it may live longer: the same record, opened once' '
	message m6 "+$right" m6 ",\"expires_at\":\"2026-01-01T00:00:00Z\"" | publish && wait_for "letters_are 1" 10 && matches 1 --reason expired &&
	wamctl dlq replay --id m6 && wait_for "matches 1 --reason expired" 10 &&
	wamctl dlq edit t1 m6 --set expires_at=null && wamctl dlq replay --id m6 && wait_for "is_sent m6 1" 10 && [[ $(accepted_for m6) == "$right" ]]
'

# dated AGE_S ID MEMBERS: a letter of tenant t9 that died so many seconds ago
dated() {
	python3 - "$@" <<-'PY'
	import datetime, json, sys
	died = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=int(sys.argv[1]))
	letter = {"v": 1, "id": sys.argv[2], "tenant_id": "t9", "reason": "refused", "attempts": 1,
	          "died_at": died.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "message": json.loads(sys.argv[3])}
	print(json.dumps({"body": letter}))
	PY
}
test_expect_success 'letters are chosen by age, template and text, all together' '
	{ dated 10 new "{\"template\":{\"name\":\"sale\"},\"x\":\"two words\"}"
	  dated 7200 old "{\"metadata\":{},\"wabaPayload\":{\"template\":{\"name\":\"sale\"},\"x\":\"Two words\"}}"
	  dated 300000 older "{\"template\":{\"name\":\"news\"},\"x\":\"two\"}"; } |
		load feed --stdin --exchange "" --key whatsapp.outbound.dlq && wait_for "letters_are 3" 10 &&
	matches 2 --older-than 1h && matches 1 --newer-than=1h && matches 1 --older-than 3d && matches 3 --newer-than 4d &&
	matches 1 --older-than 60m --newer-than 1d && matches 3 --older-than=1s && matches 0 --newer-than 1s &&
	matches 2 --template sale && matches 1 --template news && matches 0 --template Sale &&
	matches 1 --text "two words" && matches 2 --text two && matches 2 --text "{\"template\":{\"name\":\"sale\"}" && matches 1 --text wabaPayload &&
	matches 1 --template sale --older-than 1h --text words --tenant t9 && matches 0 --template news --newer-than 1h
'
test_expect_success 'a bad filter names itself and what is allowed; an empty text drops nothing' '
	exits 64 wamctl dlq list --older-than yesterday 2>err &&
	test_grep "older-than: found yesterday, allowed a duration such as 30s, 15m, 2h or 3d" err &&
	exits 64 wamctl dlq replay --newer-than 3 2>err && test_grep "newer-than: found 3, allowed a duration" err &&
	exits 64 wamctl dlq drop --text= 2>err && test_grep "text: found nothing, allowed one character or more" err && letters_are 3
'
test_expect_success 'replay and drop take what the filters say, and nothing else' '
	wamctl dlq replay --template news --older-than 3d --dry-run >out && test_grep "^1 dead letters match, 1 of them would" out &&
	wamctl dlq drop --template sale --text Two && letters_are 2 && ! show old t9 2>err &&
	wamctl dlq drop --newer-than 1h && letters_are 1 && show older t9 >/dev/null && wamctl dlq drop --older-than 3d && letters_are 0
'

test_expect_success 'killed between the new letter and the ack of the old one: both are there' '
	stack stop-wamd && WAMD_FAIL=dlq_published:1:kill stack start-wamd &&
	message m5 "+$wrong" | publish && wait_for "letters_are 1" 15 && mended m5 &&
	exits 75 wamctl dlq edit t1 m5 --set "to=+$right" && wait_for "letters_are 2" 15 &&
	wait_for "wamctl status >/dev/null" 10 && wamctl dlq show t1 m5 >after && test_grep edited_at after && matches 2 --id m5
'
test_expect_success 'killed between a replayed message and the ack of its letter: it is sent, and the letter is there' '
	exits 75 wamctl dlq replay --id m5 --text "$right" && wait_for "is_sent m5 2" 10 && wait_for "letters_are 2" 10
'
test_expect_success 'replayed again, the edited one is not sent a second time, and the old one is refused again' '
	stack stop-wamd && WAMD_FAIL="" stack start-wamd && wamctl dlq replay --id m5 >out && test_grep "^2 of 2 " out &&
	wait_for "matches 1 --id m5 --code 131026" 10 && show m5 >after && test_grep "\"attempts\": 2" after &&
	wait_for "[[ \$(load peek --queue t.events | grep \"\\\"m5\\\"\" | grep -c accepted) -eq 2 ]]" 10 && [[ $(accepted_for m5) == "$right" ]]
'
test_expect_success 'nothing lost, nothing doubled, all at rest' '
	wait_for at_rest 20; cat ledger.out; at_rest
'
test_expect_success 'no turn of a loop was long' 'loop_was_never_away'
test_done
