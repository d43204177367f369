"""rest: what wamd takes when it does nothing, what its whole tree takes in memory, and how soon it works after a start and after a crash.

The tree is a supervisor, a keeper, an API and two senders, with 10 accounts.  Memory is the largest sum of PSS seen while the window is full.
A crash is a SIGKILL of the only sender, in a stream of messages; it is over with the first POST of one that was published after it.
"""
import json
import os
import signal
import subprocess
import time

from benchlib.http import Api
from benchlib.proc import cpu_ns, memory_kb
from benchlib.report import column, note, table, verdict
from benchlib.stack import BUILD, WAIT_S

TENANTS, PER_TENANT, SENDERS, SETTLE_S = 5, 2, 2, 3
CRASH_RATE, CALM_MS = 200, 1500
GOALS = {"pss_kb": 48 * 1024, "idle_percent": .1, "private_kb": 12 * 1024, "ready_ms": 200, "again_ms": 300}


class Rest:
    def __init__(self, options, stack):
        self.o, self.stack, self.published = options, stack, stack.dir + "/crash.ndjson"

    def tree_kb(self):
        return sum(memory_kb(pid)["pss"] for pid in self.stack.wamd_tree())

    def idle(self):
        """Percent of a core, of the whole tree and of a sender; and a sender's own memory"""
        pids, senders = self.stack.wamd_tree(), self.stack.pids("sender")
        time.sleep(SETTLE_S)
        before, began = {pid: cpu_ns([pid]) for pid in pids}, time.monotonic()
        time.sleep(self.o.idle_seconds)
        seconds = time.monotonic() - began
        used = {pid: (cpu_ns([pid]) - before[pid]) / 1e7 / seconds for pid in pids}
        return {"percent": sum(used.values()), "sender_percent": max(used[pid] for pid in senders),
                "private_kb": max(memory_kb(pid)["private"] for pid in senders)}

    def once(self, i):
        note(f"rest: memory and idle, {i + 1} of {self.o.repeats_rest} ...")
        stack = self.stack
        stack.do("start-wamd")
        stack.wait_ready()
        stack.wait_api()
        fresh, peak = self.idle(), 0
        stack.feed_wamd(f"rest{i}", self.o.messages)
        while stack.depth("t.events") < stack.fed:
            peak = max(peak, self.tree_kb())
            time.sleep(.1)
        stack.wait_concluded()
        worked = self.idle()
        stack.do("stop-wamd")
        return {"fresh": fresh, "worked": worked, "pss_kb": peak}

    # -- start
    def is_ready(self):
        return subprocess.run([BUILD + "/wamctl", "-s", self.stack.env["ADMIN_SOCKET"], "status"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def start(self, i):
        """Milliseconds from exec until all senders can send"""
        note(f"rest: start, {i + 1} of {self.o.repeats} ...")
        with open(self.stack.dir + "/wamd.out", "wb") as out:
            began = time.monotonic()
            wamd = subprocess.Popen([BUILD + "/wamd", "-F", "-f", self.stack.env["WAMD_CONF"]], stdout=out, stderr=out, start_new_session=True)
        try:
            self.stack.wait("wamd is ready", self.is_ready, every=0)
            return {"ms": (time.monotonic() - began) * 1000}
        finally:
            wamd.terminate()
            wamd.wait(WAIT_S)

    # -- crash
    def posted_after(self, at, seen):
        """Times of the POSTs of messages that were published after `at`"""
        with open(self.published, encoding="utf-8") as f:
            new = {row["id"] for row in map(json.loads, f) if row["t"] > at}
        return [t for t, text in self.stack.sandbox.posts(seen) if text.rsplit(" ", 1)[1] in new]

    def crash(self, i):
        """Milliseconds from the kill to the successor's first POST of what it alone can have seen"""
        note(f"rest: crash, {i + 1} of {self.o.repeats} ...")
        stack = self.stack
        time.sleep(2 * CALM_MS / 1000)		# who dies young is not started again at once
        seen, sender = stack.sandbox.stats()["posts"], stack.pids("sender")[0]
        at = time.time()
        os.kill(sender, signal.SIGKILL)
        stack.wait("it sends again", lambda: self.posted_after(at, seen))
        return {"ms": (min(self.posted_after(at, seen)) - at) * 1000}

    def crashes(self):
        stack = self.stack
        stack.configure("60-rest", f'senders = 1;\nrespawn: {{ calm = "{CALM_MS}ms"; }};\n')
        stack.do("start-wamd")
        stack.wait_ready()
        feed = subprocess.Popen(**stack.load_command("feed", "--accounts", stack.dir + "/accounts.json", "--count", "1000000", "--rate",
                                                     str(CRASH_RATE), "--out", self.published), stdout=subprocess.DEVNULL)
        try:
            return [self.crash(i) for i in range(self.o.repeats)]
        finally:
            feed.kill()
            feed.wait()
            stack.do("kill-wamd")

    def run(self):
        self.stack.start_cost()		# it declares the queues
        return {"tree": [self.once(i) for i in range(self.o.repeats_rest)], "start": [self.start(i) for i in range(self.o.repeats)],
                "crash": self.crashes()}


def run(options, base):
    note("rest: starting the stack ...")
    with Api(base + "/rest", "--senders", str(SENDERS), "--tenants", str(TENANTS), "--accounts", str(PER_TENANT), "--rate", "100000",
             "--http", options.http[0], "--set", f"amqp.prefetch={options.window}", delay=options.delay) as stack:
        return Rest(options, stack).run()


def report(found, o):
    rows = found["tree"]
    pss, ready, again = column(rows, "pss_kb"), column(found["start"], "ms"), column(found["crash"], "ms")
    idle, private = column(rows, "worked", "percent"), column(rows, "worked", "private_kb")
    table(f"{SENDERS} senders, {TENANTS * PER_TENANT} accounts", ("fresh", "after work"), [
        ("CPU of the whole tree, idle, %", 3, column(rows, "fresh", "percent"), idle),
        ("  a sender", 3, column(rows, "fresh", "sender_percent"), column(rows, "worked", "sender_percent")),
        ("private memory of a sender, KB", 0, column(rows, "fresh", "private_kb"), private),
        ("PSS of the whole tree, peak, KB", 0, None, pss)])
    table("start", ("ms",), [("exec to ready", 0, ready), ("kill of the sender to the next POST", 0, again)])
    pss, ready, again, idle, private = (s["median"] for s in (pss, ready, again, idle, private))
    found["summary"] = {"pss_kb": pss, "idle_percent": idle, "private_kb": private, "ready_ms": ready, "again_ms": again}
    print("\ngoals")
    verdict("memory of the whole tree, PSS", f"{pss / 1024:.1f}", "MB", "<= 48", pss <= GOALS["pss_kb"])
    verdict("idle, CPU of the whole tree", f"{idle:.3f}", "%", "< 0.1", idle < GOALS["idle_percent"])
    verdict("private memory of a sender, after work, idle", f"{private / 1024:.1f}", "MB", "<= 12", private <= GOALS["private_kb"])
    verdict("ready after exec", f"{ready:.0f}", "ms", "<= 200", ready <= GOALS["ready_ms"])
    verdict("a crashed sender's successor consumes", f"{again:.0f}", "ms", "<= 300", again <= GOALS["again_ms"])
