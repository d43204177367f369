#include "flow/alert.h"

#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/keys.h"
#include "msg/event.h"

enum {
	KEPT_MAX = 256,
	PUBLISHES_MAX = 10,		/* an exchange that is not there costs the publisher its connection, each time */
	TEXT_SIZE = 1024,
	INDEX_MAX = 10000,
	HOST_MAX = 64,
	TOKEN_MAX = HOST_MAX + 64,
};

static const char *const severity_names[] = {
#define SEVERITY(ident, name, help) [SEVERITY_##ident] = name,
#include "tbl/severities.h"
#undef SEVERITY
};

static const struct { const char *name; enum severity severity; } kinds[] = {
#define ALERT(ident, name, severity, help) [ALERT_##ident] = { name, SEVERITY_##severity },
#include "tbl/alerts.h"
#undef ALERT
};

const char *alert_name(enum alert kind)
{
	return kinds[kind].name;
}

const char *alert_severity(enum alert kind)
{
	return severity_names[kinds[kind].severity];
}

/* STATE(ident, what it is) */
#define WORD_STATES(STATE) \
	STATE(NEW, "not asked yet") \
	STATE(ASKED, "waits for Redis") \
	STATE(LOST, "asked, without an answer") \
	STATE(NEWS, "to be published") \
	STATE(PUBLISHED, "waits for the broker")

enum word_state {
#define STATE(ident, help) ident,
	WORD_STATES(STATE)
#undef STATE
};

static const char *const state_help[] = {
#define STATE(ident, help) [ident] = help,
	WORD_STATES(STATE)
#undef STATE
};

static const unsigned may_enter[] = {
	[NEW]       = BIT(ASKED),
	[ASKED]     = BIT(NEW) | BIT(LOST) | BIT(NEWS),
	[LOST]      = BIT(ASKED),
	[NEWS]      = BIT(PUBLISHED),
	[PUBLISHED] = BIT(NEWS),
};

/* One raise or resolve, until the broker has it or it is no news. */
struct word {
	struct list list;		/* alerts.words */
	struct alerts *a;
	enum word_state state;
	enum alert kind;
	bool resolves;
	int64_t times;			/* how many calls it stands for */
	char token[TOKEN_MAX];
	char *key;
	char *tenant_id, *account_id, *what;
	char text[TEXT_SIZE];
	struct strbuf body;		/* NEWS: the event, the same bytes each time */
	int n_published;
};

struct alerts {
	const struct conf *conf;
	struct board_slot *slot;
	struct store *store;
	struct broker *out;
	char host[HOST_MAX];
	char owner[TOKEN_MAX - 24];	/* first part of every token */
	uint64_t serial;		/* its last part */
	struct list words;		/* oldest first; at most one of those with the same key is on its way, the first */
	int n;
};

static void enter(struct word *w, enum word_state next)
{
	if (!(may_enter[w->state] & BIT(next)))
		BUG("alert %s: from %s to %s", w->key, state_help[w->state], state_help[next]);
	w->state = next;
}

static const char *verb(const struct word *w)
{
	return w->resolves ? "resolve" : "raise";
}

static bool is_under_way(const struct word *w)
{
	return w->state == ASKED || w->state == PUBLISHED;
}

static void word_free(struct word *w)
{
	list_del(&w->list);
	w->a->n--;
	free(w->key);
	free(w->tenant_id);
	free(w->account_id);
	free(w->what);
	strbuf_release(&w->body);
	free(w);
}

static void give_up(struct word *w, const char *why)
{
	static struct log_limit limit;
	unsigned left_out;

	board_count(w->a->slot, COUNT_ALERTS_LOST);
	if (log_limit_ok(&limit, &left_out))
		log_warn("alert_lost", "kind=%s verb=%s others=%u: %s", alert_name(w->kind), verb(w), left_out, why);
	word_free(w);
}

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

/* ---- the words about one thing go one after the other ---- */

static bool is_first(const struct word *w)
{
	for (const struct list *l = w->list.prev; l != &w->a->words; l = l->prev)
		if (!strcmp(CONTAINER_OF(l, struct word, list)->key, w->key))
			return false;
	return true;
}

static struct word *next_about_it(const struct word *w)
{
	for (struct list *l = w->list.next; l != &w->a->words; l = l->next)
		if (!strcmp(CONTAINER_OF(l, struct word, list)->key, w->key))
			return CONTAINER_OF(l, struct word, list);
	return NULL;
}

static void go_on(struct word *w);

static void finish(struct word *w)
{
	struct word *next = next_about_it(w);

	word_free(w);
	if (next)
		go_on(next);
}

/* ---- asking Redis ---- */

