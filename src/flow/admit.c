#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/backoff.h"
#include "flow/copy.h"
#include "flow/delivery.h"
#include "flow/guard.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "flow/lane.h"
#include "flow/mark.h"
#include "flow/pace.h"
#include "flow/rules.h"
#include "msg/event.h"

/*
 * A third of the burst goes out at once; the rest is kept for what the network bunches together: Meta counts when messages
 * arrive, not when they leave.
 */
static int64_t tolerance_us(int64_t rate)
{
	return (conf_burst(rate) - 1) * conf_interval_us(rate) / 3;
}

/* '' stands for the configured one, a constant of the script. */
static const char *policy(const struct delivery *d)
{
	switch (d->m.on_unknown) {
	case ON_UNKNOWN_AT_LEAST_ONCE:
		return "at_least_once";
	case ON_UNKNOWN_AT_MOST_ONCE:
		return "at_most_once";
	case ON_UNKNOWN_EVIDENCE:
		return rules_policy(d->s->conf, "evidence");
	case ON_UNKNOWN_DEFAULT:
		break;
	}
	return "";
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

static void on_go(struct delivery *d, int n, int base, bool probe, const char *note, const char *guard)
{
	guard_says(d, guard, true);
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
	const char *state = r->v[2].s, *error = r->v[8].s;
	bool concluded = r->v[6].i != 0;

	guard_says(d, r->v[9].s ? r->v[9].s : "", false);
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
		if (guard_refusal(d->dead_text)) {
			board_count(d->s->slot, COUNT_GUARD_REFUSED);
			error = guard_refusal(d->dead_text);
		}
		conclude_dead(d, d->dead_text, (int)r->v[5].i, error, true);
	}
}

/* Too long to sit on: a copy that comes back after the lease. */
static void on_busy(struct delivery *d, int n, int64_t left_ms)
{
	board_count(d->s->slot, COUNT_BUSY);
	conclude_copy(d, HOP_BUSY, n, backoff_at_least(&d->s->conf->retry_wait, left_ms));
}

/* Only this message waits, not its account: out of the line, back after the wait as the copy it is. */
static void put_aside(struct delivery *d, int64_t wait_ms, enum wait_cause why, const char *detail)
{
	int64_t ms = backoff_at_least(&d->s->conf->retry_wait, wait_ms);

	board_count(d->s->slot, COUNT_WAITED);
	mark_waits(d, why, ms, detail);
	conclude_copy(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt, ms);
}

static void on_pair(struct delivery *d, int64_t wait_ms)
{
	char who[WHO_LEN + 1], field[HOLD_FIELD_MAX];

	identity_who(d->s->identity, &d->m.to, who);
	hold_recipient_field(d->account, who, field);
	put_aside(d, wait_ms, WAIT_PAIR_LIMIT, field);
}

/* It has its place in the line again. */
static void come_back(struct delivery *d)
{
	delivery_enter(d, DELIVERY_RECEIVED);
	pace_add_back(d->pace, d);
}

/*
 * The gate is closed: a breaker or a hold.  A short time is waited here; for long, everything of the account waits in its lane.  When
 * only a probe is waited for, that is looked at sooner than its lease ends.
 */
static void on_held(struct delivery *d, int64_t ms, int64_t look_ms, const char *why)
{
	struct pace *p = d->pace;
	bool may_others_go = why[0] == 'p' || why[0] == 'q';	/* a template, a priority */

	if (may_others_go && ms > d->s->conf->hold_in_memory) {
		put_aside(d, look_ms, WAIT_HOLD, why);
		return;
	}
	come_back(d);
	if (ms > d->s->conf->hold_in_memory)
		pace_held(p, ms, look_ms, strcmp(why, "breaker") ? "held" : "breaker");
}

