#include "io/store.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "io/redis_link.h"
#include "io/resolve.h"
#include "io/script.h"
#include "io/url.h"

enum { STEADY_MS = 5000 };	/* up for so long: the next loss starts with a short wait again */

/* STATE(ident, what we wait for) */
#define STORE_STATES(STATE) \
	STATE(WAITING, "time to try again") \
	STATE(RESOLVING, "the address of the host") \
	STATE(GREETING, "the answers to AUTH, SELECT, SCRIPT LOAD, PING and ROLE") \
	STATE(UP, "calls") \
	STATE(CLOSED, "nothing, we are being freed")

enum store_state {
#define STATE(ident, help) ident,
	STORE_STATES(STATE)
#undef STATE
};

static const char *const state_help[] = {
#define STATE(ident, help) [ident] = help,
	STORE_STATES(STATE)
#undef STATE
};

static const unsigned may_enter[] = {
	[WAITING]   = BIT(RESOLVING) | BIT(CLOSED),
	[RESOLVING] = BIT(GREETING) | BIT(WAITING) | BIT(CLOSED),
	[GREETING]  = BIT(UP) | BIT(WAITING) | BIT(CLOSED),
	[UP]        = BIT(WAITING) | BIT(CLOSED),
	[CLOSED]    = 0,
};

/* The commands on connect, asked all at once; the last good answer makes us UP. */
enum greeting { GREET_AUTH, GREET_SELECT, GREET_NAME, GREET_LOAD, GREET_PING, GREET_ROLE };
enum { GREETINGS_MAX = GREET_ROLE + SCRIPTS + 1 };

/* A command that waits for its answer.  Freed by the link's answer; on a loss done has run before and is NULL. */
struct call {
	struct list list;
	mono_t at;
	store_reply_f *done;
	void *arg;
	int script;			/* enum script; -1: a plain command, or EVAL already */
	int n_parts;			/* behind the script: their number, and as they went out */
	size_t tail_len;
	char tail[];
};

struct store {
	struct loop *loop;
	struct store_callbacks cb;
	void *arg;
	struct url url;
	char *name, *db;
	int64_t timeout_ms, connect_ms, backoff_min_ms, backoff_max_ms;
	enum store_state state;
	struct resolve *resolve;
	struct redis_link *link;
	struct list calls;		/* oldest first */
	unsigned pending;
	struct loop_timer deadline;	/* the next attempt; until UP: the end of patience; UP: the oldest call's */
	mono_t up_since;
	int attempts;
	struct script_set scripts;
	enum greeting greetings[GREETINGS_MAX];
	int n_greetings, greetings_at;	/* asked, answered */
	struct strbuf command, why;
};

static void lost(struct store *s, const char *why);

static void enter(struct store *s, enum store_state next)
{
	if (!(may_enter[s->state] & BIT(next)))
		BUG("store: from %s to %s", state_help[s->state], state_help[next]);
	s->state = next;
}

/* ---- losing and finding the connection ---- */

static int64_t retry_ms(struct store *s)
{
	int64_t most = s->backoff_min_ms << (s->attempts < 16 ? s->attempts : 16);

	s->attempts++;
	return rand_between(s->backoff_min_ms, most < s->backoff_max_ms ? most : s->backoff_max_ms);
}

static void answer_all_with_null(struct store *s)
{
	struct list all;

	list_init(&all);
	while (!list_is_empty(&s->calls))
		list_add_tail(&all, list_pop(&s->calls));
	s->pending = 0;
	while (!list_is_empty(&all)) {
		struct call *c = CONTAINER_OF(list_pop(&all), struct call, list);
		store_reply_f *done = c->done;
		void *arg = c->arg;

		c->done = NULL;
		if (done)
			done(arg, NULL);
	}
}

static void lost(struct store *s, const char *why)
{
	struct strbuf text = STRBUF_INIT;
	struct redis_link *k = s->link;

	if (*s->url.host)
		strbuf_addf(&text, "%s:%d: %s", s->url.host, s->url.port, why);
	else
		strbuf_addf(&text, "%s: %s", s->url.path, why);
	if (s->state == UP && mono_diff_ms(loop_now(s->loop), s->up_since) >= STEADY_MS)
		s->attempts = 0;
	enter(s, WAITING);
	resolve_cancel(&s->resolve);
	s->link = NULL;
	loop_timer_set(s->loop, &s->deadline, retry_ms(s));
	if (s->cb.down)
		s->cb.down(s->arg, text.buf);
	answer_all_with_null(s);
	redis_link_close(&k);
	strbuf_release(&text);
}

