/*
 * broker_parts - what broker.c is made of and does not need to see from inside: its own copy of the options, and the
 * message that is being read.
 */
#ifndef IO_BROKER_PARTS_H
#define IO_BROKER_PARTS_H

#include "base/strbuf.h"
#include "io/amqp_wire.h"
#include "io/broker.h"
#include "io/url.h"

/* The options, copied, with their defaults filled in. */
struct broker_setup {
	char *name;
	struct broker_declare *topology;
	char **queues;
	int n_topology, n_queues, prefetch, heartbeat_s;
	bool confirms;
	size_t body_max;
	int64_t connect_ms, confirm_ms, backoff_min_ms, backoff_max_ms;
};

struct broker_setup *setup_new(const struct broker_options *o);
void setup_free(struct broker_setup **sp);
void setup_describe(const struct broker_setup *s, enum wire_kind reply, int index, struct strbuf *out);	/* "queue x" */
const char *url_vhost(const struct url *u);

/* Consumers are named by their queue's index, "q3.1", those that come and go by the caller's number, "d17.1".  After the dot: each
   consuming has a name of its own, or an ack of what the one before had taken would raise the prefetch of this one. */
struct consumer { int queue, number; };		/* one of the two is -1 */
const char *consumer_name(struct consumer c, unsigned round, char out[32]);
struct consumer consumer_of(struct broker_text name, int n_queues);	/* both -1: no name of ours */

/* A message is a method, a header and body frames; nothing of it outlives its frame, so it is kept here. */
enum content_kind { CONTENT_NONE, CONTENT_DELIVERY, CONTENT_RETURN };

struct content {
	enum content_kind what;
	struct strbuf names;		/* exchange and routing key, one after the other */
	size_t exchange_len;
	uint64_t tag;			/* delivery only, as the next two */
	bool redelivered;
	struct consumer consumer;
	bool has_header, is_too_large;
	uint64_t size, got;
	struct strbuf raw, body;
	const void *at_once;		/* the body is one frame: used where it lies */
};

void content_init(struct content *c);
void content_release(struct content *c);
void content_reset(struct content *c);
void content_begin(struct content *c, enum content_kind what, struct broker_text exchange, struct broker_text key);
/* 1: the message is whole; 0: more is to come; -1: not in its place. */
int content_header(struct content *c, const void *raw, size_t len, uint64_t size, size_t body_max) MUST_CHECK;
int content_add(struct content *c, const void *data, size_t len) MUST_CHECK;
const void *content_body(const struct content *c);	/* NULL: too large */

#endif
