#!/usr/bin/env bash
# wamctl's own words: live view, formats, colours, waiting, draining, log level, the files on disk beside what runs, completion, help.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(limit_queueing|limit_approaching) state=raised'

senders() { wamctl -j status | python3 -c "import json, sys; print(sum(1 for p in json.load(sys.stdin)['processes'] if p['role'] == 'sender'))"; }
rc() { local got=0; "${@:2}" >out 2>err || got=$?; [[ $got -eq $1 ]] || { echo "status $got of: ${*:2}"; cat out err; return 1; }; }
# on_terminal COMMAND...: as on a terminal of 80 columns; q is pressed after a while.
on_terminal() { python3 - "$@" <<-'PY'
	import os, pty, select, struct, sys, fcntl, termios, time
	pid, fd = pty.fork()
	if pid == 0:
	    os.environ["TERM"] = "xterm"
	    os.execv(sys.argv[1], sys.argv[1:])
	fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
	out, pressed, began = b"", False, time.time()
	while time.time() - began < 20:
	    if select.select([fd], [], [], 0.1)[0]:
	        try: chunk = os.read(fd, 65536)
	        except OSError: break
	        if not chunk: break
	        out += chunk
	    if not pressed and out.count(b"\x1b[H") >= 2:
	        os.write(fd, b"q")
	        pressed = True
	sys.stdout.buffer.write(out)
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}

test_expect_success 'wait-ready: not without a daemon, but as soon as there is one' '
	rc 75 "$WAMD_BUILD/wamctl" -s "$PWD/nobody" wait-ready --timeout 300ms && test_grep "not ready in time" err &&
	rc 64 "$WAMD_BUILD/wamctl" -s "$PWD/nobody" wait-ready --timeout soon && test_grep "timeout: found soon" err &&
	stack_up --tenants 2 --senders 2 --rate 1000 --sandbox-args "--rate 0 --pair off" && wamctl wait-ready --timeout 20s
'
test_expect_success 'top shows processes, sums and accounts; once, a few times, and in 80 columns on a terminal' '
	feed --count 50 --rate 500 --timeout 30 && wait_for "[[ \$(accepted) -eq 50 ]]" &&
	wamctl top -1 >out && test_grep "^wamd .*ready, 2 of 2 senders" out && test_grep "^total +50 +50 " out && test_grep "^sender\[1\] " out &&
	test_grep "^t2 +t2-a1 " out && wamctl top --batch --count 3 --interval 200ms --tenant t1 >out && [[ $(grep -c "^a second" out) -eq 2 ]] &&
	[[ $(grep -c "^wamd" out) -eq 3 ]] && ! grep "^t2" out &&
	on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" top --interval 200ms >out && test_grep "PROCESS" out &&
	python3 -c "