/* The oldest call's time is checked when it may be over, not moved on with every answer. */
static void watch_oldest(struct store *s)
{
	struct call *c = CONTAINER_OF(s->calls.next, struct call, list);

	if (!list_is_empty(&s->calls) && !loop_timer_is_set(&s->deadline))
		loop_timer_set_at(s->loop, &s->deadline, mono_add_ms(c->at, s->timeout_ms));
}

static void greet(struct store *s, const char *ip);

static void on_resolved(void *arg, const struct addresses *found, const char *why)
{
	struct store *s = arg;
	char ip[64];

	s->resolve = NULL;
	if (why) {
		lost(s, why);
		return;
	}
	if (getnameinfo((const struct sockaddr *)&found->at[0].sa, found->at[0].len, ip, sizeof(ip), NULL, 0,
			NI_NUMERICHOST))
		BUG("an address without a text");
	greet(s, ip);
}

static void start(struct store *s)
{
	struct addresses found;

	enter(s, RESOLVING);
	loop_timer_set(s->loop, &s->deadline, s->connect_ms);
	if (!*s->url.host)
		greet(s, NULL);
	else if (resolve_numeric(s->url.host, s->url.port, &found))
		on_resolved(s, &found, NULL);
	else
		s->resolve = resolve_start(s->loop, s->url.host, s->url.port, on_resolved, s);
}

static void on_deadline(void *arg)
{
	struct store *s = arg;
	struct call *c = CONTAINER_OF(s->calls.next, struct call, list);

	if (s->state == WAITING) {
		start(s);
		return;
	}
	if (s->state == UP && (list_is_empty(&s->calls) || mono_diff_ms(mono_now(), c->at) < s->timeout_ms)) {
		watch_oldest(s);
		return;
	}
	strbuf_setf(&s->why, "no answer in %lld ms, waiting for %s",
		    (long long)(s->state == UP ? s->timeout_ms : s->connect_ms), state_help[s->state]);
	lost(s, s->why.buf);
}

/* ---- replies ---- */

/* Refusals that say "not here" or "not now"; the call itself is right.  Redis 6 hides a script's own in its words. */
static bool means_away(const char *error)
{
	static const char *const words[] = {
		"-LOADING ", "-READONLY ", "-MASTERDOWN ", "-OOM ", "-MISCONF ", "-BUSY ",
		"-NOREPLICAS ", "-CLUSTERDOWN ",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_starts(error, words[i] + 1) || strstr(error, words[i]))
			return true;
	return false;
}

static int issue(struct store *s, store_reply_f *done, void *arg, int script, int n_parts, const char *tail,
		 size_t tail_len);

static void put_bulk(struct strbuf *out, const char *p, size_t len)
{
	char head[24], *to;
	size_t at = sizeof(head);

	head[--at] = '\n';
	head[--at] = '\r';
	for (size_t n = len; n > 0 || at == sizeof(head) - 2; n /= 10)
		head[--at] = (char)('0' + n % 10);
	head[--at] = '$';
	strbuf_reserve(out, sizeof(head) + len + 2);	/* once: a message has a hundred of these */
	to = out->buf + out->len;
	memcpy(to, head + at, sizeof(head) - at);
	to += sizeof(head) - at;
	memcpy(to, p, len);
	memcpy(to + len, "\r\n", 3);
	out->len += sizeof(head) - at + len + 2;
}

/* The same call with the script's text: Redis had forgotten it (restart, failover, SCRIPT FLUSH). */
static int repeat_with_text(struct store *s, const struct call *c)
{
	strbuf_setf(&s->command, "*%d\r\n$4\r\nEVAL\r\n", 2 + c->n_parts);
	put_bulk(&s->command, s->scripts.of[c->script].text, s->scripts.of[c->script].len);
	strbuf_add(&s->command, c->tail, c->tail_len);
	return issue(s, c->done, c->arg, -1, 0, "", 0);
}

static void answer(struct store *s, struct call *c, const struct store_reply *r)
{
	if (r->error && means_away(r->error)) {
		lost(s, r->error);	/* c is among the pending ones that get their NULL */
		return;
	}
	list_del(&c->list);
	s->pending--;
	if (r->error && c->script >= 0 && str_starts(r->error, "NOSCRIPT") && repeat_with_text(s, c) == 0)
		return;
	if (c->done)
		c->done(c->arg, r);
}

static void on_reply(void *arg, void *call, const struct store_reply *r)
{
	if (arg && r)
		answer(arg, call, r);
	free(call);
}

static void on_lost(void *arg, const char *why)
{
	struct store *s = arg;

	s->link = NULL;
	lost(s, why);
}

/* ---- calls ---- */

