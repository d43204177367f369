#include "graph/crawl.h"

#include <inttypes.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/clock.h"
#include "base/str.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "graph/pages.h"
#include "msg/template.h"
#include "msg/template_wire.h"

enum { PAGE_LEAST = 10, RESTARTS_MAX = 3, TEMPLATES_MAX = 20000, PATIENCE_MS = 60000, NEED_PATIENCE_MS = 2000,
       AGAIN_MS = 2000, CURSOR_STALE = 131059, TOO_HEAVY = 1, ARGS_EACH = 6 };
enum { CODE_PAUSED = 132015, CODE_DISABLED = 132016 };

struct crawl {
	struct crawl_options o;
	struct list fetches;
};

struct waiter {
	struct list list;
	struct graph_for who;
};

struct fetch {
	struct list list;
	struct crawl *c;
	const struct account *account;
	int64_t patience_ms;
	char *name;				/* NULL: all */
	struct list waiters;
	int64_t page;				/* templates */
	int restarts, n_pages;			/* pages: that were taken */
	mono_t began;
	struct strbuf cursor;
	bool has_more;
	struct strbuf keys;			/* of all that were listed, each with its NUL */
	int n;
};

/* ---- the end of a fetch ---- */

static void end(struct fetch *f, const struct graph_reply *r)
{
	list_del(&f->list);
	while (!list_is_empty(&f->waiters)) {
		struct waiter *w = CONTAINER_OF(list_pop(&f->waiters), struct waiter, list);

		w->who.done(w->who.arg, r);
		free(w);
	}
	free(f->name);
	strbuf_release(&f->cursor);
	strbuf_release(&f->keys);
	free(f);
}

static void fail(struct fetch *f, enum graph_word word, const char *text)
{
	end(f, &(struct graph_reply){ .word = word, .retry_after_ms = -1, .text = text });
}

static void succeed(struct fetch *f)
{
	json_t *json = json_object();

	atomic_fetch_add_explicit(&f->c->o.board->templates_changed, 1, memory_order_release);
	log_info("templates", "tenant=%s account=%s name=%s fetched=%d", f->account->tenant->id, f->account->id, f->name ? f->name : "*", f->n);
	json_put_int(json, "templates", f->n);
	end(f, &(struct graph_reply){ .word = GRAPH_OK, .json = json, .retry_after_ms = -1, .text = "" });
	json_decref(json);
}

/* ---- what Redis says ---- */

/* Up to the next blank; p is behind it then. */
static void next_word(const char **p, char *out, size_t size)
{
	size_t len = strcspn(*p, " ");

	snprintf(out, size, "%.*s", (int)len, *p);
	*p += len + ((*p)[len] == ' ');
}

static void on_held(struct fetch *f, const char *p)
{
	char field[HOLD_FIELD_MAX], ms[24], times[24], code[16];
	struct alert_subject who = { f->account->tenant->id, NULL, field };

	next_word(&p, field, sizeof(field));
	next_word(&p, ms, sizeof(ms));
	next_word(&p, times, sizeof(times));
	next_word(&p, code, sizeof(code));
	alert_raise(f->c->o.alerts, ALERT_HELD, &who, "%s: %s", code, p);
}

static void on_event(struct fetch *f, const char *event)
{
	const char *p = event;
	char verb[16], key[HOLD_FIELD_MAX], old[64];
	struct alert_subject who = { f->account->tenant->id, NULL, key };

	next_word(&p, verb, sizeof(verb));
	log_notice("template", "tenant=%s account=%s %s", f->account->tenant->id, f->account->id, event);
	if (!strcmp(verb, "held")) {
		on_held(f, p);
		return;
	}
	next_word(&p, key, sizeof(key));
	if (!strcmp(verb, "released")) {
		alert_resolve(f->c->o.alerts, ALERT_HELD, &who, "Meta lets the template be sent again");
	} else if (!strcmp(verb, "category")) {
		next_word(&p, old, sizeof(old));
		alert_raise(f->c->o.alerts, ALERT_TEMPLATE_CATEGORY, &who, "its category was %s and is %s: it costs something else now", old, p);
	} else if (template_status_reason(template_status_of(p)) != REASON_NONE) {
		alert_raise(f->c->o.alerts, ALERT_TEMPLATE_STOPPED, &who, "its status is %s", p);
	} else {
		alert_resolve(f->c->o.alerts, ALERT_TEMPLATE_STOPPED, &who, "its status is %s", p);
	}
}

