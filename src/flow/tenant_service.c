#include "flow/tenant_service.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/http_client.h"
#include "msg/json.h"
#include "msg/tenant_json.h"

enum { CALLS_AT_ONCE = 16, ANSWER_MAX = 4 << 20 };

struct tenant_service {
	const struct conf *conf;
	struct http_client *http;
};

struct ask {
	struct tenant_service *s;
	char id[TENANT_NAME_MAX + 1];
	struct strbuf credentials;	/* of the first of two calls */
	service_done_f *done;
	void *arg;
};

struct store_call {
	struct strbuf body;
	service_stored_f *done;
	void *arg;
};

struct tenant_service *tenant_service_new(struct loop *l, const struct conf *c)
{
	struct tenant_service *s = mem_alloc(sizeof(*s));

	s->conf = c;
	s->http = http_client_new(l, &(struct http_client_options){
		.ca_file = *c->service_ca ? c->service_ca : NULL, .http_version = 11, .window = CALLS_AT_ONCE, .streams = 1,
		.connect_ms = c->service_timeout, .answer_max = ANSWER_MAX, .allow_plain = true });
	return s;
}

void tenant_service_free(struct tenant_service **sp)
{
	struct tenant_service *s = *sp;

	if (!s)
		return;
	http_client_free(&s->http);
	free(s);
	*sp = NULL;
}

/* The path with {tenant_id} and {account_id} filled in; both are made of characters that need no escape. */
static void make_url(const struct tenant_service *s, const char *path, const char *tenant, const char *account, struct strbuf *out)
{
	static const char t[] = "{tenant_id}", a[] = "{account_id}";

	strbuf_adds(out, s->conf->service_url);
	while (*path) {
		if (str_starts(path, t)) {
			strbuf_adds(out, tenant);
			path += sizeof(t) - 1;
		} else if (str_starts(path, a)) {
			strbuf_adds(out, account);
			path += sizeof(a) - 1;
		} else {
			strbuf_addc(out, *path++);
		}
	}
}

static struct http_headers *new_headers(const struct tenant_service *s, const char *etag, bool has_body)
{
	struct strbuf bearer = STRBUF_INIT, match = STRBUF_INIT;
	const char *lines[4];
	struct http_headers *h;
	int n = 0;

	lines[n++] = "Accept: application/json";
	if (has_body)
		lines[n++] = "Content-Type: application/json";
	if (s->conf->service_secret) {
		strbuf_reserve(&bearer, strlen(s->conf->service_secret) + 32);
		strbuf_addf(&bearer, "Authorization: Bearer %s", s->conf->service_secret);
		lines[n++] = bearer.buf;
	}
	if (etag && *etag) {
		strbuf_addf(&match, "If-None-Match: %s", etag);
		lines[n++] = match.buf;
	}
	h = http_headers_new(lines, n);
	mem_wipe(bearer.buf, bearer.len);
	strbuf_release(&bearer);
	strbuf_release(&match);
	return h;
}

static void call(struct tenant_service *s, const char *method, const char *url, const char *etag, const struct strbuf *body,
		 http_done_f *done, void *arg)
{
	struct http_headers *h = new_headers(s, etag, body != NULL);

	http_send(s->http, &(struct http_request){
		.method = method, .url = url, .headers = h, .body = body ? body->buf : NULL, .len = body ? body->len : 0,
		.timeout_ms = s->conf->service_timeout, .done = done, .arg = arg });
	http_headers_unref(&h);
}

static void end(struct ask *q, const struct service_answer *a)
{
	service_done_f *done = q->done;
	void *arg = q->arg;

	mem_wipe(q->credentials.buf, q->credentials.len);
	strbuf_release(&q->credentials);
	free(q);
	done(arg, a);
}

/* false: there is nothing to read in it, and it was told. */
static bool is_readable(struct ask *q, const struct http_result *r)
{
	struct strbuf why = STRBUF_INIT;

	if (r->fate == HTTP_ANSWERED && r->status == 200 && !r->truncated)
		return true;
	if (r->fate == HTTP_ANSWERED && r->status == 304) {
		end(q, &(struct service_answer){ .word = SERVICE_SAME, .etag = r->etag, .why = "" });
		return false;
	}
	if (r->fate == HTTP_ANSWERED && r->status == 404) {
		end(q, &(struct service_answer){ .word = SERVICE_UNKNOWN, .etag = "", .why = "" });
		return false;
	}
	if (r->fate != HTTP_ANSWERED)
		strbuf_addf(&why, "%s", r->why);
	else
		strbuf_addf(&why, r->truncated ? "an answer of more than %d bytes" : "HTTP status %d",
			    r->truncated ? (int)ANSWER_MAX : (int)r->status);
	end(q, &(struct service_answer){ .word = SERVICE_AWAY, .etag = "", .why = why.buf, .is_about_one = r->truncated });
	strbuf_release(&why);
	return false;
}