/* Sends what stands in s->command; parts and tail are what an EVAL must repeat. */
static int issue(struct store *s, store_reply_f *done, void *arg, int script, int n_parts, const char *tail,
		 size_t tail_len)
{
	struct call *c = mem_alloc(sizeof(*c) + tail_len);

	list_init(&c->list);
	c->at = loop_now(s->loop);
	c->done = done;
	c->arg = arg;
	c->script = script;
	c->n_parts = n_parts;
	c->tail_len = tail_len;
	memcpy(c->tail, tail, tail_len);
	if (redis_link_send(s->link, &s->command, c) < 0) {
		free(c);
		return -1;
	}
	list_add_tail(&s->calls, &c->list);
	s->pending++;
	if (s->state == UP)
		watch_oldest(s);
	return 0;
}

static int issue_plain(struct store *s, const struct store_arg *args, int n, store_reply_f *done, void *arg)
{
	strbuf_setf(&s->command, "*%d\r\n", n);
	for (int i = 0; i < n; i++)
		put_bulk(&s->command, args[i].p, args[i].len);
	return issue(s, done, arg, -1, 0, "", 0);
}

int store_command(struct store *s, const struct store_arg *args, int n_args, store_reply_f *done, void *arg)
{
	return s->state == UP ? issue_plain(s, args, n_args, done, arg) : -1;
}

int store_script(struct store *s, enum script which, int n_keys, const struct store_arg *args, int n_args,
		 store_reply_f *done, void *arg)
{
	char keys[16];
	size_t at;

	if (s->state != UP)
		return -1;
	if (!s->scripts.of[which].text)
		BUG("script %s without its rules", script_name(which));
	strbuf_setf(&s->command, "*%d\r\n$7\r\nEVALSHA\r\n", 3 + n_args);
	put_bulk(&s->command, s->scripts.of[which].sha, SCRIPT_SHA_LEN);
	at = s->command.len;
	put_bulk(&s->command, keys, (size_t)snprintf(keys, sizeof(keys), "%d", n_keys));
	for (int i = 0; i < n_args; i++)
		put_bulk(&s->command, args[i].p, args[i].len);
	return issue(s, done, arg, (int)which, 1 + n_args, s->command.buf + at, s->command.len - at);
}

/* ---- on connect ---- */

static void came_up(struct store *s)
{
	loop_timer_stop(s->loop, &s->deadline);
	s->up_since = loop_now(s->loop);
	enter(s, UP);
	if (s->cb.up)
		s->cb.up(s->arg);
}

static void on_greeting(void *arg, const struct store_reply *r)
{
	static const char *const names[] = {
		[GREET_AUTH] = "AUTH", [GREET_SELECT] = "SELECT", [GREET_NAME] = "CLIENT SETNAME",
		[GREET_LOAD] = "SCRIPT LOAD", [GREET_PING] = "PING", [GREET_ROLE] = "ROLE",
	};
	struct store *s = arg;
	enum greeting which;

	if (!r)
		return;
	which = s->greetings[s->greetings_at++];
	if (r->error && which != GREET_NAME) {	/* an unusual name costs only the name */
		strbuf_setf(&s->why, "%s: %s", names[which], r->error);
		lost(s, s->why.buf);
		return;
	}
	if (which == GREET_ROLE && (r->n < 1 || strcmp(r->v[0].s, "master") != 0)) {
		strbuf_setf(&s->why, "ROLE is %s, not master", r->n ? r->v[0].s : "unknown");
		lost(s, s->why.buf);
		return;
	}
	if (s->greetings_at == s->n_greetings)
		came_up(s);
}

static void ask(struct store *s, enum greeting which, const struct store_arg *args, int n)
{
	s->greetings[s->n_greetings++] = which;
	if (issue_plain(s, args, n, on_greeting, s) < 0)
		BUG("a new connection refuses a command");
}

static void ask_login(struct store *s)
{
	const char *user = s->url.user && *s->url.user ? s->url.user : NULL;
	struct store_arg args[3] = { STORE_ARG("AUTH"), { user, user ? strlen(user) : 0 }, STORE_ARG(s->url.password) };

	if (!user)
		args[1] = args[2];
	ask(s, GREET_AUTH, args, user ? 3 : 2);
	mem_wipe(s->command.buf, s->command.len);
}

