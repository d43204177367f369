#include "load/outgoing.h"

#include <inttypes.h>

#include "base/mem.h"

enum { RAW_LARGEST = 64 << 20 };

struct outgoing *outgoing_new(void)
{
	struct outgoing *o = mem_alloc(sizeof(*o));

	list_init(&o->list);
	o->line = json_object();
	o->priority = -1;
	return o;
}

void outgoing_free(struct outgoing **op)
{
	struct outgoing *o = *op;

	if (!o)
		return;
	list_del(&o->list);
	json_decref(o->line);
	json_decref(o->source);
	free(o->body);
	free(o);
	*op = NULL;
}

static struct broker_text text_of(const char *s)
{
	return s ? BROKER_TEXT(s) : (struct broker_text){ NULL, 0 };
}

void outgoing_properties(const struct outgoing *o, struct broker_properties *p)
{
	const char *name;
	json_t *value;

	*p = (struct broker_properties){ .content_type = BROKER_TEXT("application/json"), .priority = o->priority,
		.persistent = true, .message_id = text_of(o->message_id), .correlation_id = text_of(o->correlation_id) };
	json_object_foreach(o->headers, name, value) {
		if (p->n_headers == BROKER_HEADERS_MAX || !json_is_string(value))
			continue;
		p->headers[p->n_headers++] = (struct broker_header){ BROKER_TEXT(name),
			{ json_string_value(value), json_string_length(value) } };
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int take_hex(struct outgoing *o, const char *hex, struct strbuf *why)
{
	size_t n = strlen(hex) / 2;

	o->body = mem_alloc(n + 1);
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return why_set(why, "raw_hex: not lower case hexadecimal digits");
		o->body[i] = (char)(high << 4 | low);
	}
	o->len = n;
	return 0;
}

static int take_body(struct outgoing *o, struct strbuf *why)
{
	json_t *body = json_object_get(o->source, "body"), *raw = json_object_get(o->source, "raw");
	json_t *size = json_object_get(o->source, "raw_size"), *hex = json_object_get(o->source, "raw_hex");

	if (body) {
		o->body = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
		if (!o->body)
			return why_set(why, "body: cannot be written as JSON");
		o->len = strlen(o->body);
		return 0;
	}
	if (json_is_string(raw)) {
		o->len = json_string_length(raw);
		o->body = mem_alloc(o->len + 1);
		memcpy(o->body, json_string_value(raw), o->len);
		return 0;
	}
	if (json_is_string(hex))
		return take_hex(o, json_string_value(hex), why);
	if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > RAW_LARGEST)
		return why_set(why, "has none of body, raw, raw_hex, raw_size (up to %d)", RAW_LARGEST);
	o->len = (size_t)json_integer_value(size);
	o->body = mem_alloc(o->len + 1);
	memset(o->body, 'x', o->len);
	return 0;
}

/* What the out file says of it: from the line itself, else from its body. */
static void take_line(struct outgoing *o)
{
	static const char *const keys[] = { "id", "tenant_id", "account_id", "to", "expect" };
	json_t *body = json_object_get(o->source, "body");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		json_t *v = json_object_get(o->source, keys[i]);

		if (!v)
			v = json_object_get(body, keys[i]);
		if (json_is_string(v))
			json_object_set(o->line, keys[i], v);
	}
}

static int take_priority(struct outgoing *o, struct strbuf *why)
{
	json_t *v = json_object_get(o->source, "priority");

	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 255)
		return why_set(why, "priority: not a number from 0 to 255");
	o->priority = (int)json_integer_value(v);
	return 0;
}

struct outgoing *outgoing_from_line(const char *line, size_t len, struct strbuf *why)
{
	struct outgoing *o = outgoing_new();
	json_error_t error;

	o->source = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!json_is_object(o->source)) {
		why_set(why, "%s", o->source ? "not a JSON object" : error.text);
		goto bad;
	}
	o->headers = json_object_get(o->source, "headers");
	o->correlation_id = json_string_value(json_object_get(o->source, "correlation_id"));
	o->message_id = json_string_value(json_object_get(o->source, "message_id"));
	if (take_priority(o, why) < 0 || take_body(o, why) < 0)
		goto bad;
	take_line(o);
	return o;
bad:
	outgoing_free(&o);
	return NULL;
}
