/*
 * h2 - HTTP/2 by libnghttp2; its only door.
 *
 * A stream is a call.  Callbacks only translate; answers are submitted at once and serialised in fill(), at the end of the turn.
 */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "sandbox/call.h"
#include "sandbox/conn.h"
#include "sandbox/sandbox.h"

enum { STREAM_WINDOW = 1 << 20, CONNECTION_WINDOW = 16 << 20, HEADER_LIST_MAX = 16 * 1024 };

struct h2 {
	nghttp2_session *session;
	int32_t last_decided;	/* the highest stream whose request was decided */
	int32_t last_allowed;	/* after our GOAWAY: higher streams are not processed; INT32_MAX before */
	struct call *cutting;	/* its answer is cut here: nothing is serialised behind it */
};

static struct h2 *of(struct conn *c)
{
	return c->session;
}

/* ---- receiving ---- */

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct conn *c = arg;

	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		nghttp2_session_set_stream_user_data(ng, frame->hd.stream_id, call_new(c, frame->hd.stream_id));
	return 0;
}

static bool is(const uint8_t *name, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(name, word, len) == 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t len, uint8_t flags, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (!call || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (is(name, name_len, ":path")) {
		if (len > CALL_TARGET_MAX)
			call->refused = 414;
		else
			strbuf_add(&call->target, value, len);
	} else if (is(name, name_len, ":method")) {
		size_t n = len < sizeof(call->method) ? len : sizeof(call->method) - 1;
		memcpy(call->method, value, n);
		call->method[n] = 0;
	} else {
		call_request_header(call, (const char *)name, name_len, (const char *)value, len);
	}
	return 0;
}

/* Above our GOAWAY, or on a connection that is going down: as if it had never arrived. */
static bool is_ignored(const struct conn *c, int32_t stream)
{
	const struct h2 *h = c->session;

	return !conn_is_open(c) || h->cutting || stream > h->last_allowed;
}

static void on_request_over(struct conn *c, struct call *call)
{
	if (is_ignored(c, call->stream))
		return;
	if (call->stream > of(c)->last_decided)
		of(c)->last_decided = call->stream;
	call_done(call);
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct conn *c = arg;
	struct call *call;

	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	call = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
	if (!call)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST && !is_ignored(c, call->stream))
		call_head(call, call->target.buf, call->target.len);
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		on_request_over(c, call);
	return 0;
}

static int on_chunk(nghttp2_session *ng, uint8_t flags, int32_t stream, const uint8_t *data, size_t len, void *arg)
{
	struct conn *c = arg;
	struct call *call = nghttp2_session_get_stream_user_data(ng, stream);

	(void)flags;
	if (call && !call->received && !is_ignored(c, stream))
		call_body(call, data, len);
	return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t stream, uint32_t error, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(ng, stream);

	(void)error;
	(void)arg;
	if (call) {
		nghttp2_session_set_stream_user_data(ng, stream, NULL);
		call_free(&call);
	}
	return 0;
}

static void h2_on_data(struct conn *c, const uint8_t *data, size_t len)
{
	ssize_t n = nghttp2_session_mem_recv(of(c)->session, data, len);

	if (n < 0) {
		log_debug("h2-error", "conn=%u reason=\"%s\"", c->number, nghttp2_strerror((int)n));
		conn_end(c, CUT_FIN);
	}
}

/* ---- answering ---- */

static ssize_t on_body_wanted(nghttp2_session *ng, int32_t stream, uint8_t *buf, size_t size, uint32_t *flags,
			      nghttp2_data_source *source, void *arg)
{
	struct call *call = source->ptr;
	struct conn *c = arg;
	enum take state;
	size_t n = call_take(call, buf, size, &state);

	(void)ng;
	(void)stream;
	if (state == TAKE_CUT)
		of(c)->cutting = call;
	if (state == TAKE_END)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n == 0 && (state == TAKE_WAIT || state == TAKE_CUT) ? NGHTTP2_ERR_DEFERRED : (ssize_t)n;
}

static int on_frame_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct call *call;

	(void)arg;
	if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	call = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
	if (call)
		call_all_out(call);
	return 0;
}

static void add_nv(nghttp2_nv *nv, const char *name, const char *value, size_t len, bool changes)
{
	nv->name = (uint8_t *)(uintptr_t)name;
	nv->namelen = strlen(name);
	nv->value = (uint8_t *)(uintptr_t)value;
	nv->valuelen = len;
	/* A value that never comes again would only push useful ones out of the client's table. */
	nv->flags = changes ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NO_COPY_NAME;
}

