/* Templates as the catalogue in Redis has them; what becomes of a message with one; what became of those that were sent. */
#include <inttypes.h>
#include <stdlib.h>

#include "api/handlers.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"
#include "graph/crawl.h"
#include "msg/template.h"

enum { SCAN_COUNT = 500, LIST_MAX = 20000, USAGE_DAYS_MAX = 35, PATIENCE_MS = 10000 };

struct question {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	const struct account *account;
	json_t *found;			/* by "name/language" */
	int limit;
	int days, days_left;
};

static void on_client_gone(void *arg)
{
	((struct question *)arg)->call = NULL;
}

/* NULL: the problem is answered. */
static struct question *question_new(struct admin *a, struct http_call *c)
{
	const struct account *account = call_account(a, c);
	struct question *q;

	if (!account)
		return NULL;
	q = mem_alloc(sizeof(*q));
	*q = (struct question){ .a = a, .call = c, .account = account, .found = json_object() };
	http_call_on_gone(c, on_client_gone, q);
	return q;
}

static void question_free(struct question *q)
{
	json_decref(q->found);
	free(q);
}

static void fail(struct question *q, int status, const char *code, const char *detail)
{
	if (q->call)
		reply_problem(q->call, status, code, detail);
	question_free(q);
}

static json_t *answer_of(const struct question *q)
{
	json_t *o = json_object();

	json_put_text(o, "tenant_id", q->account->tenant->id);
	json_put_text(o, "account_id", q->account->id);
	json_put_text(o, "waba_id", q->account->waba_id);
	return o;
}

static bool is_answer(const struct store_reply *r, int at_least)
{
	return r && !r->error && r->n >= at_least;
}

/* ---- list, search ---- */

static bool equals(const struct http_call *c, const char *option, const char *value)
{
	const char *wanted = http_call_query(c, option);

	return !wanted || (value && !strcasecmp(wanted, value));
}

/* Text by which it is searched: all of the name, its beginning, or a part of it. */
static bool name_fits(const struct http_call *c, const char *name)
{
	const char *text = http_call_query(c, "text");

	if (!text)
		return true;
	if (http_call_query(c, "exact"))
		return !strcmp(name, text);
	return http_call_query(c, "prefix") ? str_starts(name, text) : strstr(name, text) != NULL;
}

static bool fits(const struct http_call *c, const json_t *t)
{
	const char *name = json_text(t, "name");

	return name && name_fits(c, name) && equals(c, "status", json_text(t, "status")) && equals(c, "category", json_text(t, "category")) &&
	       equals(c, "language", json_text(t, "language"));
}

static void put_head(json_t *o, const json_t *t)
{
	static const char *const texts[] = { "name", "language", "status", "category", "id", "parameter_format" };
	enum template_status s = template_status_of(json_text(t, "status"));

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_put_text(o, texts[i], json_text(t, texts[i]));
	json_put_text(o, "quality", json_text(json_object_get(t, "quality_score"), "score"));
	json_object_set_new(o, "may_be_sent", json_boolean(template_status_reason(s) == REASON_NONE));
	json_put_text(o, "meaning", template_status_meaning(s));
}

