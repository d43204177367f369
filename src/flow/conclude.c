#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "flow/copy.h"
#include "flow/delivery.h"
#include "flow/guard.h"
#include "flow/join.h"
#include "flow/keys.h"
#include "flow/lane.h"
#include "flow/mark.h"
#include "flow/pace.h"
#include "flow/topology.h"
#include "msg/event.h"

enum { PUB_CARRIER, PUB_EVENT };	/* the copy or dead letter | the status event */

static void on_all_confirmed(struct delivery *d);

static void publish_later(struct delivery *d)
{
	list_del(&d->queue);
	list_add_tail(&d->s->unconcluded, &d->queue);
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct publication *p = arg;
	struct delivery *d = p->d;
	bool is_event = p == &d->pubs[PUB_EVENT];

	if (fate == BROKER_RETURNED && is_event) {
		board_count(d->s->slot, COUNT_UNROUTED);	/* nobody listens: that is no failure */
		fate = BROKER_CONFIRMED;
	}
	if (fate == BROKER_RETURNED && d->to_lane) {
		join_forget(&d->pace->join);	/* its lane was closed: joined anew */
	} else if (fate == BROKER_RETURNED) {
		log_warn("returned", DELIVERY_FMT ": the queue it must go to is gone; declared again", DELIVERY_ARGS(d));
		broker_redeclare(d->s->out);
	}
	p->state = fate == BROKER_CONFIRMED ? PUB_CONFIRMED : PUB_FAILED;
	for (int i = 0; i < DELIVERY_PUBLISHES; i++)
		if (d->pubs[i].state == PUB_WAITING)
			return;
	for (int i = 0; i < DELIVERY_PUBLISHES; i++) {
		if (d->pubs[i].state != PUB_FAILED)
			continue;
		publish_later(d);
		return;
	}
	on_all_confirmed(d);
}

static void publish(struct delivery *d, int which, const struct broker_publish *what)
{
	struct broker_publish p = *what;

	p.done = on_fate;
	p.arg = &d->pubs[which];
	d->pubs[which].state = broker_publish(d->s->out, &p) < 0 ? PUB_FAILED : PUB_WAITING;
	(void)FAILPOINT(AFTER_PUBLISH);
}

static struct event event_of(const struct delivery *d)
{
	return (struct event){ .m = &d->m, .account_id = d->account ? d->account->id : NULL,
			       .status = d->conclusion == CONCLUDE_DEAD ? "failed" : "accepted",
			       .wamid = *d->wamid ? d->wamid : NULL, .reason = d->dead_reason,
			       .error = d->dead_reason && d->error.len ? d->error.buf : NULL, .code = d->dead_code,
			       .warning = guard_warning(d), .sent_fallback = guard_sent_fallback(d),
			       .attempts = d->attempt, .at_ms = wall_ms() };
}

static struct broker_text correlation(const struct delivery *d)
{
	return d->m.correlation_id ? BROKER_TEXT(d->m.correlation_id) : (struct broker_text){ NULL, 0 };
}

/* A routing key may not say more than a tenant's name can: what came in an unreadable message is not one. */
static bool tenant_fits_key(const char *tenant)
{
	return tenant && *tenant && !tenant[strspn(tenant, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")];
}

static void publish_event(struct delivery *d)
{
	struct event e = event_of(d);
	struct strbuf body = STRBUF_INIT, key = STRBUF_INIT;

	if (!tenant_fits_key(d->m.tenant_id)) {
		d->pubs[PUB_EVENT].state = PUB_CONFIRMED;
		return;
	}
	event_status(&e, &body);
	strbuf_addf(&key, "status.%s.%s", d->m.tenant_id, e.status);
	/* mandatory only to learn that no queue is bound (on_fate) */
	publish(d, PUB_EVENT, &(struct broker_publish){
		.exchange = d->s->conf->amqp_status, .routing_key = key.buf, .mandatory = true, .body = body.buf, .len = body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .correlation_id = correlation(d), .priority = -1,
			   .timestamp_s = e.at_ms / 1000, .persistent = true } });
	strbuf_release(&body);
	strbuf_release(&key);
}

static void publish_dead_letter(struct delivery *d)
{
	struct dead_letter l = { .e = event_of(d), .body = d->body.buf, .len = d->body.len, .real_len = d->real_len,
				 .history = d->history.buf, .first_seen_ms = d->hop.first_seen_ms, .queue = d->queue_name };
	struct strbuf body = STRBUF_INIT;

	event_dead_letter(&l, &body);
	publish(d, PUB_CARRIER, &(struct broker_publish){
		.exchange = "", .routing_key = d->s->conf->amqp_dlq, .mandatory = true, .body = body.buf, .len = body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .correlation_id = correlation(d), .priority = -1,
			   .timestamp_s = l.e.at_ms / 1000, .persistent = true } });
	strbuf_release(&body);
}

void conclude_publish_copy(struct delivery *d, const char *queue)
{
	struct broker_properties props;
	char hop[HOP_TEXT_MAX];

	copy_properties(&d->props, d->priority, &d->next_hop, hop, &props);
	publish(d, PUB_CARRIER, &(struct broker_publish){
		.exchange = "", .routing_key = queue, .mandatory = true,
		.body = d->body.buf, .len = d->body.len, .props = props });
}

static void publish_copy(struct delivery *d)
{
	if (d->to_lane)
		join_publish(&d->pace->join, d);
	else
		conclude_publish_copy(d, topology_delay_queue(d->s->topology, d->delay_ms));
}

