#include "flow/late.h"

#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/backoff.h"
#include "flow/copy.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "flow/templates.h"
#include "flow/topology.h"
#include "msg/event.h"
#include "msg/message.h"
#include "msg/template_wire.h"

enum { PUBLISH_MS = 10000 };

struct late {
	const struct statuses_options *o;
	const struct account *account;
	const struct webhook_status *w;
	uint8_t key[KEY_LEN];
	late_done_f *done;
	void *arg;

	struct strbuf texts[6];		/* state, was, id, account, context, template */
	struct status_news news;
	int n, base;
	int64_t first_seen_ms;
	char step[16];			/* status.lua's */
	char carrier[8];		/* likewise */
	bool is_here;			/* nobody else will publish what follows */
	bool has_letter;		/* it was dead before a webhook had proven it */
	struct strbuf history, error;

	struct answer answer;
	struct hold_fields holds;
	char variant[HOLD_FIELD_MAX];	/* of its template and language, or "" */
	const char *hold;		/* "": none */
	struct strbuf plain;		/* what copy points into */
	struct copy copy;
	bool has_copy;			/* else it was not stored, or no longer is */
	bool is_retry;
	enum reason reason;		/* else */
	int code;
};

/* ---- the end ---- */

static void finish(struct late *l, enum late_end how)
{
	if (how == LATE_FOLLOWS)
		(void)FAILPOINT(LATE_CONFIRMED);
	l->done(l->arg, how, &l->news);
}

static void follows(struct late *l, const char *next, const char *state)
{
	l->news.next = next;
	if (state)
		l->news.state = state;
	finish(l, LATE_FOLLOWS);
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct late *l = arg;

	if (fate == BROKER_RETURNED) {
		log_warn("returned", "id=%s tenant=%s account=%s: the queue it must go to is gone; declared again", l->news.id,
			 l->account->tenant->id, l->news.account_id);
		broker_redeclare(l->o->publisher);
	}
	if (fate != BROKER_CONFIRMED)
		finish(l, LATE_FAILED);
	else if (l->is_retry)
		follows(l, "retry", "retry");
	else
		follows(l, "dead_letter", "failed");
}

static void publish(struct late *l, const char *queue, const struct broker_properties *props, const void *body, size_t len)
{
	if (broker_publish(l->o->publisher, &(struct broker_publish){ .exchange = "", .routing_key = queue, .mandatory = true, .props = *props,
								      .body = body, .len = len, .done = on_fate, .arg = l }) < 0)
		finish(l, LATE_FAILED);
}

/* ---- its copy ---- */

static const struct conf_steps *steps_of(const struct conf *c, enum outcome o)
{
	switch (o) {
	case OUTCOME_THROTTLED:
		return &c->retry_throttle;
	case OUTCOME_HELD:
		return &c->retry_wait;		/* admit sees the hold, and puts it into its lane */
	case OUTCOME_SERVER:
	case OUTCOME_NOT_SENT:
	case OUTCOME_UNKNOWN:
	case OUTCOME_SENT:
	case OUTCOME_REFUSED:
		return &c->retry_server;
	}
	BUG("outcome %d", (int)o);
}

static void publish_copy(struct late *l)
{
	struct hop hop = { .kind = HOP_RETRY, .attempt = l->n + 1, .first_seen_ms = l->copy.first_seen_ms, .hops = l->copy.hops + 1,
			   .nonce = (uint32_t)rand_between(1, UINT32_MAX), .published_ms = wall_ms() };
	int64_t ms = backoff_retry(steps_of(l->o->conf, l->answer.outcome), l->n - l->base, rand_u64());
	struct broker_properties props;
	char text[HOP_TEXT_MAX];

	copy_properties(&l->copy.props, l->copy.priority, &hop, text, &props);
	publish(l, topology_delay_queue(l->o->topology, ms), &props, l->copy.body, l->copy.len);
}

/* ---- its dead letter ---- */

/* m.root is the context then, whose texts m points into. */
static void decode_context(struct late *l, struct message *m)
{
	const char *context = l->news.context;

	if (*context && json_parse(context, strlen(context), &m->root, NULL) == JSON_OK)
		m->correlation_id = json_text(m->root, "correlation_id");
	m->id = l->news.id;
	m->tenant_id = l->account->tenant->id;
}

