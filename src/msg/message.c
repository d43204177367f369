#include "msg/message.h"

#include <inttypes.h>

#include "base/str.h"

static const char *const codes[] = {
	[REASON_NONE] = "",
#define REASON(ident, code, help) [REASON_##ident] = code,
#include "tbl/reasons.h"
#undef REASON
};

const char *reason_code(enum reason r)
{
	return codes[r];
}

static enum reason bad_field(struct strbuf *why, const char *field, const json_t *found, const char *allowed)
{
	why_set(why, "%s: found %s, allowed %s", field, json_kind(found), allowed);
	return REASON_BAD_FIELD;
}

/* An optional text; absent and null are the same.  max in bytes. */
static enum reason text_field(const json_t *from, const char *field, size_t max, const char **out, struct strbuf *why)
{
	const json_t *v = json_object_get(from, field);

	if (!v || json_is_null(v))
		return REASON_NONE;
	if (!json_is_string(v))
		return bad_field(why, field, v, "a string");
	if (json_string_length(v) == 0 || json_string_length(v) > max) {
		why_set(why, "%s: found %zu bytes, allowed 1 to %zu", field, json_string_length(v), max);
		return REASON_BAD_FIELD;
	}
	*out = json_string_value(v);
	return REASON_NONE;
}

static enum reason int_field(const json_t *from, const char *field, int64_t min, int64_t max, int64_t *out, struct strbuf *why)
{
	const json_t *v = json_object_get(from, field);

	if (!v || json_is_null(v))
		return REASON_NONE;
	if (!json_is_integer(v))
		return bad_field(why, field, v, "a whole number");
	if (json_integer_value(v) < min || json_integer_value(v) > max) {
		why_set(why, "%s: found %" JSON_INTEGER_FORMAT ", allowed %" PRId64 " to %" PRId64, field, json_integer_value(v), min,
			max);
		return REASON_BAD_FIELD;
	}
	*out = json_integer_value(v);
	return REASON_NONE;
}

/* Two digits as a number, or -1. */
static int two_digits(const char *p)
{
	return strspn(p, "0123456789") >= 2 ? (p[0] - '0') * 10 + p[1] - '0' : -1;
}

/* "Z", "+01:00" or "-05:30". */
static int parse_zone(const char *p, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (!strcmp(p, "Z"))
		return 0;
	if ((*p != '+' && *p != '-') || strlen(p) != 6 || p[3] != ':')
		return -1;
	hours = two_digits(p + 1);
	minutes = two_digits(p + 4);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -1;
	*seconds = (*p == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return 0;
}

/* "2026-11-23T10:00:00Z", with optional fraction and offset, or Unix seconds. */
static int parse_time(const char *s, int64_t *ms)
{
	struct tm tm = { 0 };
	const char *p = strspn(s, "0123456789-+:.TZ") == strlen(s) ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int offset;

	if (!p)
		return -1;
	if (*p == '.') {
		size_t digits = strspn(p + 1, "0123456789");

		if (!digits)
			return -1;
		p += 1 + digits;
	}
	if (parse_zone(p, &offset) < 0)
		return -1;
	*ms = ((int64_t)timegm(&tm) - offset) * 1000;
	return *ms > 0 ? 0 : -1;	/* 0 would mean: not named */
}

static enum reason time_field(const json_t *from, const char *field, int64_t *out_ms, struct strbuf *why)
{
	static const char allowed[] = "a time such as 2026-11-23T10:00:00Z, or Unix seconds";
	const json_t *v = json_object_get(from, field);

	if (!v || json_is_null(v))
		return REASON_NONE;
	if (json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) < 100000000000LL) {
		*out_ms = json_integer_value(v) * 1000;
		return REASON_NONE;
	}
	if (!json_is_string(v) || parse_time(json_string_value(v), out_ms) < 0)
		return bad_field(why, field, v, allowed);
	return REASON_NONE;
}

static enum reason policy_field(const json_t *from, enum on_unknown *out, struct strbuf *why)
{
	const json_t *v = json_object_get(from, "on_unknown");

