#include "sandbox/hook_body.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/graph.h"
#include "sandbox/json_out.h"

static const char help[] = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes";

struct hook_message *hook_message_hold(struct hook_message *m)
{
	m->refs++;
	return m;
}

void hook_message_drop(struct hook_message **mp)
{
	struct hook_message *m = *mp;

	*mp = NULL;
	if (!m || --m->refs)
		return;
	free(m->waba);
	free(m->pnid);
	free(m->callback);
	free(m);
}

void hook_news_release(struct hook_news *n)
{
	hook_message_drop(&n->message);
	free(n->waba);
	free(n->change);
	n->waba = n->change = NULL;
}

const char *hook_news_waba(const struct hook_news *n)
{
	return n->message ? n->message->waba : n->waba;
}

static void member(struct strbuf *out, const char *name, const char *text)
{
	strbuf_adds(out, name);
	json_out_cstring(out, text);
}

static void write_recipient(struct strbuf *out, const struct recipient *r)
{
	member(out, r->kind == RECIPIENT_BSUID ? ",\"recipient_user_id\":" : ",\"recipient_id\":", r->wa_id);
	if (r->kind == RECIPIENT_GROUP)
		strbuf_adds(out, ",\"recipient_type\":\"group\",\"recipient_participant_id\":\"16505550000\"");
}

/* Meta prices a message when it is sent, and says so once more when it is delivered. */
static void write_pricing(struct strbuf *out, const struct hook_message *m)
{
	strbuf_adds(out, m->is_template ?
		    ",\"pricing\":{\"billable\":true,\"pricing_model\":\"PMP\",\"type\":\"regular\",\"category\":\"utility\"}" :
		    ",\"pricing\":{\"billable\":false,\"pricing_model\":\"PMP\",\"type\":\"free_customer_service\",\"category\":\"service\"}");
}

static void write_errors(struct strbuf *out, int code)
{
	const struct graph_code *known = graph_code_find(code);
	const char *title = known ? known->title : "Message undeliverable";

	strbuf_addf(out, ",\"errors\":[{\"code\":%d", code);
	member(out, ",\"title\":", title);
	member(out, ",\"message\":", title);
	member(out, ",\"error_data\":{\"details\":", "The sandbox was told that this message fails.");
	member(out, "},\"href\":", help);
	strbuf_adds(out, "}]");
}

static void write_status(struct strbuf *out, const struct hook_news *n)
{
	const struct hook_message *m = n->message;

	member(out, "{\"id\":", m->wamid);
	strbuf_addf(out, ",\"status\":\"%s\",\"timestamp\":\"%lld\"", hook_status_word(n->status), (long long)n->at_s);
	write_recipient(out, &m->recipient);
	if (*m->callback)
		member(out, ",\"biz_opaque_callback_data\":", m->callback);
	if (n->status == HOOK_SENT || n->status == HOOK_DELIVERED)
		write_pricing(out, m);
	if (n->status == HOOK_FAILED)
		write_errors(out, n->code);
	strbuf_addc(out, '}');
}

static bool is_same_number(const struct hook_news *a, const struct hook_news *b)
{
	return a->message && b->message && strcmp(a->message->waba, b->message->waba) == 0 && strcmp(a->message->pnid, b->message->pnid) == 0;
}

/* As many of them as fit into one change; how many that were. */
static int write_change(struct strbuf *out, const struct hook_news *const *news, int n)
{
	const struct hook_message *m = news[0]->message;
	int i = 0;

	if (!m) {
		strbuf_adds(out, news[0]->change);
		return 1;
	}
	strbuf_adds(out, "{\"field\":\"messages\",\"value\":{\"messaging_product\":\"whatsapp\","
		    "\"metadata\":{\"display_phone_number\":\"15550783881\"");
	member(out, ",\"phone_number_id\":", m->pnid);
	strbuf_adds(out, "},\"statuses\":[");
	for (; i < n && is_same_number(news[0], news[i]); i++) {
		if (i)
			strbuf_addc(out, ',');
		write_status(out, news[i]);
	}
	strbuf_adds(out, "]}}");
	return i;
}

static bool is_same_entry(const struct hook_news *a, const struct hook_news *b)
{
	return a->timed == b->timed && strcmp(hook_news_waba(a), hook_news_waba(b)) == 0;
}

static int write_entry(struct strbuf *out, const struct hook_news *const *news, int n)
{
	int i = 0;

	member(out, "{\"id\":", hook_news_waba(news[0]));
	if (news[0]->timed)
		strbuf_addf(out, ",\"time\":%lld", (long long)news[0]->at_s);
	strbuf_adds(out, ",\"changes\":[");
	while (i < n && is_same_entry(news[0], news[i])) {
		if (i)
			strbuf_addc(out, ',');
		i += write_change(out, news + i, n - i);
	}
	strbuf_adds(out, "]}");
	return i;
}

void hook_body_write(const struct hook_news *const *news, int n, struct strbuf *out)
{
	strbuf_adds(out, "{\"object\":\"whatsapp_business_account\",\"entry\":[");
	for (int i = 0; i < n; ) {
		if (i)
			strbuf_addc(out, ',');
		i += write_entry(out, news + i, n - i);
	}
	strbuf_adds(out, "]}");
}
