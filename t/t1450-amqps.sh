#!/usr/bin/env bash
# AMQP over TLS: the broker's certificate is verified, by address too; a wrong one sends nothing and says why.
. "$(dirname "$0")/lib.sh"

expect_log 'amqp_down .*certificate'
expect_log 'amqp_down .*connection'
expect_log 'alert kind=limit_(queueing|approaching) state=raised'	# 500 come at once
front() {	# CERT KEY: sets $front to the port of a TLS front before the broker
	local port=${AMQP_URL##*@127.0.0.1:}
	"$T/tlsfront" "$1" "$2" "${port%%/*}" >"$TRASH/front" &
	fronts+=($!)
	wait_for "[[ -s $TRASH/front ]]" && front=$(cat "$TRASH/front") && : >"$TRASH/front"
}
fronts=()
over_tls() {	# PORT CA
	printf 'amqp: { urls = [ "%s" ]; ca_file = "%s"; reconnect_max = "500ms"; };\n' \
		"$(sed -E "s|^amqp://([^@]*)@127.0.0.1:[0-9]+/|amqps://\1@127.0.0.1:$1/|" <<<"$AMQP_URL")" "$2" >"$DIR/conf.d/99-tls.conf"
}

test_expect_success 'with the right CA messages go through amqps' '
	stack_up --no-wamd --senders 1 --rate 1000 --sandbox-args "--rate 0 --pair off" &&
	front "$DIR/tls/cert.pem" "$DIR/tls/key.pem" && good=$front && over_tls $good "$DIR/tls/ca.pem" &&
	stack start-wamd && feed --count 500 && wait_for "ledger --strict >/dev/null" 30
'
test_expect_success 'a broker whose certificate another CA signed is not talked to' '
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -addext subjectAltName=IP:127.0.0.1 \
		-keyout stranger.key -out stranger.pem 2>/dev/null &&
	front stranger.pem stranger.key && over_tls $front "$DIR/tls/ca.pem" && : >"$DIR/wamd.log.mark" &&
	wamctl reload && wait_for "grep -q \"amqp_down.*certificate\" $DIR/wamd.log" 10 && ! wamctl status
'
test_expect_success 'nor one whose certificate is for another address' '
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=elsewhere -addext subjectAltName=IP:127.0.0.2 \
		-keyout elsewhere.key -out elsewhere.pem 2>/dev/null &&
	front elsewhere.pem elsewhere.key && over_tls $front "$TRASH/elsewhere.pem" &&
	wamctl reload && wait_for "grep -qE \"amqp_down.*(IP address mismatch|certificate)\" <(tail -n 3 $DIR/wamd.log)" 10 && ! wamctl status
'
test_expect_success 'back on the right one it goes on' '
	over_tls $good "$DIR/tls/ca.pem" && wamctl reload && wait_for "wamctl status" 20 &&
	feed --count 50 && wait_for "ledger --strict >ledger.out" 30; cat ledger.out; ledger --strict >/dev/null
'
kill "${fronts[@]}"
test_done
