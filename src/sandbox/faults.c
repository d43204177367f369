#include "sandbox/faults.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "sandbox/graph.h"
#include "sandbox/json_out.h"
#include "sandbox/route.h"

enum { RULES_MAX = 1000 };

static const struct { const char *name; bool accepts; } kinds[] = {
	[FAULT_NONE] = { NULL, true },
#define FAULT(ident, name, accepts, help) [FAULT_##ident] = { name, accepts },
#include "sandbox/tbl_faults.h"
#undef FAULT
};

struct rule {
	char *pnid, *to, *text, *callback;	/* NULL: any */
	char *route, *path;			/* path: as fnmatch(3) reads it */
	int64_t times, skip;			/* times -1: for ever */
	double probability;
	uint64_t random;			/* own sequence, so that a seed repeats a run */
	int64_t min_ms, max_ms;
	uint64_t seen, hits;
	struct fault_act act;
	char *json;				/* as it was given, for the list */
};

struct faults {
	struct rule **rules;
	size_t n;
};

const char *fault_kind_name(enum fault_kind k)
{
	return k < FAULT_KINDS ? kinds[k].name : NULL;
}

struct faults *faults_new(void)
{
	return mem_alloc(sizeof(struct faults));
}

static void rule_free(struct rule *r)
{
	free(r->pnid);
	free(r->to);
	free(r->text);
	free(r->callback);
	free(r->route);
	free(r->path);
	free(r->json);
	free(r);
}

void faults_clear(struct faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		rule_free(f->rules[i]);
	free(f->rules);
	*f = (struct faults){ 0 };
}

void faults_free(struct faults **fp)
{
	if (!*fp)
		return;
	faults_clear(*fp);
	free(*fp);
	*fp = NULL;
}

bool faults_any(const struct faults *f)
{
	return f->n > 0;
}

/* ---- reading a rule ---- */

static int parse_kind(const json_t *o, struct rule *r, struct strbuf *why)
{
	const char *name = json_string_value(json_object_get(o, "fault"));

	for (int k = FAULT_NONE + 1; name && k < FAULT_KINDS; k++)
		if (strcmp(name, kinds[k].name) == 0) {
			r->act.kind = (enum fault_kind)k;
			r->act.accepts = kinds[k].accepts;
			return 0;
		}
	return why_set(why, "\"fault\": %s is not a kind of fault", name ? name : "(none)");
}

static bool is_route(const char *name)
{
	for (int i = 0; i < ROUTES; i++)
		if (routes[i].kind != ROUTE_CONTROL && strcmp(routes[i].name, name) == 0)
			return true;
	return false;
}

static int parse_match(const json_t *o, struct rule *r, struct strbuf *why)
{
	const struct { const char *name; char **to; } members[] = {
		{ "phone_number_id", &r->pnid }, { "to", &r->to }, { "text_contains", &r->text }, { "callback_prefix", &r->callback },
		{ "route", &r->route }, { "path", &r->path },
	};
	const json_t *match = json_object_get(o, "match");
	const char *name;
	json_t *v;

	if (match && !json_is_object(match))
		return why_set(why, "\"match\" is not an object");
	json_object_foreach((json_t *)(uintptr_t)match, name, v) {
		size_t i = 0;
		while (i < ARRAY_LEN(members) && strcmp(members[i].name, name))
			i++;
		if (i == ARRAY_LEN(members))
			return why_set(why, "\"match\" has the unknown member \"%s\"", name);
		if (!json_is_string(v))
			return why_set(why, "\"match\".\"%s\" is not a string", name);
		*members[i].to = mem_strdup(json_string_value(v));
	}
	if (r->route && !is_route(r->route))
		return why_set(why, "\"match\".\"route\": %s is not the name of one", r->route);
	return 0;
}

static int parse_count(const json_t *o, const char *name, int64_t min, int64_t fallback, int64_t *to, struct strbuf *why)
{
	const json_t *v = json_object_get(o, name);

	*to = fallback;
	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > INT32_MAX)
		return why_set(why, "\"%s\" is not a number of at least %lld", name, (long long)min);
	*to = json_integer_value(v);
	return 0;
}