static void take_field(struct question *q, const struct store_value *key, const struct store_value *value)
{
	json_t *t = NULL, *o;

	if (!key->s || !value->s || key->s[0] == ':' || key->s[0] == '!' || json_parse(value->s, value->len, &t, NULL) != JSON_OK)
		return;
	if (fits(q->call, t)) {
		o = json_object();
		put_head(o, t);
		json_object_set_new(q->found, key->s, o);
	}
	json_decref(t);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void answer_list(struct question *q)
{
	size_t n = json_object_size(q->found), i = 0;
	const char **keys = mem_array(n + 1, sizeof(*keys)), *key;
	json_t *o = answer_of(q), *list = json_array(), *t;

	json_object_foreach(q->found, key, t)
		keys[i++] = key;
	qsort(keys, n, sizeof(*keys), by_key);
	for (i = 0; i < n && i < (size_t)q->limit; i++)
		json_array_append(list, json_object_get(q->found, keys[i]));
	json_put_int(o, "found", (int64_t)n);
	json_object_set_new(o, "templates", list);
	free(keys);
	reply_json(q->call, 200, o);
	question_free(q);
}

static void on_scanned(void *arg, const struct store_reply *r);

static void scan(struct question *q, const char *cursor)
{
	char key[KEY_TEXT_MAX], count[16];

	key_templates(q->a->conf, q->account, key);
	snprintf(count, sizeof(count), "%d", SCAN_COUNT);
	if (store_command(q->a->store, (struct store_arg[]){ STORE_ARG("HSCAN"), STORE_ARG(key), STORE_ARG(cursor), STORE_ARG("COUNT"),
							     STORE_ARG(count) }, 5, on_scanned, q) < 0)
		fail(q, 503, "redis_away", "Redis does not answer");
}

static void on_scanned(void *arg, const struct store_reply *r)
{
	struct question *q = arg;
	char cursor[24];

	if (!q->call || !is_answer(r, 1) || !r->v[0].s) {
		fail(q, 503, "redis_away", "Redis does not answer");
		return;
	}
	for (int i = 1; i + 1 < r->n; i += 2)
		take_field(q, &r->v[i], &r->v[i + 1]);
	if (!strcmp(r->v[0].s, "0")) {
		answer_list(q);
		return;
	}
	snprintf(cursor, sizeof(cursor), "%s", r->v[0].s);
	scan(q, cursor);
}

void on_template_list(struct admin *a, struct http_call *c)
{
	const char *limit = http_call_query(c, "limit");
	int64_t n = LIST_MAX;
	struct question *q;

	if (limit && (parse_i64(limit, &n) < 0 || n < 1 || n > LIST_MAX)) {
		reply_problem(c, 400, "bad_request", "limit: allowed 1 to 20000");
		return;
	}
	q = question_new(a, c);
	if (!q)
		return;
	q->limit = (int)n;
	scan(q, "0");
}

void on_template_search(struct admin *a, struct http_call *c)
{
	if (http_call_query(c, "text"))
		on_template_list(a, c);
	else
		reply_problem(c, 400, "bad_request", "text: is missing");
}

/* ---- one of them ---- */

static const char *language_of(struct http_call *c)
{
	return http_call_query(c, "language") ? http_call_query(c, "language") : "en_US";
}

static void ask_one(struct admin *a, struct http_call *c, store_reply_f *done)
{
	const char *name = a->asked ? a->asked->name : http_call_query(c, "name");
	char key[KEY_TEXT_MAX], field[600];
	struct question *q;

	if (!name) {
		reply_problem(c, 400, "bad_request", "name: is missing");
		return;
	}
	q = question_new(a, c);
	if (!q)
		return;
	key_templates(a->conf, q->account, key);
	snprintf(field, sizeof(field), "%s/%s", name, language_of(c));
	if (store_command(a->store, (struct store_arg[]){ STORE_ARG("HGET"), STORE_ARG(key), STORE_ARG(field) }, 3, done, q) < 0)
		fail(q, 503, "redis_away", "Redis does not answer");
}

/* NULL: the problem is answered, and q is gone. */
static json_t *definition_of(struct question *q, const struct store_reply *r)
{
	json_t *t = NULL;

	if (!q->call || !is_answer(r, 1)) {
		fail(q, 503, "redis_away", "Redis does not answer");
		return NULL;
	}
	if (!r->v[0].s || json_parse(r->v[0].s, r->v[0].len, &t, NULL) != JSON_OK) {
		fail(q, 404, "template_unknown", "the catalogue has no such template in this language; see template search, template refresh");
		return NULL;
	}
	return t;
}

static void on_shown(void *arg, const struct store_reply *r)
{
	struct question *q = arg;
	json_t *t = definition_of(q, r), *o;

	if (!t)
		return;
	o = answer_of(q);
	put_head(o, t);
	json_object_set_new(o, "definition", t);
	reply_json(q->call, 200, o);
	question_free(q);
}

void on_template_show(struct admin *a, struct http_call *c)
{
	ask_one(a, c, on_shown);
}

/* What the body says is the template object of a message; an empty one shows the template with its placeholders. */
static void answer_preview(struct question *q, const json_t *definition)
{
	struct strbuf why = STRBUF_INIT, warnings = STRBUF_INIT;
	struct template_rules rules = { .flatten = !strcmp(q->a->conf->template_characters, "flatten") };
	size_t len;
	const char *body = http_call_body(q->call, &len);
	json_t *payload = NULL, *out = NULL, *o;
	struct template_def *def = template_compile(definition, &why);
	enum reason reason = REASON_NONE;

	if (!def || (len && json_parse(body, len, &payload, &why) != JSON_OK)) {
		reply_problem(q->call, 400, "bad_request", why.buf);
	} else {
		if (payload)
			reason = template_make(def, payload, &rules, &out, &why, &warnings);
		o = answer_of(q);
		put_head(o, definition);
		json_object_set_new(o, "fits", json_boolean(reason == REASON_NONE));
		json_put_text(o, "reason", reason == REASON_NONE ? NULL : reason_code(reason));
		json_put_text(o, "error", reason == REASON_NONE ? NULL : why.buf);
		json_put_text(o, "warnings", warnings.len ? warnings.buf : NULL);
		json_object_set_new(o, "preview", template_preview(def, out ? out : template_is_short(payload) ? NULL : payload));
		if (out || payload)
			json_object_set(o, "template", out ? out : payload);
		reply_json(q->call, 200, o);
	}
	json_decref(out);
	json_decref(payload);
	template_free(&def);
	strbuf_release(&why);
	strbuf_release(&warnings);
}

static void on_previewed(void *arg, const struct store_reply *r)
{
	struct question *q = arg;
	json_t *t = definition_of(q, r);

	if (!t)
		return;
	answer_preview(q, t);
	json_decref(t);
	question_free(q);
}

void on_template_preview(struct admin *a, struct http_call *c)
{
	ask_one(a, c, on_previewed);
}

/* ---- fetched anew ---- */

static void on_fetched(void *arg, const struct graph_reply *r)
{
	struct question *q = arg;
	struct strbuf words = STRBUF_INIT;
	json_t *o;

	if (r->word == GRAPH_OK && q->call) {
		o = answer_of(q);
		json_object_set(o, "fetched", json_object_get(r->json, "templates"));
		reply_json(q->call, 200, o);
		question_free(q);
		return;
	}
	if (r->word == GRAPH_REFUSED)
		strbuf_addf(&words, "Graph says %d: %s", r->code, r->text);
	else
		strbuf_adds(&words, r->text);
	fail(q, r->word == GRAPH_REFUSED ? 502 : 503, r->word == GRAPH_REFUSED ? "graph_refused" : r->word == GRAPH_LIMITED ? "graph_limited" :
	     "graph_away", words.buf);
	strbuf_release(&words);
}

void on_template_refresh(struct admin *a, struct http_call *c)
{
	struct question *q = question_new(a, c);

	if (q)
		crawl_fetch(a->crawl, &(struct graph_for){ q->account, PATIENCE_MS, on_fetched, q }, http_call_query(c, "name"));
}

void on_template_progress(struct admin *a, struct http_call *c)
{
	struct crawl_view v;
	struct question *q = question_new(a, c);
	json_t *o;
	bool busy;

	if (!q)
		return;
	busy = crawl_look(a->crawl, q->account, http_call_query(c, "name"), &v);
	o = answer_of(q);
	json_object_set_new(o, "busy", json_boolean(busy));
	if (busy) {
		json_put_int(o, "templates", v.templates);
		json_put_int(o, "pages", v.pages);
		json_put_int(o, "s", v.ms / 1000);
	}
	reply_json(c, 200, o);
	question_free(q);
}

/* ---- usage ---- */

/* "name/language sent": counted up under the template. */
static void add_usage(struct question *q, const char *field, int64_t n)
{
	const char *blank = strrchr(field, ' ');
	char key[600];
	json_t *o;

	if (!blank)
		return;
	snprintf(key, sizeof(key), "%.*s", (int)(blank - field), field);
	o = json_object_get(q->found, key);
	if (!o) {
		size_t slash = strcspn(key, "/");

		o = json_object();
		json_object_set_new(q->found, key, o);
		json_object_set_new(o, "name", json_stringn(key, slash));
		json_put_text(o, "language", key[slash] ? key + slash + 1 : "");
	}
	json_put_int(o, blank + 1, n + json_integer_value(json_object_get(o, blank + 1)));
}

static void on_usage(void *arg, const struct store_reply *r)
{
	struct question *q = arg;
	json_t *o, *list, *t;
	const char *key;

	if (is_answer(r, 0))
		for (int i = 0; i + 1 < r->n; i += 2)
			if (r->v[i].s)
				add_usage(q, r->v[i].s, r->v[i + 1].i);
	if (!is_answer(r, 0))
		q->limit = -1;
	if (--q->days_left > 0)
		return;
	if (!q->call || q->limit < 0) {
		fail(q, 503, "redis_away", "Redis does not answer");
		return;
	}
	o = answer_of(q);
	list = json_array();
	json_object_foreach(q->found, key, t)
		json_array_append(list, t);
	json_put_int(o, "days", q->days);
	json_object_set_new(o, "templates", list);
	reply_json(q->call, 200, o);
	question_free(q);
}

void on_template_usage(struct admin *a, struct http_call *c)
{
	const char *days = http_call_query(c, "days");
	int64_t n = 1;
	char key[KEY_TEXT_MAX];
	struct question *q;

	if (days && (parse_i64(days, &n) < 0 || n < 1 || n > USAGE_DAYS_MAX)) {
		reply_problem(c, 400, "bad_request", "days: allowed 1 to 35");
		return;
	}
	q = question_new(a, c);
	if (!q)
		return;
	q->days = q->days_left = (int)n;
	for (int i = 0; i < (int)n; i++) {
		key_template_usage(a->conf, q->account, wall_ms() - (int64_t)i * 86400000, key);
		if (store_command(a->store, (struct store_arg[]){ STORE_ARG("HGETALL"), STORE_ARG(key) }, 2, on_usage, q) < 0) {
			q->limit = -1;
			q->days_left -= (int)n - i - 1;
			on_usage(q, NULL);
			return;
		}
	}
}
