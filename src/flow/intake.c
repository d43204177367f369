#include "flow/delivery.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "flow/backoff.h"
#include "flow/lane.h"
#include "flow/pace.h"

static struct broker_text header(const struct broker_properties *p, const char *name)
{
	for (int i = 0; i < p->n_headers; i++)
		if (p->headers[i].name.len == strlen(name) && !memcmp(p->headers[i].name.p, name, strlen(name)))
			return p->headers[i].value;
	return (struct broker_text){ NULL, 0 };
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
	d->expires_ms = d->hop.first_seen_ms + d->s->conf->max_age;
	if (d->m.ttl_ms && (born < d->hop.first_seen_ms ? born : d->hop.first_seen_ms) + d->m.ttl_ms < d->expires_ms)
		d->expires_ms = (born < d->hop.first_seen_ms ? born : d->hop.first_seen_ms) + d->m.ttl_ms;
	if (d->m.expires_at_ms && d->m.expires_at_ms < d->expires_ms)
		d->expires_ms = d->m.expires_at_ms;
}

static void find_priority(struct delivery *d)
{
	int p = d->m.priority >= 0 ? d->m.priority : d->props.priority >= 0 ? d->props.priority : 0;

	d->priority = p > MESSAGE_PRIORITY_MAX ? MESSAGE_PRIORITY_MAX : p;
}

static enum reason resolve(struct delivery *d, struct strbuf *why)
{
	const struct tenant *t = conf_tenant(d->s->conf, d->m.tenant_id);

	if (!t) {
		why_set(why, "tenant_id: no tenant has this id");
		return REASON_UNKNOWN_TENANT;
	}
	d->account = d->m.account_id ? tenant_account(t, d->m.account_id) : tenant_default_account(t);
	if (d->account)
		return REASON_NONE;
	why_set(why, d->m.account_id ? "account_id: the tenant has no such account" :
		"account_id: is missing, and the tenant has no default account");
	return d->m.account_id ? REASON_UNKNOWN_ACCOUNT : REASON_NO_ACCOUNT;
}

static enum reason decode(struct delivery *d, struct strbuf *why)
{
	enum reason r;

	if (d->real_len) {
		why_set(why, "found %zu bytes, allowed %lld (amqp.message_max)", d->real_len, (long long)d->s->conf->amqp_body_max);
		return REASON_TOO_LARGE;
	}
	r = message_decode(&d->m, d->body.buf, d->body.len, why);
	return r == REASON_NONE ? resolve(d, why) : r;
}

/* Switched off in the configuration; NULL: not. */
static const char *switched_off(const struct account *a)
{
	return a->tenant->suspended ? "tenant_suspended" : a->enabled ? NULL : "account_disabled";
}

/* To the account's line, or past it into its lane. */
static void queue_up(struct delivery *d)
{
	const char *off = switched_off(d->account), *why;

	d->pace = pace_of(d->s, d->account);
	why = off && !d->lane ? off : pace_goes_to_lane(d->pace, d);
	if (why) {
		log_debug("to_lane", DELIVERY_FMT " why=%s", DELIVERY_ARGS(d), why);
		conclude_lane(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt, why);
		return;
	}
	if (off) {		/* taken before the lane fell asleep */
		delivery_drop(d, true);
		return;
	}
	identity_record_key(d->s->identity, &d->m, d->key);
	d->serial = ++d->s->serial;
	snprintf(d->owner, sizeof(d->owner), "%s:%llu", d->s->incarnation, (unsigned long long)d->serial);
	pace_add(d->pace, d);
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
		queue_up(d);
	strbuf_release(&why);
}
