#include "flow/delivery.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "flow/addressee.h"
#include "flow/backoff.h"
#include "flow/guard.h"
#include "flow/lane.h"
#include "flow/mark.h"
#include "flow/pace.h"
#include "flow/prepare.h"

enum { WAITS_MAX = 4 };	/* for answers in memory: for its tenant, its template, another language */

static struct broker_text header(const struct broker_properties *p, const char *name)
{
	int i = broker_find_header(p, name);

	return i < 0 ? (struct broker_text){ NULL, 0 } : p->headers[i].value;
}

/* 0: go on.  A copy of a later version is kept as it is, in a delay queue, until a daemon that reads it is back. */
static int check_hop(struct delivery *d, const char *name, enum hop_verdict verdict)
{
	switch (verdict) {
	case HOP_READ:
		return 0;
	case HOP_GARBAGE:
		log_warn("hop_garbage", "queue=%s header=%s: taken as if it were not there", d->queue_name, name);
		return 0;
	case HOP_NEWER:
		log_warn("hop_newer", "queue=%s: written by a later version, kept", d->queue_name);
		conclude_copy(d, HOP_NONE, 0, backoff_at_least(&d->s->conf->retry_wait, INT64_MAX));
		return -1;
	}
	BUG("hop verdict");
}

static int read_hop(struct delivery *d)
{
	struct broker_text hop = header(&d->props, HOP_HEADER), replay = header(&d->props, REPLAY_HEADER);

	if (hop.p && check_hop(d, HOP_HEADER, hop_parse(&d->hop, hop.p, hop.len)) < 0)
		return -1;
	d->redelivered |= d->hop.again;
	return replay.p ? check_hop(d, REPLAY_HEADER, replay_parse(&d->replay, replay.p, replay.len)) : 0;
}

/* Body, then AMQP property, then header. */
static void find_correlation_id(struct delivery *d)
{
	struct broker_text h;

	if (d->m.correlation_id)
		return;
	h = header(&d->props, "X-Correlation-ID");
	if (d->props.correlation_id.p && d->props.correlation_id.len)
		d->m.correlation_id = d->props.correlation_id.p;
	else if (h.p && h.len && h.len <= MESSAGE_ID_MAX)
		d->m.correlation_id = h.p;
}

static void find_times(struct delivery *d)
{
	int64_t now = wall_ms(), stamp = d->props.timestamp_s;
	int64_t born = stamp > 0 && stamp < now / 1000 ? stamp * 1000 : now;	/* a stranger's clock: only into the past */

	if (!d->hop.first_seen_ms)
		d->hop.first_seen_ms = now;
	d->born_ms = born < d->hop.first_seen_ms ? born : d->hop.first_seen_ms;
	d->expires_ms = d->hop.first_seen_ms + d->s->conf->max_age;
	if (d->m.ttl_ms && d->born_ms + d->m.ttl_ms < d->expires_ms)
		d->expires_ms = d->born_ms + d->m.ttl_ms;
	if (d->m.expires_at_ms && d->m.expires_at_ms < d->expires_ms)
		d->expires_ms = d->m.expires_at_ms;
}

static void find_priority(struct delivery *d)
{
	int p = d->m.priority >= 0 ? d->m.priority : d->props.priority >= 0 ? d->props.priority : 0;

	d->priority = p > MESSAGE_PRIORITY_MAX ? MESSAGE_PRIORITY_MAX : p;
}

static enum reason decode(struct delivery *d, struct strbuf *why)
{
	struct message_rules rules = message_rules(d->s->conf);

	if (!d->real_len)
		return message_decode(&d->m, &rules, d->body.buf, d->body.len, why);
	why_write(why, "found %zu bytes, allowed %lld (amqp.message_max)", d->real_len, (long long)d->s->conf->amqp_body_max);
	return REASON_TOO_LARGE;
}

/* Past the account's line: into its lane, or back into it. */
static bool went_past(struct delivery *d)
{
	bool is_off = account_is_off(d->account) != NULL;
	const char *why;

	d->pace = pace_of(d->s, d->account);
	why = pace_goes_to_lane(d->pace, d);
	if (why) {
		log_debug("to_lane", DELIVERY_FMT " why=%s", DELIVERY_ARGS(d), why);
		conclude_lane(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt, why);
		return true;
	}
	if (!d->lane || !is_off)
		return false;
	delivery_drop(d, true);		/* taken before the lane fell asleep */
	return true;
}

static void queue_up(struct delivery *d)
{
	if (guard_sent_fallback(d)) {	/* to its old place, as the message that it was */
		pace_add_back(d->pace, d);
		return;
	}
	identity_record_key(d->s->identity, &d->m, d->key);
	snprintf(d->owner, sizeof(d->owner), "%s:%llu", d->s->incarnation, (unsigned long long)d->serial);
	pace_add(d->pace, d);
}

static enum hop_kind kind_of_wait(const struct delivery *d)
{
	return d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind;
}

