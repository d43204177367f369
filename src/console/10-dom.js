/* Elements, times and numbers.  Everything that comes from the daemon gets into the page as text. */
function put(node, kid) {
	if (Array.isArray(kid)) kid.forEach(k => put(node, k));
	else if (kid !== null && kid !== undefined && kid !== false) node.append(kid instanceof Node ? kid : String(kid));
}

function dress(node, attrs) {
	for (const [name, value] of Object.entries(attrs || {})) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
		else if (name === 'value') node.value = value;
		else node.setAttribute(name, value === true ? '' : value);
	}
	return node;
}

function el(tag, attrs, ...kids) {
	const node = dress(document.createElement(tag), attrs);
	put(node, kids);
	return node;
}

function svg(tag, attrs, ...kids) {
	const node = dress(document.createElementNS('http://www.w3.org/2000/svg', tag), attrs);
	put(node, kids);
	return node;
}

const byId = id => document.getElementById(id);

/* New content, and the keyboard stays where it was: data-key names an element over its replacement. */
function refill(node, ...kids) {
	const had = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
	const open = new Set([...node.querySelectorAll('details[open]')].map(d => d.dataset.key));
	node.replaceChildren();
	put(node, kids);
	node.querySelectorAll('details').forEach(d => { if (d.dataset.key && open.has(d.dataset.key)) d.open = true; });
	if (had) {
		const now = [...node.querySelectorAll('[data-key]')].find(n => n.dataset.key === had);
		if (now) now.focus({ preventScroll: true });
	}
}

const numberFormat = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const count = n => n === null || n === undefined ? '–' : numberFormat.format(n);
const oneDecimal = n => n === null || n === undefined ? '–' : n >= 100 || n === Math.round(n) ? count(n) : n.toFixed(1);

function age(seconds) {
	const s = Math.max(0, Math.round(seconds));
	if (s < 120) return s + ' s';
	if (s < 7200) return Math.round(s / 60) + ' min';
	if (s < 172800) return Math.round(s / 3600) + ' h';
	return Math.round(s / 86400) + ' days';
}

/* Local time to read, UTC to compare with logs. */
function when(iso, withAge) {
	const at = new Date(iso || NaN);
	if (isNaN(at)) return el('span', { class: 'muted' }, '–');
	const today = at.toDateString() === new Date().toDateString();
	const clock = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
	const day = today ? '' : at.toLocaleDateString([], { year: 'numeric', month: 'short', day: 'numeric' }) + ' ';
	const past = (Date.now() - at) / 1000;
	const words = withAge ? (past >= 0 ? ', ' + age(past) + ' ago' : ', in ' + age(-past)) : '';
	return el('time', { datetime: iso, title: at.toISOString().replace('T', ' ').replace('Z', ' UTC') }, day + clock + words);
}

const pill = (words, kind) => el('span', { class: 'pill ' + (kind || '') }, words);
const note = (words, kind) => el('p', { class: 'note ' + (kind || ''), role: kind === 'bad' ? 'alert' : null }, words);
const empty = words => el('p', { class: 'empty' }, words);
const head = (title, ...more) => el('div', { class: 'head' }, el('h1', null, title), el('div', { class: 'row' }, more));
const told = pairs => pairs.filter(p => p[1] !== undefined && p[1] !== null && p[1] !== '');
const facts = pairs => el('dl', { class: 'facts' }, told(pairs).map(([name, value]) => [el('dt', null, name), el('dd', null, value)]));
const strip = pairs => el('dl', { class: 'strip' }, told(pairs).map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))));
const button = (words, act, kind, key) => el('button', { type: 'button', class: kind || null, 'data-key': key || null, onclick: act }, words);

function field(label, attrs, list) {
	const id = 'f-' + attrs.name;
	const input = list ? el('select', { id, ...attrs }, list.map(([value, words]) => el('option', { value }, words)))
		: el('input', { id, autocomplete: 'off', spellcheck: 'false', ...attrs });
	if (list && attrs.value) input.value = attrs.value;
	return el('label', { for: id }, label, input);
}

/* columns: { label, cell(row), n: it is a number }.  On a phone each row becomes a card. */
function table(caption, columns, rows, key) {
	const body = rows.map(row => el('tr', { role: 'row', 'data-row': key ? key(row) : null }, columns.map(c => {
		const kid = c.cell(row);
		return el('td', { role: 'cell', class: c.n ? 'n' : null, 'data-label': c.label },
			kid === '' || kid === null || kid === undefined ? null : el('span', null, kid));
	})));
	return el('div', { class: 'wide' }, el('table', { class: 'cards', role: 'table', 'aria-label': caption },
		el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map(c => el('th', { scope: 'col', role: 'columnheader', class: c.n ? 'n' : null }, c.label)))),
		el('tbody', { role: 'rowgroup' }, body)));
}

let toastTimer;
function toast(words) {
	byId('toast').textContent = words;
	byId('toast').classList.add('shown');
	clearTimeout(toastTimer);
	toastTimer = setTimeout(() => byId('toast').classList.remove('shown'), 5000);
}
