#include "api/fleet.h"

#include "api/survey.h"
#include "base/mem.h"
#include "flow/delays.h"
#include "flow/lane.h"
#include "io/broker.h"

enum { FIRST_MS = 200, EVERY_MS = 15000, FAILED_MS = 3000, BACKOFF_MS = 3000, QUEUES_MAX = 128 };

struct fleet {
	struct admin *a;
	const struct topology *topology;
	struct broker *broker;
	struct loop_timer next;
	struct fleet_view view;
	struct fleet_queue queues[QUEUES_MAX];	/* of the topology */
	struct fleet_account *accounts;		/* by account.index; account NULL: not seen yet */
	int n_indexes;
	const struct fleet_account **shown;
	/* under way */
	int64_t holds[HOLD_SCOPES], breakers_open, lanes_open;
	int queue;				/* that the broker is asked about: queues, then */
	int lane;				/* this account's lane, */
	bool is_high;				/* one queue after the other */
	int64_t lane_sum, counting;		/* all so far | this one's first queue */
};

/* ---- Redis ---- */

static void take_holds(struct survey *s, const struct tenant *of_domain, const struct store_reply *r)
{
	struct fleet *f = s->arg;
	struct gate_hold h;

	survey_keep_holds(s, of_domain, r);
	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && r->v[i + 1].s && gate_hold_read(r->v[i].s, r->v[i + 1].s, &h) == 0 && !gate_hold_is_over(&h, survey_now_ms(s)))
			f->holds[h.scope]++;
}

static bool is_held(const struct survey *s, const struct gate_view *g)
{
	struct hold_fields fields = { .of = { "" } };
	struct gate_hold h;

	hold_fields_of(g->account, &fields);
	for (int i = 0; i < HOLD_TEMPLATE; i++) {
		const char *text = survey_hold(s, g->account->tenant, fields.of[i]);

		if (text && gate_hold_read(fields.of[i], text, &h) == 0 && !gate_hold_is_over(&h, g->now_ms))
			return true;
	}
	return false;
}

static json_t *take_account(struct survey *s, const struct gate_view *g)
{
	struct fleet *f = s->arg;
	struct fleet_account *a = &f->accounts[g->account->index];
	struct gate_figures figures;

	gate_figures(g, &figures);
	*a = (struct fleet_account){ .account = g->account, .rate_now = figures.rate_now, .use = figures.use, .is_held = is_held(s, g),
				     .breaker_is_open = figures.breaker_is_open, .has_lane = gate_has_lane(g),
				     .waiting = gate_has_lane(g) ? a->waiting : 0 };
	f->breakers_open += a->breaker_is_open;
	f->lanes_open += a->has_lane;
	return NULL;
}

/* Tenants may have come since the last time.  Those shown are always the same: series that come and go cost most. */
static void make_room(struct fleet *f)
{
	const struct conf *c = f->a->conf;
	int n = c->tenants->n_accounts, most = (int)c->metrics_accounts;

	if (n > f->n_indexes) {
		f->accounts = mem_grow(f->accounts, (size_t)n, sizeof(*f->accounts));
		memset(f->accounts + f->n_indexes, 0, (size_t)(n - f->n_indexes) * sizeof(*f->accounts));
		f->n_indexes = n;
	}
	f->view.n_accounts = f->view.n_known = 0;
	for (int i = 0; i < tenant_set_size(c->tenants); i++) {
		const struct tenant *t = tenant_set_at(c->tenants, i);

		f->view.n_known += t->n_accounts;
		for (int k = 0; k < t->n_accounts && f->view.n_accounts < most; k++)
			f->shown[f->view.n_accounts++] = &f->accounts[t->accounts[k]->index];
	}
}

static void count_queues(struct fleet *f);

static void on_surveyed(void *arg, bool ok)
{
	struct fleet *f = arg;

	if (ok) {
		memcpy(f->view.holds, f->holds, sizeof(f->holds));
		f->view.breakers_open = f->breakers_open;
		f->view.lanes_open = f->lanes_open;
		f->view.redis_at_ms = wall_ms();
	}
	count_queues(f);
}

static void on_next(void *arg)
{
	static const struct survey_kind kind = { .holds = true, .accounts = true, .take_holds = take_holds, .take = take_account };
	struct fleet *f = arg;

	memset(f->holds, 0, sizeof(f->holds));
	f->breakers_open = f->lanes_open = 0;
	make_room(f);
	survey_start_own(f->a, &kind, on_surveyed, f);
}

/* ---- the broker ---- */

static void on_counted(void *arg, int64_t ready);

static void end_round(struct fleet *f, bool ok)
{
	if (ok) {
		f->view.lane_messages = f->lane_sum;
		f->view.n_queues = f->queue;
		f->view.broker_at_ms = wall_ms();
	}
	loop_timer_set(f->a->loop, &f->next, ok ? EVERY_MS : FAILED_MS);
}

/* The queue whose turn it is; false: all had theirs. */
static bool name_next(struct fleet *f, int n_queues, char lane[LANE_NAME_MAX], const char **name)
{
	if (f->queue < n_queues) {
		*name = f->queues[f->queue].name;
		return true;
	}
	while (f->lane < f->n_indexes && (!f->accounts[f->lane].has_lane || f->accounts[f->lane].account->is_gone))
		f->lane++;
	if (f->lane == f->n_indexes)
		return false;
	lane_name(f->a->conf, f->accounts[f->lane].account->phone_number_id, f->is_high, lane);
	*name = lane;
	return true;
}

