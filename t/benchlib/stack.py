"""The programs that are measured: a stack of t/stack for each scenario, and sandboxes."""
import json
import os
import re
import shlex
import ssl
import subprocess
import time
import urllib.request

from benchlib.proc import is_there, cpu_us, memory_kb, tree
from benchlib.report import percentiles

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("WAMD_BUILD", TOP + "/build"))
WAIT_S = 180
OPEN_SANDBOX = ["--rate", "0", "--pair", "off"]

PURGE = """
	Qs = rabbit_amqqueue:list(V),
	[rabbit_amqqueue:purge(Q) || Q <- Qs],
	lists:sum([N || Q <- Qs, {_, N} <- rabbit_amqqueue:info(Q, [messages, consumers])]).
"""


class Sandbox:
    """One that the stack runs, or (extra) one of our own with the same certificates and accounts."""

    def __init__(self, directory, url, pid, process=None):
        self.url, self.pid, self.process = url, pid, process
        self.context = ssl.create_default_context(cafile=directory + "/tls/ca.pem")

    @classmethod
    def extra(cls, directory, args):
        with open(directory + f"/sandbox-extra{len(os.listdir(directory))}.out", "wb") as log:
            process = subprocess.Popen(
                [BUILD + "/wamd-sandbox", "--listen", "127.0.0.1:0", "--tls-dir", directory + "/tls", "--accounts",
                 directory + "/accounts.json", *args], stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        for line in process.stdout:
            match = re.match(rb"listening (https://\S+)", line)
            if match:
                return cls(directory, match[1].decode(), process.pid, process)
        raise SystemExit("t/bench: the sandbox did not start: " + log.name)

    def call(self, path, body=None, method=None):
        """GET, or POST if there is a body"""
        request = urllib.request.Request(self.url + "/_sandbox/" + path, data=body, method=method)
        with urllib.request.urlopen(request, context=self.context, timeout=120) as answer:
            return answer.read().decode()

    def stats(self):
        return json.loads(self.call("stats"))

    def ledger(self, since=0):
        return map(json.loads, self.call(f"ledger?since={since}").splitlines())

    def answer_after(self, ms):
        """From now on, instead of the rules there were"""
        self.call("faults", method="DELETE")
        if ms:
            self.call("faults", json.dumps({"fault": "delay", "ms": ms}).encode())

    def posts(self, since):
        """(time, text) of the POSTs after the first `since` ones"""
        return [(row["t"], row["body"]["text"]["body"]) for row in self.ledger(since)]

    def added(self, since, published):
        """Milliseconds from the publish to the POST, for those in this out file of a feed"""
        with open(published, encoding="utf-8") as f:
            sent = {row["id"]: row["t"] for row in map(json.loads, f)}
        return percentiles([(t - sent[text.rsplit(" ", 1)[1]]) * 1000 for t, text in self.posts(since)])

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)