static void on_kept(void *arg, const struct store_reply *r)
{
	struct delivery *d = arg;
	char wamid[WAMID_MAX + 1];

	if (r && r->error)
		log_error("script_failed", "script=late %s", r->error);
	memcpy(wamid, d->wamid, sizeof(wamid));
	if (r && !r->error && r->n == 1 && r->v[0].s && !strcmp(r->v[0].s, "ok"))
		conclude_accepted(d, wamid);
	else
		come_back(d);		/* not written: nobody knows what its record says now */
}

/* A webhook has proven it while it was on its way here: what may still fail late must be stored before its copy is acked. */
static void keep(struct delivery *d, const struct store_reply *r)
{
	const struct conf *c = d->s->conf;
	char record[KEY_TEXT_MAX], body[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], usage[KEY_TEXT_MAX], n[24], ttl[24];
	struct strbuf sealed = STRBUF_INIT;

	board_count(d->s->slot, COUNT_REPEATED);
	d->attempt = (int)r->v[1].i;
	snprintf(d->wamid, sizeof(d->wamid), "%s", r->v[2].s ? r->v[2].s : "");
	strbuf_setf(&d->history, "%s", r->v[3].s ? r->v[3].s : "");
	key_record(c, d->account->tenant, d->key, record);
	key_body(c, d->account->tenant, d->key, body);
	key_holds(c, d->account->tenant, holds);
	key_template_usage(c, d->account, wall_ms(), usage);
	format_i64(d->attempt, n);
	format_i64(c->body_ttl, ttl);
	copy_seal(d, &sealed);
	if (store_script(d->s->store, SCRIPT_LATE, 4, (struct store_arg[]){
		STORE_ARG(record), STORE_ARG(body), STORE_ARG(holds), STORE_ARG(usage), STORE_ARG("keep"), STORE_ARG(n),
		{ sealed.buf, sealed.len }, STORE_ARG(ttl) }, 8, on_kept, d) < 0)
		come_back(d);
	strbuf_release(&sealed);
}

