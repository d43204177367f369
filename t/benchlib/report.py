"""How t/bench says what it found."""
import statistics
import sys

SEEN = []		# every goal that was said: {"goal", "value", "limit", "reached"}; reached None: not measured


def note(text):
    """Progress, for whoever waits."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def percentiles(values):
    found = sorted(values)
    return {f"p{p}": found[min(len(found) - 1, len(found) * p // 100)] for p in (50, 95, 99)}


def column(rows, *path):
    """The values at this path of all rows that have one"""
    found = []
    for row in rows:
        for name in path:
            row = row.get(name) if row else None
        if row is not None:
            found.append(row)
    return spread(found) if found else None


def median(rows, *path):
    return column(rows, *path)["median"]


def cell(s, digits):
    if s is None:
        return f"{'-':>26}"
    return f"{s['median']:>10.{digits}f} ({s['min']:.{digits}f} - {s['max']:.{digits}f})".ljust(26)


def table(title, heads, lines):
    """Lines are (label, digits, spread of the first column, of the second, ...)."""
    print(f"\n{title:<34}" + "".join(f"{head:>10}{'':16}" for head in heads).rstrip())
    print("-" * (27 + 26 * len(heads)))
    for label, digits, *columns in lines:
        print((f"{label:<34}" + "".join(cell(c, digits) for c in columns)).rstrip())


def say(label, value, unit, goal, good):
    word = {True: "reached", False: "NOT reached", None: "not measured"}[good]
    print(f"  {label:<56}{value:>9} {unit:<8} goal {goal:<10} {word}")


def verdict(label, value, unit, goal, good):
    say(label, value, unit, goal, good)
    SEEN.append({"goal": label, "value": value, "unit": unit, "limit": goal, "reached": good})


def unmeasured(label, goal):
    verdict(label, "-", "", goal, None)


def all_goals():
    """Once more together, at the end"""
    print("\nall goals")
    for row in SEEN:
        say(row["goal"], row["value"], row["unit"], row["limit"], row["reached"])
    print(f"{sum(r['reached'] is True for r in SEEN)} of {len(SEEN)} reached, {sum(r['reached'] is None for r in SEEN)} not measured")


def ratio_verdict(label, ratio, goal):
    verdict(label, f"{ratio:.2f}", "x", f"<= {goal}", ratio <= goal)
