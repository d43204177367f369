#!/usr/bin/env bash
# libcurl re-sends a POST by itself when a kept-alive connection dies: the two guards must not let it.  POSTs seen = attempts.
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing) state=raised'

short=(--set message.unknown_timer=500ms --set graph.send_timeout=3s --set message.lease_margin=1s)
# A good message first on each connection, so that it is kept alive; then Graph reads a request and closes without an answer.
closes_after_reading() {
	feed --count 50 --prefix warm &&
	wait_for "ledger --strict >/dev/null" 20 &&
	graph_faults "{\"fault\":\"refuse_then_cut\",\"how\":\"$1\",\"times\":$n,\"match\":{\"text_contains\":\"cut-\"}}" &&
	feed --count $n --prefix cut --on-unknown at_most_once --timeout 120
}
ends_unknown() {
	wait_for "[[ \$(depth whatsapp.outbound.dlq) -ge $n ]]" 60 &&
	wait_for "ledger --strict >ledger.out" 20; cat ledger.out
	ledger --strict >/dev/null &&
	posted=$(wamctl -j status | python3 -c "import json, sys; print(json.load(sys.stdin)['totals']['posted'])") &&
	sandbox_ledger | python3 -c "
import collections, json, sys
seen = collections.Counter(json.loads(l)['callback'] for l in sys.stdin)
twice = [c for c, k in seen.items() if k > 1]
print(sum(seen.values()), 'POSTs seen,', len(twice), 'attempts more than once, $posted attempts made')
assert not twice and sum(seen.values()) == $posted == $n + 50"
}

# One at a time: on HTTP/2 a closed connection takes its other streams with it, seen or not.
for case in 1.1:fin:1000 1.1:rst:100 2:fin:1000 2:rst:100; do
	IFS=: read -r http how n <<<"$case"
	test_expect_success "HTTP/$http: $n requests are read and their kept-alive connections closed ($how)" '
		stack_up --no-breakers --senders 1 --rate 1000 "${short[@]}" --set "graph.http_version=\"$http\"" --set amqp.prefetch=1 \
			--sandbox-args "--rate 0 --pair off" &&
		closes_after_reading $how
	'
	test_expect_success "HTTP/$http, $how: Graph saw each attempt once; each outcome is unknown and dead-lettered" ends_unknown
	test_expect_success "HTTP/$http, $how: nothing unexpected in the log" log_is_clean
	"$T/stack" down "$DIR" --purge >/dev/null 2>&1
done
test_done
