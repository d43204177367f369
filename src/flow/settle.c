#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "flow/alert.h"
#include "flow/backoff.h"
#include "flow/copy.h"
#include "flow/delivery.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "flow/mark.h"
#include "flow/pace.h"
#include "flow/status.h"
#include "flow/templates.h"
#include "msg/event.h"

/* settle.lua's word for the outcome; sets why the message dies where it does. */
static const char *word_for(struct delivery *d)
{
	bool retries_left = backoff_is_left(d->s->conf, d->attempt - d->base, d->answer.retries_max);

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
		if (d->is_unbegun)
			return "back";
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
	if (!d->is_unbegun)
		board_count_in(&d->s->slot->answers[d->pace->tier][d->answer.outcome]);
	if (d->answer.has_code)
		board_count_in(&d->s->slot->errors[d->answer.scope][d->answer.outcome]);
	log_info("settled", DELIVERY_FMT " outcome=%s attempt=%d http=%d code=%d ms=%" PRId64 "%s%s%s%s%s%s", DELIVERY_ARGS(d),
		 outcome_name(d->answer.outcome), d->attempt, d->answer.http, d->answer.code,
		 mono_diff_ms(mono_now(), d->post_at), d->answer.scope ? " scope=" : "", scope_name(d->answer.scope),
		 *d->answer.wamid ? " wamid=…" : "", wamid_end(d->answer.wamid),
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

static bool is_failure(const char *says)
{
	return !*says || !strcmp(says, "failed");
}

/*
 * While Graph fails everybody, nothing is said of one account: the breakers of all would open, and each come back slowly.  That
 * begins before the host's breaker is open, for until then it has to outweigh the good answers of its window.  A probe is judged.
 */
static const char *sample_of_account(const struct delivery *d)
{
	struct sender *s = d->s;
	const char *says = sample(d);

	if (strcmp(says, "failed"))
		return says;
	if (host_is_open(&s->board->host))
		return "";
	return !d->is_probe && blame_is_graph(&s->blame, d->account, mono_now(), s->conf->host_window) ? "" : says;
}

static bool holds_recipient(const struct delivery *d)
{
	return !d->m.is_control && d->answer.scope == SCOPE_RECIPIENT && (d->answer.outcome == OUTCOME_THROTTLED || d->answer.outcome == OUTCOME_HELD);
}

static const char *hold_field(const struct delivery *d, const char *template)
{
	return d->has_other_token ? "" : hold_field_of(&d->pace->holds, template, &d->answer);
}

static int64_t hold_ms(const struct delivery *d)
{
	return hold_first_ms(d->s->conf, &d->answer);
}

/* "held FIELD MS TIMES" and the like: each is told to one sender in the fleet. */
static void on_event(struct delivery *d, const char *event)
{
	const struct account *a = d->account;
	struct alert_subject who = { a->tenant->id, a->id, NULL };
	const char *field = strchr(event, ' ');
	char what[HOLD_FIELD_MAX] = "";

	if (!strcmp(event, "parked")) {
		status_settled(d->s->statuses, a, d->answer.wamid);
		return;
	}
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

static void doubt_template(struct delivery *d)
{
	if (answer_doubts_template(&d->answer) && message_template(&d->m))
		templates_doubt(d->s->templates, d->account, message_template(&d->m));
}

static bool others_fail(const struct sender *s, const struct account *a)
{
	return s->conf->tenants->n_accounts == 1 || blame_others_fail(&s->blame, a, mono_now(), s->conf->host_window);
}

/*
 * The host's breaker: what came, or did not come, from Graph at all.  Time-outs and errors of one account alone are the business of
 * its own breaker, or one busy account in trouble would keep all others from sending.
 */
static void judge_host(struct delivery *d)
{
	const char *says = sample(d);
	bool failed = is_failure(says);
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

static void conclude_retry_in(struct delivery *d, int attempt, int64_t ms)
{
	mark_waits(d, WAIT_RETRY_TIMER, ms, NULL);
	conclude_copy(d, HOP_RETRY, attempt, ms);
}

/* Held: it waits with all others in the lane.  Else (throttled, or never begun) by itself, for a time that grows. */
static void give_back(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	int64_t ms = backoff_at_least(d->answer.outcome == OUTCOME_THROTTLED ? &c->retry_throttle : &c->retry_wait, back_delay(d));

	d->hop.gave_back++;
	if (d->is_account_held)
		conclude_lane(d, HOP_RETRY, d->attempt, "held");
	else
		conclude_retry_in(d, d->attempt, ms);
}

/* The same attempt with the other token: as the copy that would be made for it. */
static void send_again(struct delivery *d)
{
	board_count(d->s->slot, COUNT_TOKEN_AGAIN);
	d->hop.kind = HOP_RETRY;
	d->hop.attempt = d->attempt;
	delivery_enter(d, DELIVERY_RECEIVED);
	pace_add_back(d->pace, d);
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
		if (d->has_other_token)
			send_again(d);
		else
			give_back(d);
		return;
	case OUTCOME_NOT_SENT:
	case OUTCOME_SERVER:
		if (d->is_unbegun) {
			give_back(d);
			return;
		}
		if (d->reason == REASON_NONE) {
			d->hop.gave_back = 0;
			conclude_retry_in(d, d->attempt + 1,
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
	struct pace *p = d->pace;

	if (r)
		board_observe(d->s->slot, HISTOGRAM_REDIS, mono_diff_us(mono_now(), d->settle_asked));
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
	if (!r->v[2].s || strcmp(r->v[2].s, "=") != 0)	/* else it is what went out (settle_ask) */
		strbuf_setf(&d->history, "%s", r->v[2].s ? r->v[2].s : "");
	count_and_log(d);
	tell(d);
	doubt_template(d);
	if (d->is_account_held)
		pace_held(d->pace, hold_ms(d), hold_ms(d), "held");
	for (int i = 3; i < r->n; i++)
		if (r->v[i].s)
			on_event(d, r->v[i].s);
	follow_up(d);
	pace_tidy(p);
}

void settle_first(struct delivery *d)
{
	blame_note(&d->s->blame, d->account, is_failure(sample(d)), mono_now());
	judge_host(d);
	d->says = sample_of_account(d);
	settle_ask(d);
}

void settle_unbegun(struct delivery *d, const char *why)
{
	answer_lost(&d->answer, false, why);
	d->is_unbegun = true;
	d->says = "";
	delivery_enter(d, DELIVERY_SETTLING);
	delivery_give_back_pass(d);
	settle_ask(d);
}

/* What goes with the answer only where something is in trouble, or was the probe of it. */
static int add_trouble(struct store_arg *args, struct delivery *d, const char *field, char numbers[3][24])
{
	const struct conf *c = d->s->conf;
	int64_t first = hold_ms(d);
	int n = 0;

	format_i64(first, numbers[0]);
	format_i64(c->hold_max > first ? c->hold_max : first, numbers[1]);
	format_i64(holds_recipient(d) ? back_delay(d) : 0, numbers[2]);
	args[n++] = STORE_ARG(reason_code(d->reason));
	args[n++] = STORE_ARG(d->answer.text);
	args[n++] = STORE_ARG(field);
	for (int i = 0; i < 3; i++)
		args[n++] = STORE_ARG(numbers[i]);
	return n;
}

void settle_ask(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	const struct tenant *t = d->account->tenant;
	struct strbuf sealed = STRBUF_INIT;
	char keys[8][KEY_TEXT_MAX], n[24], code[24], trouble[3][24];
	char template[HOLD_FIELD_MAX] = "", variant[HOLD_FIELD_MAX] = "", text[HOLD_FIELD_MAX];
	struct store_arg args[8 + 15 + HOLD_TEMPLATE + 2];
	const char *field;
	bool is_sent = d->answer.outcome == OUTCOME_SENT;
	int n_keys = 0, n_args;

	d->reason = REASON_NONE;
	d->settle_as = word_for(d);
	strbuf_reset(&d->history);
	event_attempt(d->attempt, d->post_ms, mono_diff_ms(mono_now(), d->post_at), outcome_name(d->answer.outcome),
		      d->answer.http, d->answer.code, scope_name(d->answer.scope), d->answer.text, &d->history);
	message_template_text(&d->m, text, sizeof(text));
	if (*text) {
		hold_template_field(d->account, message_template(&d->m), NULL, template);
		hold_template_field(d->account, message_template(&d->m), message_language(&d->m), variant);
	}
	field = hold_field(d, variant);
	d->is_account_held = *field && *field != 'p';
	if (is_sent)
		copy_seal(d, &sealed);

	/* in the order of settle.lua */
	key_record(c, t, d->key, keys[n_keys++]);
	key_account(c, d->account, keys[n_keys++]);
	key_holds(c, t, keys[n_keys++]);
	if (*d->answer.wamid) {
		key_wamid(c, t, d->answer.wamid, keys[n_keys++]);
		key_parked(c, t, d->answer.wamid, keys[n_keys++]);
	}
	if (sealed.len || !strcmp(d->settle_as, "dead"))
		key_body(c, t, d->key, keys[n_keys++]);
	if (*text)
		key_template_usage(c, d->account, wall_ms(), keys[n_keys++]);
	if (holds_recipient(d))
		key_recipient_hold(c, d->account, d->who, keys[n_keys++]);
	format_i64(d->attempt, n);
	format_i64(d->answer.code, code);

	for (n_args = 0; n_args < n_keys; n_args++)
		args[n_args] = STORE_ARG(keys[n_args]);
	args[n_args++] = STORE_ARG(d->owner);
	args[n_args++] = STORE_ARG(n);
	args[n_args++] = STORE_ARG(d->settle_as);
	args[n_args++] = STORE_ARG(d->answer.wamid);
	args[n_args++] = STORE_ARG(code);
	args[n_args++] = STORE_ARG(d->history.buf);
	args[n_args++] = STORE_ARG(d->says);
	args[n_args++] = STORE_ARG(text);
	args[n_args++] = (struct store_arg){ sealed.buf, sealed.len };
	while (is_sent && !d->is_probe && !args[n_args - 1].len)
		n_args--;
	if (!is_sent || d->is_probe) {
		n_args += add_trouble(args + n_args, d, field, trouble);
		for (int i = 0; d->is_probe && i < HOLD_TEMPLATE; i++)
			args[n_args++] = STORE_ARG(d->pace->holds.of[i]);
		if (d->is_probe) {
			args[n_args++] = STORE_ARG(template);
			args[n_args++] = STORE_ARG(variant);
		}
	}

	list_del(&d->queue);
	d->settle_asked = mono_now();
	if (store_script(d->s->store, SCRIPT_SETTLE, n_keys, args, n_args, on_settled, d) < 0)
		list_add_tail(&d->s->unsettled, &d->queue);
	strbuf_release(&sealed);
}
