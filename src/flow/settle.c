#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "flow/backoff.h"
#include "flow/delivery.h"
#include "flow/keys.h"
#include "flow/pace.h"
#include "flow/topology.h"
#include "msg/event.h"

static const int64_t wamid_ttl_ms = 31LL * 86400 * 1000;	/* Meta delivers for up to 30 days */

/* settle.lua's word for the outcome; sets why the message dies where it does. */
static const char *word_for(struct delivery *d)
{
	bool retries_left = d->attempt - d->base < d->s->conf->retry_max + 1;

	switch (d->answer.outcome) {
	case OUTCOME_SENT:
		return "sent";
	case OUTCOME_THROTTLED:
	case OUTCOME_HELD:
		return "back";
	case OUTCOME_UNKNOWN:
		return "unknown";
	case OUTCOME_REFUSED:
		d->reason = REASON_REFUSED;
		return "dead";
	case OUTCOME_NOT_SENT:
	case OUTCOME_SERVER:
		if (retries_left)
			return "retry";
		d->reason = REASON_RETRIES_USED;
		return "dead";
	}
	BUG("outcome %d", (int)d->answer.outcome);
}

/* Enough to tell two apart: the front of a WAMID is the recipient's number in base64. */
static const char *wamid_end(const char *wamid)
{
	size_t n = strlen(wamid);

	return n > 12 ? wamid + n - 12 : wamid;
}

static void count_and_log(struct delivery *d)
{
	static const enum counter of_outcome[] = {
		[OUTCOME_SENT] = COUNT_SENT, [OUTCOME_NOT_SENT] = COUNT_RETRIED, [OUTCOME_SERVER] = COUNT_RETRIED,
		[OUTCOME_THROTTLED] = COUNT_THROTTLED, [OUTCOME_HELD] = COUNT_HELD, [OUTCOME_REFUSED] = COUNT_DEAD,
		[OUTCOME_UNKNOWN] = COUNT_UNKNOWN,
	};

	if (d->reason == REASON_NONE)
		board_count(d->s->slot, of_outcome[d->answer.outcome]);
	log_info("settled", DELIVERY_FMT " outcome=%s attempt=%d http=%d code=%d ms=%" PRId64 "%s%s%s%s%s%s", DELIVERY_ARGS(d),
		 outcome_name(d->answer.outcome), d->attempt, d->answer.http, d->answer.code,
		 mono_diff_ms(mono_now(), d->post_at), d->answer.scope ? " scope=" : "", scope_name(d->answer.scope),
		 d->answer.outcome == OUTCOME_SENT ? " wamid=…" : "", wamid_end(d->answer.wamid),
		 *d->answer.text ? " error=" : "", d->answer.text);
}

/* Throttled or in trouble: how long the copy stays away.  Grows with such answers in a row, obeys Retry-After. */
static int64_t back_delay(const struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct conf_steps *steps = d->answer.outcome == OUTCOME_THROTTLED ? &c->retry_throttle : &c->retry_wait;
	int64_t ms = backoff_retry(steps, d->hop.gave_back + 1, rand_u64());

	return d->answer.retry_after_ms > ms ? backoff_at_least(steps, d->answer.retry_after_ms) : ms;
}

static void follow_up(struct delivery *d)
{
	const struct conf *c = d->s->conf;

	switch (d->answer.outcome) {
	case OUTCOME_SENT:
		conclude_accepted(d, d->answer.wamid);
		return;
	case OUTCOME_UNKNOWN:
		conclude_copy(d, HOP_UNKNOWN, d->attempt, c->unknown_timer);
		return;
	case OUTCOME_THROTTLED:
	case OUTCOME_HELD:
		d->hop.gave_back++;
		conclude_copy(d, HOP_RETRY, d->attempt, back_delay(d));
		return;
	case OUTCOME_NOT_SENT:
	case OUTCOME_SERVER:
		if (d->reason == REASON_NONE) {
			d->hop.gave_back = 0;
			conclude_copy(d, HOP_RETRY, d->attempt + 1,
				      backoff_retry(d->answer.outcome == OUTCOME_SERVER ? &c->retry_server : &c->retry_connect,
						    d->attempt - d->base, rand_u64()));
			return;
		}
		break;
	case OUTCOME_REFUSED:
		break;
	}
	conclude_dead(d, reason_code(d->reason), d->answer.code, d->answer.text, true);
}

