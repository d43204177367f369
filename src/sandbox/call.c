#include "sandbox/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/conn.h"
#include "sandbox/graph.h"
#include "sandbox/inject.h"
#include "sandbox/params.h"
#include "sandbox/reception.h"
#include "sandbox/route.h"
#include "sandbox/sandbox.h"
#include "sandbox/tenant_service.h"

enum { POOL_MAX = 1024, KEEP_MAX = 16 * 1024 };

/* ---- life ---- */

static void init_buffers(struct call *c)
{
	strbuf_init(&c->target);
	strbuf_init(&c->token);
	strbuf_init(&c->body);
	strbuf_init(&c->header_text);
	strbuf_init(&c->out);
}

static void release_buffers(struct call *c)
{
	strbuf_release(&c->target);
	strbuf_release(&c->token);
	strbuf_release(&c->body);
	strbuf_release(&c->header_text);
	strbuf_release(&c->out);
}

static void recycle(struct strbuf *sb)
{
	if (sb->size > KEEP_MAX)
		strbuf_release(sb);
	else
		strbuf_reset(sb);
}

/* Everything but the buffers is set back to the start. */
static void wipe(struct call *c)
{
	struct strbuf keep[] = { c->target, c->token, c->body, c->header_text, c->out };

	for (size_t i = 0; i < ARRAY_LEN(keep); i++)
		recycle(&keep[i]);
	memset(c, 0, sizeof(*c));
	c->target = keep[0];
	c->token = keep[1];
	c->body = keep[2];
	c->header_text = keep[3];
	c->out = keep[4];
}

static struct call *take_from_pool(struct sandbox *s)
{
	struct call *c;

	if (!s->idle_calls) {
		c = mem_alloc(sizeof(*c));
		init_buffers(c);
		return c;
	}
	c = s->idle_calls;
	s->idle_calls = c->next_idle;
	s->n_idle_calls--;
	wipe(c);
	return c;
}

struct call *call_new(struct conn *conn, int32_t stream)
{
	struct call *c = take_from_pool(conn->sandbox);

	c->sandbox = conn->sandbox;
	c->conn = conn;
	c->stream = stream;
	c->allowed = SIZE_MAX;
	c->file_offset = -1;
	loop_timer_init(&c->timer, NULL, c);
	list_init(&c->list);
	list_add_tail(&conn->calls, &c->list);
	return c;
}

static void count_end(struct call *c)
{
	if (c->route && c->route->kind == ROUTE_SEND && !c->received)
		c->sandbox->stats.partial++;
	if (c->in_flight)
		c->sandbox->stats.in_flight--;
}

void call_free(struct call **cp)
{
	struct call *c = *cp;
	struct sandbox *s;

	if (!c)
		return;
	*cp = NULL;
	s = c->sandbox;
	count_end(c);
	loop_timer_stop(s->loop, &c->timer);
	if (c->source_free)
		c->source_free(c->source_arg);
	reception_free(&c->reception);
	json_decref(c->params);
	c->params = NULL;
	list_del(&c->list);
	if (s->n_idle_calls < POOL_MAX) {
		c->next_idle = s->idle_calls;
		s->idle_calls = c;
		s->n_idle_calls++;
		return;
	}
	release_buffers(c);
	free(c);
}

void call_pool_release(struct sandbox *s)
{
	while (s->idle_calls) {
		struct call *c = s->idle_calls;
		s->idle_calls = c->next_idle;
		release_buffers(c);
		free(c);
	}
	s->n_idle_calls = 0;
}

/* ---- the request ---- */

static bool set_token(struct call *c, const char *scheme, const char *value, size_t len)
{
	size_t n = strlen(scheme);

	if (len < n || strncasecmp(value, scheme, n))
		return false;
	strbuf_reset(&c->token);
	strbuf_add(&c->token, value + n, len - n);
	c->has_token = c->token.len > 0 && c->token.len <= CALL_TOKEN_MAX;
	return true;
}

static int64_t parse_offset(const char *value, size_t len)
{
	char digits[24];
	int64_t n;

	snprintf(digits, sizeof(digits), "%.*s", (int)(len < sizeof(digits) ? len : sizeof(digits)), value);
	return parse_i64(digits, &n) < 0 ? -1 : n;
}

static bool is(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(name, word, len) == 0;
}

void call_request_header(struct call *c, const char *name, size_t name_len, const char *value, size_t len)
{
	if (is(name, name_len, "authorization"))
		c->is_oauth = !set_token(c, "Bearer ", value, len) && set_token(c, "OAuth ", value, len);
	else if (is(name, name_len, "content-type") && len < sizeof(c->request_type))
		snprintf(c->request_type, sizeof(c->request_type), "%.*s", (int)len, value);
	else if (is(name, name_len, "if-none-match") && len < sizeof(c->if_none_match))
		snprintf(c->if_none_match, sizeof(c->if_none_match), "%.*s", (int)len, value);
	else if (is(name, name_len, "file_offset"))
		c->file_offset = parse_offset(value, len);
}

