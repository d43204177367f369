#include "sandbox/route.h"

#include <string.h>

#include "base/str.h"
#include "sandbox/account_nodes.h"
#include "sandbox/assets.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/control.h"
#include "sandbox/graph.h"
#include "sandbox/messages.h"
#include "sandbox/oauth.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"
#include "sandbox/state_manager.h"
#include "sandbox/tenant_service.h"

const struct route routes[ROUTES] = {
#define ROUTE(ident, name, method, pattern, kind, handler) { name, method, pattern, ROUTE_##kind, handler },
#include "sandbox/tbl_routes.h"
#undef ROUTE
};

void route_split(struct call *c)
{
	char *p = c->target.buf;

	c->n_seg = 0;
	while (*p == '/' && c->n_seg < CALL_SEGMENTS) {
		size_t n = strcspn(++p, "/");
		c->seg[c->n_seg++] = (struct segment){ p, percent_decode(p, n) };
		p += n;
	}
	if (*p)
		c->n_seg = 0;	/* deeper than anything we know */
}

/* Graph tells its objects apart by their ids alone. */
static bool is_object(const struct sandbox *s, const char *kind, const struct segment *g)
{
	if (str_starts(kind, "{template}"))
		return catalogue_by_id(s->catalogue, g->s, g->len) != NULL;
	return assets_find(s->assets, g->s, g->len) != NULL;
}

static bool segment_fits(const struct sandbox *s, const char *pattern, size_t n, const struct segment *g)
{
	if (n && pattern[0] == '{')
		return is_object(s, pattern, g);
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
		if (!segment_fits(c->sandbox, p, n, &c->seg[i]))
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

	if (call_seg_is(c, 0, "_sandbox") || call_seg_is(c, 0, "tenant-service") || call_seg_is(c, 0, "state-manager")) {
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
