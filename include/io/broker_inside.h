/*
 * broker_inside - struct broker, for the three files that are the broker: broker.c keeps the connection up and moves
 * bytes, broker_protocol.c asks and understands, broker_queues.c has what comes and goes while it is up.  Nobody else
 * includes this.
 */
#ifndef IO_BROKER_INSIDE_H
#define IO_BROKER_INSIDE_H

#include "base/list.h"
#include "io/acks.h"
#include "io/amqp_wire.h"
#include "io/broker.h"
#include "io/broker_parts.h"
#include "io/confirms.h"
#include "io/dial.h"

/* STATE(ident, what we wait for) */
#define BROKER_STATES(STATE) \
	STATE(WAITING, "time to try again") \
	STATE(DIALLING, "TCP and TLS") \
	STATE(START, "connection.start") \
	STATE(TUNE, "connection.tune, our login is out") \
	STATE(OPENING, "connection.open-ok") \
	STATE(TOPOLOGY, "the answers to our declarations") \
	STATE(UP, "messages") \
	STATE(CLOSED, "nothing, we are being freed")

enum broker_state {
#define STATE(ident, help) STATE_##ident,
	BROKER_STATES(STATE)
#undef STATE
};

/* A reply that must come: the broker answers one channel's questions in order. */
struct expect {
	enum wire_kind reply;
	int index;			/* of the topology's or the queues' entry that was asked for; -1: none of them */
	int number;			/* CONSUME_OK, CANCEL_OK with index -1: of the consumer */
	unsigned round;			/* CONSUME_OK: of the consumer's name; ends: to be cancelled as soon as it is there */
	bool ends;
	broker_counted_f *counted;	/* these two: NULL unless somebody waits for it */
	broker_done_f *done;
	void *arg;
};

/* A consumer that comes and goes.  ENDING: basic.cancel is out, deliveries may still come until its answer. */
enum consumer_state { CONSUMER_FREE, CONSUMER_ON, CONSUMER_ENDING };
struct coming { uint8_t state; unsigned round; };

/* The side channel.  One question at a time: a refusal closes the channel, and the rest would have to be asked again. */
enum side_state { SIDE_CLOSED, SIDE_OPENING, SIDE_OPEN };
struct side {
	enum side_state state;
	bool is_allowed;		/* the broker grants so many channels */
	bool is_asked;			/* the first question is out */
	struct list questions;
};

struct broker {
	struct loop *loop;
	struct broker_setup *setup;
	struct broker_callbacks cb;
	void *arg;
	enum broker_state state;
	uint32_t generation;
	struct dial *dial;
	struct stream *stream;
	const struct url *url;
	struct wire *wire;
	struct content content;
	struct confirms confirms;
	struct acks acks;
	struct loop_timer ack;		/* acks wait for more of them until then */
	struct loop_timer deadline;	/* STATE_WAITING: the next attempt; until STATE_UP: the end of patience */
	struct loop_timer tick;
	struct loop_hook flush;
	bool flush_is_set, flush_waits;	/* queued for this turn; waiting for room */
	uint8_t *in;
	size_t in_len;
	struct strbuf out;
	size_t out_at, bytes_out;
	mono_t last_read, last_write, up_since, unblocked_at;
	int frame_max, heartbeat_s;
	struct expect *expects;
	int n_expects, expects_size;
	int qos;			/* the channel's setting for consumers to come */
	unsigned round;			/* of protocol_consume_all() */
	struct coming *consumers;	/* by number */
	int n_consumers;
	struct side side;
	bool consuming, paused, blocked, is_refused, wants_redeclare;
	int attempts;
	struct strbuf why;
};

/* broker.c */
void broker_enter(struct broker *b, enum broker_state next);
const char *broker_state_help(enum broker_state s);
void broker_must(int err);			/* names and arguments were checked with the configuration: they fit */
void broker_put_acks(struct broker *b);		/* before what must come behind them */
void broker_wrote(struct broker *b);		/* something stands in b->out */
int broker_flush(struct broker *b, struct strbuf *why);
void broker_unacked_patience(struct broker *b, bool limited);
void broker_came_up(struct broker *b);
void broker_start_tick(struct broker *b);

/* broker_protocol.c; broker_count() is there too */
int protocol_take(struct broker *b) MUST_CHECK;	/* the whole frames in b->in; -1: over, b->why says why */
void protocol_expect(struct broker *b, struct expect e);
void protocol_consume(struct broker *b, const char *queue, struct consumer c, unsigned round, int prefetch);
void protocol_cancel(struct broker *b, struct consumer c, unsigned round, broker_done_f *done, void *arg);
void protocol_consume_all(struct broker *b);
void protocol_cancel_all(struct broker *b);
void protocol_lose_all(struct broker *b);	/* whoever waits for a reply is told that none will come */

/* broker_queues.c; broker_declare(), _consume(), _cancel(), _delete() and _peek_count() are there */
void queues_init(struct broker *b);
void queues_release(struct broker *b);
bool queues_consumer_is_known(const struct broker *b, int number);
void queues_consumer_is_cancelled(struct broker *b, int number);	/* basic.cancel-ok */
int queues_on_gone(struct broker *b, int number) MUST_CHECK;		/* basic.cancel */
int queues_on_side_frame(struct broker *b, const struct wire_frame *f) MUST_CHECK;
void queues_lose_all(struct broker *b);		/* consumers are gone, questions get their last answer */

#endif
