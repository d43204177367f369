/*
 * broker_inside - struct broker, for the two files that are the broker: broker.c keeps the connection up and moves
 * bytes, broker_protocol.c asks and understands.  Nobody else includes this.
 */
#ifndef IO_BROKER_INSIDE_H
#define IO_BROKER_INSIDE_H

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
struct expect { enum wire_kind reply; int index; broker_counted_f *counted; void *arg; };

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
	int n_expects, expects_at, expects_size;
	bool consuming, paused, blocked, is_refused, wants_redeclare;
	int attempts;
	struct strbuf why;
};

/* broker.c */
void broker_enter(struct broker *b, enum broker_state next);
const char *broker_state_help(enum broker_state s);
void broker_must(int err);			/* names and arguments were checked with the configuration: they fit */
void broker_wrote(struct broker *b);		/* something stands in b->out */
int broker_flush(struct broker *b, struct strbuf *why);
void broker_unacked_patience(struct broker *b, bool limited);
void broker_came_up(struct broker *b);
void broker_start_tick(struct broker *b);

/* broker_protocol.c; broker_count() is there too */
int protocol_take(struct broker *b) MUST_CHECK;	/* the whole frames in b->in; -1: over, b->why says why */
void protocol_consume_all(struct broker *b);
void protocol_cancel_all(struct broker *b);

#endif
