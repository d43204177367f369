#include "msg/message.h"

#include <inttypes.h>
#include <strings.h>

#include "base/str.h"
#include "conf/conf.h"
#include "msg/content.h"
#include "msg/json_write.h"
#include "msg/phone_number.h"

struct message_rules message_rules(const struct conf *c)
{
	return (struct message_rules){ .pass_unknown = !strcmp(c->unknown_types, "pass") };
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
	if (!json_is_string(v) || parse_time_ms(json_string_value(v), out_ms) < 0)
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
	else if (json_is_string(v) && !strcmp(json_string_value(v), "evidence"))
		*out = ON_UNKNOWN_EVIDENCE;
	else
		return bad_field(why, "on_unknown", v, "\"evidence\", \"at_least_once\" or \"at_most_once\"");
	return REASON_NONE;
}

#define TRY(call) do { enum reason r_ = (call); if (r_ != REASON_NONE) return r_; } while (0)

/* ---- recipient ---- */

static enum reason group_field(const json_t *from, bool *is_group, struct strbuf *why)
{
	const char *word = NULL;

	TRY(text_field(from, "recipient_type", 64, &word, why));
	*is_group = word && !strcmp(word, "group");
	if (word && !*is_group && strcmp(word, "individual") != 0)
		return bad_field(why, "recipient_type", json_object_get(from, "recipient_type"), "\"individual\" or \"group\"");
	return REASON_NONE;
}

static int take_phone(struct message *m, const char *to, struct strbuf *why)
{
	int err = recipient_from_phone(&m->to, to, why);

	if (*to != '+')
		m->national = to;
	if (!err || !m->national || !PHONE_NUMBER_IS_BUILT_IN || !*to || to[strspn(to, "0123456789 -()./")])
		return err;
	m->to.text[0] = 0;		/* message_set_phone() has the last word */
	return 0;
}

static enum reason decode_recipient(struct message *m, const json_t *from, struct strbuf *why)
{
	const json_t *to = json_object_get(from, "to"), *user = json_object_get(from, "recipient");
	bool is_group;
	int err;

	TRY(group_field(from, &is_group, why));
	if (to && !json_is_null(to)) {
		if (!json_is_string(to))
			return bad_field(why, "to", to, "a string"), REASON_BAD_RECIPIENT;
		err = is_group ? recipient_from_group(&m->to, json_string_value(to), why) : take_phone(m, json_string_value(to), why);
	} else {
		if (!json_is_string(user))
			return bad_field(why, user ? "recipient" : "to", user, "a phone number in to, or a user id in recipient"),
			       REASON_BAD_RECIPIENT;
		err = recipient_from_user_id(&m->to, json_string_value(user), why);
	}
	return err ? REASON_BAD_RECIPIENT : REASON_NONE;
}

/* ---- content ---- */

static enum reason context_field(struct message *m, const json_t *from, struct strbuf *why)
{
	const json_t *context = json_object_get(from, "context");

	if (!context || json_is_null(context))
		return REASON_NONE;
	if (!json_is_object(context))
		return bad_field(why, "context", context, "an object with message_id");
	if (!strcmp(m->type, "reaction"))
		return bad_field(why, "context", context, "nothing with a reaction");
	return text_field(context, "message_id", 512, &m->reply_to, why);
}

/* What Graph knows beside the payload, and wamd has no use for. */
#define FURTHER_MEMBERS "recipient_identity_key_hash", "category", "ttl_seconds", "direct_send_config", "product_policy", "message_activity_sharing"

/* A payload of its own name beside what belongs to the envelope. */
static bool may_pass(const char *type)
{
	static const char *const taken[] = {
		"metadata", "context", "wabaPayload", "to", "recipient", "type", "messaging_product", "recipient_type",
		"biz_opaque_callback_data", FURTHER_MEMBERS
	};

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (!strcmp(taken[i], type))
			return false;
	return true;
}

static enum reason check_unknown(const struct message *m, const struct message_rules *rules, struct strbuf *why)
{
	static const char known[] = "read, typing"
#define CONTENT_TYPE(type, object, most) ", " type
#include "tbl/content_types.h"
#undef CONTENT_TYPE
		;

	if (!rules->pass_unknown || !may_pass(m->type)) {
		why_write(why, "type: found \"%s\", allowed %s", m->type, known);
		return REASON_UNSUPPORTED_TYPE;
	}
	if (!json_is_object(m->payload) && !json_is_array(m->payload))
		return bad_field(why, m->type, m->payload, "an object or an array");
	return REASON_NONE;
}

