#!/usr/bin/env bash
# Files given to wamd: what is taken, what is refused and leaves nothing, and that a large one is nowhere in memory.
. "$(dirname "$0")/lib.sh"

# make NAME BYTES [MAGIC]: a file that begins with MAGIC (for printf) and has so many bytes.
make() {
	{ printf "${3-}"; head -c "$2" /dev/zero | tr '\0' 'x'; } | head -c "$2" >"$1"
}
png='\x89PNG\r\n\x1a\n' jpeg='\xff\xd8\xff\xe0' pdf='%%PDF-1.7\n'

spool() { find "$DIR/state/media" -type f "$@"; }
# shellcheck disable=SC2012 # names of our own
spooled() { ls "$DIR/state/media/$1" | grep -cv json; }	# TENANT
uploaded() {	# MIME KIND WAMCTL-ARGUMENTS...
	local mime=$1 kind=$2
	shift 2
	wamctl -j media upload "$@" >json && cat json && python3 -c "
import json
a = json.load(open('json'))
assert (a['mime'], a['kind']) == ('$mime', '$kind') and a['handle'].startswith('m.') and len(a['sha256']) == 64, a"
}
# refused STATUS CODE WORDS COMMAND...: and nothing more is in the spool than before.
refused() {
	local want=$1 code=$2 words=$3 rc=0 before after
	shift 3
	before=$(spool | sort)
	wamctl "$@" >out 2>err || rc=$?
	after=$(spool | sort)
	[[ $rc -eq $want && $before == "$after" ]] && test_grep "wamctl: $code: " err && test_grep "$words" err
}
member() { python3 -c "import json; print(json.load(open('json'))['$1'])"; }
keeper_memory() {	# the most it ever had, in KiB
	local pid
	pid=$(wamctl -j status | python3 -c "import json, sys; print([p['pid'] for p in json.load(sys.stdin)['processes'] if p['role'] == 'keeper'][0])")
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
}

test_expect_success 'up: the spool is there, for wamd alone' '
	stack_up --senders 1 --set media.spool_max=120MB && [[ $(stat -c %a "$DIR/state/media") == 700 ]]
'
test_expect_success 'pictures and documents are taken for what they are' '
	make a.png 1000 "$png" && make b.jpg 2000 "$jpeg" && make c.pdf 3000 "$pdf" &&
	uploaded image/png image t1 a.png && [[ $(member filename) == a.png && $(member size) == 1000 ]] &&
	[[ $(member sha256) == "$(sha256sum a.png | cut -d" " -f1)" ]] &&
	cmp a.png "$DIR/state/media/t1/$(member sha256)" &&
	uploaded image/jpeg image t1 "$PWD/b.jpg" && [[ $(member filename) == b.jpg ]] &&
	uploaded application/pdf document t1 c.pdf --name "Rechnung für März.pdf" && [[ $(member filename) == "Rechnung für März.pdf" ]] &&
	uploaded application/pdf document t1 - --type application/pdf <c.pdf && cat c.pdf | uploaded application/pdf document t1 - &&
	[[ $(spooled t1) -eq 3 ]]
'
test_expect_success 'a file is shown by its digest and by its handle, to its own tenant only' '
	uploaded image/png image t1 a.png && handle=$(member handle) sha=$(member sha256) &&
	wamctl media show t1 "sha256:$sha" >out && test_grep "^on disk +yes" out && test_grep "^type +image/png" out &&
	wamctl media show t1 "$handle" >out && test_grep "^ref +sha256:$sha" out &&
	refused 66 media_not_here "not on this machine" media show t2 "sha256:$sha" &&
	refused 66 media_not_here "no file of this tenant" media show t2 "$handle" &&
	refused 64 bad_request "ref:" media show t1 ../../x
'
test_expect_success 'what Graph would refuse is refused here' '
	: >empty.png && make wrong.png 100 "$jpeg" && make large.png $((5 * 1024 * 1024 + 1)) "$png" && make text.txt 100 &&
	refused 64 media_empty empty media upload t1 empty.png &&
	refused 65 media_type "image/png, but the bytes are those of image/jpeg" media upload t1 wrong.png &&
	refused 65 media_type "declared as image/jpeg.*text/plain" media upload t1 text.txt --type image/jpeg &&
	refused 65 media_too_large "Meta takes 5242880 of image/png" media upload t1 large.png &&
	truncate -s 101M huge.pdf && refused 65 media_too_large "no file of more than" media upload t1 huge.pdf &&
	refused 66 unknown_tenant "" media upload t9 a.png && refused 66 unknown_tenant "" media upload .. a.png
'
test_expect_success 'a client that dies in the middle leaves nothing' '
	before=$(spool | sort) &&
	python3 - "$ADMIN_SOCKET" "$DIR" <<-\PY &&
	import glob, os, socket, sys, time
	s = socket.socket(socket.AF_UNIX)
	s.connect(sys.argv[1])
	s.sendall(b"POST /v1/media?tenant=t1&name=x.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300000)
	while not any(os.path.getsize(f) for f in glob.glob(sys.argv[2] + "/state/media/+new/*")):
	    time.sleep(.01)
	s.close()
	PY
	wait_for "[[ \$(spool | sort) == \"\$before\" ]]" 10
'
test_expect_success 'uploads side by side, two of them of the same file' '
	for i in 1 2 3 4 5 6; do make p$i.txt $((100000 * i)) "$i" && { wamctl media upload t2 p$i.txt >out$i & }; done &&
	make p1b.txt 100000 1 && wamctl media upload t2 p1b.txt && wait && [[ $(spooled t2) -eq 6 ]] &&
	for i in 1 2 3 4 5 6; do test_grep "$(sha256sum p$i.txt | cut -d" " -f1)" out$i || return 1; done
'
test_expect_success '100 MB go through, and the keeper needs no 5 MB for them' '
	make large.pdf $((100 * 1024 * 1024)) "$pdf" && before=$(keeper_memory) &&
	uploaded application/pdf document t1 large.pdf && after=$(keeper_memory) && echo "$before $after KiB" &&
	cmp large.pdf "$DIR/state/media/t1/$(member sha256)" &&
	{ [[ $WAMD_BUILD == */san ]] || [[ $((after - before)) -le 5120 ]]; }
'
test_expect_success 'what is more than media.spool_max goes by itself, the oldest first' '
	{ echo; cat large.pdf; } | head -c $((100 * 1024 * 1024)) >other.txt && uploaded text/plain document t2 other.txt && sha=$(member sha256) &&
	wait_for "test_grep media_removed $DIR/wamd.log && ! [[ -e $DIR/state/media/t1/$(sha256sum large.pdf | cut -d" " -f1) ]]" 10 &&
	[[ -e $DIR/state/media/t2/$sha ]]
'
test_expect_success 'a file that is deleted is gone, with its handle' '
	uploaded text/plain document t1 text.txt && handle=$(member handle) sha=$(member sha256) &&
	wamctl media delete t1 "$handle" >out && test_grep "removed" out && [[ ! -e $DIR/state/media/t1/$sha && ! -e $DIR/state/media/t1/$sha.json ]] &&
	refused 66 media_not_here "" media show t1 "$handle" && refused 66 media_not_here "" media delete t1 "sha256:$sha"
'
test_expect_success 'without Redis there is the digest to go by' '
	stack kill-redis && expect_log "redis_|record_store|alert" &&
	wait_for "wamctl media upload t1 a.png >out && test_grep \"no handle\" out" 20 && test_grep "^ref +sha256:" out &&
	stack start-redis && wait_for "wamctl status"
'
test_done
