#!/usr/bin/env bash
# SIGUSR2: the program on disk takes the daemon's place, in the same process; reloads and upgrades fail no request and lose no message.
. "$(dirname "$0")/lib.sh"

reloads=7 upgrades=2 rate=100
[[ ${WAMD_LONG:-} ]] && reloads=200 upgrades=10 rate=1000

expect_log 'alert kind=limit_(queueing|approaching) state=raised'
expect_log 'error wamd (upgrade|reload)_refused'

page() { wamctl -j status 2>/dev/null | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
one_generation() { ! wamctl status | grep -q draining && wamctl status >/dev/null; }
upgraded() { [[ $(page upgrades) -eq $1 ]] && one_generation; }
# put_program FILE: as a package manager does it, by renaming.
put_program() { cp "$1" "$DIR/bin/new" && chmod 755 "$DIR/bin/new" && mv "$DIR/bin/new" "$DIR/bin/wamd"; }

test_expect_success 'a daemon from a file of its own, 300 messages a second, and people who ask the API' '
	mkdir -p "$DIR/bin" && cp "$WAMD_BUILD/wamd" "$DIR/bin/wamd" && export WAMD_PROGRAM="$DIR/bin/wamd" &&
	stack_up --api --senders 2 --rate 1000 --sandbox-args "--rate 0 --pair off --delay 20-300" &&
	wait_for "[[ \$(curl -s -o /dev/null -w %{http_code} $API_URL/readyz) == 200 ]]" &&
	feed --count 300 --rate 300 --prefix first --on-unknown at_most_once --timeout 60 &&
	asked=$(python3 -c "import json; print(next(m[\"id\"] for m in map(json.loads, open(\"$DIR/published1.ndjson\")) if m[\"tenant_id\"] == \"t1\"))") &&
	wait_for "api /v1/messages/$asked | grep -q \"\\\"state\\\": *\\\"sent\""
'
test_expect_success 'the program on disk takes over: same pid, same lock, old children drain, counters and socket stay' '
	pid=$WAMD_PID sent=$(total sent) sockets=$(stat -c %i "$DIR"/run/admin*.sock) && put_program "$WAMD_BUILD/wamd" &&
	kill -USR2 "$pid" && wait_for "upgraded 1" 30 &&
	test_grep "wamd upgrading version" "$DIR/wamd.log" && test_grep "wamd upgraded version=.* pid=$pid" "$DIR/wamd.log" &&
	[[ $(cat "$DIR/run/wamd.pid") -eq $pid && $(total sent) -ge $sent && $(stat -c %i "$DIR"/run/admin*.sock) == "$sockets" ]] &&
	"$WAMD_BUILD/wamctl" -s "$DIR/run/admin-ro.sock" status && ! "$WAMD_BUILD/wamctl" -s "$DIR/run/admin-ro.sock" reload &&
	[[ $(readlink "/proc/$pid/exe") == "$DIR/bin/wamd" ]] &&
	! "$WAMD_BUILD/wamd" -F -f "$WAMD_CONF" 2>err && test_grep "another wamd runs" err
'
test_expect_success 'a program that would not start is refused, and nothing is changed' '
	generation=$(page generation) && printf "#!/bin/sh\necho first line >&2\necho wamd: this one is broken >&2\nexit 78\n" >broken &&
	put_program broken && kill -USR2 "$WAMD_PID" &&
	wait_for "grep -q \"upgrade_refused status 78: wamd: this one is broken: nothing was changed\" $DIR/wamd.log" 10 &&
	[[ $(page generation) -eq $generation && $(page refusal) == *"this one is broken"* ]] && rm "$DIR/bin/wamd" && kill -USR2 "$WAMD_PID" &&
	wait_for "grep -q \"upgrade_refused status 127: .*No such file\" $DIR/wamd.log" 10 && put_program "$WAMD_BUILD/wamd" &&
	echo nonsense >"$DIR/conf.d/99-bad.conf" && kill -USR2 "$WAMD_PID" &&
	wait_for "grep -q \"upgrade_refused .*99-bad.conf:2\" $DIR/wamd.log" 10 && rm "$DIR/conf.d/99-bad.conf" && [[ $(page generation) -eq $generation ]]
'
test_expect_success "$reloads reloads under load, one in three with a broken file: no request fails" '
	{ feed --count $((reloads * 300)) --rate 300 --prefix reload --on-unknown at_most_once --timeout 600 & } && feeder=$! &&
	{ "$T/ask" "$API_URL/v1/messages/$asked" "$(key_of t1)" $rate $((reloads + 2)) >ask.out & } && asker=$! &&
	for ((i = 1; i <= reloads; i++)); do
		rm -f "$DIR/conf.d/99-bad.conf" && { ((i % 3)) || echo "nonsense" >"$DIR/conf.d/99-bad.conf"; } &&
		kill -HUP "$WAMD_PID" && wait_for one_generation 30 || return 1
	done &&
	rm -f "$DIR/conf.d/99-bad.conf" && wait $asker; cat ask.out; test_grep "failed 0$" ask.out && wait $feeder
'
test_expect_success "$upgrades upgrades under load: no request fails" '
	before=$(page upgrades) &&
	{ feed --count $((upgrades * 1000)) --rate 300 --prefix upgrade --on-unknown at_most_once --timeout 600 & } && feeder=$! &&
	{ "$T/ask" "$API_URL/v1/messages/$asked" "$(key_of t1)" $rate $((upgrades * 3)) >ask.out & } && asker=$! &&
	for ((i = 1; i <= upgrades; i++)); do
		kill -USR2 "$WAMD_PID" && wait_for "upgraded $((before + i))" 60 || return 1
	done &&
	wait $asker; cat ask.out; test_grep "failed 0$" ask.out && wait $feeder
'
test_expect_success 'HUP and USR2 at once: both happen, one after the other' '
	before=$(page upgrades) && generation=$(page generation) && kill -HUP "$WAMD_PID" && kill -USR2 "$WAMD_PID" &&
	wait_for "upgraded $((before + 1))" 60 && wait_for "[[ \$(page generation) -ge $((generation + 2)) ]]"
'
test_expect_success 'a crashed sender is restarted after an upgrade, and all arrived once' '
	expect_log "warn wamd child_died sender" && kill -KILL "$(wamctl status | awk "/sender\[0\]/ { print \$2; exit }")" &&
	wait_for "wamctl status" 20 && wait_for at_rest 90; cat ledger.out; at_rest
'
test_expect_success 'the last program stops as the first would' '
	kill -TERM "$WAMD_PID" && wait_for "! kill -0 $WAMD_PID 2>/dev/null" 28 && test_grep "wamd stopped status=0" "$DIR/wamd.log" &&
	[[ ! -e $DIR/run/admin.sock && ! -e $DIR/run/admin-ro.sock && ! -e $DIR/run/wamd.pid ]]
'
test_done
