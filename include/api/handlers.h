/* handlers - one function for each line of include/tbl/ctl_commands.h, and what they share; private to src/api. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/admin.h"
#include "api/audit.h"
#include "base/strbuf.h"

#define CTL(ident, ...) void on_##ident(struct admin *a, struct http_call *c);
#include "tbl/ctl_commands.h"
#undef CTL

void lists_account(struct admin *a, struct http_call *c);	/* one of those of account list */

/* What the call's tenant and account name; NULL: the problem is answered. */
const struct tenant *call_tenant(const struct admin *a, struct http_call *c);
const struct account *call_account(const struct admin *a, struct http_call *c);

/* The head of on_media_upload()'s call is there: false, the problem is answered. */
bool media_upload_begin(struct admin *a, struct http_call *c, struct http_sink *sink);

/* What is answered when Graph did not do as it was asked. */
void reply_graph_problem(struct http_call *c, const struct graph_reply *r);

/* A duration in the query: *ms is fallback when it is absent, which -1 forbids. */
int call_duration(struct http_call *c, const char *name, int64_t fallback, int64_t min_ms, int64_t max_ms, int64_t *ms,
		  struct strbuf *why) MUST_CHECK;

#endif
