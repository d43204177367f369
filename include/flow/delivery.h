/*
 * delivery - one message in one sender's hands, and the table of what may come next.
 *
 * Ownership: the sender's lists hold it; delivery_done() acks it and takes it back into the pool.
 * Invariant: acked only when a final state is in Redis or a successor copy is confirmed (delivery_done checks).
 */
#ifndef FLOW_DELIVERY_H
#define FLOW_DELIVERY_H

#include "base/strbuf.h"
#include "flow/directory.h"
#include "flow/media.h"
#include "flow/sender.h"
#include "msg/answer.h"
#include "msg/hop.h"
#include "msg/message.h"

enum delivery_state {
#define STATE(ident, name, help) DELIVERY_##ident,
#include "tbl/delivery_states.h"
#undef STATE
	DELIVERY_STATES
};
const char *delivery_state_name(enum delivery_state s);

/* What follows from a settled or refused delivery. */
enum conclusion {
	CONCLUDE_ACCEPTED,	/* status event */
	CONCLUDE_DEAD,		/* dead letter + status event */
	CONCLUDE_COPY,		/* a copy through a delay queue */
	CONCLUDE_NOTHING	/* final, and its conclusion is known to be published */
};

/* What a guard says of it (flow/guard.h). */
enum guard_word { GUARD_OUTSIDE_WINDOW = BIT(0), GUARD_OPTED_OUT = BIT(1), GUARD_FALLBACK = BIT(2) };

enum { DELIVERY_PUBLISHES = 2, DELIVERY_OWNER_MAX = 80 };

struct delivery;
struct lane;
struct publication {		/* one of the publishes that a conclusion needs */
	struct delivery *d;
	enum { PUB_IDLE, PUB_WAITING, PUB_CONFIRMED, PUB_FAILED } state;
};

struct delivery {
	struct list all;		/* sender.deliveries, or sender.spare */
	struct list queue;		/* a pace's ready list, sender.unsettled or sender.unconcluded */
	struct sender *s;
	enum delivery_state state;

	/* as it came */
	struct broker *from;		/* the connection it is acked on */
	struct lane *lane;		/* NULL: from an input queue */
	struct broker_tag tag;
	bool redelivered;
	struct strbuf body, texts;	/* texts: what props points into */
	struct broker_properties props;
	size_t real_len;		/* > 0: body was too large and is not here */
	const char *queue_name;
	struct hop hop;
	struct replay replay;
	mono_t since;

	/* decoded and resolved */
	struct message m;
	int priority;			/* 0..10 */
	const struct account *account;
	struct directory_waiter asked;	/* while its tenant, its template or another token is asked for */
	bool is_waiting;		/* for its tenant or template */
	int n_waits;
	struct media_waiter file;	/* while Graph's id for one of its files is asked for */
	bool has_looked_again;		/* a retry does not trust what this sender remembers of its files */
	struct strbuf files;		/* "ref id" lines of those that Graph has */
	bool is_marketing;		/* as far as its template is known */
	unsigned guard;			/* bits: it goes outside of the window, … */
	struct pace *pace;		/* of the account; set once it is resolved */
	uint64_t serial;		/* its place among all that came */
	bool is_ready;			/* stands in its pace's ready list */
	uint8_t key[KEY_LEN];
	int64_t born_ms, expires_ms;	/* Unix times; born: the publisher's timestamp, or when it was first seen */

	/* the attempt */
	char owner[DELIVERY_OWNER_MAX];
	char who[WHO_LEN + 1];		/* its recipient, as keys say it; once it was asked for */
	int attempt, base;		/* base: attempts used before the message was replayed */
	bool is_probe;			/* the one message that tries an open breaker or a hold */
	bool has_pass, is_host_probe;	/* of Graph's host: see pass | the one that tries it */
	host_pass pass;			/* of the host's breaker, until its answer */
	mono_t admit_asked, settle_asked, lease_end;
	int64_t timeout_ms;		/* of the POST */
	int64_t post_ms;		/* Unix time of the POST */
	mono_t post_at;
	struct strbuf post;
	unsigned token_serial;		/* of the token it was sent with */
	bool body_read;
	bool is_too_late, is_unbegun;	/* its lease was over before the first byte | no POST was begun, so no attempt is used */
	const char *says;		/* what its end says of the account, settle.lua's word */
	struct answer answer;
	const char *settle_as;		/* settle.lua's word */
	enum reason reason;
	bool has_other_token;		/* Graph refused the token, and there is another one by now */
	bool is_account_held;		/* its answer put the account, or what that belongs to, on hold */

