"""growth: does a message cost more with a larger window, more senders, or a longer queue behind it?

window    64, 256, 1,024 in flight: CPU at the usual answer time; memory when each is answered after a second, so that the window is full
senders   1, 2, 4
backlog   1,000 messages at a time beside one queue of 1,000,000, which is taken to its end.  Queues are lazy, as wamd-operations(7) wants
"""
import time

from benchlib.proc import cpu_us, memory_kb
from benchlib.report import column, note, ratio_verdict, table, verdict
from benchlib.stack import Stack
from benchlib.templates import in_turns

WINDOWS, SENDERS, SHORT, SHORTS = (64, 256, 1024), (1, 2, 4), 1000, 20
GOALS = {"window": 1.0, "kb_in_flight": 6.0, "backlog": 1.1}
SLOW_MS, PATIENCE_S = 1000, 3600
LAZY = """
	rabbit_policy:set(V, <<"lazy">>, <<".*">>, [{<<"queue-mode">>, <<"lazy">>}], 0, <<"queues">>, <<"bench">>), 0.
"""


class Growth:
    def __init__(self, options, stack):
        self.o, self.stack = options, stack

    def choose(self, window=256, senders=1):
        self.stack.configure("60-growth", f"senders = {senders};\namqp: {{ prefetch = {window}; }};\n")

    # -- window and senders
    def one_of(self, name, start):
        """A full queue with the setting of this name"""
        def once(side, i):
            self.choose(**{name: int(side)})
            self.stack.feed_wamd(f"{name}{side}r{i}", self.o.messages)
            return self.stack.drain(self.o.messages, start[side])
        return once

    def vary(self, name, values):
        start, sides = {}, [str(v) for v in values]
        for side in sides:
            note(f"growth: {name} {side}, start ...")
            self.choose(**{name: int(side)})
            start[side] = self.stack.start_cost()
        return in_turns(self.o, self.o.messages, sides, self.one_of(name, start))

    def full_window(self):
        """KB of a sender, at its peak, whose window stays full"""
        found = {str(w): [] for w in WINDOWS}
        self.stack.sandbox.answer_after(SLOW_MS)
        for i in range(self.o.repeats):
            for window in WINDOWS:
                note(f"growth: {window} in flight, {i + 1} of {self.o.repeats} ...")
                self.choose(window=window)
                self.stack.feed_wamd(f"slow{window}r{i}", 3 * window)
                found[str(window)].append(self.stack.drain(3 * window, 0))
        return found

    # -- backlog
    def watched(self, pids, run):
        """CPU per message of all while it runs, and how fast that was"""
        stack, groups = self.stack, {"wamd": pids, **self.stack.others(self.stack.sandbox)}
        accepted, began = stack.sandbox.stats()["accepted"], time.monotonic()
        before = {name: cpu_us(p) for name, p in groups.items()}
        run()
        n, seconds = stack.sandbox.stats()["accepted"] - accepted, time.monotonic() - began
        found = {name + "_cpu_us": (cpu_us(p) - before[name]) / n for name, p in groups.items()}
        return {**found, "per_second": n / seconds, "messages": n}

    def short(self):
        def batches():
            for i in range(SHORTS):
                self.stack.feed_wamd(f"short{i}", SHORT)
                self.stack.wait_concluded()
        self.stack.do("start-wamd")
        self.stack.wait_ready()
        self.stack.feed_wamd("warm", SHORT)
        self.stack.wait_concluded()
        note(f"growth: {SHORTS} backlogs of {SHORT} ...")
        found = self.watched(self.stack.wamd_tree(), batches)
        self.stack.do("stop-wamd")
        return found

    def long(self):
        stack, count = self.stack, self.o.backlog
        note(f"growth: a backlog of {count} is fed ...")
        stack.feed_wamd("long", count)
        accepted = stack.sandbox.stats()["accepted"]
        stack.do("start-wamd")
        stack.wait("the first are sent", lambda: stack.sandbox.stats()["accepted"] - accepted >= SHORT)
        note(f"growth: a backlog of {count} is sent ...")
        found = self.watched(stack.wamd_tree(), lambda: stack.wait_concluded(PATIENCE_S))
        found["peak_rss"] = max(memory_kb(pid)["peak_rss"] for pid in stack.pids("sender"))
        stack.do("stop-wamd")
        return found

    def run(self):
        found = {"window": self.vary("window", WINDOWS), "full_window": self.full_window()}
        self.stack.sandbox.answer_after(self.o.delay)
        found["senders"] = self.vary("senders", SENDERS)
        found["ledger"] = self.stack.ledger()
        self.choose()
        found["backlog"] = {"short": self.short(), "long": self.long()}
        return found


def run(options, base):
    note("growth: starting the stack ...")
    with Stack(base + "/growth", "--senders", "1", "--tenants", "5", "--accounts", "4", "--rate", "100000", "--http", options.http[0],
               delay=0) as stack:
        stack.broker_eval(LAZY)
        stack.sandbox.answer_after(options.delay)
        return Growth(options, stack).run()


def varied(title, rows, unit):
    table(title, [f"{side} {unit}" for side in rows], [
        ("messages a second", 0, *(column(rows[s], "per_second") for s in rows)),
        ("CPU us a message, all of it", 1, *(column(rows[s], "cpu_us") for s in rows)),
        ("  RabbitMQ, for it", 1, *(column(rows[s], "broker_cpu_us") for s in rows)),
        ("  Redis, for it", 1, *(column(rows[s], "redis_cpu_us") for s in rows))])


def report(found, o):
    first, last = str(WINDOWS[0]), str(WINDOWS[-1])
    varied("window", found["window"], "in flight")
    rss = {s: column(rows, "memory_kb", "peak_rss") for s, rows in found["full_window"].items()}
    table(f"answers after {SLOW_MS} ms", [f"{s} in flight" for s in rss], [("RSS of the sender, peak, KB", 0, *rss.values())])
    varied("senders", found["senders"], "senders")
    short, long = found["backlog"]["short"], found["backlog"]["long"]
    print(f"\nbacklog: CPU us a message of wamd {short['wamd_cpu_us']:.1f} with {SHORT}, {long['wamd_cpu_us']:.1f} with {o.backlog} "
          f"({long['per_second']:.0f} a second);\n  "
          f"Redis {short['redis_cpu_us']:.1f} and {long['redis_cpu_us']:.1f}; RSS of the sender, peak, {long['peak_rss']} KB")
    cpu = {s: column(rows, "cpu_us")["median"] for s, rows in found["window"].items()}
    each = (rss[last]["median"] - rss[first]["median"]) / (WINDOWS[-1] - WINDOWS[0])
    ratio, longer = cpu[last] / cpu[first], long["wamd_cpu_us"] / short["wamd_cpu_us"]
    found["summary"] = {"window_cpu_ratio": ratio, "kb_in_flight": each, "backlog_cpu_ratio": longer}
    print("\ngoals")
    ratio_verdict(f"CPU a message, window {last} / {first}", ratio, GOALS["window"])
    verdict("RSS of a sender, for each message in flight", f"{each:.1f}", "KB", "<= 6", each <= GOALS["kb_in_flight"])
    ratio_verdict(f"CPU a message, backlog of {o.backlog} / {SHORT}", longer, GOALS["backlog"])
    print("\n" + found["ledger"]["text"].strip())
