#include "sandbox/manage.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/assets.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/sandbox.h"

enum { MINUTE_S = 60 };
static const int64_t hour_us = INT64_C(3600) * 1000 * 1000;

json_t *manage_fail(struct managed *m, int code, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	graph_error_set(&m->error, code, "(#%d) %s", code, text.buf);
	m->error.bare = true;
	strbuf_release(&text);
	return NULL;
}

json_t *manage_success(void)
{
	return json_pack("{s:b}", "success", 1);
}

int64_t manage_limit(const struct call *c, const struct waba *w)
{
	return w->calls_per_hour >= 0 ? w->calls_per_hour : c->sandbox->opt->management_rate;
}

/* Hours begin with the first call: then what is left of one is what Meta calls the time to regain access. */
static int count_call(struct managed *m)
{
	struct waba *w = m->waba;
	int64_t now_us = sandbox_now_us(), limit = manage_limit(m->call, w);

	if (!w->calls || now_us - w->hour_began_us >= hour_us) {
		w->hour_began_us = now_us;
		w->calls = 0;
	}
	w->calls++;
	if (!limit || w->calls <= limit)
		return 0;
	manage_fail(m, 80008, "There have been too many calls to this WhatsApp Business account. Wait a bit and try again.");
	m->error.regain_minutes = (hour_us - (now_us - w->hour_began_us)) / 1000000 / MINUTE_S + 1;
	return -1;
}

/* A template that belongs to every account is found by anybody who has one. */
static void find_template(struct managed *m, const struct segment *node)
{
	const struct accounts *a = &m->call->sandbox->accounts;
	const struct grant *g = m->token->grant;

	m->template = catalogue_by_id(m->call->sandbox->catalogue, node->s, node->len);
	if (m->template && *m->template->waba)
		m->waba = accounts_find_waba(a, m->template->waba, strlen(m->template->waba));
	else if (m->template && g->n)
		m->waba = g->numbers[0]->waba;
}

static void find_asset(struct managed *m, const struct segment *node)
{
	m->asset = assets_find(m->call->sandbox->assets, node->s, node->len);
	if (m->asset)
		m->number = accounts_find(&m->call->sandbox->accounts, m->asset->pnid, strlen(m->asset->pnid));
}

static void look_for_node(struct managed *m, const struct segment *node, enum managed_kind want)
{
	const struct accounts *a = &m->call->sandbox->accounts;

	if (want == MANAGE_TEMPLATE)
		find_template(m, node);
	else if (want == MANAGE_MEDIA)
		find_asset(m, node);
	else if (want != MANAGE_WABA)
		m->number = accounts_find(a, node->s, node->len);
	if ((want == MANAGE_WABA || want == MANAGE_EITHER) && !m->number)
		m->waba = accounts_find_waba(a, node->s, node->len);
	if (m->number)
		m->waba = m->number->waba;
}

static int find_node(struct managed *m, enum managed_kind want)
{
	const struct segment *node = &m->call->seg[1];

	look_for_node(m, node, want);
	if (m->waba && grant_has(m->token->grant, m->waba))
		return 0;
	m->number = NULL;
	m->waba = NULL;
	return graph_no_object(m->call, node, &m->error);
}

static bool is_app(const struct managed *m)
{
	const struct grant *g = m->token->grant;

	return g->n && *g->numbers[0]->app_id && call_seg_is(m->call, 1, g->numbers[0]->app_id);
}

/* Meta wants "OAuth" where an upload's bytes go, and "Bearer" everywhere else. */
static int check_scheme(struct managed *m, enum managed_kind want)
{
	if (m->call->is_oauth == (want == MANAGE_UPLOAD))
		return 0;
	manage_fail(m, 104, "An access token is required to request this resource.");
	return -1;
}

static int admit(struct managed *m, enum managed_kind want)
{
	if (graph_admit_token(m->call, &m->token, &m->error) < 0 || check_scheme(m, want) < 0)
		return -1;
	if (want == MANAGE_UPLOAD)
		return 0;
	if (want == MANAGE_APP)
		return is_app(m) ? 0 : graph_no_object(m->call, &m->call->seg[1], &m->error);
	if (find_node(m, want) < 0)
		return -1;
	return want == MANAGE_SENDER || want == MANAGE_MEDIA ? 0 : count_call(m);
}

void manage_answer(struct call *c, struct graph_error *e, json_t *out, const struct number *n)
{
	char *text;
	int status = 200;

	if (e->failed) {
		status = graph_error_write(c, e, n);
	} else {
		graph_headers(c, n);
		text = json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(12));
		strbuf_adds(&c->out, text);
		mem_free_secret(text);		/* it may be a new token */
	}
	json_decref(out);
	strbuf_release(&e->details);
	call_answer_json(c, status);
}

void manage(struct call *c, enum managed_kind want, managed_f *f)
{
	struct managed m = { .call = c, .error = GRAPH_ERROR_INIT };
	json_t *out = admit(&m, want) == 0 ? f(&m) : NULL;

	manage_answer(c, &m.error, out, m.waba && m.waba->n ? m.waba->numbers[0] : NULL);
}
