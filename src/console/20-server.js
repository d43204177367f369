/* What is asked of the daemon, who is logged in, and dialogs that ask before something is done. */
const session = { by: null, mayAct: false, proof: null };

class Problem extends Error {
	constructor(status, code, detail) {
		super(detail || code);
		this.status = status;
		this.code = code;
	}
}

async function ask(method, path, query, body) {
	const entries = Object.entries(query || {}).filter(([, v]) => v !== '' && v !== null && v !== undefined);
	const target = path + (entries.length ? '?' + new URLSearchParams(entries) : '');
	const headers = session.proof && method !== 'GET' ? { 'X-Wamd-Console': session.proof } : {};
	let answer, value = null;
	try {
		answer = await fetch(target, { method, headers, body, cache: 'no-store', credentials: 'same-origin', redirect: 'error' });
		const text = await answer.text();
		value = text ? JSON.parse(text) : null;
	} catch (e) {
		throw new Problem(0, 'no_answer', answer ? 'what wamd answered cannot be read' : 'wamd does not answer');
	}
	if (answer.ok) return value;
	if (answer.status === 401 && path !== '/console/login') loggedOut();
	throw new Problem(answer.status, value && value.code || 'failed', value && value.detail || 'HTTP status ' + answer.status);
}
const look = (path, query) => ask('GET', path, query);
const act = (path, query, body) => ask('POST', path, query, body);

function takeSession(s) {
	session.by = s.by;
	session.proof = s.proof || null;
	session.mayAct = s.by === 'token' ? s.may_act : session.mayAct;
	byId('nav').hidden = false;
	byId('actions').hidden = s.by === 'readonly';
	byId('actions').setAttribute('aria-checked', String(session.mayAct));
	byId('logout').hidden = s.by !== 'token';
}

async function switchActions() {
	const on = !session.mayAct;
	try {
		if (session.by === 'token') takeSession(await act('/console/session', { actions: on ? 'on' : 'off' }));
		else takeSession({ by: session.by, may_act: session.mayAct = on });
		toast(on ? 'Actions are on. Each asks before it is done, and is logged.' : 'Actions are off.');
	} catch (e) {
		toast(e.message);
	}
	redraw();
}

/* ---- dialogs: Esc closes them, the keyboard stays inside and goes back afterwards; the browser sees to that ---- */

function openDialog(title, ...kids) {
	const d = byId('dialog');
	d.replaceChildren(el('div', { class: 'stack' }, el('h2', { id: 'dialog-title' }, title), kids));
	if (!d.open) d.showModal();
	return d;
}
const closeDialog = () => byId('dialog').open && byId('dialog').close();

/* done(form data) does it; its problem is shown in the dialog, which stays. */
function confirmAct({ title, words, fields, verb, danger, done }) {
	const wrong = el('div', { 'aria-live': 'assertive' });
	const go = el('button', { type: 'submit', class: danger ? 'danger' : 'main' }, verb);
	const form = el('form', { onsubmit: async event => {
		event.preventDefault();
		go.disabled = true;
		wrong.replaceChildren();
		try {
			const told = await done(new FormData(form));
			if (told !== false) closeDialog();
			if (told) toast(told);
			redraw();
		} catch (e) {
			wrong.replaceChildren(note(e.message, 'bad'));
		}
		go.disabled = false;
	} }, words ? el('p', null, words) : null, fields || null, wrong,
	el('div', { class: 'row end' }, button('Cancel', closeDialog), go));
	openDialog(title, form);
	const first = form.querySelector('input:not([type=checkbox]), textarea, select');
	(first || form.querySelector('button')).focus();
}

/* ---- the login ---- */

let loginShown = false;
function loggedOut() {
	if (loginShown) return;
	loginShown = true;
	stopLive();
	session.proof = null;
	session.mayAct = false;
	byId('nav').hidden = byId('actions').hidden = byId('logout').hidden = true;
	setPulse('', 'logged out');
	const wrong = el('div', { 'aria-live': 'assertive' });
	const go = el('button', { type: 'submit', class: 'main' }, 'Log in');
	const form = el('form', { class: 'card login', onsubmit: async event => {
		event.preventDefault();
		go.disabled = true;
		wrong.replaceChildren();
		try {
			takeSession(await ask('POST', '/console/login', null, form.token.value));
			loginShown = false;
			route();
		} catch (e) {
			wrong.replaceChildren(note(e.message, 'bad'));
			form.token.select();
		}
		go.disabled = false;
	} }, el('h1', null, 'Log in'), el('p', { class: 'muted' }, 'The token is the first line of the file that console.token_file names.'),
	field('Token', { name: 'token', type: 'password', required: true, autocomplete: 'current-password' }), wrong, go);
	byId('main').replaceChildren(form);
	form.token.focus();
}
