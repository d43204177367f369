#include "io/amqp_wire.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	FRAME_HEADER = 7,		/* type, channel, size */
	METHOD_MAX = 16384,		/* the largest method a broker sends is connection.start, far below this */
};

struct wire {
	amqp_pool_t pool;
	char numbers[BROKER_HEADERS_MAX][32];
};

static const char *const kind_names[] = {
#define KIND(ident, name) [WIRE_##ident] = name,
	WIRE_KINDS(KIND)
#undef KIND
};

struct wire *wire_new(void)
{
	struct wire *w = mem_alloc(sizeof(*w));

	init_amqp_pool(&w->pool, 4096);
	return w;
}

void wire_free(struct wire **wp)
{
	if (!*wp)
		return;
	empty_amqp_pool(&(*wp)->pool);
	free(*wp);
	*wp = NULL;
}

const char *wire_kind_name(enum wire_kind k)
{
	return kind_names[k];
}

/* ---- input ---- */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static struct broker_text text_of(amqp_bytes_t b)
{
	return (struct broker_text){ b.len ? b.bytes : "", b.len };
}

static void take_close(struct wire_frame *f, int code, amqp_bytes_t text)
{
	f->code = code;
	f->text = text_of(text);
}

static enum wire_kind reply_to(unsigned class_id, unsigned method_id)
{
	switch (class_id << 16 | method_id) {
	case AMQP_EXCHANGE_DECLARE_METHOD:	return WIRE_EXCHANGE_OK;
	case AMQP_QUEUE_DECLARE_METHOD:		return WIRE_QUEUE_OK;
	case AMQP_QUEUE_BIND_METHOD:		return WIRE_BIND_OK;
	case AMQP_QUEUE_DELETE_METHOD:		return WIRE_DELETE_OK;
	case AMQP_BASIC_CONSUME_METHOD:		return WIRE_CONSUME_OK;
	}
	return WIRE_KIND_COUNT;
}

static void take_tune(struct wire_frame *f, const amqp_connection_tune_t *m)
{
	f->channel_max = m->channel_max == 0 ? UINT16_MAX : m->channel_max;
	f->frame_max = m->frame_max == 0 || m->frame_max > WIRE_FRAME_MAX ? WIRE_FRAME_MAX : (int)m->frame_max;
	f->heartbeat_s = m->heartbeat;
}

static void take_deliver(struct wire_frame *f, const amqp_basic_deliver_t *m)
{
	f->tag = m->delivery_tag;
	f->redelivered = m->redelivered;
	f->consumer = text_of(m->consumer_tag);
	f->exchange = text_of(m->exchange);
	f->routing_key = text_of(m->routing_key);
}

static void take_return(struct wire_frame *f, const amqp_basic_return_t *m)
{
	take_close(f, m->reply_code, m->reply_text);
	f->exchange = text_of(m->exchange);
	f->routing_key = text_of(m->routing_key);
}

static void take_confirm(struct wire_frame *f, uint64_t tag, bool multiple)
{
	f->tag = tag;
	f->multiple = multiple;
}

