/* Which view is shown, and when it looks again: as often as it says, and not while nobody can see it. */
let refresh = null, every = 0, timer, busy = false, shownView = null;

function setPulse(kind, words) {
	byId('pulse').className = 'pulse ' + kind;
	if (byId('pulse-words').textContent !== words) byId('pulse-words').textContent = words;
}

function stopLive() {
	clearTimeout(timer);
	refresh = null;
}

/* What went wrong stands above what was shown last. */
function sayTrouble(e) {
	const main = byId('main'), old = main.querySelector('.trouble');
	if (old) old.remove();
	if (!e) return;
	setPulse('lost', e.status ? 'trouble' : 'no answer');
	main.querySelector('.head').after(el('div', { class: 'trouble' }, note(e.message, 'bad')));
	main.querySelectorAll('.empty').forEach(n => { if (n.textContent.endsWith('…')) n.textContent = 'Nothing could be read.'; });
}

async function run(what) {
	const mine = refresh;
	try {
		await what();
		if (mine !== refresh) return;
		sayTrouble(null);
		setPulse('live', every ? 'live' : 'up');
	} catch (e) {
		if (mine !== refresh || !refresh) return;
		if (!(e instanceof Problem)) console.error(e);
		sayTrouble(e);
	}
}

async function tick() {
	clearTimeout(timer);
	if (!refresh || busy) return;
	if (document.hidden) {
		setPulse('', 'paused');
		return;
	}
	const mine = refresh;
	busy = true;
	await run(mine);
	busy = false;
	if (mine !== refresh) tick();
	else if (every) timer = setTimeout(tick, every);
}

/* Something was done, or may be done now. */
function redraw() {
	if (refresh) tick();
}

function go(view, query) {
	const parts = Object.entries(query || {}).filter(([, v]) => v);
	const hash = '#/' + view + (parts.length ? '?' + new URLSearchParams(parts) : '');
	if (location.hash === hash) route();
	else location.hash = hash;
}

function route() {
	if (!session.by || loginShown) return;
	const [path, search] = location.hash.replace(/^#\/?/, '').split('?');
	const view = views.find(v => v.id === path) || views[0], root = byId('main'), moved = shownView !== null && shownView !== view.id;
	closeDialog();
	stopLive();
	root.replaceChildren();
	root.setAttribute('aria-label', view.title);
	document.title = view.title + ' – wamd';
	document.querySelectorAll('#nav a').forEach(a => a.dataset.view === view.id ? a.setAttribute('aria-current', 'page') : a.removeAttribute('aria-current'));
	every = view.every;
	refresh = view.make(root, Object.fromEntries(new URLSearchParams(search || '')));
	root.dataset.view = view.id;
	if (moved) root.focus({ preventScroll: true });
	if (moved) scrollTo(0, 0);
	shownView = view.id;
	if (refresh) tick();
	else setPulse('live', 'up');
}

/* ---- all the time ---- */

async function countAlerts() {
	if (session.by && !loginShown && !document.hidden && shownView !== 'alerts') {
		try {
			setAlertBadge((await look('/v1/alerts')).alerts.length);
		} catch (e) { /* the view says it */ }
	}
	setTimeout(countAlerts, 15000);
}

document.addEventListener('keydown', event => {
	const at = event.target, writes = at.matches('input, textarea, select') || event.ctrlKey || event.altKey || event.metaKey;
	if (event.key !== '/' || writes || byId('dialog').open) return;
	const search = byId('main').querySelector('[data-search]');
	if (!search) return;
	event.preventDefault();
	search.focus();
	if (search.select) search.select();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) tick(); else setPulse('', 'paused'); });
addEventListener('hashchange', route);
document.querySelector('.skip').addEventListener('click', event => {
	event.preventDefault();		/* the hash is the view's */
	byId('main').focus();
});
byId('dialog').addEventListener('click', event => { if (event.target === byId('dialog')) closeDialog(); });
byId('actions').addEventListener('click', switchActions);
byId('logout').addEventListener('click', async () => {
	try {
		await ask('DELETE', '/console/session');
	} catch (e) { /* then the session is over already */ }
	loggedOut();
});

async function start() {
	byId('nav').replaceChildren(...views.map(v => el('a', { href: '#/' + v.id, 'data-view': v.id }, v.title,
		v.id === 'alerts' ? el('span', { class: 'badge', hidden: true }) : null)));
	try {
		takeSession(await look('/console/session'));
		route();
		countAlerts();
	} catch (e) {
		if (e.status === 401) {
			session.by = 'token';
			countAlerts();
			return;
		}
		setPulse('lost', 'no answer');
		byId('main').replaceChildren(note(e.message, 'bad'), button('Try again', start));
	}
}
start();
