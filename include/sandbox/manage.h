/*
 * manage - what all management nodes have in common: who may, how often, and how it is answered.
 *
 * A handler of tbl_routes.h is one line, manage(call, what is wanted, function); the function sees a call that is allowed and gives
 * back the answer's JSON, or NULL with m->error set.
 * A token may manage the business accounts of its grant, and all their numbers.
 */
#ifndef SANDBOX_MANAGE_H
#define SANDBOX_MANAGE_H

#include <jansson.h>

#include "sandbox/accounts.h"
#include "sandbox/graph.h"

struct call;

/* SENDER is a number, MEDIA an uploaded file: calls that nobody counts. */
enum managed_kind { MANAGE_NUMBER, MANAGE_WABA, MANAGE_EITHER, MANAGE_APP, MANAGE_UPLOAD, MANAGE_TEMPLATE, MANAGE_SENDER, MANAGE_MEDIA };

struct managed {
	struct call *call;
	struct token *token;
	struct number *number;		/* NULL unless the node is one, or a file that was uploaded to it */
	struct waba *waba;		/* the node, or the number's or template's; NULL for apps and uploads */
	struct template *template;	/* MANAGE_TEMPLATE */
	struct asset *asset;		/* MANAGE_MEDIA */
	struct graph_error error;
};

typedef json_t *managed_f(struct managed *m);

void manage(struct call *c, enum managed_kind want, managed_f *f);
void manage_answer(struct call *c, struct graph_error *e, json_t *out, const struct number *n);	/* takes out, releases e */
json_t *manage_fail(struct managed *m, int code, const char *fmt, ...) PRINTF(3, 4);	/* a bare "(#code) …"; NULL */
json_t *manage_success(void);						/* {"success":true} */

int64_t manage_limit(const struct call *c, const struct waba *w);	/* calls an hour; 0: unlimited */

#endif