/* Every method a broker may send us, and what we want of it. */
static bool take_fields(amqp_method_number_t id, const void *m, struct wire_frame *f)
{
	const amqp_connection_close_t *close = m;
	const amqp_channel_close_t *channel_close = m;
	const amqp_basic_ack_t *ack = m;
	const amqp_basic_nack_t *nack = m;

	switch (id) {
	case AMQP_CONNECTION_START_METHOD:	f->kind = WIRE_START; return true;
	case AMQP_CONNECTION_SECURE_METHOD:	f->kind = WIRE_SECURE; return true;
	case AMQP_CONNECTION_TUNE_METHOD:	f->kind = WIRE_TUNE; take_tune(f, m); return true;
	case AMQP_CONNECTION_OPEN_OK_METHOD:	f->kind = WIRE_OPEN_OK; return true;
	case AMQP_CONNECTION_CLOSE_METHOD:
		f->kind = WIRE_CLOSE;
		take_close(f, close->reply_code, close->reply_text);
		return true;
	case AMQP_CONNECTION_CLOSE_OK_METHOD:	f->kind = WIRE_CLOSE_OK; return true;
	case AMQP_CONNECTION_BLOCKED_METHOD:
		f->kind = WIRE_BLOCKED;
		f->text = text_of(((const amqp_connection_blocked_t *)m)->reason);
		return true;
	case AMQP_CONNECTION_UNBLOCKED_METHOD:	f->kind = WIRE_UNBLOCKED; return true;
	case AMQP_CHANNEL_OPEN_OK_METHOD:	f->kind = WIRE_CHANNEL_OPEN_OK; return true;
	case AMQP_CHANNEL_CLOSE_METHOD:
		f->kind = WIRE_CHANNEL_CLOSE;
		take_close(f, channel_close->reply_code, channel_close->reply_text);
		f->about = reply_to(channel_close->class_id, channel_close->method_id);
		return true;
	case AMQP_CHANNEL_FLOW_METHOD:
		f->kind = WIRE_FLOW;
		f->active = ((const amqp_channel_flow_t *)m)->active;
		return true;
	case AMQP_BASIC_QOS_OK_METHOD:		f->kind = WIRE_QOS_OK; return true;
	case AMQP_CONFIRM_SELECT_OK_METHOD:	f->kind = WIRE_CONFIRM_OK; return true;
	case AMQP_EXCHANGE_DECLARE_OK_METHOD:	f->kind = WIRE_EXCHANGE_OK; return true;
	case AMQP_QUEUE_DECLARE_OK_METHOD:
		f->kind = WIRE_QUEUE_OK;
		f->ready = ((const amqp_queue_declare_ok_t *)m)->message_count;
		return true;
	case AMQP_QUEUE_BIND_OK_METHOD:		f->kind = WIRE_BIND_OK; return true;
	case AMQP_QUEUE_DELETE_OK_METHOD:	f->kind = WIRE_DELETE_OK; return true;
	case AMQP_BASIC_CONSUME_OK_METHOD:
		f->kind = WIRE_CONSUME_OK;
		f->consumer = text_of(((const amqp_basic_consume_ok_t *)m)->consumer_tag);
		return true;
	case AMQP_BASIC_CANCEL_OK_METHOD:
		f->kind = WIRE_CANCEL_OK;
		f->consumer = text_of(((const amqp_basic_cancel_ok_t *)m)->consumer_tag);
		return true;
	case AMQP_BASIC_CANCEL_METHOD:
		f->kind = WIRE_CANCEL;
		f->consumer = text_of(((const amqp_basic_cancel_t *)m)->consumer_tag);
		return true;
	case AMQP_BASIC_DELIVER_METHOD:		f->kind = WIRE_DELIVER; take_deliver(f, m); return true;
	case AMQP_BASIC_RETURN_METHOD:		f->kind = WIRE_RETURN; take_return(f, m); return true;
	case AMQP_BASIC_ACK_METHOD:
		f->kind = WIRE_ACK;
		take_confirm(f, ack->delivery_tag, ack->multiple);
		return true;
	case AMQP_BASIC_NACK_METHOD:
		f->kind = WIRE_NACK;
		take_confirm(f, nack->delivery_tag, nack->multiple);
		return true;
	}
	return false;
}

static int take_method(struct wire *w, const uint8_t *p, size_t len, struct wire_frame *f, struct strbuf *why)
{
	amqp_method_number_t id;
	void *decoded;
	amqp_bytes_t rest;

	if (len < 4 || len > METHOD_MAX)
		return why_set(why, "protocol error: method of %zu bytes", len);
	id = get32(p);
	rest = (amqp_bytes_t){ len - 4, (void *)(uintptr_t)(p + 4) };
	recycle_amqp_pool(&w->pool);
	if (amqp_decode_method(id, &w->pool, rest, &decoded) < 0)
		return why_set(why, "protocol error: method %u.%u does not decode", id >> 16, id & 0xffff);
	if (!take_fields(id, decoded, f))
		return why_set(why, "protocol error: unexpected method %u.%u", id >> 16, id & 0xffff);
	return 0;
}