	if (!v || json_is_null(v))
		return REASON_NONE;
	if (json_is_string(v) && !strcmp(json_string_value(v), "at_least_once"))
		*out = ON_UNKNOWN_AT_LEAST_ONCE;
	else if (json_is_string(v) && !strcmp(json_string_value(v), "at_most_once"))
		*out = ON_UNKNOWN_AT_MOST_ONCE;
	else
		return bad_field(why, "on_unknown", v, "\"at_least_once\" or \"at_most_once\"");
	return REASON_NONE;
}

#define TRY(call) do { enum reason r_ = (call); if (r_ != REASON_NONE) return r_; } while (0)

static enum reason decode_recipient(struct message *m, const json_t *from, struct strbuf *why)
{
	const json_t *to = json_object_get(from, "to"), *user = json_object_get(from, "recipient");
	int err;

	if (to && !json_is_null(to)) {
		if (!json_is_string(to))
			return bad_field(why, "to", to, "a string"), REASON_BAD_RECIPIENT;
		err = recipient_from_phone(&m->to, json_string_value(to), why);
	} else {
		if (!json_is_string(user))
			return bad_field(why, user ? "recipient" : "to", user, "a phone number in to, or a user id in recipient"),
			       REASON_BAD_RECIPIENT;
		err = recipient_from_user_id(&m->to, json_string_value(user), why);
	}
	return err ? REASON_BAD_RECIPIENT : REASON_NONE;
}

static enum reason check_text(const json_t *payload, struct strbuf *why)
{
	const json_t *body = json_object_get(payload, "body"), *preview = json_object_get(payload, "preview_url");
	size_t n;

	if (!json_is_string(body))
		return bad_field(why, "text.body", body, "a string");
	if (preview && !json_is_boolean(preview))
		return bad_field(why, "text.preview_url", preview, "a boolean");
	n = utf8_count(json_string_value(body), json_string_length(body));
	if (!n) {
		why_set(why, "text.body: found 0 characters, allowed 1 to %d", TEXT_MAX);
		return REASON_TEXT_EMPTY;
	}
	if (n > TEXT_MAX) {
		why_set(why, "text.body: found %zu characters, allowed 1 to %d", n, TEXT_MAX);
		return REASON_TEXT_TOO_LONG;
	}
	return REASON_NONE;
}

/* type, payload, context and the caller's callback data stand alike in both envelopes. */
static enum reason decode_content(struct message *m, const json_t *from, struct strbuf *why)
{
	const json_t *context;

	TRY(text_field(from, "type", 64, &m->type, why));
	if (!m->type && json_object_get(from, "text"))
		m->type = "text";	/* Graph's own default */
	if (!m->type)
		return bad_field(why, "type", NULL, "a message type such as \"text\"");
	if (strcmp(m->type, "text")) {
		why_set(why, "type: found \"%s\", allowed \"text\"", m->type);
		return REASON_UNSUPPORTED_TYPE;
	}
	m->payload = json_object_get(from, m->type);
	if (!json_is_object(m->payload))
		return bad_field(why, m->type, m->payload, "an object");
	context = json_object_get(from, "context");
	if (context && !json_is_null(context)) {
		if (!json_is_object(context))
			return bad_field(why, "context", context, "an object with message_id");
		TRY(text_field(context, "message_id", 512, &m->reply_to, why));
	}
	TRY(text_field(from, "biz_opaque_callback_data", 512, &m->callback, why));
	return check_text(m->payload, why);
}

static enum reason decode_own(struct message *m, struct strbuf *why)
{
	int64_t priority = -1, ttl_s = 0;

	TRY(text_field(m->root, "correlation_id", MESSAGE_ID_MAX, &m->correlation_id, why));
	TRY(text_field(m->root, "tenant_id", 64, &m->tenant_id, why));
	TRY(text_field(m->root, "account_id", 64, &m->account_id, why));
	TRY(text_field(m->root, "id", MESSAGE_ID_MAX, &m->id, why));
	TRY(text_field(m->root, "idempotency_key", MESSAGE_ID_MAX, &m->key, why));
	if (!m->id && !m->key) {
		why_set(why, "id: is missing (or idempotency_key)");
		return REASON_NO_ID;
	}
	if (!m->tenant_id)
		return bad_field(why, "tenant_id", NULL, "a string");
	TRY(int_field(m->root, "priority", 0, MESSAGE_PRIORITY_MAX, &priority, why));
	TRY(int_field(m->root, "ttl_s", 1, 30 * 86400, &ttl_s, why));
	TRY(time_field(m->root, "expires_at", &m->expires_at_ms, why));
	TRY(policy_field(m->root, &m->on_unknown, why));
	m->priority = (int)priority;
	m->ttl_ms = ttl_s * 1000;
	m->metadata = json_object_get(m->root, "metadata");
	TRY(decode_recipient(m, m->root, why));
	return decode_content(m, m->root, why);
}

