/* admin - the resources of the admin socket; one handler a line of include/tbl/ctl_commands.h.  No secrets in any answer. */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api/dlq.h"
#include "base/board.h"
#include "base/list.h"
#include "conf/conf.h"
#include "flow/alert.h"
#include "io/http_server.h"
#include "io/store.h"

struct admin {
	struct loop *loop;
	const struct conf *conf;
	struct board *board;
	struct store *store;
	struct alerts *alerts;
	struct dlq *dlq;
	struct list surveys;			/* calls that look over many accounts (api/survey.h) */
	void (*command)(void *arg, int what);	/* to the supervisor, COMMAND_* */
	void *arg;
};

void admin_call(void *admin, struct http_call *c);	/* http_on_call_f */

#endif
