#!/usr/bin/env bash
# One sender's whole life under valgrind: messages sent, retried, dead-lettered, a reload, the drain; no error, no leak.
. "$(dirname "$0")/lib.sh"

command -v valgrind >/dev/null || { echo "1..0 # SKIP valgrind is not installed (make deps)"; test_over=1; exit 0; }
[[ $WAMD_BUILD != */san ]] || { echo "1..0 # SKIP not with sanitizers"; test_over=1; exit 0; }

expect_log 'alert kind=limit_(queueing|approaching) state=raised'	# 150 come at once

test_expect_success 'wamd with one sender runs under valgrind' '
	stack_up --no-wamd --senders 1 --rate 1000 --sandbox-args "--rate 0 --pair off" --set "redis.timeout=\"30s\"" \
		--set "retry.server=[\"200ms\",\"200ms\",\"200ms\",\"200ms\",\"200ms\"]" --set "graph.send_timeout=\"20s\"" &&
	graph_faults "{\"fault\":\"error\",\"code\":131016,\"probability\":0.2}" &&
	{ valgrind --leak-check=full --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite --log-file="$TRASH/vg.%p" \
		"$WAMD_BUILD/wamd" -F -f "$WAMD_CONF" & } && daemon=$! &&
	wait_for "wamctl status" 60
'
test_expect_success '300 good messages, a few bad ones, and a reload in between' '
	feed --count 150 && printf "%s\n" "{\"raw\":\"no JSON\",\"id\":\"\",\"expect\":\"dead:not_json\"}" | publish &&
	wamctl reload && feed --count 150 && wait_for "wamctl status" 60 &&
	wait_for "ledger --strict >ledger.out" 60; cat ledger.out; ledger --strict >/dev/null
'
test_expect_success 'it drains and exits 0' '
	kill -TERM $daemon && wait $daemon
'
test_expect_success 'valgrind saw no error and no lost memory in any process' '
	ls "$TRASH"/vg.* && ! grep -L "ERROR SUMMARY: 0 errors" "$TRASH"/vg.* | grep . ||
	{ cat $(grep -L "ERROR SUMMARY: 0 errors" "$TRASH"/vg.*) | head -60; false; }
'
test_done
