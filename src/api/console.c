#include "api/console.h"

#include "api/audit.h"
#include "api/console_session.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "console_gen.h"

enum { SESSION_HOURS = 12, WRONG_MAX = 10, WRONG_WINDOW_MS = 60000, LATE_MS = 1000, NONCE_LEN = 16 };

static const char cookie_name[] = "wamd_console", nonce_mark[] = "@nonce@";

struct console {
	struct loop *loop;
	const struct conf *conf;
	struct admin *admin;
	struct list guesses;		/* wrong ones, to be answered late */
	int wrong;			/* in the window */
	mono_t window_end;
};

struct guess { struct list list; struct console *console; struct http_call *call; struct loop_timer late; };

/* ---- the page ---- */

/* What stands in the page itself may run, and nothing is loaded from anywhere. */
static void put_headers(struct http_call *c, const char *nonce)
{
	struct strbuf csp = STRBUF_INIT;

	strbuf_addf(&csp, "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; img-src data:; connect-src 'self'; "
		    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nonce, nonce);
	http_answer_header(c, "Content-Security-Policy", csp.buf);
	http_answer_header(c, "Cache-Control", "no-store");
	http_answer_header(c, "X-Content-Type-Options", "nosniff");
	http_answer_header(c, "Referrer-Policy", "no-referrer");
	strbuf_release(&csp);
}

static void answer_page(struct http_call *c, const char *nonce)
{
	struct strbuf page = STRBUF_INIT;
	const char *p = console_page, *mark;

	while ((mark = strstr(p, nonce_mark)) != NULL) {
		strbuf_add(&page, p, (size_t)(mark - p));
		strbuf_adds(&page, nonce);
		p = mark + sizeof(nonce_mark) - 1;
	}
	strbuf_adds(&page, p);
	http_answer(c, 200, "text/html; charset=utf-8", page.buf, page.len);
	strbuf_release(&page);
}

static void make_nonce(char out[2 * NONCE_LEN + 1])
{
	uint8_t bytes[NONCE_LEN];

	rand_bytes(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), out);
}

static bool is_call(const struct http_call *c, const char *method, const char *path)
{
	return !strcmp(http_call_method(c), method) && !strcmp(http_call_path(c), path);
}

static bool is_get(const struct http_call *c)
{
	return !strcmp(http_call_method(c), "GET");
}

/* ---- at the admin socket, which ssh -L may bring to a browser ---- */

/* http://wamd/ is how people write it for curl; a stranger's name has a dot in it. */
static bool host_is_plain(const char *host)
{
	return !host || !strchr(host, '.') || host_is_loopback(host);
}

bool console_takes(struct http_call *c, const char *by)
{
	const char *host = http_call_header(c, "Host"), *origin = http_call_header(c, "Origin");
	char nonce[2 * NONCE_LEN + 1];
	json_t *o;

	if (!host_is_plain(host) || (origin && !origin_is_own(origin, host))) {
		reply_problem(c, 403, "wrong_origin", "a page of somebody else's asks");
	} else if (is_call(c, "GET", "/console")) {
		make_nonce(nonce);
		put_headers(c, nonce);
		answer_page(c, nonce);
	} else if (is_call(c, "GET", "/console/session")) {
		o = json_object();
		json_put_text(o, "by", by);
		reply_json(c, 200, o);
	} else {
		return false;
	}
	return true;
}

/* ---- sessions ---- */

static const char *token_of(const struct console *k)
{
	return k->conf->console_secret;
}

