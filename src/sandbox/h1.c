/*
 * h1 - HTTP/1.1, strict and small: one request at a time, content-length or chunked, keep-alive.
 *
 * What is not understood is refused and the connection closed: no folded headers, no bare LF, no two lengths.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "sandbox/call.h"
#include "sandbox/conn.h"

enum { HEAD_MAX = 16 * 1024, WAITING_MAX = 64 * 1024, PIECE = 16 * 1024 };

enum h1_state { H1_HEAD, H1_BODY, H1_CHUNK_SIZE, H1_CHUNK_DATA, H1_CHUNK_END, H1_TRAILER, H1_BUSY };

struct h1 {
	struct conn *conn;
	enum h1_state state;
	struct strbuf in;
	size_t at;		/* parsed so far */
	size_t left;		/* of the body or the chunk */
	struct call *call;
	bool keep_alive, chunked_answer, answering, broken;
};

struct head {			/* what the framing needs of one request's head */
	size_t length;
	bool has_length, chunked, has_host, close, expects, old;
};

static void h1_start(struct conn *c)
{
	struct h1 *h = mem_alloc(sizeof(*h));

	h->conn = c;
	strbuf_init(&h->in);
	c->session = h;
}

static void h1_stop(struct conn *c)
{
	struct h1 *h = c->session;

	call_free(&h->call);
	strbuf_release(&h->in);
	free(h);
	c->session = NULL;
}

/* ---- parsing ---- */

/* The next line without its CRLF, or NULL: not there yet, or broken. */
static char *next_line(struct h1 *h)
{
	char *start = h->in.buf + h->at, *lf = memchr(start, '\n', h->in.len - h->at);

	if (!lf)
		return NULL;
	if (lf == start || lf[-1] != '\r' || memchr(start, 0, (size_t)(lf - start))) {
		h->broken = true;
		return NULL;
	}
	lf[-1] = 0;
	h->at = (size_t)(lf + 1 - h->in.buf);
	return start;
}

static int parse_request_line(struct h1 *h, char *line, struct head *head)
{
	char *target = strchr(line, ' '), *version;

	if (!target || target == line || (size_t)(target - line) >= sizeof(h->call->method))
		return 400;
	*target++ = 0;
	version = strchr(target, ' ');
	if (!version || *target != '/')
		return 400;
	*version++ = 0;
	if (strcmp(version, "HTTP/1.1") && strcmp(version, "HTTP/1.0"))
		return 505;
	head->old = version[7] == '0';
	for (const char *p = line; *p; p++)
		if (*p < 'A' || *p > 'Z')
			return 400;
	memcpy(h->call->method, line, strlen(line) + 1);
	if (strlen(target) > CALL_TARGET_MAX)
		return 414;
	strbuf_adds(&h->call->target, target);
	return 0;
}

static bool list_has(const char *value, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = value; *p; p += strcspn(p, ",")) {
		p += strspn(p, ", \t");
		if (strncasecmp(p, word, n) == 0 && strchr(", \t", p[n]))	/* strchr finds the NUL too */
			return true;
	}
	return false;
}

static int parse_length(const char *value, struct head *head)
{
	if (head->has_length || !*value || strlen(value) > 12)
		return 400;
	head->has_length = true;
	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return 400;
		head->length = head->length * 10 + (size_t)(*value - '0');
	}
	return 0;
}

static int parse_header(struct h1 *h, const char *name, const char *value, struct head *head)
{
	call_request_header(h->call, name, strlen(name), value, strlen(value));
	if (strcasecmp(name, "content-length") == 0)
		return parse_length(value, head);
	else if (strcasecmp(name, "host") == 0)
		head->has_host = true;
	else if (strcasecmp(name, "connection") == 0)
		head->close = head->close || list_has(value, "close");
	else if (strcasecmp(name, "expect") == 0)
		head->expects = strcasecmp(value, "100-continue") == 0;
	else if (strcasecmp(name, "transfer-encoding") == 0) {
		if (head->chunked || strcasecmp(value, "chunked"))
			return 501;
		head->chunked = true;
	}
	return 0;
}

static bool is_name(const char *s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	if (!*s)
		return false;
	for (; *s; s++)
		if (!((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || strchr(others, *s)))
			return false;
	return true;
}

static int parse_header_line(struct h1 *h, char *line, struct head *head)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (!colon)
		return 400;
	*colon = 0;
	if (!is_name(line))
		return 400;
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	return parse_header(h, line, value, head);
}

