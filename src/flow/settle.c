#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "flow/alert.h"
#include "flow/backoff.h"
#include "flow/delivery.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "flow/pace.h"
#include "flow/topology.h"
#include "msg/event.h"

static const int64_t wamid_ttl_ms = 31LL * 86400 * 1000;	/* Meta delivers for up to 30 days */

/* settle.lua's word for the outcome; sets why the message dies where it does. */
static const char *word_for(struct delivery *d)
{
	bool retries_left = d->attempt - d->base < d->s->conf->retry_max + 1 && d->attempt - d->base <= d->answer.retries_max;

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

/* Throttled or in trouble: how long the copy stays away.  Grows with such answers in a row, obeys what Graph says. */
static int64_t back_delay(const struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct conf_steps *steps = d->answer.outcome == OUTCOME_THROTTLED ? &c->retry_throttle : &c->retry_wait;
	int64_t ms = backoff_retry(steps, d->hop.gave_back + 1, rand_u64());

	return d->answer.retry_after_ms > ms ? d->answer.retry_after_ms : ms;
}

/* ---- what the answer says of the account ---- */

/* settle.lua's word for the breaker and the limiter, as far as the answer tells.  No connection is the host's trouble, not the account's. */
static const char *sample(const struct delivery *d)
{
	const struct answer *a = &d->answer;

	if (a->reaction == REACTION_SLOW && a->outcome == OUTCOME_THROTTLED)
		return "slow";
	switch (a->outcome) {
	case OUTCOME_NOT_SENT:
		return "";
	case OUTCOME_SERVER:
		return a->reaction == REACTION_INNOCENT ? "good" : "failed";
	case OUTCOME_UNKNOWN:
		return "failed";
	case OUTCOME_SENT:
	case OUTCOME_THROTTLED:
	case OUTCOME_HELD:
	case OUTCOME_REFUSED:
		return "good";
	}
	BUG("outcome %d", (int)a->outcome);
}

/* While Graph fails everybody, nothing is said of one account: the breakers of all would open, and each come back slowly. */
static const char *sample_of_account(const struct delivery *d)
{
	const char *says = sample(d);

	return !strcmp(says, "failed") && host_is_open(&d->s->board->host) ? "" : says;
}

static bool holds_recipient(const struct delivery *d)
{
	return d->answer.scope == SCOPE_RECIPIENT && (d->answer.outcome == OUTCOME_THROTTLED || d->answer.outcome == OUTCOME_HELD);
}

/*
 * What is put on hold, "": nothing.  Tokens belong to accounts, so trouble of a tenant's token or app is found out, and held, account
 * by account: others may have a token that is good.
 */
static const char *hold_field(const struct delivery *d, const char *template)
{
	const struct answer *a = &d->answer;
	const struct hold_fields *f = &d->pace->holds;

	if ((a->outcome != OUTCOME_HELD && a->outcome != OUTCOME_THROTTLED) || a->reaction == REACTION_SLOW)
		return "";
	switch (a->scope) {
	case SCOPE_TEMPLATE:
		return template;
	case SCOPE_NUMBER:
		return f->of[HOLD_NUMBER];
	case SCOPE_WABA:
		return f->of[HOLD_WABA];
	case SCOPE_APP:
	case SCOPE_TENANT:
		return f->of[HOLD_ACCOUNT];
	case SCOPE_RECIPIENT:
		return "";
	case SCOPE_NONE:
	case SCOPE_MESSAGE:
		return a->outcome == OUTCOME_HELD ? f->of[HOLD_ACCOUNT] : "";
	}
	BUG("scope %d", (int)a->scope);
}

static int64_t hold_ms(const struct delivery *d)
{
	int64_t ms = d->answer.outcome == OUTCOME_HELD ? d->s->conf->hold_first : d->s->conf->retry_throttle.v[0];

	return d->answer.retry_after_ms > ms ? d->answer.retry_after_ms : ms;
}

/* "held FIELD MS TIMES" and the like: each is told to one sender in the fleet. */
static void on_event(struct delivery *d, const char *event)
{
	const struct account *a = d->account;
	struct alert_subject who = { a->tenant->id, a->id, NULL };
	const char *field = strchr(event, ' ');
	char what[HOLD_FIELD_MAX] = "";

	if (field) {
		snprintf(what, sizeof(what), "%.*s", (int)strcspn(field + 1, " "), field + 1);
		who.what = what;
	}
	if (*what == 'w' || *what == 'p')	/* another account of the business account may see the end of it */
		who.account_id = NULL;
	log_notice("gate", "tenant=%s account=%s %s", a->tenant->id, a->id, event);
	if (str_starts(event, "breaker_opened")) {
		who.what = NULL;
		board_count(d->s->slot, COUNT_BREAKER_OPENED);
		alert_raise(d->s->alerts, ALERT_BREAKER_OPEN, &who, "too many failures, the last: %s; tried again in %s ms",
			    d->answer.text, what);
	} else if (str_starts(event, "breaker_closed")) {
		alert_resolve(d->s->alerts, ALERT_BREAKER_OPEN, &who, "a message went through");
		pace_go_on(d->pace);
	} else if (str_starts(event, "held")) {
		board_count(d->s->slot, COUNT_HOLDS);
		alert_raise(d->s->alerts, ALERT_HELD, &who, "Graph says %d: %s", d->answer.code, d->answer.text);
	} else if (str_starts(event, "released")) {
		alert_resolve(d->s->alerts, ALERT_HELD, &who, "a message went through");
		pace_go_on(d->pace);
	}
}

static void tell(struct delivery *d)
{
	char what[32];

	if (d->answer.reaction != REACTION_ALERT)
		return;
	snprintf(what, sizeof(what), "code:%d", d->answer.code);
	alert_raise(d->s->alerts, ALERT_MESSAGE_REFUSED,
		    &(struct alert_subject){ d->account->tenant->id, d->account->id, what }, "%s", d->answer.text);
}

/* Does another account fail, too?  Of each process's own knowledge: all of them see all accounts. */
static bool others_fail(struct sender *s, const struct account *a)
{
	mono_t now = mono_now();

	if (s->failed != a) {
		s->failed_before = s->failed;
		s->failed_before_at = s->failed_at;
		s->failed = a;
	}
	s->failed_at = now;
	return s->conf->n_accounts == 1 || (s->failed_before && mono_diff_ms(now, s->failed_before_at) <= s->conf->host_window);
}

/*
 * The host's breaker: what came, or did not come, from Graph at all.  Time-outs and errors of one account alone are the business of
 * its own breaker, or one busy account in trouble would keep all others from sending.
 */
static void judge_host(struct delivery *d)
{
	const char *says = sample(d);
	bool failed = !*says || !strcmp(says, "failed");
	struct alert_subject host = { NULL, NULL, "host" };

	if (!d->has_pass)
		return;
	if (failed && *says && !others_fail(d->s, d->account) && !d->is_host_probe) {
		delivery_give_back_pass(d);
		return;
	}
	d->has_pass = false;
	switch (host_result(&d->s->board->host, &d->s->host_rules, mono_now(), d->pass, failed)) {
	case HOST_OPENED:
		log_warn("host_breaker", "state=open error=%s", d->answer.text);
		alert_raise(d->s->alerts, ALERT_HOST_BREAKER_OPEN, &host, "Graph does not answer this machine: %s", d->answer.text);
		break;
	case HOST_CLOSED:
		log_notice("host_breaker", "state=closed");
		alert_resolve(d->s->alerts, ALERT_HOST_BREAKER_OPEN, &host, "Graph answers again");
		break;
	case HOST_SAME:
		break;
	}
}

/* Held: it waits with all others in the lane.  Else by itself, for a time that grows. */
static void give_back(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	int64_t ms = back_delay(d);

	d->hop.gave_back++;
	if (d->is_account_held)
		conclude_lane(d, HOP_RETRY, d->attempt, "held");
	else
		conclude_copy(d, HOP_RETRY, d->attempt,
			      backoff_at_least(d->answer.outcome == OUTCOME_THROTTLED ? &c->retry_throttle : &c->retry_wait, ms));
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
		give_back(d);
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
	tell(d);
	if (d->is_account_held)
		pace_held(d->pace, hold_ms(d), "held");
	for (int i = 3; i < r->n; i++)
		if (r->v[i].s)
			on_event(d, r->v[i].s);
	follow_up(d);
}

static void number(char out[24], int64_t v)
{
	snprintf(out, 24, "%" PRId64, v);
}

void settle_first(struct delivery *d)
{
	judge_host(d);
	settle_ask(d);
}

void settle_ask(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;
	struct strbuf entry = STRBUF_INIT;
	char record[KEY_TEXT_MAX], wamid[KEY_TEXT_MAX], n[16], code[16], ttl[32], tail[32], wamid_ttl[32], hex[2 * KEY_LEN + 1];
	char account[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], recipient[KEY_TEXT_MAX], template[HOLD_FIELD_MAX], who[WHO_LEN + 1];
	char calls[24], percent[24], open[24], open_max[24], hold[24], most[24], recipient_ms[24] = "0";
	const char *field;

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

	identity_who(d->s->identity, &d->m.to, who);
	key_account(c, d->account, account);
	key_holds(c, t, holds);
	key_recipient_hold(c, d->account, who, recipient);
	hold_template_field(d->account, message_template(&d->m), template);
	field = hold_field(d, template);
	d->is_account_held = *field && *field != 'p';
	number(calls, c->breaker_calls);
	number(percent, c->breaker_percent);
	number(open, c->breaker_open);
	number(open_max, c->breaker_open_max);
	number(hold, hold_ms(d));
	number(most, c->hold_max > hold_ms(d) ? c->hold_max : hold_ms(d));
	if (holds_recipient(d))
		number(recipient_ms, back_delay(d));

	struct store_arg args[] = {
		STORE_ARG(record), STORE_ARG(wamid), STORE_ARG(account), STORE_ARG(holds), STORE_ARG(recipient),
		STORE_ARG(d->owner), STORE_ARG(n), STORE_ARG(d->settle_as), STORE_ARG(d->answer.wamid),
		STORE_ARG(reason_code(d->reason)), STORE_ARG(code), STORE_ARG(entry.buf), STORE_ARG(ttl), STORE_ARG(tail),
		STORE_ARG(wamid_ttl), STORE_ARG(hex), STORE_ARG(d->answer.text),
		STORE_ARG(sample_of_account(d)), STORE_ARG(d->is_probe ? "1" : "0"), STORE_ARG(calls), STORE_ARG(percent), STORE_ARG(open),
		STORE_ARG(open_max), STORE_ARG(field), STORE_ARG(hold), STORE_ARG(most), STORE_ARG(d->answer.text), STORE_ARG(recipient_ms),
		STORE_ARG(d->pace->holds.of[0]), STORE_ARG(d->pace->holds.of[1]), STORE_ARG(d->pace->holds.of[2]),
		STORE_ARG(d->pace->holds.of[3]), STORE_ARG(template),
	};

	list_del(&d->queue);
	if (store_script(d->s->store, SCRIPT_SETTLE, 5, args, ARRAY_LEN(args), on_settled, d) < 0)
		list_add_tail(&d->s->unsettled, &d->queue);
	strbuf_release(&entry);
}
