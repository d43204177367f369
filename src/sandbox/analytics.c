/*
 * Analytics: figures that are made up, but always the same for the same business account and time.
 *
 * So a client that asks twice, or in pieces, must come to the same sums.
 */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "sandbox/account_nodes.h"
#include "sandbox/call.h"
#include "sandbox/fields.h"
#include "sandbox/manage.h"
#include "sandbox/nodes.h"
#include "sandbox/paging.h"
#include "sandbox/params.h"
#include "sandbox/strmap.h"

enum { POINTS_MAX = 1000, TEMPLATES_MAX = 10, TEMPLATE_DAYS_MAX = 90, YEAR_DAYS = 366 };
static const int64_t half_hour_s = 1800, day_s = 86400, month_s = 30 * 86400;

static const struct kind { const char *name, *granularities, *metrics; bool nested; } kinds[] = {
#define ANALYTICS(name, granularities, metrics, nested) { name, granularities, metrics, nested },
#include "sandbox/tbl_analytics.h"
#undef ANALYTICS
};

struct period { int64_t start, end, step; };

static const struct kind *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool analytics_is(const char *name)
{
	return find(name) != NULL;
}

/* ---- when ---- */

static bool is_word_of(const char *word, const char *words)
{
	size_t n = strlen(word);

	for (const char *p = words; *p; p += strcspn(p, "|"), p += *p == '|')
		if (strcspn(p, "|") == n && strncmp(p, word, n) == 0)
			return true;
	return false;
}

static int read_period(struct managed *m, const json_t *args, const char *granularities, struct period *p)
{
	const char *granularity = param_text(args, "granularity");
	int64_t now_s = wall_ms() / 1000;

	p->start = param_number(args, "start", -1);
	p->end = param_number(args, "end", -1);
	if (p->start < 0 || p->end < 0 || p->start >= p->end)
		return manage_fail(m, 100, "Params start and end must be Unix times, start before end"), -1;
	if (!granularity || !is_word_of(granularity, granularities))
		return manage_fail(m, 100, "Param granularity must be one of {%s}", granularities), -1;
	if (p->start < now_s - YEAR_DAYS * day_s)
		return manage_fail(m, 100, "Param start is longer ago than data is kept"), -1;
	p->step = granularity[0] == 'H' ? half_hour_s : granularity[0] == 'D' ? day_s : month_s;
	p->start -= p->start % p->step;
	if ((p->end - p->start) / p->step >= POINTS_MAX)
		return manage_fail(m, 100, "There would be more than %d data points; ask for less", POINTS_MAX), -1;
	return 0;
}

/* ---- what ---- */

static int64_t figure(const char *whose, int64_t start, const char *metric)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %lld", whose, (long long)start);
	int64_t all = 100 + (int64_t)(strmap_hash(text, strlen(text)) >> 16) % 900;
	return strcmp(metric, "delivered") == 0 ? all * 97 / 100 : strcmp(metric, "read") == 0 ? all * 60 / 100 : all;
}

static void add_metrics(json_t *point, const char *whose, int64_t start, const char *metrics)
{
	char metric[32];

	for (const char *p = metrics; *p; p += strcspn(p, "|"), p += *p == '|') {
		snprintf(metric, sizeof(metric), "%.*s", (int)strcspn(p, "|"), p);
		if (strcmp(metric, "cost") == 0)
			json_object_set_new(point, metric, json_real((double)figure(whose, start, metric) / 100));
		else
			json_object_set_new(point, metric, json_integer(figure(whose, start, metric)));
	}
}

static json_t *data_points(const char *whose, const struct period *p, const char *metrics)
{
	json_t *points = json_array();

	for (int64_t t = p->start; t < p->end; t += p->step) {
		json_int_t start = t, end = start + p->step;
		json_t *point = json_pack("{s:I,s:I}", "start", start, "end", end);

		add_metrics(point, whose, t, metrics);
		json_array_append_new(points, point);
	}
	return points;
}

