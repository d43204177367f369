/* A line chart with axes, a readout under pointer or arrow keys, and the same figures as a table. */
const steps = [1, 2, 2.5, 5, 10];
function niceTop(max, least) {
	if (!(max > least)) return least;
	const power = 10 ** Math.floor(Math.log10(max));
	return steps.find(s => s * power >= max) * power;
}
const clock = ms => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
const clockSeconds = ms => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

/* series: [{ name, values }], oldest first, null: nothing known; unit: "/s". */
class Chart {
	/* least: what the axis shows at least. */
	constructor(title, unit, least) {
		this.least = least;
		this.title = title;
		this.unit = unit;
		this.at = null;			/* which sample the readout tells of; null: the newest that there is */
		this.svg = svg('svg', { role: 'img', tabindex: '0', 'aria-label': title + ': arrow keys move through the samples' });
		this.legend = el('div', { class: 'legend' });
		this.hour = el('span', { class: 'muted small', 'aria-live': 'polite' });
		this.rows = el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': title + ', figures' });
		this.more = el('details', { ontoggle: () => this.fillTable() }, el('summary', null, 'Figures as a table'), this.rows);
		this.root = el('section', { class: 'card' }, el('div', { class: 'head' }, el('h2', null, title), this.hour), this.legend,
			el('div', { class: 'chart' }, this.svg), this.more);
		this.svg.addEventListener('pointermove', e => this.point(e));
		this.svg.addEventListener('pointerleave', () => this.choose(null));
		this.svg.addEventListener('blur', () => this.choose(null));
		this.svg.addEventListener('keydown', e => this.key(e));
		new ResizeObserver(() => this.draw()).observe(this.svg);
	}

	show(series, stepMs, endMs) {
		Object.assign(this, { series, stepMs, endMs, n: series[0].values.length });
		this.draw();
		if (this.more.open) this.fillTable();
	}

	box() {
		const width = this.svg.clientWidth || 600, height = this.svg.clientHeight || 208;
		return { width, height, left: 42, right: 10, top: 8, bottom: 22 };
	}

	x(i, b) { return b.left + (b.width - b.left - b.right) * i / Math.max(1, this.n - 1); }

	draw() {
		if (!this.series) return;
		const b = this.box(), top = niceTop(Math.max(...this.series.flatMap(s => s.values.map(v => v || 0))), this.least);
		const y = v => b.top + (b.height - b.top - b.bottom) * (1 - v / top);
		const kids = [];
		for (let i = 0; i <= 4; i++) {
			const v = top * i / 4;
			kids.push(svg('line', { class: 'grid', x1: b.left, x2: b.width - b.right, y1: y(v), y2: y(v) }),
				svg('text', { x: b.left - 6, y: y(v) + 4, 'text-anchor': 'end' }, top >= 40 ? count(v) : Number(v.toPrecision(2))));
		}
		const marks = b.width < 420 ? 3 : 6;
		for (let i = 0; i < marks; i++) {
			const at = Math.round((this.n - 1) * i / (marks - 1));
			kids.push(svg('text', { x: this.x(at, b), y: b.height - 6, 'text-anchor': i === 0 ? 'start' : i === marks - 1 ? 'end' : 'middle' },
				clock(this.endMs - (this.n - 1 - at) * this.stepMs)));
		}
		this.series.forEach((s, k) => kids.push(svg('path', { class: 'line s' + k, d: this.path(s.values, b, y) })));
		this.cursor = svg('g');
		this.y = y;
		this.svg.setAttribute('viewBox', `0 0 ${b.width} ${b.height}`);
		this.svg.replaceChildren(...kids, this.cursor);
		this.read();
	}

	/* A gap stays one; a sample alone between two gaps is a dot. */
	path(values, b, y) {
		let d = '', pen = false;
		values.forEach((v, i) => {
			if (v === null || v === undefined) { pen = false; return; }
			d += (pen ? 'L' : 'M') + this.x(i, b).toFixed(1) + ' ' + y(v).toFixed(1);
			if (!pen && (values[i + 1] === null || values[i + 1] === undefined)) d += 'h.1';
			pen = true;
		});
		return d;
	}

	newest() {
		for (let i = this.n - 1; i > 0; i--)
			if (this.series.some(s => s.values[i] !== null && s.values[i] !== undefined)) return i;
		return this.n - 1;
	}

	choose(i) {
		if (!this.series || i === this.at) return;
		this.at = i;
		this.read();
	}

	point(event) {
		const b = this.box(), inner = b.width - b.left - b.right;
		const i = Math.round((event.clientX - this.svg.getBoundingClientRect().left - b.left) / inner * (this.n - 1));
		this.choose(Math.min(this.n - 1, Math.max(0, i)));
	}

	key(event) {
		const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -1e6, End: 1e6 }[event.key];
		if (!by || !this.series) return;
		event.preventDefault();
		this.choose(Math.min(this.n - 1, Math.max(0, (this.at === null ? this.newest() : this.at) + by)));
	}

	read() {
		const i = this.at === null ? this.newest() : Math.min(this.at, this.n - 1), b = this.box();
		this.hour.textContent = clockSeconds(this.endMs - (this.n - 1 - i) * this.stepMs);
		this.legend.replaceChildren(...this.series.map((s, k) => el('span', null,
			svg('svg', { viewBox: '0 0 26 8', 'aria-hidden': 'true' }, svg('line', { class: 'line s' + k, x1: 0, x2: 26, y1: 4, y2: 4 })),
			s.name, el('b', null, s.values[i] === null || s.values[i] === undefined ? '–' : oneDecimal(s.values[i]) + this.unit))));
		this.cursor.replaceChildren();
		if (this.at === null) return;
		put(this.cursor, svg('line', { class: 'hair', x1: this.x(i, b), x2: this.x(i, b), y1: b.top, y2: b.height - b.bottom }));
		this.series.forEach((s, k) => {
			if (s.values[i] !== null && s.values[i] !== undefined)
				put(this.cursor, svg('circle', { class: 'point s' + k, cx: this.x(i, b), cy: this.y(s.values[i]), r: 4 }));
		});
	}

	fillTable() {
		if (!this.more.open || !this.series) return;
		const rows = [];
		for (let i = this.n - 1; i >= 0; i--)
			if (this.series.some(s => s.values[i] !== null && s.values[i] !== undefined)) rows.push(i);
		this.rows.replaceChildren(rows.length === 0 ? empty('Nothing was measured yet.') : el('table', { 'aria-label': this.title },
			el('thead', null, el('tr', null, el('th', { scope: 'col' }, 'Time'), this.series.map(s => el('th', { scope: 'col', class: 'n' }, s.name + ' ' + this.unit)))),
			el('tbody', null, rows.map(i => el('tr', null, el('td', null, clockSeconds(this.endMs - (this.n - 1 - i) * this.stepMs)),
				this.series.map(s => el('td', { class: 'n' }, oneDecimal(s.values[i]))))))));
	}
}
