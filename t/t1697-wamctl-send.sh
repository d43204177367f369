#!/usr/bin/env bash
# wamctl send: one message of any type, from words or files; what is refused, tried dry, waited for; and the progress of long work.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(limit_queueing|limit_approaching|held|message_refused) state=raised'

rc() { local got=0; "${@:2}" >out 2>err || got=$?; [[ $got -eq $1 ]] || { echo "status $got of: ${*:2}"; cat out err; return 1; }; }
# shellcheck disable=SC2034 # used in tests' scripts
to=+4915112345678
# posted JSON-PATH VALUE: in the last message that Graph took.
posted() {
	sandbox_ledger | python3 -c '
import json, sys
taken = [m for m in map(json.loads, sys.stdin) if m.get("accepted")]
value = taken[-1]["body"]
for word in sys.argv[1].split("."):
    value = value[int(word)] if word.isdigit() else value[word]
print(value)
assert str(value) == sys.argv[2], value' "$@"
}
sent() { rc 0 wamctl send t1 "$@" --wait=20s && test_grep "^sent: message [^ ]+ of tenant t1, account t1-a1" out; }
# sent_file JSON [WAMCTL OPTION...]: the message in a file, to whom it says.
sent_file() { printf "%s\n" "$1" >m.json && sent - --message-file=m.json "${@:2}"; }
member() { python3 -c "import json; print(json.load(open('$1'))['$2'])"; }
# on_terminal COMMAND...: what it writes on a terminal.
on_terminal() {
	python3 - "$@" <<-'PY'
	import os, pty, sys
	pid, fd = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], sys.argv[1:])
	try:
	    while data := os.read(fd, 65536):
	        sys.stdout.buffer.write(data.replace(b"\r", b"\n"))
	except OSError:
	    pass
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
}
templates() { sandbox_curl templates --json "$1" >/dev/null; }