static void decode(struct late *l, struct message *m)
{
	struct message_rules rules = message_rules(l->o->conf);
	struct strbuf why = STRBUF_INIT;

	if (!l->has_copy)
		decode_context(l, m);
	else if (message_decode(m, &rules, l->copy.body, l->copy.len, &why) != REASON_NONE)
		log_debug("late_rules", "id=%s: %s", l->news.id, why.buf);	/* the rules have changed since it was sent: no matter */
	if (l->has_copy && !m->correlation_id)
		m->correlation_id = l->copy.props.correlation_id.p;
	strbuf_release(&why);
}

static void publish_letter(struct late *l)
{
	struct message m = { .root = NULL };
	struct dead_letter d = { .history = l->history.buf, .first_seen_ms = l->first_seen_ms, .queue = l->o->conf->amqp_inputs.v[0],
				 .is_gone = !l->has_copy, .body = l->copy.body, .len = l->copy.len };
	struct broker_properties props = { .content_type = BROKER_TEXT("application/json"), .priority = -1, .persistent = true };
	struct strbuf body = STRBUF_INIT;

	decode(l, &m);
	d.e = (struct event){ .m = &m, .account_id = l->news.account_id, .reason = reason_code(l->reason), .error = l->error.buf,
			      .code = l->code, .attempts = l->n, .at_ms = wall_ms() };
	if (m.correlation_id)
		props.correlation_id = BROKER_TEXT(m.correlation_id);
	props.timestamp_s = d.e.at_ms / 1000;
	event_dead_letter(&d, &body);
	publish(l, l->o->conf->amqp_dlq, &props, body.buf, body.len);
	strbuf_release(&body);
	message_release(&m);
}

/* ---- what was decided ---- */

static void publish_what_follows(struct late *l)
{
	if (!l->is_here)
		follows(l, l->is_retry ? "retry" : "dead_letter", l->is_retry ? "retry" : "failed");
	else if (l->is_retry)
		publish_copy(l);
	else
		publish_letter(l);
}

static void raise_alerts(struct late *l, const char *held)
{
	const char *tenant = l->account->tenant->id;
	char what[HOLD_FIELD_MAX];

	if (l->answer.reaction == REACTION_ALERT) {
		snprintf(what, sizeof(what), "code:%d", l->answer.code);
		alert_raise(l->o->alerts, ALERT_MESSAGE_REFUSED, &(struct alert_subject){ tenant, l->account->id, what }, "%s", l->answer.text);
	}
	if (!*held)
		return;
	log_notice("gate", "tenant=%s account=%s %s", tenant, l->account->id, held);
	board_count(l->o->slot, COUNT_HOLDS);
	alert_raise(l->o->alerts, ALERT_HELD,
		    &(struct alert_subject){ tenant, *l->hold == 'w' || *l->hold == 'p' ? NULL : l->account->id, l->hold },
		    "Graph says %d: %s", l->answer.code, l->answer.text);
}

/* Its name in front of the language. */
static void doubt_template(const struct late *l)
{
	const char *template = l->texts[5].buf, *end = strrchr(template, '/');
	char name[TEMPLATE_NAME_MAX + 1];

	if (!answer_doubts_template(&l->answer) || !end)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(end - template), template);
	if (templates_ask(l->o->directory, l->account, name) < 0)
		log_debug("link", "the keeper cannot be asked");
}

static void on_moved(void *arg, const struct store_reply *r)
{
	struct late *l = arg;
	const char *word = r && !r->error && r->n >= 1 && r->v[0].s ? r->v[0].s : "";

	if (r && r->error)
		log_error("script_failed", "script=late %s", r->error);
	if (!strcmp(word, "changed")) {
		finish(l, LATE_CHANGED);
		return;
	}
	if (strcmp(word, "ok") != 0 || r->n != 3) {
		finish(l, LATE_FAILED);
		return;
	}
	(void)FAILPOINT(LATE_DECIDED);
	strbuf_setf(&l->history, "%s", r->v[1].s ? r->v[1].s : "");
	board_count(l->o->slot, COUNT_LATE_FAILED);
	board_count(l->o->slot, l->is_retry ? COUNT_RETRIED : COUNT_DEAD);
	log_info("late_failure", "id=%s tenant=%s account=%s attempt=%d code=%d class=%s next=%s%s%s error=%s", l->news.id,
		 l->account->tenant->id, l->news.account_id, l->n, l->code, outcome_name(l->answer.outcome),
		 l->is_retry ? "retry" : "dead_letter", l->is_retry ? "" : " reason=", l->is_retry ? "" : reason_code(l->reason), l->error.buf);
	raise_alerts(l, r->v[2].s ? r->v[2].s : "");
	doubt_template(l);
	publish_what_follows(l);
}

