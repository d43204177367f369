/* One message: what became of it, and what it waits for. */
const stateKinds = { sent: 'good', sending: '', queued: '', retry: 'warn', unknown: 'warn', dead: 'bad', expired: 'bad', cancelled: 'warn' };
const outcomeKinds = { sent: 'good', unknown: 'warn' };

function attemptLine(h) {
	const detail = [h.http ? 'HTTP ' + h.http : null, h.code ? 'code ' + h.code : null, h.ms !== undefined ? count(h.ms) + ' ms' : null].filter(Boolean).join(', ');
	return el('li', { class: outcomeKinds[h.outcome] || 'bad' }, el('strong', null, `Attempt ${h.n}: ${h.outcome}`), ' ', el('span', { class: 'muted' }, detail),
		el('div', { class: 'small' }, when(h.at)), h.error ? el('div', { class: 'small' }, h.error) : null);
}

function timeline(m) {
	const kind = stateKinds[m.state], isFinal = ['sent', 'dead', 'expired', 'cancelled'].includes(m.state);
	return el('ol', { class: 'timeline' },
		el('li', null, el('strong', null, 'First seen'), el('div', { class: 'small' }, when(m.first_seen))),
		(m.history || []).map(attemptLine),
		el('li', { class: kind }, el('strong', null, isFinal ? `Ended: ${m.state}` : `Now: ${m.state}`), el('div', { class: 'small' }, when(m.changed_at || m.first_seen, true)),
			el('div', null, m.why)),
		isFinal || !m.expires_at ? null : el('li', null, el('span', { class: 'muted' }, 'Expires'), el('div', { class: 'small' }, when(m.expires_at, true))));
}

function messageFound(m, tenant) {
	const letter = `#/letters?tenant=${encodeURIComponent(tenant)}&id=${encodeURIComponent(m.id)}`;
	return [el('section', { class: 'card' }, el('div', { class: 'head' }, el('h2', { class: 'mono' }, m.id), pill(m.state, stateKinds[m.state])), el('p', null, m.why),
		facts([['Tenant', m.tenant_id], ['Account', m.account_id], ['Waits for', m.causes ? m.causes.map(c => c.cause.replace(/_/g, ' ')).join(', ') : undefined], ['Attempts', count(m.attempts)], ['Reason', m.reason], ['Graph’s code', m.code], ['Error', m.error],
			['Meta’s id', m.wamid ? el('span', { class: 'mono' }, m.wamid) : undefined], ['First seen', when(m.first_seen)], ['Expires', m.expires_at ? when(m.expires_at) : undefined]]),
		['dead', 'expired', 'cancelled'].includes(m.state) ? el('a', { href: letter }, 'See its dead letter') : null),
	el('section', { class: 'card' }, el('h2', null, 'Timeline'), timeline(m))];
}

views.push({
	id: 'messages', title: 'Messages', every: 3000,
	make(root, query) {
		const result = el('div', { class: 'two', 'aria-live': 'polite' });
		const form = el('form', { class: 'fields', onsubmit: event => {
			event.preventDefault();
			go('messages', { tenant: form.tenant.value.trim(), id: form.id_.value.trim() });
		} }, field('Tenant', { name: 'tenant', required: true, value: query.tenant || '', 'data-search': true }),
		field('Message id', { name: 'id_', required: true, value: query.id || '' }), el('button', { type: 'submit', class: 'main' }, 'Find'));
		put(root, [head('Messages'), el('section', { class: 'card' }, form), result]);
		if (!query.tenant || !query.id) {
			put(result, empty('Whose message, and which? The id is what the sender of the message gave it.'));
			return null;
		}
		put(result, empty('Looking …'));
		return async () => {
			try {
				refill(result, messageFound(await look('/v1/messages/why', { tenant: query.tenant, id: query.id }), query.tenant));
			} catch (e) {
				if (e.status !== 404) throw e;
				const letter = `#/letters?tenant=${encodeURIComponent(query.tenant)}&id=${encodeURIComponent(query.id)}`;
				refill(result, el('section', { class: 'card' }, note(e.message, 'warn'), e.code === 'no_record' ? el('a', { href: letter, 'data-key': 'letter' }, 'Look among the dead letters') : null));
			}
		};
	},
});