static int n_queues(const struct fleet *f)
{
	int n = 0;

	while (n < QUEUES_MAX && f->queues[n].name)
		n++;
	return n;
}

static void ask(struct fleet *f)
{
	char lane[LANE_NAME_MAX];
	const char *name;

	if (!name_next(f, n_queues(f), lane, &name))
		end_round(f, true);
	else if (broker_peek_count(f->broker, name, on_counted, f) < 0)
		end_round(f, false);
}

static void count_lane(struct fleet *f, int64_t ready)
{
	f->counting = f->is_high ? f->counting + ready : ready;
	f->lane_sum += ready;
	if (f->is_high)
		f->accounts[f->lane++].waiting = f->counting;
	f->is_high = !f->is_high;
}

static void on_counted(void *arg, int64_t ready)
{
	struct fleet *f = arg;

	if (ready == BROKER_NO_COUNT) {
		end_round(f, false);
		return;
	}
	ready = ready == BROKER_NO_QUEUE ? 0 : ready;
	if (f->queue < n_queues(f)) {
		f->queues[f->queue].messages = ready + delays_held(f->a->delays, f->queues[f->queue].name);
		f->queue++;
	} else {
		count_lane(f, ready);
	}
	ask(f);
}

static void count_queues(struct fleet *f)
{
	f->queue = f->lane = 0;
	f->is_high = false;
	f->lane_sum = 0;
	ask(f);
}

/* ---- one account's lane, for who asks about it ---- */

struct peek {
	fleet_counted_f *done;
	void *arg;
	int64_t ready[2];			/* and of the high queue */
	int n_asked, n_answered;
	bool has_failed;
};

/* The broker answers in the order in which it was asked. */
static void on_peeked(void *arg, int64_t ready)
{
	struct peek *p = arg;

	p->has_failed |= ready == BROKER_NO_COUNT;
	p->ready[p->n_answered++] = ready < 0 ? 0 : ready;
	if (p->n_answered < p->n_asked)
		return;
	p->done(p->arg, !p->has_failed && p->n_asked == 2, p->ready[0], p->ready[1]);
	free(p);
}

int fleet_count_lane(const struct fleet *f, const struct account *a, fleet_counted_f *done, void *arg)
{
	struct peek *p = mem_alloc(sizeof(*p));
	char name[LANE_NAME_MAX];

	*p = (struct peek){ .done = done, .arg = arg };
	for (int high = 0; high < 2; high++) {
		lane_name(f->a->conf, a->phone_number_id, high, name);
		if (broker_peek_count(f->broker, name, on_peeked, p) == 0)
			p->n_asked++;
	}
	if (p->n_asked)
		return 0;
	free(p);
	return -1;
}

/* ---- birth and death ---- */

static void list_queues(struct fleet *f, const struct topology *t)
{
	int n, k = 0;
	const struct broker_declare *d = topology_declares(t, &n);

	for (int i = 0; i < n && k < QUEUES_MAX; i++)
		if (d[i].thing == BROKER_QUEUE)
			f->queues[k++].name = d[i].name;
}

static const struct fleet_queue *queue_named(const struct fleet *f, const char *name)
{
	for (int i = 0; i < f->view.n_queues; i++)
		if (!strcmp(f->queues[i].name, name))
			return &f->queues[i];
	return NULL;
}

void fleet_look(const struct fleet *f, struct fleet_view *out)
{
	const struct conf *c = f->a->conf;
	const struct fleet_queue *dlq = queue_named(f, c->amqp_dlq);
	const struct fleet_queue *unknown = queue_named(f, topology_delay_queue(f->topology, c->unknown_timer));

	*out = f->view;
	for (int i = 0; i < c->amqp_inputs.n; i++) {
		const struct fleet_queue *input = queue_named(f, c->amqp_inputs.v[i]);

		out->inputs += input ? input->messages : 0;
	}
	out->queues = f->queues;
	out->accounts = f->shown;
	out->dead_letters = dlq ? dlq->messages : 0;
	out->unknown = unknown ? unknown->messages : 0;
}

static struct broker *connect_broker(const struct fleet *f)
{
	static const struct broker_callbacks callbacks = { NULL };
	struct broker_options o = topology_connection(f->topology, f->a->conf);

	o.topology = NULL;
	o.n_topology = 0;
	o.connection_name = "wamd keeper figures";
	o.backoff_max_ms = BACKOFF_MS;
	return broker_new(f->a->loop, &o, &callbacks, NULL);
}

struct fleet *fleet_new(struct admin *a, const struct topology *t)
{
	struct fleet *f = mem_alloc(sizeof(*f));

	f->a = a;
	f->topology = t;
	list_queues(f, t);
	f->shown = mem_array((size_t)a->conf->metrics_accounts + 1, sizeof(*f->shown));
	f->broker = connect_broker(f);
	loop_timer_init(&f->next, on_next, f);
	loop_timer_set(a->loop, &f->next, FIRST_MS);
	return f;
}

void fleet_free(struct fleet **fp)
{
	struct fleet *f = *fp;

	if (!f)
		return;
	*fp = NULL;
	broker_free(&f->broker);
	loop_timer_stop(f->a->loop, &f->next);
	free(f->accounts);
	free(f->shown);
	free(f);
}