static void ask_everything(struct store *s)
{
	if (s->url.password)
		ask_login(s);
	if (s->db && *s->db)
		ask(s, GREET_SELECT, (struct store_arg[]){ STORE_ARG("SELECT"), STORE_ARG(s->db) }, 2);
	if (s->name)
		ask(s, GREET_NAME,
		    (struct store_arg[]){ STORE_ARG("CLIENT"), STORE_ARG("SETNAME"), STORE_ARG(s->name) }, 3);
	for (int i = 0; i < SCRIPTS; i++) {
		struct store_arg text = { s->scripts.of[i].text, s->scripts.of[i].len };

		if (!text.p)
			continue;
		ask(s, GREET_LOAD, (struct store_arg[]){ STORE_ARG("SCRIPT"), STORE_ARG("LOAD"), text }, 3);
	}
	ask(s, GREET_PING, (struct store_arg[]){ STORE_ARG("PING") }, 1);
	ask(s, GREET_ROLE, (struct store_arg[]){ STORE_ARG("ROLE") }, 1);
}

static void greet(struct store *s, const char *ip)
{
	static const struct redis_link_callbacks callbacks = { .reply = on_reply, .lost = on_lost };

	enter(s, GREETING);
	s->link = redis_link_open(s->loop, ip, s->url.port, s->url.path, &callbacks, s, &s->why);
	if (!s->link) {
		lost(s, s->why.buf);
		return;
	}
	s->n_greetings = s->greetings_at = 0;
	ask_everything(s);
}

/* ---- the contract ---- */

/* unix:///path?db=0&password=...: put where the other form has them. */
static int take_unix(struct url *u, struct strbuf *why)
{
	if (!u->path || *u->path != '/')
		return why_set(why, "unix:// needs an absolute path");
	u->user = url_query(u, "user");
	u->password = url_query(u, "password");
	return 0;
}

static char *take_db(const struct url *u)
{
	return *u->host ? mem_strdup(u->path) : url_query(u, "db");
}

static int parse(const char *url, struct url *u, char **db, struct strbuf *why)
{
	*db = NULL;
	if (url_parse(url, u, why) < 0)
		return -1;
	if (strcmp(u->scheme, "unix") == 0) {
		if (take_unix(u, why) < 0)
			return -1;
	} else if (strcmp(u->scheme, "redis") != 0) {
		return why_set(why, "scheme \"%s\" is neither redis nor unix", u->scheme);
	} else if (u->query) {
		return why_set(why, "no ?query is understood here");
	}
	if (u->user && *u->user && !u->password)
		return why_set(why, "a user without a password");
	if (!u->port)
		u->port = 6379;
	*db = take_db(u);
	if (*db && **db && !str_is_digits(*db))
		return why_set(why, "\"%s\" is no database number", *db);
	return 0;
}

int store_url_check(const char *url, struct strbuf *why)
{
	struct url u;
	char *db;
	int err = parse(url, &u, &db, why);

	free(db);
	url_release(&u);
	return err;
}

static int64_t or_default(int64_t value, int64_t fallback)
{
	return value ? value : fallback;
}

struct store *store_new(struct loop *l, const struct store_options *o, const struct store_callbacks *cb, void *arg)
{
	struct store *s = mem_alloc(sizeof(*s));
	struct strbuf why = STRBUF_INIT;

	if (parse(o->url, &s->url, &s->db, &why) < 0)
		BUG("store url: %s", why.buf);
	s->loop = l;
	s->cb = *cb;
	s->arg = arg;
	s->name = mem_strdup(o->connection_name);
	s->timeout_ms = or_default(o->timeout_ms, 600);
	s->connect_ms = or_default(o->connect_ms, 1000);
	s->backoff_min_ms = or_default(o->backoff_min_ms, 50);
	s->backoff_max_ms = or_default(o->backoff_max_ms, 2000);
	script_set_init(&s->scripts, o->rules);
	list_init(&s->calls);
	strbuf_init(&s->command);
	strbuf_init(&s->why);
	loop_timer_init(&s->deadline, on_deadline, s);
	loop_timer_set(l, &s->deadline, 0);
	return s;
}

void store_close(struct store *s)
{
	if (s->state == CLOSED)
		return;
	enter(s, CLOSED);	/* whoever is told now may ask again, and is refused */
	loop_timer_stop(s->loop, &s->deadline);
	resolve_cancel(&s->resolve);
	answer_all_with_null(s);
	redis_link_close(&s->link);
}

void store_free(struct store **sp)
{
	struct store *s = *sp;

	if (!s)
		return;
	store_close(s);
	*sp = NULL;
	url_release(&s->url);
	script_set_release(&s->scripts);
	strbuf_release(&s->command);
	strbuf_release(&s->why);
	free(s->db);
	free(s->name);
	free(s);
}

bool store_is_up(const struct store *s)
{
	return s->state == UP;
}

unsigned store_pending(const struct store *s)
{
	return s->pending;
}
