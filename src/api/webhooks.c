/*
 * Meta's webhooks: the set-up, and what comes.  Signature before anything is parsed; 200 only when all of it is stored and confirmed, else
 * 503: Meta comes again.
 */
#include <string.h>

#include "api/webhook_work.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signature.h"
#include "conf/tenants.h"
#include "flow/status.h"

/* ---- which app ---- */

/* Those that the path names, or all; how many secrets. */
static int secrets_of(const struct v1_call *q, const char *out[WEBHOOK_SECRETS * WAMD_STRINGS_MAX])
{
	const struct conf *c = q->v->conf;
	int n = 0;

	for (int i = 0; i < c->webhook_apps.n; i++)
		for (int k = 0; k < WEBHOOK_SECRETS; k++)
			if (c->apps[i].secrets[k] && (!*q->id || !strcmp(q->id, c->apps[i].name)))
				out[n++] = c->apps[i].secrets[k];
	return n;
}

static bool is_same(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && crypto_equal(a, b, strlen(a));
}

static bool knows_word(const struct v1_call *q, const char *word)
{
	const struct conf *c = q->v->conf;

	for (int i = 0; i < c->webhook_apps.n; i++)
		if (c->apps[i].verify && (!*q->id || !strcmp(q->id, c->apps[i].name)) && is_same(c->apps[i].verify, word))
			return true;
	return false;
}

void on_v1_webhook_set_up(struct v1_call *q)
{
	const char *mode = http_call_query(q->http, "hub.mode"), *word = http_call_query(q->http, "hub.verify_token");
	const char *challenge = http_call_query(q->http, "hub.challenge");

	if (mode && !strcmp(mode, "subscribe") && word && challenge && knows_word(q, word))
		v1_answer_as(q, 200, "text/plain; charset=utf-8", challenge, strlen(challenge));
	else
		v1_problem(q, 403, "webhook_unknown", "no app of webhook.apps is set up with this word");
}

void on_v1_webhook_app_set_up(struct v1_call *q)
{
	on_v1_webhook_set_up(q);
}

/* ---- whose ---- */

static const struct account *account_of(const struct webhook_work *w, const char *number)
{
	return number ? account_by_number(&w->v->conf->tenants->index, number) : NULL;
}

/* With a tenant service it may be somebody's who is not known here yet. */
static bool may_be_found(struct webhook_work *w, enum owner_kind kind, const char *id)
{
	if (!*w->v->conf->service_url || !id || w->is_second)
		return false;
	if (!w->owners)
		w->owners = webhook_owners_new(w->v);
	return webhook_owners_want(w->owners, kind, id);
}

/* Nobody knows whose it is.  A tenant service may tell later: Meta comes again. */
static void is_nobodys(struct webhook_work *w)
{
	board_count(w->v->slot, COUNT_STATUSES_STRANGE);
	w->has_failed |= *w->v->conf->service_url != 0;
}

bool webhook_takes(struct webhook_work *w, const struct account *a, enum owner_kind kind, const char *id)
{
	if (w->is_second && !(id && webhook_owners_wanted(w->owners, kind, id)))
		return false;		/* it was taken the first time */
	if (!a && !may_be_found(w, kind, id))
		is_nobodys(w);
	return a;
}

/* ---- the end ---- */

static void work_free(struct webhook_work *w)
{
	webhook_owners_free(&w->owners);
	strbuf_release(&w->body);
	free(w);
}

static void finish(struct webhook_work *w)
{
	struct v1_call *q = w->q;

	if (--w->left > 0)
		return;
	if (q) {
		q->work = NULL;
		board_count(q->v->slot, w->has_failed ? COUNT_WEBHOOKS_LATER : COUNT_WEBHOOKS);
		if (w->has_failed)
			v1_retry(q, 5, "not_stored", "not all of it could be stored");
		else
			v1_answer(q, 200, json_pack("{s:s}", "status", "stored"));
	}
	work_free(w);
}

void webhook_stored(void *arg, bool is_stored)
{
	struct webhook_work *w = arg;

	w->has_failed |= !is_stored;
	finish(w);
}

void webhook_tell_user(struct webhook_work *w, const struct user_news *n)
{
	struct user_place place = { .conf = w->v->conf, .store = w->v->store, .identity = w->v->identity };

	w->left++;
	if (!user_tell(&place, n, webhook_stored, w))
		webhook_not_begun(w);
}

/* ---- piece by piece ---- */

static void on_status(void *arg, const struct webhook_status *s)
{
	struct webhook_work *w = arg;
	const struct account *a = account_of(w, s->phone_number_id);

	if (!webhook_takes(w, a, OWNER_OF_NUMBER, s->phone_number_id))
		return;
	w->left++;
	status_take(w->v->statuses, a, s, webhook_stored, w);
}

static void on_passed_on(void *arg, enum broker_fate fate)
{
	webhook_stored(arg, fate == BROKER_CONFIRMED || fate == BROKER_RETURNED);	/* returned: nobody listens */
}

