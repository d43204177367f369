"""The numbers as a picture: bars in SVG, for light and dark pages, made of nothing but text."""
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, GAP, HEAD = 780, 215, 16, 6, 34
NAMES = {"wamd": "wamd", "bare": "bare loop", "node": "Node sender"}
STYLE = """
	text { font: 13px system-ui, sans-serif; fill: #1f2328; }
	.head { font-weight: 600; } .small { font-size: 11px; fill: #59636e; }
	.wamd { fill: #0969da; } .bare { fill: #8c959f; } .node { fill: #bc4c00; }
	@media (prefers-color-scheme: dark) {
		text { fill: #f0f6fc; } .small { fill: #9198a1; }
		.wamd { fill: #4493f8; } .bare { fill: #6e7681; } .node { fill: #db6d28; }
	}
"""


def panels(found):
    """(title, digits, [(label, side, value)]) of what was measured"""
    if "cost" in found:
        full, calm = found["cost"]["full"], found["cost"]["calm"]
        yield "CPU of the sender, µs a message", 0, [("", side, middle(rows, "sender_cpu_us")) for side, rows in full.items()]
        yield f"Publish to POST, p95, at {found['options']['rate']} messages a second, ms", 1, [("", side, middle(rows, "p95")) for side, rows in calm.items()]
    if "answers" in found:
        yield "Messages a second, one sender", 0, [
            (f"answers after {delay} ms", side, rate) for delay, rates in found["answers"]["summary"]["per_second"].items()
            for side, rate in rates.items() if rate]


def middle(rows, name):
    values = sorted(row[name] for row in rows)
    return values[len(values) // 2]


def bars(y, title, digits, rows):
    yield f'<text class="head" x="12" y="{y + 20}">{escape(title)}</text>'
    y += HEAD
    top = max(value for _, _, value in rows)
    last = None
    for label, side, value in rows:
        if label != last:
            y += GAP if last is not None else 0
            if label:
                yield f'<text class="small" x="12" y="{y + 12}">{escape(label)}</text>'
            last = label
        width = max(1, (WIDTH - LEFT - 80) * value / top)
        yield f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{NAMES[side]}</text>'
        yield f'<rect class="{side}" x="{LEFT}" y="{y}" width="{width:.0f}" height="{BAR}" rx="2"/>'
        yield f'<text x="{LEFT + width + 6:.0f}" y="{y + 13}">{value:,.{digits}f}</text>'
        y += BAR + GAP


def height(rows):
    return HEAD + len(rows) * (BAR + GAP) + len({label for label, _, _ in rows}) * GAP + GAP


def draw(found):
    """Text of the file, or None when there is nothing to show"""
    shown = list(panels(found))
    if not shown:
        return None
    o, y, lines = found["options"], 0, []
    for title, digits, rows in shown:
        lines += bars(y, title, digits, rows)
        y += height(rows)
    said = f"{o['messages']} messages, window {o['window']}, HTTPS; answers after {o['delay']} ms where not said; medians of {o['repeats']}"
    if o["quick"]:
        said = "Not a measurement: --quick only shows that it works."
    lines.append(f'<text class="small" x="12" y="{y + 14}">{escape(said)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 26}" viewBox="0 0 {WIDTH} {y + 26}" role="img">\n'
            f"<title>What a message costs: wamd, the bare loop and a sender in Node</title>\n<style>{STYLE}</style>\n"
            + "\n".join(lines) + "\n</svg>\n")
