"""intake: how fast a sender moves one account's flood out of its input and into the account's lane.

Whoever stands in the queue behind a flood waits until it is moved.
"""
import time

from benchlib.proc import cpu_us
from benchlib.report import column, note, table
from benchlib.stack import Stack


def once(options, stack, i):
    note(f"intake: {i + 1} of {options.repeats_intake} ...")
    stack.renew()
    stack.feed("flood", options.flood, "--account", "t1-a1")
    stack.do("start-wamd")
    start_us, laned, began = cpu_us(stack.wamd_tree()), stack.status()["totals"]["laned"], time.monotonic()
    pids = stack.others(stack.sandbox)
    before = {name: cpu_us(p) for name, p in pids.items()}
    stack.wait("the input is empty", lambda: stack.depth("whatsapp.outbound") == 0)
    seconds = time.monotonic() - began
    moved = stack.status()["totals"]["laned"] - laned		# all but the first moment's, and what is in hand
    found = {"moved": moved, "per_second": moved / seconds, "cpu_us": (cpu_us(stack.wamd_tree()) - start_us) / moved}
    for name, p in pids.items():
        found[name + "_cpu_us"] = (cpu_us(p) - before[name]) / moved
    return found


def run(options, base):
    note("intake: starting the stack ...")
    with Stack(base + "/intake", "--senders", "1", "--tenants", "2", "--accounts", "1", "--rate", "1", "--http",
               options.http[0], "--set", f"amqp.prefetch={options.window}", delay=options.delay) as stack:
        stack.start_cost()		# it declares the queues
        found = [once(options, stack, i) for i in range(options.repeats_intake)]
        stack.do("kill-wamd")
        return {"flood": found}


def report(found, o):
    rows = found["flood"]
    table(f"a flood of {o.flood} messages", ("one sender",), [
        ("into its lane, messages a second", 0, column(rows, "per_second")),
        ("  of them measured", 0, column(rows, "moved")),
        ("CPU us a message, wamd", 1, column(rows, "cpu_us")),
        ("  RabbitMQ, for it", 1, column(rows, "broker_cpu_us"))])
    rate = column(rows, "per_second")["median"]
    found["summary"] = {"per_second": rate}
    print(f"others behind a flood of N messages in the same queue wait N / {rate:.0f} seconds at most, with one sender")
