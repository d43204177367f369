/* The second half of why.h: what holds an account now, and the causes in their order. */
#include <inttypes.h>

#include "api/why.h"
#include "base/str.h"

struct telling {
	struct why *w;
	const struct why_facts *f;
	json_t *causes;
	struct strbuf text;
};

static void add_span(struct strbuf *out, const char *lead, int64_t ms)
{
	char span[32];

	format_msec(ms < 1000 ? 1000 : (ms + 999) / 1000 * 1000, span);
	strbuf_addf(out, "%s%s", lead, span);
}

/* account: where that is not known to be the message's; until and since: Unix time, 0 none. */
static void tell(struct telling *t, enum wait_cause cause, const struct account *account, int64_t since_ms, int64_t until_ms,
		 const char *words)
{
	json_t *o = json_object();

	json_put_text(o, "cause", wait_cause_word(cause));
	if (account)
		json_put_text(o, "account_id", account->id);
	json_put_time(o, "since", since_ms);
	json_put_time(o, "until", until_ms);
	json_put_text(o, "why", words);
	json_array_append_new(t->causes, o);
	strbuf_adds(&t->text, t->text.len ? "; " : "");
	if (account)
		strbuf_addf(&t->text, "account %s: ", account->id);
	strbuf_adds(&t->text, words);
}

/* ---- this machine ---- */

void why_look_at_senders(const struct board *b, struct why_senders *out)
{
	*out = (struct why_senders){ .n = 0 };
	for (int i = 0; i < BOARD_SLOTS; i++) {
		const struct board_slot *s = &b->slots[i];
		int64_t redis = s->gauges[GAUGE_REDIS_AWAY_SINCE] * 1000, broker = s->gauges[GAUGE_BROKER_AWAY_SINCE] * 1000,
			blocked = s->gauges[GAUGE_BLOCKED_SINCE] * 1000;

		if (!s->pid || s->draining || strcmp(s->role, "sender"))
			continue;
		out->n++;
		out->no_redis += redis > 0;
		out->no_broker += broker > 0;
		out->blocked += blocked > 0;
		out->redis_since_ms = redis > out->redis_since_ms ? redis : out->redis_since_ms;
		out->broker_since_ms = broker > out->broker_since_ms ? broker : out->broker_since_ms;
		out->blocked_since_ms = blocked && (!out->blocked_since_ms || blocked < out->blocked_since_ms) ? blocked : out->blocked_since_ms;
	}
}

static void tell_since(struct telling *t, enum wait_cause cause, int64_t since_ms, const char *words)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, words);
	if (since_ms)
		add_span(&text, ", for ", wall_ms() - since_ms);
	tell(t, cause, NULL, since_ms, 0, text.buf);
	strbuf_release(&text);
}

static void tell_machine(struct telling *t)
{
	const struct why_senders *s = &t->f->senders;

	if (!s->n) {
		tell(t, WAIT_NO_SENDER, NULL, 0, 0, "no sender takes messages on this machine");
		return;
	}
	if (s->no_redis == s->n && t->w->own != WAIT_REDIS_AWAY)
		tell_since(t, WAIT_REDIS_AWAY, s->redis_since_ms, "Redis does not answer the senders of this machine, which begin nothing new");
	if (s->no_broker == s->n)
		tell_since(t, WAIT_BROKER_AWAY, s->broker_since_ms, "the senders of this machine have no connection to the broker");
	if (s->blocked)
		tell_since(t, WAIT_BROKER_BLOCKED, s->blocked_since_ms, "the broker takes no publishes (alarm), and nothing new is begun");
}

static void tell_host(struct telling *t)
{
	const struct host_view *h = &t->f->host;
	struct strbuf text = STRBUF_INIT;

	if (!h->is_open)
		return;
	strbuf_adds(&text, "the breaker of Graph's host is open, and this machine sends nothing; ");
	if (h->left_ms)
		add_span(&text, h->is_probing ? "one message tries now; another one may in " : "one message tries in ", h->left_ms);
	else
		strbuf_adds(&text, "the next message tries");
	tell(t, WAIT_HOST_BREAKER, NULL, 0, h->left_ms ? wall_ms() + h->left_ms : 0, text.buf);
	strbuf_release(&text);
}

/* ---- its account ---- */

static void tell_switch(struct telling *t, const struct why_account *a, const struct account *named)
{
	if (a->account->tenant->suspended)
		tell(t, WAIT_SWITCHED_OFF, named, 0, 0, "its tenant is suspended");
	else if (!a->account->enabled)
		tell(t, WAIT_SWITCHED_OFF, named, 0, 0, "its account is disabled");
}

