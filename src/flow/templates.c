#include "flow/templates.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "flow/keys.h"
#include "msg/template_wire.h"

enum {
	ANSWER_MS = 5000,		/* beyond graph.manage_timeout: then the keeper is away */
	AWAY_MS = 1000,
	DOUBT_PAUSE_MS = 5000,
	TICK_MS = 200,
	UNKNOWN_MAX = 10000,
	KEY_MAX = TEMPLATE_NAME_MAX + 64,
};

enum step { REST, LOOKING, ASKING, LOOKING_AGAIN };

struct book {				/* of one tenant and business account */
	struct name name;
	struct templates *t;
	const struct account *account;	/* one of those it belongs to: for keys */
	char *key;			/* "tenant/waba" */
	struct names leaves;
	int64_t gen;
	uint64_t seen;			/* board->templates_changed when the generation was asked for */
	mono_t checked;
	bool is_checking;
};

struct leaf {				/* one template in one language, known or not */
	struct name name;
	struct book *book;
	char *key;			/* "name/language" */
	struct template_def *def;	/* NULL: not known */
	int64_t gen;			/* of the book when it was read */
	mono_t unknown_until, away_until, asked, doubted;
	bool was_doubted;
	enum step step;
	const struct account *account;	/* whose token asks Graph */
	struct list waiters;
	struct list asking;		/* in templates.asking while the keeper has the question */
};

struct templates {
	struct templates_options o;
	struct names books;
	struct book **of_account;	/* by account.index */
	int n_of_account;
	int n_unknown;
	struct list asking, ready;
	struct loop_timer tick, now;
};

static bool is_before(const struct templates *t, mono_t at)
{
	return at.us && mono_before(loop_now(t->o.loop), at);
}

static mono_t after(const struct templates *t, int64_t ms)
{
	return mono_add_ms(loop_now(t->o.loop), ms);
}

static uint64_t board_changes(const struct templates *t)
{
	return atomic_load_explicit(&t->o.board->templates_changed, memory_order_acquire);
}

/* ---- telling those who wait ---- */

static void on_now(void *arg)
{
	struct templates *t = arg;
	struct list now;

	list_init(&now);
	while (!list_is_empty(&t->ready))
		list_add_tail(&now, list_pop(&t->ready));
	while (!list_is_empty(&now)) {
		struct directory_waiter *w = CONTAINER_OF(list_pop(&now), struct directory_waiter, list);

		w->ready(w->arg);
	}
}

static void release(struct leaf *l)
{
	struct templates *t = l->book->t;

	l->step = REST;
	while (!list_is_empty(&l->waiters))
		list_add_tail(&t->ready, list_pop(&l->waiters));
	if (!list_is_empty(&t->ready))
		loop_timer_set(t->o.loop, &t->now, 0);
}

static void replace(struct leaf *l, struct template_def *fresh)
{
	l->book->t->n_unknown += !fresh - !l->def;
	template_free(&l->def);
	l->def = fresh;
}

/* ---- books and leaves ---- */

static struct book *book_of(struct templates *t, const struct account *a)
{
	char key[TENANT_NAME_MAX + GRAPH_ID_MAX + 2];
	struct name *found;
	struct book *b;

	if (a->index < t->n_of_account && t->of_account[a->index])
		return t->of_account[a->index];
	if (a->index >= t->n_of_account) {
		int n = a->index + 64;

		t->of_account = mem_grow(t->of_account, (size_t)n, sizeof(*t->of_account));
		memset(t->of_account + t->n_of_account, 0, (size_t)(n - t->n_of_account) * sizeof(*t->of_account));
		t->n_of_account = n;
	}
	snprintf(key, sizeof(key), "%s/%s", a->tenant->id, a->waba_id);
	found = names_find(&t->books, key);
	if (found)
		return t->of_account[a->index] = CONTAINER_OF(found, struct book, name);
	b = mem_alloc(sizeof(*b));
	*b = (struct book){ .t = t, .account = a, .key = mem_strdup(key), .seen = board_changes(t), .checked = loop_now(t->o.loop) };
	b->name.text = b->key;
	names_add(&t->books, &b->name);
	return t->of_account[a->index] = b;
}

static void leaf_free(struct leaf *l)
{
	template_free(&l->def);
	list_del(&l->asking);
	free(l->key);
	free(l);
}

static bool is_forgotten(void *arg, struct name *n)
{
	struct leaf *l = CONTAINER_OF(n, struct leaf, name);
	struct templates *t = arg;

	if (l->def || l->step != REST || is_before(t, l->unknown_until) || !list_is_empty(&l->waiters))
		return false;
	leaf_free(l);
	t->n_unknown--;
	return true;
}

static struct leaf *leaf_of(struct book *b, const char *name, const char *language)
{
	char key[KEY_MAX];
	struct name *found;
	struct leaf *l;

