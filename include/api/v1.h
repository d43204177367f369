/*
 * v1 - the HTTP API for tenants: what has to do with all of its resources (include/tbl/api_routes.h).
 *
 * A process that has it parses what strangers say: it holds no token of Graph's, calls nobody but broker, Redis and keeper, and looks
 * up everything under the tenant whose key was shown.
 * Ownership: all but the calls is the role's; v1_release() ends the calls that are left, when nobody is there any more to answer them.
 */
#ifndef API_V1_H
#define API_V1_H

#include "api/admin.h"
#include "base/board.h"
#include "base/list.h"
#include "conf/conf.h"
#include "flow/alert.h"
#include "flow/directory.h"
#include "flow/status.h"
#include "io/broker.h"
#include "io/http_server.h"
#include "io/store.h"
#include "msg/identity.h"

struct v1 {
	struct loop *loop;
	const struct conf *conf;
	struct board *board;
	struct board_slot *slot;
	struct store *store;
	struct broker *publisher;	/* NULL: at the very end */
	struct directory *directory;
	struct statuses *statuses;	/* what webhooks tell of messages */
	struct alerts *alerts;
	struct identity *identity;	/* for the names of users in Redis, and of media */
	struct admin admin;		/* what answers operators, too, with no more in it than that needs */
	bool is_draining;		/* who waits for more than a queued message gets what there is */
	struct list calls;
	struct list questions;		/* that the keeper was asked (v1_keeper.c) */
	struct loop_timer look;
};

bool v1_head(void *v1, struct http_call *c, struct http_sink *sink);	/* http_on_upload_f: whom we do not know sends no body */
void v1_call(void *v1, struct http_call *c);				/* http_on_call_f */
void v1_keeper_word(void *v1, const char *data, size_t len);		/* of the directory's on_other */
void v1_init(struct v1 *v);		/* all up to admin is set */
void v1_release(struct v1 *v);

/* What /readyz says: NULL, or the first thing that is missing. */
const char *v1_not_ready(const struct v1 *v);

#endif
