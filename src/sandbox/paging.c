#include "sandbox/paging.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sandbox/call.h"
#include "sandbox/manage.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"
#include "sandbox/server.h"

enum { CURSOR_SIZE = 80, CURSOR_TEXT = 48 };

/* The index of the first or last one of a page, and the list's version. */
static void cursor(const struct page *p, size_t at, char out[CURSOR_SIZE])
{
	char text[CURSOR_TEXT];

	snprintf(text, sizeof(text), "%zu.%llu", at, (unsigned long long)p->version);
	base64url_encode((const uint8_t *)text, strlen(text), out);
}

static bool parse_cursor(const char *text, const struct page *p, size_t *at)
{
	uint8_t plain[CURSOR_TEXT];
	int n = base64url_decode(text, strlen(text), plain, sizeof(plain) - 1);
	int64_t v, version;
	char *dot;

	if (n <= 0)
		return false;
	plain[n] = 0;
	dot = strchr((char *)plain, '.');
	if (!dot)
		return false;
	*dot = 0;
	if (parse_i64((const char *)plain, &v) < 0 || v < 0 || (size_t)v >= p->all || parse_i64(dot + 1, &version) < 0 ||
	    (uint64_t)version != p->version)
		return false;
	*at = (size_t)v;
	return true;
}

int paging_find_by(struct managed *m, size_t all, const struct paging_rules *rules, struct page *p)
{
	const json_t *params = call_params(m->call);
	const char *after = param_text(params, "after"), *before = param_text(params, "before");
	int64_t limit = param_number(params, "limit", PAGE_DEFAULT);
	size_t at = 0, size = limit < 1 ? 1 : (size_t)limit > rules->size_max ? rules->size_max : (size_t)limit;

	*p = (struct page){ .to = size < all ? size : all, .all = all, .version = rules->version };
	if ((after && !parse_cursor(after, p, &at)) || (!after && before && !parse_cursor(before, p, &at))) {
		manage_fail(m, rules->invalid_cursor ? rules->invalid_cursor : 100,
			    "Invalid cursors values, please specify valid cursors values for paging");
		return -1;
	}
	if (after)
		p->from = at + 1;
	else if (before)
		p->from = at > size ? at - size : 0;
	if (after)
		p->to = all - p->from > size ? p->from + size : all;
	else if (before)
		p->to = at;
	return 0;
}

static void add_encoded(struct strbuf *out, const char *s)
{
	for (; *s; s++)
		strbuf_addf(out, strchr("-_.~", *s) || (*s >= '0' && *s <= '9') || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') ? "%c" : "%%%02X",
			    (unsigned char)*s);
}

int paging_find(struct managed *m, size_t all, struct page *p)
{
	return paging_find_by(m, all, &(struct paging_rules){ .size_max = PAGE_MAX }, p);
}

/* The same call with another cursor; unlike Meta's, without the token. */
static json_t *link_to(struct managed *m, const struct page *p, const char *direction, size_t at)
{
	const struct sandbox *s = m->call->sandbox;
	const char *name;
	char place[CURSOR_SIZE];
	struct strbuf url = STRBUF_INIT;
	json_t *v, *result;

	strbuf_addf(&url, "%s://%s:%d", s->opt->plain ? "http" : "https", s->opt->host, server_port(s->server));
	for (int i = 0; i < m->call->n_seg; i++)
		strbuf_addf(&url, "/%.*s", (int)m->call->seg[i].len, m->call->seg[i].s);
	cursor(p, at, place);
	strbuf_addf(&url, "?%s=%s", direction, place);
	json_object_foreach((json_t *)(uintptr_t)call_params(m->call), name, v) {
		if (!json_is_string(v) || !strcmp(name, "after") || !strcmp(name, "before") || !strcmp(name, "access_token"))
			continue;
		strbuf_addf(&url, "&%s=", name);
		add_encoded(&url, json_string_value(v));
	}
	result = json_string(url.buf);
	strbuf_release(&url);
	return result;
}

json_t *paging_links(struct managed *m, const struct page *p)
{
	char first[CURSOR_SIZE], last[CURSOR_SIZE];
	json_t *paging;

	cursor(p, p->from, first);
	cursor(p, p->to > p->from ? p->to - 1 : p->from, last);
	paging = json_pack("{s:{s:s,s:s}}", "cursors", "before", first, "after", last);
	if (p->from > 0 && p->to > p->from)
		json_object_set_new(paging, "previous", link_to(m, p, "before", p->from));
	if (p->to < p->all)
		json_object_set_new(paging, "next", link_to(m, p, "after", p->to - 1));
	return paging;
}