static int parse_flag(const json_t *o, const char *name, bool *to, struct strbuf *why)
{
	const json_t *v = json_object_get(o, name);

	if (v && !json_is_boolean(v))
		return why_set(why, "\"%s\" is not true or false", name);
	if (v)
		*to = json_is_true(v);
	return 0;
}

static int parse_how(const json_t *o, struct rule *r, struct strbuf *why)
{
	const char *how = json_string_value(json_object_get(o, "how"));

	r->act.how = CUT_FIN;
	if (!json_object_get(o, "how") || (how && strcmp(how, "fin") == 0))
		return 0;
	r->act.how = how && strcmp(how, "rst") == 0 ? CUT_RST : CUT_EOF;
	if (r->act.how == CUT_EOF && (!how || strcmp(how, "eof")))
		return why_set(why, "\"how\" is none of fin, eof, rst");
	return 0;
}

static int parse_chance(const json_t *o, struct rule *r, struct strbuf *why)
{
	const json_t *p = json_object_get(o, "probability"), *seed = json_object_get(o, "seed");

	r->probability = p ? json_number_value(p) : 1;
	if ((p && !json_is_number(p)) || r->probability < 0 || r->probability > 1)
		return why_set(why, "\"probability\" is not between 0 and 1");
	if (seed && !json_is_integer(seed))
		return why_set(why, "\"seed\" is not an integer");
	r->random = seed ? (uint64_t)json_integer_value(seed) : rand_u64();
	return 0;
}

static int parse_error(const json_t *o, struct rule *r, struct strbuf *why)
{
	const char *details = json_string_value(json_object_get(o, "details"));
	int64_t code, subcode, http;

	if (parse_count(o, "code", 0, r->act.kind == FAULT_ERROR ? -1 : 0, &code, why) < 0 ||
	    parse_count(o, "error_subcode", 0, 0, &subcode, why) < 0 || parse_count(o, "http", 200, 0, &http, why) < 0 ||
	    parse_count(o, "retry_after_s", 0, -1, &r->act.retry_after_s, why) < 0 ||
	    parse_count(o, "estimated_time_to_regain_access", 0, -1, &r->act.regain_minutes, why) < 0 ||
	    parse_flag(o, "is_transient", &r->act.transient, why) < 0)
		return -1;
	if (code < 0)
		return why_set(why, "the fault \"error\" needs a \"code\"");
	if (http > 599)
		return why_set(why, "\"http\" is not a status");
	r->act.code = (int)code;
	r->act.subcode = (int)subcode;
	r->act.http = (int)http;
	if (details && strlen(details) >= sizeof(r->act.details))
		return why_set(why, "\"details\" is longer than %zu bytes", sizeof(r->act.details) - 1);
	if (details)
		memcpy(r->act.details, details, strlen(details) + 1);
	return 0;
}

static int parse_times(const json_t *o, struct rule *r, struct strbuf *why)
{
	int64_t ms, after;

	if (parse_count(o, "times", 0, -1, &r->times, why) < 0 || parse_count(o, "skip", 0, 0, &r->skip, why) < 0 ||
	    parse_count(o, "ms", 0, r->act.kind == FAULT_SLOW_HEADERS ? 1000 : 0, &ms, why) < 0 ||
	    parse_count(o, "min_ms", 0, ms, &r->min_ms, why) < 0 || parse_count(o, "max_ms", 0, r->min_ms, &r->max_ms, why) < 0 ||
	    parse_count(o, "after", 0, 0, &after, why) < 0 || parse_count(o, "bytes_per_s", 1, 10, &r->act.bytes_per_s, why) < 0)
		return -1;
	if (r->max_ms < r->min_ms)
		return why_set(why, "\"max_ms\" is below \"min_ms\"");
	r->act.after = (size_t)after;
	return 0;
}

static int check_members(const json_t *o, struct strbuf *why)
{
	static const char *const known[] = {
		"match", "times", "skip", "probability", "seed", "fault", "ms", "min_ms", "max_ms", "code", "error_subcode", "http",
		"is_transient", "retry_after_s", "details", "estimated_time_to_regain_access", "bytes_per_s", "after", "how", "stream",
		"refused", "accepted",
	};
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)o, name, v) {
		size_t i = 0;
		while (i < ARRAY_LEN(known) && strcmp(known[i], name))
			i++;
		if (i == ARRAY_LEN(known))
			return why_set(why, "unknown member \"%s\"", name);
	}
	return 0;
}

