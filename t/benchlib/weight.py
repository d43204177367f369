"""weight: what a message is made of: system calls, allocations, round trips and bytes to Redis, bytes to the broker.

Each side runs while it is fed, and is counted from the outside: system calls by perf (or strace) on the sending process, allocations by a
preloaded library (allocations.c) in a run of its own, Redis by its INFO, AMQP by the broker's octets of each connection.
"""
import os
import re
import shutil
import signal
import struct
import subprocess

from benchlib.cost import SIDES, shape
from benchlib.report import column, note, table, verdict
from benchlib.rivals import rivals
from benchlib.stack import BUILD, Stack

GOALS = {"redis_trips": 2, "redis_bytes": 1.2 * 1024}
OCTETS = "lists:sum([N || I <- rabbit_networking:connection_info_all([recv_oct, send_oct]), {_, N} <- I])."
UNSETTLED = "lists:sum([N || Q <- rabbit_amqqueue:list(V), {_, N} <- rabbit_amqqueue:info(Q, [messages_unacknowledged])])."


class Syscalls:
    """Of one process and its threads; None where neither tool is there or may look"""
    def __init__(self, pid, path):
        self.path, self.process = path, None
        for tool, args in (("perf", ["stat", "-e", "raw_syscalls:sys_enter", "-x,", "-o", path, "-p", str(pid)]),
                           ("strace", ["-c", "-f", "-o", path, "-p", str(pid)])):
            if not self.process and shutil.which(tool):
                self.process = self.attach(tool, args)

    @staticmethod
    def attach(tool, args):
        process = subprocess.Popen([tool, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(1)		# it ends when it may not look
            return None
        except subprocess.TimeoutExpired:
            return process

    def count(self):
        if not self.process:
            return None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        found = re.search(r"^(\d+),.*sys_enter", text, re.M) or re.search(r"^100\.00\s+\S+\s+\S+\s+(\d+).* total$", text, re.M)
        return int(found[1]) if found else None


class Allocations:
    """The library, made when it is needed; without a compiler nothing is counted."""
    def __init__(self, directory):
        self.library, self.file = directory + "/allocations.so", directory + "/allocations"
        with open(self.file, "wb") as f:
            f.write(bytes(8))
        source = os.path.dirname(os.path.abspath(__file__)) + "/allocations.c"
        self.is_there = bool(shutil.which("cc")) and subprocess.run(
            ["cc", "-O2", "-shared", "-fPIC", "-fno-builtin", "-o", self.library, source], stderr=subprocess.DEVNULL, check=False).returncode == 0

    def env(self):
        return {"LD_PRELOAD": self.library, "BENCH_ALLOCATIONS": self.file}

    def count(self):
        with open(self.file, "rb") as f:
            return struct.unpack("=Q", f.read(8))[0]


class Wamd:
    """Beside the rivals: started, fed, waited for and ended in the same words"""
    def __init__(self, stack):
        self.stack, self.sandbox = stack, stack.sandbox

    def start(self, _, **env):
        os.environ.update(env)
        try:
            self.stack.do("start-wamd")
        finally:
            for name in env:
                del os.environ[name]
        self.stack.wait_ready()

    def pid(self, _):
        return self.stack.pids("sender")[0]

    def feed(self, prefix, count):
        self.stack.feed_wamd(prefix, count)
        self.stack.wait_concluded()

    def end(self, *_):
        self.stack.do("stop-wamd")


class Other:
    """One message more than it is fed keeps it running until all is counted."""
    def __init__(self, rival):
        self.rival, self.stack, self.sandbox = rival, rival.stack, rival.sandbox

    def start(self, count, **env):
        return self.rival.start(count + 1, **env)

    def pid(self, process):
        return process.pid

    def feed(self, prefix, count):
        accepted = self.sandbox.stats()["accepted"]
        self.stack.feed(prefix, count, "--queue", "t.bare")
        self.stack.wait("all are sent", lambda: self.sandbox.stats()["accepted"] - accepted >= count)
        self.stack.wait("all are acknowledged", lambda: self.stack.broker_eval(UNSETTLED) == "0")

    def end(self, process, prefix):
        self.stack.feed(prefix + "-last", 1, "--queue", "t.bare")
        self.rival.finish(process)


class Weight:
    def __init__(self, options, stack):
        self.o, self.stack, self.count = options, stack, min(options.messages, 10000)
        self.sides = {"wamd": Wamd(stack), **{name: Other(rival) for name, rival in rivals(stack, options, options.delay).items()}}
        self.allocations = Allocations(stack.dir)

    def redis(self):
        text = self.stack.redis("info", "everything")
        calls = re.findall(r"^cmdstat_(?:evalsha|eval|evalsha_ro|fcall):calls=(\d+)", text, re.M)
        octets = re.findall(r"^total_net_(?:input|output)_bytes:(\d+)", text, re.M)
        return sum(map(int, calls)), sum(map(int, octets))

    def octets(self):
        return int(self.stack.broker_eval(OCTETS))

    def counted(self, side, prefix):
        """All but allocations, whose counting costs time"""
        what = self.sides[side]
        process = what.start(self.count)
        syscalls = Syscalls(what.pid(process), self.stack.dir + "/syscalls")
        (trips, octets), amqp = self.redis(), self.octets()
        what.feed(prefix, self.count)
        found = {"syscalls": syscalls.count(), "amqp_bytes": self.octets() - amqp}
        found["redis_trips"], found["redis_bytes"] = (now - before for now, before in zip(self.redis(), (trips, octets)))
        what.end(process, prefix)
        return {name: None if v is None else v / self.count for name, v in found.items()}

    def allocated(self, side, prefix):
        if not self.allocations.is_there or side == "node":
            return None		# what its engine allocates is not malloc's
        what = self.sides[side]
        process = what.start(self.count, **self.allocations.env())
        before = self.allocations.count()
        what.feed(prefix, self.count)
        found = self.allocations.count() - before
        what.end(process, prefix)
        return found / self.count

    def run(self):
        found = {side: [] for side in self.sides}
        for i in range(self.o.repeats_weight):
            for side in self.sides:
                note(f"weight: {side}, {i + 1} of {self.o.repeats_weight} ...")
                found[side].append({**self.counted(side, f"{side}{i}"), "allocations": self.allocated(side, f"{side}a{i}")})
        return {"messages": self.count, "sides": found, "ledger": self.stack.ledger()}


def run(options, base):
    note("weight: starting the stack ...")
    with Stack(base + "/weight", *shape(options), delay=options.delay) as stack:
        stack.start_cost()		# it declares the queues
        return Weight(options, stack).run()


def report(found, o):
    rows = found["sides"]
    table(f"a message, of {found['messages']}", ("wamd", "bare loop", "Node sender"), [
        (label, 1, *(column(rows.get(side, []), name) for side in SIDES)) for label, name in (
            ("system calls of the sender", "syscalls"), ("allocations", "allocations"), ("round trips to Redis", "redis_trips"),
            ("bytes to and from Redis", "redis_bytes"), ("bytes to and from RabbitMQ", "amqp_bytes"))])
    trips, octets = column(rows["wamd"], "redis_trips")["median"], column(rows["wamd"], "redis_bytes")["median"]
    found["summary"] = {"redis_trips": trips, "redis_bytes": octets}
    if column(rows["wamd"], "syscalls") is None:
        print("system calls: skipped: neither perf nor strace may look")
    if column(rows["wamd"], "allocations") is None:
        print("allocations: skipped: there is no compiler")
    print("\ngoals")
    verdict("round trips to Redis a message", f"{trips:.2f}", "", "<= 2", round(trips, 2) <= GOALS["redis_trips"])
    verdict("bytes to and from Redis a message", f"{octets / 1024:.2f}", "KB", "<= 1.2", octets <= GOALS["redis_bytes"])
    print("\n" + found["ledger"]["text"].strip())
