#include "graph/watch.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/hold.h"
#include "flow/keys.h"

enum { HIGH_RATE = 1000 };		/* messages a second of the level HIGH */
enum { FIELDS_MAX = 3, WORDS_MAX = 200, VALUE_MAX = 128, ARGS_MAX = 64 };
static const int64_t known_ms = INT64_C(90) * 86400000;

struct judged { char field[144], code[24], words[WORDS_MAX + 1]; const char *state; };

struct watch {
	struct graph *g;
	struct alerts *alerts;
	struct graph_for who;
	json_t *facts;			/* and what came of them */
	struct judged judged[FIELDS_MAX];
	int n_judged;
	enum number_fact asked[FACTS];	/* whose old values the answer has, in this order */
	int n_asked;
};

static void end(struct watch *w, enum graph_word word, const char *text)
{
	w->who.done(w->who.arg, &(struct graph_reply){ .word = word, .json = word == GRAPH_OK ? w->facts : NULL, .retry_after_ms = -1,
						       .text = text });
	json_decref(w->facts);
	free(w);
}

/* ---- rates ---- */

int64_t watch_rate_of(const struct conf *c, const struct account *a, const char *level)
{
	int64_t high = HIGH_RATE * c->limit_headroom / 100, rate = a->tier ? conf_rate_of_tier(c, a->tier) : -1;

	if (rate < 0)
		return a->rate;
	return level && !strcmp(level, "HIGH") && high > rate ? high : rate;
}

/* ---- health ---- */

static const json_t *blocked(const json_t *facts, const char *entity, bool *is_listed)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(facts, "health"), "entities"), i, e) {
		if (strcmp(json_text(e, "entity"), entity) != 0)
			continue;
		*is_listed = true;
		if (!strcmp(json_text(e, "state"), "BLOCKED"))
			return e;
	}
	return NULL;
}

