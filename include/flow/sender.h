/*
 * sender - one process's whole work: AMQP -> admit -> POST -> settle -> conclude -> ack.
 *
 * One thread, one loop.  Every step reports to the delivery; the delivery alone chooses what comes next (flow/delivery.c).
 * Owns: both broker connections, the store, the HTTP client, all deliveries and paces.  Borrows: conf and slot.
 */
#ifndef FLOW_SENDER_H
#define FLOW_SENDER_H

#include "base/board.h"
#include "base/host.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "flow/blame.h"
#include "io/broker.h"
#include "io/http_client.h"
#include "io/store.h"
#include "msg/identity.h"

struct directory;
struct lanes;
struct templates;
struct statuses;
struct spool;
struct media;
struct alerts;

struct sender {
	struct loop *loop;
	const struct conf *conf;
	struct board_slot *slot;
	struct identity *identity;
	char incarnation[48];		/* host:pid:random, first part of every owner */
	uint64_t serial;		/* its last part */

	struct broker *in, *out;	/* consumes and acks | publishes */
	struct store *store;
	struct http_client *http, *uploads;	/* messages | their files */
	struct topology *topology;

	struct directory *directory;
	struct templates *templates;
	struct statuses *statuses;	/* that came before their answers */
	struct spool *spool;
	struct media *media;
	struct lanes *lanes;		/* a third connection: what it takes from lanes */
	struct alerts *alerts;
	struct board *board;
	struct host_rules host_rules;
	struct blame blame;		/* what accounts got lately */
	int n_accounts_seen;			/* accounts that send: each gets its share of the window */
	struct pace **paces;		/* by account.index; NULL: not seen yet */
	int n_paces;
	struct list runnable;		/* those with something ready and allowed to ask */
	struct list deliveries;		/* all in hand */
	struct list unsettled;		/* answered, waiting for the store */
	struct list unconcluded;	/* settled, waiting for the publisher */
	struct list spare;		/* for reuse */
	int n_waiting;			/* for their tenant, template or file */
	int n_deliveries, n_ready, n_active, n_concluding;	/* active: admitting, sending or settling */

	struct loop_hook hook;
	struct loop_timer tick;		/* once a second: gauges, second tries */
	struct loop_timer drain_end, host_wait;
	mono_t store_down_since;	/* us 0: up */
	bool store_checked;		/* its settings allow us to send (flow/store_check.c) */
	bool draining, gave_back, hook_is_set;
	int64_t lag_max_us;
};

/* link_fd: towards the keeper, taken over; -1: none. */
struct sender *sender_new(struct loop *l, const struct conf *c, struct board *board, struct board_slot *slot, int number,
			  int link_fd, struct strbuf *why);
void sender_free(struct sender **sp);

/* Asks the store for its durability settings; sets store_checked when they will do. */
void store_check_start(struct sender *s);

/* Stop taking, give back what was not begun, finish the rest, then loop_stop(loop, 0); at the latest after drain_timeout. */
void sender_drain(struct sender *s);

#endif
