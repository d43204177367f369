/* What webhooks tell of accounts, numbers, templates and of a user's wishes: holds at once where it is clear, else the keeper looks. */
#include "api/webhook_work.h"

#include <string.h>

#include "base/log.h"
#include "flow/alert.h"
#include "flow/hold.h"
#include "flow/templates.h"
#include "flow/trouble.h"
#include "msg/template_wire.h"
#include "msg/watch_wire.h"

enum { LOOKS_MAX = 100 };	/* of one piece of news: the job comes to the others by itself */
enum { CODE_LOCKED = 131031 };	/* what Graph would say to a message */

static struct account *accounts_of(const struct webhook_work *w, const struct webhook_change *c)
{
	return c->waba ? account_by_waba(&w->v->conf->tenants->index, c->waba) : NULL;
}

/* ---- the keeper is asked ---- */

static void say(struct webhook_work *w, struct strbuf *packet)
{
	if (directory_say(w->v->directory, packet->buf, packet->len) < 0)
		w->has_failed = true;
	strbuf_release(packet);
}

/* It does what follows: rates, holds, alerts. */
static void look(struct webhook_work *w, const struct account *a)
{
	for (int n = 0; a && n < LOOKS_MAX; a = account_next_of_waba(a), n++) {
		struct watch_ask ask;
		struct strbuf packet = STRBUF_INIT;

		snprintf(ask.tenant, sizeof(ask.tenant), "%s", a->tenant->id);
		snprintf(ask.account, sizeof(ask.account), "%s", a->id);
		watch_ask_write(&ask, &packet);
		say(w, &packet);
	}
}

/* It fetches it, and does what follows: holds, alerts. */
static void fetch_template(struct webhook_work *w, const struct account *a, const struct webhook_template *t)
{
	if (t->name && strlen(t->name) <= TEMPLATE_NAME_MAX && templates_ask(w->v->directory, a, t->name) < 0)
		w->has_failed = true;
}

/* ---- a business account that may not send, or may again ---- */

/* Once in each domain that has accounts of it. */
static bool is_first_of_domain(const struct account *first, const struct account *a)
{
	for (const struct account *b = first; b != a; b = account_next_of_waba(b))
		if (!strcmp(b->tenant->domain, a->tenant->domain))
			return false;
	return true;
}

static void hold_or_release(struct webhook_work *w, const struct account *a, const struct webhook_account *news)
{
	bool stops = news->effect == ACCOUNT_STOPS;
	int64_t ms = news->until_ms ? news->until_ms - wall_ms() : 0;
	struct hold_fields fields = { .of = { "" } };
	struct trouble t = { .store = w->v->store, .conf = w->v->conf, .alerts = w->v->alerts, .account = a,
			     .code = stops ? CODE_LOCKED : 0, .ms = ms, .done = webhook_stored, .arg = w };
	struct strbuf words = STRBUF_INIT;

	hold_fields_of(a, &fields);
	t.field = fields.of[HOLD_WABA];
	strbuf_addf(&words, "webhook: %s", account_turn_name(news->turn));
	w->left++;
	if ((stops ? trouble_set(&t, words.buf) : trouble_over(&t, "a webhook says that it may send again")) < 0)
		webhook_not_begun(w);
	strbuf_release(&words);
}

static void on_account(struct webhook_work *w, const struct account *first, const struct webhook_account *news)
{
	if (news->effect == ACCOUNT_STOPS || news->effect == ACCOUNT_GOES)
		for (const struct account *a = first; a; a = account_next_of_waba(a))
			if (is_first_of_domain(first, a))
				hold_or_release(w, a, news);
	if (news->effect == ACCOUNT_MAYBE || news->effect == ACCOUNT_GOES)
		look(w, first);
}

/* ---- what a user wants ---- */

/* Of the number that it names, else of all that the business account has. */
static void on_preference(struct webhook_work *w, const struct account *first, const struct webhook_change *c)
{
	const struct webhook_preference *p = &c->preference;
	const char *number = json_text(json_object_get(c->value, "metadata"), "phone_number_id");

	if (p->category && strcmp(p->category, "marketing_messages") != 0)
		return;
	for (const struct account *a = first; a; a = account_next_of_waba(a))
		if (!number || !strcmp(number, a->phone_number_id))
			webhook_tell_user(w, &(struct user_news){ .account = a, .wa_id = p->wa_id, .user_id = p->user_id, .at_ms = p->at_ms,
								  .wish = p->stop ? USER_WANTS_NO_MARKETING : USER_WANTS_MARKETING });
}

/* ---- all of it ---- */

static void tell(struct webhook_work *w, const struct account *a, const struct webhook_change *c, const char *before, const char *what)
{
	struct alert_subject who = { a->tenant->id, NULL, c->field };

	alert_raise(w->v->alerts, ALERT_META_NEWS, &who, "%s%s", before, what ? what : "-");
}

static void templates_changed(struct webhook_work *w, const struct account *first, const struct webhook_template *t)
{
	for (const struct account *a = first; a; a = account_next_of_waba(a)) {
		const struct account *b = first;

		while (b != a && b->tenant != a->tenant)
			b = account_next_of_waba(b);
		if (b == a)		/* each tenant has a catalogue of its own */
			fetch_template(w, a, t);
	}
}

void webhook_news(struct webhook_work *w, const struct webhook_change *c)
{
	const struct account *a = accounts_of(w, c);

	if (!webhook_takes(w, a, OWNER_OF_WABA, c->waba) || !a)
		return;
	log_notice("meta_news", "tenant=%s field=%s", a->tenant->id, webhook_field_name(c->kind) ? webhook_field_name(c->kind) : "other");
	switch (c->kind) {
	case WEBHOOK_TEMPLATE_STATUS:
	case WEBHOOK_TEMPLATE_QUALITY:
	case WEBHOOK_TEMPLATE_COMPONENTS:
	case WEBHOOK_TEMPLATE_CATEGORY:
		templates_changed(w, a, &c->template);
		return;
	case WEBHOOK_NUMBER_QUALITY:
		tell(w, a, c, "a number: ", c->number.event);
		look(w, a);
		return;
	case WEBHOOK_NUMBER_NAME:
		tell(w, a, c, "the name of a number: ", c->number.decision);
		look(w, a);
		return;
	case WEBHOOK_ACCOUNT:
		tell(w, a, c, "", c->account.event);
		on_account(w, a, &c->account);
		return;
	case WEBHOOK_ACCOUNT_REVIEW:
		tell(w, a, c, "its review: ", c->review);
		look(w, a);
		return;
	case WEBHOOK_CAPABILITY:
		tell(w, a, c, "recipients a day: ", c->capability.tier);
		look(w, a);
		return;
	case WEBHOOK_SECURITY:
		tell(w, a, c, "", c->security.event);
		look(w, a);
		return;
	case WEBHOOK_PREFERENCE:
		on_preference(w, a, c);
		return;
	case WEBHOOK_TEMPLATE_CORRECT:
	case WEBHOOK_ACCOUNT_ALERT:
	case WEBHOOK_OTHER:
		return;
	}
}
