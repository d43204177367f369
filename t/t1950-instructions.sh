#!/usr/bin/env bash
# What the steps of a message's way execute, counted under callgrind, is within t/instructions.txt: time would tell of the machine.
. "$(dirname "$0")/lib.sh"

command -v valgrind >/dev/null || { echo "1..0 # SKIP valgrind is not installed (make deps)"; test_over=1; exit 0; }
[[ $WAMD_BUILD != */san ]] || { echo "1..0 # SKIP not with sanitizers"; test_over=1; exit 0; }
counted_with=$(sed -n 's/^# compiler: //p' "$T/instructions.txt")
compiler=$(readelf -p .comment "$WAMD_BUILD/unit/test_hot_path" | sed -n 's/^ *\[ *0\] *//p')
[[ $compiler == "$counted_with" ]] || { echo "1..0 # SKIP counted with $counted_with, this is $compiler"; test_over=1; exit 0; }

each=$(nm "$WAMD_BUILD/unit/test_hot_path" | sed -n 's/.* t \(step_[a-z]*\)$/--zero-before=\1 --dump-after=\1/p')

test_expect_success 'the steps run under callgrind' '
	stack_up --no-wamd --no-sandbox &&
	AMQP_URL=$AMQP_URL REDIS_URL=$REDIS_URL CK_FORK=no CK_DEFAULT_TIMEOUT=0 valgrind --tool=callgrind -q --compress-strings=no --compress-pos=no \
		--callgrind-out-file="$TRASH/cg" $each "$WAMD_BUILD/unit/test_hot_path"
'
test_expect_success 'each is within its budget' '
	"$T/instructions" "$T/instructions.txt" "$TRASH"/cg.* >counted; rc=$?; cat counted; (exit $rc)
'
sed 's/^/# /' counted
test_done
