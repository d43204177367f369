"""submit: how fast the HTTP API takes messages, each answered when the broker has confirmed it.

The sender stands still meanwhile (SIGSTOP): what is measured is accepting, not sending.  Beside it wamd-load feed, which publishes the
same texts to the same queue with confirms and does nothing else: nobody who waits for confirms is faster than that.
"""
import json
import os
import signal
import time

from benchlib.http import Api
from benchlib.report import column, note, table, verdict

GOALS = {"single": 5000, "batch": 20000, "p99_ms": 20}
BATCH, CONNECTIONS = 100, 64


def text(i):
    return {"to": f"+49151{i:08}", "type": "text", "text": {"body": f"Your order {i} is on its way to you."}}


class Submit:
    def __init__(self, options, stack):
        self.o, self.stack, self.singles = options, stack, options.submit
        self.key = "Authorization: Bearer " + stack.accounts()[0]["api_key"]

    def once(self, lines, per_line, *args):
        """On fresh queues"""
        stack = self.stack
        stack.do("start-wamd")
        stack.wait_api()
        sender = stack.process("sender")
        os.kill(sender, signal.SIGSTOP)
        try:
            found = stack.all_good(stack.post(stack.env["API_URL"] + "/v1/messages", lines, "--header", self.key,
                                              "--connections", str(CONNECTIONS), *args))
            found["broker_alone"] = self.fed_per_second()
        finally:
            os.kill(sender, signal.SIGCONT)
        stack.renew()
        n = found["requests"] * per_line
        return {"per_second": n / found["seconds"], "ms": found["ms"], "broker_alone": found["broker_alone"], "cpu_us": {k: v / n for k, v in found["cpu_us"].items()}}

    def fed_per_second(self):
        began = time.monotonic()
        self.stack.feed("alone", self.singles, "--out", "/dev/null")
        return self.singles / (time.monotonic() - began)

    def run(self):
        found, n = {"single": [], "batch": [], "half": []}, self.singles
        for i in range(self.o.repeats):
            note(f"submit: {i + 1} of {self.o.repeats} ...")
            found["single"].append(self.once((json.dumps(text(k)) for k in range(n)), 1))
            found["half"].append(self.once((json.dumps(text(k)) for k in range(n)), 1, "--rate", str(GOALS["single"] // 2)))
            found["batch"].append(self.once((json.dumps([text(k + b) for b in range(BATCH)]) for k in range(0, 2 * n, BATCH)), BATCH))
        return found


def run(options, base):
    note("submit: starting the stack ...")
    with Api(base + "/submit", "--senders", "1", "--tenants", "1", "--accounts", "1", "--rate", "100000") as stack:
        stack.start_cost()		# it declares the queues
        return Submit(options, stack).run()


def report(found, o):
    sides = ("single", "batch", "half")
    table(f"POST /v1/messages, {CONNECTIONS} connections", ("one each", f"{BATCH} each", f"one each, {GOALS['single'] // 2}/s"), [
        ("messages a second", 0, *(column(found[s], "per_second") for s in sides)),
        ("  of wamd-load feed, just after", 0, *(column(found[s], "broker_alone") for s in sides)),
        ("answer, p50, ms", 2, *(column(found[s], "ms", "p50") for s in sides)),
        ("answer, p99, ms", 2, *(column(found[s], "ms", "p99") for s in sides)),
        ("CPU us a message, api", 1, *(column(found[s], "cpu_us", "api") for s in sides)),
        ("  RabbitMQ, for it", 1, *(column(found[s], "cpu_us", "broker") for s in sides)),
        ("  Redis, for it", 1, *(column(found[s], "cpu_us", "redis") for s in sides))])
    single, batch = (column(found[s], "per_second")["median"] for s in ("single", "batch"))
    p99 = column(found["half"], "ms", "p99")["median"]
    found["summary"] = {"single_per_second": single, "batch_per_second": batch, "half_p99_ms": p99}
    print("\ngoals")
    verdict("messages a second, one each", f"{single:.0f}", "/s", f">= {GOALS['single']}", single >= GOALS["single"])
    verdict(f"messages a second, {BATCH} each", f"{batch:.0f}", "/s", f">= {GOALS['batch']}", batch >= GOALS["batch"])
    verdict(f"answer at {GOALS['single'] // 2}/s, p99", f"{p99:.1f}", "ms", f"<= {GOALS['p99_ms']}", p99 <= GOALS["p99_ms"])
