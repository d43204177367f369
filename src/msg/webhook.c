#include "msg/webhook.h"

#include <limits.h>

#include "base/str.h"
#include "msg/answer.h"
#include "msg/webhook_inside.h"

/* Seconds beyond this are milliseconds: as seconds it is the year 5138. */
#define SECONDS_MAX INT64_C(100000000000)
enum { CONTACTS_LOOKED_AT = 100 };

static const struct { const char *word; int rank; } statuses[] = {
#define MESSAGE_STATUS(ident, word, rank, meaning) { word, rank },
#include "tbl/message_statuses.h"
#undef MESSAGE_STATUS
};

/* Where we are in the body. */
struct place {
	const struct webhook_visitor *v;
	void *arg;
	const char *waba, *phone_number_id;
	int64_t at_ms;
	int left_out;
};

enum message_status message_status_of(const char *word)
{
	for (size_t s = 0; word && s < ARRAY_LEN(statuses); s++)
		if (strcmp(statuses[s].word, word) == 0)
			return (enum message_status)s;
	return MESSAGE_STATUS_OTHER;
}

const char *message_status_word(enum message_status s)
{
	return s < MESSAGE_STATUS_OTHER ? statuses[s].word : NULL;
}

int message_status_rank(enum message_status s)
{
	return s < MESSAGE_STATUS_OTHER ? statuses[s].rank : 0;
}

int64_t webhook_time_ms(const json_t *v)
{
	int64_t t = json_integer_value(v);

	if (json_is_string(v) && parse_i64(json_string_value(v), &t) < 0)
		return 0;
	if (t <= 0)
		return 0;
	return t > SECONDS_MAX ? t : t * 1000;
}

/* ---- errors ---- */

static int error_code(const json_t *error)
{
	json_int_t code = json_integer_value(json_object_get(error, "code"));

	return code < INT_MIN || code > INT_MAX ? 0 : (int)code;
}

/* error_data is an object, but other products of Graph's write a text. */
static const char *error_text(const json_t *error)
{
	const json_t *data = json_object_get(error, "error_data");
	const char *text = json_is_string(data) ? json_string_value(data) : json_text(data, "details");

	if (!text)
		text = json_text(error, "message");
	return text ? text : json_text(error, "title");
}

static void visit_error(struct place *p, const json_t *error)
{
	struct webhook_error e = { .waba = p->waba, .phone_number_id = p->phone_number_id, .code = error_code(error),
				   .text = error_text(error), .error = error };

	if (!json_is_object(error))
		p->left_out++;
	else if (p->v->on_error)
		p->v->on_error(p->arg, &e);
}

/* ---- statuses and messages ---- */

static const char *wamid_of(const json_t *o)
{
	const char *id = json_text(o, "id");

	return id && *id && strlen(id) <= WAMID_MAX ? id : NULL;
}

