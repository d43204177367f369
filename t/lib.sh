# shellcheck shell=bash
# t/lib.sh - what every test script starts with:  . "$(dirname "$0")/lib.sh"
#
#   test_expect_success 'text' 'script'   one TAP line; the script runs in this shell, with "set -e" not in force: use &&
#   test_long                             skip the whole script unless t/run --long
#   test_done                             at the very end
#   wait_for 'command' [seconds]          until it succeeds (30 s); never sleep in a test, wait for a fact
#   test_grep PATTERN FILE                grep that shows FILE when it fails
#   stack_up [options of t/stack up]      a stack in $DIR, its facts ($AMQP_URL ...) as variables; ended by itself
#   stack COMMAND                         t/stack COMMAND $DIR, facts read again:  stack kill-redis
#   graph_faults JSON                     script the sandbox;  graph_reset forgets faults and ledger
#   sandbox_stats | sandbox_ledger        what Graph saw, JSON | NDJSON
#   load COMMAND [ARG...]                 wamd-load with --url:  load depth --queue whatsapp.outbound
#   feed [ARG...]                         wamd-load feed, for this stack; what it published goes to $DIR/published*.ndjson
#   publish <FILE                         a line each: {"body":{…}} or {"raw":"…"} (wamd-load feed --stdin)
#   depth QUEUE                           messages ready in QUEUE (0 if there is no such queue)
#   wamctl ARG...                         on this stack's admin socket
#   redis ARG...                          redis-cli on this stack's Redis
#   at_rest [ARG...]                      nothing lost, doubled or under way: t/ledger --strict, its words in ledger.out
#   accepted | total COUNTER              messages that the sandbox took | a counter of all processes of wamd
#   api PATH [CURL OPTION...]             the HTTP API with the key of tenant t1, or of $TENANT; $KEY is another key
#   fact ACCOUNT MEMBER | number_of ACCOUNT   from accounts.json | the account's phone number id
#   loop_was_never_away                   no turn of an event loop took 50 ms
#   ledger [ARG...]                       t/ledger on this stack
#   expect_log PATTERN                    a warn or error line that this test provokes; any other one in wamd.log fails it
#
# Every script has a directory of its own, $DIR, gone at its end; KEEP=1 keeps it.  V=1 shows what the tests print.
set -u

T=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${WAMD_BUILD:=$(dirname "$T")/build}"
export WAMD_BUILD
test_name=$(basename "$0" .sh)
TRASH=$(mktemp -d "${TMPDIR:-/tmp}/$test_name.XXXXXX")
DIR=$TRASH/stack
test_count=0 test_failed=0 test_over='' test_stacks=()
expected_log=()
# Scripts that want to be outside of the repository; files named without a path land here.
cd "$TRASH" || exit 1

test_run_() { eval "$1"; }	# so that "return" in a script leaves the script, not us

test_expect_success() {
	local rc=0
	test_count=$((test_count + 1))
	# Not in a pipe or subshell: what the script sets is there for the next one.
	test_run_ "$2" >"$TRASH/output" 2>&1 || rc=$?
	if [[ -n ${V-} ]]; then sed 's/^/# /' "$TRASH/output"; fi
	if [[ $rc -eq 0 ]]; then
		echo "ok $test_count - $1"
	else
		test_failed=$((test_failed + 1))
		echo "not ok $test_count - $1"
		{	# to stderr: prove shows it without being asked
			printf '# %s: %s\n# exit %d of:\n' "$test_name" "$1" "$rc"
			printf '%s\n' "$2" | sed 's/^/#   /'
			test_show_logs
			# Last, because whoever shortens this keeps the end.
			printf '# --- output\n'
			tail -n 40 "$TRASH/output" | sed 's/^/# /'
		} | tee -a "${WAMD_FAILED:-/dev/null}" >&2
	fi
}