static bool took(struct fetch *f, const struct store_reply *r)
{
	if (r && r->error)
		log_error("script_failed", "script=catalogue %s", r->error);
	if (!r || r->error || r->n < 1) {
		fail(f, GRAPH_AWAY, "Redis is away");
		return false;
	}
	for (int i = 1; i < r->n; i++)
		if (r->v[i].s)
			on_event(f, r->v[i].s);
	return true;
}

/* ---- what is written ---- */

struct arguments {
	struct store_arg *v;
	int n;
	char catalogue[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], prefix[64], life[24], hold[24], most[24];
};

static void add(struct arguments *a, const char *text)
{
	a->v[a->n++] = STORE_ARG(text);
}

static void begin(struct arguments *a, const struct fetch *f, const char *verb, int room)
{
	const struct conf *c = f->c->o.conf;
	int64_t most = c->hold_max > c->hold_first ? c->hold_max : c->hold_first;

	a->v = mem_array((size_t)room + 7, sizeof(*a->v));
	a->n = 0;
	key_templates(c, f->account, a->catalogue);
	key_holds(c, f->account->tenant, a->holds);
	snprintf(a->prefix, sizeof(a->prefix), "p:%s:", f->account->waba_id);
	snprintf(a->life, sizeof(a->life), "%" PRId64, c->template_life);
	snprintf(a->hold, sizeof(a->hold), "%" PRId64, c->hold_first);
	snprintf(a->most, sizeof(a->most), "%" PRId64, most);
	add(a, a->catalogue);
	add(a, a->holds);
	add(a, verb);
	add(a, a->prefix);
	add(a, a->life);
	add(a, a->hold);
	add(a, a->most);
}

static void run(struct arguments *a, struct fetch *f, store_reply_f *done)
{
	if (store_script(f->c->o.store, SCRIPT_CATALOGUE, 2, a->v, a->n, done, f) < 0)
		fail(f, GRAPH_AWAY, "Redis is away");
	free(a->v);
}

static void on_ended(void *arg, const struct store_reply *r)
{
	struct fetch *f = arg;

	if (took(f, r))
		succeed(f);
}

/* All pages are there: what was not in them is gone. */
static void write_end(struct fetch *f)
{
	struct arguments a;
	const char *p = f->keys.buf;

	begin(&a, f, f->name ? "only" : "end", f->n + 1);
	if (f->name)
		add(&a, f->name);
	for (int i = 0; i < f->n; i++, p += strlen(p) + 1)
		add(&a, p);
	run(&a, f, on_ended);
}

static void ask_page(struct fetch *f);

static void on_put(void *arg, const struct store_reply *r)
{
	struct fetch *f = arg;

	if (!took(f, r))
		return;
	if (f->has_more)
		ask_page(f);
	else
		write_end(f);
}

/* What matters first: the script looks for status and category from the front. */
static void write_definition(const json_t *t, const char *language, struct strbuf *out)
{
	static const char *const first[] = { "id", "name", "language", "status", "category" };
	json_t *o = json_object();
	const char *key;
	json_t *v;

	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		if ((v = json_object_get(t, first[i])))
			json_object_set(o, first[i], v);
	json_put_text(o, "language", language);
	json_object_foreach((json_t *)(uintptr_t)t, key, v)
		if (!json_object_get(o, key))
			json_object_set(o, key, v);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
}