test_expect_success 'up, with templates at Graph, and webhooks' '
	printf "the-secret\nverify: hello-meta\n" >"$TRASH/app.secret" && chmod 600 "$TRASH/app.secret" &&
	stack_up --api --no-breakers --senders 1 --tenants 2 --rate 1000 --sandbox-args "--rate 0 --pair off" \
		--set "webhook.apps=[\"main=$TRASH/app.secret\"]" --set limit.management_calls=5000 --set template.page=10 &&
	waba=$(fact t1-a1 waba_id) &&
	templates "{\"waba_id\":\"$waba\",\"name\":\"order\",\"language\":\"en_US\",\"status\":\"APPROVED\",\"category\":\"UTILITY\",
		\"components\":[{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"Order {{1}}\"},{\"type\":\"BODY\",\"text\":\"Hi {{1}}, it is {{2}}.\"},
		{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"URL\",\"text\":\"Track\",\"url\":\"https://x.example/t/{{1}}\"}]}]}" &&
	templates "{\"waba_id\":\"$waba\",\"name\":\"greeting\",\"language\":\"de\",\"status\":\"APPROVED\",\"category\":\"UTILITY\",\"parameter_format\":\"NAMED\",
		\"components\":[{\"type\":\"BODY\",\"text\":\"Hallo {{name}}, um {{time}}.\",\"example\":{\"body_text_named_params\":
		[{\"param_name\":\"name\",\"example\":\"A\"},{\"param_name\":\"time\",\"example\":\"B\"}]}}]}" &&
	templates "{\"waba_id\":\"$waba\",\"name\":\"ticket\",\"language\":\"en_US\",\"status\":\"APPROVED\",\"category\":\"UTILITY\",
		\"components\":[{\"type\":\"HEADER\",\"format\":\"IMAGE\",\"example\":{\"header_handle\":[\"x\"]}},{\"type\":\"BODY\",\"text\":\"Yours\"}]}" &&
	wamctl template refresh t1 t1-a1
'
test_expect_success 'a text: queued at once, or waited for until Graph has it' '
	rc 0 wamctl send t1 $to "Hello" --id first && test_grep "^queued: message first of tenant t1, account t1-a1$" out &&
	wait_for "wamctl message why t1 first | grep -q \"state  *sent\"" && posted text.body Hello && posted to $to &&
	sent $to "Hello again" && posted text.body "Hello again" && test_grep "wamid …[^ ]{10}$" out &&
	rc 0 wamctl send t1 --wait $to -- "--dashes" && posted text.body "--dashes" && rc 0 wamctl send t1 $to Hello --id first --wait && [[ $(accepted) -eq 3 ]]
'
test_expect_success 'the operator is in the log with the id, and nothing of what was said or to whom' '
	test_grep "notice keeper.* operator uid=[0-9]+ command=send tenant=t1 id=first$" "$DIR/wamd.log" && ! grep -E "Hello|12345678" "$DIR/wamd.log"
'
test_expect_success 'templates: plain values, named ones, header, button, and a file for a header' '
	sent $to --template=order --header A1 Ann done --button 9 && posted template.components.1.parameters.1.text done &&
	posted template.components.2.parameters.0.text 9 &&
	sent $to --template=greeting --language=de name=Ann time=10=00 && posted template.components.0.parameters.0.parameter_name name &&
	posted template.components.0.parameters.1.text 10=00 &&
	{ printf "\x89PNG\r\n\x1a\n"; head -c 3000000 /dev/zero; } >a.png && sent $to --template=ticket --media-file=a.png &&
	posted template.components.0.parameters.0.type image
'
test_expect_success 'files: picture and document, each uploaded with it' '
	sent $to --media-file=a.png --caption "Your ticket" && posted image.caption "Your ticket" && posted type image &&
	printf "%%PDF-1.7\n1" >menu.pdf && sent $to --media-file=menu.pdf && posted document.filename menu.pdf &&
	cat a.png | sent $to --media-file=- && posted type image
'
test_expect_success 'every other type comes from a file, or standard input; the command line goes before it' '
	for m in "\"type\":\"video\",\"video\":{\"link\":\"https://x.example/v.mp4\"}" "\"type\":\"audio\",\"audio\":{\"link\":\"https://x.example/a.ogg\"}" \
		"\"type\":\"sticker\",\"sticker\":{\"link\":\"https://x.example/s.webp\"}" "\"type\":\"location\",\"location\":{\"latitude\":1.5,\"longitude\":2}" \
		"\"type\":\"contacts\",\"contacts\":[{\"name\":{\"formatted_name\":\"A B\",\"first_name\":\"A\"}}]" \
		"\"type\":\"interactive\",\"interactive\":{\"type\":\"button\",\"body\":{\"text\":\"?\"},\"action\":{\"buttons\":[{\"type\":\"reply\",\"reply\":{\"id\":\"y\",\"title\":\"Y\"}}]}}"; do
		sent_file "{\"to\":\"$to\",$m}" || return 1
	done &&
	posted interactive.body.text "?" && wamid=$(sandbox_ledger | tail -n 1 | python3 -c "import json, sys; print(json.load(sys.stdin)[\"wamid\"])") &&
	sent_file "{\"to\":\"$to\",\"type\":\"reaction\",\"reaction\":{\"message_id\":\"$wamid\",\"emoji\":\"👍\"}}" &&
	sandbox_curl webhooks/inbound --json "{\"phone_number_id\":\"$(number_of t1-a1)\",\"from\":\"4915199999999\",\"text\":\"hello\"}" >/dev/null;
	sent_file "{\"type\":\"read\",\"read\":{\"message_id\":\"$wamid\"}}" && sent_file "{\"type\":\"typing\",\"typing\":{\"message_id\":\"$wamid\"}}" &&
	echo "{\"to\":\"+4915100000000\",\"id\":\"no\",\"type\":\"text\",\"text\":{\"body\":\"in\"}}" | sent $to --id=mine --message-file=- --priority=9 &&
	posted to $to && posted text.body in && test_grep "^sent: message mine " out &&
	sent_file "{\"metadata\":{\"phoneNumberId\":\"$(number_of t1-a1)\"},\"wabaPayload\":{\"messaging_product\":\"whatsapp\",\"to\":\"$to\",\"type\":\"text\",\"text\":{\"body\":\"2nd\"}}}" &&
	posted text.body 2nd
'
test_expect_success 'a user id is a recipient, and a group a group' '
	sent DE.13491208655302741918 "to a user" && posted recipient DE.13491208655302741918 &&
	rc 0 wamctl send t1 abc-123 "to a group" --group --dry-run && test_grep "\"recipient_type\": \"group\"" out
'
test_expect_success 'a dry run tells what would be published, template held against its definition, and nothing is sent or kept' '
	n=$(accepted) files=$(find "$DIR/state/media" -type f | wc -l) &&
	rc 0 wamctl send t1 $to --template=order --header A1 Ann done --button 9 --dry-run --id dry && test_grep "^template  fits" out &&
	test_grep "exchange whatsapp, routing key outbound" out && test_grep "\"tenant_id\": \"t1\"" out &&
	rc 65 wamctl send t1 $to --template=order --header A1 Ann --button 9 --dry-run && test_grep "template_parameters: body: found 1" err &&
	rc 0 wamctl send t1 $to --template=nobody --dry-run && test_grep "^template  not_in_catalogue" out &&
	printf "%%PDF-1.7\n2" >other.pdf && rc 0 wamctl send t1 $to --media-file=other.pdf --dry-run &&
	test_grep "\"media\": \"sha256:$(sha256sum other.pdf | cut -d" " -f1)\"" out &&
	rc 0 wamctl -j send t1 $to Hi --dry-run --expires=90s && [[ $(member out dry_run) == True ]] && test_grep "\"ttl_s\": *90" out &&
	rc 66 wamctl message why t1 dry && [[ $(accepted) -eq $n && $(find "$DIR/state/media" -type f | wc -l) -eq $files ]] &&
	[[ $(depth whatsapp.outbound) -eq 0 ]]
'
test_expect_success 'what is refused names the field; 64 for options, 65 for a message, 66 for tenant and file' '
	rc 65 wamctl send t1 +49 Hello && test_grep "bad_recipient: to: found 2 digits" err &&
	rc 65 wamctl send t1 $to "" && test_grep "bad_field: text.body|text_empty" err && rc 65 wamctl send t1 $to Hi --account=nobody && test_grep "unknown_account: account_id:" err &&
	rc 65 wamctl send t1 $to Hi --priority=11 && test_grep "bad_field: priority: found 11" err &&
	rc 65 wamctl send t1 $to --template=order Ann && test_grep "template_parameters: " err &&
	rc 65 wamctl send t1 $to --message-file=- <<<"{\"tenant_id\":\"t2\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}" && test_grep "other_tenant: tenant_id: " err &&
	rc 65 wamctl send t1 $to --message-file=- <<<"{]" && test_grep "message-file: " err &&
	rc 64 wamctl send t1 $to Hi --expires=soon && test_grep "expires: found soon" err &&
	rc 66 wamctl send nobody $to Hi && rc 66 wamctl send t1 $to --media-file=none.png &&
	rc 64 wamctl send t1 $to && test_grep "text: is missing" err && rc 64 wamctl send t1 $to two words && test_grep "text: found several words" err &&
	rc 64 wamctl send t1 $to --template=x a=1 b && test_grep "body: some values have a name" err &&
	rc 64 wamctl send t1 $to Hi --caption x && test_grep "caption: " err && rc 64 wamctl send t1 $to Hi --header x && test_grep "header: " err &&
	rc 64 wamctl send t1 $to Hi --wait=soon && test_grep "wait: found soon" err && rc 64 wamctl send t1 $to Hi --wait-for=seen &&
	rc 64 wamctl send t1 $to Hi --message-file=m.json && rc 64 wamctl send t1 && rc 64 wamctl send t1 $to Hi --message-file=m.json --media-file=a.png
'
test_expect_success 'waiting: for webhooks, and in vain; what became of another message that had the id is not taken for it' '
	sandbox_curl webhooks --json "{\"url\":\"$API_URL/webhooks/whatsapp/main\",\"secret\":\"the-secret\",\"latency_ms\":[5,50]}" >/dev/null &&
	rc 0 wamctl -j send t1 $to "and back" --wait-for=delivered && test_grep "\"delivered\":" out && [[ $(member out status) == queued ]] &&
	rc 0 wamctl send t1 $to "and read" --wait-for=read && test_grep "^read: message" out &&
	wamctl account hold t1 t1-a1 --reason test && rc 75 wamctl send t1 $to held --id held --wait=500ms &&
	test_grep "held of tenant t1 is not sent in time: account t1-a1 is on hold by an operator" err &&
	rc 75 wamctl send t1 $to "another content" --id first --wait=300ms && wamctl account release t1 t1-a1 &&
	rc 0 wamctl send t1 $to "another content" --id first --wait && posted text.body "another content" &&
	wait_for "wamctl message why t1 held | grep -q \"state  *sent\""
'
test_expect_success 'waiting ends when Graph refuses it (69), or a sender does (65)' '
	graph_faults "{\"fault\":\"error\",\"code\":131026}" >/dev/null && rc 69 wamctl send t1 $to "refused" --wait && test_grep "refused: .#131026" err &&
	sandbox_curl faults -X DELETE && rc 65 wamctl send t1 $to --template=nobody --wait && test_grep "template_unknown: " err
'
test_expect_success 'without a daemon it is 75; what is too large is refused; curl does it, too' '
	rc 75 "$WAMD_BUILD/wamctl" -s "$PWD/nobody" send t1 $to Hi &&
	{ printf "{\"to\":\"$to\",\"type\":\"text\",\"text\":{\"body\":\""; head -c 1100000 /dev/zero | tr "\0" x; echo "\"}}"; } >large.json &&
	rc 65 wamctl send t1 - --message-file large.json && test_grep "too_large: found 11[0-9]+ bytes, allowed 1048576" err &&
	[[ $(curl -s -o out -w "%{http_code}" --unix-socket "$ADMIN_SOCKET" --json @m.json "http://wamd/v1/send?tenant=t1&dry-run=1") == 200 ]]
'
test_expect_success 'progress on a terminal: a replay counts letters, an upload bytes; -q and -j show none' '
	graph_faults "{\"fault\":\"error\",\"code\":131026}" >/dev/null && feed --count 40 --prefix p --tenant t2 && wait_for "[[ \$(depth whatsapp.outbound.dlq) -ge 40 ]]" &&
	sandbox_curl faults -X DELETE &&
	rc 0 wamctl dlq progress && test_grep "^no command works" out &&
	{ on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" dlq replay --tenant t2 --rate 20 >screen & } && replay=$! &&
	wait_for "wamctl dlq progress | tee progress | grep -qE \"^dlq replay: publishing, [0-9]+ of 40 letters\"" && wait $replay &&
	test_grep "replaying [0-9]+/40 \[#*\.*\] [0-9]+/s 00:0[0-9] left" screen && test_grep "40 of 40 matching dead letters replayed" screen &&
	on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" media upload t1 a.png >screen && test_grep "uploading [0-9]+/[0-9]+ KB \[" screen &&
	on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" -q media upload t1 a.png >screen && ! grep uploading screen &&
	on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" -j media upload t1 a.png >screen && ! grep uploading screen
'
test_expect_success 'template refresh counts those that are there, for Graph does not say how many there are; until then, the time' '
	rc 0 wamctl template progress t2 t2-a1 && test_grep "^nobody fetches them now" out &&
	templates "{\"waba_id\":\"$(fact t2-a1 waba_id)\",\"count\":60,\"name\":\"tpl_%d\",\"language\":\"en_US\",\"status\":\"APPROVED\",
		\"category\":\"UTILITY\",\"components\":[{\"type\":\"BODY\",\"text\":\"Hello {{1}}, and welcome.\"}]}" &&
	graph_faults "{\"fault\":\"delay\",\"ms\":400,\"match\":{\"route\":\"templates\"}}" >/dev/null &&
	{ on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" template refresh t2 t2-a1 >screen & } && refresh=$! &&
	wait_for "wamctl template progress t2 t2-a1 | grep -qE \"^template refresh: ([1-5])0 templates in \\1 pages so far, for [0-9]+ s\"" && wait $refresh &&
	test_grep "^fetching templates 00:00" screen && test_grep "^fetching templates [1-5]0 [0-9]+/s" screen && test_grep "60 templates fetched" screen &&
	for quiet in -q -j; do
		on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" "$quiet" template refresh t2 t2-a1 --name=tpl_7 >screen && ! grep "fetching templates" screen || return 1
	done
'
test_expect_success 'no turn of an event loop was long' '
	loop_was_never_away
'
test_done