static void number(char out[24], int64_t v)
{
	snprintf(out, 24, "%" PRId64, v);
}

/* As settle.lua holds whom an answer speaks of; 0: this says nothing of its recipient, or a webhook does not name it. */
static int64_t recipient_hold(const struct late *l, char key[KEY_TEXT_MAX])
{
	const struct conf *c = l->o->conf;
	const struct webhook_status *w = l->w;
	struct recipient r;
	char who[WHO_LEN + 1];
	bool is_known = (w->recipient && recipient_from_phone(&r, w->recipient, NULL) == 0) ||
			(w->recipient_user_id && recipient_from_user_id(&r, w->recipient_user_id, NULL) == 0);

	if (l->answer.scope != SCOPE_RECIPIENT || l->answer.outcome != OUTCOME_THROTTLED || !is_known)
		return 0;
	identity_who(l->o->identity, &r, who);
	key_recipient_hold(c, l->account, who, key);
	return backoff_retry(&c->retry_throttle, l->n - l->base, rand_u64());
}

static void move(struct late *l)
{
	const struct conf *c = l->o->conf;
	struct strbuf entry = STRBUF_INIT;
	char record[KEY_TEXT_MAX], body[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], usage[KEY_TEXT_MAX], account[KEY_TEXT_MAX], recipient[KEY_TEXT_MAX];
	char n[24], code[24], ttl[24], tail[24], publish_ms[24], hold[24], most[24], usage_ttl[24], at[24], recipient_ms[24];
	int64_t first = hold_first_ms(c, &l->answer);

	key_record(c, l->account->tenant, l->key, record);
	key_body(c, l->account->tenant, l->key, body);
	key_holds(c, l->account->tenant, holds);
	key_template_usage(c, l->account, wall_ms(), usage);
	key_account(c, l->account, account);
	snprintf(recipient, sizeof(recipient), "%s", record);
	number(recipient_ms, recipient_hold(l, recipient));
	event_late_attempt(l->n, l->w->at_ms, outcome_name(l->answer.outcome), l->code, scope_name(l->answer.scope), l->error.buf, &entry);
	number(n, l->n);
	number(code, l->code);
	number(ttl, c->record_ttl);
	number(tail, topology_tail(l->o->topology));
	number(publish_ms, PUBLISH_MS);
	number(hold, first);
	number(most, c->hold_max > first ? c->hold_max : first);
	number(usage_ttl, KEY_USAGE_TTL_MS);
	number(at, l->w->at_ms);

	struct store_arg args[] = {
		STORE_ARG(record), STORE_ARG(body), STORE_ARG(holds), STORE_ARG(usage), STORE_ARG(account), STORE_ARG(recipient), STORE_ARG("fail"), STORE_ARG(n),
		STORE_ARG(l->is_retry ? "retry" : "dead"), STORE_ARG(l->is_retry ? "" : reason_code(l->reason)), STORE_ARG(code),
		STORE_ARG(l->error.buf), STORE_ARG(entry.buf), STORE_ARG(ttl), STORE_ARG(tail), STORE_ARG(publish_ms), STORE_ARG(l->hold),
		STORE_ARG(hold), STORE_ARG(most), STORE_ARG(usage_ttl), STORE_ARG(at), STORE_ARG(l->carrier),
		STORE_ARG(l->answer.reaction == REACTION_SLOW ? "1" : "0"), STORE_ARG(recipient_ms),
	};

	if (store_script(l->o->store, SCRIPT_LATE, 6, args, ARRAY_LEN(args), on_moved, l) < 0)
		finish(l, LATE_FAILED);
	strbuf_release(&entry);
}

/* ---- what is to follow ---- */

static bool is_for_retry(const struct late *l)
{
	return l->answer.outcome != OUTCOME_REFUSED && backoff_is_left(l->o->conf, l->n - l->base, l->answer.retries_max);
}

static void bury(struct late *l, enum reason reason)
{
	l->is_retry = false;
	l->reason = reason;
}

