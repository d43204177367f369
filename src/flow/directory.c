#include "flow/directory.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "io/packets.h"
#include "msg/tenant_wire.h"

enum {
	ANSWER_MS = 2000,		/* beyond tenant_service.timeout: then the keeper is away */
	KEEPER_AWAY_MS = 500,
	RECHECK_MS = 3000,		/* a refused message waits so long for another token; its lease has more */
	RECHECK_PAUSE_MS = 1000,	/* what the source said so lately, it would say again */
	TICK_MS = 100,
	UNKNOWN_MAX = 10000,
};

struct entry {
	struct name name;
	char id[TENANT_NAME_MAX + 1];
	struct tenant *tenant;		/* in conf->tenants; NULL: not known */
	uint64_t version;		/* of what the keeper told, 0: nothing */
	uint64_t seen;			/* board->tenants_changed when it was asked */
	mono_t asked, fresh_until, stale_until, unknown_until, away_until, rechecked;
	bool is_asking, is_forced, was_rechecked;
	struct list waiters, rechecks;
	struct tenant_parts parts;	/* that came so far */
};

struct directory {
	struct loop *loop;
	const struct conf *conf;
	struct board *board;
	struct packets *link;		/* NULL: no keeper */
	struct names entries;
	int n_unknown, n_asking;
	uint64_t followed;		/* board->tenants_changed up to which all that is known was asked for anew */
	uint64_t settled;		/* and has an answer */
	struct loop_timer tick, now;
	struct list ready;		/* whose callback comes in the next turn */
	void (*changed)(void *arg);
	void *arg;
	void (*on_other)(void *arg, const char *data, size_t len);
	void *other;
};

static bool is_service(const struct directory *d)
{
	return *d->conf->service_url != 0;
}

static bool is_before(const struct directory *d, mono_t t)
{
	return t.us && mono_before(loop_now(d->loop), t);
}

static mono_t after(const struct directory *d, int64_t ms)
{
	return mono_add_ms(loop_now(d->loop), ms);
}

static uint64_t board_changes(const struct directory *d)
{
	return atomic_load_explicit(&d->board->tenants_changed, memory_order_acquire);
}

/* ---- entries ---- */

static struct entry *entry_at(const struct directory *d, int i)
{
	return CONTAINER_OF(d->entries.v[i], struct entry, name);
}

static void let_go(struct list *waiters)
{
	while (!list_is_empty(waiters))
		list_pop(waiters);
}

static void entry_free(struct entry *e)
{
	let_go(&e->waiters);	/* none but at the very end: nobody answers them any more */
	let_go(&e->rechecks);
	tenant_parts_drop(&e->parts);
	free(e);
}

static bool is_forgotten(void *arg, struct name *n)
{
	struct directory *d = arg;
	struct entry *e = CONTAINER_OF(n, struct entry, name);

	if (e->tenant || e->is_asking || is_before(d, e->unknown_until) || is_before(d, e->away_until))
		return false;
	entry_free(e);
	d->n_unknown--;
	return true;
}

static struct entry *entry_of(struct directory *d, const char *id)
{
	struct name *found = names_find(&d->entries, id);
	struct entry *e;

	if (found)
		return CONTAINER_OF(found, struct entry, name);
	if (d->n_unknown >= UNKNOWN_MAX)	/* made-up ids must not fill the memory */
		names_sweep(&d->entries, is_forgotten, d);
	e = mem_alloc(sizeof(*e));
	snprintf(e->id, sizeof(e->id), "%s", id);
	e->name.text = e->id;
	strbuf_init(&e->parts.doc);
	list_init(&e->waiters);
	list_init(&e->rechecks);
	if (!is_service(d))
		e->tenant = conf_tenant(d->conf, id);
	e->seen = board_changes(d);
	d->n_unknown += !e->tenant;
	names_add(&d->entries, &e->name);
	return e;
}

/* ---- telling those who wait ---- */

static void on_now(void *arg)
{
	struct directory *d = arg;
	struct list now;

	list_init(&now);
	while (!list_is_empty(&d->ready))
		list_add_tail(&now, list_pop(&d->ready));
	while (!list_is_empty(&now)) {
		struct directory_waiter *w = CONTAINER_OF(list_pop(&now), struct directory_waiter, list);

		w->ready(w->arg);
	}
}

static void release(struct directory *d, struct list *from)
{
	while (!list_is_empty(from))
		list_add_tail(&d->ready, list_pop(from));
	if (!list_is_empty(&d->ready))
		loop_timer_set(d->loop, &d->now, 0);
}

