/* What is wrong now, in the whole fleet. */
function setAlertBadge(n) {
	const badge = document.querySelector('#nav .badge');
	badge.hidden = !n;
	badge.textContent = n;
	badge.setAttribute('aria-label', `${n} active`);
}

/* "p:WABA:order/en_US" as holds are named: one letter for what it is of. */
const holdKinds = { t: 'tenant', a: 'account', n: 'number', w: 'business account', p: 'template' };
function aboutCell(a) {
	const parts = (a.what || '').split(':'), kind = holdKinds[parts[0]];
	if (!kind || parts.length < 2) return a.what || '';
	return kind === 'account' ? kind : `${kind} ${parts[parts.length - 1]}`;
}

views.push({
	id: 'alerts', title: 'Alerts', every: 5000,
	make(root) {
		const list = el('section', { class: 'card', 'aria-live': 'polite' }, empty('Loading …'));
		put(root, [head('Alerts'), list]);
		return async () => {
			const { alerts } = await look('/v1/alerts');
			setAlertBadge(alerts.length);
			refill(list, alerts.length === 0 ? empty('No alert is active.') : table('Alerts', [
				{ label: 'Alert', cell: a => [el('strong', null, a.kind), ' ', pill(a.severity, a.severity === 'critical' ? 'bad' : 'warn')] },
				{ label: 'Of', cell: a => [a.account_id || a.tenant_id || a.what || 'this fleet', a.account_id ? el('div', { class: 'small muted' }, a.tenant_id) : null] },
				{ label: 'About', cell: aboutCell },
				{ label: 'Says', cell: a => a.text },
				{ label: 'Since', cell: a => [when(a.since), el('div', { class: 'small muted' }, age((Date.now() - new Date(a.since)) / 1000))] },
				{ label: 'Times', n: true, cell: a => count(a.count) },
			], alerts));
		};
	},
});