struct row { size_t key, definition; const char *category; enum template_status status; };

static const char *word_of(enum template_status s)
{
	if (s == TEMPLATE_PAUSED || s == TEMPLATE_DISABLED)
		return "held";
	return template_status_reason(s) == REASON_NONE ? "sendable" : "other";
}

/* Into Redis.  Names that fit no key, and other names than the wanted one, are passed over. */
static void write_page(struct fetch *f, const json_t *data)
{
	struct strbuf texts = STRBUF_INIT;
	struct row *rows = mem_array(json_array_size(data) + 1, sizeof(*rows));
	struct arguments a;
	char paused[16], disabled[16], language[64];
	int n = 0;
	size_t i;
	const json_t *t;

	json_array_foreach(data, i, t) {
		const char *name = json_text(t, "name"), *category = json_text(t, "category");
		size_t len;

		snprintf(language, sizeof(language), "%s", json_text(t, "language") ? json_text(t, "language") : "");
		len = strlen(language);
		if (!name || !len || strcspn(name, "/:! ") != strlen(name) || strcspn(language, "/ ") != len || (f->name && strcmp(f->name, name) != 0))
			continue;
		for (char *p = language; *p; p++)
			*p = *p == '-' ? '_' : *p;
		rows[n] = (struct row){ .key = texts.len, .category = category ? category : "", .status = template_status_of(json_text(t, "status")) };
		strbuf_addf(&texts, "%s/%s", name, language);
		strbuf_add(&f->keys, texts.buf + rows[n].key, texts.len - rows[n].key);
		strbuf_addc(&f->keys, 0);
		strbuf_addc(&texts, 0);
		rows[n].definition = texts.len;
		write_definition(t, language, &texts);
		strbuf_addc(&texts, 0);
		n++;
	}
	f->n += n;
	f->n_pages++;
	snprintf(paused, sizeof(paused), "%d", CODE_PAUSED);
	snprintf(disabled, sizeof(disabled), "%d", CODE_DISABLED);
	begin(&a, f, "put", n * ARGS_EACH);
	for (int k = 0; k < n; k++) {
		bool is_paused = rows[k].status == TEMPLATE_PAUSED;

		add(&a, texts.buf + rows[k].key);
		add(&a, texts.buf + rows[k].definition);
		add(&a, word_of(rows[k].status));
		add(&a, is_paused ? paused : disabled);
		add(&a, is_paused ? "Meta has paused this template" : "Meta has disabled this template");
		add(&a, rows[k].category);
	}
	run(&a, f, on_put);
	strbuf_release(&texts);
	free(rows);
}

/* ---- what Graph says ---- */

static void start_anew(struct fetch *f)
{
	f->restarts++;
	f->n = f->n_pages = 0;
	strbuf_reset(&f->keys);
	strbuf_reset(&f->cursor);
	ask_page(f);
}

static void on_page(void *arg, const struct graph_reply *r)
{
	struct fetch *f = arg;
	struct strbuf before = STRBUF_INIT;

	if (r->word == GRAPH_REFUSED && r->code == CURSOR_STALE && f->restarts < RESTARTS_MAX) {
		start_anew(f);
		return;
	}
	if (((r->word == GRAPH_REFUSED && r->code == TOO_HEAVY) || (r->word == GRAPH_AWAY && r->is_too_large)) && f->page > PAGE_LEAST) {
		f->page = f->page / 2 > PAGE_LEAST ? f->page / 2 : PAGE_LEAST;
		ask_page(f);
		return;
	}
	if (r->word != GRAPH_OK) {
		end(f, r);
		return;
	}
	strbuf_adds(&before, f->cursor.buf ? f->cursor.buf : "");
	f->has_more = pages_next(r->json, &f->cursor) && strcmp(before.buf, f->cursor.buf) != 0 && f->n < TEMPLATES_MAX;
	strbuf_release(&before);
	write_page(f, json_object_get(r->json, "data"));
}

