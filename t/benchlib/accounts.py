"""accounts: what a message costs with 1, 10, 1,000 and 10,000 accounts, messages spread evenly over all.

One stack, whose sandbox knows all accounts; wamd is started with one directory of tenants or another, in turns.
"""
import json
import os
import shutil
import statistics

from benchlib.report import column, note, ratio_verdict, table
from benchlib.stack import Stack
from benchlib.templates import in_turns

GOAL = 1.2
FEW = "10"
PER_TENANT = 5
STARTS = 3		# a start with many accounts costs as much as some thousand messages: its median


class Accounts:
    def __init__(self, options, stack):
        self.o, self.stack, self.start = options, stack, {}
        self.many = str(options.accounts)
        self.sides = [str(n) for n in (1, 10, 1000, 10000) if n <= options.accounts]
        for side in self.sides:
            self.make(int(side))

    def make(self, count):
        """tenants.COUNT and accounts.COUNT.json, beside those of all.  A tenant has all its accounts in its file, so one alone has four
        beside it that send nothing."""
        chosen = self.stack.accounts()[:count]
        os.mkdir(f"{self.stack.dir}/tenants.{count}")
        for name in {a["tenant_id"] for a in chosen}:
            shutil.copy(f"{self.stack.dir}/tenants.d/{name}.conf", f"{self.stack.dir}/tenants.{count}")
        with open(f"{self.stack.dir}/accounts.{count}.json", "w", encoding="utf-8") as f:
            json.dump(chosen, f)

    def choose(self, side):
        self.stack.configure("60-tenants", f'tenants_dir = "{self.stack.dir}/tenants.{side}";\n')

    def drain(self, side, prefix, count):
        self.choose(side)
        self.stack.feed_wamd(prefix, count, accounts=f"accounts.{side}.json")
        return self.stack.drain(count, self.start[side])

    def run(self):
        for side in self.sides:
            note(f"accounts: {side}, starts ...")
            self.choose(side)
            self.start[side] = statistics.median(self.stack.start_cost() for _ in range(STARTS))
        found = {"start_cpu_us": self.start, "deep": {}}
        found["spread"] = in_turns(self.o, self.o.messages, self.sides, lambda side, i: self.drain(side, f"n{side}r{i}", self.o.messages))
        if not self.o.quick:
            for side in (self.many, FEW):
                note(f"accounts: {side}, 10 messages each of {self.many} ...")
                found["deep"][side] = [self.drain(side, f"deep{side}", 10 * self.o.accounts)]
        return found


def run(options, base):
    note("accounts: starting the stack ...")
    with Stack(base + "/accounts", "--senders", "1", "--tenants", str(options.accounts // PER_TENANT), "--accounts",
               str(PER_TENANT), "--rate", "100000", "--http", options.http[0], "--set", f"amqp.prefetch={options.window}",
               delay=options.delay) as stack:
        return Accounts(options, stack).run()


def ratio_of(found, many):
    return column(found[many], "cpu_us")["median"] / column(found[FEW], "cpu_us")["median"]


def report(found, o):
    sides, many = list(found["spread"]), str(o.accounts)

    def each(*path):
        return [column(found["spread"][side], *path) for side in sides]

    def starts(side):
        ms = found["start_cpu_us"][side] / 1000
        return {"median": ms, "min": ms, "max": ms}

    table(f"{o.messages} messages", [f"{side} accounts" for side in sides], [
        ("messages a second", 0, *each("per_second")),
        ("CPU us a message, all of it", 1, *each("cpu_us")),
        ("  Redis, for it", 1, *each("redis_cpu_us")),
        ("  RabbitMQ, for it", 1, *each("broker_cpu_us")),
        ("CPU ms of a start (left out)", 0, *map(starts, sides)),
        ("RSS of the sender, peak, KB", 0, *each("memory_kb", "peak_rss"))])
    ratio = ratio_of(found["spread"], many)
    found["summary"] = {"cpu_ratio": ratio}
    print("\ngoals")
    ratio_verdict(f"CPU a message, {many} / {FEW} accounts", ratio, GOAL)
    if found["deep"]:
        found["summary"]["deep_cpu_ratio"] = ratio_of(found["deep"], many)
        print(f"  the same with 10 messages an account ({10 * o.accounts}), once:  {ratio_of(found['deep'], many):.2f} x")
