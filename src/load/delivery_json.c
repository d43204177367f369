#include "load/delivery_json.h"

#include "base/mem.h"
#include "base/str.h"

static void set_text(json_t *o, const char *key, struct broker_text t)
{
	if (t.p)
		json_object_set_new(o, key, json_stringn(t.p, t.len));
}

static json_t *headers_json(const struct broker_properties *p)
{
	json_t *o = json_object();

	for (int i = 0; i < p->n_headers; i++) {
		char *name = mem_strndup(p->headers[i].name.p, p->headers[i].name.len);

		set_text(o, name, p->headers[i].value);
		free(name);
	}
	return o;
}

static json_t *properties_json(const struct broker_properties *p)
{
	json_t *o = json_object();

	set_text(o, "content_type", p->content_type);
	set_text(o, "correlation_id", p->correlation_id);
	set_text(o, "message_id", p->message_id);
	set_text(o, "user_id", p->user_id);
	set_text(o, "type", p->type);
	set_text(o, "app_id", p->app_id);
	if (p->priority >= 0)
		json_object_set_new(o, "priority", json_integer(p->priority));
	if (p->timestamp_s)
		json_object_set_new(o, "timestamp", json_integer(p->timestamp_s));
	json_object_set_new(o, "persistent", json_boolean(p->persistent));
	return o;
}

static json_t *hex_json(const void *p, size_t len)
{
	char *hex = mem_alloc(2 * len + 1);
	json_t *text;

	hex_encode(p, len, hex);
	text = json_string(hex);
	free(hex);
	return text;
}

static void set_body(json_t *o, const struct broker_delivery *d)
{
	json_t *body;

	if (!d->body) {
		json_object_set_new(o, "body", json_null());	/* larger than we read */
		return;
	}
	body = json_loadb(d->body, d->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!body)
		body = json_stringn(d->body, d->len);
	if (body)
		json_object_set_new(o, "body", body);
	else
		json_object_set_new(o, "body_hex", hex_json(d->body, d->len));
}

json_t *delivery_json(const struct broker_delivery *d)
{
	json_t *o = json_object();

	set_text(o, "exchange", d->exchange);
	set_text(o, "routing_key", d->routing_key);
	json_object_set_new(o, "redelivered", json_boolean(d->redelivered));
	json_object_set_new(o, "headers", headers_json(&d->props));
	json_object_set_new(o, "properties", properties_json(&d->props));
	json_object_set_new(o, "raw_size", json_integer((json_int_t)d->len));
	set_body(o, d);
	return o;
}
