#!/usr/bin/env bash
# The manual pages, the samples and the help texts say what the tables and the programs say.
. "$(dirname "$0")/lib.sh"

top=$(dirname "$T")
tbl=$top/include/tbl
umask 077
mkdir page

# Settings that hardly anybody changes: not in etc/wamd.conf.  Whoever adds a setting decides where it belongs.
# shellcheck disable=SC2034 # used in a test's script
rare='lane.grace lane.max lane.renew limit.window breaker.probe_lease breaker.ramp run_dir state_dir amqp.ca_file amqp.declare amqp.heartbeat amqp.connect_timeout amqp.confirm_timeout
	amqp.reconnect_min amqp.reconnect_max graph.ca_file graph.streams graph.manage_timeout message.record_ttl message.lease_margin
	media.spool media.id_life media.lease
	retry.budget_floor host.window host.min_calls host.open host.probe_lease
	respawn.min respawn.max respawn.calm respawn.alarm
	tenant_service.tenant_path tenant_service.token_path tenant_service.credentials_path tenant_service.number_path
	state_manager.bind_path state_manager.status_path state_manager.ca_file state_manager.retry_max
	tenant_service.ca_file tenant_service.unknown_ttl tenant_service.retry_max token.look job.first job.retry_min job.retry_max
	api.slow_timeout api.answer_timeout message.unknown_max webhook.parked template.check template.unknown_ttl template.page template.fields
	guard.learn'

# column FILE N: the N-th argument, in quotes, of each line of a table.
column() { grep -E '^[A-Z_]+\(' "$tbl/$1.h" | cut -d'"' -f$((2 * $2)); }
settings() { column settings 1; }
idents() { sed -nE 's/^[A-Z_]+\(([A-Z_a-z0-9]+),.*/\1/p' "$tbl/$1.h"; }

# for_all COMMAND...: COMMAND and each line of standard input as its last argument; all must succeed, and there must be one.
for_all() {
	local line n=0 bad=0
	while read -r line; do
		n=$((n + 1))
		"$@" "$line" || { echo "not for: $line"; bad=1; }
	done
	[[ $n -gt 0 && $bad -eq 0 ]]
}

# text PAGE: as a reader sees it, on one line, with single blanks.
text() { mandoc -O width=1000 -T utf8 "page/$1" | sed "s/.\x08//g" | tr -s ' \n' ' '; }

# items PAGE: the tags of its lists.
items() { sed -nE 's/^\.It (Cm|Ic|Fl|Dv) (.*)/\2/p' "page/$1"; }

# all_in PAGE: each line of standard input is the tag, or one of the tags, of an item.
all_in() {
	items "$1" | sed -E 's/ , / /g; s/ (No|Ar) .*//' >items
	for_all has_item
}
has_item() { grep -qE "(^| )${1//./\\.}( |$)" items; }

# says FILE TEXT
says() { grep -qF -- "$2" "$1"; }

make_page() { "$top/man/generate" version=1 "$1" >"page/$(basename "$1")"; }
test_expect_success 'every page can be made' '
	printf "%s\n" "$top"/man/*.[1-8] | for_all make_page &&
	! grep -n "@[a-z_]*@" page/*
'
test_expect_success 'the generator says what it does not know' '
	printf ".\\\\\" @nonsense@\n" >bad.7 &&
	! "$top/man/generate" bad.7 2>err && test_grep "no such marker: @nonsense@" err &&
	! "$top/man/generate" no=sense bad.7
'
for f in "$top"/man/*.[1-8]; do
	test_expect_success "$(basename "$f") has no fault that mandoc knows" "
		mandoc -T lint -W warning 'page/$(basename "$f")'
	"
done
test_expect_success 'pages name no page of ours that is not there' '
	sed -nE "s/^\.Xr (wam[a-z.-]*) ([1-8]).*/page\/\1.\2/p" page/* | sort -u | for_all test -e
'

test_expect_success 'every setting is in wamd.conf(5)' 'settings | all_in wamd.conf.5'
test_expect_success 'a setting has its kind, default and bounds there' '
	text wamd.conf.5 >conf &&
	test_grep "amqp.heartbeat = duration Heartbeat; .* Default: 10s. Allowed: 1s to 1m\." conf &&
	test_grep "amqp.message_max = size .* Default: 1MB. Allowed: 1KB to 16MB\." conf &&
	test_grep "message.on_unknown = word .* Allowed: at_least_once or at_most_once\." conf &&
	test_grep "user = text .* A reload does not change it\." conf