# The ends of the logs, where the reason of a failure most often is.
test_show_logs() {
	local log
	for log in "$DIR"/wamd.log "$DIR"/wamd.out "$DIR"/sandbox.out; do
		[[ -s $log ]] || continue
		printf '# --- %s\n' "${log##*/}"
		tail -n 15 "$log" | sed 's/^/# /'
	done
	# The broker is shared with other tests: that it blocked everybody, and why, is said nowhere else.
	if grep -hs 'alarm set' "${RMQ_DIR-}"/log/*.log >"$TRASH/alarms"; then
		printf '# --- broker\n'
		tail -n 3 "$TRASH/alarms" | sed 's/^/# /'
	fi
}

test_long() {
	[[ -z ${WAMD_LONG-} ]] || return 0
	echo "1..0 # SKIP long: t/run --long"
	test_over=1
	exit 0
}

test_done() {
	if [[ -e $DIR/wamd.log ]]; then
		test_expect_success 'wamd logged no warning or error that was not expected' 'log_is_clean'
	fi
	echo "1..$test_count"
	test_over=1
	[[ $test_failed -eq 0 ]]
	exit
}

# shellcheck disable=SC2317 # called by trap
test_cleanup() {
	local rc=$? s
	trap '' INT TERM HUP
	for s in "${test_stacks[@]}"; do "$T/stack" down "$s" >/dev/null 2>&1; done
	if [[ -n ${KEEP-} ]]; then echo "# kept: $TRASH"; else rm -rf "$TRASH"; fi
	if [[ -z $test_over ]]; then
		echo "Bail out? no: $test_name ended before test_done" >&2
		[[ $rc -ne 0 ]] || rc=1
	fi
	exit "$rc"
}
trap test_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

wait_for() {
	local deadline=$((SECONDS + ${2:-30}))
	until eval "$1"; do
		if [[ $SECONDS -ge $deadline ]]; then
			echo "waited ${2:-30} s in vain for: $1"
			return 1
		fi
		sleep .05
	done
}

test_grep() {
	grep -E -- "$1" "$2" || { echo "no line like /$1/ in $2:"; tail -n 20 "$2"; return 1; }
}

stack_facts() {
	# shellcheck disable=SC1091 # written by t/stack
	. "$DIR/env"
}

stack_up() {
	test_stacks+=("$DIR")
	"$T/stack" up "$DIR" "$@" && stack_facts
}

stack() {
	local cmd=$1
	shift
	"$T/stack" "$cmd" "$DIR" "$@" && stack_facts
}

sandbox_curl() {
	local path=$1
	shift
	curl -sS --fail-with-body --cacert "$DIR/tls/ca.pem" "$@" "$SANDBOX_URL/_sandbox/$path"
}
graph_faults() { sandbox_curl faults --json "$1"; }
graph_reset() { sandbox_curl reset -X POST; }
sandbox_stats() { sandbox_curl stats; }
sandbox_ledger() { sandbox_curl ledger; }

# The longest turn of any event loop stayed below 50 ms (four times that with sanitizers, which slow the code, not the waits).
loop_was_never_away() {
	local limit=50
	[[ $WAMD_BUILD != */san ]] || limit=200
	wamctl -j status | python3 -c "
import json, sys
for p in json.load(sys.stdin)['processes']:
    lag = p['gauges']['loop_lag_max_us'] / 1000
    print(p['role'], p['number'], lag, 'ms')
    assert lag < $limit, p"
}

load() {
	local cmd=$1
	shift
	"$WAMD_BUILD/wamd-load" "$cmd" --url "$AMQP_URL" "$@"
}
feeds=0
feed() {
	feeds=$((feeds + 1))
	load feed --accounts "$DIR/accounts.json" --out "$DIR/published$feeds.ndjson" "$@"
}
publish() {
	feeds=$((feeds + 1))
	load feed --stdin --out "$DIR/published$feeds.ndjson"
}
depth() { load depth --queue "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]) or 0)' "$1"; }

wamctl() { "$WAMD_BUILD/wamctl" -s "$ADMIN_SOCKET" "$@"; }

redis() {
	local login=${REDIS_URL#redis://:} port=${REDIS_URL##*:}
	REDISCLI_AUTH=${login%%@*} redis-cli -h 127.0.0.1 -p "${port%%/*}" "$@"
}

ledger() { "$T/ledger" "$@" "$DIR"; }

at_rest() { ledger --strict "$@" >ledger.out; }
accepted() { sandbox_stats | python3 -c 'import json, sys; print(json.load(sys.stdin)["accepted"])'; }
total() { wamctl -j status | python3 -c "import json, sys; print(json.load(sys.stdin)['totals']['$1'])"; }
fact() { python3 -c "import json; print(next(a['$2'] for a in json.load(open('$DIR/accounts.json')) if a['account_id'] == '$1'))"; }
key_of() { python3 -c "import json; print(next(a['api_key'] for a in json.load(open('$DIR/accounts.json')) if a['tenant_id'] == '$1'))"; }
api() {
	local path=$1
	shift
	curl -sS -H "Authorization: Bearer ${KEY-$(key_of "${TENANT-t1}")}" "$@" "$API_URL$path"
}
number_of() { fact "$1" phone_number_id; }

expect_log() { expected_log+=("$1"); }

# No secret of the stack, no recipient's number and no message text may be in the log.
log_keeps_secrets() {
	python3 - "$DIR" <<-'PY'
	import json, re, sys
	d = sys.argv[1]
	secrets = [a[k] for a in json.load(open(d + "/accounts.json")) for k in ("access_token", "app_secret", "api_key") if a.get(k)]
	for line in open(d + "/wamd.log", errors="replace"):
	    assert not any(s in line for s in secrets), "a secret: " + line[:60]
	    assert not re.search(r"\+?49\d{9,}", re.sub(r"such as \S+|\b[nwp]:\d+|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "", line)), "a number: " + line
	    assert "wamid." not in line, "a WAMID, which holds the number in base64: " + line
	PY
}

# Log lines: "TIME LEVEL WHO word key=value..."
log_is_clean() {
	local pattern bad
	log_keeps_secrets || return 1
	bad=$(awk '$2 == "warn" || $2 == "error"' "$DIR/wamd.log")
	for pattern in "${expected_log[@]}"; do bad=$(grep -Ev -- "$pattern" <<<"$bad"); done
	if grep -lE 'AddressSanitizer|LeakSanitizer|runtime error:' "$DIR"/*.out; then
		grep -hE -A 12 'AddressSanitizer|LeakSanitizer|runtime error:' "$DIR"/*.out
		return 1
	fi
	[[ -z $bad ]] || { head -n 20 <<<"$bad"; return 1; }
}
