#include "graph/analytics.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "graph/pages.h"

static const int64_t day_ms = 86400000;
enum { GRANULARITIES = 3, DEFAULT_DAYS = 7 };

static const struct kind { const char *name, *field, *words[GRANULARITIES], *dimensions; int days; } kinds[] = {
#define ANALYTICS(ident, name, field, half_hour, day, month, dimensions, days, help) \
	{ name, field, { half_hour, day, month }, dimensions, days },
#include "tbl/analytics.h"
#undef ANALYTICS
};
static const char *const granularities[GRANULARITIES] = { "half-hour", "day", "month" };

struct fetch { struct graph_for who; struct analytics_query query; };

/* ---- what is asked for ---- */

static int read_kind(const char *name, enum analytics_kind *out, struct strbuf *why)
{
	for (int k = 0; k < ANALYTICS_KINDS; k++) {
		*out = (enum analytics_kind)k;
		if (!strcmp(kinds[k].name, name))
			return 0;
	}
	why_write(why, "kind: found \"%.32s\", allowed", name);
	for (int k = 0; why && k < ANALYTICS_KINDS; k++)
		strbuf_addf(why, " %s", kinds[k].name);
	return -1;
}

static int read_granularity(const char *name, const struct kind *k, int *out, struct strbuf *why)
{
	for (*out = 0; *out < GRANULARITIES; ++*out)
		if (!strcmp(granularities[*out], name) && k->words[*out])
			return 0;
	return why_set(why, "granularity: found \"%.32s\", allowed for %s: %s", name, k->name, k->words[0] ? "half-hour, day or month" : "day");
}

static int read_time(const char *name, const char *text, int64_t now_ms, int64_t *out, struct strbuf *why)
{
	char whole[48];
	int64_t ago;

	if (parse_msec(text, &ago) == 0) {
		*out = now_ms - ago;
		return 0;
	}
	snprintf(whole, sizeof(whole), "%.32s%s", text, strchr(text, 'T') ? "" : "T00:00:00Z");
	if (strlen(text) <= 32 && parse_time_ms(whole, out) == 0)
		return 0;
	return why_set(why, "%s: found \"%.32s\", allowed a day as 2026-11-01, a time as 2026-11-01T10:00:00Z, or 7d", name, text);
}

static int read_templates(const char *ids, struct strbuf *why)
{
	int n = 1;

	if (!ids || !*ids)
		return why_set(why, "template: is missing; allowed 1 to %d ids, divided by commas", ANALYTICS_TEMPLATES_MAX);
	for (const char *p = ids; *p; p++)
		n += *p == ',';
	if (strspn(ids, "0123456789,") != strlen(ids) || n > ANALYTICS_TEMPLATES_MAX || strlen(ids) > ANALYTICS_TEMPLATES_MAX * 33)
		return why_set(why, "template: found \"%.32s\", allowed 1 to %d ids, divided by commas", ids, ANALYTICS_TEMPLATES_MAX);
	return 0;
}

int analytics_read(struct analytics_query *q, const struct analytics_words *w, int64_t now_ms, struct strbuf *why)
{
	char week[8];

	snprintf(week, sizeof(week), "%dd", DEFAULT_DAYS);
	*q = (struct analytics_query){ .templates = w->templates };
	if (read_kind(w->kind ? w->kind : kinds[0].name, &q->kind, why) < 0 ||
	    read_granularity(w->granularity ? w->granularity : "day", &kinds[q->kind], &q->granularity, why) < 0 ||
	    read_time("from", w->from ? w->from : week, now_ms, &q->from_ms, why) < 0 ||
	    read_time("to", w->to ? w->to : "0ms", now_ms, &q->to_ms, why) < 0)
		return -1;
	if (q->from_ms >= q->to_ms)
		return why_set(why, "from: found a time that is not before to");
	if (q->from_ms < now_ms - kinds[q->kind].days * day_ms)
		return why_set(why, "from: found a time too long ago, allowed %d days for %s", kinds[q->kind].days, kinds[q->kind].name);
	if (q->kind == ANALYTICS_TEMPLATES)
		return read_templates(w->templates, why);
	return w->templates ? why_set(why, "template: only for the kind templates") : 0;
}

/* ---- the document ---- */

static void add_column(json_t *columns, const char *name)
{
	const json_t *column;
	size_t i;

	json_array_foreach(columns, i, column)
		if (!strcmp(json_string_value(column), name))
			return;
	json_array_append_new(columns, json_string(name));
}

static void add_row(json_t *out, json_t *columns, const json_t *point)
{
	json_t *row = json_object(), *v;
	const char *name;

	json_put_time(row, "start", json_integer_value(json_object_get(point, "start")) * 1000);
	json_put_time(row, "end", json_integer_value(json_object_get(point, "end")) * 1000);
	json_object_foreach((json_t *)(uintptr_t)point, name, v) {
		if (!strcmp(name, "start") || !strcmp(name, "end") || json_is_array(v) || json_is_object(v))
			continue;
		json_object_set(row, name, v);
		add_column(columns, name);
	}
	json_array_append_new(out, row);
}

