#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/backoff.h"
#include "flow/delivery.h"
#include "flow/keys.h"
#include "flow/pace.h"
#include "flow/topology.h"

/* A third of the burst goes out at once; the rest is kept for what the network bunches together: Meta counts when messages arrive, not when they leave. */
static void limit_numbers(const struct account *a, char interval[32], char tolerance[32])
{
	int64_t interval_us = (1000000 + a->rate - 1) / a->rate, burst = a->rate / 10 < 1 ? 1 : a->rate / 10;

	snprintf(interval, 32, "%" PRId64, interval_us);
	snprintf(tolerance, 32, "%" PRId64, (burst - 1) * interval_us / 3);
}

static const char *policy(const struct delivery *d)
{
	switch (d->m.on_unknown) {
	case ON_UNKNOWN_AT_LEAST_ONCE:
		return "at_least_once";
	case ON_UNKNOWN_AT_MOST_ONCE:
		return "at_most_once";
	case ON_UNKNOWN_DEFAULT:
		break;
	}
	return d->s->conf->on_unknown;
}

static void on_go(struct delivery *d, int n, int base)
{
	if (d->hop.kind == HOP_UNKNOWN)
		board_count(d->s->slot, COUNT_RESENT);
	d->attempt = n;
	d->base = base;
	(void)FAILPOINT(AFTER_ADMIT);
	delivery_enter(d, DELIVERY_SENDING);
	send_post(d);
}

static void on_final(struct delivery *d, const struct store_reply *r)
{
	const char *state = r->v[2].s;
	bool concluded = r->v[6].i != 0;

	d->attempt = (int)r->v[1].i;
	strbuf_setf(&d->history, "%s", r->v[7].s ? r->v[7].s : "");
	board_count(d->s->slot, COUNT_REPEATED);
	if (!strcmp(state, "sent")) {
		conclude_accepted(d, r->v[3].s);
	} else if (concluded) {
		log_info("repeated", DELIVERY_FMT " state=%s", DELIVERY_ARGS(d), state);
		conclude_nothing(d);
	} else {
		snprintf(d->dead_text, sizeof(d->dead_text), "%s", r->v[4].s);
		conclude_dead(d, d->dead_text, (int)r->v[5].i, r->v[8].s, true);
	}
}

/* Too long to sit on: a copy that comes back after the lease. */
static void on_busy(struct delivery *d, int n, int64_t left_ms)
{
	board_count(d->s->slot, COUNT_BUSY);
	conclude_copy(d, HOP_BUSY, n, backoff_at_least(&d->s->conf->retry_wait, left_ms));
}

static void on_verdict(struct delivery *d, const struct store_reply *r)
{
	const char *verdict = r->v[0].s;
	int n = (int)r->v[1].i;

	if (!strcmp(verdict, "go")) {
		on_go(d, n, (int)r->v[2].i);
	} else if (!strcmp(verdict, "wait")) {
		delivery_enter(d, DELIVERY_RECEIVED);
		pace_add_back(d->pace, d);
	} else if (!strcmp(verdict, "busy")) {
		on_busy(d, n, r->v[2].i);
	} else if (!strcmp(verdict, "park")) {
		board_count(d->s->slot, COUNT_UNKNOWN);
		log_info("parked", DELIVERY_FMT " attempt=%d: its outcome is unknown", DELIVERY_ARGS(d), n);
		conclude_copy(d, HOP_UNKNOWN, n, d->s->conf->unknown_timer);
	} else if (!strcmp(verdict, "successor")) {
		conclude_copy(d, HOP_RETRY, n + 1, d->s->conf->retry_server.v[0]);
	} else if (!strcmp(verdict, "final")) {
		on_final(d, r);
	} else if (!strcmp(verdict, "newer")) {
		log_warn("record_newer", DELIVERY_FMT ": written by a later version, kept waiting", DELIVERY_ARGS(d));
		conclude_copy(d, d->hop.kind, d->hop.attempt, backoff_at_least(&d->s->conf->retry_wait, INT64_MAX));
	} else {
		BUG("admit verdict %s", verdict);
	}
}

