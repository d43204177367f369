/* Accounts: how fast they may send, how fast they do, what keeps them from it. */
const breakerKinds = { closed: 'good', ramp: 'warn', due: 'warn', probing: 'warn', open: 'bad' };

function accountTrouble(a) {
	return a.hold || a.breaker !== 'closed' || a.lane !== 'none' || !a.enabled || a.suspended || a.share_percent < 100;
}

function useCell(a) {
	const percent = Math.max(a.used_percent, a.used_last_percent);
	const meter = el('meter', { min: 0, max: 100, low: 80, high: 95, optimum: 10, 'aria-label': 'use of its rate' });
	meter.value = Math.min(100, percent);
	return [meter, ` ${percent} %`];
}

function rateCell(a) {
	const whole = `${count(a.rate)}/s`;
	return a.rate_now < a.rate ? [`${oneDecimal(a.rate_now)} of ${whole}`] : whole;
}

function holdCell(a) {
	if (!a.enabled) return pill('disabled', 'warn');
	if (a.suspended) return pill('tenant suspended', 'warn');
	if (!a.hold) return '';
	const by = a.hold.by === 'graph' ? `${a.hold.scope} by Graph, ${a.hold.code}` : `${a.hold.scope} by an operator`;
	return [pill(by, 'bad'), el('div', { class: 'small muted' }, a.hold.why)];
}

function laneCell(a) {
	const lane = a.lane_facts;
	if (a.lane === 'none') return '';
	const waiting = lane ? lane.waiting_normal + lane.waiting_high : null;
	return el('span', { title: lane ? lane.why : null }, waiting === null ? a.lane : `${count(waiting)} waiting`,
		lane && lane.since ? el('div', { class: 'small muted still' }, 'open for ' + age((Date.now() - new Date(lane.since)) / 1000)) : '');
}

function holdDialog(a) {
	confirmAct({
		title: `Hold ${a.account_id} of ${a.tenant_id}`, verb: 'Hold it', danger: true,
		words: 'Its messages wait in its lane until the hold ends. Senders know of it within 5 seconds.',
		fields: [field('Why? Others read this', { name: 'reason', required: true, maxlength: 200 }),
			field('For how long', { name: 'for' }, [['', 'until it is released'], ['15m', '15 minutes'], ['1h', '1 hour'], ['8h', '8 hours'], ['1d', '1 day'], ['7d', '7 days']])],
		done: async form => {
			await act('/v1/accounts/hold', { tenant: a.tenant_id, account: a.account_id, reason: form.get('reason'), for: form.get('for') });
			return `${a.account_id} is on hold.`;
		},
	});
}

/* A hold of something larger is released there: whoever does it should see what else it holds. */
function releaseDialog(a) {
	const wider = { tenant: {}, number: { number: a.hold.phone_number_id }, waba: { waba: a.hold.waba_id } }[a.hold.scope];
	confirmAct({
		title: `Release ${a.hold.scope} ${a.hold.what}`, verb: 'Release it',
		words: (a.hold.scope === 'account' ? '' : `This hold is of the whole ${a.hold.scope}. `) + `It says: ${a.hold.reason}. What waits is sent within seconds.`,
		done: async () => {
			if (wider) await act('/v1/holds/release', { tenant: a.tenant_id, ...wider });
			else await act('/v1/accounts/release', { tenant: a.tenant_id, account: a.account_id });
			return `${a.hold.what} is released.`;
		},
	});
}

function resetDialog(a) {
	confirmAct({
		title: `Close the breaker of ${a.account_id}`, verb: 'Close it',
		words: 'The account sends with its whole rate at once. If Graph still fails, the breaker opens again.',
		done: async () => {
			await act('/v1/breakers/reset', { tenant: a.tenant_id, account: a.account_id });
			return 'The breaker is closed.';
		},
	});
}

function accountActions(a) {
	if (!session.mayAct) return '';
	const key = a.tenant_id + '/' + a.account_id;
	return el('span', { class: 'row' },
		a.hold ? button('Release', () => releaseDialog(a), null, 'release ' + key) : button('Hold', () => holdDialog(a), null, 'hold ' + key),
		a.breaker !== 'closed' ? button('Close breaker', () => resetDialog(a), null, 'reset ' + key) : null);
}

const accountColumns = [
	{ label: 'Account', cell: a => [el('strong', null, a.account_id), el('div', { class: 'small muted' }, a.tenant_id)] },
	{ label: 'Number', cell: a => el('span', { class: 'mono' }, a.phone_number_id) },
	{ label: 'Tier', cell: a => a.tier || '' },
	{ label: 'Rate', n: true, cell: rateCell },
	{ label: 'Use', n: true, cell: useCell },
	{ label: 'Breaker', cell: a => pill(a.breaker, breakerKinds[a.breaker]) },
	{ label: 'Lane', cell: laneCell },
	{ label: 'Hold', cell: holdCell },
];
const shownAtMost = 200;

views.push({
	id: 'accounts', title: 'Accounts', every: 3000,
	make(root) {
		const search = el('input', { type: 'search', class: 'search', 'data-search': true, 'aria-label': 'Search accounts', placeholder: 'Search: /', oninput: () => draw() });
		const trouble = el('input', { type: 'checkbox', id: 'only-trouble', onchange: () => draw() });
		const list = el('section', { class: 'card' }, empty('Loading …')), say = el('p', { class: 'muted small', role: 'status' }, ' ');
		let accounts = null, lanesAway = false;
		function draw() {
			if (!accounts) return;
			const text = search.value.trim().toLowerCase();
			const fit = accounts.filter(a => (!trouble.checked || accountTrouble(a)) &&
				(!text || `${a.tenant_id} ${a.account_id} ${a.phone_number_id} ${a.tier || ''}`.toLowerCase().includes(text)));
			say.textContent = `${count(fit.length)} of ${count(accounts.length)} accounts` + (fit.length > shownAtMost ? `; the first ${shownAtMost} are shown` : '') +
				(lanesAway ? '; the broker cannot be asked what waits in lanes' : '');
			const columns = session.mayAct ? accountColumns.concat([{ label: 'Actions', cell: accountActions }]) : accountColumns;
			refill(list, fit.length ? table('Accounts', columns, fit.slice(0, shownAtMost), a => a.tenant_id + '/' + a.account_id)
				: empty(accounts.length ? 'No account fits.' : 'There is no account yet.'));
		}
		put(root, [head('Accounts', search, el('label', { class: 'check', for: 'only-trouble' }, trouble, 'only those in trouble')), say, list]);
		return async () => {
			const [a, lanes] = await Promise.all([look('/v1/accounts'), look('/v1/lanes').catch(() => null)]);
			const of = new Map((lanes ? lanes.lanes : []).map(l => [l.tenant_id + '/' + l.account_id, l]));
			accounts = a.accounts.map(x => ({ ...x, lane_facts: of.get(x.tenant_id + '/' + x.account_id) }));
			lanesAway = !lanes;
			draw();
		};
	},
});