static void tell_hold(struct telling *t, const struct gate_hold *h, const struct why_account *a, const struct account *named)
{
	int64_t until = h->lease_ms > h->until_ms ? h->lease_ms : h->until_ms;
	json_t *o = gate_hold(h, a->account, t->f->now_ms);
	struct strbuf text = STRBUF_INIT;

	if (h->scope == HOLD_RECIPIENT)
		strbuf_adds(&text, "its recipient");
	else if (h->scope == HOLD_PRIORITY)
		strbuf_addf(&text, "all of %s priority of tenant %s", h->second, h->first);
	else
		strbuf_addf(&text, "%s %s", hold_scope_name(h->scope), json_text(o, "what"));
	strbuf_addf(&text, " is on hold%s, %s", h->is_operators ? " by an operator" : " after an answer of Graph's", json_text(o, "why"));
	tell(t, h->is_operators ? WAIT_PAUSE : WAIT_HOLD, named, h->since_ms, until, text.buf);
	strbuf_release(&text);
	json_decref(o);
}

static void tell_breaker(struct telling *t, const struct why_account *a, const struct account *named)
{
	const char *state = json_text(a->breaker, "state");
	struct strbuf text = STRBUF_INIT;
	int64_t until = 0;

	if (!state || (strcmp(state, "open") && strcmp(state, "probing")))
		return;
	strbuf_addf(&text, "the breaker of account %s is open: %s", a->account->id, json_text(a->breaker, "why"));
	if (json_text(a->breaker, "until") && parse_time_ms(json_text(a->breaker, "until"), &until) < 0)
		until = 0;
	tell(t, WAIT_BREAKER, named, 0, until, text.buf);
	strbuf_release(&text);
}

static bool is_of_tenant(const struct gate_hold *h)
{
	return h->scope == HOLD_TENANT || h->scope == HOLD_PRIORITY;
}

/* named: it is one of several; what is of their tenant is said once, and of none of them. */
static void tell_gate(struct telling *t, const struct why_account *a, const struct account *named)
{
	bool is_first = a == t->f->accounts;

	tell_switch(t, a, named);
	for (int i = 0; i < a->n_holds; i++) {
		const struct gate_hold *h = &a->holds[i];

		if (gate_hold_wait_ms(h, t->f->now_ms) > 0 && (is_first || !is_of_tenant(h)))
			tell_hold(t, h, a, is_of_tenant(h) ? NULL : named);
	}
	tell_breaker(t, a, named);
}

/* ---- its place ---- */

static double rate_of(const struct why_account *a)
{
	double tenant = (double)a->account->tenant->rate;

	return tenant > 0 && tenant < a->rate_now ? tenant : a->rate_now;
}

/* How many stand before it is not counted: not more than wait there. */
static void add_position(struct telling *t, const struct why_account *a, struct strbuf *text)
{
	bool is_high = !strcmp(t->w->class, "high");
	int64_t most = is_high ? a->waiting_high : a->waiting + a->waiting_high;

	if (a->waiting < 0)
		return;
	json_put_int(t->w->o, "waiting_before_at_most", most);
	strbuf_addf(text, "; at most %" PRId64 " are before it", most);
	if (most && rate_of(a) > 0)
		add_span(text, ", for which its rate needs ", (int64_t)((double)most * 1000 / rate_of(a)));
}

static void tell_place(struct telling *t, const struct why_account *a)
{
	const char *limit = a ? json_text(a->limit, "why") : NULL;
	struct strbuf text = STRBUF_INIT;

	if (t->w->own == WAIT_LIMIT)
		strbuf_addf(&text, "it waits in its account's lane, for more came than its rate lets through%s%s", limit ? ": " : "", limit ? limit : "");
	if (t->w->own == WAIT_LIMIT && a && a->account->tenant->rate)
		strbuf_addf(&text, ", all of its tenant %" PRId64, a->account->tenant->rate);
	if (t->w->own == WAIT_LANE)
		strbuf_addf(&text, "it waits in its account's lane, behind those that came before it%s", !strcmp(t->w->class, "high") ?
			    ", with high priority" : "");
	if (a)
		add_position(t, a, &text);
	tell(t, t->w->own, NULL, 0, 0, text.buf);
	strbuf_release(&text);
}

/* Of a message that nobody knows it may be the whole truth. */
static void tell_queued(struct telling *t)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%" PRId64 " messages waited in the input queue a short while ago", t->f->queued);
	tell(t, WAIT_QUEUE, NULL, 0, 0, text.buf);
	strbuf_release(&text);
}

static void tell_queue(struct telling *t)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, t->w->words.len ? t->w->words.buf : "no sender has begun with it: it waits its turn in the queue");
	if (t->f->queued >= 0)
		strbuf_addf(&text, "; %" PRId64 " messages waited there a short while ago", t->f->queued);
	tell(t, WAIT_QUEUE, NULL, 0, 0, text.buf);
	strbuf_release(&text);
}