/* One line, as holds are kept. */
static void set_words(struct judged *j, const json_t *e)
{
	const char *description = json_text(e, "description"), *what_to_do = json_text(e, "what_to_do");
	size_t n;

	snprintf(j->words, sizeof(j->words), "health: %.90s%s%.90s", description ? description : "blocked", what_to_do ? ": " : "",
		 what_to_do ? what_to_do : "");
	for (char *p = j->words; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	for (n = strlen(j->words); n && !str_is_utf8(j->words, n); n--)	/* cut within a character */
		j->words[n - 1] = 0;
}

static void judge(struct watch *w, const char *field, const char *entity, const char *also)
{
	struct judged *j = &w->judged[w->n_judged];
	bool is_listed = false;
	const json_t *e = blocked(w->facts, entity, &is_listed);

	if (!e && also)
		e = blocked(w->facts, also, &is_listed);
	if (!is_listed)
		return;
	w->n_judged++;
	snprintf(j->field, sizeof(j->field), "%s", field);
	snprintf(j->code, sizeof(j->code), "%" JSON_INTEGER_FORMAT, e ? json_integer_value(json_object_get(e, "code")) : 0);
	j->state = e ? "BLOCKED" : "AVAILABLE";
	if (e)
		set_words(j, e);
}

static bool is_bad_status(const char *status)
{
	static const char *const bad[] = { "RESTRICTED", "RATE_LIMITED", "BANNED", "DELETED", "MIGRATED", "DISCONNECTED" };

	for (size_t i = 0; status && i < ARRAY_LEN(bad); i++)
		if (!strcmp(bad[i], status))
			return true;
	return false;
}

const char *watch_restriction(const json_t *facts, struct strbuf *out)
{
	const char *status = json_text(facts, "status"), *what_to_do;
	const json_t *e;
	size_t i;

	if (is_bad_status(status)) {
		strbuf_setf(out, "Graph says that the number is %s", status);
		return out->buf;
	}
	json_array_foreach(json_object_get(json_object_get(facts, "health"), "entities"), i, e) {
		if (strcmp(json_text(e, "state"), "BLOCKED") != 0)
			continue;
		what_to_do = json_text(e, "what_to_do");
		strbuf_setf(out, "Graph says that the %s is blocked (%lld): %s", json_text(e, "entity"),
			    (long long)json_integer_value(json_object_get(e, "code")),
			    what_to_do ? what_to_do : json_text(e, "description") ? json_text(e, "description") : "it does not say why");
		return out->buf;
	}
	return NULL;
}

/* Half of the facts can say that it is bad, but not that it is good. */
static void tell_restriction(struct watch *w)
{
	const struct account *a = w->who.account;
	struct alert_subject who = { a->tenant->id, a->id, NULL };
	struct strbuf words = STRBUF_INIT;

	if (watch_restriction(w->facts, &words))
		alert_raise(w->alerts, ALERT_ACCOUNT_RESTRICTED, &who, "%s", words.buf);
	else if (json_text(w->facts, "status") && json_object_get(w->facts, "health"))
		alert_resolve(w->alerts, ALERT_ACCOUNT_RESTRICTED, &who, "Graph says that it may send");
	strbuf_release(&words);
}

/* ---- what is different ---- */

/* The subject is that of settle.c: whoever ends a hold ends its alert. */
static void tell_gate(struct watch *w, const char *event)
{
	const struct account *a = w->who.account;
	const char *field = event + strcspn(event, " ") + (strchr(event, ' ') != NULL);
	bool is_held = str_starts(event, "held ");
	char what[HOLD_FIELD_MAX];
	struct alert_subject who = { a->tenant->id, *field == 'w' ? NULL : a->id, what };

	snprintf(what, sizeof(what), "%.*s", (int)strcspn(field, " "), field);
	log_notice("gate", "tenant=%s account=%s %s", a->tenant->id, a->id, event);
	json_array_append_new(json_object_get(w->facts, is_held ? "held" : "released"), json_string(what));
	if (!is_held) {
		alert_resolve(w->alerts, ALERT_HELD, &who, "Graph says that it may send");
		return;
	}
	for (int i = 0; i < w->n_judged; i++)
		if (!strcmp(w->judged[i].field, what))
			alert_raise(w->alerts, ALERT_HELD, &who, "%s", w->judged[i].words);
}

static const char *value_of(const json_t *facts, enum number_fact f)
{
	return json_text(facts, number_fact_name(f));
}

static void alert_of_value(struct watch *w, enum number_fact f, const char *value, const char *from)
{
	const struct account *a = w->who.account;
	char what[VALUE_MAX + 32];
	struct alert_subject who = { a->tenant->id, a->id, what };

	snprintf(what, sizeof(what), "%s:%.*s", number_fact_name(f), VALUE_MAX, value);
	if (from)
		alert_raise(w->alerts, ALERT_NUMBER_CHANGED, &who, "the %s of the number was %s, and is %s", number_fact_words(f), from, value);
	else
		alert_resolve(w->alerts, ALERT_NUMBER_CHANGED, &who, "the %s of the number is another by now", number_fact_words(f));
}

static void tell_change(struct watch *w, enum number_fact f, const char *from)
{
	const struct account *a = w->who.account;
	const char *to = value_of(w->facts, f);
	json_t *o;

	if (!*from || !strcmp(from, to))
		return;
	log_notice("number_changed", "tenant=%s account=%s fact=%s from=%s to=%s", a->tenant->id, a->id, number_fact_name(f), from, to);
	o = json_object();
	json_put_text(o, "fact", number_fact_name(f));
	json_put_text(o, "from", from);
	json_put_text(o, "to", to);
	json_array_append_new(json_object_get(w->facts, "changes"), o);
	alert_of_value(w, f, from, NULL);
	alert_of_value(w, f, to, from);
}

/* ---- Redis ---- */

static bool has_answer(struct watch *w, const struct store_reply *r, int n)
{
	if (r && r->error)
		log_error("script_failed", "script=watch %s", r->error);
	if (r && !r->error && r->n >= n)
		return true;
	end(w, GRAPH_AWAY, "Redis did not answer: what has changed is told the next time");
	return false;
}

static void on_kept(void *arg, const struct store_reply *r)
{
	struct watch *w = arg;

	if (has_answer(w, r, 1))
		end(w, GRAPH_OK, "");
}

static void keep(struct watch *w)
{
	char watched[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], ttl[24];
	struct store_arg args[ARGS_MAX];
	int n = 0;

	key_watch(graph_conf(w->g), w->who.account, watched);
	key_holds(graph_conf(w->g), w->who.account->tenant, holds);
	snprintf(ttl, sizeof(ttl), "%" PRId64, known_ms);
	args[n++] = STORE_ARG(watched);
	args[n++] = STORE_ARG(holds);
	args[n++] = STORE_ARG("keep");
	args[n++] = STORE_ARG(ttl);
	for (int i = 0; i < w->n_asked; i++) {
		args[n++] = STORE_ARG(number_fact_name(w->asked[i]));
		args[n++] = STORE_ARG(value_of(w->facts, w->asked[i]));
	}
	if (store_script(graph_store(w->g), SCRIPT_WATCH, 2, args, n, on_kept, w) < 0)
		on_kept(w, NULL);
}

static void on_looked(void *arg, const struct store_reply *r)
{
	struct watch *w = arg;
	int n_events;

	if (!has_answer(w, r, 1 + w->n_asked))
		return;
	n_events = r->n - 1 - w->n_asked;
	for (int i = 0; i < n_events; i++)
		tell_gate(w, r->v[1 + i].s);
	for (int i = 0; i < w->n_asked; i++)
		tell_change(w, w->asked[i], r->v[1 + n_events + i].s);
	tell_restriction(w);
	keep(w);
}

/* Codes of quotas that are used up; classes stand in for their number in the table of errors. */
static const char quotas[] = " "
#define IS_THROTTLED(code) #code " "
#define IS_HELD(code)
#define IS_SERVER(code)
#define IS_REFUSED(code)
#define GRAPH_ERROR(code, class, ...) IS_##class(code)
#include "tbl/graph_errors.h"
#undef GRAPH_ERROR
#undef IS_THROTTLED
#undef IS_HELD
#undef IS_SERVER
#undef IS_REFUSED
	;

static void look(struct watch *w)
{
	const struct conf *c = graph_conf(w->g);
	char watched[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], first[24], most[24], n_judged[24];
	struct store_arg args[ARGS_MAX];
	int n = 0;

	key_watch(c, w->who.account, watched);
	key_holds(c, w->who.account->tenant, holds);
	snprintf(first, sizeof(first), "%" PRId64, c->hold_first);
	snprintf(most, sizeof(most), "%" PRId64, c->hold_max);
	snprintf(n_judged, sizeof(n_judged), "%d", w->n_judged);
	args[n++] = STORE_ARG(watched);
	args[n++] = STORE_ARG(holds);
	args[n++] = STORE_ARG("look");
	args[n++] = STORE_ARG(first);
	args[n++] = STORE_ARG(most);
	args[n++] = STORE_ARG(quotas);
	args[n++] = STORE_ARG(n_judged);
	for (int i = 0; i < w->n_judged; i++) {
		args[n++] = STORE_ARG(w->judged[i].field);
		args[n++] = STORE_ARG(w->judged[i].state);
		args[n++] = STORE_ARG(w->judged[i].code);
		args[n++] = STORE_ARG(w->judged[i].words);
	}
	for (int i = 0; i < w->n_asked; i++)
		args[n++] = STORE_ARG(number_fact_name(w->asked[i]));
	if (store_script(graph_store(w->g), SCRIPT_WATCH, 2, args, n, on_looked, w) < 0) {
		graph_answer_later(w->g, &w->who, GRAPH_AWAY, "Redis does not answer");
		json_decref(w->facts);
		free(w);
	}
}

void watch_take(struct graph *g, struct alerts *alerts, const struct graph_for *who, const json_t *facts)
{
	struct watch *w = mem_alloc(sizeof(*w));
	struct hold_fields fields = { .of = { "" } };

	*w = (struct watch){ .g = g, .alerts = alerts, .who = *who, .facts = json_copy((json_t *)(uintptr_t)facts) };
	json_object_set_new(w->facts, "changes", json_array());
	json_object_set_new(w->facts, "held", json_array());
	json_object_set_new(w->facts, "released", json_array());
	hold_fields_of(who->account, &fields);
	judge(w, fields.of[HOLD_NUMBER], "number", NULL);
	judge(w, fields.of[HOLD_WABA], "waba", NULL);
	judge(w, fields.of[HOLD_ACCOUNT], "business", "app");
	for (int f = 0; f < FACTS; f++)
		if (number_fact_is_watched((enum number_fact)f) && value_of(facts, (enum number_fact)f))
			w->asked[w->n_asked++] = (enum number_fact)f;
	look(w);
}

/* ---- fetching ---- */

struct run { struct graph *g; struct alerts *alerts; struct graph_for who; };

static void on_number(void *arg, const struct graph_reply *r)
{
	struct run *run = arg;

	if (r->word == GRAPH_OK)
		watch_take(run->g, run->alerts, &run->who, r->json);
	else
		run->who.done(run->who.arg, r);
	free(run);
}

void watch_run(struct graph *g, struct alerts *alerts, const struct graph_for *who)
{
	struct run *run = mem_alloc(sizeof(*run));

	*run = (struct run){ g, alerts, *who };
	number_fetch(g, &(struct graph_for){ who->account, who->patience_ms, on_number, run });
}
