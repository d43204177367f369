"""answers: how many messages a second one sender takes when Graph answers at once, and after 50, 200 and 1,000 ms.

With a window, no sender is faster than the window divided by the answer time: at 200 and 1,000 ms all come close to that.
"""
from benchlib.cost import SIDES, shape
from benchlib.report import column, note, table, unmeasured, verdict
from benchlib.rivals import rivals
from benchlib.stack import Stack
from benchlib.templates import in_turns

DELAYS = (0, 50, 200, 1000)
GOALS = {0: {"bare": 0.9, "node": 3.5}, 50: {"bare": 0.9, "node": 2.0}}
LONGEST_S = 10		# what a repeat may take at the window's own speed


def count_for(options, delay):
    return min(options.messages, options.window * 1000 * LONGEST_S // delay) if delay else options.messages


def run(options, base):
    note("answers: starting the stack ...")
    with Stack(base + "/answers", *shape(options), delay=0) as stack:
        others, found = rivals(stack, options, 0), {}
        start = stack.start_cost()
        for delay in DELAYS:
            count = count_for(options, delay)
            for sandbox in (stack.sandbox, others["bare"].sandbox):
                sandbox.answer_after(delay)

            def once(side, i, delay=delay, count=count):
                prefix = f"{side}{delay}ms{i}"
                if side != "wamd":
                    return others[side].full(prefix, count)
                stack.feed_wamd(prefix, count)
                return stack.drain(count, start)
            note(f"answers: {delay} ms ...")
            found[str(delay)] = in_turns(options, count, ["wamd", *others], once)
        return {"delays": found, "ledger": stack.ledger()}


def goals_at(delay, rates):
    wamd = rates["wamd"]["median"]
    for side, name in (("bare", "bare loop"), ("node", "Node sender")):
        label, limit = f"messages a second, wamd / {name}, {delay} ms", GOALS[delay][side]
        if rates[side]:
            ratio = wamd / rates[side]["median"]
            verdict(label, f"{ratio:.2f}", "x", f">= {limit}", ratio >= limit)
        else:
            unmeasured(label, f">= {limit}")


def report(found, o):
    rates = {}
    for delay in DELAYS:
        rows = found["delays"][str(delay)]
        rates[delay] = {side: column(rows.get(side, []), "per_second") for side in SIDES}
        table(f"answers after {delay} ms", ("wamd", "bare loop", "Node sender"), [
            ("messages a second", 0, *rates[delay].values()),
            ("CPU us a message, sender", 1, *(column(rows.get(side, []), "sender_cpu_us") for side in SIDES)),
            ("RSS of the sender, peak, KB", 0, *(column(rows.get(side, []), "memory_kb", "peak_rss") for side in SIDES))])
    found["summary"] = {"per_second": {str(d): {s: v and v["median"] for s, v in r.items()} for d, r in rates.items()}}
    print("\ngoals")
    for delay in GOALS:
        goals_at(delay, rates[delay])
    print("\n" + found["ledger"]["text"].strip())