static int parse_rule(const json_t *o, struct rule *r, struct strbuf *why)
{
	if (!json_is_object(o))
		return why_set(why, "a fault rule is not a JSON object");
	if (check_members(o, why) < 0 || parse_kind(o, r, why) < 0 || parse_match(o, r, why) < 0 || parse_how(o, r, why) < 0 ||
	    parse_chance(o, r, why) < 0 || parse_error(o, r, why) < 0 || parse_times(o, r, why) < 0 ||
	    parse_flag(o, "stream", &r->act.stream, why) < 0 || parse_flag(o, "refused", &r->act.refused, why) < 0)
		return -1;
	if (r->act.kind == FAULT_RST_STREAM && r->act.refused)
		r->act.accepts = false;
	r->json = json_dumps(o, JSON_COMPACT);
	return parse_flag(o, "accepted", &r->act.accepts, why);
}

static int parse_all(struct faults *f, const json_t *list, struct strbuf *why)
{
	size_t old = f->n;

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct rule *r = mem_alloc(sizeof(*r));
		f->rules = mem_grow(f->rules, f->n + 1, sizeof(struct rule *));
		f->rules[f->n++] = r;
		if (f->n > RULES_MAX)
			why_set(why, "more than %d rules", RULES_MAX);
		else if (parse_rule(json_array_get(list, i), r, why) == 0)
			continue;
		while (f->n > old)
			rule_free(f->rules[--f->n]);
		return -1;
	}
	return 0;
}

int faults_add(struct faults *f, const char *json, size_t len, struct strbuf *why)
{
	json_error_t err;
	json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, &err);
	int result;

	if (!o)
		return why_set(why, "not JSON: line %d: %s", err.line, err.text);
	if (!json_is_array(o)) {
		json_t *list = json_array();
		json_array_append_new(list, o);
		o = list;
	}
	result = parse_all(f, o, why);
	json_decref(o);
	return result;
}

/* ---- drawing ---- */

static bool needs_body(const struct rule *r)
{
	return r->to || r->text || r->callback;
}

static bool matches(const struct rule *r, const struct fault_subject *s)
{
	if (!s->is_send && !r->route && !r->path)
		return false;
	if (r->route && (!s->route || strcmp(r->route, s->route)))
		return false;
	if (r->path && (!s->path || fnmatch(r->path, s->path, 0)))
		return false;
	if (r->pnid && (!s->pnid || strcmp(r->pnid, s->pnid)))
		return false;
	if (r->to && (!s->to || strcmp(r->to, s->to)))
		return false;
	if (r->callback && (!s->callback || strncmp(r->callback, s->callback, strlen(r->callback))))
		return false;
	return !r->text || (s->text && memmem(s->text, s->text_len, r->text, strlen(r->text)));
}

static double chance(uint64_t *state)		/* splitmix64, as a fraction */
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static bool fires(struct rule *r)
{
	r->seen++;
	if (r->seen <= (uint64_t)r->skip || (r->times >= 0 && r->hits >= (uint64_t)r->times))
		return false;
	if (r->probability < 1 && chance(&r->random) >= r->probability)
		return false;
	r->hits++;
	return true;
}

bool faults_draw(struct faults *f, const struct fault_subject *s, bool head_only, struct fault_act *act)
{
	for (size_t i = 0; i < f->n; i++) {
		struct rule *r = f->rules[i];
		bool at_head = r->act.kind == FAULT_CUT_REQUEST && !needs_body(r);
		if (at_head != head_only || !matches(r, s) || !fires(r))
			continue;
		*act = r->act;
		act->delay_ms = r->min_ms + (int64_t)(chance(&r->random) * (double)(r->max_ms - r->min_ms + 1));
		return true;
	}
	return false;
}

void faults_print(const struct faults *f, struct strbuf *out)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < f->n; i++)
		strbuf_addf(out, "%s\n{\"seen\":%llu,\"hits\":%llu,\"rule\":%s}", i ? "," : "", (unsigned long long)f->rules[i]->seen,
			    (unsigned long long)f->rules[i]->hits, f->rules[i]->json);
	strbuf_adds(out, "\n]\n");
}