import re
text = open(\"out\", \"rb\").read().decode()
assert text.startswith(\"\\x1b[?1049h\") and text.rstrip().endswith(\"\\x1b[?1049l\"), \"the screen is not given back\"
lines = [re.sub(r\"\\x1b\\[[?0-9;]*[a-zA-Z]\", \"\", l).rstrip(\"\\r\") for l in text.split(\"\\n\")]
assert max(map(len, lines)) <= 80, max(lines, key=len)" &&
	rc 64 wamctl top --interval 1ms && rc 64 wamctl top --count 0
'
test_expect_success 'json and csv: the same things, for programs' '
	wamctl --format json account list | python3 -c "import json, sys; assert len(json.load(sys.stdin)[\"accounts\"]) == 4" &&
	wamctl --format csv account list >rows && python3 -c "
import csv
rows = list(csv.DictReader(open(\"rows\", newline=\"\")))
assert [r[\"account_id\"] for r in rows] == [\"t1-a1\", \"t1-a2\", \"t2-a1\", \"t2-a2\"] and rows[0][\"rate\"], rows" &&
	wamctl account hold t1 t1-a1 --reason "a, \"quoted\" reason" && wamctl --format csv account list >rows && python3 -c "
import csv
rows = list(csv.DictReader(open(\"rows\", newline=\"\")))
assert rows[0][\"hold.reason\"] == \"a, \\\"quoted\\\" reason\", rows[0]" && wamctl account release t1 t1-a1 &&
	wamctl --format csv limit show t1 t1-a1 >rows && test_grep "^member,value" rows && test_grep "^account_id,t1-a1" rows &&
	rc 64 wamctl nonsense && test_grep "no such command: nonsense" err && [[ $(wc -l <err) -eq 1 ]] &&
	rc 64 wamctl dlq lists && test_grep "^  dlq list " err && ! grep "^  hold list" err &&
	rc 64 wamctl --format xml status && test_grep "allowed text, json or csv" err
'
test_expect_success 'colours only on a terminal, and never with NO_COLOR' '
	! wamctl status | grep -q "$(printf "\\033")" &&
	on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" status | grep -q "$(printf "\\033")\[32mready" &&
	! NO_COLOR=1 on_terminal "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" status | grep -q "$(printf "\\033")"
'
test_expect_success 'drain: senders finish and go, all else stays; a reload goes on' '
	wamctl drain && wait_for "[[ \$(senders) -eq 0 ]]" 30 && rc 75 wamctl status && test_grep "NOT READY, 0 of 0" out && test_grep "^keeper" out &&
	{ feed --count 20 --rate 500 --prefix later --timeout 60 & } && feeder=$! && wait_for "[[ \$(depth whatsapp.outbound) -eq 20 ]]" &&
	[[ $(accepted) -eq 50 ]] && wamctl reload && wamctl wait-ready && wait_for "[[ \$(accepted) -eq 70 ]]" && wait $feeder
'
test_expect_success 'log level: at once and in all processes, over a reload, until it is taken back' '
	wamctl log level debug && wamctl -j status | grep -q "\"log_level\": *\"debug\"" && wamctl reload && wamctl wait-ready &&
	wait_for "grep -q \" debug keeper\" $DIR/wamd.log" && wamctl log level error && rc 64 wamctl log level loud && test_grep "configured" err &&
	lines=$(grep -c " info sender" "$DIR/wamd.log") && feed --count 5 --rate 500 --prefix quiet --timeout 30 && wait_for "[[ \$(accepted) -eq 75 ]]" &&
	[[ $(grep -c " info sender" "$DIR/wamd.log") -eq $lines ]] && wamctl log level configured
'
test_expect_success 'config: what runs, what is on disk, and what is different' '
	wamctl config show >out && test_grep "^senders = 2;" out && test_grep "urls = .*amqps?://[^:]*:\*+@" out &&
	wamctl config check --conf "$WAMD_CONF" 2>err && test_grep "the configuration is good" err &&
	wamctl config diff --conf "$WAMD_CONF" >out && test_grep "no difference" out &&
	printf "drain_timeout = \"9s\";\nretry: { max = 2; };\n" >"$DIR/conf.d/99-other.conf" &&
	rc 1 wamctl config diff --conf "$WAMD_CONF" && test_grep "^\+ drain_timeout = \"9s\"" out && test_grep "^- retry.max = 5" out &&
	test_grep "^\+ retry.max = 2" out && echo nonsense >"$DIR/conf.d/99-other.conf" && rc 78 wamctl config check --conf "$WAMD_CONF" &&
	test_grep "99-other.conf" err && echo "redis: { prefix = \"a\$b\"; url = \"redis://:\${T_NONE}@h\"; };" >"$DIR/conf.d/99-other.conf" &&
	rc 78 wamctl config check --conf "$WAMD_CONF" && test_grep "99-other.conf:1: redis.url: found .\\$\{T_NONE}., which is not in the environment" err &&
	T_NONE=secret rc 1 wamctl config diff --conf "$WAMD_CONF" && test_grep "^\+ redis.prefix = .a.b" out && ! grep secret out &&
	echo nonsense >"$DIR/conf.d/99-other.conf" && rc 78 wamctl config diff --conf "$WAMD_CONF" && rm "$DIR/conf.d/99-other.conf"
'
test_expect_success 'reopen: the log goes on in a new file' '
	mv "$DIR/wamd.log" "$DIR/wamd.log.1" && wamctl reopen && wait_for "[[ -e $DIR/wamd.log ]]" && wamctl reload && wamctl wait-ready &&
	wait_for "grep -q reloaded $DIR/wamd.log" && cat "$DIR/wamd.log" >>"$DIR/wamd.log.1" && cp "$DIR/wamd.log.1" "$DIR/wamd.log"
'
test_expect_success 'bash completes words and options of every command; every command has help' '
	wamctl completion >complete.bash && cat >try.bash <<-"TRY" &&
		. ./complete.bash
		complete_with() { COMP_WORDS=(wamctl "$@"); COMP_CWORD=$#; _wamctl; printf "%s\n" "${COMPREPLY[@]}" | sort -u | tr "\n" " "; echo; }
		while IFS="|" read -r words options; do
			[[ -n $words ]] || continue
			# shellcheck disable=SC2086 # a list of words
			set -- $words
			[[ " $(complete_with "${@:1:$#-1}" "${!#}") " == *" ${!#} "* ]] || { echo "not completed: $words"; exit 1; }
			for option in $options; do
				[[ " $(complete_with "$@" "$option") " == *" $option "* ]] || { echo "not completed: $words $option"; exit 1; }
			done
		done <<<"$_wamctl_commands"
		[[ $(complete_with dlq r) == "replay " ]] && [[ $(complete_with bre) == "breaker " ]]
	TRY
	bash try.bash && sed -nE "s/^([a-z][a-z -]*)\|.*/\1/p" complete.bash >all && [[ $(wc -l <all) -gt 50 ]] &&
	while read -r words; do
		# shellcheck disable=SC2086 # a list of words
		wamctl $words --help >out </dev/null && test_grep "^usage: wamctl $words" out || return 1
	done <all
'
test_done