static int take_header(const uint8_t *p, size_t len, struct wire_frame *f, struct strbuf *why)
{
	if (len < 14 || get16(p) != AMQP_BASIC_CLASS)
		return why_set(why, "protocol error: content header of %zu bytes", len);
	f->kind = WIRE_HEADER;
	f->body_size = get64(p + 4);
	f->data = p + 12;
	f->len = len - 12;
	return 0;
}

static int take_payload(struct wire *w, const uint8_t *p, size_t len, struct wire_frame *f, struct strbuf *why)
{
	switch (p[0]) {
	case AMQP_FRAME_METHOD:
		return take_method(w, p + FRAME_HEADER, len, f, why);
	case AMQP_FRAME_HEADER:
		return take_header(p + FRAME_HEADER, len, f, why);
	case AMQP_FRAME_BODY:
		f->kind = WIRE_BODY;
		f->data = p + FRAME_HEADER;
		f->len = len;
		return 0;
	case AMQP_FRAME_HEARTBEAT:
		f->kind = WIRE_HEARTBEAT;
		return 0;
	}
	return why_set(why, "protocol error: frame of type %u", p[0]);
}

int wire_take(struct wire *w, const uint8_t *p, size_t len, size_t *used, struct wire_frame *f, struct strbuf *why)
{
	size_t payload;

	if (len < FRAME_HEADER)
		return 0;
	if (memcmp(p, "AMQP", 4) == 0)
		return why_set(why, "protocol error: the peer wants another version of AMQP");
	payload = get32(p + 3);
	if (payload > WIRE_FRAME_MAX - WIRE_OVERHEAD)
		return why_set(why, "protocol error: frame of %zu bytes", payload);
	if (len < payload + WIRE_OVERHEAD)
		return 0;
	if (p[FRAME_HEADER + payload] != AMQP_FRAME_END)
		return why_set(why, "protocol error: frame without its end mark");
	memset(f, 0, sizeof(*f));
	f->channel = get16(p + 1);
	*used = payload + WIRE_OVERHEAD;
	return take_payload(w, p, payload, f, why) < 0 ? -1 : 1;
}

/* ---- properties and headers of a message ---- */

struct cursor { const uint8_t *p; size_t left; bool bad; };

static const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (n > c->left) {
		c->bad = true;
		c->left = 0;
		return NULL;
	}
	c->p += n;
	c->left -= n;
	return p;
}

static struct broker_text cursor_text(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);

	return p ? (struct broker_text){ (const char *)p, n } : (struct broker_text){ NULL, 0 };
}

