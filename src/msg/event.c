#include "msg/event.h"

#include "base/mem.h"
#include "base/str.h"

static void put_time(json_t *o, const char *key, int64_t ms)
{
	char text[32];

	format_utc_ms(ms, text);
	json_put_text(o, key, text);
}

static void put_who(json_t *o, const struct event *e)
{
	json_put_int(o, "v", 1);
	json_put_text(o, "id", e->m->id);
	json_put_text(o, "tenant_id", e->m->tenant_id);
	json_put_text(o, "account_id", e->account_id ? e->account_id : e->m->account_id);
	json_put_text(o, "correlation_id", e->m->correlation_id);
}

static void put_failure(json_t *o, const struct event *e)
{
	json_put_text(o, "reason", e->reason);
	json_put_text(o, "error", e->error);
	if (e->code)
		json_put_int(o, "code", e->code);
}

void event_status(const struct event *e, struct strbuf *out)
{
	json_t *o = json_object();

	put_who(o, e);
	json_put_text(o, "status", e->status);
	json_put_text(o, "wamid", e->wamid);
	if (e->reason)
		put_failure(o, e);
	json_put_int(o, "attempts", e->attempts);
	put_time(o, "timestamp", e->at_ms);
	if (e->m->metadata)
		json_object_set_nocheck(o, "metadata", (json_t *)(uintptr_t)e->m->metadata);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
}

static void put_base64(json_t *o, const char *key, const void *data, size_t len)
{
	char *text = mem_alloc(BASE64_SIZE(len));

	base64_encode(data, len, text);
	json_put_text(o, key, text);
	free(text);
}

void event_dead_letter(const struct dead_letter *d, struct strbuf *out)
{
	json_t *o = json_object(), *history = NULL;
	struct strbuf list = STRBUF_INIT;

	put_who(o, &d->e);
	put_failure(o, &d->e);
	json_put_int(o, "attempts", d->e.attempts);
	strbuf_addf(&list, "[%s]", d->history);
	history = json_loadb(list.buf, list.len, 0, NULL);
	json_object_set_new_nocheck(o, "history", history ? history : json_array());
	if (d->first_seen_ms)
		put_time(o, "first_seen", d->first_seen_ms);
	put_time(o, "died_at", d->e.at_ms);
	json_put_text(o, "queue", d->queue);
	if (d->real_len)
		json_put_int(o, "message_size", (int64_t)d->real_len);
	else if (d->e.m->root)
		json_object_set_nocheck(o, "message", d->e.m->root);
	else
		put_base64(o, "message_b64", d->body, d->len);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
	strbuf_release(&list);
}

void event_attempt(int n, int64_t started_ms, int64_t took_ms, const char *outcome, int http, int code, const char *scope,
		   const char *error, struct strbuf *out)
{
	json_t *o = json_object();

	json_put_int(o, "n", n);
	put_time(o, "at", started_ms);
	json_put_int(o, "ms", took_ms);
	json_put_text(o, "outcome", outcome);
	if (http)
		json_put_int(o, "http", http);
	if (code)
		json_put_int(o, "code", code);
	if (scope && *scope)
		json_put_text(o, "scope", scope);
	if (error && *error)
		json_put_text(o, "error", error);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
}

void event_alert(const struct alert_event *e, struct strbuf *out)
{
	json_t *o = json_object();

	json_put_int(o, "v", 1);
	json_put_text(o, "kind", e->kind);
	json_put_text(o, "severity", e->severity);
	json_put_text(o, "state", e->state);
	json_put_text(o, "tenant_id", e->tenant_id);
	json_put_text(o, "account_id", e->account_id);
	json_put_text(o, "what", e->what);
	json_put_text(o, "text", e->text);
	put_time(o, "since", e->since_ms);
	put_time(o, "at", e->at_ms);
	json_put_int(o, "count", e->count);
	json_put_text(o, "host", e->host);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
}