/* ---- asking ---- */

static void ask(struct directory *d, struct entry *e, bool forced)
{
	struct tenant_ask a = { .version = e->version, .forced = forced };
	struct strbuf packet = STRBUF_INIT;

	if (e->is_asking && (e->is_forced || !forced))
		return;
	if (!e->is_asking)
		d->n_asking++;
	e->is_asking = true;
	e->is_forced = forced;
	e->asked = loop_now(d->loop);
	e->seen = board_changes(d);
	snprintf(a.id, sizeof(a.id), "%s", e->id);
	tenant_ask_write(&a, &packet);
	if (!d->link || packets_send(d->link, packet.buf, packet.len) < 0)
		log_debug("link", "the keeper cannot be asked");	/* on_tick gives it up */
	strbuf_release(&packet);
	if (!loop_timer_is_set(&d->tick))
		loop_timer_set(d->loop, &d->tick, TICK_MS);
}

static void has_answer(struct directory *d, struct entry *e)
{
	if (e->is_asking)
		d->n_asking--;
	if (e->is_forced) {
		e->was_rechecked = true;
		e->rechecked = loop_now(d->loop);
	}
	e->is_asking = e->is_forced = false;
	tenant_parts_drop(&e->parts);
	release(d, &e->waiters);
	release(d, &e->rechecks);
}

/* Questions without an answer: the keeper is being started again, or the service hangs. */
static void on_tick(void *arg)
{
	struct directory *d = arg;

	for (int i = 0; i < d->entries.n && d->n_asking > 0; i++) {
		struct entry *e = entry_at(d, i);
		int64_t waited = e->is_asking ? mono_diff_ms(loop_now(d->loop), e->asked) : 0;

		if (!e->is_asking)
			continue;
		if (waited >= RECHECK_MS)
			release(d, &e->rechecks);
		if (waited < d->conf->service_timeout + ANSWER_MS && d->link)
			continue;
		e->away_until = after(d, KEEPER_AWAY_MS);
		has_answer(d, e);
	}
	if (d->n_asking > 0)
		loop_timer_set(d->loop, &d->tick, TICK_MS);
}

/* Something known has changed: all that is used here is asked for, and mostly found to be the same. */
static void follow(struct directory *d)
{
	uint64_t changes = board_changes(d);

	if (changes == d->followed)
		return;
	for (int i = 0; i < d->entries.n; i++)
		if (entry_at(d, i)->tenant && entry_at(d, i)->seen != changes)
			ask(d, entry_at(d, i), false);
	if (!is_service(d))
		for (int i = 0; i < tenant_set_size(d->conf->tenants); i++)
			ask(d, entry_of(d, tenant_set_at(d->conf->tenants, i)->id), false);
	d->followed = changes;
}

uint64_t directory_follow(struct directory *d)
{
	follow(d);
	return d->n_asking ? d->settled : (d->settled = d->followed);
}

static enum directory_word find_in_service(struct directory *d, struct entry *e)
{
	bool is_due = !is_before(d, e->fresh_until), is_too_old = is_due && !is_before(d, e->stale_until);

	if (e->tenant && !is_too_old) {
		if (is_due && !is_before(d, e->away_until))
			ask(d, e, false);
		return DIRECTORY_FOUND;
	}
	if (is_before(d, e->unknown_until) && e->seen == board_changes(d))
		return DIRECTORY_UNKNOWN;
	if (!e->is_asking && is_before(d, e->away_until))
		return DIRECTORY_AWAY;
	ask(d, e, false);
	return DIRECTORY_ASKED;
}

enum directory_word directory_find(struct directory *d, const char *tenant_id, struct tenant **t)
{
	struct entry *e;
	enum directory_word word;

	*t = NULL;
	follow(d);
	if (!tenant_name_is_good(tenant_id))
		return DIRECTORY_UNKNOWN;
	if (!is_service(d)) {
		*t = conf_tenant(d->conf, tenant_id);
		return *t ? DIRECTORY_FOUND : DIRECTORY_UNKNOWN;
	}
	e = entry_of(d, tenant_id);
	word = find_in_service(d, e);
	*t = word == DIRECTORY_FOUND ? e->tenant : NULL;
	return word;
}

void directory_wait(struct directory *d, const char *tenant_id, struct directory_waiter *w)
{
	list_add_tail(&entry_of(d, tenant_id)->waiters, &w->list);
}