/* To whoever listens at amqp.inbound_exchange. */
static void pass_on(struct webhook_work *w, const struct account *a, const struct webhook_message *m)
{
	const struct v1 *v = w->v;
	struct strbuf body = STRBUF_INIT, key = STRBUF_INIT;
	json_t *o = json_object();

	json_put_int(o, "v", 1);
	json_put_text(o, "tenant_id", a->tenant->id);
	json_put_text(o, "account_id", a->id);
	json_put_text(o, "phone_number_id", a->phone_number_id);
	json_put_text(o, "type", m->type);
	json_put_time(o, "timestamp", m->at_ms);
	json_object_set_nocheck(o, "message", (json_t *)(uintptr_t)m->message);
	if (m->contact)
		json_object_set_nocheck(o, "contact", (json_t *)(uintptr_t)m->contact);
	json_dump_to(o, JSON_COMPACT, &body);
	strbuf_addf(&key, "inbound.%s.%.32s", a->tenant->id, m->type);
	w->left++;
	board_count(v->slot, COUNT_INBOUND);
	if (!v->publisher || broker_publish(v->publisher, &(struct broker_publish){
		.exchange = v->conf->amqp_inbound, .routing_key = key.buf, .mandatory = true, .body = body.buf, .len = body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .priority = -1, .timestamp_s = wall_ms() / 1000, .persistent = true },
		.done = on_passed_on, .arg = w }) < 0)
		webhook_not_begun(w);
	json_decref(o);
	strbuf_release(&body);
	strbuf_release(&key);
}

static void on_message(void *arg, const struct webhook_message *m)
{
	struct webhook_work *w = arg;
	const struct account *a = account_of(w, m->phone_number_id);
	const char *said;

	if (!webhook_takes(w, a, OWNER_OF_NUMBER, m->phone_number_id))
		return;
	if (*w->v->conf->amqp_inbound)
		pass_on(w, a, m);
	if (m->group)
		return;			/* opens nobody's window */
	said = webhook_message_text(m);
	webhook_tell_user(w, &(struct user_news){ .account = a, .wa_id = m->from, .user_id = m->from_user_id, .at_ms = m->at_ms, .wrote = true,
						  .wish = said ? user_wish_of(w->v->conf, said) : USER_SAYS_NOTHING });
}

static void on_error(void *arg, const struct webhook_error *e)
{
	struct webhook_work *w = arg;
	const struct account *a = account_of(w, e->phone_number_id);

	log_notice("meta_error", "tenant=%s account=%s code=%d", a ? a->tenant->id : "-", a ? a->id : "-", e->code);
}

static void on_change(void *arg, const struct webhook_change *c)
{
	webhook_news(arg, c);
}

/* ---- read ---- */

static const struct webhook_visitor visitor = { on_status, on_message, on_error, on_change };

/* It was readable the first time. */
static void on_owners(void *arg)
{
	struct webhook_work *w = arg;
	struct strbuf why = STRBUF_INIT;

	w->is_second = true;
	if (webhook_read(w->body.buf, w->body.len, &visitor, w, &why) < 0)
		log_warn("webhook_unreadable", "%s", why.buf);
	strbuf_release(&why);
	finish(w);
}

/* All that was under way has had its last answer by now, but for owners who were looked for. */
static void end_work(void *work)
{
	struct webhook_work *w = work;

	w->q = NULL;
	if (w->owners)
		work_free(w);
}

static void take(struct v1_call *q, const char *body, size_t len)
{
	struct webhook_work *w = mem_alloc(sizeof(*w));
	struct strbuf why = STRBUF_INIT;
	int left_out;

	*w = (struct webhook_work){ .q = q, .v = q->v, .left = 1, .body = STRBUF_INIT };
	q->work = w;
	q->end_work = end_work;
	left_out = webhook_read(body, len, &visitor, w, &why);
	if (left_out < 0)
		log_warn("webhook_unreadable", "%s", why.buf);	/* it would never be anything else: Meta need not come again */
	else if (left_out > 0)
		log_notice("webhook_parts", "%d pieces of a webhook are not what Meta documents", left_out);
	strbuf_release(&why);
	if (!w->owners) {
		finish(w);
		return;
	}
	strbuf_add(&w->body, body, len);
	webhook_owners_find(w->owners, on_owners, w);
}

void on_v1_webhook(struct v1_call *q)
{
	const char *secrets[WEBHOOK_SECRETS * WAMD_STRINGS_MAX], *body;
	size_t len;
	int n = secrets_of(q, secrets);

	body = http_call_body(q->http, &len);
	if (len > WEBHOOK_BODY_MAX) {
		v1_problem(q, 413, "too_large", "larger than a webhook may be");
	} else if (!signature_is_good(http_call_header(q->http, "X-Hub-Signature-256"), body, len, secrets, n)) {
		board_count(q->v->slot, COUNT_WEBHOOKS_FORGED);
		v1_problem(q, 401, "bad_signature", "X-Hub-Signature-256 is not that of an app of webhook.apps");
	} else {
		take(q, body, len);
	}
}

void on_v1_webhook_app(struct v1_call *q)
{
	on_v1_webhook(q);
}
