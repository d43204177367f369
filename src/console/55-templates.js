/* The template catalogue of an account's business account. */
const templateKinds = { APPROVED: 'good', PENDING: 'warn', PAUSED: 'warn', REJECTED: 'bad', DISABLED: 'bad' };

function card(c) {
	const header = typeof c.header === 'string' ? el('strong', null, c.header) : c.header ? el('span', { class: 'muted' }, `[${Object.keys(c.header)[0]}]`) : null;
	return el('div', { class: 'bubble' }, header, c.body ? el('div', null, c.body) : null, c.footer ? el('div', { class: 'footer' }, c.footer) : null,
		(c.buttons || []).map(b => el('div', { class: 'press' }, b.text || b.type, b.url ? el('div', { class: 'small muted' }, b.url) : null)));
}

function previewOf(a) {
	return [a.fits ? pill('fits its definition', 'good') : note(`${a.reason}: ${a.error}`, 'bad'), a.warnings ? note(a.warnings, 'warn') : null, card(a.preview), (a.preview.cards || []).map(card)];
}

async function showTemplate(account, t) {
	const one = { tenant: account.tenant_id, account: account.account_id, name: t.name, language: t.language };
	const seen_ = el('div', { class: 'stack', 'aria-live': 'polite' }), area = el('textarea', { class: 'code', id: 'f-values', spellcheck: 'false' });
	const preview = async body => {
		try {
			refill(seen_, previewOf(await act('/v1/templates/preview', one, body)));
		} catch (e) {
			refill(seen_, note(e.message, 'bad'));
		}
	};
	try {
		const shown = await look('/v1/templates/template', one);
		area.value = JSON.stringify({ name: t.name, language: t.language, body: [] }, null, 2);
		openDialog(`${t.name}, ${t.language}`, facts([['Status', pill(shown.status, templateKinds[shown.status])], ['May be sent', shown.may_be_sent ? 'yes' : 'no'],
			['Category', shown.category], ['Quality', shown.quality], ['Meaning', shown.meaning]]), el('h2', null, 'What its recipient sees'), seen_,
		el('details', null, el('summary', null, 'Try it with values'), el('div', { class: 'stack' }, el('label', { for: 'f-values' }, 'The template object of a message', area),
			el('div', { class: 'row' }, button('Preview', () => preview(area.value))))),
		el('details', null, el('summary', null, 'Its definition'), el('pre', { tabindex: '0' }, JSON.stringify(shown.definition, null, 2))),
		el('div', { class: 'row end' }, button('Close', closeDialog)));
		await preview('');
	} catch (e) {
		toast(e.message);
	}
}

function templatesList(account, a) {
	return a.templates.length === 0 ? empty('No template fits. The catalogue is fetched every template.refresh, or by wamctl template refresh.')
		: table('Templates', [
			{ label: 'Name', cell: t => button(t.name, () => showTemplate(account, t), 'link', 'template ' + t.name + t.language) },
			{ label: 'Language', cell: t => t.language },
			{ label: 'Status', cell: t => pill(t.status, templateKinds[t.status]) },
			{ label: 'Category', cell: t => t.category || '' },
			{ label: 'Quality', cell: t => t.quality || '' },
			{ label: 'May be sent', cell: t => t.may_be_sent ? 'yes' : [pill('no', 'bad'), el('div', { class: 'small muted' }, t.meaning)] },
		], a.templates);
}

views.push({
	id: 'templates', title: 'Templates', every: 0,
	make(root, query) {
		const list = el('section', { class: 'card', 'aria-live': 'polite' }, empty('Loading …')), form = el('form', { class: 'fields' });
		const nameOf = a => a.tenant_id + '/' + a.account_id;
		put(root, [head('Templates'), el('section', { class: 'card' }, form), list]);
		return async () => {
			const { accounts } = await look('/v1/accounts');
			const account = accounts.find(a => nameOf(a) === query.account) || accounts[0];
			if (!account) {
				refill(list, empty('There is no account yet.'));
				return;
			}
			const submit = event => {
				event.preventDefault();
				go('templates', { account: form.account.value, text: form.text.value.trim(), status: form.status.value });
			};
			form.replaceChildren(field('Account', { name: 'account', value: nameOf(account), onchange: submit }, accounts.map(a => [nameOf(a), nameOf(a)])),
				field('Name contains', { name: 'text', type: 'search', value: query.text || '', 'data-search': true }),
				field('Status', { name: 'status', value: query.status || '', onchange: submit }, [['', 'any'], ...Object.keys(templateKinds).map(s => [s, s.toLowerCase()])]),
				el('button', { type: 'submit', class: 'main' }, 'Search'));
			form.onsubmit = submit;
			const one = { tenant: account.tenant_id, account: account.account_id, status: query.status, limit: 500 };
			const a = await (query.text ? look('/v1/templates/search', { ...one, text: query.text }) : look('/v1/templates', one));
			refill(list, el('h2', null, `${count(a.found)} of business account ${a.waba_id}`), templatesList(account, a));
		};
	},
});