static void add_points(json_t *rows, json_t *columns, const json_t *points)
{
	const json_t *point;
	size_t i;

	json_array_foreach(points, i, point)
		add_row(rows, columns, point);
}

json_t *analytics_document(const struct analytics_query *q, const json_t *data, bool is_cut)
{
	json_t *o = json_object(), *rows = json_array(), *columns = json_array();
	const json_t *one;
	size_t i;

	add_column(columns, "start");
	add_column(columns, "end");
	add_points(rows, columns, json_object_get(data, "data_points"));
	json_array_foreach(data, i, one)
		add_points(rows, columns, json_object_get(one, "data_points"));
	json_put_text(o, "kind", kinds[q->kind].name);
	json_put_time(o, "from", q->from_ms);
	json_put_time(o, "to", q->to_ms);
	json_put_text(o, "granularity", granularities[q->granularity]);
	json_object_set_new(o, "columns", columns);
	json_object_set_new(o, "rows", rows);
	json_object_set_new(o, "is_cut", json_boolean(is_cut));
	return o;
}

static void add_cell(struct strbuf *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		strbuf_adds(out, text);
		return;
	}
	strbuf_addc(out, '"');
	for (; *text; text++)
		strbuf_addf(out, *text == '"' ? "\"\"" : "%c", *text);
	strbuf_addc(out, '"');
}

static void add_value(struct strbuf *out, const json_t *v)
{
	if (json_is_string(v))
		add_cell(out, json_string_value(v));
	else if (json_is_integer(v))
		strbuf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		strbuf_addf(out, "%.12g", json_real_value(v));
	else if (json_is_boolean(v))
		strbuf_adds(out, json_is_true(v) ? "true" : "false");
}

void analytics_csv(const json_t *document, struct strbuf *out)
{
	const json_t *columns = json_object_get(document, "columns"), *row, *column;
	size_t i, j;

	json_array_foreach(columns, j, column) {
		strbuf_adds(out, j ? "," : "");
		add_cell(out, json_string_value(column));
	}
	strbuf_adds(out, "\r\n");
	json_array_foreach(json_object_get(document, "rows"), i, row) {
		json_array_foreach(columns, j, column) {
			strbuf_adds(out, j ? "," : "");
			add_value(out, json_object_get(row, json_string_value(column)));
		}
		strbuf_adds(out, "\r\n");
	}
}

/* ---- asking ---- */

static void on_answer(void *arg, const struct graph_reply *r)
{
	struct fetch *f = arg;
	const json_t *field, *data;
	struct graph_reply whole = *r;

	if (r->word == GRAPH_OK) {
		field = f->query.kind == ANALYTICS_TEMPLATES ? r->json : json_object_get(r->json, kinds[f->query.kind].field);
		data = json_object_get(field, "data");
		/* Without any figures Graph leaves the field out. */
		whole.json = analytics_document(&f->query, data ? data : field, json_is_true(json_object_get(r->json, "is_cut")));
	}
	f->who.done(f->who.arg, &whole);
	if (r->word == GRAPH_OK)
		json_decref(whole.json);
	free(f);
}

static void ask_field(struct graph *g, const struct graph_for *who, const struct analytics_query *q)
{
	const struct kind *k = &kinds[q->kind];
	struct strbuf field = STRBUF_INIT, query = STRBUF_INIT;

	strbuf_addf(&field, "%s.start(%" PRId64 ").end(%" PRId64 ").granularity(%s)", k->field, q->from_ms / 1000, q->to_ms / 1000,
		    k->words[q->granularity]);
	if (k->dimensions)
		strbuf_addf(&field, ".dimensions(%s)", k->dimensions);
	strbuf_adds(&query, "fields=");
	graph_add_encoded(&query, field.buf);
	graph_ask(g, &(struct graph_call){ .who = *who, .name = k->field, .method = "GET", .path = who->account->waba_id,
					   .query = query.buf });
	strbuf_release(&field);
	strbuf_release(&query);
}

static void ask_templates(struct graph *g, const struct graph_for *who, const struct analytics_query *q)
{
	const struct kind *k = &kinds[q->kind];
	struct strbuf path = STRBUF_INIT, query = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", who->account->waba_id, k->field);
	strbuf_addf(&query, "start=%" PRId64 "&end=%" PRId64 "&granularity=%s&template_ids=", q->from_ms / 1000, q->to_ms / 1000,
		    k->words[q->granularity]);
	graph_add_encoded(&query, "[");
	graph_add_encoded(&query, q->templates);
	graph_add_encoded(&query, "]");
	pages_fetch(g, &(struct graph_listing){ .who = *who, .name = k->field, .path = path.buf, .query = query.buf });
	strbuf_release(&path);
	strbuf_release(&query);
}

void analytics_fetch(struct graph *g, const struct graph_for *who, const struct analytics_query *q)
{
	struct fetch *f = mem_alloc(sizeof(*f));
	struct graph_for mine = { who->account, who->patience_ms, on_answer, f };

	*f = (struct fetch){ *who, *q };
	f->query.templates = NULL;	/* the caller's, and in the query by then */
	if (q->kind == ANALYTICS_TEMPLATES)
		ask_templates(g, &mine, q);
	else
		ask_field(g, &mine, q);
}
