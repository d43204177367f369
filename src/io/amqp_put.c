#include "io/amqp_wire.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <endian.h>
#include <string.h>

#include "base/mem.h"

enum {
	FRAME_HEADER = 7,		/* type, channel, size */
	METHOD_MAX = 8192,		/* user, password, names: short strings only, and a few arguments */
	SHORT_MAX = 255,
};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

static uint8_t *room(struct strbuf *out, size_t n)
{
	strbuf_reserve(out, n);
	return (uint8_t *)out->buf + out->len;
}

static void commit(struct strbuf *out, size_t n)
{
	out->len += n;
	out->buf[out->len] = 0;
}

/* The 7 bytes before and the 1 byte after a payload that stands at p + FRAME_HEADER already. */
static void put_frame(struct strbuf *out, uint8_t *p, int type, int channel, size_t payload)
{
	p[0] = (uint8_t)type;
	put16(p + 1, (unsigned)channel);
	put32(p + 3, (uint32_t)payload);
	p[FRAME_HEADER + payload] = AMQP_FRAME_END;
	commit(out, payload + WIRE_OVERHEAD);
}

static int put_method(struct strbuf *out, int channel, amqp_method_number_t id, void *method)
{
	uint8_t *p = room(out, METHOD_MAX);
	int n = amqp_encode_method(id, method, (amqp_bytes_t){ METHOD_MAX - 12, p + 11 });

	if (n < 0 || n > AMQP_FRAME_MIN_SIZE - 12)	/* any broker must take a frame of this size */
		return -1;
	put32(p + FRAME_HEADER, id);
	put_frame(out, p, AMQP_FRAME_METHOD, channel, (size_t)n + 4);
	return 0;
}

static amqp_bytes_t bytes(const char *s)
{
	return s ? (amqp_bytes_t){ strlen(s), (void *)(uintptr_t)s } : (amqp_bytes_t){ 0, NULL };
}

static amqp_table_entry_t entry_text(const char *name, const char *value)
{
	return (amqp_table_entry_t){ .key = bytes(name), .value = { AMQP_FIELD_KIND_UTF8, { .bytes = bytes(value) } } };
}

static amqp_table_entry_t entry_number(const char *name, int64_t value)
{
	return (amqp_table_entry_t){ .key = bytes(name), .value = { AMQP_FIELD_KIND_I64, { .i64 = value } } };
}

static amqp_table_entry_t entry_true(const char *name)
{
	return (amqp_table_entry_t){ .key = bytes(name), .value = { AMQP_FIELD_KIND_BOOLEAN, { .boolean = 1 } } };
}

static amqp_table_entry_t entry_table(const char *name, amqp_table_t t)
{
	return (amqp_table_entry_t){ .key = bytes(name), .value = { AMQP_FIELD_KIND_TABLE, { .table = t } } };
}

void wire_put_protocol(struct strbuf *out)
{
	strbuf_add(out, "AMQP\0\0\x09\x01", 8);
}

int wire_put_start_ok(struct strbuf *out, const char *user, const char *password, const char *name)
{
	amqp_table_entry_t can[] = {
		entry_true("authentication_failure_close"), entry_true("basic.nack"), entry_true("connection.blocked"),
		entry_true("consumer_cancel_notify"), entry_true("publisher_confirms"),
	};
	amqp_table_entry_t is[] = {
		entry_text("product", "wamd"),
		entry_table("capabilities", (amqp_table_t){ ARRAY_LEN(can), can }),
		entry_text("connection_name", name),
	};
	struct strbuf login = STRBUF_INIT;
	amqp_connection_start_ok_t m = { .client_properties = { name ? 3 : 2, is }, .mechanism = bytes("PLAIN"),
					 .locale = bytes("en_US") };
	int err;

	strbuf_addc(&login, 0);
	strbuf_adds(&login, user);
	strbuf_addc(&login, 0);
	strbuf_adds(&login, password);
	m.response = (amqp_bytes_t){ login.len, login.buf };
	err = put_method(out, 0, AMQP_CONNECTION_START_OK_METHOD, &m);
	mem_wipe(login.buf, login.len);
	strbuf_release(&login);
	return err;
}

int wire_put_tune_ok(struct strbuf *out, int channel_max, int frame_max, int heartbeat_s)
{
	amqp_connection_tune_ok_t m = { (uint16_t)channel_max, (uint32_t)frame_max, (uint16_t)heartbeat_s };

	return put_method(out, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &m);
}

int wire_put_open(struct strbuf *out, const char *vhost)
{
	amqp_connection_open_t m = { .virtual_host = bytes(vhost) };

	return put_method(out, 0, AMQP_CONNECTION_OPEN_METHOD, &m);
}

int wire_put_close(struct strbuf *out)
{
	amqp_connection_close_t m = { .reply_code = AMQP_REPLY_SUCCESS, .reply_text = bytes("bye") };

	return put_method(out, 0, AMQP_CONNECTION_CLOSE_METHOD, &m);
}

int wire_put_close_ok(struct strbuf *out)
{
	amqp_connection_close_ok_t m = { 0 };

	return put_method(out, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &m);
}

