"""fairness: how long good accounts' messages take from the publish to the POST, alone and beside four in trouble.

A gets far more than it may send, B hangs, C always fails until its breaker opens, D has a dead token.  The publisher of that
flood and the broker that takes it use the same machine: the good ones are therefore also measured alone beside the same
flood into a queue that nobody reads, and that is what they are compared with.
"""
import json
import os
import re
import subprocess
import time

from benchlib.proc import cpu_us, idle_s
from benchlib.report import column, note, ratio_verdict, table
from benchlib.stack import Stack

GOAL = 1.2
MODES = ("quiet", "unread", "trouble")
GOOD = 46
GOOD_RATE = 10
TROUBLE_RATE = 100		# of each of the three others
PATIENCE_S = 60


# As wamd-operations(7) wants it.
LANES_ON_DISK = r"""
	rabbit_policy:set(V, <<"waiting">>, <<"^whatsapp\\.(lane|retry)\\.">>, [{<<"queue-mode">>, <<"lazy">>}], 0, <<"queues">>, <<"bench">>), 0.
"""


class Fairness:
    def __init__(self, options, stack):
        self.o, self.stack = options, stack
        self.numbers = {a["account_id"]: a["phone_number_id"] for a in stack.accounts()}
        self.good = [f"t{i}-a1" for i in range(5, 5 + GOOD)]
        conf = stack.dir + "/tenants.d/t1.conf"
        with open(conf, encoding="utf-8") as f:
            text = f.read()
        with open(conf, "w", encoding="utf-8") as f:
            f.write(text.replace("rate = 80;", "rate = 1;"))

    def faults(self):
        def rule(account, **fault):
            return {**fault, "match": {"phone_number_id": self.numbers[account]}}
        rules = [rule("t2-a1", fault="hang"), rule("t3-a1", fault="error", code=131016, http=500),
                 rule("t4-a1", fault="error", code=190, http=401)]
        self.stack.sandbox.call("faults", json.dumps(rules).encode())

    def feed(self, prefix, rate, accounts, *args):
        """Starts a feed of options.seconds"""
        chosen = [word for account in accounts for word in ("--account", account)]
        return subprocess.Popen(**self.stack.load_command(
            "feed", "--accounts", self.stack.dir + "/accounts.json", "--count", str(rate * self.o.seconds), "--rate", str(rate),
            "--prefix", prefix, *chosen, *args), stdout=subprocess.DEVNULL)

    def troubles(self, mode):
        if mode == "quiet":
            return []
        where = ["--queue", "t.flood"] if mode == "unread" else []
        return [self.feed("flood", self.o.flood_rate, ["t1-a1"], *where),
                *(self.feed(f"trouble{t}", TROUBLE_RATE, [f"t{t}-a1"], *where) for t in (2, 3, 4))]

    def first_posts(self):
        found = {}
        for t, text in self.stack.sandbox.posts(0):
            for name in re.findall(r"\bgood-\d+", text):
                found.setdefault(name, t)
        return found

    def waits(self, published):
        """Milliseconds from the publish to the first POST, sorted, once all good messages were POSTed"""
        with open(published, encoding="utf-8") as f:
            sent = {row["id"]: row["t"] for row in map(json.loads, f)}
        deadline = time.monotonic() + PATIENCE_S
        while len(posted := self.first_posts()) < len(sent):
            if time.monotonic() > deadline:
                raise SystemExit(f"t/bench: {len(posted)} of {len(sent)} good messages were POSTed")
            time.sleep(1)
        return sorted((posted[name] - t) * 1000 for name, t in sent.items())

    def used(self):
        """Seconds of CPU: who gets the machine"""
        pids = {**self.stack.others(self.stack.sandbox), "wamd": self.stack.wamd_tree()}
        return {"idle": idle_s(), **{name: cpu_us(p) / 1e6 for name, p in pids.items()}}

    def once(self, mode, i):
        note(f"fairness: {mode}, {i + 1} of {self.o.repeats} ...")
        stack, published = self.stack, f"{self.stack.dir}/good-{mode}{i}.ndjson"
        stack.renew()
        if mode == "trouble":
            self.faults()
        stack.do("start-wamd")
        began, before, feeds = time.monotonic(), self.used(), self.troubles(mode)
        feeds.append(self.feed("good", GOOD * GOOD_RATE, self.good, "--out", published))
        try:
            if any([feed.wait() for feed in reversed(feeds)]):
                raise SystemExit("t/bench: a feed failed")
            flooded = time.monotonic() - began
            cores = {name: (used - before[name]) / flooded for name, used in self.used().items()}
        finally:
            for feed in feeds:
                feed.kill()
        waits = self.waits(published)
        found = {f"p{p}": waits[len(waits) * p // 100] for p in (50, 95, 99)}
        status = stack.status()
        totals, lag = status["totals"], max(p["gauges"]["loop_lag_max_us"] for p in status["processes"] if p["role"] == "sender")
        found.update(longest=waits[-1], laned=totals["laned"], cores=cores, lag_ms=lag / 1000,
                     flood_per_second=self.o.flood_rate * self.o.seconds / flooded)
        return found

    def run(self):
        self.stack.start_cost()		# it declares the queues
        found = {mode: [] for mode in MODES}
        for i in range(self.o.repeats):
            for mode in MODES if i % 2 else reversed(MODES):
                found[mode].append(self.once(mode, i))
        self.stack.do("kill-wamd")		# B's calls hang: a drain would wait for them
        return found


def run(options, base):
    note("fairness: starting the stack ...")
    with Stack(base + "/fairness", "--senders", "2", "--tenants", str(4 + GOOD), "--accounts", "1", "--rate", "80", "--http",
               options.http[0], "--set", f"amqp.prefetch={options.window}", "--set", "limit.pair_interval=0ms", "--set",
               "host.min_calls=100000", "--set", "message.max_age=1h", delay=options.delay) as stack:
        stack.broker_eval(LANES_ON_DISK)
        return Fairness(options, stack).run()


def report(found, o):
    def all_of(*path, but=None):
        return [None if mode == but else column(found[mode], *path) for mode in MODES]

    table(f"{GOOD} good accounts, {GOOD_RATE}/s each", ("alone", "+ unread flood", "+ trouble"), [
        *((f"publish to POST, {p}, ms", 2, *all_of(p)) for p in ("p50", "p95", "p99", "longest")),
        ("flood published, messages a second", 0, *all_of("flood_per_second", but="quiet")),
        *((f"cores used by {name}", 2, *all_of("cores", name)) for name in ("wamd", "broker", "redis", "sandbox")),
        (f"  left, of {os.cpu_count()}", 2, *all_of("cores", "idle")),
        ("longest turn of a sender's loop, ms", 1, *all_of("lag_ms")),
        ("moved into lanes", 0, *all_of("laned", but="quiet"))])
    print(f"trouble: one account gets {o.flood_rate}/s for {o.seconds} s and may send 1/s, one hangs, one fails until its\n"
          "breaker opens, one has a dead token.  Unread flood: the same messages published into a queue of the same broker\n"
          "that nobody reads.  When no core is left, messages wait for the broker, in whichever queue they are.")
    quiet, unread, trouble = (column(found[mode], "p99")["median"] for mode in MODES)
    found["summary"] = {"p99_ratio": trouble / unread, "p99_ratio_quiet": trouble / quiet}
    print("\ngoals")
    ratio_verdict("p99 beside trouble / beside an unread flood", trouble / unread, GOAL)
    print(f"  p99 beside trouble / alone on a quiet machine{trouble / quiet:>8.2f} x")