void directory_recheck(struct directory *d, const struct account *a, unsigned serial, struct directory_waiter *w)
{
	struct entry *e = entry_of(d, a->tenant->id);
	bool lately = e->was_rechecked && mono_diff_ms(loop_now(d->loop), e->rechecked) < RECHECK_PAUSE_MS;

	if (!d->link || a->token_serial != serial || a->is_gone || (lately && !e->is_asking)) {
		list_add_tail(&d->ready, &w->list);
		loop_timer_set(d->loop, &d->now, 0);
		return;
	}
	list_add_tail(&e->rechecks, &w->list);
	ask(d, e, true);
}

void directory_on_change(struct directory *d, void (*changed)(void *arg), void *arg)
{
	d->changed = changed;
	d->arg = arg;
}

/* ---- what the keeper says ---- */

static void take_tenant(struct directory *d, struct entry *e, uint64_t version)
{
	struct tenant *fresh = tenant_doc_read(e->parts.doc.buf, e->parts.doc.len);
	bool was_known = e->tenant != NULL, changed;

	if (!fresh || strcmp(fresh->id, e->id) != 0) {
		log_error("link", "tenant=%s: the keeper's words are not understood", e->id);
		tenant_free(&fresh);
		return;
	}
	for (int i = 0; i < fresh->n_accounts; i++) {	/* the keeper's business; here the keeper is the source */
		mem_free_secret(fresh->accounts[i]->replaced);
		fresh->accounts[i]->replaced = NULL;
	}
	d->n_unknown -= !was_known;
	e->tenant = tenant_set_put(d->conf->tenants, fresh, &changed);
	e->version = version;
	if (changed && was_known)
		d->changed(d->arg);
}

static void on_packet(void *arg, const char *data, size_t len)
{
	struct directory *d = arg;
	struct tenant_answer a;
	struct entry *e;

	if (tenant_answer_read(data, len, &a) < 0) {
		d->on_other(d->other, data, len);
		return;
	}
	e = entry_of(d, a.id);
	if (e->is_forced && !a.forced)
		return;			/* to an earlier question; the forced one's answer follows */
	if (a.word == TENANT_FOUND) {
		if (!tenant_part_take(&e->parts, &a))
			return;
		take_tenant(d, e, a.version);
	}
	switch (a.word) {
	case TENANT_FOUND:
	case TENANT_SAME:
		e->fresh_until = after(d, a.ms);
		e->stale_until = after(d, a.keep_ms);
		e->unknown_until = e->away_until = (mono_t){ 0 };
		break;
	case TENANT_UNKNOWN:
		e->unknown_until = after(d, a.ms);
		if (e->tenant && is_service(d)) {
			tenant_set_forget(d->conf->tenants, e->id);
			e->tenant = NULL;
			e->version = 0;
			d->n_unknown++;
			d->changed(d->arg);
		}
		break;
	case TENANT_AWAY:
		e->away_until = after(d, a.ms);
		break;
	}
	has_answer(d, e);
}

/* ---- other words on the link ---- */

static void nobody_understands(void *arg UNUSED, const char *data UNUSED, size_t len UNUSED)
{
	log_error("link", "the keeper says what nobody understands");
}

void directory_on_other(struct directory *d, void (*on_other)(void *arg, const char *data, size_t len), void *arg)
{
	d->on_other = on_other;
	d->other = arg;
}

int directory_say(struct directory *d, const char *data, size_t len)
{
	return d->link ? packets_send(d->link, data, len) : -1;
}

/* ---- birth and death ---- */

static void nothing_changes(void *arg)
{
	(void)arg;
}

struct directory *directory_new(struct loop *l, const struct conf *c, struct board *board, int link_fd)
{
	struct directory *d = mem_alloc(sizeof(*d));

	d->loop = l;
	d->conf = c;
	d->board = board;
	d->changed = nothing_changes;
	d->on_other = nobody_understands;
	list_init(&d->ready);
	loop_timer_init(&d->tick, on_tick, d);
	loop_timer_init(&d->now, on_now, d);
	d->link = link_fd >= 0 ? packets_new(l, link_fd, on_packet, d) : NULL;
	return d;
}

void directory_free(struct directory **dp)
{
	struct directory *d = *dp;

	if (!d)
		return;
	loop_timer_stop(d->loop, &d->tick);
	loop_timer_stop(d->loop, &d->now);
	packets_free(&d->link);
	for (int i = 0; i < d->entries.n; i++)
		entry_free(entry_at(d, i));
	names_release(&d->entries);
	let_go(&d->ready);
	free(d);
	*dp = NULL;
}
