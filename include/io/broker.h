/*
 * broker - one AMQP 0-9-1 connection with one channel (and one beside it for what may be refused), kept up for ever.
 *
 * rabbitmq-c is only the codec; socket, TLS, deadlines and buffers are ours, so nothing here can block (its own socket
 * layer hangs without limit in a memory alarm).  A sender has two: one consumes and acks, one publishes.
 *
 * Life: connect (hosts of `urls` in random order, deadline connect_ms for TCP + TLS + login + topology together), declare
 * `topology`, consume `queues` -> up().  On any loss: down(), every pending publish is answered BROKER_LOST, all tags are
 * dead, and it reconnects with full jitter between backoff_min_ms and backoff_max_ms.
 * Deadlines: heartbeat both ways (peer silent for 2 x heartbeat = lost), TCP_USER_TIMEOUT, confirm_ms for each publish
 * (one publish unconfirmed for longer = the connection is given up and counts as lost; not while `blocked`).
 * Ownership: everything passed in is copied; everything passed to a callback is borrowed until it returns.
 * Callbacks may call any function here except broker_free(); broker_free() runs the pending confirms with BROKER_LOST.
 * Output is written once per loop turn (a hook), input is drained in bounded bites.  SIGPIPE must be ignored (TLS writes).
 */
#ifndef IO_BROKER_H
#define IO_BROKER_H

#include "base/loop.h"
#include "base/strbuf.h"

struct broker;

/* Header values and properties that wamd uses.  Text is a pointer and a length; NULL: absent. */
struct broker_text { const char *p; size_t len; };
#define BROKER_TEXT(s) ((struct broker_text){ (s), strlen(s) })

struct broker_header { struct broker_text name, value; };	/* values are long strings (on input numbers are made text) */
enum { BROKER_HEADERS_MAX = 16 };				/* more on input: the first 16 with names starting "x-wamd" or "X-" win */

struct broker_properties {
	struct broker_text content_type, correlation_id, message_id, user_id, type, app_id;
	int priority;			/* -1: absent */
	int64_t timestamp_s;		/* 0: absent */
	bool persistent;
	int n_headers;
	struct broker_header headers[BROKER_HEADERS_MAX];
};
bool broker_text_is(struct broker_text t, const char *text);
int broker_find_header(const struct broker_properties *p, const char *name);	/* its index; -1: there is none */

struct broker_tag { uint64_t tag; uint32_t generation; };	/* generation: of the connection it came on */

struct broker_delivery {
	struct broker_tag tag;
	bool redelivered;
	struct broker_text exchange, routing_key;
	int queue;			/* index into options.queues; -1: of a broker_consume() */
	int consumer;			/* then: its number; else -1 */
	struct broker_properties props;
	const void *body;
	size_t len;			/* whole body; larger than options.body_max: body is NULL, len says how large it was */
};

enum broker_fate { BROKER_CONFIRMED, BROKER_RETURNED, BROKER_NACKED, BROKER_LOST };
typedef void broker_fate_f(void *arg, enum broker_fate fate);

struct broker_publish {
	const char *exchange, *routing_key;
	bool mandatory;
	struct broker_properties props;
	const void *body;
	size_t len;
	broker_fate_f *done;		/* exactly once, never from inside broker_publish() */
	void *arg;
};

struct broker_callbacks {		/* any may be NULL */
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);	/* also for every failed attempt to connect */
	void (*delivery)(void *arg, const struct broker_delivery *d);
	void (*blocked)(void *arg, bool blocked);	/* connection.blocked / unblocked; down() implies unblocked */
	/* The broker refuses our topology or login for good: names the object and the argument (406, 403, 404 vhost).
	   It keeps trying at backoff_max_ms. */
	void (*refused)(void *arg, const char *why);
	void (*consumer_lost)(void *arg, const char *queue);	/* basic.cancel from the broker: re-declared and re-consumed by itself */
	/* The same for one of broker_consume(), its queue is gone: the number is free.  Not while it is being cancelled. */
	void (*consumer_gone)(void *arg, int consumer);
};

/* One declaration, tried in order.  Queues: kind QUEUE; bindings after their ends. */
enum broker_thing { BROKER_EXCHANGE, BROKER_QUEUE, BROKER_BINDING };
struct broker_declare {
	enum broker_thing thing;
	const char *name;		/* exchange or queue; binding: the queue */
	const char *type;		/* exchange: direct|topic|fanout; queue: NULL or "quorum" (x-queue-type) */
	const char *exchange, *key;	/* binding only */
	int max_priority;		/* queue: x-max-priority, 0 = none */
	int64_t message_ttl_ms;		/* queue: x-message-ttl, 0 = none */
	const char *dead_letter_exchange, *dead_letter_key;	/* queue, NULL = none; exchange may be "" (default) */
	bool single_active;		/* queue: one consumer gets all until it is gone, then the next (x-single-active-consumer) */
	bool exclusive;			/* queue: only ours, not durable, gone with the connection */
};

