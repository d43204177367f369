#include "flow/registry_inside.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/owner.h"

enum {
	FORCED_PAUSE_MS = 200,		/* Graph refuses a token to many messages at once */
	BACKOFF_MIN_MS = 100,
	AWAY_AFTER = 3,			/* failures in a row: it is not one tenant, it is the service */
	AGAIN_MS = 250,			/* while one call tries whether it is back */
	UNKNOWN_MAX = 10000,		/* ids that nobody knows are remembered so far */
};

struct waiter {
	struct list list;
	registry_done_f *done;
	void *arg;
};

int64_t registry_left_ms(mono_t until)
{
	return until.us && mono_before(mono_now(), until) ? mono_diff_ms(until, mono_now()) + 1 : 0;
}

/* ---- entries ---- */

struct entry *registry_entry_at(const struct registry *r, int i)
{
	return CONTAINER_OF(r->entries.v[i], struct entry, name);
}

static void entry_free(struct entry *e)
{
	free(e->etag);
	free(e);
}

static bool is_forgotten(void *arg, struct name *n)
{
	struct registry *r = arg;
	struct entry *e = CONTAINER_OF(n, struct entry, name);

	if (e->tenant || e->is_asking || registry_left_ms(e->away_until) || registry_left_ms(e->unknown_until))
		return false;
	entry_free(e);
	r->n_unknown--;
	return true;
}

struct entry *registry_entry(struct registry *r, const char *id)
{
	struct name *found = names_find(&r->entries, id);
	struct entry *e;

	if (found)
		return CONTAINER_OF(found, struct entry, name);
	if (r->n_unknown >= UNKNOWN_MAX)	/* made-up ids must not fill the memory */
		names_sweep(&r->entries, is_forgotten, r);
	e = mem_alloc(sizeof(*e));
	e->r = r;
	snprintf(e->id, sizeof(e->id), "%s", id);
	e->name.text = e->id;
	list_init(&e->waiters);
	names_add(&r->entries, &e->name);
	r->n_unknown++;
	return e;
}

/* ---- what is known ---- */

static void tell_senders(struct registry *r)
{
	atomic_fetch_add_explicit(&r->o.board->tenants_changed, 1, memory_order_release);
}

void registry_changed(struct registry *r)
{
	tell_senders(r);
}

static void wipe_gone(void *arg, struct account *a)
{
	(void)arg;
	account_wipe(a);
}

static int64_t pause_ms(const struct entry *e)
{
	int64_t one = registry_left_ms(e->away_until), all = registry_left_ms(e->r->away_until), longest = one > all ? one : all;

	return longest ? longest : AGAIN_MS;
}

/* The present word about it, by what is known already. */
static struct registry_answer answer_of(const struct entry *e)
{
	int64_t fresh = registry_left_ms(e->fresh_until), unknown = registry_left_ms(e->unknown_until);

	if (e->tenant && (fresh || registry_left_ms(e->stale_until)))
		return (struct registry_answer){ TENANT_FOUND, e->tenant, fresh ? fresh : pause_ms(e), registry_left_ms(e->stale_until), fresh > 0 };
	if (unknown)
		return (struct registry_answer){ TENANT_UNKNOWN, NULL, unknown, 0, true };
	return (struct registry_answer){ TENANT_AWAY, NULL, pause_ms(e), 0, false };
}

static void answer_waiters(struct entry *e)
{
	struct registry_answer a = answer_of(e);
	struct list now;

	list_init(&now);
	while (!list_is_empty(&e->waiters))
		list_add_tail(&now, list_pop(&e->waiters));
	while (!list_is_empty(&now)) {
		struct waiter *w = CONTAINER_OF(list_pop(&now), struct waiter, list);

		w->done(w->arg, &a);
		free(w);
	}
}

/* ---- what the service says ---- */

static void keep_fresh(struct entry *e, const char *etag)
{
	const struct conf *c = e->r->o.conf;

	e->fresh_until = mono_add_ms(mono_now(), c->service_ttl);
	e->stale_until = mono_add_ms(e->fresh_until, c->service_stale);
	e->unknown_until = e->away_until = (mono_t){ 0 };
	if (etag && *etag) {
		free(e->etag);
		e->etag = mem_strdup(etag);
	}
	if (e->r->o.store && e->tenant)
		owner_write(c, e->r->o.store, e->tenant);
}

static void note_readable(struct entry *e, const char *why)
{
	struct alert_subject who = { e->id, NULL, NULL };

	if (*why) {
		log_warn("tenant_unreadable", "tenant=%s %s", e->id, why);
		alert_raise(e->r->o.alerts, ALERT_TENANT_UNREADABLE, &who, "%s", why);
	} else if (e->is_unreadable) {
		alert_resolve(e->r->o.alerts, ALERT_TENANT_UNREADABLE, &who, "the tenant service says it well");
	}
	e->is_unreadable = *why != 0;
}