/* Those asked for, or all of the account's. */
static json_t *phone_numbers(struct managed *m, const json_t *args)
{
	const char *asked = param_text(args, "phone_numbers");
	json_t *list = fields_list(asked ? asked : "");
	bool all = json_array_size(list) == 0;

	for (size_t i = 0; all && i < m->waba->n; i++)
		json_array_append_new(list, json_string(m->waba->numbers[i]->pnid));
	return list;
}

json_t *analytics_field(struct managed *m, const char *name, const json_t *args)
{
	const struct kind *k = find(name);
	struct period p;
	json_t *points;

	if (!k || read_period(m, args, k->granularities, &p) < 0)
		return NULL;
	points = data_points(m->waba->id, &p, k->metrics);
	if (k->nested)
		return json_pack("{s:[{s:o}]}", "data", "data_points", points);
	return json_pack("{s:o,s:[],s:s,s:o}", "phone_numbers", phone_numbers(m, args), "country_codes",
			 "granularity", param_text(args, "granularity"), "data_points", points);
}

/* ---- templates: an edge with pages ---- */

static int read_template_period(struct managed *m, const json_t *params, struct period *p)
{
	const char *granularity = param_text(params, "granularity");

	p->start = param_number(params, "start", -1);
	p->end = param_number(params, "end", -1);
	p->step = day_s;
	if (!granularity || strcasecmp(granularity, "daily"))
		return manage_fail(m, 100, "Param granularity must be one of {DAILY}"), -1;
	if (p->start < 0 || p->end <= p->start || p->start < wall_ms() / 1000 - (TEMPLATE_DAYS_MAX + 1) * day_s)
		return manage_fail(m, 100, "Params start and end must be Unix times of the last %d days", TEMPLATE_DAYS_MAX), -1;
	p->start -= p->start % day_s;
	return 0;
}

static json_t *template_points(const json_t *ids, const struct period *p)
{
	json_t *all = json_array(), *id, *point;
	size_t i, j;

	json_array_foreach(ids, i, id) {
		json_t *points = data_points(json_string_value(id), p, "sent|delivered|read");
		json_array_foreach(points, j, point) {
			json_object_set(point, "template_id", id);
			json_array_append(all, point);
		}
		json_decref(points);
	}
	return all;
}

static json_t *template_answer(struct managed *m, const json_t *points)
{
	json_t *some = json_array();
	struct page page;

	if (paging_find(m, json_array_size(points), &page) < 0) {
		json_decref(some);
		return NULL;
	}
	for (size_t i = page.from; i < page.to; i++)
		json_array_append(some, json_array_get(points, i));
	return json_pack("{s:[{s:s,s:s,s:o}],s:o}", "data", "granularity", "DAILY", "product_type", "cloud_api", "data_points", some,
			 "paging", paging_links(m, &page));
}

static bool has_insights(const struct managed *m)
{
	json_t *v = node_field(m->waba, NULL, "is_enabled_for_insights");
	bool yes = json_is_true(v);

	json_decref(v);
	return yes;
}

static json_t *get_template_analytics(struct managed *m)
{
	const json_t *params = call_params(m->call), *given = json_object_get(params, "template_ids");
	json_t *ids = json_is_string(given) ? fields_list(json_string_value(given)) : json_array(), *points, *out = NULL;
	struct period p;

	if (!has_insights(m)) {
		manage_fail(m, 200007, "Template insights are not enabled for this WhatsApp Business account");
	} else if (json_array_size(ids) < 1 || json_array_size(ids) > TEMPLATES_MAX) {
		manage_fail(m, 100, "Param template_ids must be an array of 1 to %d ids", TEMPLATES_MAX);
	} else if (read_template_period(m, params, &p) == 0) {
		points = template_points(ids, &p);
		out = template_answer(m, points);
		json_decref(points);
	}
	json_decref(ids);
	return out;
}

void template_analytics_get(struct call *c)
{
	manage(c, MANAGE_WABA, get_template_analytics);
}
