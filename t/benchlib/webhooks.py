"""webhooks: what a status costs the API's process, how large a webhook may be, and how late answers are under load.

Under load: 500 messages a second are sent, and Meta tells the three statuses of each, twice, a webhook each: 3,000 a second.  2,000
connections hang meanwhile, with half a head or half a body.
"""
import json
import socket
import threading
import time

from benchlib.http import SECRET, Api
from benchlib.report import column, note, table, verdict

GOALS = {"per_core": 10000, "large_ms": 1000, "p50_ms": 20, "p99_ms": 250}
SENDS, SLOW, LARGE, LARGE_BYTES = 500, 2000, 1000, 3 << 20
STATUSES = ("sent", "delivered", "read")


def webhook(rows, word, more=None):
    """One that tells of the messages of these rows of the sandbox's ledger"""
    at = str(int(time.time()))
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "1", "phone_number_id": rows[0]["pnid"]},
        "statuses": [{
            "id": row["wamid"], "status": word, "timestamp": at, "recipient_id": row["body"]["to"].lstrip("+"),
            "biz_opaque_callback_data": row["body"]["biz_opaque_callback_data"],
            "conversation": {"id": "0123456789abcdef0123456789abcdef", "origin": {"type": "utility"}},
            "pricing": {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}, **(more or {})}
            for row in rows]}}]}]})


def webhooks(rows, word, each):
    """As many of them in each webhook, of one number"""
    numbers = {}
    for row in rows:
        numbers.setdefault(row["pnid"], []).append(row)
    for of_number in numbers.values():
        for i in range(0, len(of_number), each):
            yield webhook(of_number[i:i + each], word)


