#include "api/why_ask.h"

#include "api/fleet.h"
#include "api/why.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/host_rules.h"
#include "flow/keys.h"

enum { COUNT_MS = 2000 };

struct asking {
	struct why_ask k;
	const struct tenant *tenant;
	const struct account *account;
	char *id, *digest;
	why_done_f *done;
	void *arg;
	struct why w;
	struct why_facts f;
	int64_t clock_ms;			/* Redis's less ours */
	struct about { struct asking *q; int i; } about[WHY_ACCOUNTS_MAX];	/* what an answer of Redis is about */
	int left;				/* answers that are still to come */
	struct counting *counting;
};

/* Outlives its asking: the broker may answer late. */
struct counting {
	struct asking *q;			/* NULL: it waits no longer */
	struct loop *loop;
	struct loop_timer patience;
};

static void finish(struct asking *q)
{
	struct host_rules rules;
	struct fleet_view view;
	json_t *answer;

	host_rules_of(q->k.conf, &rules);
	host_look(&q->k.board->host, &rules, mono_now(), &q->f.host);
	why_look_at_senders(q->k.board, &q->f.senders);
	q->f.queued = -1;
	if (q->k.fleet) {
		fleet_look(q->k.fleet, &view);
		q->f.queued = view.broker_at_ms ? view.inputs : -1;
	}
	answer = why_end(&q->w, &q->f);
	why_facts_release(&q->f);
	q->done(q->arg, q->w.word, answer);
	free(q->id);
	free(q->digest);
	free(q);
}

/* ---- the broker: what waits in its lane ---- */

static void on_counted(void *arg, bool ok, int64_t normal, int64_t high)
{
	struct counting *c = arg;
	struct asking *q = c->q;

	loop_timer_stop(c->loop, &c->patience);
	free(c);
	if (!q)
		return;
	if (ok) {
		q->f.accounts[0].waiting = normal;
		q->f.accounts[0].waiting_high = high;
	}
	finish(q);
}

static void on_impatient(void *arg)
{
	struct counting *c = arg;
	struct asking *q = c->q;

	c->q = NULL;
	finish(q);
}

/* Of one account only: a tenant may have many. */
static bool counts_lane(struct asking *q)
{
	const struct why_account *a = q->f.accounts;
	const char *state = q->f.n_accounts == 1 ? json_text(a->lane, "state") : NULL;
	struct counting *c;

	if (!q->k.fleet || !state || !strcmp(state, "none"))
		return false;
	c = mem_alloc(sizeof(*c));
	*c = (struct counting){ .q = q, .loop = q->k.loop };
	loop_timer_init(&c->patience, on_impatient, c);
	if (fleet_count_lane(q->k.fleet, a->account, on_counted, c) < 0) {
		free(c);
		return false;
	}
	loop_timer_set(q->k.loop, &c->patience, COUNT_MS);
	return true;
}

/* ---- Redis: what holds its account ---- */

static void answered(struct asking *q)
{
	if (--q->left == 0 && !counts_lane(q))
		finish(q);
}

static bool is_good(const struct store_reply *r)
{
	if (r && r->error)
		log_error("script_failed", "command=why %s", r->error);
	return r && !r->error;
}

static void on_time(void *arg, const struct store_reply *r)
{
	struct asking *q = arg;

	if (is_good(r) && r->n == 2)
		q->clock_ms = r->v[0].i * 1000 + r->v[1].i / 1000 - wall_ms();
	q->f.now_ms = wall_ms() + q->clock_ms;
	answered(q);
}

static void on_account(void *arg, const struct store_reply *r)
{
	const struct about *at = arg;
	struct asking *q = at->q;
	struct why_account *a = &q->f.accounts[at->i];
	struct gate_figures figures;

	if (is_good(r)) {
		struct gate_view g = { .conf = q->k.conf, .account = a->account, .v = r->v, .n = r->n, .now_ms = q->f.now_ms };

		a->breaker = gate_breaker(&g);
		a->limit = gate_limit(&g);
		a->lane = gate_lane(&g);
		gate_figures(&g, &figures);
		a->rate_now = figures.rate_now;
	}
	answered(q);
}

