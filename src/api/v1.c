#include "api/survey.h"
#include "api/v1_call.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/tenant_keys.h"

enum { API_SCOPE_NONE = -1, ASKS_MAX = 3 };

struct v1_route {
	const char *method, *path;
	int scope;
	void (*handle)(struct v1_call *q);
};

static const struct v1_route routes[] = {
#define ROUTE(ident, method, path, scope, help) { method, path, API_SCOPE_##scope, on_v1_##ident },
#include "tbl/api_routes.h"
#undef ROUTE
};

/* ---- which resource ---- */

/* {id} in the pattern takes all between what stands before and behind it, and not nothing. */
static bool path_fits(const char *pattern, const char *path, char id[V1_TEXT_MAX + 1])
{
	const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;
	size_t before = open ? (size_t)(open - pattern) : 0, behind = close ? strlen(close + 1) : 0, n = strlen(path);

	id[0] = 0;
	if (!close)
		return !strcmp(pattern, path);
	if (n <= before + behind || n - before - behind > V1_TEXT_MAX || strncmp(pattern, path, before) != 0 ||
	    strcmp(path + n - behind, close + 1) != 0)
		return false;
	snprintf(id, V1_TEXT_MAX + 1, "%.*s", (int)(n - before - behind), path + before);
	return true;
}

/* NULL: none; *path_known: with another method there is one. */
static const struct v1_route *find_route(const struct http_call *c, char id[V1_TEXT_MAX + 1], bool *path_known)
{
	*path_known = false;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!path_fits(routes[i].path, http_call_path(c), id))
			continue;
		*path_known = true;
		if (!strcmp(routes[i].method, http_call_method(c)))
			return &routes[i];
	}
	return NULL;
}

/* ---- a call ---- */

void v1_on_gone(void *arg)
{
	((struct v1_call *)arg)->http = NULL;
}