static enum reason decode_second(struct message *m, const json_t *meta, const json_t *waba, struct strbuf *why)
{
	int64_t priority = -1;

	TRY(text_field(meta, "correlationId", MESSAGE_ID_MAX, &m->correlation_id, why));
	TRY(text_field(meta, "tenantId", 64, &m->tenant_id, why));
	TRY(text_field(meta, "phoneNumberId", 64, &m->account_id, why));
	TRY(text_field(meta, "internalId", MESSAGE_ID_MAX, &m->id, why));
	if (!m->id) {
		why_set(why, "metadata.internalId: is missing");
		return REASON_NO_ID;
	}
	if (!m->tenant_id)
		return bad_field(why, "metadata.tenantId", NULL, "a string");
	TRY(int_field(meta, "priority", 0, MESSAGE_PRIORITY_MAX, &priority, why));
	m->priority = (int)priority;
	TRY(decode_recipient(m, waba, why));
	return decode_content(m, waba, why);
}

/* Sorted keys, no blanks: the same content gives the same digest however it was written. */
static void make_digest(struct message *m)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, m->to.text);
	strbuf_addc(&text, 0);
	strbuf_adds(&text, m->type);
	strbuf_addc(&text, 0);
	json_dump_to(m->payload, JSON_COMPACT | JSON_SORT_KEYS, &text);
	sha256(text.buf, text.len, m->digest);
	strbuf_release(&text);
}

enum reason message_decode(struct message *m, const void *body, size_t len, struct strbuf *why)
{
	static const enum reason of_json[] = {
		[JSON_NOT_JSON] = REASON_NOT_JSON, [JSON_DUPLICATE_KEY] = REASON_DUPLICATE_KEY,
		[JSON_TOO_DEEP] = REASON_TOO_DEEP, [JSON_TOO_LARGE] = REASON_TOO_LARGE,
	};
	enum json_verdict v;
	enum reason r;
	const json_t *meta, *waba;

	*m = (struct message){ .priority = -1 };
	v = json_parse(body, len, &m->root, why);
	if (v != JSON_OK)
		return of_json[v];
	if (!json_is_object(m->root)) {
		why_set(why, "found %s, allowed an object", json_kind(m->root));
		return REASON_NOT_JSON;
	}
	meta = json_object_get(m->root, "metadata");
	waba = json_object_get(m->root, "wabaPayload");
	if (waba && !json_is_object(waba))
		return bad_field(why, "wabaPayload", waba, "an object");
	if (waba && !json_is_object(meta))
		return bad_field(why, "metadata", meta, "an object");
	r = waba ? decode_second(m, meta, waba, why) : decode_own(m, why);
	if (!m->key)
		m->key = m->id;
	if (!m->id)
		m->id = m->key;
	if (r == REASON_NONE)
		make_digest(m);
	return r;
}

void message_release(struct message *m)
{
	json_decref(m->root);
	m->root = NULL;
}

void message_graph_body(const struct message *m, const char *callback_data, struct strbuf *out)
{
	json_t *o = json_object();

	json_put_text(o, "messaging_product", "whatsapp");
	json_put_text(o, "recipient_type", "individual");
	json_put_text(o, m->to.is_user_id ? "recipient" : "to", m->to.text);
	json_put_text(o, "type", m->type);
	json_object_set_nocheck(o, m->type, (json_t *)(uintptr_t)m->payload);	/* shared: only the count changes */
	if (m->reply_to) {
		json_t *context = json_object();

		json_put_text(context, "message_id", m->reply_to);
		json_object_set_new_nocheck(o, "context", context);
	}
	json_put_text(o, "biz_opaque_callback_data", callback_data);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
}

const char *message_template(const struct message *m)
{
	return m->type && !strcmp(m->type, "template") ? json_text(m->payload, "name") : NULL;
}
