#!/usr/bin/env bash
# The rooms and which way their includes may point (src/README); vendor headers and calls that have their place or none.
. "$(dirname "$0")/lib.sh"

top=$(dirname "$T")
rooms='tbl base conf msg io flow graph api role'

# lines PATTERN: "file:line" of each matching line in src and include, file names from the top of the repository.
lines() { (cd "$top" && grep -rnE --include='*.[ch]' -- "$1" src include) || :; }

# none < offenders: quiet success if there are none.
none() {
	if grep . >offenders; then
		echo "these are not allowed here:"
		cat offenders
		return 1
	fi
}

# May a file of room $1 include "$2/..."?
may_include() {
	local r
	case $1 in
	sandbox) [[ $2 == sandbox || $2 == base ]]; return ;;
	ctl) [[ $2 == ctl || $2 == base || $2 == msg || $2 == io || $2 == tbl ]]; return ;;
	load) [[ $2 == load || $2 == base || $2 == conf || $2 == msg || $2 == io || $2 == tbl ]]; return ;;
	esac
	for r in $rooms; do
		[[ $r != "$2" ]] || return 0
		[[ $r != "$1" ]] || return 1
	done
	return 1
}

# Every include in quotes names its room; a header without one is generated or private to its own directory.
wrong_includes() {
	local file line header room
	lines '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' | while IFS=: read -r file line header; do
		header=${header#*\"}
		header=${header%%\"*}
		[[ $header == */* ]] || continue
		room=$(cut -d/ -f2 <<<"$file")
		# The programs' own files are above all rooms - all but the sandbox, which knows nothing of wamd.
		if [[ $file == src/*.c && $file != src/*/* ]]; then
			[[ $file == src/wamd-sandbox.c ]] || continue
			room=sandbox
		fi
		may_include "$room" "${header%%/*}" || echo "$file:$line: $header"
	done
}

# places HEADER_PATTERN: the files that include <HEADER_PATTERN>.
places() { lines "^[[:space:]]*#[[:space:]]*include[[:space:]]*<($1)>" | cut -d: -f1 | sort -u; }

test_expect_success 'includes point down: tbl < base < conf < msg < io < flow < graph < api < role' '
	wrong_includes | none
'
test_expect_success 'the rule can fail: io may not include flow, sandbox not msg' '
	! may_include io flow && ! may_include flow graph && may_include api graph && may_include flow io && may_include io io && ! may_include sandbox msg &&
	! may_include load role && ! may_include ctl api && ! may_include base nonsense
'
# library: its one place.  rabbitmq-c is a codec only and comes in two halves, what we take and what we put.
while read -r library place; do
	test_expect_success "<$library> appears in $place only" '
		places "$library" | grep -vE "^src/(sandbox|load)/|^src/wamd-load\.c$|^src/io/$place$" | none
	'
done <<'END'
curl/.*                  http_client\.c
amqp.*|rabbitmq-c/.*     amqp_(put|take)\.c
hiredis.*|async\.h       redis_link\.c
microhttpd\.h            http_(server|form)\.c
END
test_expect_success 'libconfig belongs to conf' '
	places "libconfig\.h" | grep -vE "^(src|include)/conf/" | none
'
test_expect_success 'jansson comes in by msg/json.h (sandbox, load and ctl have their own)' '
	places "jansson\.h" | grep -vE "^include/msg/json\.h$|^(src|include)/(sandbox|load|ctl)/|^src/wamd-(load|sandbox)\.c$" | none
'
test_expect_success 'OpenSSL is in base, in io (TLS to the broker) and in the sandbox' '
	places "openssl/.*" | grep -vE "^(src|include)/(base|sandbox)/|^src/io/(tls|stream)\.c$" | none
'
test_expect_success 'C++ stays in its one file' '
	places "phonenumbers/.*" | none &&
	(cd "$top" && find src include -name "*.cc") | grep -vx src/msg/phone_number.cc | none
'
test_expect_success 'nghttp2 is the sandbox'"'"'s' '
	places "nghttp2/.*" | grep -vE "^(src|include)/sandbox/" | none
'
test_expect_success 'no unsafe calls' '
	lines "(^|[^A-Za-z0-9_])(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|localtime|gmtime)[[:space:]]*\(" |
		grep -vE "BANNED\(|:[0-9]+:[[:space:]]*(/?\*|//)" | none
'
test_expect_success 'every C file is in a room or is a program' '
	(cd "$top" && find src include -name "*.[ch]") |
		grep -vE "^src/(wamd|wamctl|wamd-sandbox|wamd-load)\.c$|^(src|include)/(base|conf|msg|io|flow|graph|api|role|sandbox|load|ctl)/[^/]*$|^include/tbl/[^/]*$" | none
'
test_expect_success 'nothing but what belongs there lies at the top' '
	(cd "$top" && ls) | grep -vxE "Makefile|configure\.ac|src|include|etc|man|t|packaging|README\.md|CONTRIBUTING\.md|CHANGELOG\.md|LICENSE|build|configure~?|config\.(log|status)|autom4te\.cache" | none
'

test_done