static bool is_whole(const struct store_reply *r)
{
	if (r->error || r->n < 2 || r->v[0].kind != STORE_TEXT)
		return false;
	if (!strcmp(r->v[0].s, "final"))
		return r->n == 9;
	return strcmp(r->v[0].s, "wait") && strcmp(r->v[0].s, "busy") && strcmp(r->v[0].s, "go") ? true : r->n == 3;
}

static void on_admitted(void *arg, const struct store_reply *r)
{
	struct delivery *d = arg;
	bool must_wait;

	if (!r || !is_whole(r)) {
		/* Nobody knows whether it ran.  Asking again with the same owner is safe: it has sent nothing. */
		if (r && r->error)
			log_error("script_failed", "script=admit %s", r->error);
		delivery_enter(d, DELIVERY_RECEIVED);
		pace_add_back(d->pace, d);
		pace_answered(d->pace, true, 200);
		return;
	}
	must_wait = !strcmp(r->v[0].s, "wait");
	pace_answered(d->pace, must_wait, must_wait ? r->v[2].i : 0);
	on_verdict(d, r);
}

void admit_ask(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;
	char record[KEY_TEXT_MAX], bucket[KEY_TEXT_MAX], index[KEY_TEXT_MAX], lease[32], n[16], allowed[16], expires[32], ttl[32],
		interval[32], tolerance[32], digest[2 * SHA256_LEN + 1], hex[2 * KEY_LEN + 1], first[32], tail[32],
		replay[32] = "", used[16];
	int64_t lease_ms = c->graph_timeout + c->lease_margin;

	key_record(c, t, d->key, record);
	key_number_limit(c, d->account, bucket);
	key_index(c, t, d->m.key, index);
	limit_numbers(d->account, interval, tolerance);
	hex_encode(d->m.digest, SHA256_LEN, digest);
	hex_encode(d->key, KEY_LEN, hex);
	snprintf(lease, sizeof(lease), "%" PRId64, lease_ms);
	snprintf(n, sizeof(n), "%d", d->hop.attempt);
	snprintf(allowed, sizeof(allowed), "%d", (int)c->retry_max + 1);
	snprintf(expires, sizeof(expires), "%" PRId64, d->expires_ms);
	snprintf(ttl, sizeof(ttl), "%" PRId64, c->record_ttl);
	snprintf(first, sizeof(first), "%" PRId64, d->hop.first_seen_ms);
	snprintf(tail, sizeof(tail), "%" PRId64, topology_tail(d->s->topology));
	if (d->replay.died_ms)
		snprintf(replay, sizeof(replay), "%" PRId64, d->replay.died_ms);
	snprintf(used, sizeof(used), "%d", d->replay.attempts);

	struct store_arg args[] = {
		STORE_ARG(record), STORE_ARG(bucket), STORE_ARG(index),
		STORE_ARG(d->owner), STORE_ARG(lease), STORE_ARG(hop_kind_name(d->hop.kind)), STORE_ARG(n),
		STORE_ARG(d->redelivered ? "1" : "0"), STORE_ARG(policy(d)), STORE_ARG(allowed), STORE_ARG(expires), STORE_ARG(ttl),
		STORE_ARG(interval), STORE_ARG(tolerance), STORE_ARG(d->m.id), STORE_ARG(t->id), STORE_ARG(d->account->id),
		STORE_ARG(digest), STORE_ARG(hex), STORE_ARG(first), STORE_ARG(tail),
		STORE_ARG(replay), STORE_ARG(used), STORE_ARG(d->replay.may_duplicate ? "1" : "0"),
	};

	(void)FAILPOINT(BEFORE_ADMIT);
	delivery_enter(d, DELIVERY_ADMITTING);
	d->admit_asked = mono_now();
	d->lease_end = mono_add_ms(d->admit_asked, lease_ms);	/* earlier than Redis's own: its clock starts when the script runs */
	if (store_script(d->s->store, SCRIPT_ADMIT, 3, args, ARRAY_LEN(args), on_admitted, d) < 0)
		on_admitted(d, NULL);
}