	/* the conclusion */
	enum conclusion conclusion;
	bool has_record;		/* a final record stands behind CONCLUDE_DEAD */
	char wamid[WAMID_MAX + 1];
	const char *dead_reason;	/* static text or into dead_text */
	char dead_text[64];
	int dead_code;
	struct strbuf error, history;	/* history: the attempts, as JSON objects with commas between; the last one alone until it is settled */
	struct hop next_hop;
	bool to_lane;			/* the copy goes to the account's lane */
	const char *lane_why;		/* static */
	int64_t delay_ms;		/* else: of the copy's queue */
	struct publication pubs[DELIVERY_PUBLISHES];
};

/* l: the lane it was taken from, or NULL. */
struct delivery *delivery_new(struct sender *s, const struct broker_delivery *in, const char *queue_name, struct lane *l);
void delivery_enter(struct delivery *d, enum delivery_state next);

/* Into a list of deliveries (by queue), to its place among all that came: of several under way each comes back when it is answered. */
void delivery_queue(struct list *all, struct delivery *d);

/* Nothing was asked for it yet: it may be dropped. */
static inline bool delivery_is_unbegun(const struct delivery *d)
{
	return d->is_ready || d->is_waiting;
}

void delivery_give_back_pass(struct delivery *d);	/* of Graph's host: no POST was made after all */

/* Nothing was begun: forget it (the broker has it, or gets it back with nack). */
void delivery_drop(struct delivery *d, bool nack);
/* Concluded: ack and forget. */
void delivery_done(struct delivery *d);

/* Who and what for every log line about it. */
#define DELIVERY_FMT "id=%s tenant=%s account=%s correlation=%s"
#define DELIVERY_ARGS(d) \
	(d)->m.id ? (d)->m.id : "-", (d)->m.tenant_id ? (d)->m.tenant_id : "-", (d)->account ? (d)->account->id : "-", \
	(d)->m.correlation_id ? (d)->m.correlation_id : "-"

/* The steps, each in its own file; each reports to the delivery by calling the next. */
void intake_accept(struct sender *s, const struct broker_delivery *in, struct lane *l, bool high);	/* decode, resolve, queue */
void intake_as_template(struct delivery *d);	/* its fallback in place of what it is: made ready, and to the line again */
void admit_ask(struct delivery *d);
void send_post(struct delivery *d);
void settle_first(struct delivery *d);	/* the answer is there */
void settle_unbegun(struct delivery *d, const char *why);	/* there will be none: no POST was begun; the attempt is given back */
void settle_ask(struct delivery *d);		/* again */
void conclude_start(struct delivery *d);
void conclude_retry(struct delivery *d);	/* publish what is not confirmed yet */

/* Conclusions by name: each fills the fields and starts. */
void conclude_accepted(struct delivery *d, const char *wamid);
void conclude_dead(struct delivery *d, const char *reason, int code, const char *error, bool has_record);
void conclude_copy(struct delivery *d, enum hop_kind kind, int attempt, int64_t delay_ms);
/* Its account may not send now, or has more than it may: a copy into the account's lane.  why: static. */
void conclude_lane(struct delivery *d, enum hop_kind kind, int attempt, const char *why);
void conclude_nothing(struct delivery *d);

/* For join.c, which knows when and where the copy may be published. */
void conclude_publish_copy(struct delivery *d, const char *queue);
void conclude_carrier_waits(struct delivery *d);	/* its time will come: not published yet */
void conclude_published(struct delivery *d);		/* after conclude_publish_copy(): a failure is tried again later */

#endif
