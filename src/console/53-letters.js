/* Dead letters.  To read them the daemon takes the whole queue for a moment, so it is asked only when somebody says so. */
const letterFilters = [
	{ name: 'tenant', label: 'Tenant' }, { name: 'account', label: 'Account' }, { name: 'reason', label: 'Reason' }, { name: 'code', label: 'Graph’s code', inputmode: 'numeric' },
	{ name: 'id', label: 'Message id' }, { name: 'template', label: 'Template' }, { name: 'newer-than', label: 'Newer than', placeholder: '1h, 3d' },
	{ name: 'older-than', label: 'Older than', placeholder: '30m, 7d' }, { name: 'text', label: 'Text in the message' },
];

function filterOf(query) {
	const f = {};
	for (const { name } of letterFilters) if (query[name]) f[name] = query[name];
	return f;
}
const orAll = f => Object.keys(f).length ? f : { all: '1' };
const filterWords = f => Object.keys(f).length ? Object.entries(f).map(([k, v]) => `${k} ${v}`).join(', ') : 'all dead letters';

function skippedWords(a) {
	const words = { unknown_outcome: 'may have been sent already', no_message: 'hold no message', replay_limit: 'were replayed too often' };
	return Object.entries(a.skipped_because || {}).map(([k, n]) => `${count(n)} ${words[k] || k}`).join(', ');
}

/* First what would be done is counted; then it is asked for.  What was done is shown by the view, which confirmAct() has drawn anew. */
async function replayDialog(filter) {
	let counted, withDuplicates;
	try {
		counted = await act('/v1/dlq/replay', { ...orAll(filter), 'dry-run': '1' });
		withDuplicates = (counted.skipped_because || {}).unknown_outcome || 0;
	} catch (e) {
		toast(e.message);
		return;
	}
	const go_ = counted.matched - counted.skipped;
	confirmAct({
		title: 'Replay dead letters', verb: 'Send again',
		words: `${count(counted.matched)} match (${filterWords(filter)}): ${count(go_)} would be sent again` + (counted.skipped ? `; ${skippedWords(counted)}.` : '.'),
		fields: [field('At most a second', { name: 'rate', type: 'number', min: 1, max: 10000, value: 100 }),
			withDuplicates ? el('label', { class: 'check', for: 'may-duplicate' }, el('input', { type: 'checkbox', id: 'may-duplicate', name: 'may-duplicate' }),
				`Also the ${count(withDuplicates)} whose outcome nobody knows: their recipients may get them twice`) : null],
		done: async form => {
			const query = { ...orAll(filter), rate: form.get('rate') };
			if (form.get('may-duplicate')) query['may-duplicate'] = '1';
			const told = await act('/v1/dlq/replay', query);
			return `${count(told.replayed)} of ${count(told.matched)} were sent again` + (told.stopped ? `; stopped: ${told.stopped}` : '.');
		},
	});
}

async function dropDialog(filter) {
	let counted;
	try {
		counted = await act('/v1/dlq/drop', { ...orAll(filter), 'dry-run': '1' });
	} catch (e) {
		toast(e.message);
		return;
	}
	confirmAct({
		title: 'Throw dead letters away', verb: `Throw ${count(counted.matched)} away`, danger: true,
		words: `${count(counted.matched)} match (${filterWords(filter)}). What is thrown away cannot be had back.`,
		done: async () => {
			const told = await act('/v1/dlq/drop', orAll(filter));
			return `${count(told.dropped)} were thrown away.`;
		},
	});
}

function editDialog(letter, after) {
	const area = el('textarea', { class: 'code', name: 'message', id: 'f-message', spellcheck: 'false', required: true });
	area.value = JSON.stringify(letter.message, null, 2);
	confirmAct({
		title: `Edit ${letter.id}`, verb: 'Put it into the letter',
		words: 'The letter keeps its age and attempts; only its message is another one. It is checked as a new message is, and is not sent by this.',
		fields: el('label', { for: 'f-message' }, 'Message, as JSON', area),
		done: async form => {
			try {
				JSON.parse(form.get('message'));
			} catch (e) {
				throw new Error('This is no JSON: ' + e.message);
			}
			const told = await act('/v1/dlq/edit', { tenant: letter.tenant_id, id: letter.id }, form.get('message'));
			await after();
			showLetter(told, after);
			toast('The letter has its new message.');
			return false;
		},
	});
}

