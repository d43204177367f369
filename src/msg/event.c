#include "msg/event.h"

#include "base/mem.h"
#include "base/str.h"
#include "msg/json_write.h"
#include "msg/webhook.h"

static void put_who(struct json_writer *w, const struct event *e)
{
	json_write_int(w, "v", 1);
	json_write_text(w, "id", e->m->id);
	json_write_text(w, "tenant_id", e->m->tenant_id);
	json_write_text(w, "account_id", e->account_id ? e->account_id : e->m->account_id);
	json_write_text(w, "correlation_id", e->m->correlation_id);
}

static void put_failure(struct json_writer *w, const struct event *e)
{
	json_write_text(w, "reason", e->reason);
	json_write_text(w, "error", e->error);
	if (e->code)
		json_write_int(w, "code", e->code);
}

static void put_warning(struct json_writer *w, const char *warning)
{
	json_t *list = warning ? json_pack("[s]", warning) : NULL;

	json_write_value(w, "warnings", list);
	json_decref(list);
}

void event_status(const struct event *e, struct strbuf *out)
{
	struct json_writer w = json_write_begin(out);

	put_who(&w, e);
	json_write_text(&w, "status", e->status);
	json_write_text(&w, "wamid", e->wamid);
	if (e->reason)
		put_failure(&w, e);
	if (e->sent_fallback)
		json_write_text(&w, "sent_as", "template");
	put_warning(&w, e->warning);
	json_write_int(&w, "attempts", e->attempts);
	json_write_time(&w, "timestamp", e->at_ms);
	json_write_value(&w, "metadata", e->m->metadata);
	json_write_end(&w);
}

static void put_base64(struct json_writer *w, const char *key, const void *data, size_t len)
{
	char *text = mem_alloc(BASE64_SIZE(len));

	base64_encode(data, len, text);
	json_write_text(w, key, text);
	free(text);
}

void event_dead_letter(const struct dead_letter *d, struct strbuf *out)
{
	struct json_writer w = json_write_begin(out);
	json_t *history;
	struct strbuf list = STRBUF_INIT;

	put_who(&w, &d->e);
	put_failure(&w, &d->e);
	json_write_int(&w, "attempts", d->e.attempts);
	strbuf_addf(&list, "[%s]", d->history);
	history = json_loadb(list.buf, list.len, 0, NULL);
	if (!history)
		history = json_array();
	json_write_value(&w, "history", history);
	if (d->first_seen_ms)
		json_write_time(&w, "first_seen", d->first_seen_ms);
	json_write_time(&w, "died_at", d->e.at_ms);
	json_write_text(&w, "queue", d->queue);
	if (d->real_len)
		json_write_int(&w, "message_size", (int64_t)d->real_len);
	else if (d->is_gone)
		json_write_value(&w, "message", json_null());
	else if (d->e.m->root)
		json_write_value(&w, "message", d->e.m->root);
	else
		put_base64(&w, "message_b64", d->body, d->len);
	json_write_end(&w);
	json_decref(history);
	strbuf_release(&list);
}

void event_attempt(int n, int64_t started_ms, int64_t took_ms, const char *outcome, int http, int code, const char *scope,
		   const char *error, struct strbuf *out)
{
	struct json_writer w = json_write_begin(out);

	json_write_int(&w, "n", n);
	json_write_time(&w, "at", started_ms);
	json_write_int(&w, "ms", took_ms);
	json_write_text(&w, "outcome", outcome);
	if (http)
		json_write_int(&w, "http", http);
	if (code)
		json_write_int(&w, "code", code);
	if (scope && *scope)
		json_write_text(&w, "scope", scope);
	if (error && *error)
		json_write_text(&w, "error", error);
	json_write_end(&w);
}

void event_late_attempt(int n, int64_t at_ms, const char *outcome, int code, const char *scope, const char *error, struct strbuf *out)
{
	struct json_writer w = json_write_begin(out);

	json_write_int(&w, "n", n);
	json_write_time(&w, "at", at_ms);
	json_write_text(&w, "by", "webhook");
	json_write_text(&w, "outcome", outcome);
	if (code)
		json_write_int(&w, "code", code);
	if (*scope)
		json_write_text(&w, "scope", scope);
	json_write_text(&w, "error", error);
	json_write_end(&w);
}

void event_alert(const struct alert_event *e, struct strbuf *out)
{
	struct json_writer w = json_write_begin(out);

	json_write_int(&w, "v", 1);
	json_write_text(&w, "kind", e->kind);
	json_write_text(&w, "severity", e->severity);
	json_write_text(&w, "state", e->state);
	json_write_text(&w, "tenant_id", e->tenant_id);
	json_write_text(&w, "account_id", e->account_id);
	json_write_text(&w, "what", e->what);
	json_write_text(&w, "text", e->text);
	json_write_time(&w, "since", e->since_ms);
	json_write_time(&w, "at", e->at_ms);
	json_write_int(&w, "count", e->count);
	json_write_text(&w, "host", e->host);
	json_write_end(&w);
}

void event_context(const struct message *m, struct strbuf *out)
{
	struct json_writer w;

	if (!m->correlation_id && !m->metadata)
		return;
	w = json_write_begin(out);
	json_write_text(&w, "correlation_id", m->correlation_id);
	json_write_value(&w, "metadata", m->metadata);
	json_write_end(&w);
}

void event_of_webhook(const struct status_event *e, struct strbuf *out)
{
	const struct webhook_status *s = e->w;
	struct json_writer w = json_write_begin(out);
	json_t *context = NULL;

	if (*e->context && json_parse(e->context, strlen(e->context), &context, NULL) != JSON_OK)
		context = NULL;
	json_write_int(&w, "v", 1);
	json_write_text(&w, "id", e->id);
	json_write_text(&w, "tenant_id", e->tenant_id);
	json_write_text(&w, "account_id", e->account_id);
	json_write_value(&w, "correlation_id", json_object_get(context, "correlation_id"));
	json_write_text(&w, "status", s->status_text);
	json_write_text(&w, "state", e->state);
	json_write_text(&w, "wamid", s->wamid);
	if (e->is_duplicate)
		json_write_value(&w, "duplicate", json_true());
	json_write_text(&w, "error", s->error_text);
	if (s->code)
		json_write_int(&w, "code", s->code);
	json_write_text(&w, "next", e->next);
	if (s->at_ms > 0)
		json_write_time(&w, "timestamp", s->at_ms);
	json_write_value(&w, "pricing", s->pricing);
	json_write_value(&w, "conversation", s->conversation);
	json_write_value(&w, "metadata", json_object_get(context, "metadata"));
	json_write_end(&w);
	json_decref(context);
}
