"""mission: 20 accounts, each 100 messages a second, for a minute; Graph answers after 100 ms.

By the queue, in turns with the bare loop: publish to "accepted" (the event's own time), publish to POST, CPU of all of wamd's processes.
Then by the HTTP API, as t/load/message-sending.js has it for k6: how long an answer takes.  t/ledger explains every message.  A machine on
which not even the bare loop keeps up says nothing of wamd's latency.
"""
import glob
import json
import os
import subprocess
from datetime import datetime

from benchlib.http import Api
from benchlib.proc import cpu_us
from benchlib.report import column, note, percentiles, table, unmeasured, verdict
from benchlib.rivals import rivals

TENANTS, PER_TENANT, RATE, DELAY_MS, SENDERS, CONNECTIONS = 5, 4, 2000, 100, 2, 200
BEHIND_MS = 100		# the bare loop's median is some ms where it keeps up
GOALS = {"p95_ms": 500, "cpu_percent": 40, "added": {"p50": 2, "p95": 5, "p99": 15}, "errors_percent": .1}


class Mission:
    def __init__(self, options, stack):
        self.o, self.stack, self.count = options, stack, RATE * options.mission_seconds
        self.rivals, self.posted = rivals(stack, options, DELAY_MS), {}
        self.rivals.pop("node", None)		# one process of it cannot take so many: what it would show is its queue

    def fresh(self):
        """What was published before is nobody's any more."""
        self.stack.renew()
        for path in glob.glob(self.stack.dir + "/published*.ndjson"):
            os.remove(path)
        self.stack.fed = 0
        self.stack.do("start-wamd")
        self.stack.wait_ready()
        self.stack.wait_api()

    def accepted_ms(self):
        """Publish to accepted of all that were"""
        with open(self.stack.dir + "/published.ndjson", encoding="utf-8") as f:
            sent = {row["id"]: row["t"] for row in map(json.loads, f)}
        found = []
        with subprocess.Popen(**self.stack.load_command("peek", "--queue", "t.events"), stdout=subprocess.PIPE) as peek:
            for line in peek.stdout:
                event = json.loads(line)["body"]
                if event["status"] == "accepted":
                    found.append((datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00")).timestamp() - sent[event["id"]]) * 1000)
        return found

    def loaded(self, run):
        """CPU that wamd used for all messages, in percent of a core over the time in which they should have come"""
        pids = self.stack.wamd_tree()
        before = cpu_us(pids)
        run()
        self.stack.wait_concluded()
        return (cpu_us(pids) - before) / 1e4 / self.o.mission_seconds

    def queued(self, i):
        note(f"mission: wamd, {self.o.mission_seconds} s, {i + 1} of {self.o.mission_repeats} ...")
        stack = self.stack
        self.fresh()
        percent = self.loaded(lambda: stack.feed_wamd(f"mission{i}", self.count, "--rate", str(RATE)))
        accepted = self.accepted_ms()
        result = {"cpu_percent": percent, "accepted_ms": percentiles(accepted), "errors": self.count - len(accepted),
                  "post_ms": stack.sandbox.added(0, stack.dir + "/published.ndjson")}
        stack.do("stop-wamd")
        result["ledger"] = stack.ledger()
        return result

    def bare(self, i):
        note(f"mission: bare loop, {self.o.mission_seconds} s, {i + 1} of {self.o.mission_repeats} ...")
        return {"post_ms": self.rivals["bare"].at_rate(f"bare{i}", self.count, RATE)}

    def post(self):
        done = subprocess.run(**self.stack.load_command(
            "post", "--to", self.stack.env["API_URL"] + "/v1/messages", "--accounts", self.stack.dir + "/accounts.json", "--count",
            str(self.count), "--rate", str(RATE), "--connections", str(CONNECTIONS), "--out", self.stack.dir + "/published-http.ndjson"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if not done.stdout:
            raise SystemExit("t/bench: wamd-load post: " + done.stderr.decode())
        self.posted = json.loads(done.stdout)
        self.stack.fed = self.posted["good"]

    def by_http(self):
        note(f"mission: by HTTP, {self.o.mission_seconds} s ...")
        self.fresh()
        percent = self.loaded(self.post)
        self.stack.do("stop-wamd")
        return {**self.posted, "cpu_percent": percent, "ledger": self.stack.ledger()}

    def run(self):
        found = {"wamd": [], "bare": []}
        for i in range(self.o.mission_repeats):
            for run in (self.queued, self.bare) if i % 2 else (self.bare, self.queued):
                found["wamd" if run == self.queued else "bare"].append(run(i))
        found["http"] = self.by_http()
        found["ledger"] = max([r["ledger"] for r in found["wamd"]] + [found["http"]["ledger"]], key=lambda ledger: ledger["code"])
        return found


def run(options, base):
    note("mission: starting the stack ...")
    with Api(base + "/mission", "--senders", str(SENDERS), "--tenants", str(TENANTS), "--accounts", str(PER_TENANT), "--rate", "1000",
             "--http", options.http[0], "--set", f"amqp.prefetch={options.window}", delay=DELAY_MS) as stack:
        return Mission(options, stack).run()


def report(found, o):
    wamd, bare, http = found["wamd"], found["bare"], found["http"]
    words = ("p50", "p95", "p99")
    table(f"{TENANTS * PER_TENANT} accounts, {RATE}/s, {o.mission_seconds} s", ("wamd", "bare loop"), [
        *((f"publish to POST, {p}, ms", 2, column(wamd, "post_ms", p), column(bare, "post_ms", p)) for p in words),
        *((f"publish to accepted, {p}, ms", 1, column(wamd, "accepted_ms", p), None) for p in words),
        ("CPU of all of wamd, % of a core", 1, column(wamd, "cpu_percent"), None),
        ("not accepted", 0, column(wamd, "errors"), None)])
    failed = http["requests"] - http["good"]
    print(f"by HTTP: answers p50 {http['ms']['p50']:.1f}, p95 {http['ms']['p95']:.1f}, p99 {http['ms']['p99']:.1f} ms; {failed} of "
          f"{http['requests']} failed; CPU of all of wamd {http['cpu_percent']:.0f} % of a core")
    more = {p: column(wamd, "post_ms", p)["median"] - column(bare, "post_ms", p)["median"] for p in words}
    p95, errors, cpu = column(wamd, "accepted_ms", "p95")["median"], column(wamd, "errors")["max"], column(wamd, "cpu_percent")["median"]
    share = 100 * failed / http["requests"]
    found["summary"] = {"added_ms": more, "accepted_p95_ms": p95, "errors": errors, "cpu_percent": cpu, "http_p95_ms": http["ms"]["p95"],
                        "http_errors_percent": share}
    print("\ngoals")
    keeps_up = column(bare, "post_ms", "p50")["median"] < BEHIND_MS
    for p, limit in GOALS["added"].items():
        if keeps_up:
            verdict(f"publish to POST over the bare loop's, {p}", f"{more[p]:.2f}", "ms", f"<= {limit}", more[p] <= limit)
        else:
            unmeasured(f"publish to POST over the bare loop's, {p}", f"<= {limit}")
    verdict("publish to accepted, p95", f"{p95:.1f}", "ms", f"< {GOALS['p95_ms']}", p95 < GOALS["p95_ms"])
    verdict("messages not accepted", str(errors), "", "0", errors == 0)
    verdict("CPU of all of wamd's processes", f"{cpu:.1f}", "% core", f"<= {GOALS['cpu_percent']}", cpu <= GOALS["cpu_percent"])
    verdict("HTTP API, answer, p95", f"{http['ms']['p95']:.1f}", "ms", f"< {GOALS['p95_ms']}", http["ms"]["p95"] < GOALS["p95_ms"])
    verdict("HTTP API, requests that failed", f"{share:.3f}", "%", f"< {GOALS['errors_percent']}", share < GOALS["errors_percent"])
    print("\n" + found["ledger"]["text"].strip())
