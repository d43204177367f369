#!/usr/bin/env bash
# A probe that comes too late to be begun: no attempt is used, and the next may try at once.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(breaker_open|limit_queueing) state=raised'
expect_log 'failpoint point=after_admit'

# Its sender is away for 100 ms between the leasing and the POST; a fifth of the lease is for beginning.
test_expect_success 'four messages fail, the breaker opens; the fifth is its probe and is held up' '
	WAMD_FAIL=after_admit:5:sleep stack_up --senders 1 --tenants 1 --accounts 1 --rate 1000 --sandbox-args "--rate 0 --pair off" \
		--set limit.pair_interval=0ms --set host.min_calls=1000 --set breaker.min_calls=4 --set breaker.open=1s \
		--set breaker.probe_lease=400ms --set "retry.wait=[\"1s\",\"2s\"]" --set "retry.server=[\"5s\",\"5s\",\"5s\",\"5s\",\"5s\"]" &&
	graph_faults "{\"fault\":\"error\",\"code\":131016,\"http\":500,\"times\":4}" &&
	feed --count 4 --prefix fails && wait_for "grep -q breaker_opened \"$DIR/wamd.log\"" 10 &&
	feed --count 1 --prefix late && wait_for "grep -q \"failpoint point=after_admit\" \"$DIR/wamd.log\"" 10
'
test_expect_success 'it was not sent, and goes with its first attempt when it comes back; the breaker is closed' '
	wait_for "grep -q breaker_closed \"$DIR/wamd.log\"" 10; grep -E "settled|gate" "$DIR/wamd.log" | tail -n 9 &&
	wait_for "[[ \$(grep -c \"settled id=late-.* attempt=1 \" \"$DIR/wamd.log\") -eq 2 ]]" 10 &&
	grep "settled id=late-" "$DIR/wamd.log" >late && test_grep "outcome=not_sent attempt=1 " late &&
	test_grep "outcome=sent attempt=1 " late && [[ $(sandbox_ledger | grep -c late-) -eq 1 ]]
'
test_expect_success 'all are sent' 'wait_for at_rest 30; cat ledger.out; at_rest'
test_done
