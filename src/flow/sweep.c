#include "flow/sweep.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/keys.h"
#include "flow/ticket.h"

enum {
	BITE = 200,			/* accounts a turn */
	PAUSE_MS = 50,			/* between two bites */
	ROUND_MIN_MS = 1000, ROUND_MAX_MS = 30000,
	STALE_MS = 60000,
};

struct sweep {
	struct loop *loop;
	const struct conf *conf;
	struct store *store;
	struct broker *publisher;
	struct alerts *alerts;
	struct loop_timer next;
	int tenant, account;		/* where the round is */
};

struct asked { struct sweep *s; const struct account *a; };	/* until the answer, or the ticket's confirm */

static void on_ticket(void *arg, enum broker_fate fate)
{
	struct asked *q = arg;

	if (fate != BROKER_CONFIRMED)	/* told again when it is stale again */
		log_warn("ticket_lost", "tenant=%s account=%s: its lane waits for the next round", q->a->tenant->id, q->a->id);
	free(q);
}

static void on_answer(void *arg, const struct store_reply *r)
{
	struct asked *q = arg;
	struct alert_subject who = { q->a->tenant->id, q->a->id, NULL };
	struct alerts *alerts = q->s->alerts;
	bool is_well, is_calm;

	if (r && r->error)
		log_error("script_failed", "script=sweep %s", r->error);
	is_well = !r || r->error || r->n != 2 || !r->v[0].i;
	is_calm = r && !r->error && r->n == 2 && r->v[1].i;
	if (is_well) {
		free(q);
	} else {
		log_notice("lane_stale", "tenant=%s account=%s: nobody takes from its lane, one more ticket", q->a->tenant->id, q->a->id);
		if (ticket_publish(q->s->publisher, q->s->conf, q->a, on_ticket, q) < 0)
			on_ticket(q, BROKER_LOST);
	}
	if (is_calm)
		alert_resolve(alerts, ALERT_LIMIT_APPROACHING, &who, "it uses less of its limit again");
}

static void ask(struct sweep *s, const struct account *a)
{
	const struct conf *c = s->conf;
	struct asked *q;
	char key[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], stale[24], window[24], percent[24], interval[24];

	key_account(c, a, key);
	key_holds(c, a->tenant, holds);
	snprintf(stale, sizeof(stale), "%d", STALE_MS);
	snprintf(window, sizeof(window), "%" PRId64, c->limit_window);
	snprintf(percent, sizeof(percent), "%" PRId64, c->limit_warn);
	snprintf(interval, sizeof(interval), "%" PRId64, conf_interval_us(a->rate));
	q = mem_alloc(sizeof(*q));
	*q = (struct asked){ s, a };
	if (store_script(s->store, SCRIPT_SWEEP, 2, (struct store_arg[]){ STORE_ARG(key), STORE_ARG(holds), STORE_ARG(stale), STORE_ARG(window),
									  STORE_ARG(percent), STORE_ARG(interval) },
			 6, on_answer, q) < 0) {
		free(q);
		log_debug("sweep", "Redis is away");
	}
}

/* false: that was the last one. */
static bool step(struct sweep *s)
{
	const struct conf *c = s->conf;

	while (s->tenant < tenant_set_size(c->tenants) && s->account >= tenant_set_at(c->tenants, s->tenant)->n_accounts) {
		s->tenant++;
		s->account = 0;
	}
	if (s->tenant >= tenant_set_size(c->tenants))
		return false;
	ask(s, tenant_set_at(c->tenants, s->tenant)->accounts[s->account++]);
	return true;
}

static int64_t round_ms(const struct sweep *s)
{
	int64_t ms = 2 * s->conf->limit_window;

	return ms < ROUND_MIN_MS ? ROUND_MIN_MS : ms > ROUND_MAX_MS ? ROUND_MAX_MS : ms;
}

static void on_time(void *arg)
{
	struct sweep *s = arg;

	for (int i = 0; i < BITE && store_is_up(s->store) && broker_is_up(s->publisher); i++) {
		if (step(s))
			continue;
		s->tenant = s->account = 0;
		loop_timer_set(s->loop, &s->next, round_ms(s));
		return;
	}
	loop_timer_set(s->loop, &s->next, PAUSE_MS);
}

struct sweep *sweep_new(struct loop *l, const struct conf *c, struct store *store, struct broker *publisher, struct alerts *alerts)
{
	struct sweep *s = mem_alloc(sizeof(*s));

	*s = (struct sweep){ .loop = l, .conf = c, .store = store, .publisher = publisher, .alerts = alerts };
	loop_timer_init(&s->next, on_time, s);
	loop_timer_set(l, &s->next, round_ms(s));
	return s;
}

void sweep_free(struct sweep **sp)
{
	if (!*sp)
		return;
	loop_timer_stop((*sp)->loop, &(*sp)->next);
	free(*sp);
	*sp = NULL;
}