static void on_verdict(struct delivery *d, const struct store_reply *r)
{
	const char *verdict = r->v[0].s;
	int n = (int)r->v[1].i;

	if (!strcmp(verdict, "go")) {
		on_go(d, n, (int)r->v[2].i, r->v[3].i != 0, r->v[4].s ? r->v[4].s : "", r->v[5].s ? r->v[5].s : "");
	} else if (!strcmp(verdict, "lane")) {
		come_back(d);
		pace_follow_lane(d->pace, d);
	} else if (!strcmp(verdict, "window")) {
		intake_as_template(d);
	} else if (!strcmp(verdict, "held")) {
		on_held(d, r->v[2].i, r->v[3].i, r->v[4].s ? r->v[4].s : "");
	} else if (!strcmp(verdict, "wait")) {
		come_back(d);
	} else if (!strcmp(verdict, "pair")) {
		on_pair(d, r->v[2].i);
	} else if (!strcmp(verdict, "busy")) {
		on_busy(d, n, r->v[2].i);
	} else if (!strcmp(verdict, "park")) {
		board_count(d->s->slot, COUNT_UNKNOWN);
		log_info("parked", DELIVERY_FMT " attempt=%d: its outcome is unknown", DELIVERY_ARGS(d), n);
		conclude_copy(d, HOP_UNKNOWN, n, d->s->conf->unknown_timer);
	} else if (!strcmp(verdict, "twin")) {
		board_count(d->s->slot, COUNT_REPEATED);
		log_info("twin", DELIVERY_FMT " attempt=%d: its outcome is unknown, and another copy waits", DELIVERY_ARGS(d), n);
		conclude_nothing(d);
	} else if (!strcmp(verdict, "successor")) {
		conclude_copy(d, HOP_RETRY, n + 1, d->s->conf->retry_server.v[0]);
	} else if (!strcmp(verdict, "final")) {
		on_final(d, r);
	} else if (!strcmp(verdict, "proven")) {
		keep(d, r);
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
		{ "final", 10 }, { "proven", 4 }, { "go", 6 }, { "held", 5 }, { "wait", 3 }, { "pair", 3 }, { "busy", 3 },
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
	struct pace *p = d->pace;
	bool goes, is_held, must_wait;

	if (r)
		board_observe(d->s->slot, HISTOGRAM_REDIS, mono_diff_us(mono_now(), d->admit_asked));
	goes = r && is_whole(r) && !strcmp(r->v[0].s, "go");
	if (!goes)
		delivery_give_back_pass(d);
	if (!r || !is_whole(r)) {
		/* Nobody knows whether it ran.  Asking again with the same owner is safe: it has sent nothing. */
		if (r && r->error)
			log_error("script_failed", "script=admit %s", r->error);
		delivery_enter(d, DELIVERY_RECEIVED);
		pace_answered(d, true, 200);
		pace_add_back(p, d);
		pace_tidy(p);
		return;
	}
	/* Held for a short time: like a limit. */
	is_held = !strcmp(r->v[0].s, "held");
	must_wait = !strcmp(r->v[0].s, "wait") || (is_held && r->v[2].i <= d->s->conf->hold_in_memory);
	pace_answered(d, must_wait, must_wait ? r->v[is_held ? 3 : 2].i : 0);
	on_verdict(d, r);
	pace_tidy(p);
}

/* The script's keys and arguments; what is made for it gets its place here. */
struct arguments {
	struct store_arg v[10 + 21];
	int n;
	char texts[14][HOLD_FIELD_MAX], numbers[7][24];
	int n_texts, n_numbers;
};

static void add_text(struct arguments *a, const char *text)
{
	if (a->n == (int)ARRAY_LEN(a->v))
		BUG("too many arguments");
	a->v[a->n++] = STORE_ARG(text);
}

static char *place(struct arguments *a)
{
	if (a->n_texts == (int)ARRAY_LEN(a->texts))
		BUG("too many texts");
	return a->texts[a->n_texts++];
}

static void add_number(struct arguments *a, int64_t v)
{
	char *text = a->numbers[a->n_numbers++];

	if (a->n_numbers > (int)ARRAY_LEN(a->numbers))
		BUG("too many numbers");
	format_i64(v, text);
	add_text(a, text);
}

/* Adds a key that WRITE(…, place) makes. */
#define ADD_KEY(a, write, ...) do { char *key_ = place(a); write(__VA_ARGS__, key_); add_text(a, key_); } while (0)

static bool has_pair_limit(const struct delivery *d)
{
	return d->s->conf->limit_pair_every && !d->m.is_control;
}

/* How its copy differs from a message that comes for the first time. */
static const char *copy_text(struct arguments *a, const struct delivery *d)
{
	char *text;

	if (d->hop.kind == HOP_NONE && !d->hop.attempt && !d->redelivered)
		return "";
	text = place(a);
	snprintf(text, HOLD_FIELD_MAX, "%s %d %d %d %x %" PRId64, hop_kind_name(d->hop.kind), d->hop.attempt, d->redelivered, d->hop.hops,
		 d->hop.nonce, d->hop.published_ms);
	return text;
}

static const char *replay_text(struct arguments *a, const struct delivery *d)
{
	char *text;

	if (!d->replay.died_ms)
		return "";
	text = place(a);
	snprintf(text, HOLD_FIELD_MAX, "%" PRId64 " %d %d", d->replay.died_ms, d->replay.attempts, d->replay.may_duplicate);
	return text;
}

static const char *template_text(struct arguments *a, const struct message *m)
{
	char *text;

	if (!message_template(m))
		return "";
	text = place(a);
	message_template_text(m, text, HOLD_FIELD_MAX);
	return text;
}

static const char *or_none(const char *text)
{
	return *text ? text : "-";
}

static const char *guard_text(struct arguments *a, const struct delivery *d)
{
	const char *window = guard_window(d), *opt_out = guard_opt_out(d);
	const char *fallback = guard_sent_fallback(d) ? "sent" : guard_has_fallback(d) ? "named" : "";
	char *text;

	if (!*window && !*opt_out && !*fallback)
		return "";
	text = place(a);
	snprintf(text, HOLD_FIELD_MAX, "%s %s %s", or_none(window), or_none(opt_out), or_none(fallback));
	return text;
}

/* Those that are always there, and those that this message needs, in the order of admit.lua.  Returns how many. */
static int add_keys(struct arguments *a, const struct delivery *d, bool is_watched)
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;

	ADD_KEY(a, key_record, c, t, d->key);
	ADD_KEY(a, key_index, c, t, d->m.key);
	ADD_KEY(a, key_account, c, d->account);
	ADD_KEY(a, key_holds, c, t);
	ADD_KEY(a, key_recipient_hold, c, d->account, d->who);
	if (has_pair_limit(d))
		ADD_KEY(a, key_pair_limit, c, d->account, d->who);
	if (t->rate)
		ADD_KEY(a, key_tenant_limit, c, t);
	if (is_watched) {
		ADD_KEY(a, key_evidence, c, d->account);
		ADD_KEY(a, key_user, c, d->account, d->who);
		ADD_KEY(a, key_users, c, d->account);
	}
	return a->n;
}

