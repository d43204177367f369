/* admin - the resources of the admin socket; one handler a line of include/tbl/ctl_commands.h.  No secrets in any answer. */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api/dlq.h"
#include "base/board.h"
#include "base/list.h"
#include "conf/conf.h"
#include "flow/alert.h"
#include "flow/registry.h"
#include "flow/spool.h"
#include "flow/state_feed.h"
#include "graph/jobs.h"
#include "graph/calls.h"
#include "graph/crawl.h"
#include "io/http_server.h"
#include "io/store.h"

/* In place of what the query says: the HTTP API lets a tenant ask about nobody but itself. */
struct asked { const struct tenant *tenant; const char *account, *name; };

struct fleet;

struct admin {
	struct loop *loop;
	const struct conf *conf;
	struct board *board;
	struct store *store;
	struct broker *publisher;		/* what operators send; NULL: of the HTTP API's own admin */
	struct alerts *alerts;
	struct registry *registry;		/* where tenants come from */
	struct jobs *jobs;			/* what the keeper does in the background */
	struct graph *graph;			/* calls that look after accounts */
	struct crawl *crawl;			/* fetches templates */
	struct delays *delays;			/* holds copies that wait; the broker does not count those */
	struct state_feed *states;		/* tells the state manager; NULL: there is none */
	struct dlq *dlq;
	const struct asked *asked;		/* set around a call of the HTTP API, NULL: an operator's */
	struct list surveys;			/* calls that look over many accounts (api/survey.h) */
	const struct fleet *fleet;		/* the last look at all accounts and queues; NULL: none */
	struct spool *spool;
	void (*spooled)(void *arg);		/* something has come into it */
	void (*command)(void *arg, int what);	/* to the supervisor, COMMAND_* */
	void *arg;
};

void admin_call(void *admin, struct http_call *c);	/* http_on_call_f, of the socket for all commands */
void admin_look_call(void *admin, struct http_call *c);	/* the same of the one for those that only look */
void admin_route(void *admin, struct http_call *c);	/* the same for who has been let in already */
bool admin_upload(void *admin, struct http_call *c, struct http_sink *sink);	/* http_on_upload_f */

#endif