/* Whoever has the number keeps it; the other tenant is told of, and goes on without this account. */
static void drop_taken_numbers(const struct entry *e, struct tenant *fresh, struct strbuf *why)
{
	const struct account *by, *a;

	while ((a = tenant_set_number_is_taken(e->r->o.conf->tenants, fresh, &by))) {
		strbuf_addf(why, "%saccount %s: its phone number id %s belongs to tenant %s", why->len ? "; " : "", a->id,
			    a->phone_number_id, by->tenant->id);
		tenant_drop_account(fresh, a);
	}
}

static void on_found(struct entry *e, struct tenant *fresh, const char *etag, const char *why)
{
	struct registry *r = e->r;
	bool was_known = e->tenant != NULL, changed;
	struct strbuf words = STRBUF_INIT;

	strbuf_adds(&words, why);
	drop_taken_numbers(e, fresh, &words);
	note_readable(e, words.buf);
	strbuf_release(&words);
	r->n_unknown -= !was_known;
	e->tenant = tenant_set_put(r->o.conf->tenants, fresh, &changed);
	keep_fresh(e, etag);
	tenant_set_each_gone(r->o.conf->tenants, wipe_gone, NULL);
	if (changed)
		log_info("tenant", "tenant=%s accounts=%d%s%s", e->id, e->tenant->n_accounts, e->tenant->suspended ? " suspended" : "",
			 was_known ? " changed" : "");
	if (changed && was_known)
		tell_senders(r);
}

static void on_unknown(struct entry *e)
{
	struct registry *r = e->r;

	if (e->tenant) {
		log_notice("tenant", "tenant=%s: the tenant service knows it no longer", e->id);
		tenant_set_forget(r->o.conf->tenants, e->id);
		tenant_set_each_gone(r->o.conf->tenants, wipe_gone, NULL);
		e->tenant = NULL;
		r->n_unknown++;
		tell_senders(r);
	}
	free(e->etag);
	e->etag = NULL;
	e->unknown_until = mono_add_ms(mono_now(), r->o.conf->service_unknown);
	if (!r->o.conf->service_unknown)
		e->unknown_until = mono_add_ms(mono_now(), 1);		/* as long as this answer takes */
}

static int64_t backoff(const struct registry *r, int failures)
{
	int64_t most = BACKOFF_MIN_MS << (failures < 12 ? failures : 12);

	if (most > r->o.conf->service_retry)
		most = r->o.conf->service_retry;
	return most / 2 + (int64_t)(rand_u64() % (uint64_t)(most / 2 + 1));
}

static void on_away(struct entry *e, const struct service_answer *a)
{
	struct registry *r = e->r;
	static struct log_limit limit;
	unsigned left_out;

	r->failures++;
	e->failures++;
	e->away_until = mono_add_ms(mono_now(), backoff(r, e->failures));
	snprintf(r->why, sizeof(r->why), "%s", a->why);
	if (log_limit_ok(&limit, &left_out))
		log_warn("tenants_away", "tenant=%s %s", e->id, a->why);
	if (a->is_about_one) {
		note_readable(e, a->why);
		return;
	}
	if (!r->failures_in_row++)
		r->failing_since_ms = wall_ms();
	if (r->failures_in_row < AWAY_AFTER)
		return;
	r->away_until = mono_add_ms(mono_now(), backoff(r, r->failures_in_row));
	if (r->failures_in_row == AWAY_AFTER)
		alert_raise(r->o.alerts, ALERT_TENANTS_AWAY, &(struct alert_subject){ NULL, NULL, "tenant_service" }, "%s", a->why);
}

static void on_answers(struct entry *e)
{
	struct registry *r = e->r;

	if (r->failures_in_row >= AWAY_AFTER) {
		log_notice("tenants_back", "the tenant service answers again");
		alert_resolve(r->o.alerts, ALERT_TENANTS_AWAY, &(struct alert_subject){ NULL, NULL, "tenant_service" }, "it answers again");
	}
	r->failures_in_row = 0;
	r->failing_since_ms = 0;
	r->away_until = (mono_t){ 0 };
	r->why[0] = 0;
}

static void on_service(void *arg, const struct service_answer *a)
{
	struct entry *e = arg;
	struct registry *r = e->r;

	e->is_asking = false;
	r->is_trying = false;
	if (r->is_ending) {
		if (a->tenant)
			tenant_free(&(struct tenant *){ a->tenant });
		return;
	}
	if (a->word != SERVICE_AWAY || a->is_about_one)
		on_answers(e);
	switch (a->word) {
	case SERVICE_FOUND:
		on_found(e, a->tenant, a->etag, a->why);
		break;
	case SERVICE_SAME:
		keep_fresh(e, a->etag);
		break;
	case SERVICE_UNKNOWN:
		on_unknown(e);
		break;
	case SERVICE_AWAY:
		on_away(e, a);
		break;
	}
	if (a->word != SERVICE_AWAY)
		e->failures = 0;
	answer_waiters(e);
}

