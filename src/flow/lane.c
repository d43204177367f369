#include "flow/lane.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/lane_inside.h"
#include "flow/pace.h"
#include "flow/topology.h"

enum { TICKETS = 0 };			/* the consumer of tickets; lane number i has 1 + 2 i and 2 + 2 i */

void lane_name(const struct conf *c, const char *phone_number_id, bool high, char out[LANE_NAME_MAX])
{
	snprintf(out, LANE_NAME_MAX, "%s%s%s", c->amqp_lane, phone_number_id, high ? ".high" : "");
}

int lane_declare(struct broker *b, const struct conf *c, const char *phone_number_id)
{
	char name[LANE_NAME_MAX];

	for (int high = 0; high < 2; high++) {
		lane_name(c, phone_number_id, high, name);
		/* Classic whatever amqp.queue_type says: the broker cannot delete a quorum queue only if it is empty. */
		if (broker_declare(b, &(struct broker_declare){ .thing = BROKER_QUEUE, .name = name }) < 0)
			return -1;
	}
	return 0;
}

struct broker *lane_broker(const struct lane *l)
{
	return l->all->broker;
}

const char *lane_queue(const struct lane *l, bool high)
{
	return l->queues[high];
}

/* ---- tickets ---- */

static struct lane *find(struct lanes *all, const char *number)
{
	for (struct list *i = all->list.next; i != &all->list; i = i->next) {
		struct lane *l = CONTAINER_OF(i, struct lane, list);

		if (l->state != LANE_OVER && !strcmp(l->number, number))
			return l;
	}
	return NULL;
}

static int free_slot(struct lanes *all)
{
	for (int i = 0; i < all->n_slots; i++)
		if (!all->slots[i])
			return i;
	all->slots = mem_grow(all->slots, (size_t)all->n_slots + 64, sizeof(struct lane *));
	for (int i = 0; i < 64; i++)
		all->slots[all->n_slots + i] = NULL;
	all->n_slots += 64;
	return all->n_slots - 64;
}

static void lane_new(struct lanes *all, const struct ticket_read *t, struct broker_tag tag)
{
	struct lane *l = mem_alloc(sizeof(*l));

	*l = (struct lane){ .all = all, .slot = free_slot(all), .ticket = tag, .since = mono_now(),
			    .quiet_since = mono_now() };
	memcpy(l->number, t->phone_number_id, sizeof(l->number));
	memcpy(l->tenant_id, t->tenant_id, sizeof(l->tenant_id));
	for (int high = 0; high < 2; high++)
		lane_name(all->s->conf, l->number, high, l->queues[high]);
	all->slots[l->slot] = l;
	list_init(&l->list);
	list_add_tail(&all->list, &l->list);
	all->n++;
	board_gauge(all->s->slot, GAUGE_LANES, all->n);
	lane_start(l);
}

static void on_ticket(struct lanes *all, const struct broker_delivery *in)
{
	struct ticket_read t = { 0 };
	struct lane *l;

	if (all->draining) {
		broker_nack(all->broker, in->tag);
		return;
	}
	switch (ticket_parse(&t, in->body ? in->body : "", in->body ? in->len : 0)) {
	case TICKET_GARBAGE:
		log_warn("ticket_garbage", "queue=%s: no ticket, taken out", all->s->conf->amqp_lanes);
		broker_ack(all->broker, in->tag);
		return;
	case TICKET_NEWER:
		log_warn("ticket_newer", "queue=%s: written by a later version, kept for it", all->s->conf->amqp_lanes);
		return;
	case TICKET_READ:
		break;
	}
	(void)FAILPOINT(TICKET_TAKEN);
	l = find(all, t.phone_number_id);
	if (!l) {
		lane_new(all, &t, in->tag);
		return;
	}
	broker_ack(all->broker, l->ticket);	/* two for one lane: the newest stays */
	l->ticket = in->tag;
}

/* ---- the connection ---- */

static void on_delivery(void *arg, const struct broker_delivery *in)
{
	struct lanes *all = arg;
	int slot = (in->consumer - 1) / 2;
	struct lane *l = in->consumer == TICKETS || slot >= all->n_slots ? NULL : all->slots[slot];

	if (in->consumer == TICKETS)
		on_ticket(all, in);
	else if (!l || l->state == LANE_OVER || l->state == LANE_ASLEEP || all->draining || all->resting)
		broker_nack(all->broker, in->tag);
	else
		intake_accept(all->s, in, l, (in->consumer - 1) % 2);
}