static void ask_page(struct fetch *f)
{
	struct strbuf path = STRBUF_INIT, query = STRBUF_INIT;

	strbuf_addf(&path, "%s/message_templates", f->account->waba_id);
	strbuf_adds(&query, "fields=");
	for (int i = 0; i < f->c->o.conf->template_fields.n; i++) {
		strbuf_adds(&query, i ? "," : "");
		graph_add_encoded(&query, f->c->o.conf->template_fields.v[i]);
	}
	strbuf_addf(&query, "&limit=%" PRId64, f->page);
	if (f->name) {
		strbuf_adds(&query, "&name=");
		graph_add_encoded(&query, f->name);
	}
	if (f->cursor.len) {
		strbuf_adds(&query, "&after=");
		graph_add_encoded(&query, f->cursor.buf);
	}
	graph_ask(f->c->o.graph, &(struct graph_call){ .who = { f->account, f->patience_ms, on_page, f }, .name = "templates",
						       .method = "GET", .path = path.buf, .query = query.buf });
	strbuf_release(&path);
	strbuf_release(&query);
}

/* ---- who wants it ---- */

static bool is_same(const struct fetch *f, const struct account *a, const char *name)
{
	return f->account->tenant == a->tenant && !strcmp(f->account->waba_id, a->waba_id) && !f->name == !name &&
	       (!name || !strcmp(f->name, name));
}

/* NULL: nobody fetches it now. */
static struct fetch *find(const struct crawl *c, const struct account *a, const char *name)
{
	for (struct list *l = c->fetches.next; l != &c->fetches; l = l->next) {
		struct fetch *f = CONTAINER_OF(l, struct fetch, list);

		if (is_same(f, a, name))
			return f;
	}
	return NULL;
}

static struct fetch *fetch_of(struct crawl *c, const struct graph_for *who, const char *name)
{
	struct fetch *f = find(c, who->account, name);

	if (f)
		return f;
	f = mem_alloc(sizeof(*f));
	*f = (struct fetch){ .c = c, .account = who->account, .patience_ms = who->patience_ms, .name = name ? mem_strdup(name) : NULL,
			     .page = c->o.conf->template_page, .began = mono_now() };
	strbuf_init(&f->cursor);
	strbuf_init(&f->keys);
	list_init(&f->waiters);
	list_add_tail(&c->fetches, &f->list);
	ask_page(f);
	return f;
}

void crawl_fetch(struct crawl *c, const struct graph_for *who, const char *name)
{
	struct fetch *f = fetch_of(c, who, name);
	struct waiter *w = mem_alloc(sizeof(*w));

	w->who = *who;
	list_add_tail(&f->waiters, &w->list);
}

bool crawl_look(const struct crawl *c, const struct account *a, const char *name, struct crawl_view *out)
{
	const struct fetch *f = find(c, a, name);

	if (f)
		*out = (struct crawl_view){ .templates = f->n, .pages = f->n_pages, .ms = mono_diff_ms(mono_now(), f->began) };
	return f != NULL;
}

/* ---- senders ask ---- */

struct question { struct crawl *c; int port; struct template_ask ask; };

static void tell(struct crawl *c, int port, const struct template_ask *a, enum template_word word, int64_t ms)
{
	struct template_told told = { .ask = *a, .word = word, .ms = ms };
	struct strbuf packet = STRBUF_INIT;

	template_told_write(&told, &packet);
	registry_say(c->o.registry, port, packet.buf, packet.len);
	strbuf_release(&packet);
}

static void on_found_out(void *arg, const struct graph_reply *r)
{
	struct question *q = arg;

	tell(q->c, q->port, &q->ask, r->word == GRAPH_OK ? TEMPLATE_FETCHED : TEMPLATE_NOBODY_KNOWS,
	     r->retry_after_ms > 0 ? r->retry_after_ms : AGAIN_MS);
	free(q);
}

