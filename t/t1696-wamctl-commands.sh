#!/usr/bin/env bash
# Every command of wamctl and every one of its options, once for real; the tables say which there are.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=[a-z_]+ state=raised'
expect_log 'token_bad'

# does STATUS PATTERN COMMAND...: ends so, and prints such a line (-: nothing); the words are kept for the count at the end.
does() {
	local want=$1 pattern=$2 got=0
	shift 2
	(IFS=$'\x1f'; printf '%s\n' "$*") >>"$TRASH/ran"
	wamctl "$@" >out 2>&1 || got=$?
	[[ $got -eq $want ]] || { echo "status $got, not $want: $*"; cat out; return 1; }
	if [[ $pattern == - ]]; then [[ ! -s out ]]; else test_grep "$pattern" out; fi
}
message() { printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"%s","type":"text","text":{"body":"words of %s"}}}\n' "$1" "$2" "$1"; }
# shellcheck disable=SC2034 # used in tests
order='{"name":"order","language":"en_US","body":["Ann","done"]}'
# The tables as lines: words|option option …
table() { sed -nE 's/\[=\]//g; s/^(CTL|LOCAL)\([a-z_]+, *"([^"]+)", *"[^"]*", *"([^"]*)".*/\2|\3/p' "$T"/../include/tbl/ctl_{commands,local}.h; }

test_expect_success 'a daemon with a template, a message that was sent, one that fails, and dead letters' '
	stack_up --senders 1 --tenants 1 --sandbox-args "--rate 0 --pair off" --set limit.management_calls=5000 &&
	sandbox_curl templates --json "{\"waba_id\":\"$(fact t1-a1 waba_id)\",\"name\":\"order\",\"language\":\"en_US\",\"status\":\"APPROVED\",
		\"category\":\"UTILITY\",\"parameter_format\":\"POSITIONAL\",\"components\":[{\"type\":\"BODY\",\"text\":\"Hi {{1}}, it is {{2}}.\"}]}" &&
	graph_faults "{\"fault\":\"error\",\"code\":131000,\"match\":{\"to\":\"+491510000009\"}}" &&
	graph_faults "{\"fault\":\"error\",\"code\":131026,\"match\":{\"to\":\"+491510000008\"}}" &&
	{ message good +491510000001; message failing +491510000009; for i in 1 2 3 4 5; do message "bad-$i" +491510000008; done
	printf "{\"body\":{\"id\":\"tpl\",\"tenant_id\":\"t1\",\"account_id\":\"t1-a1\",\"to\":\"0815\",\"type\":\"template\",\"template\":%s}}\n" "$order"; } | publish &&
	wait_for "[[ \$(accepted) -eq 1 && \$(depth whatsapp.outbound.dlq) -eq 6 ]]" && wait_for "wamctl message show t1 failing | grep ^attempt"
'
test_expect_success 'the daemon' '
	does 0 "ready, 1 of 1 senders" status && does 0 "^MINUTE +RECEIVED" history && does 0 "^wamd_senders_ready 1" metrics && does 0 - wait-ready --timeout=10s &&
	does 0 "^log level: debug" log level debug && does 0 "^log level: configured" log level configured && does 0 - reopen &&
	does 0 "^senders = 1;" config show && does 0 "is good" config check --conf="$WAMD_CONF" && does 0 "no difference" config diff --conf "$WAMD_CONF" &&
	does 0 "^total" top --once --tenant=t1 && does 0 "^sender" top --batch --count=2 --interval=200ms && does 0 "^complete .*wamctl" completion && cp out complete.bash
'
test_expect_success 'messages' '
	does 0 "^state +sent" message show t1 good && does 0 "^state +retry" message why t1 failing --account=t1-a1 && does 0 "^failing: taken back" message cancel t1 failing
'
test_expect_success 'one message of its own' '
	does 0 "^queued: message mine of tenant t1" send t1 +491510000001 Hi --account=t1-a1 --id=mine --priority=7 --expires=1h --correlation=c-1 &&
	does 0 "^sent: message mine" send t1 +491510000001 Hi --account=t1-a1 --id=mine --priority=7 --expires=1h --correlation=c-1 --wait &&
	does 0 "^sent: " send t1 +491510000001 --template=order --language=en_US Ann done --wait=20s --wait-for=sent &&
	does 0 "fits|dry|\"group\"" send t1 a-group Hi --group --dry-run && echo "{\"type\":\"text\",\"text\":{\"body\":\"of a file\"}}" >m.json &&
	does 0 "of a file" send t1 +491510000001 --message-file=m.json --dry-run && printf "%%PDF-1.7\n" >a.pdf &&
	does 0 "\"caption\": *\"Bill\"" send t1 +491510000001 --media-file=a.pdf --caption=Bill --dry-run &&
	does 65 "template_parameters" send t1 +491510000001 --template=order --header=A1 --button=1 --code=2 --dry-run &&
	does 0 "." dlq progress