static void give_cookie(struct http_call *c, const char *value, int64_t seconds)
{
	struct strbuf cookie = STRBUF_INIT;

	strbuf_addf(&cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld", cookie_name, value, (long long)seconds);
	http_answer_header(c, "Set-Cookie", cookie.buf);
	strbuf_release(&cookie);
}

static void answer_session(const struct console *k, struct http_call *c, const struct session *s, bool is_new)
{
	char text[SESSION_MAX], proof[SESSION_PROOF_MAX];
	json_t *o = json_object();

	session_write(s, token_of(k), text);
	session_proof(s, token_of(k), proof);
	if (is_new)
		give_cookie(c, text, (s->end_ms - wall_ms()) / 1000);
	json_put_text(o, "by", "token");
	json_object_set_new(o, "may_act", json_boolean(s->may_act));
	json_put_text(o, "proof", proof);
	json_put_time(o, "ends", s->end_ms);
	reply_json(c, 200, o);
}

/* ---- the login ---- */

static void guess_end(struct guess *g)
{
	list_del(&g->list);
	loop_timer_stop(g->console->loop, &g->late);
	free(g);
}

static void on_guesser_gone(void *arg)
{
	guess_end(arg);
}

static void on_late(void *arg)
{
	struct guess *g = arg;
	struct http_call *c = g->call;

	http_call_on_gone(c, NULL, NULL);
	guess_end(g);
	reply_problem(c, 401, "wrong_token", "this is not the token of console.token_file");
}

static bool too_many_were_wrong(struct console *k)
{
	if (!mono_before(mono_now(), k->window_end))
		k->wrong = 0;
	return k->wrong >= WRONG_MAX;
}

static void refuse_guess(struct console *k, struct http_call *c)
{
	struct guess *g = mem_alloc(sizeof(*g));

	if (!k->wrong++)
		k->window_end = mono_add_ms(mono_now(), WRONG_WINDOW_MS);
	log_notice("console_refused", "wrong=%d", k->wrong);
	g->console = k;
	g->call = c;
	list_add_tail(&k->guesses, &g->list);
	loop_timer_init(&g->late, on_late, g);
	loop_timer_set(k->loop, &g->late, LATE_MS);
	http_call_on_gone(c, on_guesser_gone, g);
}

/* Digests of both are compared, so the time tells nothing of the length either. */
static bool is_token(const struct console *k, const char *text, size_t len)
{
	uint8_t given[SHA256_LEN], right[SHA256_LEN];

	if (!token_of(k))
		return false;
	sha256(text, len, given);
	sha256(token_of(k), strlen(token_of(k)), right);
	return crypto_equal(given, right, sizeof(right));
}

static void login(struct console *k, struct http_call *c)
{
	struct session s = { .may_act = false, .end_ms = wall_ms() + SESSION_HOURS * 3600000LL };
	size_t len;
	const char *token = http_call_body(c, &len);

	if (too_many_were_wrong(k)) {
		http_answer_header(c, "Retry-After", "60");
		reply_problem(c, 429, "too_many_guesses", "too many tokens were wrong; wait a minute");
	} else if (!is_token(k, token, len)) {
		refuse_guess(k, c);
	} else {
		rand_bytes(s.nonce, sizeof(s.nonce));
		log_notice("console_login", "session=%02x%02x", s.nonce[0], s.nonce[1]);
		answer_session(k, c, &s, true);
	}
}

static void logout(struct http_call *c)
{
	give_cookie(c, "", 0);
	reply_json(c, 200, json_object());
}

/* ---- what a session may do: the listener's one check ---- */

/* NULL: go on; else the code of a refusal. */
static const char *refusal_of(const struct console *k, const struct session *s, const struct http_call *c)
{
	if (!is_get(c) && !session_proof_is_good(s, token_of(k), http_call_header(c, "X-Wamd-Console")))
		return "no_proof";
	if (!call_only_looks(c) && !s->may_act && strcmp(http_call_path(c), "/console/session") != 0)
		return "actions_off";
	return is_call(c, "POST", "/v1/media") ? "not_here" : NULL;	/* its body goes to a sink of the socket's */
}

static void change_session(struct console *k, struct http_call *c, struct session *s)
{
	s->may_act = http_call_query(c, "actions") && !strcmp(http_call_query(c, "actions"), "on");
	log_notice("operator", "who=console asks=actions_%s", s->may_act ? "on" : "off");
	answer_session(k, c, s, true);
}

static void call_in_session(struct console *k, struct http_call *c, struct session *s)
{
	const char *code = refusal_of(k, s, c);

	if (code)
		reply_problem(c, 403, code, "switch actions on first; the page shows its proof with all that changes something");
	else if (is_call(c, "GET", "/console/session"))
		answer_session(k, c, s, false);
	else if (is_call(c, "POST", "/console/session"))
		change_session(k, c, s);
	else if (is_call(c, "DELETE", "/console/session"))
		logout(c);
	else {
		audit(c, NULL);
		admin_route(k->admin, c);
	}
}

void console_call(void *console, struct http_call *c)
{
	struct console *k = console;
	const char *host = http_call_header(c, "Host");
	char nonce[2 * NONCE_LEN + 1];
	struct session s;

	make_nonce(nonce);
	put_headers(c, nonce);
	if (!host || !host_is_loopback(host)) {
		reply_problem(c, 403, "wrong_host", "the console answers to localhost and loopback addresses only");
	} else if (is_call(c, "GET", "/")) {
		http_answer_header(c, "Location", "/console");
		http_answer(c, 302, "text/plain", "", 0);
	} else if (is_call(c, "GET", "/console")) {
		answer_page(c, nonce);
	} else if (!is_get(c) && !origin_is_own(http_call_header(c, "Origin"), host)) {
		reply_problem(c, 403, "wrong_origin", "a page of somebody else's asks");
	} else if (is_call(c, "POST", "/console/login")) {
		login(k, c);
	} else if (!token_of(k) || !session_read(&s, token_of(k), http_call_header(c, "Cookie"), cookie_name, wall_ms())) {
		reply_problem(c, 401, "no_session", "log in first");
	} else {
		call_in_session(k, c, &s);
	}
}

struct console *console_new(struct loop *l, const struct conf *c, struct admin *a)
{
	struct console *k = mem_alloc(sizeof(*k));

	*k = (struct console){ .loop = l, .conf = c, .admin = a };
	list_init(&k->guesses);
	return k;
}

void console_free(struct console **cp)
{
	struct console *k = *cp;

	if (!k)
		return;
	while (!list_is_empty(&k->guesses))
		guess_end(CONTAINER_OF(list_pop(&k->guesses), struct guess, list));
	free(k);
	*cp = NULL;
}
