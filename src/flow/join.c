#include "flow/join.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/alert.h"
#include "flow/delivery.h"
#include "flow/keys.h"
#include "flow/lane.h"
#include "flow/pace.h"
#include "flow/ticket.h"

enum {
	JOIN_MS = 2000,
	OPENING_MS = 5000,		/* what the first has to get its ticket confirmed */
	STALE_MS = 60000,		/* nobody took from an open lane for so long */
	AGAIN_MS = 200, LATER_MAX_MS = 1000,
};

static void ask(struct join *j, bool ticketed);

static void on_again(void *arg)
{
	struct join *j = arg;

	j->step = JOIN_IDLE;
	if (!list_is_empty(&j->waiting))
		ask(j, false);
}

static void ask_again(struct join *j, int64_t ms)
{
	j->step = JOIN_LATER;
	loop_timer_set(j->p->s->loop, &j->again, ms < LATER_MAX_MS ? ms : LATER_MAX_MS);
}

void join_init(struct join *j, struct pace *p)
{
	*j = (struct join){ .p = p, .step = JOIN_IDLE };
	list_init(&j->waiting);
	loop_timer_init(&j->again, on_again, j);
}

void join_release(struct join *j)
{
	loop_timer_stop(j->p->s->loop, &j->again);
}

bool join_is_fresh(const struct join *j)
{
	return mono_before(mono_now(), j->fresh_until);
}

bool join_is_awaited(const struct join *j)
{
	return !list_is_empty(&j->waiting);
}

void join_forget(struct join *j)
{
	j->fresh_until = (mono_t){ 0 };
	j->is_declared = false;
}

/* -1: not connected. */
static int declare_queues(struct join *j)
{
	struct broker *out = j->p->s->out;

	if (j->is_declared && j->generation == broker_generation(out))
		return 0;
	if (lane_declare(out, j->p->s->conf, j->p->account->phone_number_id) < 0)
		return -1;
	j->is_declared = true;
	j->generation = broker_generation(out);
	return 0;
}

static void publish(struct join *j, struct delivery *d)
{
	char queue[LANE_NAME_MAX];

	lane_name(j->p->s->conf, j->p->account->phone_number_id, d->priority >= LANE_HIGH, queue);
	conclude_publish_copy(d, queue);
	(void)FAILPOINT(LANE_PUBLISHED);
}

static void let_them_go(struct join *j)
{
	if (declare_queues(j) < 0) {
		ask_again(j, AGAIN_MS);
		return;
	}
	while (!list_is_empty(&j->waiting)) {
		struct delivery *d = CONTAINER_OF(list_pop(&j->waiting), struct delivery, queue);

		list_init(&d->queue);
		publish(j, d);
		conclude_published(d);
	}
}

static void on_ticket(void *arg, enum broker_fate fate)
{
	struct join *j = arg;

	(void)FAILPOINT(TICKET_CONFIRMED);
	if (fate == BROKER_RETURNED)
		broker_redeclare(j->p->s->out);
	if (fate == BROKER_CONFIRMED)
		ask(j, true);
	else
		ask_again(j, AGAIN_MS);
}

static void publish_ticket(struct join *j)
{
	j->step = JOIN_TICKET;
	if (ticket_publish(j->p->s->out, j->p->s->conf, j->p->account, on_ticket, j) < 0)
		ask_again(j, AGAIN_MS);
}

static void on_opened(struct join *j)
{
	const struct account *a = j->p->account;

	board_count(j->p->s->slot, COUNT_LANES_OPENED);
	log_info("lane_opened", "tenant=%s account=%s why=%s", a->tenant->id, a->id, j->why);
	if (!strcmp(j->why, LANE_WHY_LIMIT))
		alert_raise(j->p->s->alerts, ALERT_LIMIT_QUEUEING, &(struct alert_subject){ a->tenant->id, a->id, NULL },
			    "messages queue behind its limit, configured as %lld a second", (long long)a->rate);
}

static void on_joined(void *arg, const struct store_reply *r)
{
	struct join *j = arg;
	const char *word = r && !r->error && r->n > 0 && r->v[0].s ? r->v[0].s : "";

	j->step = JOIN_IDLE;
	if (r && r->error)
		log_error("script_failed", "script=lane %s", r->error);
	if (!strcmp(word, "joined") && r->n == 2) {
		(void)FAILPOINT(LANE_JOINED);
		j->fresh_until = mono_add_ms(j->asked, JOIN_MS);
		pace_lane_joined(j->p, r->v[1].i != 0);
		if (r->v[1].i)
			on_opened(j);
		let_them_go(j);
	} else if (!strcmp(word, "ticket")) {
		publish_ticket(j);
	} else if (!strcmp(word, "later") && r->n == 2) {
		ask_again(j, r->v[1].i);
	} else {
		ask_again(j, AGAIN_MS);	/* Redis is away, or was */
	}
}

static void ask(struct join *j, bool ticketed)
{
	const struct sender *s = j->p->s;
	char account[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], opening[16], stale[16];

	key_account(s->conf, j->p->account, account);
	key_holds(s->conf, j->p->account->tenant, holds);
	snprintf(opening, sizeof(opening), "%d", OPENING_MS);
	snprintf(stale, sizeof(stale), "%d", STALE_MS);
	j->step = JOIN_ASKING;
	j->asked = mono_now();
	if (store_script(s->store, SCRIPT_LANE, 2, (struct store_arg[]){
		STORE_ARG(account), STORE_ARG(holds), STORE_ARG("join"), STORE_ARG(s->incarnation), STORE_ARG(ticketed ? "1" : "0"),
		STORE_ARG(j->why), STORE_ARG(opening), STORE_ARG(stale) }, 8, on_joined, j) < 0)
		ask_again(j, AGAIN_MS);
}

void join_publish(struct join *j, struct delivery *d)
{
	if (join_is_fresh(j) && list_is_empty(&j->waiting) && declare_queues(j) == 0) {
		publish(j, d);
		return;
	}
	if (!join_is_awaited(j))
		j->why = d->lane_why;
	conclude_carrier_waits(d);
	delivery_queue(&j->waiting, d);
	if (j->step == JOIN_IDLE)
		ask(j, false);
}
