"""templates: what template messages cost beside texts of the same size, and what a catalogue of 6,000 costs.

Messages are held against a definition with a header, three parameters in the body and the link of a button; in the Cloud API's
form, which is checked, and in the short one, of which that form is made.
"""
import json
import statistics
import subprocess
import time

from benchlib.cost import shape
from benchlib.proc import memory_kb
from benchlib.report import column, note, ratio_verdict, spread, table, verdict
from benchlib.stack import BUILD, Stack

GOALS = {"ratio": 1.3, "crawl_s": 3.0, "memory_kb": 20 * 1024, "find_ns": 2000}
SIDES = ("text", "full", "short")
CATALOGUE = 6000
DEFINITION = {
    "language": "en_US", "status": "APPROVED", "category": "UTILITY", "parameter_format": "POSITIONAL",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {"type": "BODY", "text": "Hi {{1}}, your order of {{2}} will be with you on {{3}}. Have your pass at hand, please."},
        {"type": "FOOTER", "text": "Thank you"},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://x.example/t/{{1}}"}]}]}


def text_parameters(*texts):
    return [{"type": "text", "text": text} for text in texts]


def full(name, i):
    return {"name": name, "language": {"code": "en_US"}, "components": [
        {"type": "header", "parameters": text_parameters(f"A{i}")},
        {"type": "body", "parameters": text_parameters("Ann", "three books", "Tuesday")},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": text_parameters(str(i))}]}


def short(name, i):
    return {"name": name, "language": "en_US", "header": f"A{i}", "body": ["Ann", "three books", "Tuesday"], "buttons": [str(i)]}


TEXT_BYTES = len(json.dumps(full("order_update", 100000))) - len('{"body":""}')


def content(side, name, i):
    if side == "text":
        return "text", {"body": f"Message {i} ".ljust(TEXT_BYTES, "o")}
    return "template", {"full": full, "short": short}[side](name, i)


def messages(accounts, prefix, count, make):
    """Lines for wamd-load feed --stdin; make(i) is type and content of the i-th"""
    for i in range(count):
        a = accounts[i % len(accounts)]
        kind, what = make(i)
        yield json.dumps({"body": {
            "id": f"{prefix}-{i:06}", "tenant_id": a["tenant_id"], "account_id": a["account_id"], "to": f"+49151{i:08}",
            "type": kind, kind: what}})


def wamctl(stack, *args):
    done = subprocess.run([BUILD + "/wamctl", "-s", stack.env["ADMIN_SOCKET"], "-j", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"t/bench: wamctl {' '.join(args)}: {done.stderr.decode()}")
    return json.loads(done.stdout)


def of_tenant(stack, tenant):
    return [a for a in stack.accounts() if a["tenant_id"] == tenant]


def in_turns(options, count, sides, once):
    """once(side, repeat) for each, the sides in another order each time"""
    found = {side: [] for side in sides}
    for i in range(options.repeats):
        for k in range(len(sides)):
            side = sides[(i + k) % len(sides)]
            note(f"{side}, {count} messages, {i + 1} of {options.repeats} ...")
            found[side].append(once(side, i))
    return found


# ---- a message
def measure(options, stack, count):
    stack.sandbox.call("templates", json.dumps({"name": "order_update", **DEFINITION}).encode())
    start = stack.start_cost()
    stack.do("start-wamd")
    wamctl(stack, "template", "refresh", "t1", "t1-a1")
    stack.do("stop-wamd")
    accounts = of_tenant(stack, "t1")

    def once(side, i):
        stack.feed_lines(messages(accounts, f"{side}{i}", count, lambda n: content(side, "order_update", n)))
        return stack.drain(count, start)
    return in_turns(options, count, SIDES, once)


# ---- a catalogue
def send_and_look(stack, sender, prefix, make):
    began = time.monotonic()
    stack.feed_lines(messages(of_tenant(stack, "t1"), prefix, CATALOGUE, make))
    stack.wait_concluded()
    return memory_kb(sender)["rss"], CATALOGUE / (time.monotonic() - began)


def catalogue(options, stack):
    """Each time with nothing in Redis; what it weighs is told of the last one."""
    stack.sandbox.call("templates", json.dumps({"name": "tpl_%d", "count": CATALOGUE, **DEFINITION}).encode())
    crawl = []
    for i in range(options.repeats):
        note(f"templates: a catalogue of {CATALOGUE}, {i + 1} of {options.repeats} ...")
        if i:
            stack.renew()
        stack.do("start-wamd")
        stack.fed = 0
        began = time.monotonic()
        fetched = wamctl(stack, "template", "refresh", "t1", "t1-a1")["fetched"]
        crawl.append(time.monotonic() - began)
        if fetched != CATALOGUE:
            raise SystemExit(f"t/bench: {fetched} templates were fetched")
    note(f"templates: each of {CATALOGUE} is used ...")
    stack.feed_lines(messages(of_tenant(stack, "t1"), "first", 1000, lambda n: content("text", "", n)))
    stack.wait_concluded()
    sender = next(p["pid"] for p in stack.status()["processes"] if p["role"] == "sender")
    before, text_rate = send_and_look(stack, sender, "before", lambda n: content("text", "", n))
    after, first_rate = send_and_look(stack, sender, "each", lambda n: content("short", f"tpl_{n + 1}", n))
    again, _ = send_and_look(stack, sender, "again", lambda n: content("short", f"tpl_{n + 1}", n))
    stack.do("stop-wamd")
    return {"crawl_s": crawl, "before_kb": before, "after_kb": after, "again_kb": again, "text_per_second": text_rate,
            "first_use_per_second": first_rate}


def run(options, base):
    count = min(options.messages, 10000)
    note("templates: starting the stack ...")
    with Stack(base + "/templates", *shape(options), delay=options.delay) as stack:
        found = {"messages": count, "full_queue": measure(options, stack, count)}
    note("templates: starting another ...")
    with Stack(base + "/catalogue", *shape(options), delay=0) as stack:
        found["catalogue"] = catalogue(options, stack)
    micro = subprocess.run([BUILD + "/wamd-load", "micro"], stdout=subprocess.PIPE, check=True).stdout
    found["micro"] = json.loads(micro)
    return found


def cost_table(found, count, sides, heads):
    """The lines that scenarios share; by side, the median of each repeat's ratio to its own text, which other load hits alike"""
    def each(*path):
        return [column(found[side], *path) for side in sides]

    def ratios(side):
        return spread([row["cpu_us"] / text["cpu_us"] for row, text in zip(found[side], found["text"])])
    table(f"{count} messages", heads, [
        ("messages a second", 0, *each("per_second")),
        ("CPU us a message, all of it", 1, *each("cpu_us")),
        ("  beside the text of its repeat", 2, *map(ratios, sides)),
        ("  the sender", 1, *each("sender_cpu_us")),
        ("  Redis, for it", 1, *each("redis_cpu_us")),
        ("  RabbitMQ, for it", 1, *each("broker_cpu_us")),
        ("RSS of the sender, peak, KB", 0, *each("memory_kb", "peak_rss"))])
    return {side: ratios(side)["median"] for side in sides if side != "text"}


def report(found, o):
    ratios = cost_table(found["full_queue"], found["messages"], SIDES, ("text", "template", "short form"))
    book, micro = found["catalogue"], found["micro"]
    crawl, more = statistics.median(book["crawl_s"]), book["after_kb"] - book["before_kb"]
    found["summary"] = {"cpu_ratio": ratios, "crawl_s": crawl, "memory_kb": more, "find_ns": micro["template_find_ns"]}
    print("\ngoals")
    ratio_verdict("CPU a message, template / text", ratios["full"], GOALS["ratio"])
    ratio_verdict("CPU a message, short form / text", ratios["short"], GOALS["ratio"])
    verdict(f"{CATALOGUE} templates fetched", f"{crawl:.2f}", "s", "<= 3", crawl <= GOALS["crawl_s"])
    verdict("RSS of a sender that used them all, more", f"{more / 1024:.1f}", "MB", "<= 20",
            more <= GOALS["memory_kb"])
    verdict("one of them found in memory", f"{micro['template_find_ns'] / 1000:.2f}", "us", "<= 2",
            micro["template_find_ns"] <= GOALS["find_ns"])
    print(f"  RSS before, after, after a second round: {book['before_kb']}, {book['after_kb']}, {book['again_kb']} KB")
    print(f"  messages a second: texts {book['text_per_second']:.0f}, each template's first {book['first_use_per_second']:.0f}")
    print(f"  alone, CPU us a call: check {micro['template_check_ns'] / 1000:.1f}, short form "
          f"{micro['template_make_ns'] / 1000:.1f}, compile {micro['template_compile_ns'] / 1000:.1f}")
