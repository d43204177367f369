/*
 * v1_call - one call of the HTTP API, and what its handlers share; private to src/api/v1*.c.
 *
 * v1_answer() and its sisters end the call: it is freed.  When the client has gone before, http is NULL and the answer goes nowhere.
 */
#ifndef API_V1_CALL_H
#define API_V1_CALL_H

#include "api/v1.h"
#include "base/uuid.h"
#include "msg/json.h"
#include "msg/keeper_wire.h"

enum { V1_REQUEST_ID_MAX = 64, V1_TEXT_MAX = 255 };

struct v1_call {
	struct list list;		/* v1.calls */
	struct v1 *v;
	mono_t since;
	struct http_call *http;		/* NULL: the client has gone */
	const struct v1_route *route;
	struct tenant *tenant;		/* whose key it was; NULL where none is needed */
	char id[V1_TEXT_MAX + 1];	/* what {id} stands for, or "" */
	char request_id[V1_REQUEST_ID_MAX + 1];
	char correlation_id[V1_TEXT_MAX + 1];	/* "": none */
	struct directory_waiter asked;
	int n_asked;
	void *work;			/* the handler's own; end_work frees it where v1_release() ends the call */
	void (*end_work)(void *work);
};

#define ROUTE(ident, ...) void on_v1_##ident(struct v1_call *q);
#include "tbl/api_routes.h"
#undef ROUTE

/* Somebody else answers it (api/reply.h); q is gone. */
struct http_call *v1_hand_over(struct v1_call *q);
void v1_answer(struct v1_call *q, int status, json_t *body);			/* takes body over */
void v1_answer_text(struct v1_call *q, int status, const char *body, size_t len);	/* JSON */
void v1_answer_as(struct v1_call *q, int status, const char *type, const char *body, size_t len);
void v1_header(struct v1_call *q, const char *name, const char *value);		/* of the answer */
/* After RFC 9457; detail is for people. */
void v1_problem(struct v1_call *q, int status, const char *code, const char *detail);
/* With errors: why is "FIELD: what is wrong". */
void v1_bad_field(struct v1_call *q, int status, const char *code, const char *why);
json_t *v1_problem_json(int status, const char *code, const char *detail);
void v1_retry(struct v1_call *q, int after_s, const char *code, const char *detail);	/* 503 */

void v1_on_gone(void *q);		/* of its http: what was set before is called no more */
void v1_end(struct v1_call *q);		/* without an answer: the client has gone */

/* What operators are answered, about nobody but the tenant; q is gone.  Account and name: what the path says of them, or NULL. */
typedef void v1_admin_f(struct admin *a, struct http_call *c);
void v1_let_answer(struct v1_call *q, v1_admin_f *handle, const char *account, const char *name);

/* Of v1_media.c: the head of an upload is there.  false: it is answered.  Then all of it is, sink_arg being what the sink was given. */
bool v1_media_begin(struct v1_call *q, struct http_sink *sink);
void v1_media_end(void *sink_arg);

/* Of v1_keeper.c: the keeper answers the call, or nobody in time.  Takes args over; NULL: none. */
void v1_keeper_ask(struct v1_call *q, enum keeper_call call, const struct account *a, json_t *args);
void v1_keeper_spooled(struct v1 *v, const struct tenant *t, int64_t bytes);	/* its round looks whether that is too much */
void v1_keeper_init(struct v1 *v);
pid_t v1_keeper_pid(const struct board *b, int generation);	/* 0: there is none now */

/* Of v1_auth.c: whose key is it? */
enum v1_key { V1_KEY_GOOD, V1_KEY_BAD, V1_KEY_SCOPE, V1_KEY_ASKED, V1_KEY_AWAY };
enum v1_key v1_whose_key(struct v1 *v, const char *authorization, int scope, struct tenant **t, char tenant_id[TENANT_NAME_MAX + 1]);

#endif