static void visit_status(struct place *p, const json_t *o)
{
	const json_t *errors = json_object_get(o, "errors"), *first = json_array_get(errors, 0);
	struct webhook_status s = {
		.waba = p->waba, .phone_number_id = p->phone_number_id, .wamid = wamid_of(o), .status_text = json_text(o, "status"),
		.at_ms = webhook_time_ms(json_object_get(o, "timestamp")), .token = json_text(o, "biz_opaque_callback_data"),
		.recipient = json_text(o, "recipient_id"), .recipient_user_id = json_text(o, "recipient_user_id"),
		.participant = json_text(o, "recipient_participant_id"), .template_id = json_text(o, "template_id"),
		.pricing = json_object_get(o, "pricing"), .conversation = json_object_get(o, "conversation"), .errors = errors,
		.code = error_code(first), .error_text = error_text(first),
	};

	if (!s.wamid || !s.status_text || !*s.status_text) {
		p->left_out++;
		return;
	}
	s.status = message_status_of(s.status_text);
	if (p->v->on_status)
		p->v->on_status(p->arg, &s);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Contacts stand beside the messages, mostly at the same place. */
static const json_t *contact_of(const json_t *contacts, size_t i, const struct webhook_message *m)
{
	size_t n = json_array_size(contacts);

	if (n == 1)
		return json_array_get(contacts, 0);
	for (size_t k = 0; k < n && k < CONTACTS_LOOKED_AT; k++) {
		const json_t *c = json_array_get(contacts, (i + k) % n);

		if (same(json_text(c, "wa_id"), m->from) || same(json_text(c, "user_id"), m->from_user_id))
			return c;
	}
	return NULL;
}

static void visit_message(struct place *p, const json_t *o, const json_t *contacts, size_t i)
{
	const json_t *context = json_object_get(o, "context");
	struct webhook_message m = {
		.waba = p->waba, .phone_number_id = p->phone_number_id, .from = json_text(o, "from"),
		.from_user_id = json_text(o, "from_user_id"), .group = json_text(o, "group_id"), .answers = json_text(context, "id"),
		.id = wamid_of(o), .type = json_text(o, "type"), .at_ms = webhook_time_ms(json_object_get(o, "timestamp")), .message = o,
	};

	if (!m.id || !m.type) {
		p->left_out++;
		return;
	}
	m.contact = contact_of(contacts, i, &m);
	if (p->v->on_message)
		p->v->on_message(p->arg, &m);
}

const char *webhook_message_text(const struct webhook_message *m)
{
	const json_t *o = json_object_get(m->message, m->type);

	if (!strcmp(m->type, "text"))
		return json_text(o, "body");
	if (!strcmp(m->type, "button"))
		return json_text(o, "text");
	return strcmp(m->type, "interactive") ? NULL : json_text(json_object_get(o, "button_reply"), "title");
}

/* An array, or nothing; what is there and no array is left out. */
static const json_t *list(struct place *p, const json_t *value, const char *name)
{
	const json_t *v = json_object_get(value, name);

	if (v && !json_is_array(v) && !json_is_null(v))
		p->left_out++;
	return v;
}

static void visit_messages(struct place *p, const json_t *value)
{
	const json_t *contacts = json_object_get(value, "contacts"), *v, *o;
	size_t i;

	p->phone_number_id = json_text(json_object_get(value, "metadata"), "phone_number_id");
	v = list(p, value, "statuses");
	json_array_foreach(v, i, o)
		visit_status(p, o);
	v = list(p, value, "messages");
	json_array_foreach(v, i, o)
		visit_message(p, o, contacts, i);
	v = list(p, value, "errors");
	json_array_foreach(v, i, o)
		visit_error(p, o);
	p->phone_number_id = NULL;
}

/* ---- the envelope ---- */

static void visit_change(struct place *p, const json_t *change)
{
	const json_t *value = json_object_get(change, "value");
	const char *field = json_text(change, "field");

	if (!field || !json_is_object(value)) {
		p->left_out++;
	} else if (strcmp(field, "messages") == 0) {
		visit_messages(p, value);
	} else {
		struct webhook_change c = { .waba = p->waba, .field = field, .at_ms = p->at_ms, .value = value };

		p->left_out += webhook_change_visit(&c, p->v, p->arg);
	}
}

static void visit_entry(struct place *p, const json_t *entry)
{
	const json_t *changes = json_object_get(entry, "changes"), *change;
	size_t i;

	if (!json_is_array(changes)) {
		p->left_out++;
		return;
	}
	p->waba = json_text(entry, "id");
	p->at_ms = webhook_time_ms(json_object_get(entry, "time"));
	json_array_foreach(changes, i, change)
		visit_change(p, change);
}

static int check(const json_t *root, struct strbuf *why)
{
	const char *object = json_text(root, "object");

	if (!object || strcmp(object, "whatsapp_business_account"))
		return why_set(why, "object: allowed \"whatsapp_business_account\"");
	if (!json_is_array(json_object_get(root, "entry")))
		return why_set(why, "entry: found %s, allowed an array", json_kind(json_object_get(root, "entry")));
	return 0;
}

int webhook_read(const char *body, size_t len, const struct webhook_visitor *v, void *arg, struct strbuf *why)
{
	struct place p = { .v = v, .arg = arg };
	const json_t *entries, *entry;
	json_t *root = NULL;
	int result = -1;
	size_t i;

	if (len > WEBHOOK_BODY_MAX)
		return why_set(why, "%zu bytes, allowed %d", len, WEBHOOK_BODY_MAX);
	if (json_parse_large(body, len, WEBHOOK_NODES_MAX, &root, why) != JSON_OK || check(root, why) < 0)
		goto out;
	entries = json_object_get(root, "entry");
	json_array_foreach(entries, i, entry)
		visit_entry(&p, entry);
	result = p.left_out;
out:
	json_decref(root);
	return result;
}
