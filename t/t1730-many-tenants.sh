#!/usr/bin/env bash
# A thousand tenants with three accounts each from the tenant service: nobody waits for those that nobody uses.
# alone: it measures times.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(limit_approaching|limit_queueing) state=raised'
first_ms=2000 rss_kb=$((30 * 1024))
[[ $WAMD_BUILD != */san ]] || { first_ms=10000 rss_kb=$((2 << 20)); }
calls() { sandbox_curl tenants/calls | python3 -c 'import json, sys; c = json.load(sys.stdin); print(len(c), sum(c.values()), max(c.values(), default=0))'; }

test_expect_success 'a thousand tenants, three accounts each; a message waits for one of them' '
	stack_up --senders 2 --tenants 1000 --accounts 3 --tenant-service wamd --sandbox-args "--rate 0 --pair off" && stack stop-wamd &&
	feed --count 1 --prefix first --account t500-a2
'
test_expect_success "from the start to its POST: at most $first_ms ms, and one tenant was asked for" '
	from=$(date +%s.%N) && stack start-wamd && wait_for "[[ \$(sandbox_ledger | wc -l) -eq 1 ]]" &&
	sandbox_ledger | python3 -c "import json, sys
ms = (json.loads(sys.stdin.readline())[\"t\"] - $from) * 1000
print(round(ms), \"ms\")
assert ms <= $first_ms" && calls && [[ $(calls) == "1 1 1" ]]
'
test_expect_success 'two messages for each account: one call a tenant, though both senders miss it at once' '
	feed --count 6000 --prefix all && wait_for at_rest 100; cat ledger.out; at_rest && calls && [[ $(calls) == "1000 1000 1" ]]
'
test_expect_success "with all of them in use a sender has at most $((rss_kb / 1024)) MB" '
	wamctl -j status | python3 -c "
import json, re, sys
for p in json.load(sys.stdin)[\"processes\"]:
    kb = int(re.search(r\"VmHWM:\s+(\d+)\", open(\"/proc/%d/status\" % p[\"pid\"]).read())[1])
    print(p[\"role\"], p[\"number\"], round(kb / 1024, 1), \"MB\")
    assert p[\"role\"] != \"sender\" or kb <= $rss_kb"
'
test_expect_success 'no turn of a loop was long' 'loop_was_never_away'
test_done
