/*
 * amqp_wire - AMQP 0-9-1 frames: bytes into our words and back (amqp_take.c, amqp_put.c).  librabbitmq's only door;
 * it knows no socket and no state.
 *
 * The peer may be hostile: sizes are checked before anything is read, nothing recurses on what it sent (message headers
 * are walked here, not by the library), and only frames that may ever come from a broker are let through.
 * Ownership: a frame's texts and data point into the bytes given to wire_take(), or into the wire until its next call.
 */
#ifndef IO_AMQP_WIRE_H
#define IO_AMQP_WIRE_H

#include "base/strbuf.h"
#include "io/broker.h"

/* Our publish tag travels in every mandatory message: basic.return names the message only by what is in it. */
#define WIRE_TAG_HEADER "x-wamd-tag"

enum {
	WIRE_FRAME_MAX = 131072,
	WIRE_OVERHEAD = 8,
	WIRE_CHANNEL = 1,		/* where everything happens, but for */
	WIRE_SIDE_CHANNEL = 2,		/* questions that the broker may refuse by closing the channel */
};

/* KIND(ident, AMQP's name) */
#define WIRE_KINDS(KIND) \
	KIND(START, "connection.start") \
	KIND(SECURE, "connection.secure") \
	KIND(TUNE, "connection.tune") \
	KIND(OPEN_OK, "connection.open-ok") \
	KIND(CLOSE, "connection.close") \
	KIND(CLOSE_OK, "connection.close-ok") \
	KIND(BLOCKED, "connection.blocked") \
	KIND(UNBLOCKED, "connection.unblocked") \
	KIND(CHANNEL_OPEN_OK, "channel.open-ok") \
	KIND(CHANNEL_CLOSE, "channel.close") \
	KIND(FLOW, "channel.flow") \
	KIND(QOS_OK, "basic.qos-ok") \
	KIND(CONFIRM_OK, "confirm.select-ok") \
	KIND(EXCHANGE_OK, "exchange.declare-ok") \
	KIND(QUEUE_OK, "queue.declare-ok") \
	KIND(BIND_OK, "queue.bind-ok") \
	KIND(DELETE_OK, "queue.delete-ok") \
	KIND(CONSUME_OK, "basic.consume-ok") \
	KIND(CANCEL_OK, "basic.cancel-ok") \
	KIND(CANCEL, "basic.cancel") \
	KIND(DELIVER, "basic.deliver") \
	KIND(RETURN, "basic.return") \
	KIND(ACK, "basic.ack") \
	KIND(NACK, "basic.nack") \
	KIND(HEADER, "content header") \
	KIND(BODY, "content body") \
	KIND(HEARTBEAT, "heartbeat")

enum wire_kind {
#define KIND(ident, name) WIRE_##ident,
	WIRE_KINDS(KIND)
#undef KIND
	WIRE_KIND_COUNT
};

struct wire_frame {
	enum wire_kind kind;
	int channel;
	int code;				/* CLOSE, CHANNEL_CLOSE, RETURN */
	struct broker_text text;		/* the same; BLOCKED: the reason */
	enum wire_kind about;			/* CHANNEL_CLOSE: the reply that will not come, or WIRE_KIND_COUNT */
	int channel_max, frame_max, heartbeat_s;	/* TUNE; channels are 1..channel_max */
	bool active;				/* FLOW */
	uint64_t tag;				/* DELIVER, ACK, NACK */
	bool multiple, redelivered;
	struct broker_text consumer;		/* DELIVER, CANCEL, CONSUME_OK, CANCEL_OK */
	struct broker_text exchange, routing_key;	/* DELIVER, RETURN */
	uint64_t body_size;			/* HEADER */
	uint32_t ready;				/* QUEUE_OK: messages in it */
	const void *data;			/* HEADER: the raw properties; BODY: its bytes */
	size_t len;
};

struct wire;
struct wire *wire_new(void);
void wire_free(struct wire **wp);
const char *wire_kind_name(enum wire_kind k);

/* One frame off the front of the bytes: 1 with *used set, 0 when it is not whole yet, -1 when it is no such frame. */
int wire_take(struct wire *w, const uint8_t *p, size_t len, size_t *used, struct wire_frame *f, struct strbuf *why)
	MUST_CHECK;

/* Raw properties of a HEADER frame; tag gets the publish tag of a message of ours that was returned, else 0.
   Texts point into raw or into w. */
int wire_properties(struct wire *w, const void *raw, size_t len, struct broker_properties *out, uint64_t *tag)
	MUST_CHECK;

/* Output: appended to out.  -1: does not fit (a name over 255 bytes, headers over a frame); out is as before. */
void wire_put_protocol(struct strbuf *out);
int wire_put_start_ok(struct strbuf *out, const char *user, const char *password, const char *name) MUST_CHECK;
int wire_put_tune_ok(struct strbuf *out, int channel_max, int frame_max, int heartbeat_s) MUST_CHECK;
int wire_put_open(struct strbuf *out, const char *vhost) MUST_CHECK;
int wire_put_close(struct strbuf *out) MUST_CHECK;
int wire_put_close_ok(struct strbuf *out) MUST_CHECK;
int wire_put_channel_open(struct strbuf *out, int channel) MUST_CHECK;
int wire_put_channel_close_ok(struct strbuf *out, int channel) MUST_CHECK;
int wire_put_flow_ok(struct strbuf *out, bool active) MUST_CHECK;
int wire_put_qos(struct strbuf *out, int prefetch) MUST_CHECK;	/* of each consumer that is made from now on */
int wire_put_confirm_select(struct strbuf *out) MUST_CHECK;
int wire_put_declare(struct strbuf *out, const struct broker_declare *d) MUST_CHECK;
int wire_put_count(struct strbuf *out, int channel, const char *queue) MUST_CHECK;	/* passive declare */
int wire_put_delete(struct strbuf *out, int channel, const char *queue) MUST_CHECK;	/* if-unused, if-empty */
int wire_put_consume(struct strbuf *out, const char *queue, const char *consumer) MUST_CHECK;
int wire_put_cancel(struct strbuf *out, const char *consumer) MUST_CHECK;
int wire_put_ack(struct strbuf *out, uint64_t tag, bool multiple) MUST_CHECK;	/* multiple: all up to it */
int wire_put_nack(struct strbuf *out, uint64_t tag) MUST_CHECK;
int wire_put_publish(struct strbuf *out, const struct broker_publish *p, uint64_t tag, int frame_max) MUST_CHECK;
void wire_put_heartbeat(struct strbuf *out);

#endif