static void on_holds(void *arg, const struct store_reply *r)
{
	const struct about *at = arg;
	struct asking *q = at->q;
	struct why_account *a = &q->f.accounts[at->i];
	struct why_fields *fields = mem_alloc(sizeof(*fields));
	int n = why_fields(&q->w, a->account, fields);

	for (int i = 0; is_good(r) && i < r->n && i < n; i++)
		if (r->v[i].s && gate_hold_read(fields->of[i], r->v[i].s, &a->holds[a->n_holds]) == 0 &&
		    !gate_hold_is_over(&a->holds[a->n_holds], q->f.now_ms))
			a->n_holds++;
	free(fields);
	answered(q);
}

static int ask_account(struct asking *q, int i)
{
	struct store_arg args[2 + GATE_FIELDS];
	char key[KEY_TEXT_MAX], names[GATE_FIELDS][16];

	key_account(q->k.conf, q->f.accounts[i].account, key);
	args[0] = STORE_ARG("HMGET");
	args[1] = STORE_ARG(key);
	for (int k = 0; k < GATE_FIELDS; k++) {
		gate_field_name(k, names[k]);
		args[2 + k] = STORE_ARG(names[k]);
	}
	return store_command(q->k.store, args, 2 + GATE_FIELDS, on_account, &q->about[i]);
}

static int ask_holds(struct asking *q, int i)
{
	struct why_fields *fields = mem_alloc(sizeof(*fields));
	int n = why_fields(&q->w, q->f.accounts[i].account, fields), err;
	struct store_arg args[2 + WHY_FIELDS_MAX];
	char key[KEY_TEXT_MAX];

	q->f.accounts[i].holds = mem_array((size_t)n, sizeof(struct gate_hold));
	key_holds(q->k.conf, q->tenant, key);
	args[0] = STORE_ARG("HMGET");
	args[1] = STORE_ARG(key);
	for (int k = 0; k < n; k++)
		args[2 + k] = STORE_ARG(fields->of[k]);
	err = store_command(q->k.store, args, 2 + n, on_holds, &q->about[i]);
	free(fields);
	return err;
}

static void add_account(struct asking *q, const struct account *a)
{
	int i = q->f.n_accounts;

	if (!a || i == WHY_ACCOUNTS_MAX)
		return;
	q->about[i] = (struct about){ q, i };
	q->f.accounts[q->f.n_accounts++] = (struct why_account){ .account = a, .waiting = -1, .waiting_high = -1 };
}

/* What a message of this tenant may be of: its own account, the one that is asked about, or any. */
static void choose_accounts(struct asking *q)
{
	q->f.accounts = mem_array(WHY_ACCOUNTS_MAX, sizeof(*q->f.accounts));
	if (*q->w.account)
		add_account(q, tenant_account(q->tenant, q->w.account));
	else if (q->account)
		add_account(q, q->account);
	else
		for (int i = 0; i < q->tenant->n_accounts; i++)
			add_account(q, q->tenant->accounts[i]);
}

/* Time is asked first, so it is known when the rest is read. */
static void ask_gates(struct asking *q)
{
	choose_accounts(q);
	q->left = 1;		/* this call */
	q->left += store_command(q->k.store, (struct store_arg[]){ STORE_ARG("TIME") }, 1, on_time, q) == 0;
	for (int i = 0; i < q->f.n_accounts; i++) {
		q->left += ask_account(q, i) == 0;
		q->left += ask_holds(q, i) == 0;
	}
	answered(q);
}

/* ---- Redis: the message ---- */

static bool is_another(const struct asking *q, const struct look *l)
{
	const char *digest = l->word == LOOK_RECORD ? strchr(l->index, ' ') : NULL;

	return l->word == LOOK_RECORD && q->digest && !(digest && !strcmp(digest + 1, q->digest));
}

static void on_looked(void *arg, const struct look *l)
{
	static const struct look none = { .word = LOOK_NONE, .index = "" };
	struct asking *q = arg;

	if (is_another(q, l))
		l = &none;
	q->f.now_ms = wall_ms();
	why_begin(&q->w, q->k.conf, q->tenant, q->id, l, q->f.now_ms);
	if (q->w.is_over || l->word == LOOK_AWAY)
		finish(q);
	else
		ask_gates(q);
}

void why_ask(const struct why_ask *k, const struct tenant *t, const struct account *account, const char *id, why_done_f *done, void *arg)
{
	struct asking *q = mem_alloc(sizeof(*q));

	q->k = *k;
	q->tenant = t;
	q->account = account;
	q->id = mem_strdup(id);
	q->digest = mem_strdup(k->digest);
	q->done = done;
	q->arg = arg;
	look_message(k->store, k->conf, t, id, on_looked, q);
}