static void decide(struct late *l)
{
	l->is_retry = true;
	if (!is_for_retry(l))
		bury(l, l->answer.outcome == OUTCOME_REFUSED ? REASON_REFUSED : REASON_RETRIES_USED);
	else if (l->has_letter)
		bury(l, REASON_RETRIES_USED);
	else if (l->is_here && !l->has_copy)
		bury(l, REASON_BODY_GONE);
}

/* The step: open, or what was decided and may not have been done. */
void late_go(struct late *l, late_done_f *done, void *arg)
{
	const char *step = l->step;

	l->done = done;
	l->arg = arg;
	decide(l);
	if (!strcmp(step, "open")) {
		move(l);
	} else if (!strcmp(step, "retry")) {
		l->is_retry = true;
		if (l->is_here && !l->has_copy) {
			bury(l, REASON_BODY_GONE);
			move(l);
		} else {
			publish_what_follows(l);
		}
	} else if (!strcmp(step, "dead")) {
		if (l->is_retry)	/* what is in retry.max or the table now is no matter */
			bury(l, l->has_copy ? REASON_RETRIES_USED : REASON_BODY_GONE);
		publish_what_follows(l);
	} else if (!strcmp(step, "followed")) {
		follows(l, "retry", "retry");
	} else {
		follows(l, "none", NULL);
	}
}

/* ---- in and out ---- */

static void open_body(struct late *l, const struct store_value *v)
{
	if (!v->s || !v->len)
		return;
	if (identity_unseal(l->o->identity, l->key, v->s, v->len, &l->plain) < 0 || copy_read(&l->copy, l->plain.buf, l->plain.len) < 0)
		log_warn("body_unreadable", "id=%s tenant=%s account=%s: another installation key, or a later version", l->news.id,
			 l->account->tenant->id, l->news.account_id);
	else
		l->has_copy = true;
}

/* parts: state was id account context duplicate step carrier n base first_seen history template body */
struct late *late_new(const struct statuses_options *o, const struct account *a, const uint8_t key[KEY_LEN], const struct webhook_status *w,
		      const struct store_value parts[LATE_PARTS])
{
	static const int of_text[] = { 0, 1, 2, 3, 4, 12 };
	struct late *l = mem_alloc(sizeof(*l));
	const char *carrier = parts[7].s ? parts[7].s : "";

	*l = (struct late){ .o = o, .account = a, .w = w, .n = (int)parts[8].i, .base = (int)parts[9].i,
			    .first_seen_ms = parts[10].i, .is_here = !strcmp(carrier, "here"), .has_letter = !strcmp(carrier, "letter"), .code = w->code };
	memcpy(l->key, key, KEY_LEN);
	for (size_t i = 0; i < ARRAY_LEN(of_text); i++) {
		strbuf_init(&l->texts[i]);
		strbuf_addf(&l->texts[i], "%s", parts[of_text[i]].s ? parts[of_text[i]].s : "");
	}
	strbuf_init(&l->history);
	strbuf_init(&l->error);
	strbuf_init(&l->plain);
	strbuf_addf(&l->history, "%s", parts[11].s ? parts[11].s : "");
	l->news = (struct status_news){ l->texts[0].buf, l->texts[1].buf, l->texts[2].buf, l->texts[3].buf, l->texts[4].buf, false, NULL };
	answer_of_webhook(&l->answer, &o->conf->error_classes, w->code, w->error_text);
	strbuf_addf(&l->error, "%s", l->answer.text);
	hold_fields_of(a, &l->holds);
	if (l->texts[5].len)
		snprintf(l->variant, sizeof(l->variant), "p:%s:%s", a->waba_id, l->texts[5].buf);
	l->hold = hold_field_of(&l->holds, l->variant, &l->answer);
	open_body(l, &parts[13]);
	snprintf(l->carrier, sizeof(l->carrier), "%s", carrier);
	snprintf(l->step, sizeof(l->step), "%s", parts[6].s ? parts[6].s : "");
	return l;
}

int late_attempt(const struct late *l)
{
	return l->n;
}

void late_drop(struct late **lp)
{
	struct late *l = *lp;

	if (!l)
		return;
	for (size_t i = 0; i < ARRAY_LEN(l->texts); i++)
		strbuf_release(&l->texts[i]);
	strbuf_release(&l->history);
	strbuf_release(&l->error);
	if (l->plain.size)
		mem_wipe(l->plain.buf, l->plain.len);
	strbuf_release(&l->plain);
	free(l);
	*lp = NULL;
}