/* Direct Send: Meta makes a template of it, and alone knows what may be in it. */
static bool is_direct_send(const json_t *from)
{
	const json_t *category = json_object_get(from, "category");

	return category && !json_is_null(category);
}

/* type, payload, context and the caller's callback data stand alike in both envelopes. */
static enum reason decode_content(struct message *m, const struct message_rules *rules, const json_t *from, struct strbuf *why)
{
	struct media_ref first;

	m->envelope = from;
	TRY(text_field(from, "type", 64, &m->type, why));
	if (!m->type && json_object_get(from, "text"))
		m->type = "text";	/* Graph's own default */
	if (!m->type)
		return bad_field(why, "type", NULL, "a message type such as \"text\"");
	m->payload = json_object_get(from, m->type);
	if (!content_is_known(m->type))
		TRY(check_unknown(m, rules, why));
	TRY(context_field(m, from, why));
	TRY(text_field(from, "biz_opaque_callback_data", 512, &m->callback, why));
	if (content_is_known(m->type))
		TRY(content_check(m->type, m->payload, is_direct_send(from), why));
	m->outgoing = json_incref((json_t *)(uintptr_t)m->payload);
	if (message_media(m, &first, 1)) {	/* dead letters and the digest tell of the message as it came */
		json_decref(m->outgoing);
		m->outgoing = json_deep_copy(m->payload);
	}
	return REASON_NONE;
}

/* In Graph's form or the short one, and checked like any template. */
static enum reason fallback_field(struct message *m, struct strbuf *why)
{
	const json_t *v = json_object_get(m->root, "fallback_template");
	struct strbuf reason = STRBUF_INIT;
	enum reason r;

	if (!v || json_is_null(v))
		return REASON_NONE;
	if (!json_is_object(v))
		return bad_field(why, "fallback_template", v, "an object: a template");
	r = content_check("template", v, false, &reason);
	if (r != REASON_NONE)
		why_write(why, "fallback_template: %s", reason.buf);
	strbuf_release(&reason);
	m->fallback = v;
	return r;
}

/* ---- control messages ---- */

static bool is_control_type(const char *type)
{
	return type && (!strcmp(type, "read") || !strcmp(type, "typing"));
}

/* at: the object with message_id; name: what it is called in the error. */
static enum reason decode_control(struct message *m, const char *type, const json_t *at, const char *name, struct strbuf *why)
{
	const json_t *about = json_object_get(at, "message_id");
	size_t n = json_string_length(about);

	m->type = type;
	m->is_control = true;
	if (m->on_unknown == ON_UNKNOWN_DEFAULT)
		m->on_unknown = ON_UNKNOWN_AT_LEAST_ONCE;	/* telling it twice does no harm */
	if (!json_is_string(about))
		return bad_field(why, name, about, "a string");
	if (n < 1 || n > 512) {
		why_write(why, "%s: found %zu bytes, allowed 1 to 512", name, n);
		return REASON_BAD_FIELD;
	}
	m->about = json_string_value(about);
	return REASON_NONE;
}

static enum reason decode_own_control(struct message *m, struct strbuf *why)
{
	bool is_typing = !strcmp(json_text(m->root, "type"), "typing");
	const char *type = is_typing ? "typing" : "read";
	const json_t *at = json_object_get(m->root, type);

	if (!json_is_object(at))
		return bad_field(why, type, at, "an object");
	return decode_control(m, type, at, is_typing ? "typing.message_id" : "read.message_id", why);
}

/* Graph's own body: {"status":"read","message_id","typing_indicator"?} */
static enum reason decode_second_control(struct message *m, const json_t *waba, struct strbuf *why)
{
	const json_t *status = json_object_get(waba, "status"), *typing = json_object_get(waba, "typing_indicator");
	bool is_typing = typing && !json_is_null(typing);

	if (!json_is_string(status) || strcmp(json_string_value(status), "read") != 0)
		return bad_field(why, "status", status, "\"read\"");
	if (is_typing && !json_is_object(typing))
		return bad_field(why, "typing_indicator", typing, "an object");
	return decode_control(m, is_typing ? "typing" : "read", waba, "message_id", why);
}

/* ---- envelopes ---- */

static enum reason decode_own(struct message *m, const struct message_rules *rules, struct strbuf *why)
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
	if (is_control_type(json_text(m->root, "type")))
		return decode_own_control(m, why);
	TRY(decode_recipient(m, m->root, why));
	TRY(fallback_field(m, why));
	return decode_content(m, rules, m->root, why);
}