static int call_script(struct word *w, const char *what, store_reply_f *done, void *arg)
{
	char cooldown[24], times[24];

	snprintf(cooldown, sizeof(cooldown), "%" PRId64, w->a->conf->alert_cooldown);
	snprintf(times, sizeof(times), "%" PRId64, w->times);
	return store_script(w->a->store, SCRIPT_ALERT, 1,
			    (struct store_arg[]){ STORE_ARG(w->key), STORE_ARG(what), STORE_ARG(w->token), STORE_ARG(cooldown),
						  STORE_ARG(times), STORE_ARG(w->text), STORE_ARG(alert_severity(w->kind)) },
			    7, done, arg);
}

static void log_news(const struct word *w, const char *state, int64_t n)
{
	struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "kind=%s state=%s severity=%s tenant=%s account=%s what=%s n=%" PRId64 ": %s", alert_name(w->kind), state,
		    alert_severity(w->kind), or_dash(w->tenant_id), or_dash(w->account_id), or_dash(w->what), n, w->text);
	if (!strcmp(state, "resolved"))
		log_notice("alert", "%s", line.buf);
	else
		log_warn("alert", "%s", line.buf);
	strbuf_release(&line);
}

static void forget_reply(void *arg UNUSED, const struct store_reply *r UNUSED)
{
}

/*
 * So that all can be listed without looking through all keys.  A member that is too much is none of an active one, or its record says so:
 * nothing is taken out when an alert is resolved, for somebody else may have raised it since.
 */
static void put_into_index(const struct word *w)
{
	const struct conf *c = w->a->conf;
	char index[KEY_TEXT_MAX], member[KEY_TEXT_MAX], now[24], last[24];

	key_alert_index(c, index);
	key_alert_member(c, w->key, member);
	snprintf(now, sizeof(now), "%" PRId64, wall_ms());
	snprintf(last, sizeof(last), "%d", -INDEX_MAX - 1);
	if (store_command(w->a->store, (struct store_arg[]){ STORE_ARG("ZADD"), STORE_ARG(index), STORE_ARG(now), STORE_ARG(member) }, 4,
			  forget_reply, NULL) < 0 ||
	    store_command(w->a->store, (struct store_arg[]){ STORE_ARG("ZREMRANGEBYRANK"), STORE_ARG(index), STORE_ARG("0"), STORE_ARG(last) },
			  4, forget_reply, NULL) < 0)
		log_debug("alert_unlisted", "kind=%s", alert_name(w->kind));	/* until it is said again */
}

static void on_news(struct word *w, const char *state, int64_t n, int64_t since_ms)
{
	board_count(w->a->slot, COUNT_ALERTS);
	log_news(w, state, n);
	if (!w->resolves)
		put_into_index(w);
	event_alert(&(struct alert_event){ .kind = alert_name(w->kind), .severity = alert_severity(w->kind), .state = state,
					   .tenant_id = w->tenant_id, .account_id = w->account_id, .what = w->what, .text = w->text,
					   .since_ms = since_ms, .at_ms = wall_ms(), .count = n, .host = w->a->host }, &w->body);
	enter(w, NEWS);
	go_on(w);
}

static void on_asked(void *arg, const struct store_reply *r)
{
	static struct log_limit limit;
	struct word *w = arg;
	unsigned left_out;

	if (!r || r->error || r->n != 3 || r->v[0].kind != STORE_TEXT) {
		/* It may have run.  The token stays, so that asking again gives the same answer. */
		if (r && log_limit_ok(&limit, &left_out))
			log_error("script_failed", "script=alert %s", r->error ? r->error : "");
		enter(w, LOST);
	} else if (!strcmp(r->v[0].s, "quiet")) {
		finish(w);
	} else {
		on_news(w, r->v[0].s, r->v[1].i, r->v[2].i);
	}
}

static void ask(struct word *w)
{
	enum word_state before = w->state;

	enter(w, ASKED);
	if (call_script(w, verb(w), on_asked, w) < 0)
		enter(w, before);
}

/* ---- publishing ---- */

static void said(struct word *w)
{
	/* Without an answer the alert may be said once more: not worth waiting for. */
	if (call_script(w, "told", forget_reply, NULL) < 0)
		log_debug("alert_untold", "kind=%s", alert_name(w->kind));
	finish(w);
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct word *w = arg;

	switch (fate) {
	case BROKER_RETURNED:
		board_count(w->a->slot, COUNT_UNROUTED);	/* nobody listens: that is no failure, and the log has it */
		said(w);
		return;
	case BROKER_CONFIRMED:
		said(w);
		return;
	case BROKER_NACKED:
	case BROKER_LOST:
		enter(w, NEWS);
		if (w->n_published == PUBLISHES_MAX)
			give_up(w, "the broker did not take it");
		return;
	}
	BUG("fate %d", (int)fate);
}