class Stack:
    """Up while it is a context; args are t/stack's.  wamd is not started with it."""

    def __init__(self, directory, *args, delay=50):
        self.dir, self.env, self.fed, self.sandboxes = directory, {}, 0, []
        self.args = [*args, "--no-wamd", "--sandbox-args", " ".join(["--delay", str(delay), *OPEN_SANDBOX])]
        self.delay, self.sender_start_us = delay, 0

    def __enter__(self):
        try:
            self.do("up", *self.args)
            self.sandbox = Sandbox(self.dir, self.env["SANDBOX_URL"], int(self.env["SANDBOX_PID"]))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for sandbox in self.sandboxes:
            sandbox.stop()
        if os.path.isdir(self.dir):
            self.do("down")

    def do(self, verb, *args, program=""):
        """t/stack; program is another wamd than the one of this build"""
        # Not in the repository: a broker that is ended while it boots drops a file where it stands.  All events wait for the
        # ledger: with less memory it begins to write them to disk, and then blocks those who publish.
        done = subprocess.run([TOP + "/t/stack", verb, self.dir, *args], cwd=os.path.dirname(self.dir), check=False,
                              env={**os.environ, "WAMD_PROGRAM": program, "WAMD_BROKER_MEMORY": "4GB"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise SystemExit(f"t/bench: t/stack {verb} failed:\n" + done.stdout.decode(errors="replace"))
        if verb == "down":
            return
        with open(self.dir + "/env", encoding="utf-8") as f:
            for line in f:
                name, _, value = line.partition("=")
                self.env[name] = " ".join(shlex.split(value))

    def configure(self, name, text):
        """Settings over those of the stack, from the next start on"""
        with open(f"{self.dir}/conf.d/{name}.conf", "w", encoding="utf-8") as f:
            f.write(text)

    def accounts(self):
        with open(self.dir + "/accounts.json", encoding="utf-8") as f:
            return json.load(f)

    def extra_sandbox(self, *args):
        sandbox = Sandbox.extra(self.dir, args)
        self.sandboxes.append(sandbox)
        return sandbox

    # -- load
    def load_command(self, *args):
        return {"args": [BUILD + "/wamd-load", *args],
                "env": {**os.environ, "AMQP_URL": self.env["AMQP_URL"], "REDIS_URL": self.env["REDIS_URL"]}}

    def load(self, *args):
        done = subprocess.run(**self.load_command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise SystemExit(f"t/bench: wamd-load {args[0]} ended with {done.returncode}:\n{done.stderr.decode()}")
        return done.stdout.decode()

    def feed(self, prefix, count, *args, accounts="accounts.json"):
        self.load("feed", "--accounts", f"{self.dir}/{accounts}", "--count", str(count), "--prefix", prefix, *args)

    def feed_wamd(self, prefix, count, *args, **more):
        self.feed(prefix, count, "--out", self.dir + "/published.ndjson", *args, **more)
        self.fed += count

    def feed_lines(self, lines):
        """What wamd-load feed --stdin reads"""
        path = self.dir + "/feed.ndjson"
        with open(path, "w", encoding="utf-8") as f:
            count = sum(1 for line in lines if f.write(line + "\n"))
        with open(path, encoding="utf-8") as f:
            done = subprocess.run(**self.load_command("feed", "--stdin", "--out", self.dir + "/published.ndjson"), stdin=f,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise SystemExit("t/bench: wamd-load feed --stdin: " + done.stderr.decode())
        self.fed += count

    def depth(self, queue):
        return json.loads(self.load("depth", "--queue", queue))[queue] or 0

    def wait(self, what, condition, every=.1, seconds=WAIT_S):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit(f"t/bench: waited {seconds} s in vain until {what}")
            time.sleep(every)

    def wait_concluded(self, seconds=WAIT_S):
        """Every message that was fed has its event: nothing is left to do."""
        self.wait("all events are there", lambda: self.depth("t.events") >= self.fed, seconds=seconds)
        self.wait("Graph has all messages", lambda: self.sandbox.stats()["accepted"] >= self.fed)

    def wait_ready(self):
        self.wait("wamd is ready", lambda: self.status()["ready"])

    def ledger(self):
        """Where did every message go?  The stack is at rest."""
        done = subprocess.run([TOP + "/t/ledger", "--strict", self.dir], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return {"code": done.returncode, "text": done.stdout.decode()}

    # -- wamd
    def wamd_tree(self):
        return tree(int(self.env["WAMD_PID"]))

    def status(self):
        done = subprocess.run([BUILD + "/wamctl", "-s", self.env["ADMIN_SOCKET"], "-j", "status"], stdout=subprocess.PIPE,
                              check=True)
        return json.loads(done.stdout)

    def sender(self):
        """The child that holds most memory and works: with one sender, the one that used most CPU."""
        return max(self.wamd_tree()[1:], key=lambda pid: cpu_us([pid]))

    def pids(self, role):
        return [p["pid"] for p in self.status()["processes"] if p["role"] == role and not p["draining"]]

    def start_cost(self, program=""):
        """CPU of a start without work, so that it can be left out; the sender's own is kept.  It is over when no more is used."""
        self.do("start-wamd", program=program)
        used, before = cpu_us(self.wamd_tree()), -1
        while used != before:
            time.sleep(1)		# its timers' first round
            before, used = used, cpu_us(self.wamd_tree())
        self.sender_start_us = cpu_us([self.sender()])
        self.do("stop-wamd")
        return used

    def others(self, sandbox):
        return {"broker": tree(int(self.env["RMQ_PID"])), "redis": [int(self.env["REDIS_PID"])], "sandbox": [sandbox.pid]}

    def measure(self, sandbox, n, run):
        """Runs it; its result with what the others used, all per message, and the speed by the sandbox's clock."""
        seen = sandbox.stats()["posts"]
        pids = self.others(sandbox)
        before = {name: {pid: cpu_us([pid]) for pid in p} for name, p in pids.items()}
        result = run()
        for name, p in before.items():		# a helper of the broker's may have ended
            result[name + "_cpu_us"] = sum(cpu_us([pid]) - us for pid, us in p.items() if is_there(pid)) / n
        times = [row["t"] for row in sandbox.ledger(seen)]
        if len(times) != n:
            raise SystemExit(f"t/bench: {len(times)} POSTs for {n} messages")
        result["per_second"] = (n - 1) / (max(times) - min(times))
        everybody = result["cpu_us"] + sum(result[name + "_cpu_us"] for name in pids)
        result["sandbox_share"] = result["sandbox_cpu_us"] / everybody
        return result

    def drain(self, n, start_us, program=""):
        """Starts wamd on queues with n messages and ends it when all are done: what a message took, without the start."""
        def run():
            self.do("start-wamd", program=program)
            self.wait_concluded()
            pids, sender = self.wamd_tree(), self.sender()
            result = {"cpu_us": (cpu_us(pids) - start_us) / n, "sender_cpu_us": (cpu_us([sender]) - self.sender_start_us) / n,
                      "memory_kb": memory_kb(sender)}
            self.do("stop-wamd")
            return result
        return self.measure(self.sandbox, n, run)

    def renew(self):
        """As after up: wamd is gone, with all that waits, all that Redis knows, and all the sandbox has seen."""
        self.do("kill-wamd")
        self.wait("all queues are empty", lambda: self.broker_eval(PURGE) == "0")
        self.redis("flushall")
        self.sandbox.call("reset", b"")

    def redis(self, *command):
        login, port = re.fullmatch(r"redis://:(.*)@127\.0\.0\.1:(\d+)/0", self.env["REDIS_URL"]).groups()
        return subprocess.run(["redis-cli", "-p", port, *command], env={**os.environ, "REDISCLI_AUTH": login}, check=True,
                              stdout=subprocess.PIPE).stdout.decode()

    def broker_eval(self, erlang):
        done = subprocess.run([TOP + "/t/rmq", self.env["RMQ_DIR"], "eval"], stdout=subprocess.PIPE, check=True,
                              input=f'V = <<"{self.env["VHOST"]}">>, {erlang}'.encode())
        return done.stdout.decode().strip()