int wire_put_channel_open(struct strbuf *out, int channel)
{
	amqp_channel_open_t m = { .out_of_band = { 0, NULL } };

	return put_method(out, channel, AMQP_CHANNEL_OPEN_METHOD, &m);
}

int wire_put_channel_close_ok(struct strbuf *out, int channel)
{
	amqp_channel_close_ok_t m = { 0 };

	return put_method(out, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &m);
}

int wire_put_flow_ok(struct strbuf *out, bool active)
{
	amqp_channel_flow_ok_t m = { active };

	return put_method(out, WIRE_CHANNEL, AMQP_CHANNEL_FLOW_OK_METHOD, &m);
}

int wire_put_qos(struct strbuf *out, int prefetch)
{
	amqp_basic_qos_t m = { .prefetch_count = (uint16_t)prefetch, .global = 0 };

	return put_method(out, WIRE_CHANNEL, AMQP_BASIC_QOS_METHOD, &m);
}

int wire_put_confirm_select(struct strbuf *out)
{
	amqp_confirm_select_t m = { .nowait = 0 };

	return put_method(out, WIRE_CHANNEL, AMQP_CONFIRM_SELECT_METHOD, &m);
}

static int put_queue(struct strbuf *out, const struct broker_declare *d)
{
	amqp_table_entry_t args[6];
	amqp_queue_declare_t m = { .queue = bytes(d->name), .durable = !d->exclusive,
				     .exclusive = d->exclusive, .auto_delete = d->exclusive, .arguments = { 0, args } };
	int n = 0;

	if (d->type)
		args[n++] = entry_text("x-queue-type", d->type);
	if (d->max_priority)
		args[n++] = entry_number("x-max-priority", d->max_priority);
	if (d->message_ttl_ms)
		args[n++] = entry_number("x-message-ttl", d->message_ttl_ms);
	if (d->dead_letter_exchange)
		args[n++] = entry_text("x-dead-letter-exchange", d->dead_letter_exchange);
	if (d->dead_letter_key)
		args[n++] = entry_text("x-dead-letter-routing-key", d->dead_letter_key);
	if (d->single_active)
		args[n++] = entry_true("x-single-active-consumer");
	m.arguments.num_entries = n;
	return put_method(out, WIRE_CHANNEL, AMQP_QUEUE_DECLARE_METHOD, &m);
}

static int put_exchange(struct strbuf *out, const struct broker_declare *d)
{
	amqp_exchange_declare_t m = { .exchange = bytes(d->name), .type = bytes(d->type), .durable = 1 };

	return put_method(out, WIRE_CHANNEL, AMQP_EXCHANGE_DECLARE_METHOD, &m);
}

static int put_binding(struct strbuf *out, const struct broker_declare *d)
{
	amqp_queue_bind_t m = { .queue = bytes(d->name), .exchange = bytes(d->exchange), .routing_key = bytes(d->key) };

	return put_method(out, WIRE_CHANNEL, AMQP_QUEUE_BIND_METHOD, &m);
}

int wire_put_declare(struct strbuf *out, const struct broker_declare *d)
{
	switch (d->thing) {
	case BROKER_EXCHANGE:	return put_exchange(out, d);
	case BROKER_QUEUE:	return put_queue(out, d);
	case BROKER_BINDING:	return put_binding(out, d);
	}
	BUG("declare thing %d", (int)d->thing);
}

int wire_put_count(struct strbuf *out, int channel, const char *queue)
{
	amqp_queue_declare_t m = { .queue = bytes(queue), .passive = 1 };

	return put_method(out, channel, AMQP_QUEUE_DECLARE_METHOD, &m);
}

int wire_put_delete(struct strbuf *out, int channel, const char *queue)
{
	amqp_queue_delete_t m = { .queue = bytes(queue), .if_unused = 1, .if_empty = 1 };

	return put_method(out, channel, AMQP_QUEUE_DELETE_METHOD, &m);
}

int wire_put_consume(struct strbuf *out, const char *queue, const char *consumer)
{
	amqp_basic_consume_t m = { .queue = bytes(queue), .consumer_tag = bytes(consumer) };

	return put_method(out, WIRE_CHANNEL, AMQP_BASIC_CONSUME_METHOD, &m);
}

int wire_put_cancel(struct strbuf *out, const char *consumer)
{
	amqp_basic_cancel_t m = { .consumer_tag = bytes(consumer) };

	return put_method(out, WIRE_CHANNEL, AMQP_BASIC_CANCEL_METHOD, &m);
}

int wire_put_ack(struct strbuf *out, uint64_t tag, bool multiple)
{
	amqp_basic_ack_t m = { .delivery_tag = tag, .multiple = multiple };

	return put_method(out, WIRE_CHANNEL, AMQP_BASIC_ACK_METHOD, &m);
}

int wire_put_nack(struct strbuf *out, uint64_t tag)
{
	amqp_basic_nack_t m = { .delivery_tag = tag, .requeue = 1 };

	return put_method(out, WIRE_CHANNEL, AMQP_BASIC_NACK_METHOD, &m);
}