void admit_ask(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;
	struct strbuf context = STRBUF_INIT;
	int64_t lease_ms = c->graph_timeout + c->lease_margin;
	char digest[2 * SHA256_LEN + 1];
	struct arguments a;
	const char *guards;
	int n_keys;

	a.n = a.n_texts = a.n_numbers = 0;	/* the rest is written before it is read */
	identity_who(d->s->identity, &d->m.to, d->who);
	guards = guard_text(&a, d);
	n_keys = add_keys(&a, d, *guards || d->hop.kind == HOP_UNKNOWN);
	if (c->webhook_apps.n)
		event_context(&d->m, &context);
	hex_encode(d->m.digest, SHA256_LEN, digest);

	add_text(&a, d->owner);
	add_number(&a, d->expires_ms);
	add_number(&a, conf_interval_us(d->account->rate));
	add_number(&a, tolerance_us(d->account->rate));
	add_text(&a, d->m.id);
	add_text(&a, t->id);
	add_text(&a, d->account->id);
	add_text(&a, digest);
	add_number(&a, d->hop.first_seen_ms);
	add_text(&a, d->account->waba_id);
	add_text(&a, hold_priority_class(d->priority));
	add_text(&a, has_pair_limit(d) ? "1" : "0");
	/* Redis compares times, and the way to it takes some: this sender's own order needs none. */
	if (pace_minds_lane(d) && d->serial >= d->pace->ahead_of)
		add_number(&a, 1 + mono_diff_ms(mono_now(), d->since));
	else
		add_text(&a, "");
	add_text(&a, context.buf);
	add_text(&a, template_text(&a, &d->m));
	add_text(&a, guards);
	add_text(&a, copy_text(&a, d));
	add_text(&a, replay_text(&a, d));
	add_text(&a, policy(d));
	if (t->rate) {
		add_number(&a, conf_interval_us(t->rate));
		add_number(&a, tolerance_us(t->rate));
	}
	while (!a.v[a.n - 1].len)	/* nothing to say, and nothing behind it */
		a.n--;

	(void)FAILPOINT(BEFORE_ADMIT);
	d->is_probe = false;
	delivery_enter(d, DELIVERY_ADMITTING);
	d->admit_asked = mono_now();
	d->lease_end = mono_add_ms(d->admit_asked, lease_ms);	/* earlier than Redis's own: its clock starts when the script runs */
	if (store_script(d->s->store, SCRIPT_ADMIT, n_keys, a.v, a.n, on_admitted, d) < 0)
		on_admitted(d, NULL);
	strbuf_release(&context);
}