static void h2_submit(struct call *call)
{
	struct h2 *h = of(call->conn);
	nghttp2_nv nv[CALL_HEADERS + 3];
	nghttp2_data_provider body = { .source.ptr = call, .read_callback = on_body_wanted };
	char status[4] = { (char)('0' + call->status / 100), (char)('0' + call->status / 10 % 10), (char)('0' + call->status % 10), 0 };
	char digits[24];
	size_t n = 0, length;

	if (call->head_held)	/* slow_headers: no half of a HEADERS frame; it comes late as a whole */
		return;
	add_nv(&nv[n++], ":status", status, 3, false);
	for (int i = 0; i < call->n_headers; i++)
		add_nv(&nv[n++], call->headers[i].name, call->header_text.buf + call->headers[i].at, call->headers[i].len,
		       str_starts(call->headers[i].name, "x-fb-trace") || str_starts(call->headers[i].name, "x-fb-request"));
	if (call->content_type)
		add_nv(&nv[n++], "content-type", call->content_type, strlen(call->content_type), false);
	if (call_has_length(call, &length)) {
		int len = snprintf(digits, sizeof(digits), "%zu", length);
		add_nv(&nv[n++], "content-length", digits, (size_t)len, false);
	}
	if (nghttp2_submit_response(h->session, call->stream, nv, n, &body) != 0)
		BUG("nghttp2_submit_response");
	conn_touch(call->conn);
}

static void end_if_over(struct conn *c)
{
	if (!nghttp2_session_want_read(of(c)->session) && !nghttp2_session_want_write(of(c)->session))
		conn_end(c, CUT_FIN);
}

static void serialise(struct conn *c, struct h2 *h)
{
	while (c->out.len < CONN_OUT_FULL && !h->cutting) {
		const uint8_t *data;
		ssize_t n = nghttp2_session_mem_send(h->session, &data);
		if (n < 0)
			conn_end(c, CUT_FIN);
		if (n <= 0)
			return;
		strbuf_add(&c->out, data, (size_t)n);
	}
}

static void h2_fill(struct conn *c)
{
	struct h2 *h = c->session;

	serialise(c, h);
	while (h->cutting && h->cutting->act.stream) {
		nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, h->cutting->stream, NGHTTP2_INTERNAL_ERROR);
		h->cutting = NULL;
		serialise(c, h);
	}
	if (h->cutting)
		conn_end(c, h->cutting->act.how);
	end_if_over(c);
}

static void h2_resume(struct call *call)
{
	nghttp2_session_resume_data(of(call->conn)->session, call->stream);
	conn_touch(call->conn);
}

static void h2_reset(struct call *call, bool refused)
{
	nghttp2_submit_rst_stream(of(call->conn)->session, NGHTTP2_FLAG_NONE, call->stream,
				  refused ? NGHTTP2_REFUSED_STREAM : NGHTTP2_INTERNAL_ERROR);
	conn_touch(call->conn);
}

/*
 * The stream is not processed, and says so: last-stream-id below it.  But what has been decided must stay above the line: when a
 * higher stream was decided before, the line is there and this stream is refused by itself.
 */
static void h2_goaway(struct call *call)
{
	struct h2 *h = of(call->conn);
	int32_t last = call->stream - 2 > 0 ? call->stream - 2 : 0;

	if (h->last_decided > call->stream) {
		last = h->last_decided;
		h2_reset(call, true);
	}
	if (last < h->last_allowed)
		h->last_allowed = last;
	nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, h->last_allowed, NGHTTP2_NO_ERROR, NULL, 0);
	conn_touch(call->conn);
}

/* ---- life ---- */

static nghttp2_session_callbacks *callbacks(void)
{
	static nghttp2_session_callbacks *cb;

	if (cb)
		return cb;
	if (nghttp2_session_callbacks_new(&cb) != 0)
		BUG("nghttp2_session_callbacks_new");
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_sent);
	return cb;
}

static void h2_start(struct conn *c)
{
	struct h2 *h = mem_alloc(sizeof(*h));
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)c->sandbox->opt->streams },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_MAX },
	};

	h->last_allowed = INT32_MAX;
	c->session = h;
	if (nghttp2_session_server_new(&h->session, callbacks(), c) != 0 ||
	    nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) != 0 ||
	    nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) != 0)
		BUG("nghttp2_session_server_new");
	conn_touch(c);
}

static void h2_stop(struct conn *c)
{
	struct h2 *h = c->session;

	while (!list_is_empty(&c->calls)) {
		struct call *call = CONTAINER_OF(c->calls.next, struct call, list);
		call_free(&call);
	}
	nghttp2_session_del(h->session);	/* calls no on_stream_close */
	free(h);
	c->session = NULL;
}

const struct proto proto_h2 = {
	.name = "h2", .start = h2_start, .stop = h2_stop, .on_data = h2_on_data, .fill = h2_fill,
	.submit = h2_submit, .resume = h2_resume, .reset = h2_reset, .goaway = h2_goaway,
};