static enum reason decode_second(struct message *m, const struct message_rules *rules, const json_t *meta, const json_t *waba,
				 struct strbuf *why)
{
	const json_t *status = json_object_get(waba, "status");
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
	if (status && !json_is_null(status))
		return decode_second_control(m, waba, why);
	TRY(decode_recipient(m, waba, why));
	return decode_content(m, rules, waba, why);
}

/* Sorted keys, no blanks: the same content gives the same digest however it was written. */
static void make_digest(struct message *m)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, m->to.text);
	strbuf_addc(&text, 0);
	strbuf_adds(&text, m->type);
	strbuf_addc(&text, 0);
	if (m->is_control)
		strbuf_adds(&text, m->about);
	else
		json_dump_to(m->payload, JSON_COMPACT | JSON_SORT_KEYS, &text);
	sha256(text.buf, text.len, m->digest);
	strbuf_release(&text);
}

enum reason message_decode(struct message *m, const struct message_rules *rules, const void *body, size_t len, struct strbuf *why)
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
	r = waba ? decode_second(m, rules, meta, waba, why) : decode_own(m, rules, why);
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
	json_decref(m->outgoing);
	json_decref(m->root);
	m->root = m->outgoing = NULL;
}

void message_use_payload(struct message *m, json_t *payload)
{
	json_decref(m->outgoing);
	m->outgoing = payload;
}

void message_use_fallback(struct message *m)
{
	m->type = "template";
	m->payload = m->fallback;
	message_use_payload(m, json_deep_copy(m->fallback));
}

enum reason message_set_phone(struct message *m, const char *region, struct strbuf *why)
{
	char e164[PHONE_NUMBER_MAX];
	struct recipient to;

	if (!m->national)
		return REASON_NONE;
	if (*region && phone_number_e164(m->national, region, e164) == 0 && recipient_from_phone(&to, e164, NULL) == 0) {
		m->to = to;
		make_digest(m);
		m->national = NULL;
	} else if (!*m->to.text && recipient_from_phone(&m->to, m->national, why) < 0) {
		return REASON_BAD_RECIPIENT;
	}
	return REASON_NONE;
}

/* ---- the POST ---- */

static void put_further(struct json_writer *w, const json_t *envelope)
{
	static const char *const members[] = { FURTHER_MEMBERS };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const json_t *v = json_object_get(envelope, members[i]);

		if (v && !json_is_null(v))
			json_write_value(w, members[i], v);
	}
}

static void put_message(struct json_writer *w, const struct message *m, const char *callback_data)
{
	json_write_text(w, "recipient_type", m->to.is_group ? "group" : "individual");
	json_write_text(w, m->to.is_user_id ? "recipient" : "to", m->to.text);
	json_write_text(w, "type", m->type);
	json_write_value(w, m->type, m->outgoing);
	if (m->reply_to)
		json_write_text_in(w, "context", "message_id", m->reply_to);
	put_further(w, m->envelope);
	json_write_text(w, "biz_opaque_callback_data", callback_data);
}

/* Meta: "Mark messages as read", "Typing indicators".  It takes no callback data. */
static void put_control(struct json_writer *w, const struct message *m)
{
	json_write_text(w, "status", "read");
	json_write_text(w, "message_id", m->about);
	if (!strcmp(m->type, "typing"))
		json_write_text_in(w, "typing_indicator", "type", "text");
}

void message_graph_body(const struct message *m, const char *callback_data, struct strbuf *out)
{
	struct json_writer w = json_write_begin(out);

	json_write_text(&w, "messaging_product", "whatsapp");
	if (m->is_control)
		put_control(&w, m);
	else
		put_message(&w, m, callback_data);
	json_write_end(&w);
}

/* A type that wamd does not know may be anything. */
bool message_needs_window(const struct message *m)
{
	return !m->is_control && !m->to.is_group && strcmp(m->type, "template") != 0 && content_is_known(m->type) && !is_direct_send(m->envelope);
}

bool message_is_direct_marketing(const struct message *m)
{
	const char *category = m->is_control ? NULL : json_text(m->envelope, "category");

	return category && !strcasecmp(category, "marketing");
}

const char *message_template(const struct message *m)
{
	return m->type && !strcmp(m->type, "template") ? json_text(m->payload, "name") : NULL;
}

const char *message_language(const struct message *m)
{
	const json_t *language = message_template(m) ? json_object_get(m->outgoing, "language") : NULL;

	return json_is_string(language) ? json_string_value(language) : json_text(language, "code");
}

void message_template_text(const struct message *m, char *out, size_t size)
{
	const char *name = message_template(m), *language = name ? message_language(m) : NULL;

	snprintf(out, size, "%s%s%s", name ? name : "", language ? "/" : "", language ? language : "");
}
