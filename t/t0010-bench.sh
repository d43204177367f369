#!/usr/bin/env bash
# What t/bench is made of, as far as it can be tried without measuring: words, chart, verdicts, the Node sender, the k6 script.
. "$(dirname "$0")/lib.sh"

bench() { "$T/bench" "$@"; }
in_bench() { PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$T python3 -c "$1"; }
named() { bench --help | sed -nE 's/^    ([a-z]+)  +[^ ].*/\1/p'; }

test_expect_success 'every scenario that the help names is one, and every one is named' '
	named >names && [[ $(wc -l <names) -ge 14 ]] && while read -r name; do bench --only "$name" --help >/dev/null || return 1; done <names &&
	! bench --only nonsense --help 2>err && test_grep "no scenario nonsense" err &&
	(cd "$T/benchlib" && grep -l "^def report(" *.py) | sed "s/\.py$//" | sort | diff - <(sort names)
'
test_expect_success 'the chart has a bar for each number, for light and dark pages' '
	in_bench "
import xml.etree.ElementTree as tree
from benchlib import chart
rows = lambda *v: [{\"sender_cpu_us\": x, \"p95\": x / 10} for x in v]
sides = {\"wamd\": rows(60, 80, 70), \"bare\": rows(50), \"node\": rows(450)}
found = {\"options\": {\"messages\": 9, \"window\": 8, \"delay\": 7, \"rate\": 5, \"quick\": False, \"repeats\": 6}, \"cost\": {\"full\": sides, \"calm\": sides},
         \"answers\": {\"summary\": {\"per_second\": {\"0\": {\"wamd\": 9000, \"bare\": 9500, \"node\": None}}}}}
text = chart.draw(found)
root = tree.fromstring(text)
bars = [e for e in root.iter() if e.tag.endswith(\"rect\")]
assert len(bars) == 8, len(bars)
assert {e.get(\"class\") for e in bars} == {\"wamd\", \"bare\", \"node\"} and \"prefers-color-scheme: dark\" in text
assert \">70<\" in text and \">9,000<\" in text, text
widths = [float(e.get(\"width\")) for e in bars[:3]]
assert widths[1] < widths[0] < widths[2], widths
found[\"options\"][\"quick\"] = True
assert \"Not a measurement\" in chart.draw(found) and \"Not a measurement\" not in text
assert chart.draw({\"options\": {}}) is None"
'
test_expect_success 'a goal is reached, not reached, or not measured, and the last table has all of them' '
	in_bench "
from benchlib.report import all_goals, ratio_verdict, unmeasured, verdict
ratio_verdict(\"one\", 1.25, 1.25)
ratio_verdict(\"two\", 1.26, 1.25)
verdict(\"three\", \"9\", \"ms\", \"< 8\", False)
unmeasured(\"four\", \"<= 1\")
all_goals()" >out && [[ $(grep -cE "one .* reached$" out) -eq 2 && $(grep -cE "(two|three) .* NOT reached$" out) -eq 4 &&
		$(grep -cE "four .* not measured$" out) -eq 2 ]] && test_grep "^1 of 4 reached, 1 not measured" out
'
test_expect_success 'lock files of npm name versions and digests, and no host that packages come from' '
	ls "$T"/*/package-lock.json "$T"/*/*/package-lock.json >locks && [[ $(wc -l <locks) -eq 2 ]] &&
	while read -r lock; do grep -q integrity "$lock" && ! grep -n resolved "$lock" || return 1; done <locks
'
test_expect_success 'the Node sender runs the scripts of the bare loop' '
	sed -nE "s/^\t\"(.*)\\\\n\",?$/\1/p" "$T/../src/load/bare.c" >bare && [[ $(wc -l <bare) -ge 10 ]] &&
	sed -nE "s/^(local |redis\.call|if r|return \{)(.*)/\1\2/p" "$T/benchlib/node/sender.mjs" | sed "s/\` });$//" | diff bare -
'
tenant_of_tomorrow() {
	mkdir -p then/tenants.then && (umask 077; echo EAA >then/token) && echo "tenants_dir = \"$PWD/then/tenants.then\";" >then/wamd.conf
	cat >then/tenants.then/t1.conf <<-END
	tenant: {
		id = "t1";
		of_tomorrow = "x";
		accounts = ( {
			id = "a"; phone_number_id = "1"; waba_id = "2"; rate = 1; access_token_file = "$PWD/then/token";
			nor = 2;
		} );
	};
	END
}
test_expect_success 'an earlier wamd is given no setting that came after it' '
	tenant_of_tomorrow && ! "$WAMD_BUILD/wamd" -t -f then/wamd.conf 2>err && test_grep "t1.conf:3: of_tomorrow: no such setting" err &&
	in_bench "
from types import SimpleNamespace
from benchlib.baseline import forget_what_is_new
forget_what_is_new(SimpleNamespace(dir=\"$PWD/then\"), \"$WAMD_BUILD/wamd\")" &&
	"$WAMD_BUILD/wamd" -t -f then/wamd.conf && [[ $(wc -l <then/tenants.then/t1.conf) -eq 6 ]]
'
if command -v node >/dev/null; then
	test_expect_success 'Node can read its sender and the k6 script' '
		node --check "$T/benchlib/node/sender.mjs" && node --input-type=module --check - <"$T/load/message-sending.js" &&
		! echo "import a from; let b = ;" | node --input-type=module --check - 2>err
	'
fi
test_done