void call_head(struct call *c, const char *target, size_t len)
{
	char *question = memchr(target, '?', len);

	if (question) {
		*question = 0;
		c->query = question + 1;
	}
	if (c->refused)
		return;
	route_split(c);
	c->route = route_find(c);
	if (c->route == &routes[ROUTE_MEDIA_UPLOAD_INDEX])
		c->reception = reception_new(c->request_type);
	if (c->route && c->route->kind != ROUTE_CONTROL)
		inject_at_head(c);
}

size_t call_body_max(const struct call *c)
{
	return c->reception ? RECEPTION_MAX : CALL_BODY_MAX;
}

void call_body(struct call *c, const void *data, size_t len)
{
	if (c->refused)
		return;
	if (len > call_body_max(c) - c->body_seen) {
		c->refused = 413;
		return;
	}
	c->body_seen += len;
	if (c->reception)
		reception_take(c->reception, data, len);
	else
		strbuf_add(&c->body, data, len);
	inject_at_body(c);
}

/* A send draws its own fault: its rules look into the message. */
static void handle(struct call *c)
{
	c->sandbox->stats.calls[c->route - routes]++;
	if (c->route->kind == ROUTE_TENANT)
		tenant_service_count(c);
	if (c->route->kind != ROUTE_SEND && c->route->kind != ROUTE_CONTROL && inject_instead(c))
		return;
	c->route->handle(c);
}

void call_done(struct call *c)
{
	if (!conn_is_open(c->conn) || c->received)
		return;
	c->received = true;
	if (c->refused)
		call_answer_text(c, c->refused, "The request is malformed or too large.\n");
	else if (c->route)
		handle(c);
	else
		route_missing(c);
}

const char *call_query_value(const struct call *c, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = c->query; p && *p; p = strchr(p, '&'), p = p ? p + 1 : NULL)
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
	return NULL;
}

const json_t *call_params(struct call *c)
{
	if (!c->params)
		c->params = params_parse(c->query, c->body.buf, c->body.len);
	return c->params;
}

bool call_seg_is(const struct call *c, int i, const char *text)
{
	return i < c->n_seg && c->seg[i].len == strlen(text) && memcmp(c->seg[i].s, text, c->seg[i].len) == 0;
}

/* ---- the answer ---- */

void call_header(struct call *c, const char *name, const char *fmt, ...)
{
	struct call_header *h = &c->headers[c->n_headers];
	va_list ap;

	if (c->n_headers == CALL_HEADERS)
		BUG("more than %d headers", CALL_HEADERS);
	c->n_headers++;
	h->name = name;
	h->at = c->header_text.len;
	va_start(ap, fmt);
	strbuf_vaddf(&c->header_text, fmt, ap);
	va_end(ap);
	h->len = c->header_text.len - h->at;
	strbuf_addc(&c->header_text, 0);
}

void call_answer(struct call *c, int status, const char *content_type)
{
	if (c->status)
		BUG("a call is answered twice");
	c->status = status;
	c->content_type = content_type;
	inject_answer(c);
}

void call_answer_text(struct call *c, int status, const char *text)
{
	strbuf_reset(&c->out);
	strbuf_adds(&c->out, text);
	call_answer(c, status, "text/plain; charset=utf-8");
}

void call_answer_json(struct call *c, int status)
{
	call_answer(c, status, "application/json; charset=UTF-8");
}

void call_submit(struct call *c)
{
	if (!conn_is_open(c->conn))
		return;
	c->submitted = true;
	c->conn->proto->submit(c);
}

bool call_has_length(const struct call *c, size_t *len)
{
	if (c->source)
		return false;
	*len = c->out.len;
	return true;
}

static void refill(struct call *c)
{
	while (c->source && c->out_at == c->out.len) {
		strbuf_reset(&c->out);
		c->out_at = 0;
		if (c->source(c->source_arg, &c->out))
			continue;
		c->source_free(c->source_arg);
		c->source = NULL;
		c->source_free = NULL;
	}
}

size_t call_take(struct call *c, uint8_t *buf, size_t size, enum take *state)
{
	refill(c);
	size_t left = c->out.len - c->out_at, may = c->allowed - c->sent;
	size_t n = left < size ? left : size;

	if (n > may)
		n = may;
	if (n)
		memcpy(buf, c->out.buf + c->out_at, n);
	c->out_at += n;
	c->sent += n;
	if (c->act.kind == FAULT_CUT_ANSWER && c->sent == c->allowed)
		*state = TAKE_CUT;
	else if (!c->source && c->out_at == c->out.len)
		*state = TAKE_END;
	else if (c->sent == c->allowed)
		*state = TAKE_WAIT;
	else
		*state = TAKE_MORE;
	return n;
}

void call_all_out(struct call *c)
{
	conn_note_answered(c->conn, c->ref);
}
