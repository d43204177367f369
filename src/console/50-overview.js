/* The fleet of this machine: is it ready, what goes through it, who does it. */

/* A daemon that keeps no history is looked at from here, as long as the page is open. */
const seen = { last: null, samples: [] };
function sampleStatus(status) {
	const now = Date.now(), t = status.totals;
	const sum = gauge => status.processes.reduce((n, p) => n + (p.gauges[gauge] || 0), 0);
	if (seen.last && now - seen.last.at < 4500) return;
	if (seen.last && t.received >= seen.last.totals.received) {
		const seconds = (now - seen.last.at) / 1000, sample = { in_flight: sum('in_flight'), lanes: sum('lanes') };
		for (const name of ['received', 'posted', 'sent', 'dead', 'retried', 'unknown'])
			sample[name] = (t[name] - seen.last.totals[name]) / seconds * 5;
		seen.samples.push(sample);
		if (seen.samples.length > 180) seen.samples.shift();
	}
	seen.last = { at: now, totals: t };
}
function seenHistory() {
	const names = ['received', 'posted', 'sent', 'dead', 'retried', 'unknown', 'in_flight', 'lanes'], series = {};
	for (const name of names) {
		const values = seen.samples.map(s => s[name]);
		series[name] = Array(180 - values.length).fill(null).concat(values);
	}
	return { step_s: 5, at_ms: seen.last ? seen.last.at : Date.now(), series, local: true };
}

let historyIsKept = true;
async function history() {
	if (historyIsKept) {
		try {
			return await look('/v1/history');
		} catch (e) {
			if (e.status !== 404) throw e;
			historyIsKept = false;
		}
	}
	return seenHistory();
}

const sumOf = list => (list || []).reduce((n, v) => n + (v || 0), 0);
const lastOf = list => { const known = (list || []).filter(v => v !== null); return known.length ? known[known.length - 1] : null; };

function processState(p) {
	if (p.draining) return pill('draining', 'warn');
	if (p.gauges.blocked) return pill('blocked', 'bad');
	return p.gauges.ready ? pill('ready', 'good') : pill('starting', 'warn');
}

function workersTable(status) {
	return table('Processes', [
		{ label: 'Process', cell: p => `${p.role}[${p.number}]` },
		{ label: 'State', cell: processState },
		{ label: 'PID', n: true, cell: p => el('span', { class: 'mono' }, p.pid) },
		{ label: 'Generation', n: true, cell: p => p.generation },
		{ label: 'Up', n: true, cell: p => age(p.up_s) },
		{ label: 'In hand', n: true, cell: p => count(p.gauges.window) },
		{ label: 'In flight', n: true, cell: p => count(p.gauges.in_flight) },
		{ label: 'Sent', n: true, cell: p => count(p.counters.sent) },
		{ label: 'Longest turn', n: true, cell: p => oneDecimal(p.gauges.loop_lag_max_us / 1000) + ' ms' },
		{ label: 'Crashes', n: true, cell: p => p.crashes ? pill(count(p.crashes), 'bad') : '0' },
	], status.processes);
}

function tile(name, value, more) {
	return el('div', { class: 'tile' }, el('dt', null, name), el('dd', null, value, el('small', null, more)));
}

function overviewTiles(status, h) {
	const rate = name => oneDecimal(lastOf(h.series[name]) === null ? null : lastOf(h.series[name]) / h.step_s);
	const recent = h.local ? 'while this page is open' : 'in 15 minutes';
	return [tile('Sent a second', rate('sent'), count(status.totals.sent) + ' since the start'),
		tile('In flight', count(lastOf(h.series.in_flight)), 'POSTs without an answer yet'),
		tile('Open lanes', count(lastOf(h.series.lanes)), 'accounts whose messages wait'),
		tile('Tried again', count(sumOf(h.series.retried)), recent),
		tile('Unknown', count(sumOf(h.series.unknown)), recent),
		tile('Dead letters', count(sumOf(h.series.dead)), recent)];
}

function readiness(status, host) {
	const trouble = [];
	if (status.refusal && (status.reloads_refused || status.upgrades_refused))
		trouble.push(note('The last refused reload or upgrade: ' + status.refusal, 'warn'));
	if (status.crash_loops) trouble.push(note('A child died many times in a row; see the log.', 'bad'));
	if (host && host.state !== 'closed') trouble.push(note('Graph: ' + host.why, 'bad'));
	return [strip([['State', status.ready ? pill('ready', 'good') : pill('not ready', 'bad')],
		['Senders', `${status.senders_ready} of ${status.senders_wanted} ready`], ['Version', status.version], ['Up', age(status.up_s)],
		['Generation', status.generation + (status.reloads ? `, ${count(status.reloads)} reloads` : '')],
		['Graph’s host', host ? host.why : undefined]]), trouble];
}

views.push({
	id: 'overview', title: 'Overview', every: 5000,
	make(root) {
		const facts_ = el('section', { class: 'card' }), tiles = el('dl', { class: 'tiles' }), workers = el('section', { class: 'card' });
		const flow = new Chart('Throughput', '/s', 1), latency = new Chart('Latency', ' ms', 4), load = new Chart('Waiting', '', 4);
		tiles.append(...['Sent a second', 'In flight', 'Open lanes', 'Tried again', 'Unknown', 'Dead letters'].map(n => tile(n, '–', ' ')));
		put(root, [head('Overview'), facts_, tiles, el('div', { class: 'two' }, flow.root, latency.root, load.root), workers]);
		facts_.append(empty('Loading …'));
		return async () => {
			const [status, host] = await Promise.all([look('/v1/status'), look('/v1/host').catch(() => null)]);
			sampleStatus(status);
			const h = await history(), s = h.series, per = list => (list || []).map(v => v === null ? null : v / h.step_s);
			const none = Array(s.sent.length).fill(null);
			refill(facts_, readiness(status, host));
			refill(tiles, overviewTiles(status, h));
			flow.show([{ name: 'received', values: per(s.received) }, { name: 'sent', values: per(s.sent) }, { name: 'dead', values: per(s.dead) },
				{ name: 'tried again', values: per(s.retried) }], h.step_s * 1000, h.at_ms);
			latency.root.hidden = !s.latency_p50_ms;
			if (s.latency_p50_ms)
				latency.show([{ name: 'half', values: s.latency_p50_ms }, { name: '95 %', values: s.latency_p95_ms || none },
					{ name: '99 %', values: s.latency_p99_ms || none }], h.step_s * 1000, h.at_ms);
			load.show([{ name: 'in flight', values: s.in_flight || none }, { name: 'lanes', values: s.lanes || none }], h.step_s * 1000, h.at_ms);
			refill(workers, el('h2', null, 'Processes'), workersTable(status));
		};
	},
});