'
test_expect_success 'every reason is in wamd-messages(7) and README.md' '
	column reasons 1 | all_in wamd-messages.7 &&
	column reasons 1 | sed "s/.*/\`&\`/" | for_all says "$top/README.md"
'
test_expect_success 'every outcome is there, and every Graph error with its class and scope' '
	column outcomes 1 | all_in wamd-messages.7 &&
	text wamd-messages.7 >messages &&
	sed -nE "s/^GRAPH_ERROR\(([0-9]+), *([A-Z_]+), *([A-Z_]+),.*/\1 \2 \3/p" "$tbl/graph_errors.h" | tr A-Z a-z |
		for_all says messages && column scopes 1 | all_in wamd-messages.7
'
test_expect_success 'every counter, gauge and failpoint is in wamd(8)' '
	column counters 1 | all_in wamd.8 && column gauges 1 | all_in wamd.8 &&
	idents failpoints | tr A-Z a-z | all_in wamd.8
'
test_expect_success 'every metric and every series of the history is in wamd(8)' '
	column metrics 1 | sed "s/^/wamd_/" | all_in wamd.8 && column histograms 1 | sed "s/.*/wamd_&_seconds/" | all_in wamd.8 &&
	column history 1 | all_in wamd.8
'
test_expect_success 'every alert is in wamd-messages(7) with its severity' '
	column alerts 1 | all_in wamd-messages.7 && column severities 1 | all_in wamd-messages.7 &&
	sed -nE "s/^ALERT\([A-Z_]+, *\"([a-z_]+)\", *([A-Z]+),.*/\1 (\2)/p" "$tbl/alerts.h" | tr A-Z a-z | for_all says messages
'
test_expect_success 'every job is in wamd(8), and every feature in wamd-tenants(5) with its message types' '
	column jobs 1 | all_in wamd.8 && idents features | tr A-Z a-z | all_in wamd-tenants.5 &&
	text wamd-tenants.5 >tenants && column features 1 | sed "s/ /, /g; s/.*/: type &./" | for_all says tenants