'
test_expect_success 'dead letters' '
	before=$(accepted) && does 0 "bad-1 +refused" dlq list --tenant t1 --account=t1-a1 --reason=refused --code=131026 --newer-than=1h --text="words of" --limit=3 &&
	does 0 "tpl +bad_recipient" dlq list --template=order && does 0 "^no dead letter matches$" dlq list --older-than=1h && does 0 "bad-2" dlq list --id=bad-2 &&
	does 0 "131026" dlq show t1 bad-1 && does 0 "edited" dlq edit t1 bad-1 --set to=+491510000001 &&
	printf "{\"id\":\"bad-2\",\"tenant_id\":\"t1\",\"account_id\":\"t1-a1\",\"to\":\"+491510000001\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}" >m.json &&
	does 0 "edited" dlq edit t1 bad-2 --message-file=m.json &&
	does 0 "would be" dlq replay --tenant=t1 --account=t1-a1 --reason=refused --code=131026 --newer-than=1h --text=words --dry-run &&
	does 0 "1 of 1 matching" dlq replay --id=bad-1 --rate=10 --may-duplicate && does 0 "would be" dlq replay --all --dry-run &&
	does 0 "^0 dead letters match" dlq replay --template=order --older-than=1h --dry-run && wait_for "[[ \$(accepted) -eq $((before + 1)) ]]" &&
	does 0 "would be" dlq drop --tenant=t1 --account=t1-a1 --reason=refused --code=131026 --newer-than=1h --text=words --dry-run &&
	does 0 "dropped" dlq drop --template=order && does 0 "dropped" dlq drop --id=bad-3 && does 0 "would be" dlq drop --older-than=1h --dry-run &&
	does 0 "dropped" dlq drop --all
'
test_expect_success 'holds' '
	does 0 "^held: account t1-a1" hold set t1 --account=t1-a1 --for=1h --reason="a reason" && does 0 "a reason" hold list --tenant t1 &&
	does 0 "^released: account" hold release t1 --account=t1-a1 && waba=$(fact t1-a1 waba_id) number=$(number_of t1-a1) &&
	for what in "number=$number" "waba=$waba"; do
		does 0 "^held: ${what%=*}" hold set t1 "--$what" --reason=x && does 0 "^released: ${what%=*}" hold release t1 "--$what" &&
		does 0 "^held: ${what%=*}" pause t1 "--$what" --reason=x && does 0 "^released: ${what%=*}" resume t1 "--$what" || return 1
	done &&
	does 0 "^held: .*low" hold set t1 --priority=low --reason=x && does 0 "^released: .*low" hold release t1 --priority=low &&
	does 0 "^held: .*high" pause t1 --priority=high --reason=x && does 0 "^released: .*high" resume t1 --priority=high &&
	for set in "hold set" pause; do
		# shellcheck disable=SC2086 # a list of words
		does 0 "^held: template order" $set t1 --account=t1-a1 --template=order --reason=x &&
		does 0 "^held: recipient" $set t1 --account=t1-a1 --recipient=+491510000001 --for=1h --reason=x || return 1
	done &&
	for release in "hold release" resume; do
		does 0 "^held: template order" hold set t1 --account=t1-a1 --template=order --reason=x &&
		does 0 "^held: recipient" hold set t1 --account=t1-a1 --recipient=+491510000001 --reason=x &&
		# shellcheck disable=SC2086 # a list of words
		does 0 "^released: template" $release t1 --account=t1-a1 --template=order &&
		does 0 "^released: recipient" $release t1 --account=t1-a1 --recipient=+491510000001 || return 1
	done
'
test_expect_success 'tenants, jobs and tokens' '
	does 0 "^t1 " tenant list && does 0 "t1-a1" tenant show t1 && does 0 "asked for anew: 1" tenant refresh --tenant=t1 && does 0 "asked for anew" tenant refresh &&
	does 0 "token_check" job list --tenant=t1 && does 0 "good" token check t1 t1-a1 && does 0 "it does not end" token refresh t1 t1-a1
'
test_expect_success 'accounts' '
	does 0 "^t1 +t1-a1" account list --tenant=t1 && does 0 "^held" account hold t1 t1-a1 --for=2h --reason="number moves house" &&
	does 0 "^released" account release t1 t1-a1 && does 0 "^quality" account health t1 t1-a1 && does 0 "^account" account phone t1 t1-a1 &&
	does 0 "^waba" account waba t1 t1-a1 && does 0 "^account" account profile t1 t1-a1 && printf "\\x89PNG\\r\\n\\x1a\\nxxxxxxxx" >a.png &&
	does 0 "^about +Open" account profile-set t1 t1-a1 --about=Open --address="A street" --description=d --email=us@a.example --vertical=RETAIL \
		--website=https://a.example --picture-file=a.png &&
	does 0 "no app is subscribed" account subscription t1 t1-a1 && does 0 "gets the webhooks" account subscribe t1 t1-a1 &&
	does 0 "^START" account analytics t1 t1-a1 --kind=messages --from=3d --to=1d --granularity=day &&
	does 0 "^start,end" account analytics t1 t1-a1 --kind=templates --template=11 --csv