static void publish(struct word *w)
{
	struct alerts *a = w->a;
	struct strbuf key = STRBUF_INIT;

	if (!*a->conf->alert_exchange) {
		said(w);
		return;
	}
	if (!broker_is_up(a->out) || broker_is_blocked(a->out))
		return;
	strbuf_addf(&key, "alert.%s.%s", alert_severity(w->kind), alert_name(w->kind));
	enter(w, PUBLISHED);
	/* mandatory only to learn that no queue is bound (on_fate) */
	if (broker_publish(a->out, &(struct broker_publish){
		.exchange = a->conf->alert_exchange, .routing_key = key.buf, .mandatory = true, .body = w->body.buf, .len = w->body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .priority = -1, .timestamp_s = wall_ms() / 1000,
			   .persistent = true },
		.done = on_fate, .arg = w }) < 0)
		enter(w, NEWS);
	else if (w->n_published++ > 0)
		board_count(a->slot, COUNT_REPUBLISHED);
	strbuf_release(&key);
}

/* ---- the contract ---- */

static void go_on(struct word *w)
{
	if (is_under_way(w) || !is_first(w))
		return;
	if (w->state == NEWS)
		publish(w);
	else
		ask(w);
}

/* The oldest that can go: what is under way belongs to a callback. */
static bool make_room(struct alerts *a)
{
	if (a->n < KEPT_MAX)
		return true;
	for (struct list *l = a->words.next; l != &a->words; l = l->next) {
		struct word *w = CONTAINER_OF(l, struct word, list);

		if (!is_under_way(w)) {
			give_up(w, "too many wait for Redis or the broker");
			return true;
		}
	}
	return false;
}

/* The last word about this, if nobody was asked about it yet: a newer one takes its place. */
static struct word *find_new(struct alerts *a, const char *key)
{
	for (struct list *l = a->words.prev; l != &a->words; l = l->prev) {
		struct word *w = CONTAINER_OF(l, struct word, list);

		if (!strcmp(w->key, key))
			return w->state == NEW ? w : NULL;
	}
	return NULL;
}

static struct word *word_new(struct alerts *a, enum alert kind, const struct alert_subject *s, const char *key)
{
	struct word *w = mem_alloc(sizeof(*w));

	w->a = a;
	w->kind = kind;
	w->key = mem_strdup(key);
	w->tenant_id = mem_strdup(s->tenant_id);
	w->account_id = mem_strdup(s->account_id);
	w->what = mem_strdup(s->what);
	strbuf_init(&w->body);
	snprintf(w->token, sizeof(w->token), "%s:%" PRIu64, a->owner, ++a->serial);
	list_add_tail(&a->words, &w->list);
	a->n++;
	return w;
}

static void say(struct alerts *a, enum alert kind, const struct alert_subject *s, bool resolves, const char *text)
{
	char key[KEY_TEXT_MAX];
	struct word *w;

	key_alert(a->conf, alert_name(kind), s->tenant_id, s->account_id, s->what, key);
	w = find_new(a, key);
	if (!w && !make_room(a)) {
		board_count(a->slot, COUNT_ALERTS_LOST);
		return;
	}
	if (!w)
		w = word_new(a, kind, s, key);
	w->times = w->resolves == resolves ? w->times + 1 : 1;
	w->resolves = resolves;
	snprintf(w->text, sizeof(w->text), "%s", text);
	go_on(w);
}

void alert_raise(struct alerts *a, enum alert kind, const struct alert_subject *s, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(a, kind, s, false, text);
}

void alert_resolve(struct alerts *a, enum alert kind, const struct alert_subject *s, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(a, kind, s, true, text);
}

/* Going on may end a word at once; all are walked as they are now, and stay in order. */
void alerts_retry(struct alerts *a)
{
	struct list now;

	list_init(&now);
	while (!list_is_empty(&a->words))
		list_add_tail(&now, list_pop(&a->words));
	while (!list_is_empty(&now)) {
		struct word *w = CONTAINER_OF(list_pop(&now), struct word, list);

		list_add_tail(&a->words, &w->list);
		go_on(w);
	}
}

int alerts_kept(const struct alerts *a)
{
	return a->n;
}

struct alerts *alerts_new(const struct conf *c, struct board_slot *slot, struct store *store, struct broker *publisher)
{
	struct alerts *a = mem_alloc(sizeof(*a));

	a->conf = c;
	a->slot = slot;
	a->store = store;
	a->out = publisher;
	list_init(&a->words);
	if (gethostname(a->host, sizeof(a->host)) < 0)
		a->host[0] = 0;
	a->host[sizeof(a->host) - 1] = 0;
	snprintf(a->owner, sizeof(a->owner), "%s:%d:%08" PRIx32, a->host, (int)getpid(), (uint32_t)rand_u64());
	return a;
}

void alerts_free(struct alerts **ap)
{
	struct alerts *a = *ap;

	if (!a)
		return;
	while (!list_is_empty(&a->words))
		word_free(CONTAINER_OF(list_pop(&a->words), struct word, list));
	free(a);
	*ap = NULL;
}
