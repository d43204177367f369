#!/usr/bin/env bash
# The console: who may look and who may act, and each of its views in a real browser (skipped where there is none).
. "$(dirname "$0")/lib.sh"

expect_log 'alert kind=(held|message_refused|limit_queueing|limit_approaching) state=raised'

shots=$(dirname "$WAMD_BUILD")/console
token=correct-horse-battery-staple
port=$("$T/free-port" 2>/dev/null || python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
console=http://127.0.0.1:$port

# asks STATUS PATTERN PATH [CURL OPTION...]: what the console answers; its head is in "head", its body in "body".
asks() {
	local want=$1 pattern=$2 path=$3 status
	shift 3
	status=$(curl -sS -m 20 -D head -o body -w '%{http_code}' "$@" "$console$path")
	[[ $status -eq $want ]] && { [[ -z $pattern ]] || test_grep "$pattern" body; } || { echo "status $status, wanted $want"; cat head body; return 1; }
}
# A session in a jar of its own, as curl has it; sets $proof.
login() {
	asks 200 '"may_act": *false' /console/login -H "Origin: $console" -c jar --data-binary "$token" && read_proof
}
read_proof() { proof=$(python3 -c 'import json; print(json.load(open("body"))["proof"])'); }
changes() { asks "$1" "$2" "$3" -b jar -c jar -H "Origin: $console" -H "X-Wamd-Console: $proof" -X POST "${@:4}"; }
actions() { changes 200 '"may_act"' "/console/session?actions=$1" && read_proof; }
message() { printf '{"body":{"id":"%s","tenant_id":"t1","account_id":"t1-a1","to":"%s","type":"text","text":{"body":"words of %s"}}}\n' "$1" "$2" "$1"; }

test_expect_success 'a daemon with a console' '
	mkdir -p "$DIR" && (umask 077; printf "%s\n" "$token" >"$DIR/console.token") &&
	stack_up --senders 2 --sandbox-args "--pair off" --set console.listen="127.0.0.1:$port" --set console.token_file=console.token --set limit.pair_interval=0ms &&
	feed --count 60 --prefix fed && { message good-1 +491511234567; message bad-1 0815; message bad-2 0816; } | publish &&
	wait_for "wamctl -j message why t1 good-1 | grep -q sent" && wait_for "[[ \$(depth whatsapp.outbound.dlq) -eq 2 ]]"
'

# ---- who may ----
test_expect_success 'the page is one file that may load nothing, and has no secret in it' '
	asks 200 "<title>wamd</title>" /console && test_grep "^Content-Security-Policy: default-src .none.; script-src .nonce-[0-9a-f]{32}.;" head &&
	! grep -E "(src|href)=\"?(https?:|//)|@nonce@|@script@" body && nonce=$(grep -oE "nonce-[0-9a-f]{32}" head | head -n 1) &&
	test_grep "<script nonce=\"${nonce#nonce-}\">" body && asks 200 "<title>" /console && ! grep -q "$nonce" head && ! grep -qF "$token" body &&
	asks 302 "" / && test_grep "^Location: /console" head
'
test_expect_success 'on the admin socket it needs no login, and a page of somebody else is refused' '
	curl -sS --unix-socket "$ADMIN_SOCKET" http://wamd/console >body && test_grep "<title>wamd" body &&
	curl -sS --unix-socket "$ADMIN_SOCKET" http://wamd/console/session | grep "\"by\":\"socket\"" &&
	[[ $(curl -sS -o body -w "%{http_code}" --unix-socket "$ADMIN_SOCKET" -H "Origin: http://evil.example" -X POST http://localhost/v1/stop) -eq 403 ]] &&
	[[ $(curl -sS -o body -w "%{http_code}" --unix-socket "$ADMIN_SOCKET" http://evil.example/v1/status) -eq 403 ]] && wamctl status
'
test_expect_success 'without a session nothing is told and nothing done' '
	asks 401 no_session /v1/status && asks 401 no_session /v1/dlq && asks 401 no_session /v1/stop -X POST -H "Origin: $console" &&
	asks 401 no_session /v1/status -H "Cookie: wamd_console=f.99999999999999.0011223344556677.$(printf %064d 0)" &&
	asks 401 no_session /v1/status -H "Cookie: wamd_console=" && asks 401 no_session /nonsense
'
test_expect_success 'a name that is not loopback is refused, whoever asks' '
	asks 403 wrong_host /console -H "Host: evil.example:$port" && asks 403 wrong_host /v1/status -H "Host: 127.0.0.1.evil.example" &&
	asks 403 wrong_origin /console/login -H "Origin: http://evil.example" --data-binary "$token" && asks 403 wrong_origin /console/login --data-binary "$token" &&
	asks 200 "<title>" /console -H "Host: localhost:8080"
'
test_expect_success 'a wrong token is answered late, and after ten nobody logs in; the right one before that' '
	login && test_grep "^Set-Cookie: wamd_console=r\..*; HttpOnly; SameSite=Strict" head && asks 200 "\"ready\"" /v1/status -b jar &&
	before=$(date +%s%N) && asks 401 wrong_token /console/login -H "Origin: $console" --data-binary guess && (( $(date +%s%N) - before >= 900000000 )) &&
	{ for i in 2 3 4 5 6 7 8 9 10; do curl -sS -o /dev/null -H "Origin: $console" --data-binary "guess $i" "$console/console/login" & guesses[i]=$!; done; wait "${guesses[@]}"; } &&
	asks 429 too_many_guesses /console/login -H "Origin: $console" --data-binary "$token" && test_grep "^Retry-After: 60" head &&
	asks 200 "\"ready\"" /v1/status -b jar && test_grep "console_refused wrong=10" "$DIR/wamd.log" && ! grep -F "$token" "$DIR/wamd.log"
'
test_expect_success 'a session may look; to act it switches actions on, and shows its proof each time' '
	changes 403 actions_off "/v1/breakers/reset?tenant=t1&account=t1-a1" &&
	asks 403 no_proof "/console/session?actions=on" -b jar -X POST -H "Origin: $console" && actions on && test_grep "^Set-Cookie: wamd_console=f\." head &&
	asks 403 no_proof "/v1/breakers/reset?tenant=t1&account=t1-a1" -b jar -X POST -H "Origin: $console" &&
	asks 403 wrong_origin "/v1/breakers/reset?tenant=t1&account=t1-a1" -b jar -X POST -H "X-Wamd-Console: $proof" &&
	asks 403 no_proof "/v1/breakers/reset?tenant=t1&account=t1-a1" -b jar -X POST -H "Origin: $console" -H "X-Wamd-Console: ${proof%?}x" &&
	changes 200 was_closed "/v1/breakers/reset?tenant=t1&account=t1-a1" && changes 403 not_here "/v1/media?tenant=t1" --data-binary bytes &&
	test_grep "operator who=console asks=breaker_reset tenant=t1 account=t1-a1" "$DIR/wamd.log" &&
	test_grep "operator who=console command=reset tenant=t1 account=t1-a1 .* result=closed" "$DIR/wamd.log" && actions off && changes 403 actions_off "/v1/reload"
'
test_expect_success 'a reload and a dead keeper end no session; another token ends all' '
	wamctl reload && wait_for "! wamctl status | grep -q draining" && asks 200 "\"ready\"" /v1/status -b jar &&
	printf "%s\n" "another token of $token" >"$DIR/console.token" && wamctl reload && wait_for "! wamctl status | grep -q draining" &&
	wait_for "asks 401 no_session /v1/status -b jar" 5 && printf "%s\n" "$token" >"$DIR/console.token" && wamctl reload &&
	wait_for "! wamctl status | grep -q draining" && wait_for "asks 200 ready /v1/status -b jar" 5
'
test_expect_success 'USR2 hands the listener over' '
	kill -USR2 "$WAMD_PID" && wait_for "grep -q \"wamd upgraded\" $DIR/wamd.log" && wait_for "wamctl status" && asks 200 "\"ready\"" /v1/status -b jar
'
test_expect_success 'what the configuration does not allow is said' '
	printf "console: { listen = \"0.0.0.0:8082\"; token_file = \"$DIR/console.token\"; };\n" >bad.conf && chmod 600 bad.conf &&
	! "$WAMD_BUILD/wamd" -t -f "$PWD/bad.conf" 2>err && test_grep "console.listen: found \"0.0.0.0:8082\", allowed this machine.s own addresses" err &&
	printf "console: { listen = \"[::1]:8082\"; };\n" >bad.conf && ! "$WAMD_BUILD/wamd" -t -f "$PWD/bad.conf" 2>err && test_grep "console.token_file: is missing" err &&
	(umask 077; echo short >short) && printf "console: { token_file = \"short\"; };\n" >bad.conf &&
	! "$WAMD_BUILD/wamd" -t -f "$PWD/bad.conf" 2>err && test_grep "found a token of 5 characters, allowed 16 or more" err
'

# ---- in a browser ----
if ! command -v chromedriver >/dev/null || ! command -v chromium >/dev/null; then
	echo "# no chromium and chromedriver here, so the views are not looked at (make deps-ci installs them)"
	test_done
fi
browse() {
	{ printf 'import json, os, sys\nfrom browserlib import Browser\nconsole, shots, token = sys.argv[1:]\n'; cat; } |
		PYTHONPATH="$T" PYTHONDONTWRITEBYTECODE=1 python3 - "$console" "$shots" "$token"
}
# Its whole session: chromedriver, and all that belongs to the browser.
end_browser() {
	local driver
	driver=$(python3 -c 'import json; print(json.load(open("browser.json"))["pid"])' 2>/dev/null) && rm -f browser.json || return 0
	kill -- "-$driver" 2>/dev/null
	wait_for "! pgrep -s $driver >/dev/null" 10
}
# shellcheck disable=SC2154 # rc
trap 'rc=$?; end_browser; (exit $rc); test_cleanup' EXIT

test_expect_success 'what the views have to show: templates, an alert, a hold, messages that wait' '
	waba=$(fact t1-a1 waba_id) && sandbox_curl templates --json "{\"waba_id\":\"$waba\",\"name\":\"order\",\"language\":\"en_US\",\"status\":\"APPROVED\",\"category\":\"UTILITY\",
		\"components\":[{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"Your order\"},{\"type\":\"BODY\",\"text\":\"Hello {{1}}, order {{2}} is on its way.\",
		\"example\":{\"body_text\":[[\"Ann\",\"4711\"]]}},{\"type\":\"FOOTER\",\"text\":\"The shop\"},{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"QUICK_REPLY\",\"text\":\"Thanks\"}]}]}" &&
	wamctl template refresh t1 t1-a1 &&
	graph_faults "{\"fault\":\"error\",\"code\":190,\"http\":401,\"times\":1,\"match\":{\"phone_number_id\":\"$(number_of t2-a2)\"}}" &&
	feed --count 12 --prefix held --account t2-a2 && wait_for "wamctl alert list | grep held" && wait_for "wamctl lane list | grep t2-a2"
'
test_expect_success 'a browser comes up, the page asks for the token, and lets nobody in with another' '
	mkdir -p "$shots" browser && browse <<-\PY
	import socket
	with socket.socket() as s:
	    s.bind(("127.0.0.1", 0))
	    port = s.getsockname()[1]
	b = Browser.start(port, os.path.abspath("browser"))
	b.size(1280, 900)
	b.dark(False)
	b.go(console + "/console")
	b.wait("document.querySelector(\"form.login\")")
	assert b.js("return document.activeElement.name") == "token"
	b.type("[name=token]", token + "x")
	b.key("Enter")
	b.wait("document.querySelector(\"form.login .note.bad\")")
	b.shot(shots + "/login.png")
	b.type("[name=token]", token)
	b.key("Enter")
	b.wait("document.querySelector(\"#main[data-view=overview] table\")")
	PY
'
test_expect_success 'Overview: state, processes, charts with a readout and a table' '
	browse <<-\PY
	b = Browser.attach()
	b.wait("document.querySelector(\"#pulse.live\") && document.querySelectorAll(\"table[aria-label=Processes] tbody tr\").length == 3")
	assert "ready" in b.text("#main") and "2 of 2 ready" in b.text("#main")
	b.wait("document.querySelector(\".chart path.line\").getAttribute(\"d\")", 30)
	b.js("document.querySelector(\".chart svg\").focus()")
	b.key("ArrowLeft")
	b.wait("document.querySelector(\".chart .hair\") && document.querySelector(\".legend b\").textContent")
	b.click("section.card details summary")
	b.wait("document.querySelectorAll(\"section.card details[open] table tbody tr\").length >= 1")
	b.click("section.card details summary")
	PY
'
test_expect_success 'Accounts: held and released, as somebody does it by keyboard; read-only before' '
	browse <<-\PY
	b = Browser.attach()
	b.view("accounts")
	b.wait("document.querySelectorAll(\"#main tbody tr\").length == 4")
	b.wait("document.querySelector(\"[data-row=\\\"t2/t2-a2\\\"]\").textContent.includes(\"waiting\")")
	assert not b.js("return !!document.querySelector(\"#main tbody button\")")
	b.click("#actions")
	b.wait("document.querySelector(\"#actions[aria-checked=true]\")")
	b.key("/")
	assert b.js("return document.activeElement.type") == "search"
	b.type("[type=search]", "t1-a2")
	b.wait("document.querySelectorAll(\"#main tbody tr\").length == 1")
	b.click("[data-key=\"hold t1/t1-a2\"]")
	b.wait("document.activeElement.name == \"reason\"")
	b.key("Escape")
	b.wait("!document.querySelector(\"dialog[open]\") && document.activeElement.dataset.key == \"hold t1/t1-a2\"")
	b.key("Enter")
	b.wait("document.activeElement.name == \"reason\"")
	b.type("[name=reason]", "<b>the customer</b> asked")
	b.shot(shots + "/hold-dialog.png")
	b.key("Enter")
	b.wait("document.querySelector(\"[data-key=\\\"release t1/t1-a2\\\"]\")")
	assert "<b>the customer</b> asked" in b.text("[data-row=\"t1/t1-a2\"]")
	PY
	wamctl hold list | grep "t1-a2  *operator" && browse <<-\PY
	b = Browser.attach()
	b.click("[data-key=\"release t1/t1-a2\"]")
	b.wait("document.querySelector(\"dialog[open]\")")
	b.click("dialog button[type=submit]")
	b.wait("document.querySelector(\"[data-key=\\\"hold t1/t1-a2\\\"]\")")
	PY
	! wamctl hold list | grep t1-a2 && test_grep "operator who=console command=hold tenant=t1 account=t1-a2 .* result=held" "$DIR/wamd.log" &&
	test_grep "operator who=console command=release tenant=t1 account=t1-a2 .* result=released" "$DIR/wamd.log"
'
test_expect_success 'Messages: found by tenant and id, with its timeline' '
	browse <<-\PY
	b = Browser.attach()
	b.view("messages")
	b.key("/")
	b.type("[name=tenant]", "t1")
	b.type("[name=id_]", "good-1")
	b.key("Enter")
	b.wait("document.querySelectorAll(\".timeline li\").length == 3")
	assert "Attempt 1: sent" in b.text("#main") and "waits for nothing" in b.text("#main")
	b.view("messages", "tenant=t1&id=nobody")
	b.wait("document.querySelector(\"#main .note.warn\")")
	PY
'
test_expect_success 'Dead letters: filtered, shown, edited, replayed' '
	browse <<-\PY
	b = Browser.attach()
	b.view("letters")
	b.wait("document.querySelectorAll(\"#main tbody tr\").length == 2")
	b.type("[name=id]", "bad-1")
	b.key("Enter")
	b.wait("document.querySelectorAll(\"#main tbody tr\").length == 1")
	b.click("#main tbody button")
	b.wait("document.querySelector(\"dialog[open] pre\") && document.querySelector(\"dialog\").textContent.includes(\"words of bad-1\")")
	b.shot(shots + "/letter-dialog.png")
	b.click("dialog [data-key=edit]")
	b.wait("document.querySelector(\"dialog textarea\")")
	message = json.loads(b.js("return document.querySelector(\"dialog textarea\").value"))
	b.type("dialog textarea", json.dumps({**message, "to": "nonsense"}))
	b.click("dialog button[type=submit]")
	b.wait("document.querySelector(\"dialog .note.bad\")")
	b.type("dialog textarea", json.dumps({**message, "to": "+491511234568"}))
	b.click("dialog button[type=submit]")
	b.wait("document.querySelector(\"dialog [data-key=replay]\") && document.querySelector(\"dialog\").textContent.includes(\"+491511234568\")")
	b.click("dialog [data-key=replay]")
	b.wait("document.querySelector(\"dialog[open] [name=rate]\")")
	assert "1 match (tenant t1, id bad-1): 1 would be sent again" in b.text("dialog")
	b.click("dialog button[type=submit]")
	b.wait("document.querySelector(\"#main .empty\") && document.querySelector(\"#toast\").textContent.includes(\"1 of 1 were sent again\")")
	PY
	wait_for "wamctl -j message why t1 bad-1 | grep sent" && test_grep "operator who=console asks=dlq_edit tenant=t1" "$DIR/wamd.log"
'
test_expect_success 'Alerts and Templates: what is active; a template is searched, shown and previewed' '
	browse <<-\PY
	b = Browser.attach()
	b.view("alerts")
	b.wait("document.querySelector(\"#main tbody\") && document.querySelector(\"#main tbody\").textContent.includes(\"held\")")
	assert "t2-a2" in b.text("#main tbody")
	b.wait("document.querySelector(\"#nav .badge:not([hidden])\")")
	b.view("templates")
	b.wait("document.querySelector(\"[name=account]\")")
	b.key("/")
	b.wait("document.activeElement.name == \"text\"")
	b.type("[name=text]", "ord")
	b.key("Enter")
	b.wait("document.querySelectorAll(\"#main tbody tr\").length == 1")
	b.click("#main tbody button")
	b.wait("document.querySelector(\"dialog[open] .bubble\") && document.querySelector(\"dialog\").textContent.includes(\"The shop\")")
	b.shot(shots + "/template-dialog.png")
	b.key("Escape")
	b.wait("!document.querySelector(\"dialog[open]\")")
	PY
'
test_expect_success 'each view by day on a desk and by night on a phone: nothing is wider than the screen' '
	browse <<-\PY
	b = Browser.attach()
	rows = {"overview": "table[aria-label=Processes] tbody tr", "accounts": "#main tbody tr", "messages": ".timeline li", "letters": "#main tbody tr",
	        "alerts": "#main tbody tr", "templates": "#main tbody tr"}
	b.wait("!document.querySelector(\".toast.shown\")")
	for dark, width, height, name in (False, 1280, 900, "light"), (True, 360, 740, "dark-360"):
	    b.size(width, height)
	    b.dark(dark)
	    for view, css in rows.items():
	        b.view(view, "tenant=t1&id=good-1" if view == "messages" else "")
	        b.wait(f"document.querySelector({json.dumps(css)})")
	        if view == "overview":
	            b.wait("document.querySelector(\".chart path.line\").getAttribute(\"d\")", 20)
	        assert b.js("return document.documentElement.scrollWidth <= innerWidth && innerWidth == arguments[0]", width), \
	            (view, b.js("return [document.documentElement.scrollWidth, innerWidth]"))
	        assert (b.js("return getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 28)") == dark
	        assert b.js("return [...document.querySelectorAll(\"button, input, select, textarea, a\")].filter(e => e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.labels && e.labels.length)).length") == 0, view
	        b.shot(f"{shots}/{view}-{name}.png")
	PY
'
test_expect_success 'nothing was asked of anybody else, and the page never stumbled' '
	browse <<-\PY
	b = Browser.attach()
	lists = set()		# of dead letters that are being read: the daemon reads one at a time
	for line in b.log("performance"):
	    m = json.loads(line["message"])["message"]
	    if m["method"] in ("Network.loadingFinished", "Network.loadingFailed"):
	        lists.discard(m["params"]["requestId"])
	    if m["method"] == "Network.requestWillBeSent":
	        url = m["params"]["request"]["url"]
	        if "/v1/dlq?" in url:
	            assert not lists, url
	            lists.add(m["params"]["requestId"])
	        assert url.startswith((console + "/", "data:", "about:", "chrome:")), url	# chrome: what stood there before
	bad = [line["message"] for line in b.log("browser") if line["level"] == "SEVERE" and "responded with a status of 4" not in line["message"]]
	assert not bad, bad
	assert b.js("return performance.getEntriesByType(\"resource\").every(e => e.name.startsWith(location.origin))")
	PY
'
test_expect_success 'away, the page says so and keeps what it has; back, it goes on; logged out, it asks again' '
	browse <<-\PY &&
	b = Browser.attach()
	b.view("alerts")
	b.wait("document.querySelector(\"#pulse.live\")")
	PY
	stack stop-wamd && browse <<-\PY &&
	b = Browser.attach()
	b.wait("document.querySelector(\"#pulse.lost\") && document.querySelector(\".trouble\") && document.querySelector(\"#main tbody\")")
	PY
	stack start-wamd && browse <<-\PY
	b = Browser.attach()
	b.wait("document.querySelector(\"#pulse.live\") && !document.querySelector(\".trouble\")")
	b.click("#logout")
	b.wait("document.querySelector(\"form.login\") && !document.querySelector(\"#main tbody\")")
	PY
'
end_browser
test_expect_success 'no turn of a loop was long' 'loop_was_never_away'
test_done
