#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/backoff.h"
#include "flow/delivery.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "flow/lane.h"
#include "flow/pace.h"
#include "flow/topology.h"

/* One more limit of this send beside the number's own; texts for the script's arguments. */
struct limit { char key[KEY_TEXT_MAX], interval[24], tolerance[24]; const char *verdict; };
enum { LIMITS_MAX = 2 };

static void limit_set(struct limit *l, const char *verdict, int64_t interval_us, int64_t tolerance_us)
{
	l->verdict = verdict;
	snprintf(l->interval, sizeof(l->interval), "%" PRId64, interval_us);
	snprintf(l->tolerance, sizeof(l->tolerance), "%" PRId64, tolerance_us);
}

/*
 * A third of the burst goes out at once; the rest is kept for what the network bunches together: Meta counts when messages
 * arrive, not when they leave.
 */
static void limit_set_rate(struct limit *l, int64_t rate)
{
	int64_t interval_us = conf_interval_us(rate), burst = rate / 10 < 1 ? 1 : rate / 10;

	limit_set(l, "wait", interval_us, (burst - 1) * interval_us / 3);
}

/* Those that apply to this message: its recipient's (Meta: "Throughput", pair rate), its tenant's. */
static int further_limits(struct delivery *d, const char *who, struct limit limits[LIMITS_MAX])
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;
	int n = 0;

	if (c->limit_pair_every) {
		key_pair_limit(c, d->account, who, limits[n].key);
		limit_set(&limits[n++], "pair", c->limit_pair_every * 1000, (c->limit_pair_burst - 1) * c->limit_pair_every * 1000);
	}
	if (t->rate) {
		key_tenant_limit(c, t, limits[n].key);
		limit_set_rate(&limits[n++], t->rate);
	}
	return n;
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

/* A probe must have its answer before its lease is over: four fifths of it are the POST's, what is left is for beginning. */
static void set_deadlines(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	int64_t most = c->breaker_probe * 4 / 5;

	d->timeout_ms = c->graph_timeout;
	if (!d->is_probe)
		return;
	if (most < d->timeout_ms)
		d->timeout_ms = most;
	d->lease_end = mono_add_ms(d->admit_asked, c->breaker_probe - d->timeout_ms);
}

