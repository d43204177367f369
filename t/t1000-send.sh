#!/usr/bin/env bash
# The whole way of a text message: RabbitMQ, Redis, Graph, Redis, confirm, ack.
. "$(dirname "$0")/lib.sh"

# A machine that is busy elsewhere lets messages pile up; the next ones then come faster than 900 a second an account.
expect_log 'alert kind=limit_(queueing|approaching) state=raised'

test_expect_success '20 accounts of 5 tenants, 2 senders, Graph answers after 50 ms' '
	stack_up --tenants 5 --accounts 4 --senders 2 --rate 1000 --sandbox-args "--rate 0 --delay 50"
'
test_expect_success '10,000 text messages are published and confirmed' '
	feed --count 10000 --prefix many
'
all_sent() { [[ $(wamctl -j status | python3 -c 'import json,sys; print(json.load(sys.stdin)["totals"]["sent"])') -ge $1 ]]; }
test_expect_success 'all of them are sent' '
	wait_for "all_sent 10000" 60
'
test_expect_success 'each exactly once, every record final, queues and dead letters empty' '
	wait_for "ledger --strict --json >ledger.json" 20 &&
	test_grep "\"sent\": 10000" ledger.json
'
test_expect_success 'a record tells its story' '
	wamctl message why t1 many-000001 >why || wamctl message why t1 many-000002 >why
	test_grep "Graph accepted it" why
'
test_expect_success 'the loop was never away for longer than 50 ms' loop_was_never_away
test_expect_success 'unknown messages are not found, and that is said' '
	! wamctl message why t1 nobody 2>err &&
	test_grep "no_record" err &&
	! wamctl message why nobody x 2>err &&
	test_grep "unknown_tenant" err
'
test_done