static void ask_service(struct entry *e)
{
	struct registry *r = e->r;

	e->is_asking = e->was_asked = true;
	e->asked = mono_now();
	r->calls++;
	r->is_trying = r->failures_in_row >= AWAY_AFTER;
	/* What was left out may be good by now, though the document is the same: another tenant has given the number up. */
	tenant_service_ask(r->service, e->id, e->tenant && !e->is_unreadable ? e->etag : NULL, on_service, e);
}

/* ---- asking ---- */

/* Files are read by the supervisor at a reload; but for the tokens in files of their own, which may have been rotated. */
static void get_from_files(struct registry *r, const char *id, bool forced, registry_done_f *done, void *arg)
{
	struct tenant *t = conf_tenant(r->o.conf, id);
	bool changed = false;

	for (int i = 0; t && forced && i < t->n_accounts; i++)
		changed |= conf_read_token_again(r->o.conf, t->accounts[i]);
	if (changed) {
		log_notice("token_read", "tenant=%s: another token in its file", t->id);
		tell_senders(r);
	}
	done(arg, &(struct registry_answer){ t ? TENANT_FOUND : TENANT_UNKNOWN, t, r->o.conf->service_ttl, INT64_MAX / 4096, true });
}

static bool must_ask(const struct entry *e, bool forced)
{
	const struct registry *r = e->r;

	if (registry_left_ms(e->away_until) || registry_left_ms(r->away_until) || (r->failures_in_row >= AWAY_AFTER && r->is_trying))
		return false;
	if (forced)
		return !e->was_asked || mono_diff_ms(mono_now(), e->asked) >= FORCED_PAUSE_MS;
	return e->tenant ? !registry_left_ms(e->fresh_until) : !registry_left_ms(e->unknown_until);
}

void registry_get(struct registry *r, const char *tenant_id, bool forced, registry_done_f *done, void *arg)
{
	struct waiter *w;
	struct registry_answer a;
	struct entry *e;

	if (!r->service) {
		get_from_files(r, tenant_id, forced, done, arg);
		return;
	}
	e = registry_entry(r, tenant_id);
	if (!e->is_asking && !must_ask(e, forced)) {
		a = answer_of(e);
		done(arg, &a);
		return;
	}
	w = mem_alloc(sizeof(*w));
	*w = (struct waiter){ .done = done, .arg = arg };
	list_init(&w->list);
	list_add_tail(&e->waiters, &w->list);
	if (!e->is_asking)
		ask_service(e);
}

int registry_expire(struct registry *r, const char *tenant_id)
{
	int n = 0;

	for (int i = 0; i < r->entries.n; i++) {
		struct entry *e = registry_entry_at(r, i);

		if (tenant_id && strcmp(e->id, tenant_id) != 0)
			continue;
		e->fresh_until = e->unknown_until = e->away_until = (mono_t){ 0 };
		n++;
	}
	tell_senders(r);
	return n;
}

bool registry_stores_tokens(const struct registry *r)
{
	return r->service && tenant_service_stores(r->service);
}

bool registry_store_token(struct registry *r, const struct account *a, void (*done)(void *arg, bool ok, const char *why), void *arg)
{
	if (!registry_stores_tokens(r))
		return false;
	tenant_service_store(r->service, a, done, arg);
	return true;
}

enum tenant_word registry_word(const struct registry *r, const char *tenant_id)
{
	const struct name *found;

	if (conf_tenant(r->o.conf, tenant_id))
		return TENANT_FOUND;
	found = r->service ? names_find(&r->entries, tenant_id) : NULL;
	return found ? answer_of(CONTAINER_OF(found, struct entry, name)).word : TENANT_UNKNOWN;
}

void registry_look(const struct registry *r, struct registry_view *out)
{
	*out = (struct registry_view){ .is_service = r->service != NULL, .is_away = r->failures_in_row >= AWAY_AFTER,
				       .known = tenant_set_size(r->o.conf->tenants), .calls = r->calls, .failures = r->failures,
				       .failing_since_ms = r->failing_since_ms, .why = r->why };
	for (int i = 0; i < r->entries.n; i++)
		out->waiting += registry_entry_at(r, i)->is_asking;
}

/* ---- birth and death ---- */

struct registry *registry_new(const struct registry_options *o)
{
	struct registry *r = mem_alloc(sizeof(*r));

	r->o = *o;
	if (*o->conf->service_url)
		r->service = tenant_service_new(o->loop, o->conf);
	registry_open_ports(r);
	return r;
}

void registry_free(struct registry **rp)
{
	struct registry *r = *rp;

	if (!r)
		return;
	r->is_ending = true;
	tenant_service_free(&r->service);
	for (int i = 0; i < r->entries.n; i++) {
		while (!list_is_empty(&registry_entry_at(r, i)->waiters)) {
			struct waiter *w = CONTAINER_OF(list_pop(&registry_entry_at(r, i)->waiters), struct waiter, list);

			w->done(w->arg, &(struct registry_answer){ TENANT_AWAY, NULL, AGAIN_MS, 0, false });
			free(w);
		}
		entry_free(registry_entry_at(r, i));
	}
	registry_close_ports(r);
	names_release(&r->entries);
	free(r);
	*rp = NULL;
}
