#include "sandbox/graph.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "sandbox/call.h"
#include "sandbox/ids.h"
#include "sandbox/json_out.h"
#include "sandbox/manage.h"
#include "sandbox/params.h"
#include "sandbox/route.h"
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

static unsigned percent_of(int64_t part, int64_t limit)
{
	int64_t percent = limit > 0 ? part * 100 / limit : 0;

	return percent > 100 ? 100 : (unsigned)percent;
}

/*
 * Management calls of this hour; or what the number has sent in the last second, in steps of ten: a value that seldom changes
 * costs few header bytes.
 */
static unsigned usage_percent(const struct call *c, const struct number *n)
{
	if (c->route && c->route->kind == ROUTE_GRAPH)
		return percent_of(n->waba->calls, manage_limit(c, n->waba));
	return percent_of(n->passed.len, n->rate >= 0 ? n->rate : c->sandbox->opt->rate) / 10 * 10;
}

static void usage_headers(struct call *c, const struct number *n, int64_t regain_minutes)
{
	unsigned percent = regain_minutes > 0 ? 100 : usage_percent(c, n);

	call_header(c, "x-app-usage", "{\"call_count\":%u,\"total_cputime\":1,\"total_time\":1}", percent);
	call_header(c, "x-business-use-case-usage",
		    "{\"%s\":[{\"type\":\"whatsapp_business_management\",\"call_count\":%u,\"total_cputime\":1,\"total_time\":1,"
		    "\"estimated_time_to_regain_access\":%lld}]}",
		    n->waba->id, percent, (long long)(regain_minutes > 0 ? regain_minutes : 0));
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

/* The token a call carries: the header's, or the parameter's. */
static bool find_token(struct call *c)
{
	const char *text = c->has_token ? NULL : param_text(call_params(c), "access_token");

	if (text && *text && strlen(text) <= CALL_TOKEN_MAX) {
		strbuf_adds(&c->token, text);
		c->has_token = true;
		c->is_oauth = false;
	}
	return c->has_token;
}

/* hex(HMAC-SHA256(app secret, token)) */
static void make_proof(const char *secret, const struct strbuf *token, char out[2 * SHA256_LEN + 1])
{
	struct hmac *h = hmac_new(secret, strlen(secret));
	uint8_t mac[SHA256_LEN];

	hmac_parts(h, &(struct crypto_part){ token->buf, token->len }, 1, mac);
	hex_encode(mac, sizeof(mac), out);
	hmac_free(&h);
}

/* A proof that is not asked for must be right all the same, if the app's secret is known here. */
static int check_proof(struct call *c, const struct grant *g, struct graph_error *e)
{
	const struct number *n = g->n ? g->numbers[0] : NULL;
	const char *given;
	char proof[2 * SHA256_LEN + 1];

	if (!n || (!n->proof_required && !c->query && c->route && c->route->kind == ROUTE_SEND))
		return 0;	/* a send's body is not parsed twice for nothing */
	given = param_text(call_params(c), "appsecret_proof");
	if (!given)
		return n->proof_required ? graph_error_set(e, 100, "API calls from the server require an appsecret_proof argument") : 0;
	make_proof(n->app_secret, &c->token, proof);
	if (*n->app_secret && strcmp(given, proof))
		return graph_error_set(e, 100, "Invalid appsecret_proof provided in the API argument");
	return 0;
}

int graph_admit_version(const struct call *c, struct graph_error *e)
{
	if (is_version(&c->seg[0]))
		return 0;
	graph_error_set(e, 100, "(#100) Invalid API version: %.*s", (int)(c->seg[0].len < 32 ? c->seg[0].len : 32), c->seg[0].s);
	return bare(e);
}

int graph_admit_token(struct call *c, struct token **t, struct graph_error *e)
{
	*t = NULL;
	if (graph_admit_version(c, e) < 0)
		return -1;
	if (!find_token(c)) {
		graph_error_set(e, 104, "(#104) An access token is required to request this resource.");
		return bare(e);
	}
	*t = tokens_find(&c->sandbox->accounts.tokens, c->token.buf, c->token.len);
	if (!*t) {
		graph_error_set(e, 190, "Invalid OAuth access token - Cannot parse access token");
		return bare(e);
	}
	if (token_check(*t, wall_ms() / 1000, e) < 0)
		return -1;
	return check_proof(c, (*t)->grant, e) < 0 ? bare(e) : 0;
}

int graph_no_object(const struct call *c, const struct segment *node, struct graph_error *e)
{
	graph_error_set(e, 100, "Unsupported %s request. Object with ID '%.*s' does not exist, cannot be loaded due to missing "
			"permissions, or does not support this operation. Please read the Graph API documentation at "
			"https://developers.facebook.com/docs/graph-api",
			strcmp(c->method, "POST") == 0 ? "post" : strcmp(c->method, "DELETE") == 0 ? "delete" : "get",
			(int)(node->len < 64 ? node->len : 64), node->s);
	e->subcode = 33;
	return bare(e);
}

int graph_admit(struct call *c, struct number **n, struct graph_error *e)
{
	struct token *t;

	*n = accounts_find(&c->sandbox->accounts, c->seg[1].s, c->seg[1].len);
	if (graph_admit_token(c, &t, e) < 0)
		return -1;
	if (!*n)
		return graph_no_object(c, &c->seg[1], e);
	if ((*n)->grant != t->grant) {
		graph_error_set(e, 200, "(#200) You do not have the necessary permissions required to send messages on behalf of this "
				"WhatsApp Business Account");
		return bare(e);
	}
	return 0;
}