	snprintf(key, sizeof(key), "%s/%s", name, language);
	found = names_find(&b->leaves, key);
	if (found)
		return CONTAINER_OF(found, struct leaf, name);
	if (b->t->n_unknown >= UNKNOWN_MAX)	/* made-up names must not fill the memory */
		for (int i = 0; i < b->t->books.n; i++)
			names_sweep(&CONTAINER_OF(b->t->books.v[i], struct book, name)->leaves, is_forgotten, b->t);
	l = mem_alloc(sizeof(*l));
	*l = (struct leaf){ .book = b, .key = mem_strdup(key) };
	l->name.text = l->key;
	list_init(&l->waiters);
	list_init(&l->asking);
	b->t->n_unknown++;
	names_add(&b->leaves, &l->name);
	return l;
}

/* ---- the keeper ---- */

int templates_ask(struct directory *d, const struct account *a, const char *name)
{
	struct template_ask ask;
	struct strbuf packet = STRBUF_INIT;
	int err;

	snprintf(ask.tenant, sizeof(ask.tenant), "%s", a->tenant->id);
	snprintf(ask.account, sizeof(ask.account), "%s", a->id);
	snprintf(ask.name, sizeof(ask.name), "%s", name);
	template_ask_write(&ask, &packet);
	err = directory_say(d, packet.buf, packet.len);
	strbuf_release(&packet);
	return err;
}

static bool ask_keeper(struct leaf *l)
{
	char name[TEMPLATE_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(l->key, "/"), l->key);
	return templates_ask(l->book->t->o.directory, l->account, name) == 0;
}

static void start_asking(struct leaf *l)
{
	struct templates *t = l->book->t;

	if (!ask_keeper(l)) {
		l->away_until = after(t, AWAY_MS);
		release(l);
		return;
	}
	l->step = ASKING;
	l->asked = loop_now(t->o.loop);
	list_add_tail(&t->asking, &l->asking);
	if (!loop_timer_is_set(&t->tick))
		loop_timer_set(t->o.loop, &t->tick, TICK_MS);
}

/* Questions without an answer: the keeper died with them, or Graph hangs longer than it may. */
static void on_tick(void *arg)
{
	struct templates *t = arg;

	while (!list_is_empty(&t->asking)) {
		struct leaf *l = CONTAINER_OF(t->asking.next, struct leaf, asking);

		if (mono_diff_ms(loop_now(t->o.loop), l->asked) < t->o.conf->manage_timeout + ANSWER_MS)
			break;
		list_del(&l->asking);
		l->away_until = after(t, AWAY_MS);
		release(l);
	}
	if (!list_is_empty(&t->asking))
		loop_timer_set(t->o.loop, &t->tick, TICK_MS);
}

/* ---- Redis ---- */

static void look(struct leaf *l, enum step step);

static struct template_def *compile(const struct leaf *l, const struct store_value *v)
{
	struct strbuf why = STRBUF_INIT;
	struct template_def *def = NULL;
	json_t *json = NULL;

	if (json_parse(v->s, v->len, &json, &why) == JSON_OK)
		def = template_compile(json, &why);
	if (!def)
		log_warn("template_unreadable", "tenant=%s template=%s: %s", l->account->tenant->id, l->key, why.buf);
	json_decref(json);
	strbuf_release(&why);
	return def;
}

static void on_looked(void *arg, const struct store_reply *r)
{
	struct leaf *l = arg;
	struct templates *t = l->book->t;
	enum step was = l->step;
	struct template_def *def;

	if (r && r->error)
		log_error("script_failed", "script=catalogue %s", r->error);
	if (!r || r->error || r->n != 4) {
		l->away_until = after(t, AWAY_MS);
		release(l);
		return;
	}
	l->book->gen = r->v[0].i;
	l->gen = r->v[0].i;
	def = r->v[2].len ? compile(l, &r->v[2]) : NULL;
	if (def || l->def)
		replace(l, def);
	if (!def && !r->v[3].i && was == LOOKING) {
		start_asking(l);
		return;
	}
	l->unknown_until = (mono_t){ 0 };
	if (!def)
		l->unknown_until = after(t, t->o.conf->template_unknown);
	release(l);
}

static void look(struct leaf *l, enum step step)
{
	const struct conf *c = l->book->t->o.conf;
	char key[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], ttl[24];

	l->step = step;
	key_templates(c, l->account, key);
	key_holds(c, l->account->tenant, holds);
	snprintf(ttl, sizeof(ttl), "%" PRId64, c->template_unknown);
	if (store_script(l->book->t->o.store, SCRIPT_CATALOGUE, 2,
			 (struct store_arg[]){ STORE_ARG(key), STORE_ARG(holds), STORE_ARG("look"), STORE_ARG(""), STORE_ARG("0"), STORE_ARG("0"),
					       STORE_ARG("0"), STORE_ARG(ttl), STORE_ARG(l->key) }, 9, on_looked, l) < 0) {
		l->away_until = after(l->book->t, AWAY_MS);
		release(l);
	}
}

