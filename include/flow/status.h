/*
 * status - takes what a webhook tells of a message into its record, and tells it on: one event for each status of a message.
 *
 * Order: what is told is written (src/lua/status.lua), published to amqp.status_exchange, confirmed, and only then marked as told; done(true)
 * means all of that.  done(false): not now; Meta comes again with it.  A status that another process has in hand is waited for.
 * A token (biz_opaque_callback_data) that is not ours, or of another tenant, is nobody's; without one the WAMID says whose it is, and one
 * that nobody knows is parked until its answer is settled.
 * For a message that failed late something follows first (flow/late.h); its event says what.
 * Ownership: everything is copied; statuses_free() ends what is under way with done(false), after store and publisher.
 */
#ifndef FLOW_STATUS_H
#define FLOW_STATUS_H

#include "base/board.h"
#include "flow/alert.h"
#include "conf/conf.h"
#include "io/broker.h"
#include "io/store.h"
#include "msg/identity.h"
#include "msg/webhook.h"

struct statuses;

struct statuses_options {
	struct loop *loop;
	const struct conf *conf;
	struct store *store;
	struct broker *publisher;
	struct identity *identity;
	struct board_slot *slot;
	const struct topology *topology;
	struct alerts *alerts;
	struct directory *directory;	/* whose link to the keeper is used */
};

struct statuses *statuses_new(const struct statuses_options *o);
void statuses_free(struct statuses **sp);

typedef void status_done_f(void *arg, bool is_stored);
/* a: whose number it is.  done comes once, never from inside. */
void status_take(struct statuses *s, const struct account *a, const struct webhook_status *w, status_done_f *done, void *arg);

/* The answer with this WAMID was settled: what came about it before is taken now, in the background. */
void status_settled(struct statuses *s, const struct account *a, const char *wamid);

#endif