/* Printable ASCII without blanks at its ends; what else comes is not given back in a header. */
static bool is_header_text(const char *s, size_t max)
{
	size_t n = strlen(s);

	if (!n || n > max || s[0] == ' ' || s[n - 1] == ' ')
		return false;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static const char *either_header(const struct http_call *c, const char *name, const char *other)
{
	const char *v = http_call_header(c, name);

	return v ? v : http_call_header(c, other);
}

static struct v1_call *call_new(struct v1 *v, struct http_call *c)
{
	struct v1_call *q = mem_alloc(sizeof(*q));
	const char *request = either_header(c, "Request-Id", "X-Request-ID"), *correlation = either_header(c, "Correlation-Id", "X-Correlation-ID");

	*q = (struct v1_call){ .v = v, .http = c, .since = mono_now() };
	list_init(&q->asked.list);
	list_add_tail(&v->calls, &q->list);
	if (request && is_header_text(request, V1_REQUEST_ID_MAX))
		snprintf(q->request_id, sizeof(q->request_id), "%s", request);
	else
		uuid_v7(q->request_id);
	if (correlation && is_header_text(correlation, V1_TEXT_MAX))
		snprintf(q->correlation_id, sizeof(q->correlation_id), "%s", correlation);
	http_call_on_gone(c, v1_on_gone, q);
	board_count(v->slot, COUNT_REQUESTS);
	return q;
}

static void call_free(struct v1_call *q)
{
	list_del(&q->list);
	list_del(&q->asked.list);
	free(q);
}

void v1_end(struct v1_call *q)
{
	call_free(q);
}

/* ---- answers ---- */

static void count(struct v1_call *q, int status)
{
	if (status >= 500)
		board_count(q->v->slot, COUNT_REQUESTS_FAILED);
	else if (status >= 400)
		board_count(q->v->slot, COUNT_REQUESTS_REFUSED);
}

struct http_call *v1_hand_over(struct v1_call *q)
{
	struct http_call *c = q->http;

	board_observe(q->v->slot, HISTOGRAM_REQUEST, mono_diff_us(mono_now(), q->since));
	if (c) {
		http_call_on_gone(c, NULL, NULL);
		http_answer_header(c, "Request-Id", q->request_id);
		if (*q->correlation_id)
			http_answer_header(c, "Correlation-Id", q->correlation_id);
		http_answer_header(c, "Cache-Control", "no-store");
	}
	call_free(q);
	return c;
}

static void answer(struct v1_call *q, int status, const char *type, const char *body, size_t len)
{
	struct http_call *c;

	count(q, status);
	c = v1_hand_over(q);
	if (c)
		http_answer(c, status, type, body, len);
}

static void answer_json(struct v1_call *q, int status, const char *type, json_t *o)
{
	struct strbuf body = STRBUF_INIT;

	json_dump_to(o, JSON_COMPACT, &body);
	strbuf_addc(&body, '\n');
	json_decref(o);
	answer(q, status, type, body.buf, body.len);
	strbuf_release(&body);
}

void v1_answer(struct v1_call *q, int status, json_t *body)
{
	answer_json(q, status, "application/json", body);
}

void v1_answer_text(struct v1_call *q, int status, const char *body, size_t len)
{
	answer(q, status, "application/json", body, len);
}

void v1_answer_as(struct v1_call *q, int status, const char *type, const char *body, size_t len)
{
	answer(q, status, type, body, len);
}

void v1_header(struct v1_call *q, const char *name, const char *value)
{
	if (q->http)
		http_answer_header(q->http, name, value);
}

static const char *title_of(int status)
{
	static const struct { int status; const char *title; } titles[] = {
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 409, "Conflict" }, { 413, "Content Too Large" }, { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" }, { 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

json_t *v1_problem_json(int status, const char *code, const char *detail)
{
	json_t *o = json_object();

	json_put_text(o, "type", "about:blank");
	json_put_text(o, "title", title_of(status));
	json_put_int(o, "status", status);
	json_put_text(o, "code", code);
	json_put_text(o, "detail", detail);
	return o;
}

static void problem(struct v1_call *q, int status, json_t *o)
{
	json_put_text(o, "request_id", q->request_id);
	answer_json(q, status, "application/problem+json", o);
}

void v1_problem(struct v1_call *q, int status, const char *code, const char *detail)
{
	problem(q, status, v1_problem_json(status, code, detail));
}

void v1_bad_field(struct v1_call *q, int status, const char *code, const char *why)
{
	json_t *o = v1_problem_json(status, code, why), *errors = json_array(), *e = json_object();
	const char *colon = strstr(why, ": ");
	char field[64];

	if (colon && (size_t)(colon - why) < sizeof(field)) {
		snprintf(field, sizeof(field), "%.*s", (int)(colon - why), why);
		json_put_text(e, "field", field);
	}
	json_put_text(e, "detail", colon ? colon + 2 : why);
	json_array_append_new(errors, e);
	json_object_set_new_nocheck(o, "errors", errors);
	problem(q, status, o);
}

void v1_retry(struct v1_call *q, int after_s, const char *code, const char *detail)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", after_s);
	v1_header(q, "Retry-After", text);
	v1_problem(q, 503, code, detail);
}

/* ---- who asks ---- */

static void refuse_key(struct v1_call *q, enum v1_key word)
{
	switch (word) {
	case V1_KEY_GOOD:
		BUG("a good key is refused");
	case V1_KEY_BAD:
		v1_header(q, "WWW-Authenticate", "Bearer");
		v1_problem(q, 401, "unauthorized", "the header Authorization must be: Bearer and an API key that is known and has not expired");
		return;
	case V1_KEY_SCOPE:
		v1_problem(q, 403, "scope_missing", "the API key is good, but not for this");
		return;
	case V1_KEY_ASKED:
	case V1_KEY_AWAY:
		v1_retry(q, 1, "tenants_away", "it cannot be found out now whose key this is");
		return;
	}
}

static void authenticate(struct v1_call *q);

static void on_directory(void *arg)
{
	struct v1_call *q = arg;

	if (q->http)
		authenticate(q);
	else
		call_free(q);
}

static void authenticate(struct v1_call *q)
{
	char tenant_id[TENANT_NAME_MAX + 1];
	enum v1_key word = v1_whose_key(q->v, http_call_header(q->http, "Authorization"), q->route->scope, &q->tenant, tenant_id);

	if (word == V1_KEY_GOOD) {
		q->route->handle(q);
	} else if (word == V1_KEY_ASKED && q->n_asked++ < ASKS_MAX) {
		q->asked.ready = on_directory;
		q->asked.arg = q;
		directory_wait(q->v->directory, tenant_id, &q->asked);
	} else {
		refuse_key(q, word);
	}
}

/* true: it was answered, as nothing of it can be. */
static bool refuse_path(struct v1_call *q, bool path_known)
{
	if (q->route)
		return false;
	v1_problem(q, path_known ? 405 : 404, path_known ? "method_not_allowed" : "not_found",
		   path_known ? "this resource knows another method" : "no such resource");
	return true;
}

static bool is_large(const struct v1 *v, const struct http_call *c)
{
	const char *text = http_call_header(c, "Content-Length");
	int64_t n;

	return !text || parse_i64(text, &n) < 0 || n > v->conf->api_body_max;
}

/* A file goes straight to disk; one that is small enough to be kept may come while it is found out whose key it is. */
static bool begin_file(struct v1 *v, struct http_call *c, const struct v1_route *r, struct tenant *t, struct http_sink *sink)
{
	struct v1_call *q;

	if (!t && !is_large(v, c))
		return false;
	q = call_new(v, c);
	q->route = r;
	q->tenant = t;
	if (t)
		return v1_media_begin(q, sink);
	refuse_key(q, V1_KEY_ASKED);
	return false;
}

/* Before any of the body is read. */
bool v1_head(void *v1, struct http_call *c, struct http_sink *sink)
{
	struct v1 *v = v1;
	char id[V1_TEXT_MAX + 1], tenant_id[TENANT_NAME_MAX + 1];
	struct tenant *t;
	enum v1_key word;
	bool path_known;
	const struct v1_route *r = find_route(c, id, &path_known);
	struct v1_call *q;

	if (r && r->scope == API_SCOPE_NONE)
		return false;
	word = r ? v1_whose_key(v, http_call_header(c, "Authorization"), r->scope, &t, tenant_id) : V1_KEY_GOOD;
	if (r && (word == V1_KEY_GOOD || word == V1_KEY_ASKED))
		return r->handle == on_v1_media_upload && begin_file(v, c, r, word == V1_KEY_GOOD ? t : NULL, sink);
	q = call_new(v, c);
	q->route = r;
	if (!refuse_path(q, path_known))
		refuse_key(q, word);
	return false;
}

void v1_call(void *v1, struct http_call *c)
{
	struct v1_call *q;
	bool path_known;

	if (http_call_sink(c)) {
		v1_media_end(http_call_sink(c));
		return;
	}
	q = call_new(v1, c);
	q->route = find_route(c, q->id, &path_known);
	if (refuse_path(q, path_known))
		return;
	if (q->route->scope == API_SCOPE_NONE)
		q->route->handle(q);
	else
		authenticate(q);
}

void v1_init(struct v1 *v)
{
	list_init(&v->calls);
	v->admin = (struct admin){ .loop = v->loop, .conf = v->conf, .board = v->board, .store = v->store,
				    .spool = spool_new(v->conf) };
	list_init(&v->admin.surveys);
	v1_keeper_init(v);
}

void v1_release(struct v1 *v)
{
	surveys_free(&v->admin);
	spool_free(&v->admin.spool);
	loop_timer_stop(v->loop, &v->look);
	while (!list_is_empty(&v->calls)) {
		struct v1_call *q = CONTAINER_OF(list_pop(&v->calls), struct v1_call, list);

		if (q->work)
			q->end_work(q->work);
		call_free(q);
	}
}
