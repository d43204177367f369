"""cost: what a message costs, wamd beside the bare loop (consume, EVALSHA, POST, EVALSHA, ack) and a sender in Node.

All get full queues of the same messages on the same broker, Redis and kind of sandbox, in turns, so that what else the
machine does hits all.  A sandbox each: wamd's ledger must explain every message, and t/ledger --strict ends the run.
"""
import json
import re
import shutil
import subprocess

from benchlib.proc import cpu_us
from benchlib.report import column, note, ratio_verdict, table, unmeasured, verdict
from benchlib.rivals import rivals
from benchlib.stack import BUILD, OPEN_SANDBOX, Stack

GOALS = {"bare": 1.25, "node": 0.25, "redis": 1.3, "rss_kb": 25 * 1024, "p95_ms": 20.0, "posts_per_core": 15000}
SIDES = ("wamd", "bare", "node")


class Cost:
    def __init__(self, options, stack):
        self.o, self.stack = options, stack
        self.rivals, self.start_us = rivals(stack, options, options.delay), 0

    # -- full queues
    def full_wamd(self, i):
        note(f"wamd, full queue, {i + 1} of {self.o.repeats} ...")
        self.stack.feed_wamd(f"full{i}", self.o.messages)
        return self.stack.drain(self.o.messages, self.start_us)

    def full(self):
        sides = ["wamd", *self.rivals]
        found = {side: [] for side in sides}
        for i in range(self.o.repeats):
            for k in range(len(sides)):
                side = sides[(i + k) % len(sides)]
                if side == "wamd":
                    found[side].append(self.full_wamd(i))
                else:
                    note(f"{self.rivals[side].name}, full queue, {i + 1} of {self.o.repeats} ...")
                    found[side].append(self.rivals[side].full(f"{side}{i}", self.o.messages))
        return found

    # -- below saturation
    def calm_wamd(self, i):
        note(f"wamd, {self.o.rate} messages a second, {i + 1} of {self.o.repeats} ...")
        stack = self.stack
        seen, published = stack.sandbox.stats()["posts"], stack.dir + f"/published-calm{i}.ndjson"
        stack.feed(f"calm{i}", self.o.rate * 4, "--rate", str(self.o.rate), "--out", published)
        stack.fed += self.o.rate * 4
        stack.wait_concluded()
        return stack.sandbox.added(seen, published)

    def calm(self):
        found = {side: [] for side in ("wamd", *self.rivals)}
        self.stack.do("start-wamd")
        for i in range(self.o.repeats):
            found["wamd"].append(self.calm_wamd(i))
            for side, rival in self.rivals.items():
                note(f"{rival.name}, {self.o.rate} messages a second, {i + 1} of {self.o.repeats} ...")
                found[side].append(rival.at_rate(f"calm{side}{i}", self.o.rate * 4, self.o.rate))
        self.stack.do("stop-wamd")
        return found

    # -- how much the sandbox could take
    def h2load(self):
        if not shutil.which("h2load"):
            return None
        note("h2load on the sandbox ...")
        sandbox = self.stack.extra_sandbox(*OPEN_SANDBOX)
        account = self.stack.accounts()[0]
        body = self.stack.dir + "/h2load.json"
        with open(body, "w", encoding="utf-8") as f:
            json.dump({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+4915200000001", "type": "text",
                       "text": {"body": "Hello from h2load"}, "biz_opaque_callback_data": "h2load-000001"}, f)
        before = cpu_us([sandbox.pid])
        done = subprocess.run(
            ["h2load", "-n", "60000", "-c", "4", "-m", "50", "-d", body, "-H", "content-type: application/json", "-H",
             "authorization: Bearer " + account["access_token"],
             f"{sandbox.url}/v25.0/{account['phone_number_id']}/messages"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False)
        used = cpu_us([sandbox.pid]) - before
        text = done.stdout.decode()
        good = re.search(r"(\d+) 2xx", text)
        if done.returncode or not good or int(good[1]) != 60000:
            raise SystemExit("t/bench: h2load failed:\n" + text)
        return {"per_second": float(re.search(r"([\d.]+) req/s", text)[1]), "per_core": 60000 / (used / 1e6)}

    def run(self):
        self.start_us = self.stack.start_cost()
        micro = subprocess.run([BUILD + "/wamd-load", "micro"], stdout=subprocess.PIPE, check=True).stdout
        found = {"start_cpu_us": self.start_us, "full": self.full(), "calm": self.calm(), "sandbox": self.h2load(),
                 "micro": json.loads(micro)}
        found["ledger"] = self.stack.ledger()
        return found


def shape(options):
    """The stack of the scenarios that weigh full queues"""
    return ["--senders", "1", "--tenants", "5", "--accounts", "4", "--rate", "100000", "--http", options.http[0],
            "--set", f"amqp.prefetch={options.window}"]


def run(options, base):
    note("cost: starting the stack ...")
    with Stack(base + "/cost", *shape(options), delay=options.delay) as stack:
        return Cost(options, stack).run()


def report(found, o):
    full, calm, sandbox = found["full"], found["calm"], found["sandbox"]

    def each(rows, *path):
        return [column(rows.get(side, []), *path) for side in SIDES]

    heads = ("wamd", "bare loop", "Node sender")
    table("full queue", heads, [
        ("messages a second", 0, *each(full, "per_second")),
        ("CPU us a message, all of it", 1, *each(full, "cpu_us")),
        ("  the sender", 1, *each(full, "sender_cpu_us")),
        ("  RabbitMQ, for it", 1, *each(full, "broker_cpu_us")),
        ("  Redis, for it", 1, *each(full, "redis_cpu_us")),
        ("  sandbox, for it", 1, *each(full, "sandbox_cpu_us")),
        ("sandbox's share of all CPU", 2, *each(full, "sandbox_share")),
        ("RSS of the sender, peak, KB", 0, *each(full, "memory_kb", "peak_rss")),
        ("  PSS, KB", 0, *each(full, "memory_kb", "pss"))])
    table(f"{o.rate} messages a second", heads, [
        (f"publish to POST, {p}, ms", 2, *each(calm, p)) for p in ("p50", "p95", "p99")])
    wamd, bare, node = ((s or {}).get("median") for s in each(full, "sender_cpu_us"))
    redis = [s["median"] for s in each(full, "redis_cpu_us") if s]
    rss = column(full["wamd"], "memory_kb", "peak_rss")["max"]
    p95 = column(calm["wamd"], "p95")["median"]
    found["summary"] = {"cpu_ratio": wamd / bare, "node_ratio": node and wamd / node, "redis_ratio": redis[0] / redis[1],
                        "peak_rss_kb": rss, "added_p95_ms": p95}
    print("\ngoals")
    ratio_verdict("CPU a message, sender / bare loop", wamd / bare, GOALS["bare"])
    if node:
        ratio_verdict("CPU a message, sender / Node sender", wamd / node, GOALS["node"])
    else:
        unmeasured("CPU a message, sender / Node sender", f"<= {GOALS['node']}")
    ratio_verdict("CPU of Redis a message, wamd / two bare EVALSHAs", redis[0] / redis[1], GOALS["redis"])
    verdict("RSS of a sender", f"{rss / 1024:.1f}", "MB", "<= 25", rss <= GOALS["rss_kb"])
    verdict("added latency below saturation, p95", f"{p95:.1f}", "ms", "<= 20", p95 <= GOALS["p95_ms"])
    micro = found["micro"]
    verdict("E.164 check of a recipient", f"{micro['recipient_ns'] / 1000:.3f}", "us", "<= 2",
            micro["recipient_ns"] <= 2000)
    print(f"  alone, CPU us a call: decode {micro['decode_ns'] / 1000:.1f}, body of the POST {micro['post_body_ns'] / 1000:.1f}, "
          f"answer {micro['answer_ns'] / 1000:.1f}")
    if sandbox:
        verdict("POSTs a core of the sandbox (h2load)", f"{sandbox['per_core']:.0f}", "/s", ">= 15000",
                sandbox["per_core"] >= GOALS["posts_per_core"])
    else:
        print("  h2load is not installed (nghttp2-client): the sandbox's own speed was not measured")
    print("\n" + found["ledger"]["text"].strip())