/* 0, or the HTTP status to refuse with. */
static int parse_head(struct h1 *h, struct head *head)
{
	char *line = next_line(h);
	int refused = line ? parse_request_line(h, line, head) : 400;

	while (!refused && (line = next_line(h)) && *line)
		refused = parse_header_line(h, line, head);
	if (refused || !line)
		return refused ? refused : 400;
	if ((head->chunked && head->has_length) || (!head->has_host && !head->old) || (head->chunked && head->old))
		return 400;
	return 0;
}

/* After this the connection cannot be used any more: where the next request would start is unknown. */
static void refuse(struct h1 *h, int status)
{
	if (!h->call)
		h->call = call_new(h->conn, 0);
	h->keep_alive = false;
	h->state = H1_BUSY;
	h->call->refused = status;
	if (!h->call->status)
		call_done(h->call);
}

static void finish_request(struct h1 *h)
{
	h->state = H1_BUSY;
	call_done(h->call);
}

static bool head_is_whole(struct h1 *h)
{
	char *end;

	while (h->at + 2 <= h->in.len && memcmp(h->in.buf + h->at, "\r\n", 2) == 0)
		h->at += 2;		/* RFC 9112: be kind to empty lines before a request */
	end = h->in.len > h->at ? memmem(h->in.buf + h->at, h->in.len - h->at, "\r\n\r\n", 4) : NULL;
	if ((end ? (size_t)(end - h->in.buf) : h->in.len) - h->at > HEAD_MAX) {
		refuse(h, 431);
		return false;
	}
	return end != NULL;
}

