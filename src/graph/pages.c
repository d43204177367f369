#include "graph/pages.h"

#include <string.h>

#include "base/mem.h"

enum { PAGES_MAX = 50, PAGE_SIZE = 100, CURSOR_MAX = 1024 };
enum { CODE_PARAMETER = 100 };

struct listing {
	struct graph *g;
	struct graph_for who;
	char name[32];
	struct strbuf path, query, cursor;
	graph_shape_f *shape;
	json_t *data;
	int n_pages;
	bool has_restarted;
};

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Of two digits; 0: none that may stand there. */
static int encoded_byte(const char *p)
{
	int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);

	return low < 0 ? 0 : 16 * high + low;
}

/* Meta's links repeat the cursor; some listings have nothing but the link. */
static void cursor_of_link(const char *link, struct strbuf *cursor)
{
	const char *p = strstr(link, "?after=");

	if (!p)
		p = strstr(link, "&after=");
	for (p = p ? p + strlen("?after=") : ""; *p && *p != '&'; p++) {
		int byte = *p == '%' ? encoded_byte(p + 1) : 0;

		if (byte > 0) {
			strbuf_addc(cursor, (char)byte);
			p += 2;
		} else {
			strbuf_addc(cursor, *p);
		}
	}
}

bool pages_next(const json_t *answer, struct strbuf *cursor)
{
	const json_t *paging = json_object_get(answer, "paging");
	const char *next = json_text(paging, "next"), *after = json_text(json_object_get(paging, "cursors"), "after");

	strbuf_reset(cursor);
	if (!next)
		return false;
	if (after)
		strbuf_adds(cursor, after);
	else
		cursor_of_link(next, cursor);
	return cursor->len > 0 && cursor->len <= CURSOR_MAX;
}

/* ---- one after the other ---- */

static void end(struct listing *l, const struct graph_reply *r)
{
	l->who.done(l->who.arg, r);
	json_decref(l->data);
	strbuf_release(&l->path);
	strbuf_release(&l->query);
	strbuf_release(&l->cursor);
	free(l);
}

static void finish(struct listing *l, bool is_cut)
{
	json_t *all = json_object(), *made;

	json_object_set(all, "data", l->data);
	json_object_set_new(all, "is_cut", json_boolean(is_cut));
	made = l->shape ? l->shape(l->who.account, all) : json_incref(all);
	end(l, made ? &(struct graph_reply){ .word = GRAPH_OK, .json = made, .retry_after_ms = -1, .text = "" } :
	       &(struct graph_reply){ .word = GRAPH_AWAY, .retry_after_ms = -1, .text = "Graph's answer is not what it documents" });
	json_decref(made);
	json_decref(all);
}

static void on_page(void *arg, const struct graph_reply *r);

static void ask(struct listing *l)
{
	struct strbuf query = STRBUF_INIT;

	strbuf_addf(&query, "%s%slimit=%d", l->query.buf, l->query.len ? "&" : "", PAGE_SIZE);
	if (l->cursor.len) {
		strbuf_adds(&query, "&after=");
		graph_add_encoded(&query, l->cursor.buf);
	}
	graph_ask(l->g, &(struct graph_call){
		.who = { l->who.account, l->who.patience_ms, on_page, l }, .name = l->name, .method = "GET", .path = l->path.buf,
		.query = query.buf });
	strbuf_release(&query);
}

/* What is listed may change meanwhile; another error 100 would come again without a cursor. */
static bool is_stale_cursor(const struct listing *l, const struct graph_reply *r)
{
	return l->cursor.len && !l->has_restarted && r->word == GRAPH_REFUSED && r->code == CODE_PARAMETER;
}

static void on_page(void *arg, const struct graph_reply *r)
{
	struct listing *l = arg;
	struct strbuf before = STRBUF_INIT;
	bool has_more;

	if (is_stale_cursor(l, r)) {
		l->has_restarted = true;
		strbuf_reset(&l->cursor);
		json_array_clear(l->data);
		l->n_pages = 0;
		ask(l);
		return;
	}
	if (r->word != GRAPH_OK) {
		end(l, r);
		return;
	}
	json_array_extend(l->data, json_object_get(r->json, "data"));
	strbuf_adds(&before, l->cursor.buf);
	has_more = pages_next(r->json, &l->cursor) && strcmp(before.buf, l->cursor.buf) != 0;
	strbuf_release(&before);
	if (has_more && ++l->n_pages < PAGES_MAX)
		ask(l);
	else
		finish(l, has_more);
}

void pages_fetch(struct graph *g, const struct graph_listing *from)
{
	struct listing *l = mem_alloc(sizeof(*l));

	*l = (struct listing){ .g = g, .who = from->who, .path = STRBUF_INIT, .query = STRBUF_INIT, .cursor = STRBUF_INIT,
			       .shape = from->shape, .data = json_array() };
	snprintf(l->name, sizeof(l->name), "%s", from->name);
	strbuf_adds(&l->path, from->path);
	if (from->query)
		strbuf_adds(&l->query, from->query);
	ask(l);
}
