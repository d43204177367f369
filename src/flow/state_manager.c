#include "flow/state_manager.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/http_client.h"
#include "msg/json.h"

enum { ANSWER_MAX = 64 * 1024, RETRY_AFTER_MAX_S = 600 };

struct state_manager {
	const struct conf *conf;
	struct http_client *http;
	struct http_headers *headers;
};

struct state_call {
	struct strbuf body;
	bool is_binding;
	state_done_f *done;
	void *arg;
};

static struct http_headers *new_headers(const struct conf *c)
{
	struct strbuf bearer = STRBUF_INIT;
	const char *lines[3] = { "Accept: application/json", "Content-Type: application/json" };
	struct http_headers *h;
	int n = 2;

	if (c->state_secret) {
		strbuf_reserve(&bearer, strlen(c->state_secret) + 32);
		strbuf_addf(&bearer, "Authorization: Bearer %s", c->state_secret);
		lines[n++] = bearer.buf;
	}
	h = http_headers_new(lines, n);
	mem_wipe(bearer.buf, bearer.len);
	strbuf_release(&bearer);
	return h;
}

struct state_manager *state_manager_new(struct loop *l, const struct conf *c)
{
	struct state_manager *s = mem_alloc(sizeof(*s));

	s->conf = c;
	s->headers = new_headers(c);
	s->http = http_client_new(l, &(struct http_client_options){
		.ca_file = *c->state_ca ? c->state_ca : NULL, .http_version = 11, .window = (int)c->state_window, .streams = 1,
		.connect_ms = c->state_timeout, .answer_max = ANSWER_MAX, .allow_plain = true });
	return s;
}

void state_manager_free(struct state_manager **sp)
{
	struct state_manager *s = *sp;

	if (!s)
		return;
	http_client_free(&s->http);
	http_headers_unref(&s->headers);
	free(s);
	*sp = NULL;
}

/* ---- what an answer means ---- */

static bool is_about_the_service(long status, bool is_binding)
{
	switch (status) {
	case 401: case 403: case 405: case 407: case 408: case 425: case 429:
		return true;
	case 404:
		return is_binding;	/* a path that is not there: every message would be refused */
	}
	return status < 400 || status >= 500;
}

static enum state_word word_of(const struct http_result *r, bool is_binding)
{
	if (r->fate != HTTP_ANSWERED)
		return STATE_AWAY;
	if (r->status >= 200 && r->status < 300)
		return STATE_TAKEN;
	if (is_about_the_service(r->status, is_binding))
		return STATE_AWAY;
	return r->status == 404 ? STATE_UNBOUND : STATE_REFUSED;
}

static int64_t pause_of(const struct http_result *r)
{
	if (r->fate != HTTP_ANSWERED || r->retry_after_s <= 0)
		return 0;
	return (r->retry_after_s < RETRY_AFTER_MAX_S ? r->retry_after_s : RETRY_AFTER_MAX_S) * 1000;
}

/* The answer's own words are not told: they may repeat the WAMID, which holds a phone number. */
static void on_answer(void *arg, const struct http_result *r)
{
	struct state_call *q = arg;
	struct state_answer a = { .word = word_of(r, q->is_binding), .why = "", .retry_after_ms = pause_of(r) };
	char words[48];

	snprintf(words, sizeof(words), "HTTP status %d", (int)r->status);
	if (a.word != STATE_TAKEN)
		a.why = r->fate == HTTP_ANSWERED ? words : r->why;
	a.may_be_taken = a.word == STATE_AWAY && (r->fate == HTTP_UNKNOWN || r->status >= 500);
	q->done(q->arg, &a);
	strbuf_release(&q->body);
	free(q);
}

/* ---- calls ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
}

static void add_escaped(struct strbuf *out, const char *s)
{
	for (; *s; s++) {
		if (is_unreserved(*s))
			strbuf_addc(out, *s);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)*s);
	}
}

static void make_url(const struct state_manager *s, const char *path, const char *wamid, struct strbuf *out)
{
	static const char mark[] = "{wamid}";

	strbuf_adds(out, s->conf->state_url);
	while (*path) {
		if (str_starts(path, mark)) {
			add_escaped(out, wamid);
			path += sizeof(mark) - 1;
		} else {
			strbuf_addc(out, *path++);
		}
	}
}

static void call(struct state_manager *s, const char *method, const char *path, const char *wamid, json_t *body, struct state_call *how)
{
	struct state_call *q = mem_alloc(sizeof(*q));
	struct strbuf url = STRBUF_INIT;

	*q = *how;
	strbuf_init(&q->body);
	json_dump_to(body, JSON_COMPACT, &q->body);
	json_decref(body);
	make_url(s, path, wamid, &url);
	http_send(s->http, &(struct http_request){
		.method = method, .url = url.buf, .headers = s->headers, .body = q->body.buf, .len = q->body.len,
		.timeout_ms = s->conf->state_timeout, .done = on_answer, .arg = q });
	strbuf_release(&url);
}

void state_manager_bind(struct state_manager *s, const char *wamid, const char *id, state_done_f *done, void *arg)
{
	json_t *body = json_object();

	json_put_text(body, "wamid", wamid);
	json_put_text(body, "mappingId", id);
	call(s, "POST", s->conf->state_bind, wamid, body, &(struct state_call){ .is_binding = true, .done = done, .arg = arg });
}

void state_manager_tell(struct state_manager *s, const char *wamid, const struct state_told *step, state_done_f *done, void *arg)
{
	json_t *body = json_object();

	json_put_text(body, "status", message_status_word(step->status));
	json_put_time(body, "timestamp", step->at_ms);
	call(s, "PATCH", s->conf->state_status, wamid, body, &(struct state_call){ .done = done, .arg = arg });
}
