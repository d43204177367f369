"""baseline: what limits, breakers and lanes cost, by the CPU of an earlier wamd on the same queues, in turns.

The earlier one is built from the repository's own history, once, below build/bench-base.  It has a key prefix of its own in
Redis: what the two keep there differs.
"""
import os
import re
import shutil
import subprocess

from benchlib.cost import shape
from benchlib.report import column, note, ratio_verdict, table, unmeasured
from benchlib.stack import TOP, Stack

GOAL = 1.15
SIDES = ("now", "then")


def git(*args):
    done = subprocess.run(["git", "-C", TOP, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout if done.returncode == 0 else None


def build(commit):
    """Path of that commit's wamd, or None without the history"""
    name = shutil.which("git") and git("rev-parse", "--verify", "--quiet", commit + "^{commit}")
    if not name:
        return None
    name = name.decode().strip()
    place = f"{TOP}/build/bench-base/{name}"
    program = place + "/build/wamd"
    if os.access(program, os.X_OK):
        return program
    note(f"baseline: building {commit} ...")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    subprocess.run(["tar", "-x", "-C", place], input=git("archive", name), check=True)
    # The outer make's options and variables are not for this one.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-j2", "-C", place, "build/wamd"], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit(f"t/bench: {commit} cannot be built:\n" + done.stdout.decode(errors="replace"))
    return program


def forget_what_is_new(stack, program):
    """Takes out of tenants.then the lines that this program has no setting for"""
    while True:
        done = subprocess.run([program, "-t", "-f", stack.dir + "/wamd.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        unknown = re.search(r"(\S+/tenants\.then/\S+):(\d+): \S+: no such setting", done.stdout.decode())
        if not unknown:
            return
        with open(unknown[1], encoding="utf-8") as f:
            lines = f.readlines()
        del lines[int(unknown[2]) - 1]
        with open(unknown[1], "w", encoding="utf-8") as f:
            f.writelines(lines)


def measure(options, stack, programs):
    found = {side: [] for side in SIDES}
    settings = {"now": "", "then": f'redis: {{ prefix = "base:"; }}; tenants_dir = "{stack.dir}/tenants.then";\n'}
    start = {}
    with open(stack.dir + "/conf.d/05-jobs.conf", encoding="utf-8") as f:
        jobs = {"now": f.read(), "then": ""}

    def choose(side):
        stack.configure("60-side", settings[side])
        stack.configure("05-jobs", jobs[side])
    shutil.copytree(stack.dir + "/tenants.d", stack.dir + "/tenants.then")
    choose("then")
    forget_what_is_new(stack, programs["then"])
    for side in SIDES:
        choose(side)
        start[side] = stack.start_cost(programs[side])
    for i in range(options.repeats):
        for side in SIDES if i % 2 else reversed(SIDES):
            note(f"baseline: {side}, {i + 1} of {options.repeats} ...")
            choose(side)
            stack.feed_wamd(f"{side}{i}", options.messages)
            found[side].append(stack.drain(options.messages, start[side], programs[side]))
    return found


def run(options, base):
    program = build(options.against)
    if not program:
        return {"skipped": "needs the repository's history"}
    note("baseline: starting the stack ...")
    with Stack(base + "/baseline", *shape(options), delay=options.delay) as stack:
        return measure(options, stack, {"now": "", "then": program})


def report(found, o):
    if "skipped" in found:
        print("\nlimits, breakers and lanes: skipped: " + found["skipped"])
        unmeasured(f"CPU a message, now / {o.against}", f"<= {GOAL}")
        return

    def both(*path):
        return [column(found[side], *path) for side in SIDES]

    table("limits, breakers, lanes", ("now", o.against), [
        ("messages a second", 0, *both("per_second")),
        ("CPU us a message, all of it", 1, *both("cpu_us")),
        ("  RabbitMQ, for it", 1, *both("broker_cpu_us")),
        ("  Redis, for it", 1, *both("redis_cpu_us")),
        ("RSS of the sender, peak, KB", 0, *both("memory_kb", "peak_rss"))])
    now, then = both("cpu_us")
    ratio = now["median"] / then["median"]
    found["summary"] = {"cpu_ratio": ratio}
    print("\ngoals")
    ratio_verdict(f"CPU a message, now / {o.against}", ratio, GOAL)