'
test_expect_success 'every first word of a log line is in wamd(8)' '
	(cd "$top/src" && cat base/*.c conf/*.c msg/*.c io/*.c flow/*.c graph/*.c api/*.c role/*.c) |
		grep -oE "log_(info|notice|warn|error)\(\"[a-z_]+\"" | cut -d"\"" -f2 | sort -u | all_in wamd.8
'
test_expect_success 'every command is in wamctl(8)' '
	{ column ctl_commands 1; column ctl_local 1; } | all_in wamctl.8
'
test_expect_success 'every resource of the HTTP API is in wamd-api(7), with its scope, and in etc/openapi.json, and nothing else is there' '
	text wamd-api.7 >api && sed -nE "s/^ROUTE\([a-z_]+, *\"([A-Z]+)\", *\"([^\"]+)\", *[A-Z]+,.*/\1 \2/p" "$tbl/api_routes.h" >routes && for_all says api <routes &&
	column api_scopes 1 | all_in wamd-api.7 &&
	python3 -c "import json
for path, item in json.load(open(\"$top/etc/openapi.json\"))[\"paths\"].items():
    for method in item:
        if method != \"parameters\": print(method.upper(), path)" | sort >open && sort routes | diff - open
'
# What people read first, and the pages as they read them: one file each, quotes of code as “‘”.
prose() {
	local f
	rm -rf prose && mkdir prose && cp "$top"/README.md "$top"/CONTRIBUTING.md "$top"/packaging/README "$top"/packaging/debian/*README* prose &&
		cp "$top"/etc/examples/README prose/examples.README && cp "$top"/src/README prose/src.README || return 1
	for f in page/wam*.[1-8]; do mandoc -O width=1000 -T utf8 "$f" | sed "s/.\x08//g" >"prose/${f#page/}" || return 1; done
}
test_expect_success 'every setting that prose names by its path exists' '
	prose && groups=$(settings | sed -n "s/\..*//p" | sort -u | paste -sd"|") && settings | sort >all &&
	grep -hoP "(?<![\w./@-])($groups)\.[a-z_]+(?![\w./]*\.(com|example))" prose/* | grep -vE "\.(c|h|lua|json|conf|token|severity|warning)$" | sort -u >named &&
	test -s named && ! comm -13 all named | grep .
'
test_expect_success 'src/README has the delivery states in the words of their table, and every Lua script' '
	tr -s " \n" " " <"$top/src/README" >map &&
	grep -E "^STATE\(" "$tbl/delivery_states.h" | cut -d"\"" -f2,4 | tr "\"" " " | for_all says map &&
	sed -nE "s/^SCRIPT\([A-Z_]+, *([a-z_]+),.*/\1/p" "$tbl/scripts.h" | for_all says map
'

# leaves FILE: the paths of the settings in a file of libconfig's language, as far as we write it.
leaves() {
	awk '{ sub(/[ \t]*(#|\/\/)[^"]*$/, "") }
		/^[a-z_]+:/ { group = substr($1, 1, index($1, ":") - 1) "." }
		/^};/ { group = "" }
		$2 == "=" { print group $1 }' "$1"
}
test_expect_success 'every setting stands in etc/wamd.conf or is called rare here, and none in both' '
	leaves "$top/etc/wamd.conf" | sort >sample &&
	printf "%s\n" $rare | sort >rare &&
	settings | sort >all &&
	sort -m sample rare >covered &&
	diff all covered
'

# ---- the programs, when they are built -------------------------------------------------------------------------------
if [[ ! -x $WAMD_BUILD/wamd || ! -x $WAMD_BUILD/wamctl ]]; then
	echo "# $WAMD_BUILD: no programs, so their half of this is left out"
	test_done
fi
wamd() { "$WAMD_BUILD/wamd" "$@"; }

test_expect_success 'the sample configuration is good' '
	cp -R "$top/etc" sample.d &&
	wamd -t -f sample.d/wamd.conf
'
test_expect_success 'the sample tenant is good once its secret is there, and says so when it is not' '
	sed "s,/etc/wamd/secrets/,,; s,# \(app_secret_file\),\1," sample.d/tenants.d/example.conf.sample >sample.d/tenants.d/acme.conf &&
	! wamd -t -f sample.d/wamd.conf 2>err && test_grep "acme.conf:[0-9]+: access_token_file: .*No such file" err &&
	echo EAAtoken | tee sample.d/tenants.d/acme-support.token >sample.d/tenants.d/acme.app_secret &&
	wamd -t -f sample.d/wamd.conf 2>out && test_grep "1 tenants, 1 accounts" out &&
	chmod 0644 sample.d/tenants.d/acme-support.token &&
	! wamd -t -f sample.d/wamd.conf 2>err && test_grep "may be read by others" err &&
	rm sample.d/tenants.d/acme*
'
test_expect_success 'the values of the sample are the defaults (but the log goes to syslog)' '
	: >empty.conf &&
	wamd -T -f empty.conf | sed "s/target = \"stderr\"/target = \"syslog\"/" >expected &&
	wamd -T -f sample.d/wamd.conf >actual && diff expected actual
'
# dumped FILE: "path value" for each line of what wamd -T prints, values without quotes, brackets and commas.
dumped() {
	awk '/^[a-z_]+:/ { group = substr($1, 1, index($1, ":") - 1) "." }
		/^};/ { group = "" }
		$2 == "=" { name = group $1; sub(/^[^=]*= /, ""); gsub(/[]["; ,]+/, " "); gsub(/^ +| +$/, ""); print name, $0 }' "$1"
}

# Durations in milliseconds, for 60s and 1m are the same.
in_ms() {
	awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+(ms|s|m|h|d)\.?$/) {
			unit = $i; gsub(/[0-9.]/, "", unit); dot = $i ~ /\.$/ ? "." : ""
			$i = $i * (unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60000 : unit == "h" ? 3600000 : 86400000) "ms" dot } print }'
}

# has_default "NAME VALUE": as the page of settings has it; an empty value is called so.
has_default() {
	local name=${1%% *} value=${1#* }
	[[ $value != "$name" ]] || value=empty
	grep "^$name = " conf | sed 's/$/ /' | grep -qF " Default: $value. "
}
test_expect_success 'the defaults in wamd.conf(5) are those of the program' '
	"$top/man/generate" rundir="$(sed -nE "s/^run_dir = \"(.*)\";/\1/p" expected)" \
		statedir="$(sed -nE "s/^state_dir = \"(.*)\";/\1/p" expected)" "$top/man/wamd.conf.5" >page/wamd.conf.5 &&
	text wamd.conf.5 | sed -E "s/ ([a-z_.]+ = (true|number|duration|size|text|URL|path|secret|word|list) )/\n\1/g" | in_ms >conf &&
	dumped expected | grep -vE "^(amqp.urls|log.target) " | in_ms | for_all has_default
'
test_expect_success 'what wamd -T prints loads again and prints the same' '
	cat >set.conf <<-\END &&
		senders = 3;
		amqp: { urls = [ "amqp://u:p%40ss@a/%2f", "amqps://v:word@b/x" ]; inputs = [ "one", "two" ]; heartbeat = "45s"; };
		redis: { url = "redis://:secret@h:1/2"; };
		retry: { connect = [ "250ms", "2s", "3s", "4s", "1m" ]; };
	END
	wamd -T -f set.conf >once.conf && wamd -T -f once.conf >twice.conf && diff once.conf twice.conf &&
	test_grep "heartbeat = \"45s\"" once.conf && test_grep "\"250ms\"" once.conf
'
test_expect_success 'no password is in it' '
	! grep -E "p%40ss|word@|:secret" once.conf && test_grep "u:\*\*\*\*@a" once.conf
'
test_expect_success 'wamd -h names every option that wamd(8) lists' '
	wamd -h >help && sed -nE "s/^\.It Fl ([A-Za-z]).*/  -\1 /p" page/wamd.8 | IFS="" for_all says help
'
# commands: what prose lets one type after wamctl, one a line: in code of Markdown, in examples, and in the quotes of a page.
commands() {
	{ sed -nE "s/^ {4,}wamctl /wamctl /p; s/.*; do (wamctl .*); done/\1/p" prose/README.md; sed -nE "s/^ +# wamctl /wamctl /p" prose/*.[1-8]
	  grep -ohP "(?<=\`)wamctl [^\`]+(?=\`)" prose/*README* prose/CONTRIBUTING.md; grep -ohP "(?<=‘)wamctl [^’]+(?=’)" prose/*.[1-8]
	} | sed -E "s/  +.*//; s/ #.*//; s/\"[^\"]*\"/TEXT/g; s/^wamctl ((-[a-z]|--[a-z]+)( socket)? )*//" | grep "^[a-z]" | sort -u
}
# is_command LINE: its words begin one, and it has each option of the line.
is_command() {
	local words option
	read -ra words <<<"${1//,/}"
	case $1 in "command --help" | dlq) return 0 ;; esac		# any command; any of dlq
	"$WAMD_BUILD/wamctl" "${words[@]:0:2}" --help >help 2>&1 || "$WAMD_BUILD/wamctl" "${words[0]}" --help >help 2>&1 || return 1
	for option in $(grep -oE -- "(^| )--?[a-z1][a-z-]*" <<<"$1"); do
		[[ $option == --help ]] || grep -qE -- "(^| )$option\\b" help || { echo "no $option"; return 1; }
	done
}
test_expect_success 'every command that prose tells to type exists, with its options' '
	prose && commands >commands && [[ $(wc -l <commands) -gt 40 ]] && for_all is_command <commands
'
test_expect_success 'wamctl -h names every option and command that wamctl(8) lists, and no other command' '
	"$WAMD_BUILD/wamctl" -h >help &&
	sed -nE "s/^\.It Fl ([A-Za-z]) .*/  -\1, /p" page/wamctl.8 | IFS="" for_all says help &&
	sed -n "/COMMANDS/,/^\.El/s/^\.It Cm //p" page/wamctl.8 | sed "s/ Ar / /" >expected &&
	sed -n "/^commands:/,\$ s/^  \([^ ].*\)/\1/p" help | sed "s/   *.*//" >actual &&
	test -s expected && diff expected actual
'

test_done