/* ---- a message ---- */

static void set_text(amqp_basic_properties_t *to, amqp_bytes_t *field, amqp_flags_t flag, struct broker_text t)
{
	if (!t.p)
		return;
	*field = (amqp_bytes_t){ t.len, (void *)(uintptr_t)t.p };
	to->_flags |= flag;
}

/* The table is the caller's, with room for all headers and our tag; returns an upper bound of its size, or 0. */
static size_t fill_headers(const struct broker_publish *p, uint64_t tag, amqp_table_entry_t *table, int *n)
{
	size_t size = 64;

	for (int i = 0; i < p->props.n_headers; i++) {
		const struct broker_header *h = &p->props.headers[i];
		amqp_bytes_t name = { h->name.len, (void *)(uintptr_t)h->name.p };
		amqp_bytes_t value = { h->value.len, (void *)(uintptr_t)h->value.p };

		if (h->name.len > SHORT_MAX || !h->value.p)
			return 0;
		table[i] = (amqp_table_entry_t){ name, { AMQP_FIELD_KIND_UTF8, { .bytes = value } } };
		size += h->name.len + h->value.len + 8;
	}
	*n = p->props.n_headers;
	if (p->mandatory)
		table[(*n)++] = entry_number(WIRE_TAG_HEADER, (int64_t)tag);
	return size;
}

static void fill_properties(const struct broker_properties *from, amqp_basic_properties_t *to)
{
	set_text(to, &to->content_type, AMQP_BASIC_CONTENT_TYPE_FLAG, from->content_type);
	set_text(to, &to->correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG, from->correlation_id);
	set_text(to, &to->message_id, AMQP_BASIC_MESSAGE_ID_FLAG, from->message_id);
	set_text(to, &to->user_id, AMQP_BASIC_USER_ID_FLAG, from->user_id);
	set_text(to, &to->type, AMQP_BASIC_TYPE_FLAG, from->type);
	set_text(to, &to->app_id, AMQP_BASIC_APP_ID_FLAG, from->app_id);
	to->delivery_mode = from->persistent ? 2 : 1;
	to->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
	if (from->priority >= 0) {
		to->priority = (uint8_t)from->priority;
		to->_flags |= AMQP_BASIC_PRIORITY_FLAG;
	}
	if (from->timestamp_s) {
		to->timestamp = (uint64_t)from->timestamp_s;
		to->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
	}
}

static int put_header(struct strbuf *out, const struct broker_publish *p, uint64_t tag, int frame_max)
{
	amqp_table_entry_t table[BROKER_HEADERS_MAX + 1];
	amqp_basic_properties_t props = { .headers = { 0, table } };
	size_t size = fill_headers(p, tag, table, &props.headers.num_entries);
	uint8_t *at;
	int n;

	if (size == 0 || size > (size_t)frame_max)
		return -1;
	if (props.headers.num_entries > 0)
		props._flags |= AMQP_BASIC_HEADERS_FLAG;
	fill_properties(&p->props, &props);
	size += 8 * (SHORT_MAX + 1) + FRAME_HEADER + 32;
	at = room(out, size);
	n = amqp_encode_properties(AMQP_BASIC_CLASS, &props,
				   (amqp_bytes_t){ size - FRAME_HEADER - 13, at + FRAME_HEADER + 12 });
	if (n < 0 || n + 12 + WIRE_OVERHEAD > frame_max)
		return -1;
	put16(at + FRAME_HEADER, AMQP_BASIC_CLASS);
	put16(at + FRAME_HEADER + 2, 0);
	put64(at + FRAME_HEADER + 4, p->len);
	put_frame(out, at, AMQP_FRAME_HEADER, WIRE_CHANNEL, (size_t)n + 12);
	return 0;
}

static void put_body(struct strbuf *out, const uint8_t *body, size_t len, size_t most)
{
	while (len > 0) {
		size_t n = len < most ? len : most;
		uint8_t *at = room(out, n + WIRE_OVERHEAD);

		memcpy(at + FRAME_HEADER, body, n);
		put_frame(out, at, AMQP_FRAME_BODY, WIRE_CHANNEL, n);
		body += n;
		len -= n;
	}
}

int wire_put_publish(struct strbuf *out, const struct broker_publish *p, uint64_t tag, int frame_max)
{
	amqp_basic_publish_t m = { .exchange = bytes(p->exchange), .routing_key = bytes(p->routing_key),
				   .mandatory = p->mandatory };
	size_t before = out->len;

	strbuf_reserve(out, p->len + METHOD_MAX);
	if (put_method(out, WIRE_CHANNEL, AMQP_BASIC_PUBLISH_METHOD, &m) < 0 ||
	    put_header(out, p, tag, frame_max) < 0) {
		out->len = before;
		return -1;
	}
	put_body(out, p->body, p->len, (size_t)frame_max - WIRE_OVERHEAD);
	return 0;
}

void wire_put_heartbeat(struct strbuf *out)
{
	strbuf_add(out, "\x08\0\0\0\0\0\0\xce", 8);
}