static void on_packet(void *arg, const char *data, size_t len)
{
	struct templates *t = arg;
	struct template_told told;
	size_t n;

	if (template_told_read(data, len, &told) < 0) {
		log_error("link", "the keeper says what nobody understands");
		return;
	}
	n = strlen(told.ask.name);
	for (struct list *next, *at = t->asking.next; at != &t->asking; at = next) {
		struct leaf *l = CONTAINER_OF(at, struct leaf, asking);

		next = at->next;
		if (strncmp(l->key, told.ask.name, n) != 0 || l->key[n] != '/' || strcmp(l->account->tenant->id, told.ask.tenant) != 0 ||
		    strcmp(l->account->id, told.ask.account) != 0)
			continue;
		list_del(&l->asking);
		if (told.word == TEMPLATE_FETCHED) {
			look(l, LOOKING_AGAIN);
		} else {
			l->away_until = after(t, told.ms > AWAY_MS ? told.ms : AWAY_MS);
			release(l);
		}
	}
}

/* ---- is what is in memory still what the catalogue has? ---- */

static void on_gen(void *arg, const struct store_reply *r)
{
	struct book *b = arg;

	b->is_checking = false;
	if (r && !r->error && r->n == 1)
		b->gen = r->v[0].i;	/* nothing there any more: 0, which no leaf has */
}

static void check(struct book *b)
{
	struct templates *t = b->t;
	uint64_t changes = board_changes(t);
	char key[KEY_TEXT_MAX];

	if (b->is_checking || (b->seen == changes && mono_diff_ms(loop_now(t->o.loop), b->checked) < t->o.conf->template_check))
		return;
	key_templates(t->o.conf, b->account, key);
	if (store_command(t->o.store, (struct store_arg[]){ STORE_ARG("HGET"), STORE_ARG(key), STORE_ARG(":gen") }, 3, on_gen, b) < 0)
		return;
	b->is_checking = true;
	b->seen = changes;
	b->checked = loop_now(t->o.loop);
}

/* ---- finding ---- */

enum templates_word templates_find(struct templates *t, const struct account *a, const char *name, const char *language,
				   const struct template_def **out)
{
	struct book *b = book_of(t, a);
	struct leaf *l = leaf_of(b, name, language);

	*out = NULL;
	check(b);
	l->account = a;
	if (l->def) {
		if (l->gen != b->gen && l->step == REST && !is_before(t, l->away_until))
			look(l, LOOKING);
		*out = l->def;
		return TEMPLATES_FOUND;
	}
	if (l->step != REST)
		return TEMPLATES_ASKED;
	if (is_before(t, l->unknown_until) && l->gen == b->gen)
		return TEMPLATES_UNKNOWN;
	if (is_before(t, l->away_until))
		return TEMPLATES_AWAY;
	look(l, LOOKING);
	return l->step == REST ? TEMPLATES_AWAY : TEMPLATES_ASKED;
}

void templates_wait(struct templates *t, const struct account *a, const char *name, const char *language, struct directory_waiter *w)
{
	list_add_tail(&leaf_of(book_of(t, a), name, language)->waiters, &w->list);
}

void templates_doubt(struct templates *t, const struct account *a, const char *name)
{
	struct leaf *l = leaf_of(book_of(t, a), name, "");	/* stands for the name: no template has it as its language */

	if (l->was_doubted && mono_diff_ms(loop_now(t->o.loop), l->doubted) < DOUBT_PAUSE_MS)
		return;
	l->account = a;
	l->was_doubted = true;
	l->doubted = loop_now(t->o.loop);
	if (!ask_keeper(l))
		log_debug("link", "the keeper cannot be asked");
}

/* ---- birth and death ---- */

struct templates *templates_new(const struct templates_options *o)
{
	struct templates *t = mem_alloc(sizeof(*t));

	t->o = *o;
	list_init(&t->asking);
	list_init(&t->ready);
	loop_timer_init(&t->tick, on_tick, t);
	loop_timer_init(&t->now, on_now, t);
	directory_on_other(o->directory, on_packet, t);
	return t;
}

void templates_free(struct templates **tp)
{
	struct templates *t = *tp;

	if (!t)
		return;
	loop_timer_stop(t->o.loop, &t->tick);
	loop_timer_stop(t->o.loop, &t->now);
	for (int i = 0; i < t->books.n; i++) {
		struct book *b = CONTAINER_OF(t->books.v[i], struct book, name);

		for (int k = 0; k < b->leaves.n; k++)
			leaf_free(CONTAINER_OF(b->leaves.v[k], struct leaf, name));
		names_release(&b->leaves);
		free(b->key);
		free(b);
	}
	names_release(&t->books);
	free(t->of_account);
	free(t);
	*tp = NULL;
}
