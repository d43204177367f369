#include "sandbox/route.h"

#include <string.h>

#include "sandbox/call.h"
#include "sandbox/control.h"
#include "sandbox/graph.h"
#include "sandbox/messages.h"

static const struct route routes[] = {
	/* method   pattern                 handler                flags */
	{ "POST",   "/v*/*/messages",       messages_post,         ROUTE_IS_SEND },
	{ "GET",    "/_sandbox/ledger",     control_ledger,        0 },
	{ "GET",    "/_sandbox/stats",      control_stats,         0 },
	{ "POST",   "/_sandbox/reset",      control_reset,         0 },
	{ "POST",   "/_sandbox/rate",       control_rate,          0 },
	{ "GET",    "/_sandbox/faults",     control_faults_list,   0 },
	{ "POST",   "/_sandbox/faults",     control_faults_add,    0 },
	{ "DELETE", "/_sandbox/faults",     control_faults_clear,  0 },
	{ "POST",   "/_sandbox/templates",  control_templates_add, 0 },
	{ "DELETE", "/_sandbox/templates",  control_templates_clear, 0 },
};

void route_split(struct call *c)
{
	const char *p = c->target.buf;

	c->n_seg = 0;
	while (*p == '/' && c->n_seg < CALL_SEGMENTS) {
		size_t n = strcspn(++p, "/");
		c->seg[c->n_seg++] = (struct segment){ p, n };
		p += n;
	}
	if (*p)
		c->n_seg = 0;	/* deeper than anything we know */
}

static bool segment_fits(const char *pattern, size_t n, const struct segment *g)
{
	if (n && pattern[n - 1] == '*')
		return g->len > n - 1 && memcmp(pattern, g->s, n - 1) == 0;
	return n == g->len && memcmp(pattern, g->s, n) == 0;
}

static bool fits(const struct route *r, const struct call *c)
{
	const char *p = r->pattern;

	for (int i = 0; i < c->n_seg; i++) {
		if (*p++ != '/')
			return false;
		size_t n = strcspn(p, "/");
		if (!segment_fits(p, n, &c->seg[i]))
			return false;
		p += n;
	}
	return c->n_seg > 0 && *p == 0;
}

const struct route *route_find(const struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (strcmp(routes[i].method, c->method) == 0 && fits(&routes[i], c))
			return &routes[i];
	return NULL;
}

static bool is_control(const struct call *c)
{
	return c->n_seg > 0 && c->seg[0].len == strlen("_sandbox") && memcmp(c->seg[0].s, "_sandbox", c->seg[0].len) == 0;
}

static bool other_method(const struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (fits(&routes[i], c))
			return true;
	return false;
}

void route_missing(struct call *c)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct number *n;

	if (is_control(c)) {
		call_answer_text(c, other_method(c) ? 405 : 404, "no such thing here; see wamd-sandbox(1)\n");
		return;
	}
	e.bare = true;
	if (c->n_seg < 2 || graph_admit(c, &n, &e) == 0) {
		graph_error_set(&e, other_method(c) ? 100 : 2500, "%s", other_method(c) ? "Unsupported request. Please read the Graph API "
				"documentation at https://developers.facebook.com/docs/graph-api" : "Unknown path components: /");
		e.subcode = other_method(c) ? 33 : 0;
	}
	call_answer(c, graph_error_write(c, &e, NULL), "application/json; charset=UTF-8");
	strbuf_release(&e.details);
}