class Hanging:
    """So many connections that say a byte now and then, while it is a context"""

    def __init__(self, listen, count):
        host, port = listen.rsplit(":", 1)
        self.to, self.count, self.ended = (host, int(port)), count, threading.Event()
        self.thread = threading.Thread(target=self.hang, daemon=True)

    def dial(self, i):
        s = socket.create_connection(self.to)
        s.sendall(b"POST /webhooks/whatsapp/main HTTP/1.1\r\nHost: x\r\n" + (b"X-Slow: " if i % 2 else b"Content-Length: 5000\r\n\r\n{"))
        return s

    def hang(self):
        held = list(self.all)
        while not self.ended.wait(1):
            for i, s in enumerate(held):
                try:
                    s.send(b"x")
                except OSError:		# cut: it comes again
                    s.close()
                    held[i] = self.dial(i)
        for s in held:
            s.close()

    def __enter__(self):
        self.all = [self.dial(i) for i in range(self.count)]
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class Webhooks:
    def __init__(self, options, stack):
        self.o, self.stack = options, stack

    def sent(self, prefix, count):
        """The ledger's rows of so many messages that were sent just now"""
        seen = self.stack.sandbox.stats()["posts"]
        self.stack.feed_wamd(prefix, count)
        self.stack.wait("all are sent", lambda: self.stack.status()["totals"]["sent"] >= self.stack.fed)
        return [row for row in self.stack.sandbox.ledger(seen) if row["accepted"]]

    def told(self, lines, n, *args):
        before = self.stack.status()["totals"]["statuses"]
        found = self.stack.all_good(self.stack.post(self.stack.webhook_url, lines, "--sign", self.stack.secret, *args))
        if self.stack.status()["totals"]["statuses"] - before != n:
            raise SystemExit("t/bench: not every status was told on")
        cpu = {k: v / n for k, v in found["cpu_us"].items()}
        return {"per_second": n / found["seconds"], "ms": found["ms"], "cpu_us": cpu, "per_core": 1e6 / cpu["api"]}

    def costs(self):
        found, n = {"1": [], "100": []}, self.o.statuses
        for i in range(self.o.repeats):
            note(f"webhooks: {i + 1} of {self.o.repeats} ...")
            rows = self.sent(f"cost{i}", n)
            found["1"].append(self.told(webhooks(rows, "sent", 1), n, "--connections", "16"))
            found["100"].append(self.told(webhooks(rows, "delivered", 100), n, "--connections", "4"))
        return found

    def large(self):
        note("webhooks: a large one ...")
        rows = self.sent("large", LARGE)
        number = max({r["pnid"] for r in rows}, key=lambda v: sum(r["pnid"] == v for r in rows))
        rows = ([r for r in rows if r["pnid"] == number] * LARGE)[:LARGE]
        line = webhook(rows, "read", {"unknown": "x" * ((LARGE_BYTES - len(webhook(rows, "read"))) // LARGE - 14)})
        found = self.stack.all_good(self.stack.post(self.stack.webhook_url, [line], "--sign", self.stack.secret, "--connections", "1"))
        return {"bytes": len(line), "ms": found["ms"]["max"]}

    def loaded(self):
        stack, count = self.stack, SENDS * self.o.load_seconds
        note(f"webhooks: {self.o.load_seconds} s of load ...")
        stack.sandbox.call("webhooks", json.dumps({"url": stack.webhook_url, "secret": SECRET, "latency_ms": [5, 200], "duplicates": 1,
                                                  "shuffle": True, "connections": 64}).encode())
        before = stack.status()["totals"]
        with Hanging(stack.env["API_LISTEN"], SLOW):
            began = time.monotonic()
            stack.feed_wamd("load", count, "--rate", str(SENDS))
            fed_s = time.monotonic() - began
            stack.wait("all statuses are told", lambda: stack.status()["totals"]["statuses"] - before["statuses"] >= len(STATUSES) * count)
            stack.wait("no webhook is under way", self.is_quiet)
        seconds, now, hooks = time.monotonic() - began, stack.status()["totals"], stack.sandbox.stats()["webhooks"]
        stack.sandbox.call("webhooks", json.dumps([]).encode())
        return {"seconds": seconds, "fed_seconds": fed_s, "posts": hooks["posts"], "per_second": hooks["posts"] / seconds, "retries": hooks["retries"],
                "refused": hooks["refused"], "lost": hooks["lost"], "answer_ms": hooks["answer_ms"],
                "told": now["statuses"] - before["statuses"], "wanted": len(STATUSES) * count}

    def is_quiet(self):
        hooks = self.stack.sandbox.stats()["webhooks"]
        return not hooks["pending"] and not hooks["in_flight"]

    def run(self):
        self.stack.do("start-wamd")
        found = {"costs": self.costs(), "large": self.large(), "loaded": self.loaded()}
        self.stack.do("stop-wamd")
        return found


def run(options, base):
    note("webhooks: starting the stack ...")
    with Api(base + "/webhooks", "--senders", "1", "--tenants", "1", "--accounts", "4", "--rate", "100000",
             "--set", f"api.connections={SLOW + 500}", delay=20) as stack:
        return Webhooks(options, stack).run()


def report(found, o):
    costs, large, loaded = found["costs"], found["large"], found["loaded"]
    table("statuses", ("one a webhook", "100 a webhook"), [
        ("statuses a second", 0, *(column(costs[s], "per_second") for s in costs)),
        ("CPU us a status, api", 1, *(column(costs[s], "cpu_us", "api") for s in costs)),
        ("  RabbitMQ, for it", 1, *(column(costs[s], "cpu_us", "broker") for s in costs)),
        ("  Redis, for it", 1, *(column(costs[s], "cpu_us", "redis") for s in costs)),
        ("answer, p99, ms", 2, *(column(costs[s], "ms", "p99") for s in costs))])
    ms = loaded["answer_ms"]
    print(f"\n{SENDS} sends/s for {loaded['fed_seconds']:.0f} s, {loaded['per_second']:.0f} webhooks/s, {SLOW} connections hanging: "
          f"{loaded['posts']} webhooks, {loaded['retries']} of them again; {loaded['told']} of {loaded['wanted']} statuses told")
    one, many = (column(costs[s], "per_core")["median"] for s in costs)
    lost = loaded["wanted"] - loaded["told"]
    found["summary"] = {"per_core": {"1": one, "100": many}, "large_ms": large["ms"], "answer_ms": ms}
    print("\ngoals")
    verdict("statuses a second and core, one a webhook", f"{one:.0f}", "/s", f">= {GOALS['per_core']}", one >= GOALS["per_core"])
    verdict("statuses a second and core, 100 a webhook", f"{many:.0f}", "/s", f">= {GOALS['per_core']}", many >= GOALS["per_core"])
    verdict(f"a webhook of {LARGE} statuses, {large['bytes'] / 1e6:.1f} MB", f"{large['ms']:.0f}", "ms", f"< {GOALS['large_ms']}",
            large["ms"] < GOALS["large_ms"])
    verdict("answers under load, p50", f"{ms['p50']:.1f}", "ms", f"<= {GOALS['p50_ms']}", ms["p50"] <= GOALS["p50_ms"])
    verdict("answers under load, p99", f"{ms['p99']:.1f}", "ms", f"<= {GOALS['p99_ms']}", ms["p99"] <= GOALS["p99_ms"])
    verdict("statuses lost", str(lost), "", "0", lost == 0)