/* The record went to another sender while we were away (frozen past the lease). */
static void on_lost(struct delivery *d)
{
	board_count(d->s->slot, COUNT_SETTLE_LOST);
	log_warn("settle_lost", DELIVERY_FMT " outcome=%s attempt=%d", DELIVERY_ARGS(d), outcome_name(d->answer.outcome), d->attempt);
	if (d->answer.outcome == OUTCOME_UNKNOWN) {
		conclude_copy(d, HOP_UNKNOWN, d->attempt, d->s->conf->unknown_timer);
		return;
	}
	/* A failure that may not be written: ask again as a new owner; the record decides. */
	d->reason = REASON_NONE;
	snprintf(d->owner, sizeof(d->owner), "%s:%llu", d->s->incarnation, (unsigned long long)++d->s->serial);
	delivery_enter(d, DELIVERY_RECEIVED);
	pace_add_back(d->pace, d);
}

static void on_settled(void *arg, const struct store_reply *r)
{
	struct delivery *d = arg;

	if (FAILPOINT(SETTLE_LOST))
		r = NULL;
	if (!r || r->error || r->n < 3) {
		/* The outcome stays here and is settled again: the same settle twice gives the same answer. */
		if (r && r->error)
			log_error("script_failed", "script=settle %s", r->error);
		list_add_tail(&d->s->unsettled, &d->queue);
		return;
	}
	(void)FAILPOINT(AFTER_SETTLE);
	if (!strcmp(r->v[0].s, "lost")) {
		on_lost(d);
		return;
	}
	if (!strcmp(r->v[0].s, "duplicate")) {
		board_count(d->s->slot, COUNT_DUPLICATE);
		log_warn("duplicate_proven", DELIVERY_FMT " wamid=…%s", DELIVERY_ARGS(d), wamid_end(d->answer.wamid));
	}
	strbuf_setf(&d->history, "%s", r->v[2].s ? r->v[2].s : "");
	count_and_log(d);
	follow_up(d);
}

void settle_ask(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;
	struct strbuf entry = STRBUF_INIT;
	char record[KEY_TEXT_MAX], wamid[KEY_TEXT_MAX], n[16], code[16], ttl[32], tail[32], wamid_ttl[32], hex[2 * KEY_LEN + 1];

	d->reason = REASON_NONE;
	d->settle_as = word_for(d);
	key_record(c, t, d->key, record);
	key_wamid(c, t, d->answer.wamid, wamid);
	hex_encode(d->key, KEY_LEN, hex);
	snprintf(n, sizeof(n), "%d", d->attempt);
	snprintf(code, sizeof(code), "%d", d->answer.code);
	snprintf(ttl, sizeof(ttl), "%" PRId64, c->record_ttl);
	snprintf(tail, sizeof(tail), "%" PRId64, topology_tail(d->s->topology));
	snprintf(wamid_ttl, sizeof(wamid_ttl), "%" PRId64, wamid_ttl_ms);
	event_attempt(d->attempt, d->post_ms, mono_diff_ms(mono_now(), d->post_at), outcome_name(d->answer.outcome),
		      d->answer.http, d->answer.code, scope_name(d->answer.scope), d->answer.text, &entry);

	struct store_arg args[] = {
		STORE_ARG(record), STORE_ARG(wamid),
		STORE_ARG(d->owner), STORE_ARG(n), STORE_ARG(d->settle_as), STORE_ARG(d->answer.wamid),
		STORE_ARG(reason_code(d->reason)), STORE_ARG(code), STORE_ARG(entry.buf), STORE_ARG(ttl), STORE_ARG(tail),
		STORE_ARG(wamid_ttl), STORE_ARG(hex), STORE_ARG(d->answer.text),
	};

	list_del(&d->queue);
	if (store_script(d->s->store, SCRIPT_SETTLE, 2, args, ARRAY_LEN(args), on_settled, d) < 0)
		list_add_tail(&d->s->unsettled, &d->queue);
	strbuf_release(&entry);
}