/* Nobody can tell what (static) it needs: it waits outside, longer the longer this goes on. */
static void come_again(struct delivery *d, enum counter count, enum wait_cause why, const char *what)
{
	int64_t now = wall_ms(), ms;

	if (now >= d->expires_ms) {
		strbuf_setf(&d->error, "%s could not be found out in time", what);
		conclude_dead(d, reason_code(REASON_EXPIRED), 0, d->error.buf, false);
		return;
	}
	board_count(d->s->slot, count);
	ms = backoff_at_least(&d->s->conf->retry_wait, (now - d->hop.first_seen_ms) / 2);
	if (d->account)			/* else nobody knows in which domain its mark would stand */
		mark_waits(d, why, ms, NULL);
	conclude_copy(d, kind_of_wait(d), d->hop.attempt, ms);
}

static void route(struct delivery *d);

static void on_answer(void *arg)
{
	struct delivery *d = arg;

	d->is_waiting = false;
	d->s->n_waiting--;
	route(d);
}

/* Those who wait for an answer take no more than a part of the window from those who do not. */
static bool may_wait(const struct delivery *d)
{
	const struct conf *c = d->s->conf;

	return d->n_waits < WAITS_MAX && d->s->n_waiting < c->amqp_prefetch * c->amqp_share / 100 + 1;
}

static void wait_for_answer(struct delivery *d)
{
	d->is_waiting = true;
	d->n_waits++;
	d->s->n_waiting++;
	d->asked.ready = on_answer;
	d->asked.arg = d;
}

static void on_file(void *arg, const struct media_result *m)
{
	struct delivery *d = arg;
	struct strbuf why = STRBUF_INIT;
	bool away;
	enum reason r = prepare_file_is_there(d, m, &away, &why);

	d->is_waiting = false;
	d->s->n_waiting--;
	if (r != REASON_NONE)
		conclude_dead(d, reason_code(r), d->dead_code, why.buf, false);
	else if (away)
		come_again(d, COUNT_MEDIA_WAITS, WAIT_FILE, "Graph's id for its file");
	else
		route(d);
	strbuf_release(&why);
}

static void wait_for_file(struct delivery *d)
{
	d->is_waiting = true;
	d->s->n_waiting++;
	d->file.ready = on_file;
	d->file.arg = d;
}

/* What goes past the line needs nothing yet: it comes through here again. */
static void get_ready(struct delivery *d)
{
	struct strbuf why = STRBUF_INIT;
	enum reason r;

	if (went_past(d))
		return;
	switch (prepare(d, may_wait(d), &r, &why)) {
	case PREPARED:
		queue_up(d);
		break;
	case PREPARE_ASKED:
		wait_for_answer(d);
		break;
	case PREPARE_FILE:
		wait_for_file(d);
		break;
	case PREPARE_AWAY:
		come_again(d, COUNT_TEMPLATE_WAITS, WAIT_TEMPLATE, "its template");
		break;
	case PREPARE_REFUSED:
		conclude_dead(d, reason_code(r), 0, why.buf, false);
		break;
	}
	strbuf_release(&why);
}

/* To whom it belongs, and on to the account's line. */
static void route(struct delivery *d)
{
	struct strbuf why = STRBUF_INIT;
	enum reason r = REASON_UNKNOWN_TENANT;
	struct tenant *t;

	switch (directory_find(d->s->directory, d->m.tenant_id, &t)) {
	case DIRECTORY_FOUND:
		r = addressee_find(d->s->conf, t, &d->m, &d->account, &why);
		break;
	case DIRECTORY_UNKNOWN:
		why_write(&why, "tenant_id: no tenant has this id");
		break;
	case DIRECTORY_ASKED:
		if (may_wait(d)) {
			wait_for_answer(d);
			directory_wait(d->s->directory, d->m.tenant_id, &d->asked);
			return;
		}
		/* fall through */
	case DIRECTORY_AWAY:
		come_again(d, COUNT_TENANT_WAITS, WAIT_TENANT_AWAY, "its tenant");
		return;
	}
	if (r != REASON_NONE)
		conclude_dead(d, reason_code(r), 0, why.buf, false);
	else
		get_ready(d);
	strbuf_release(&why);
}

/* admit has written nothing. */
void intake_as_template(struct delivery *d)
{
	message_use_fallback(&d->m);
	d->guard = GUARD_FALLBACK;
	d->n_waits = 0;
	delivery_enter(d, DELIVERY_RECEIVED);
	get_ready(d);
}

void intake_accept(struct sender *s, const struct broker_delivery *in, struct lane *l, bool high)
{
	struct delivery *d = delivery_new(s, in, l ? lane_queue(l, high) : s->conf->amqp_inputs.v[in->queue], l);
	struct strbuf why = STRBUF_INIT;
	enum reason r;

	board_count(s->slot, COUNT_RECEIVED);
	if (read_hop(d) < 0)
		return;
	r = decode(d, &why);
	find_correlation_id(d);
	find_times(d);
	find_priority(d);
	if (r != REASON_NONE)
		conclude_dead(d, reason_code(r), 0, why.buf, false);
	else
		route(d);
	strbuf_release(&why);
}