static bool on_head(struct h1 *h)
{
	struct head head = { 0 };
	int refused;

	if (!head_is_whole(h))
		return false;
	h->call = call_new(h->conn, 0);
	h->answering = false;
	refused = parse_head(h, &head);
	if (refused) {
		refuse(h, refused);
		return false;
	}
	h->keep_alive = !head.close && !head.old;
	h->left = head.length;
	h->state = head.chunked ? H1_CHUNK_SIZE : H1_BODY;
	call_head(h->call, h->call->target.buf, h->call->target.len);
	if (head.length > call_body_max(h->call)) {
		refuse(h, 413);
		return false;
	}
	if (head.expects && (head.chunked || head.length) && conn_is_open(h->conn)) {
		strbuf_adds(&h->conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
		conn_touch(h->conn);
	}
	return true;
}

static bool on_body(struct h1 *h)
{
	size_t n = h->in.len - h->at;

	if (n > h->left)
		n = h->left;
	if (n)
		call_body(h->call, h->in.buf + h->at, n);
	h->at += n;
	h->left -= n;
	return h->left == 0;
}

static bool on_chunk_size(struct h1 *h)
{
	char *line = next_line(h), *end;

	if (!line)
		return false;
	end = line + strspn(line, "0123456789abcdefABCDEF");
	if (end == line || end - line > 7 || (*end && *end != ';' && *end != ' ')) {
		h->broken = true;
		return false;
	}
	h->left = strtoul(line, NULL, 16);
	if (h->left + h->call->body_seen > call_body_max(h->call)) {
		refuse(h, 413);
		return false;
	}
	h->state = h->left ? H1_CHUNK_DATA : H1_TRAILER;
	return true;
}

static bool on_chunk_end(struct h1 *h)
{
	char *line = next_line(h);

	if (!line)
		return false;
	h->broken = *line != 0;
	h->state = H1_CHUNK_SIZE;
	return true;
}

static bool on_trailer(struct h1 *h)	/* read and ignored */
{
	char *line = next_line(h);

	if (line && !*line)
		finish_request(h);
	return line != NULL;
}

/* One step; false: more bytes are needed, or the answer has to be out first. */
static bool step(struct h1 *h)
{
	switch (h->state) {
	case H1_HEAD:
		return on_head(h);
	case H1_BODY:
		if (!on_body(h))
			return false;
		finish_request(h);
		return true;
	case H1_CHUNK_SIZE:
		return on_chunk_size(h);
	case H1_CHUNK_DATA:
		if (!on_body(h))
			return false;
		h->state = H1_CHUNK_END;
		return true;
	case H1_CHUNK_END:
		return on_chunk_end(h);
	case H1_TRAILER:
		return on_trailer(h);
	case H1_BUSY:
		return false;
	}
	BUG("h1 state %d", (int)h->state);
}

static void parse(struct h1 *h)
{
	while (conn_is_open(h->conn) && !h->broken && step(h))
		;
	if (h->broken && h->state != H1_BUSY)
		refuse(h, 400);
	strbuf_drop_front(&h->in, h->at);
	h->at = 0;
	/* Someone who sends on and on without reading answers, or one line without an end. */
	if (h->in.len > WAITING_MAX)
		conn_cut(h->conn, CUT_RST);
}

static void h1_on_data(struct conn *c, const uint8_t *data, size_t len)
{
	struct h1 *h = c->session;

	if (h->state == H1_BUSY && h->call->refused)
		return;		/* the rest of what we have refused; the answer closes the connection */
	strbuf_add(&h->in, data, len);
	parse(h);
}

/* ---- answering ---- */

static const char *reason(int status)
{
	static const struct { int status; const char *words; } known[] = {
		{ 200, "OK" }, { 201, "Created" }, { 206, "Partial Content" }, { 304, "Not Modified" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].status == status)
			return known[i].words;
	return "Status";
}

static void write_head(struct h1 *h, struct strbuf *out)
{
	const struct call *c = h->call;
	size_t length;

	strbuf_addf(out, "HTTP/1.1 %d %s\r\n", c->status, reason(c->status));
	for (int i = 0; i < c->n_headers; i++)
		strbuf_addf(out, "%s: %s\r\n", c->headers[i].name, c->header_text.buf + c->headers[i].at);
	if (c->content_type)
		strbuf_addf(out, "content-type: %s\r\n", c->content_type);
	h->chunked_answer = !call_has_length(c, &length);
	if (h->chunked_answer)
		strbuf_adds(out, "transfer-encoding: chunked\r\n");
	else
		strbuf_addf(out, "content-length: %zu\r\n", length);
	strbuf_adds(out, h->keep_alive ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n");
}

static void h1_submit(struct call *call)
{
	struct h1 *h = call->conn->session;

	/* The fault slow_headers comes here twice: for the first half, and for the rest. */
	struct strbuf head = STRBUF_INIT;
	write_head(h, &head);
	size_t half = head.len / 2;
	if (call->act.kind != FAULT_SLOW_HEADERS)
		strbuf_add(&call->conn->out, head.buf, head.len);
	else if (call->head_held)
		strbuf_add(&call->conn->out, head.buf, half);
	else
		strbuf_add(&call->conn->out, head.buf + half, head.len - half);
	strbuf_release(&head);
	h->answering = !call->head_held;
	conn_touch(call->conn);
}

static void next_request(struct h1 *h)
{
	call_all_out(h->call);
	call_free(&h->call);
	h->answering = false;
	if (!h->keep_alive) {
		conn_end(h->conn, CUT_FIN);
		return;
	}
	h->state = H1_HEAD;
	if (h->in.len)
		parse(h);	/* it came in while we were busy */
}

static void add_piece(struct h1 *h, const uint8_t *piece, size_t n)
{
	struct strbuf *out = &h->conn->out;

	if (n && h->chunked_answer)
		strbuf_addf(out, "%zx\r\n", n);
	strbuf_add(out, piece, n);
	if (n && h->chunked_answer)
		strbuf_adds(out, "\r\n");
}

static void h1_fill(struct conn *c)
{
	static uint8_t piece[PIECE];
	struct h1 *h = c->session;
	enum take state = TAKE_MORE;

	while (h->answering && state == TAKE_MORE && c->out.len < CONN_OUT_FULL) {
		add_piece(h, piece, call_take(h->call, piece, sizeof(piece), &state));
		if (state == TAKE_CUT) {
			conn_end(c, h->call->act.how);
			return;
		}
		if (state != TAKE_END)
			continue;
		if (h->chunked_answer)
			strbuf_adds(&c->out, "0\r\n\r\n");
		next_request(h);
		return;
	}
}

static void h1_resume(struct call *call)
{
	conn_touch(call->conn);
}

static void h1_reset(struct call *call, bool refused)
{
	(void)refused;
	conn_cut(call->conn, CUT_RST);
}

static void h1_goaway(struct call *call)
{
	conn_end(call->conn, CUT_FIN);
}

const struct proto proto_h1 = {
	.name = "h1", .start = h1_start, .stop = h1_stop, .on_data = h1_on_data, .fill = h1_fill,
	.submit = h1_submit, .resume = h1_resume, .reset = h1_reset, .goaway = h1_goaway,
};