void conclude_carrier_waits(struct delivery *d)
{
	d->pubs[PUB_CARRIER].state = PUB_WAITING;
}

void conclude_published(struct delivery *d)
{
	if (d->pubs[PUB_CARRIER].state == PUB_FAILED)
		publish_later(d);
}

static void publish_missing(struct delivery *d)
{
	bool carrier = d->pubs[PUB_CARRIER].state == PUB_IDLE || d->pubs[PUB_CARRIER].state == PUB_FAILED;
	bool event = d->pubs[PUB_EVENT].state == PUB_IDLE || d->pubs[PUB_EVENT].state == PUB_FAILED;

	switch (d->conclusion) {
	case CONCLUDE_ACCEPTED:
		d->pubs[PUB_CARRIER].state = PUB_CONFIRMED;
		break;
	case CONCLUDE_DEAD:
		if (carrier)
			publish_dead_letter(d);
		break;
	case CONCLUDE_COPY:
		if (carrier)
			publish_copy(d);
		d->pubs[PUB_EVENT].state = PUB_CONFIRMED;
		event = false;
		break;
	case CONCLUDE_NOTHING:
		d->pubs[PUB_CARRIER].state = d->pubs[PUB_EVENT].state = PUB_CONFIRMED;
		event = false;
		break;
	}
	if (event)
		publish_event(d);
}

void conclude_retry(struct delivery *d)
{
	bool waiting = false, failed = false;

	list_del(&d->queue);
	publish_missing(d);
	for (int i = 0; i < DELIVERY_PUBLISHES; i++) {
		waiting |= d->pubs[i].state == PUB_WAITING;
		failed |= d->pubs[i].state == PUB_FAILED;
	}
	if (waiting)
		return;			/* on_fate goes on */
	if (failed)
		publish_later(d);
	else
		on_all_confirmed(d);
}

void conclude_start(struct delivery *d)
{
	delivery_enter(d, DELIVERY_CONCLUDING);
	conclude_retry(d);
}

static void forget_reply(void *arg, const struct store_reply *r)
{
	(void)arg;
	(void)r;	/* only spares a later redelivery its second dead letter: not worth waiting for */
}

static void on_all_confirmed(struct delivery *d)
{
	char record[KEY_TEXT_MAX], body[KEY_TEXT_MAX];

	(void)FAILPOINT(BEFORE_ACK);
	if (d->conclusion == CONCLUDE_DEAD && d->has_record) {
		key_record(d->s->conf, d->account->tenant, d->key, record);
		key_body(d->s->conf, d->account->tenant, d->key, body);
		if (store_script(d->s->store, SCRIPT_CONCLUDED, 2, (struct store_arg[]){ STORE_ARG(record), STORE_ARG(body) }, 2, forget_reply, NULL) < 0)
			log_debug("concluded_unmarked", DELIVERY_FMT, DELIVERY_ARGS(d));
	}
	delivery_done(d);
	(void)FAILPOINT(AFTER_ACK);
}

void conclude_accepted(struct delivery *d, const char *wamid)
{
	d->conclusion = CONCLUDE_ACCEPTED;
	d->dead_reason = NULL;
	snprintf(d->wamid, sizeof(d->wamid), "%s", wamid);
	conclude_start(d);
}

void conclude_dead(struct delivery *d, const char *reason, int code, const char *error, bool has_record)
{
	d->conclusion = CONCLUDE_DEAD;
	d->dead_reason = reason;
	d->dead_code = code;
	d->has_record = has_record;
	strbuf_setf(&d->error, "%s", error ? error : "");
	if (!has_record && d->account && d->hop.hops)
		mark_ends(d);
	board_count(d->s->slot, COUNT_DEAD);
	board_count_in(&d->s->slot->dead[reason_of_code(reason)]);
	if (!strcmp(reason, reason_code(REASON_EXPIRED)))
		board_count(d->s->slot, COUNT_EXPIRED);
	log_info("dead", DELIVERY_FMT " reason=%s code=%d attempts=%d error=%s", DELIVERY_ARGS(d), reason, code, d->attempt,
		 d->error.buf);
	conclude_start(d);
}

static struct hop next_hop(const struct delivery *d, enum hop_kind kind, int attempt)
{
	return (struct hop){ .kind = kind, .attempt = attempt, .first_seen_ms = d->hop.first_seen_ms, .hops = d->hop.hops + 1,
			     .gave_back = d->hop.gave_back, .nonce = (uint32_t)rand_between(1, UINT32_MAX), .published_ms = wall_ms() };
}

void conclude_copy(struct delivery *d, enum hop_kind kind, int attempt, int64_t delay_ms)
{
	d->conclusion = CONCLUDE_COPY;
	d->to_lane = false;
	d->delay_ms = delay_ms;
	d->next_hop = next_hop(d, kind, attempt);
	conclude_start(d);
}

void conclude_lane(struct delivery *d, enum hop_kind kind, int attempt, const char *why)
{
	board_count(d->s->slot, COUNT_LANED);
	pace_goes_into_lane(d->pace, d);
	mark_waits(d, strcmp(why, LANE_WHY_LIMIT) ? WAIT_LANE : WAIT_LIMIT, 0, hold_priority_class(d->priority));
	d->conclusion = CONCLUDE_COPY;
	d->to_lane = true;
	d->lane_why = why;
	d->next_hop = next_hop(d, kind, attempt);
	conclude_start(d);
}

void conclude_nothing(struct delivery *d)
{
	d->conclusion = CONCLUDE_NOTHING;
	conclude_start(d);
}
