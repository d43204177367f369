"""media: what a picture costs beside a text: by Graph's id, which is handed on, and by a file of ours, for which it is found."""
import json
import os

from benchlib.cost import shape
from benchlib.report import note
from benchlib.stack import Stack
from benchlib.templates import cost_table, in_turns, messages, of_tenant, wamctl

SIDES = ("text", "id", "ref")
CAPTION = "Your ticket"


def give_file(stack):
    """Its reference, and for each account Graph's id, which all senders find in Redis from then on"""
    path, accounts = stack.dir + "/a.png", of_tenant(stack, "t1")
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + os.urandom(50000))
    stack.do("start-wamd")
    ref = "sha256:" + wamctl(stack, "media", "upload", "t1", path)["sha256"]
    stack.feed_lines(messages(accounts, "upload", len(accounts), lambda n: ("image", {"media": ref})))
    stack.wait_concluded()
    stack.do("stop-wamd")
    ids = {m["phone_number_id"]: m["id"] for m in json.loads(stack.sandbox.call("media"))}
    return ref, [ids[a["phone_number_id"]] for a in accounts]


def run(options, base):
    count = min(options.messages, 10000)
    note("media: starting the stack ...")
    with Stack(base + "/media", *shape(options), delay=options.delay) as stack:
        start = stack.start_cost()
        ref, ids = give_file(stack)

        def content(side, n):
            if side == "text":
                return "text", {"body": "o" * (len(ref) + len(CAPTION))}
            return "image", {**({"media": ref} if side == "ref" else {"id": ids[n % len(ids)]}), "caption": CAPTION}

        def once(side, i):
            stack.feed_lines(messages(of_tenant(stack, "t1"), f"{side}{i}", count, lambda n: content(side, n)))
            return stack.drain(count, start)
        return {"messages": count, "full_queue": in_turns(options, count, SIDES, once)}


def report(found, o):
    ratios = cost_table(found["full_queue"], found["messages"], SIDES, ("text", "image, id", "image, ref"))
    found["summary"] = {"cpu_ratio": ratios}
    print(f"\nCPU a message beside a text: image by id {ratios['id']:.2f} x, by file {ratios['ref']:.2f} x")