static void found(struct ask *q, struct tenant *t, const char *etag, struct strbuf *why)
{
	end(q, &(struct service_answer){ .word = t ? SERVICE_FOUND : SERVICE_AWAY, .tenant = t, .etag = etag, .why = why->buf,
					 .is_about_one = !t });
	strbuf_release(why);
}

static void on_tenant(void *arg, const struct http_result *r)
{
	struct ask *q = arg;
	struct strbuf why = STRBUF_INIT;

	if (is_readable(q, r))
		found(q, tenant_from_json(q->s->conf, q->id, (struct tenant_bytes){ r->body, r->len }, &why), r->etag, &why);
}

static void on_number(void *arg, const struct http_result *r)
{
	struct ask *q = arg;
	struct strbuf why = STRBUF_INIT;

	if (is_readable(q, r))
		found(q, tenant_from_credentials(q->s->conf, q->id, (struct tenant_bytes){ q->credentials.buf, q->credentials.len },
						 (struct tenant_bytes){ r->body, r->len }, &why), "", &why);
}

static void on_credentials(void *arg, const struct http_result *r)
{
	struct ask *q = arg;
	struct strbuf url = STRBUF_INIT;

	if (!is_readable(q, r))
		return;
	strbuf_reserve(&q->credentials, r->len);
	strbuf_add(&q->credentials, r->body, r->len);
	make_url(q->s, q->s->conf->service_number, q->id, "", &url);
	call(q->s, "GET", url.buf, NULL, NULL, on_number, q);
	strbuf_release(&url);
}

static bool speaks_wamd(const struct tenant_service *s)
{
	return !strcmp(s->conf->service_shape, "wamd");
}

void tenant_service_ask(struct tenant_service *s, const char *tenant_id, const char *etag, service_done_f *done, void *arg)
{
	struct ask *q = mem_alloc(sizeof(*q));
	struct strbuf url = STRBUF_INIT;

	*q = (struct ask){ .s = s, .credentials = STRBUF_INIT, .done = done, .arg = arg };
	snprintf(q->id, sizeof(q->id), "%s", tenant_id);
	make_url(s, speaks_wamd(s) ? s->conf->service_tenant : s->conf->service_credentials, tenant_id, "", &url);
	call(s, "GET", url.buf, speaks_wamd(s) ? etag : NULL, NULL, speaks_wamd(s) ? on_tenant : on_credentials, q);
	strbuf_release(&url);
}

/* ---- storing ---- */

static void on_stored(void *arg, const struct http_result *r)
{
	struct store_call *q = arg;
	bool ok = r->fate == HTTP_ANSWERED && r->status >= 200 && r->status < 300;
	char words[64];

	snprintf(words, sizeof(words), "HTTP status %d", (int)r->status);
	mem_wipe(q->body.buf, q->body.len);
	strbuf_release(&q->body);
	q->done(q->arg, ok, ok ? "" : r->fate == HTTP_ANSWERED ? words : r->why);
	free(q);
}

bool tenant_service_stores(const struct tenant_service *s)
{
	return speaks_wamd(s) && *s->conf->service_token;
}

void tenant_service_store(struct tenant_service *s, const struct account *a, service_stored_f *done, void *arg)
{
	struct store_call *q = mem_alloc(sizeof(*q));
	struct strbuf url = STRBUF_INIT;
	char expires[32] = "";

	*q = (struct store_call){ .body = STRBUF_INIT, .done = done, .arg = arg };
	if (a->token_expires_ms)
		format_utc_ms(a->token_expires_ms, expires);
	/* A token has no character that JSON would escape. */
	strbuf_reserve(&q->body, strlen(a->token) + 128);
	strbuf_addf(&q->body, "{\"access_token\":\"%s\",\"token_expires_at\":%s%s%s}", a->token, *expires ? "\"" : "",
		    *expires ? expires : "null", *expires ? "\"" : "");
	make_url(s, s->conf->service_token, a->tenant->id, a->id, &url);
	call(s, "PUT", url.buf, NULL, &q->body, on_stored, q);
	strbuf_release(&url);
}