static void on_go(struct delivery *d, int n, int base, bool probe, const char *note)
{
	d->is_probe = probe;
	set_deadlines(d);
	if (*note)
		pace_near_limit(d->pace, !strcmp(note, "approaching"));
	if (probe)
		board_count(d->s->slot, COUNT_PROBES);
	if (n == base + 1)		/* a retry was counted when it took its place in the budget */
		host_count_first(&d->s->board->host, mono_now());
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

/* Only this recipient waits, not the account: out of its line, back after the wait as the copy it is. */
static void on_pair(struct delivery *d, int64_t wait_ms)
{
	board_count(d->s->slot, COUNT_WAITED);
	conclude_copy(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt,
		      backoff_at_least(&d->s->conf->retry_wait, wait_ms));
}

/* The gate is closed: a breaker or a hold.  A short time is waited here; for long, everything of the account waits in its lane. */
static void on_held(struct delivery *d, int64_t ms, const char *why)
{
	struct pace *p = d->pace;
	bool is_template = why[0] == 'p';

	if (is_template && ms > d->s->conf->hold_in_memory) {	/* other messages of the account may go */
		board_count(d->s->slot, COUNT_WAITED);
		conclude_copy(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt,
			      backoff_at_least(&d->s->conf->retry_wait, ms));
		return;
	}
	delivery_enter(d, DELIVERY_RECEIVED);
	pace_add_back(p, d);
	if (ms > d->s->conf->hold_in_memory)
		pace_held(p, ms, strcmp(why, "breaker") ? "held" : "breaker");
}

static void on_verdict(struct delivery *d, const struct store_reply *r)
{
	const char *verdict = r->v[0].s;
	int n = (int)r->v[1].i;

	if (!strcmp(verdict, "go")) {
		on_go(d, n, (int)r->v[2].i, r->v[3].i != 0, r->v[4].s ? r->v[4].s : "");
	} else if (!strcmp(verdict, "lane")) {
		conclude_lane(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt, "order");
	} else if (!strcmp(verdict, "held")) {
		on_held(d, r->v[2].i, r->v[3].s ? r->v[3].s : "");
	} else if (!strcmp(verdict, "wait")) {
		delivery_enter(d, DELIVERY_RECEIVED);
		pace_add_back(d->pace, d);
	} else if (!strcmp(verdict, "pair")) {
		on_pair(d, r->v[2].i);
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
	static const struct { const char *verdict; int n; } lengths[] = {
		{ "final", 9 }, { "go", 5 }, { "held", 4 }, { "wait", 3 }, { "pair", 3 }, { "busy", 3 },
	};

	if (r->error || r->n < 2 || r->v[0].kind != STORE_TEXT)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		if (!strcmp(r->v[0].s, lengths[i].verdict))
			return r->n == lengths[i].n;
	return true;
}

static void on_admitted(void *arg, const struct store_reply *r)
{
	struct delivery *d = arg;
	bool must_wait, goes;

	goes = r && is_whole(r) && !strcmp(r->v[0].s, "go");
	if (!goes)
		delivery_give_back_pass(d);
	if (!r || !is_whole(r)) {
		/* Nobody knows whether it ran.  Asking again with the same owner is safe: it has sent nothing. */
		if (r && r->error)
			log_error("script_failed", "script=admit %s", r->error);
		delivery_enter(d, DELIVERY_RECEIVED);
		pace_add_back(d->pace, d);
		pace_answered(d->pace, true, 200);
		return;
	}
	/* Held for a short time: like a limit. */
	must_wait = !strcmp(r->v[0].s, "wait") || (!strcmp(r->v[0].s, "held") && r->v[2].i <= d->s->conf->hold_in_memory);
	pace_answered(d->pace, must_wait, must_wait ? r->v[2].i : 0);
	on_verdict(d, r);
}

/* The script's arguments; numbers get their text here. */
struct arguments {
	struct store_arg v[6 + LIMITS_MAX + 31 + 3 * LIMITS_MAX];
	int n;
	char numbers[16][24];
	int n_numbers;
};

static void add_text(struct arguments *a, const char *text)
{
	a->v[a->n++] = STORE_ARG(text);
}

static void add_number(struct arguments *a, int64_t v)
{
	char *text = a->numbers[a->n_numbers++];

	snprintf(text, sizeof(a->numbers[0]), "%" PRId64, v);
	add_text(a, text);
}

void admit_ask(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;
	char record[KEY_TEXT_MAX], index[KEY_TEXT_MAX], digest[2 * SHA256_LEN + 1], hex[2 * KEY_LEN + 1], who[WHO_LEN + 1];
	char account[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], recipient[KEY_TEXT_MAX], template[HOLD_FIELD_MAX];
	struct limit number, further[LIMITS_MAX];
	int n_further;
	int64_t lease_ms = c->graph_timeout + c->lease_margin;
	struct arguments a = { .n = 0 };

	identity_who(d->s->identity, &d->m.to, who);
	n_further = further_limits(d, who, further);
	key_record(c, t, d->key, record);
	key_account(c, d->account, account);
	key_holds(c, t, holds);
	key_recipient_hold(c, d->account, who, recipient);
	hold_template_field(d->account, message_template(&d->m), template);
	key_number_limit(c, d->account, number.key);
	limit_set_rate(&number, d->account->rate);
	key_index(c, t, d->m.key, index);
	hex_encode(d->m.digest, SHA256_LEN, digest);
	hex_encode(d->key, KEY_LEN, hex);

	add_text(&a, record);
	add_text(&a, number.key);
	add_text(&a, index);
	add_text(&a, account);
	add_text(&a, holds);
	add_text(&a, recipient);
	for (int i = 0; i < n_further; i++)
		add_text(&a, further[i].key);
	/* in the order of admit.lua */
	add_text(&a, d->owner);
	add_number(&a, lease_ms);
	add_text(&a, hop_kind_name(d->hop.kind));
	add_number(&a, d->hop.attempt);
	add_text(&a, d->redelivered ? "1" : "0");
	add_text(&a, policy(d));
	add_number(&a, c->retry_max + 1);
	add_number(&a, d->expires_ms);
	add_number(&a, c->record_ttl);
	add_text(&a, number.interval);
	add_text(&a, number.tolerance);
	add_text(&a, d->m.id);
	add_text(&a, t->id);
	add_text(&a, d->account->id);
	add_text(&a, digest);
	add_text(&a, hex);
	add_number(&a, d->hop.first_seen_ms);
	add_number(&a, topology_tail(d->s->topology));
	if (d->replay.died_ms)
		add_number(&a, d->replay.died_ms);
	else
		add_text(&a, "");
	add_number(&a, d->replay.attempts);
	add_text(&a, d->replay.may_duplicate ? "1" : "0");
	add_number(&a, pace_minds_lane(d) ? 1 + mono_diff_ms(mono_now(), d->since) : 0);
	add_number(&a, c->breaker_probe);
	add_number(&a, c->breaker_ramp);
	add_number(&a, c->limit_window);
	add_number(&a, c->limit_warn);
	for (int i = 0; i < HOLD_TEMPLATE; i++)
		add_text(&a, d->pace->holds.of[i]);
	add_text(&a, template);
	for (int i = 0; i < n_further; i++) {
		add_text(&a, further[i].interval);
		add_text(&a, further[i].tolerance);
		add_text(&a, further[i].verdict);
	}

	(void)FAILPOINT(BEFORE_ADMIT);
	d->is_probe = false;
	delivery_enter(d, DELIVERY_ADMITTING);
	d->admit_asked = mono_now();
	d->lease_end = mono_add_ms(d->admit_asked, lease_ms);	/* earlier than Redis's own: its clock starts when the script runs */
	if (store_script(d->s->store, SCRIPT_ADMIT, 6 + n_further, a.v, a.n, on_admitted, d) < 0)
		on_admitted(d, NULL);
}
