#!/usr/bin/env bash
# Who may what at the admin sockets: one for all commands, one for looking; who asked for a change, and how many may ask at a time.
. "$(dirname "$0")/lib.sh"

readonly_socket() { echo "$DIR/run/admin-ro.sock"; }
look() { "$WAMD_BUILD/wamctl" -s "$(readonly_socket)" "$@"; }
rc() { local got=0; "${@:2}" >out 2>err || got=$?; [[ $got -eq $1 ]] || { echo "status $got of: ${*:2}"; cat out err; return 1; }; }
# asks SOCKET METHOD PATH: status and body of an answer.
asks() { curl -sS -o body -w '%{http_code}' --unix-socket "$1" -X "$2" "http://wamd$3"; }
# The routes of commands that change something.
changing() { sed -nE 's/^CTL\(([a-z_]+),.*"(POST|DELETE)", *"([^"]+)".*/\1 \2 \3/p' "$T/../include/tbl/ctl_commands.h" | grep -v '^template_preview '; }

test_expect_success 'two sockets, for two groups' '
	stack_up --senders 1 --tenants 1 && [[ $(stat -c %a "$DIR/run/admin.sock" "$(readonly_socket)" | sort -u) == 660 ]]
'
test_expect_success 'the second one shows all that can be looked at' '
	look status && look account list | grep "^t1 *t1-a1 " && look config show && look dlq list && look metrics | grep "^wamd_up" &&
	rc 66 look template preview t1 t1-a1 nobody --message-file /dev/null && test_grep "no_template|template" err
'
test_expect_success 'and refuses whatever changes something, by one rule' '
	rc 77 look reload && test_grep "read_only: this socket is for looking only" err && rc 77 look account hold t1 t1-a1 --reason no &&
	changing >routes && [[ $(wc -l <routes) -gt 20 ]] && while read -r ident method path; do
		[[ $(asks "$(readonly_socket)" "$method" "$path?tenant=t1&account=t1-a1&reason=x") -eq 403 ]] && grep -q "\"code\":\"read_only\"" body ||
			{ echo "not refused: $ident"; return 1; }
	done <routes &&
	[[ $(asks "$(readonly_socket)" PUT /v1/status) -eq 403 && $(asks "$(readonly_socket)" POST /v1/status) -eq 403 ]] &&
	wamctl -j status | grep -q "\"generation\":1[,}]" && wamctl hold list | grep "nothing is on hold"
'
test_expect_success 'the console is there, too, and offers no actions' '
	[[ $(asks "$(readonly_socket)" GET /console) -eq 200 ]] && grep -q "<title>wamd" body &&
	[[ $(asks "$(readonly_socket)" GET /console/session) -eq 200 ]] && grep -q "\"by\":\"readonly\"" body &&
	[[ $(asks "$ADMIN_SOCKET" GET /console/session) -eq 200 ]] && grep -q "\"by\":\"socket\"" body
'
test_expect_success 'who asks for a change is in the log, whether it is done or not; who looks is not' '
	wamctl account hold t1 t1-a1 --reason "a private reason" && wamctl account release t1 t1-a1 && wamctl log level info &&
	who="uid=$(id -u) gid=$(id -g) pid=[0-9]+" && test_grep "notice keeper.* operator $who asks=account_hold tenant=t1 account=t1-a1\$" "$DIR/wamd.log" &&
	test_grep " operator $who asks=log_level tenant=- account=-\$" "$DIR/wamd.log" &&
	test_grep " operator $who asks=reload tenant=- account=- refused=read_only" "$DIR/wamd.log" &&
	! grep -E "asks=(status|account_list|template_preview|dlq_list)|private reason" "$DIR/wamd.log"
'
test_expect_success 'a user has 32 connections on each socket, and is told so; others have theirs' '
	python3 - "$ADMIN_SOCKET" "$(readonly_socket)" >held 2>&1 <<-PY & holder=$! &&
		import os, socket, sys, time
		def many(path):
		    held = []
		    for i in range(32):
		        s = socket.socket(socket.AF_UNIX)
		        s.connect(path)
		        held.append(s)
		    return held
		def ask(path):
		    s = socket.socket(socket.AF_UNIX)
		    s.settimeout(5)
		    s.connect(path)
		    try: s.sendall(b"GET /v1/status HTTP/1.0\r\nHost: wamd\r\n\r\n")
		    except BrokenPipeError: pass
		    return s.recv(65536).split()[1]
		full = many(sys.argv[1])
		for i in range(100):
		    if ask(sys.argv[1]) == b"429": break
		    time.sleep(0.02)
		print("held", flush=True)
		assert ask(sys.argv[1]) == b"429" and ask(sys.argv[2]) == b"200"
		while not os.path.exists("release"): time.sleep(0.02)
	PY
	wait_for "grep -q held held" && rc 75 wamctl status && test_grep "too_many_connections: this user has as many" err && look status &&
	touch release && wait $holder && wait_for "wamctl status" && test_grep "peer_refused uid=$(id -u) connections=32" "$DIR/wamd.log"
'
test_done