static void on_up(void *arg)
{
	struct lanes *all = arg;

	if (all->draining)
		return;
	if (broker_consume(all->broker, TICKETS, all->s->conf->amqp_lanes, (int)all->s->conf->lane_max) < 0)
		BUG("tickets are consumed twice");
}

/* Every ticket is in other hands by now. */
static void on_down(void *arg, const char *why)
{
	struct lanes *all = arg;
	static struct log_limit limit;
	struct list *next;
	unsigned left_out;

	board_count(all->s->slot, COUNT_AMQP_LOST);
	if (log_limit_ok(&limit, &left_out))
		log_warn("amqp_down", "connection=lanes: %s", why);
	for (struct list *i = all->list.next; i != &all->list; i = next) {
		struct lane *l = CONTAINER_OF(i, struct lane, list);

		next = i->next;
		l->consumes[0] = l->consumes[1] = false;
		lane_drop_ready(l, false);
		if (l->state != LANE_OVER)
			lane_over(l);
	}
}

static void on_refused(void *arg, const char *why)
{
	(void)arg;
	log_error("amqp_refused", "%s", why);
}

/* Somebody deleted the queue of a lane, or of the tickets: everything is declared and taken again. */
static void on_consumer_gone(void *arg, int consumer)
{
	struct lanes *all = arg;
	int slot = (consumer - 1) / 2;

	if (consumer == TICKETS) {
		log_warn("consumer_lost", "queue=%s: declared and consumed again", all->s->conf->amqp_lanes);
		broker_redeclare(all->broker);
	} else if (slot < all->n_slots && all->slots[slot]) {
		struct lane *l = all->slots[slot];

		log_warn("consumer_lost", "queue=%s: declared and consumed again", l->queues[(consumer - 1) % 2]);
		l->consumes[(consumer - 1) % 2] = false;
		lane_look_in(l, LANE_AGAIN_MS);
	}
}

struct lanes *lanes_new(struct sender *s, int number)
{
	static const struct broker_callbacks callbacks = { .up = on_up, .down = on_down, .delivery = on_delivery, .refused = on_refused,
							   .consumer_gone = on_consumer_gone };
	struct lanes *all = mem_alloc(sizeof(*all));
	char name[64];
	struct broker_options o = topology_connection(s->topology, s->conf);

	*all = (struct lanes){ .s = s };
	list_init(&all->list);
	snprintf(name, sizeof(name), "wamd sender[%d] lanes", number);
	o.connection_name = name;
	all->broker = broker_new(s->loop, &o, &callbacks, all);
	return all;
}

void lanes_free(struct lanes **lp)
{
	struct lanes *all = *lp;

	if (!all)
		return;
	broker_free(&all->broker);
	while (!list_is_empty(&all->list))
		lane_free(CONTAINER_OF(list_pop(&all->list), struct lane, list));
	free(all->slots);
	free(all);
	*lp = NULL;
}

static void each(struct lanes *all, void (*f)(struct lane *l))
{
	struct list *next;

	for (struct list *i = all->list.next; i != &all->list; i = next) {
		struct lane *l = CONTAINER_OF(i, struct lane, list);

		next = i->next;
		if (l->state != LANE_OVER)
			f(l);
	}
}

void lanes_drain(struct lanes *all)
{
	all->draining = true;
	if (broker_is_up(all->broker) && broker_cancel(all->broker, TICKETS, NULL, NULL) < 0)
		log_debug("lanes", "no tickets were taken");
	each(all, lane_give_back);
}

static void look_now(struct lane *l)
{
	lane_look_in(l, 0);
}

void lanes_rest(struct lanes *all)
{
	all->resting = true;
	each(all, lane_stop_taking);
}

void lanes_go_on(struct lanes *all)
{
	all->resting = false;
	each(all, look_now);
}

bool lanes_are_idle(const struct lanes *all)
{
	return broker_unwritten(all->broker) == 0;
}

int lanes_held(const struct lanes *all)
{
	return all->n;
}