function showLetter(letter, after) {
	const one = { tenant: letter.tenant_id, id: letter.id }, { message, message_b64, history: attempts, ...rest } = letter;
	const closeAnd = f => () => { closeDialog(); f(); };
	openDialog('Dead letter', facts([['Message', el('span', { class: 'mono' }, letter.id || '–')], ['Tenant', letter.tenant_id], ['Account', letter.account_id],
		['Reason', pill(letter.reason, 'bad')], ['Graph’s code', letter.code], ['Error', letter.error || letter.detail], ['Attempts', letter.attempts], ['Died', when(letter.died_at, true)],
		['Edited', letter.edited_at ? when(letter.edited_at, true) : undefined]]),
	attempts && attempts.length ? el('ol', { class: 'timeline' }, attempts.map(attemptLine)) : null,
	el('h2', null, 'Its message'), el('pre', { tabindex: '0', 'aria-label': 'Message' }, message ? JSON.stringify(message, null, 2) : message_b64 ? 'not JSON; in base64: ' + message_b64 : 'none'),
	el('details', null, el('summary', null, 'The rest of the letter'), el('pre', null, JSON.stringify(rest, null, 2))),
	session.mayAct ? null : el('p', { class: 'muted small' }, 'To edit, replay or drop it, enable actions.'),
	el('div', { class: 'row end' }, session.mayAct && letter.id && letter.tenant_id ? [
		button('Drop', closeAnd(() => dropDialog(one)), 'danger', 'drop'), message ? button('Edit', closeAnd(() => editDialog(letter, after)), null, 'edit') : null,
		button('Replay', closeAnd(() => replayDialog(one)), 'main', 'replay')] : null, button('Close', closeDialog)));
	byId('dialog').scrollTop = 0;
	byId('dialog').querySelector('.row.end button:last-child').focus({ preventScroll: true });
}

async function openLetter(letter, after) {
	try {
		showLetter(await look('/v1/dlq/letter', { tenant: letter.tenant_id, id: letter.id }), after);
	} catch (e) {
		toast(e.message);
	}
}

const letterColumns = after => [
	{ label: 'Message', cell: l => l.id && l.tenant_id ? button(l.id, () => openLetter(l, after), 'link mono', 'letter ' + l.tenant_id + ' ' + l.id) : '–' },
	{ label: 'Tenant', cell: l => [l.tenant_id || '–', el('div', { class: 'small muted' }, l.account_id || '')] },
	{ label: 'Reason', cell: l => pill(l.reason, l.reason === 'unknown_outcome' ? 'warn' : 'bad') },
	{ label: 'Code', n: true, cell: l => l.code || '' },
	{ label: 'Error', cell: l => l.error || l.detail || '' },
	{ label: 'Attempts', n: true, cell: l => l.attempts },
	{ label: 'Died', cell: l => [when(l.died_at), el('div', { class: 'small muted' }, l.died_at ? age((Date.now() - new Date(l.died_at)) / 1000) + ' ago' : '')] },
];

views.push({
	id: 'letters', title: 'Dead letters', every: 0,
	make(root, query) {
		const list = el('section', { class: 'card', 'aria-live': 'polite' }, empty('Reading the queue …')), filter = filterOf(query);
		const form = el('form', { class: 'fields', onsubmit: event => {
			event.preventDefault();
			const wanted = {};
			for (const { name } of letterFilters) wanted[name] = form.elements[name].value.trim();
			go('letters', wanted);
		} }, letterFilters.map(({ name, label, ...more }, i) => field(label, { name, value: query[name] || '', ...more, 'data-search': i === 0 })),
		el('div', { class: 'row' }, el('button', { type: 'submit', class: 'main' }, 'Show'), button('Clear', () => go('letters', {}))));
		async function load() {
			const a = await look('/v1/dlq', { ...filter, limit: 200 });
			const shown = a.letters || [];
			refill(list, el('div', { class: 'head' }, el('h2', null, `${count(a.matched)} ${Object.keys(filter).length ? 'match' : 'in the queue'}` +
				(shown.length < a.matched ? `, the oldest ${count(shown.length)} are shown` : '')),
			el('div', { class: 'row' }, session.mayAct && a.matched ? [button('Drop these', () => dropDialog(filter), 'danger', 'drop all'),
				button('Replay these', () => replayDialog(filter), 'main', 'replay all')] : null, button('Read again', () => run(load), null, 'again'))),
			shown.length ? table('Dead letters', letterColumns(load), shown) : empty(Object.keys(filter).length ? 'No dead letter fits.' : 'There is no dead letter.'));
		}
		put(root, [head('Dead letters'), el('section', { class: 'card' }, form), list]);
		return load;
	},
});
