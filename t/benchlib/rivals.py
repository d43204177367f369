"""The two that wamd is measured against: the bare loop (wamd-load bare), and a sender in Node as many write it (node/sender.mjs).

They share a queue, and a sandbox that is not wamd's: its ledger must explain every message.
"""
import json
import os
import shutil
import subprocess

from benchlib.report import note
from benchlib.stack import OPEN_SANDBOX, TOP, WAIT_S

QUEUE = "t.bare"
NODE = TOP + "/build/bench-node"
INFO = "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(V, queue, <<\"{}\">>)), [{{_, N}}] = rabbit_amqqueue:info(Q, [{}]), N."


class Rival:
    def __init__(self, stack, sandbox, options):
        self.stack, self.sandbox, self.o = stack, sandbox, options

    def run(self, count):
        done = subprocess.run(**self.command(count), stdout=subprocess.PIPE, check=False)
        result = json.loads(done.stdout or "{}")
        if done.returncode or result["failed"]:
            raise SystemExit(f"t/bench: {result.get('failed', 'all')} messages of the {self.name} failed")
        return {"cpu_us": result["cpu_us"], "sender_cpu_us": result["cpu_us"], "memory_kb": {"peak_rss": result["max_rss_kb"]}}

    def full(self, prefix, count):
        """A full queue"""
        self.stack.feed(prefix, count, "--queue", QUEUE)
        return self.stack.measure(self.sandbox, count, lambda: self.run(count))

    def info(self, item):
        return int(self.stack.broker_eval(INFO.format(QUEUE, item)))

    def start(self, count, **more):
        """Running, and its queue is consumed"""
        self.stack.wait("nobody consumes", lambda: self.info("consumers") == 0, every=.02)
        command = self.command(count)
        process = subprocess.Popen(command["args"], env={**command["env"], **more}, stdout=subprocess.DEVNULL)
        try:
            self.stack.wait(f"the {self.name} consumes", lambda: self.info("consumers") == 1, every=.02)
        except BaseException:
            process.kill()
            raise
        return process

    def finish(self, process):
        try:
            if process.wait(WAIT_S):
                raise SystemExit(f"t/bench: the {self.name} failed")
        finally:
            process.kill()

    def at_rate(self, prefix, count, rate):
        """Latency below saturation"""
        seen, published = self.sandbox.stats()["posts"], f"{self.stack.dir}/{prefix}.bare.ndjson"
        process = self.start(count)
        try:
            self.stack.feed(prefix, count, "--queue", QUEUE, "--rate", str(rate), "--out", published)
        except BaseException:
            process.kill()
            raise
        self.finish(process)
        return self.sandbox.added(seen, published)


class Bare(Rival):
    name = "bare loop"

    def command(self, count):
        return self.stack.load_command(
            "bare", "--graph", self.sandbox.url, "--ca", self.stack.dir + "/tls/ca.pem", "--accounts", self.stack.dir + "/accounts.json",
            "--queue", QUEUE, "--count", str(count), "--window", str(self.o.window), "--http", self.o.http)


class Node(Rival):
    name = "Node sender"

    def command(self, count):
        options = {"queue": QUEUE, "count": count, "window": self.o.window, "graph": self.sandbox.url, "ca": self.stack.dir + "/tls/ca.pem",
                   "accounts": self.stack.dir + "/accounts.json"}
        return {**self.stack.load_command(), "args": ["node", NODE + "/sender.mjs", json.dumps(options)]}


def node_is_there():
    """Once: npm fetches what the lock file names, with the digests in it."""
    here = os.path.dirname(os.path.abspath(__file__)) + "/node"
    lock, done = here + "/package-lock.json", NODE + "/node_modules/.package-lock.json"
    if not shutil.which("node") or not shutil.which("npm"):
        note("no Node sender: node and npm are not installed")
        return False
    os.makedirs(NODE, exist_ok=True)
    for name in os.listdir(here):
        shutil.copy(f"{here}/{name}", NODE)
    if os.path.exists(done) and os.path.getmtime(done) >= os.path.getmtime(lock):
        return True
    note("Node sender: npm ci ...")
    with open(NODE + "/npm.log", "wb") as log:
        failed = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=NODE, stdout=log,
                                stderr=subprocess.STDOUT, check=False).returncode
    if failed:
        note(f"no Node sender: npm cannot fetch what it needs ({NODE}/npm.log)")
        return False
    os.utime(done)
    return True


def rivals(stack, options, delay):
    """By the name of their side; without Node where it cannot be had"""
    sandbox = stack.extra_sandbox("--delay", str(delay), *OPEN_SANDBOX, "--keep-bodies")
    stack.feed("declare", 0, "--queue", QUEUE)
    found = {"bare": Bare(stack, sandbox, options)}
    if node_is_there():
        found["node"] = Node(stack, sandbox, options)
    return found