static bool on_question(void *arg, int port, const char *data, size_t len)
{
	struct crawl *c = arg;
	struct template_ask a;
	struct question *q;
	struct tenant *t;
	struct account *account;

	if (template_ask_read(data, len, &a) < 0)
		return false;
	t = tenant_set_find(c->o.conf->tenants, a.tenant);
	account = t ? tenant_account(t, a.account) : NULL;
	if (!account) {			/* it went meanwhile, or this keeper has not heard of it yet */
		tell(c, port, &a, TEMPLATE_NOBODY_KNOWS, AGAIN_MS);
		return true;
	}
	q = mem_alloc(sizeof(*q));
	*q = (struct question){ .c = c, .port = port, .ask = a };
	crawl_fetch(c, &(struct graph_for){ account, NEED_PATIENCE_MS, on_found_out, q }, a.name);
	return true;
}

/* ---- the job ---- */

struct run { struct crawl *c; struct job *job; };

static void on_fetched(void *arg, const struct graph_reply *r)
{
	struct run *run_ = arg;
	struct crawl *c = run_->c;
	struct job *job = run_->job;
	const struct account *a = job_account(job);
	struct alert_subject who = { a->tenant->id, a->id, "templates" };

	free(run_);
	if (r->word == GRAPH_OK) {
		alert_resolve(c->o.alerts, ALERT_TEMPLATES_UNKNOWN, &who, "the templates were fetched");
		job_end(job, true, -1, "%" JSON_INTEGER_FORMAT " templates", json_integer_value(json_object_get(r->json, "templates")));
		return;
	}
	if (r->word == GRAPH_REFUSED)
		alert_raise(c->o.alerts, ALERT_TEMPLATES_UNKNOWN, &who, "Graph does not list the templates: %d: %s", r->code, r->text);
	job_end(job, false, r->retry_after_ms, "%s", r->text);
}

/* A restart, or another account of the business account, is no reason to fetch all of it again. */
static void on_age(void *arg, const struct store_reply *r)
{
	struct run *run_ = arg;
	struct crawl *c = run_->c;
	int64_t age = r && !r->error && r->n == 1 ? wall_ms() - r->v[0].i : INT64_MAX;

	if (age >= 0 && age < c->o.conf->template_refresh / 2) {
		job_end(run_->job, true, -1, "fetched %" PRId64 " s ago", age / 1000);
		free(run_);
	} else {
		crawl_fetch(c, &(struct graph_for){ job_account(run_->job), PATIENCE_MS, on_fetched, run_ }, NULL);
	}
}

static void start_job(void *arg, struct job *job)
{
	struct crawl *c = arg;
	struct run *r;
	const struct account *a = job_account(job);
	char key[KEY_TEXT_MAX];

	if (!conf_feature_is_on(c->o.conf, a->tenant, FEATURE_TEMPLATES)) {
		job_end(job, true, -1, "template messages are switched off");
		return;
	}
	r = mem_alloc(sizeof(*r));
	*r = (struct run){ c, job };
	key_templates(c->o.conf, a, key);
	if (store_command(c->o.store, (struct store_arg[]){ STORE_ARG("HGET"), STORE_ARG(key), STORE_ARG(":at") }, 3, on_age, r) < 0)
		on_age(r, NULL);
}

struct crawl *crawl_new(const struct crawl_options *o)
{
	struct crawl *c = mem_alloc(sizeof(*c));

	c->o = *o;
	list_init(&c->fetches);
	if (o->registry)
		registry_on_other(o->registry, on_question, c);
	if (o->jobs)
		jobs_add(o->jobs, JOB_TEMPLATES, true, start_job, c);
	return c;
}

void crawl_free(struct crawl **cp)
{
	free(*cp);
	*cp = NULL;
}