struct broker_options {
	const char *const *urls;	/* amqp[s]://user:pass@host:port/vhost (percent-decoded parts; IPv6 in []) */
	int n_urls;
	const char *connection_name;	/* shown by the broker's management */
	const char *ca_file;		/* amqps; NULL: /etc/ssl/certs/ca-certificates.crt */
	const struct broker_declare *topology;
	int n_topology;
	const char *const *queues;	/* to consume; none for a publisher */
	int n_queues;
	int prefetch;			/* shared equally by the queues, rounded up; 0 = no limit */
	bool confirms;			/* confirm.select: needed for broker_publish */
	size_t body_max;		/* 0: 16 MiB */
	int64_t heartbeat_s, connect_ms, confirm_ms, backoff_min_ms, backoff_max_ms;	/* 0: 10, 3000, 30000, 100, 10000 */
};

int broker_url_check(const char *url, struct strbuf *why) MUST_CHECK;	/* for the configuration */

struct broker *broker_new(struct loop *l, const struct broker_options *o, const struct broker_callbacks *cb, void *arg);
void broker_free(struct broker **bp);
bool broker_is_up(const struct broker *b);
bool broker_is_blocked(const struct broker *b);
uint32_t broker_generation(const struct broker *b);
/* Bytes in the output buffer, and acks that wait for others: 0 when all is written.  The caller stops taking work above a few MiB. */
size_t broker_unwritten(const struct broker *b);
unsigned broker_unconfirmed(const struct broker *b);
size_t broker_bytes_out(const struct broker *b);	/* since the start, for the counters */

/* -1: not up, or it does not fit AMQP (a name over 255 bytes, headers over a frame); done is not called then.  Otherwise
   done is called once with the fate.  A mandatory message carries one more header, x-wamd-tag, which is how a returned one
   is known again; deliveries do not show it. */
int broker_publish(struct broker *b, const struct broker_publish *p) MUST_CHECK;

/* For a publisher whose mandatory message came back: reconnects at once and declares the topology again. */
void broker_redeclare(struct broker *b);

/* Tags of an earlier generation are ignored: the broker has taken those deliveries back. */
void broker_ack(struct broker *b, struct broker_tag tag);
void broker_nack(struct broker *b, struct broker_tag tag);	/* requeue */

/* How many messages are ready in a queue, asked in order with everything else on the channel: when counted() runs, earlier
   acks and nacks have reached the broker's queues.  BROKER_NO_QUEUE costs the connection (AMQP closes the channel), so this is
   for tools.  -1: not up; else counted() is called once, never from inside the call. */
enum { BROKER_NO_QUEUE = -1, BROKER_NO_COUNT = -2 };	/* no such queue; refused, or the connection was lost first */
typedef void broker_counted_f(void *arg, int64_t ready);
int broker_count(struct broker *b, const char *queue, broker_counted_f *counted, void *arg) MUST_CHECK;

/* Stop and start taking deliveries of options.queues (basic.cancel / basic.consume); what is unacked stays ours. */
void broker_pause(struct broker *b);
void broker_resume(struct broker *b);

/* Queues that come and go while the connection is up, beside those of the options.  Nothing of this survives the connection:
   after down() there are no such consumers, every answer that was owed has been given or follows at once, and the caller starts
   anew in up(). */

/* Declares on the connection's own channel, so before whatever is published or consumed on it afterwards.  A refusal (406) costs
   the connection and is told by refused(), as for the topology.  -1: not up, or a name over 255 bytes. */
int broker_declare(struct broker *b, const struct broker_declare *d) MUST_CHECK;

/* Consumes under the caller's number, 0..BROKER_CONSUMERS_MAX - 1, which its deliveries carry; not exclusive.  prefetch, 0..65535:
   of this consumer alone, 0 = no limit.  A queue that is not there costs the connection, so declare it just before.
   -1: not up, the number is in use, or a name over 255 bytes. */
enum { BROKER_CONSUMERS_MAX = 65536 };
int broker_consume(struct broker *b, int consumer, const char *queue, int prefetch) MUST_CHECK;

/* What is unacked stays ours.  Deliveries may still come until done(), called once and never from inside the call; then the number
   is free.  ok is false when the connection was lost first.  done may be NULL.  -1: not up, or no consumer that is not being
   cancelled yet. */
typedef void broker_done_f(void *arg, bool ok);
int broker_cancel(struct broker *b, int consumer, broker_done_f *done, void *arg) MUST_CHECK;

/* The next two go over the channel beside, one at a time and in order with each other only.  A refusal costs nothing but that
   channel, which is opened again, and an error in the broker's log.  -1: not up, a name over 255 bytes, or the broker allows one
   channel only (its channel_max); else the callback, which may be NULL, is called once, never from inside the call. */

/* Deletes a queue that has no consumer and no message ready.  The broker does not count what is delivered and unacked: such a
   message would die with its queue if it were ever to go back, so the caller must know of none.  Classic queues only: for a
   quorum queue the broker refuses with the connection. */
enum broker_deletion {
	BROKER_DELETED,			/* or it was not there */
	BROKER_IN_USE,			/* refused: it has a consumer or a message, or is not ours to delete */
	BROKER_NOT_DELETED,		/* no answer, the connection was lost first: nobody knows */
};
typedef void broker_deleted_f(void *arg, enum broker_deletion what);
int broker_delete(struct broker *b, const char *queue, broker_deleted_f *done, void *arg) MUST_CHECK;

/* As broker_count(), but a missing queue costs nothing, and the answer knows nothing of acks that are on their way. */
int broker_peek_count(struct broker *b, const char *queue, broker_counted_f *counted, void *arg) MUST_CHECK;

#endif