/* What a lane says to who asks about a message that nobody knows. */
static void tell_lane_of(struct telling *t, const struct why_account *a)
{
	struct strbuf text = STRBUF_INIT;
	const char *state = json_text(a->lane, "state");

	if (!state || !strcmp(state, "none"))
		return;
	if (a->waiting > 0 || a->waiting_high > 0)
		strbuf_addf(&text, "%" PRId64 " messages wait in its lane; ", a->waiting + a->waiting_high);
	strbuf_adds(&text, json_text(a->lane, "why"));
	tell(t, WAIT_LANE, a->account, 0, 0, text.buf);
	strbuf_release(&text);
}

/* ---- all of it ---- */

static bool holds_now(const struct why_facts *f, const char *field)
{
	enum hold_scope scope;
	char first[80], second[HOLD_FIELD_MAX];

	if (hold_field_read(field, &scope, first, second) < 0)
		return false;
	for (int i = 0; i < f->n_accounts; i++)
		for (int k = 0; k < f->accounts[i].n_holds; k++) {
			const struct gate_hold *h = &f->accounts[i].holds[k];

			if (h->scope == scope && !strcmp(h->first, first) && !strcmp(h->second, second))
				return gate_hold_wait_ms(h, f->now_ms) > 0;
		}
	return false;
}

/* What it waits for by itself comes first while that lasts: nothing else is looked at before. */
static bool is_timer(const struct telling *t)
{
	switch (t->w->own) {
	case WAIT_QUEUE:
	case WAIT_LANE:
	case WAIT_LIMIT:
	case WAIT_CAUSES:
		return false;
	case WAIT_HOLD:
	case WAIT_PAIR_LIMIT:
		return !holds_now(t->f, t->w->field);	/* else that is told, in its words */
	default:
		return true;
	}
}

static void tell_own(struct telling *t)
{
	enum wait_cause cause = t->w->own == WAIT_HOLD ? WAIT_RETRY_TIMER : t->w->own;
	const struct why_senders *s = &t->f->senders;
	bool is_redis = cause == WAIT_REDIS_AWAY;

	if (is_redis && s->no_redis)
		tell_since(t, cause, s->redis_since_ms, t->w->words.buf);
	else
		tell(t, cause, NULL, 0, t->w->until_ms, t->w->words.buf);
	if (is_redis)
		strbuf_adds(&t->text, ": what is known of it cannot be read, and nothing new is begun");
	if (is_redis && s->no_redis)
		strbuf_addf(&t->text, " (%d of %d senders of this machine cannot reach it)", s->no_redis, s->n);
}

static void tell_all(struct telling *t)
{
	const struct why_facts *f = t->f;
	bool is_its = t->w->word != LOOK_NONE && f->n_accounts == 1;

	if (is_timer(t))
		tell_own(t);
	if (t->w->is_over)
		return;
	tell_machine(t);
	for (int i = 0; i < f->n_accounts; i++)
		tell_gate(t, &f->accounts[i], is_its ? NULL : f->accounts[i].account);
	tell_host(t);
	if (t->w->own == WAIT_LANE || t->w->own == WAIT_LIMIT)
		tell_place(t, is_its ? &f->accounts[0] : NULL);
	else if (t->w->own == WAIT_QUEUE)
		tell_queue(t);
	for (int i = 0; t->w->word == LOOK_NONE && i < f->n_accounts; i++)
		tell_lane_of(t, &f->accounts[i]);
	if (t->w->word == LOOK_NONE && f->queued > 0)
		tell_queued(t);
}

static json_t *finish(struct telling *t)
{
	struct why *w = t->w;
	json_t *o = w->o;

	if (json_array_size(t->causes)) {
		json_put_text(o, "cause", json_text(json_array_get(t->causes, 0), "cause"));
		json_object_set_new_nocheck(o, "causes", t->causes);
	} else {
		json_decref(t->causes);
	}
	if (w->word == LOOK_NONE && t->text.len) {
		strbuf_addf(&w->words, "; what would hold it now: %s", t->text.buf);
		json_put_text(o, "detail", w->words.buf);
	} else {
		json_put_text(o, w->word == LOOK_NONE || w->word == LOOK_AWAY ? "detail" : "why", t->text.len ? t->text.buf : w->words.buf);
	}
	strbuf_release(&t->text);
	strbuf_release(&w->words);
	w->o = NULL;
	return o;
}

json_t *why_end(struct why *w, const struct why_facts *f)
{
	struct telling t = { .w = w, .f = f, .causes = json_array(), .text = STRBUF_INIT };

	if (!w->is_over || w->own != WAIT_CAUSES)
		tell_all(&t);
	return finish(&t);
}

void why_facts_release(struct why_facts *f)
{
	for (int i = 0; i < f->n_accounts; i++) {
		struct why_account *a = &f->accounts[i];

		json_decref(a->breaker);
		json_decref(a->limit);
		json_decref(a->lane);
		free(a->holds);
	}
	free(f->accounts);
	*f = (struct why_facts){ .accounts = NULL };
}