static uint64_t cursor_number(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static struct broker_text cursor_short(struct cursor *c)
{
	return cursor_text(c, cursor_number(c, 1));
}

static struct broker_text cursor_long(struct cursor *c)
{
	return cursor_text(c, cursor_number(c, 4));
}

struct field { struct broker_text name, text; uint8_t kind; int64_t number; bool is_number; };

static void field_number(struct field *f, int64_t n)
{
	f->number = n;
	f->is_number = true;
}

/* Tables, arrays and floats are passed over. */
static void take_field(struct cursor *c, struct field *f)
{
	memset(f, 0, sizeof(*f));
	f->name = cursor_short(c);
	f->kind = (uint8_t)cursor_number(c, 1);
	switch (f->kind) {
	case 't': case 'B': field_number(f, (int64_t)cursor_number(c, 1)); return;
	case 'b': field_number(f, (int8_t)cursor_number(c, 1)); return;
	case 's': field_number(f, (int16_t)cursor_number(c, 2)); return;
	case 'u': field_number(f, (int64_t)cursor_number(c, 2)); return;
	case 'I': field_number(f, (int32_t)cursor_number(c, 4)); return;
	case 'i': field_number(f, (int64_t)cursor_number(c, 4)); return;
	case 'l': case 'L': case 'T': field_number(f, (int64_t)cursor_number(c, 8)); return;
	case 'S': case 'x': f->text = cursor_long(c); return;
	case 'A': case 'F': (void)cursor_long(c); return;
	case 'f': (void)cursor_take(c, 4); return;
	case 'd': (void)cursor_take(c, 8); return;
	case 'D': (void)cursor_take(c, 5); return;
	case 'V': return;
	}
	c->bad = true;
}

static bool name_is(struct broker_text t, const char *prefix, size_t len)
{
	return t.len >= len && memcmp(t.p, prefix, len) == 0;
}

static bool is_ours(struct broker_text name)
{
	return name_is(name, "x-wamd", 6) || name_is(name, "X-", 2);
}

static void add_header(struct wire *w, struct broker_properties *out, const struct field *f)
{
	int i = out->n_headers++;

	out->headers[i].name = f->name;
	out->headers[i].value = f->text;
	if (f->is_number) {
		int n = snprintf(w->numbers[i], sizeof(w->numbers[i]), "%" PRId64, f->number);

		out->headers[i].value = (struct broker_text){ w->numbers[i], (size_t)n };
	}
}

/* One walk over the table, taking those that are ours or those that are not; returns how many there were of both. */
static int walk_headers(struct wire *w, struct cursor c, struct broker_properties *out, uint64_t *tag, bool ours,
			bool *bad)
{
	struct field f;
	int n = 0;

	while (c.left > 0) {
		take_field(&c, &f);
		if (c.bad)
			break;
		if (!f.text.p && !f.is_number)
			continue;
		if (f.name.len == sizeof(WIRE_TAG_HEADER) - 1 && name_is(f.name, WIRE_TAG_HEADER, f.name.len)) {
			*tag = f.is_number ? (uint64_t)f.number : 0;
			continue;
		}
		n++;
		if (is_ours(f.name) == ours && out->n_headers < BROKER_HEADERS_MAX)
			add_header(w, out, &f);
	}
	*bad |= c.bad;
	return n;
}

static void take_headers(struct wire *w, struct broker_text table, struct broker_properties *out, uint64_t *tag,
			 bool *bad)
{
	struct cursor c = { (const uint8_t *)table.p, table.len, false };

	if (walk_headers(w, c, out, tag, true, bad) > out->n_headers)
		walk_headers(w, c, out, tag, false, bad);
}

int wire_properties(struct wire *w, const void *raw, size_t len, struct broker_properties *out, uint64_t *tag)
{
	struct cursor c = { raw, len, false };
	unsigned flags = (unsigned)cursor_number(&c, 2);

	memset(out, 0, sizeof(*out));
	out->priority = -1;
	*tag = 0;
	if (flags & 1)			/* more flags follow: no class has that many properties */
		return -1;
	if (flags & AMQP_BASIC_CONTENT_TYPE_FLAG)
		out->content_type = cursor_short(&c);
	if (flags & AMQP_BASIC_CONTENT_ENCODING_FLAG)
		(void)cursor_short(&c);
	if (flags & AMQP_BASIC_HEADERS_FLAG)
		take_headers(w, cursor_long(&c), out, tag, &c.bad);
	if (flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
		out->persistent = cursor_number(&c, 1) == 2;
	if (flags & AMQP_BASIC_PRIORITY_FLAG)
		out->priority = (int)cursor_number(&c, 1);
	if (flags & AMQP_BASIC_CORRELATION_ID_FLAG)
		out->correlation_id = cursor_short(&c);
	if (flags & AMQP_BASIC_REPLY_TO_FLAG)
		(void)cursor_short(&c);
	if (flags & AMQP_BASIC_EXPIRATION_FLAG)
		(void)cursor_short(&c);
	if (flags & AMQP_BASIC_MESSAGE_ID_FLAG)
		out->message_id = cursor_short(&c);
	if (flags & AMQP_BASIC_TIMESTAMP_FLAG)
		out->timestamp_s = (int64_t)cursor_number(&c, 8);
	if (flags & AMQP_BASIC_TYPE_FLAG)
		out->type = cursor_short(&c);
	if (flags & AMQP_BASIC_USER_ID_FLAG)
		out->user_id = cursor_short(&c);
	if (flags & AMQP_BASIC_APP_ID_FLAG)
		out->app_id = cursor_short(&c);
	return c.bad ? -1 : 0;
}
