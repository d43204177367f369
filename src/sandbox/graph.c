#include "sandbox/graph.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/ids.h"
#include "sandbox/json_out.h"
#include "sandbox/sandbox.h"

static const struct graph_code codes[] = {
#define GRAPH_ERROR(code, http, type, transient, title) { code, http, type, transient, title },
#include "sandbox/tbl_errors.h"
#undef GRAPH_ERROR
};

const struct graph_code *graph_code_find(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return &codes[i];
	return NULL;
}

int graph_error_set(struct graph_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->failed = true;
	e->code = code;
	strbuf_reset(&e->details);
	va_start(ap, fmt);
	strbuf_vaddf(&e->details, fmt, ap);
	va_end(ap);
	return -1;
}

int graph_error_http(const struct graph_error *e)
{
	const struct graph_code *known = graph_code_find(e->code);

	return e->http ? e->http : known ? known->http : 400;
}

/* ---- headers ---- */

/* Percent of the number's allowance in the last second, in steps of ten: a value that seldom changes costs few header bytes. */
static unsigned usage_percent(const struct sandbox *s, const struct number *n)
{
	int64_t rate = n->rate >= 0 ? n->rate : s->opt->rate;
	uint64_t percent = rate > 0 ? (uint64_t)n->passed.len * 10 / (uint64_t)rate * 10 : 0;

	return percent > 100 ? 100 : (unsigned)percent;
}

static void usage_headers(struct call *c, const struct number *n, int64_t regain_minutes)
{
	unsigned percent = regain_minutes > 0 ? 100 : usage_percent(c->sandbox, n);

	call_header(c, "x-app-usage", "{\"call_count\":%u,\"total_cputime\":1,\"total_time\":1}", percent);
	call_header(c, "x-business-use-case-usage",
		    "{\"%s\":[{\"type\":\"whatsapp_business_management\",\"call_count\":%u,\"total_cputime\":1,\"total_time\":1,"
		    "\"estimated_time_to_regain_access\":%lld}]}",
		    n->waba, percent, (long long)(regain_minutes > 0 ? regain_minutes : 0));
}

static void trace_headers(struct call *c, char trace[TRACE_ID_SIZE])
{
	char request[TRACE_ID_SIZE];

	ids_trace(trace);
	ids_trace(request);
	call_header(c, "x-fb-trace-id", "%s", trace);
	call_header(c, "x-fb-request-id", "%s", request);
	call_header(c, "x-fb-rev", "1019240731");
	if (c->n_seg > 0 && c->seg[0].len < 8)
		call_header(c, "facebook-api-version", "%.*s", (int)c->seg[0].len, c->seg[0].s);
}

void graph_headers(struct call *c, const struct number *n)
{
	char trace[TRACE_ID_SIZE];

	trace_headers(c, trace);
	if (n)
		usage_headers(c, n, -1);
}

/* ---- the error envelope ---- */

static void write_message(struct strbuf *out, const struct graph_error *e, const struct graph_code *known)
{
	struct strbuf text = STRBUF_INIT;

	if (e->bare)
		strbuf_add(&text, e->details.buf, e->details.len);
	else
		strbuf_addf(&text, "(#%d) %s", e->code, known ? known->title : "Error");
	strbuf_adds(out, "{\"error\":{\"message\":");
	json_out_string(out, text.buf, text.len);
	strbuf_release(&text);
}

int graph_error_write(struct call *c, const struct graph_error *e, const struct number *n)
{
	const struct graph_code *known = graph_code_find(e->code);
	char trace[TRACE_ID_SIZE];
	struct strbuf *out = &c->out;

	trace_headers(c, trace);
	if (n)
		usage_headers(c, n, e->regain_minutes);
	if (e->retry_after_s >= 0)
		call_header(c, "retry-after", "%lld", (long long)e->retry_after_s);
	write_message(out, e, known);
	strbuf_addf(out, ",\"type\":\"%s\",\"code\":%d", e->subcode == 33 ? "GraphMethodException" : known ? known->type : "OAuthException",
		    e->code);
	if (e->subcode)
		strbuf_addf(out, ",\"error_subcode\":%d", e->subcode);
	if (!e->bare && e->details.len) {
		strbuf_adds(out, ",\"error_data\":{\"messaging_product\":\"whatsapp\",\"details\":");
		json_out_string(out, e->details.buf, e->details.len);
		strbuf_addc(out, '}');
	}
	if (e->transient || (known && known->transient))
		strbuf_adds(out, ",\"is_transient\":true");
	strbuf_addf(out, ",\"fbtrace_id\":\"%s\"}}", trace);
	return graph_error_http(e);
}

/* ---- version, token, object ---- */

static bool is_version(const struct segment *g)		/* v25.0 */
{
	size_t i = 1;

	while (i < g->len && isdigit((unsigned char)g->s[i]))
		i++;
	return g->len > 3 && g->s[0] == 'v' && i > 1 && i <= 3 && i + 2 == g->len && g->s[i] == '.' && isdigit((unsigned char)g->s[i + 1]);
}

static int bare(struct graph_error *e)
{
	e->bare = true;
	return -1;
}

int graph_admit(struct call *c, struct number **n, struct graph_error *e)
{
	const struct accounts *a = &c->sandbox->accounts;
	const struct segment *node = &c->seg[1];

	*n = accounts_find(a, node->s, node->len);
	if (!is_version(&c->seg[0])) {
		graph_error_set(e, 100, "(#100) Invalid API version: %.*s", (int)(c->seg[0].len < 32 ? c->seg[0].len : 32), c->seg[0].s);
		return bare(e);
	}
	if (!c->has_token) {
		graph_error_set(e, 104, "(#104) An access token is required to request this resource.");
		return bare(e);
	}
	if (!accounts_know_token(a, c->token.buf, c->token.len)) {
		graph_error_set(e, 190, "Invalid OAuth access token - Cannot parse access token");
		return bare(e);
	}
	if (!*n) {
		graph_error_set(e, 100, "Unsupported %s request. Object with ID '%.*s' does not exist, cannot be loaded due to missing "
				"permissions, or does not support this operation. Please read the Graph API documentation at "
				"https://developers.facebook.com/docs/graph-api", strcmp(c->method, "POST") ? "get" : "post",
				(int)(node->len < 64 ? node->len : 64), node->s);
		e->subcode = 33;
		return bare(e);
	}
	if (strcmp((*n)->token, c->token.buf)) {
		graph_error_set(e, 200, "(#200) You do not have the necessary permissions required to send messages on behalf of this "
				"WhatsApp Business Account");
		return bare(e);
	}
	return 0;
}