'
test_expect_success 'templates' '
	does 0 "^1 templates fetched" template refresh t1 t1-a1 && does 0 "^1 templates fetched" template refresh t1 t1-a1 --name=order &&
	does 0 "^nobody" template progress t1 t1-a1 && does 0 "^nobody" template progress t1 t1-a1 --name=order &&
	does 0 "^order" template list t1 t1-a1 --status=APPROVED --category=UTILITY --language=en_US --limit=5 &&
	does 0 "^order" template search t1 t1-a1 ord --prefix --status=APPROVED --category=UTILITY --language=en_US --limit=5 &&
	does 0 "^order" template search t1 t1-a1 order --exact && does 0 "order" template show t1 t1-a1 order --language=en_US && echo "$order" >t.json &&
	does 0 "Hi Ann, it is done" template preview t1 t1-a1 order --language=en_US --message-file=t.json && does 0 "^NAME +LANGUAGE" template usage t1 t1-a1 --days=2
'
test_expect_success 'files' '
	does 0 "sha256:" media upload t1 a.png --name=b.png --type=image/png && sha=$(grep -oE "sha256:[0-9a-f]{64}" out | head -n 1) &&
	does 0 "^name +b.png" media show t1 "$sha" && does 0 "^type +image/png" media show t1 "$sha" --account=t1-a1 &&
	does 0 "removed" media delete t1 "$sha" --account=t1-a1 &&
	does 0 "sha256:" media upload t1 a.png && does 0 "removed" media delete t1 "$sha"
'
test_expect_success 'breakers, lanes, limits, alerts and the host' '
	does 0 "^open" breaker trip t1 t1-a1 --for=1h && does 0 "^t1 +t1-a1 +open" breaker list --tenant=t1 && does 0 "^state +open" breaker show t1 t1-a1 &&
	does 0 "^closed" breaker reset t1 t1-a1 && does 0 "no account has a lane" lane list --tenant=t1 && does 0 "^state +none" lane show t1 t1-a1 &&
	does 0 "^set +10 a second" limit set t1 t1-a1 10 --for=1h && does 0 "^set +10 " limit show t1 t1-a1 && does 0 "^rate" limit reset t1 t1-a1 &&
	does 0 "alert|KIND" alert list --tenant=t1 --limit=5 && does 0 "^state +open" host trip --for=1m && does 0 "^state +open" host show &&
	does 0 "^state +closed" host reset
'
test_expect_success 'reload, drain, stop' '
	does 0 "^reloaded: generation 2" reload && does 0 - wait-ready && does 0 "senders finish" drain && does 0 "^stopped" stop
'
test_expect_success 'completion has every command with all of its options, and nothing else' '
	table | tr -d = | awk -F"|" "{ n = split(\$2, o, \" \"); line = \$1 \"|--help\"; for (i = 1; i <= n; i++) line = line \" --\" o[i]; print line }" |
		sort >want && [[ $(wc -l <want) -gt 60 ]] && sed -n "/^_wamctl_commands=/,/^.\$/p" complete.bash | grep "|" | sort | diff want -
'
test_expect_success 'the words of the manuals are such commands, with options they have' '
	{ sed -nE "s/^# wamctl (.*)/\1/p; s/^\.Ql wamctl (.*)/\1/p" "$T"/../man/*.[1-8]; } | sed -E "s/ [.,;:)]+\$//; s/ Fl -/ --/g; s/ Ar / /g" |
		grep -vE "^(-|Ar |dlq\$)" | sort -u >said && [[ $(wc -l <said) -gt 30 ]] && while read -r words; do
		eval "set -- $words" &&
		"$WAMD_BUILD/wamctl" "$@" --help </dev/null >out 2>&1 || { echo "no such command: $words"; cat out; return 1; }
	done <said
'
test_expect_success 'no command and no option was left out' '
	table >table && [[ $(wc -l <table) -gt 60 ]] && python3 - "$TRASH/ran" table <<-\PY
		import sys
		ran = [line.rstrip("\n").split("\x1f") for line in open(sys.argv[1])]
		table = dict(line.rstrip("\n").split("|") for line in open(sys.argv[2]))
		seen, missing = {}, []
		for words in ran:
		    command = next(c for n in (2, 1) for c in [" ".join(words[:n])] if c in table)
		    seen.setdefault(command, set()).update(w[2:].split("=")[0] for w in words if w.startswith("--"))
		for command, options in table.items():
		    if command not in seen: missing.append(command)
		    missing += [f"{command} --{o}" for o in options.replace("=", "").split() if o not in seen.get(command, ())]
		print(len(table), "commands", sum(len(o.split()) for o in table.values()), "options; not tried:", missing)
		sys.exit(bool(missing))
	PY
'
test_done
