#include "api/why.h"

#include <inttypes.h>

#include "base/str.h"

static const char *field(const struct store_reply *r, const char *name)
{
	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && !strcmp(r->v[i].s, name))
			return r->v[i + 1].s ? r->v[i + 1].s : "";
	return "";
}

static int64_t number(const struct store_reply *r, const char *name)
{
	int64_t v;

	return parse_i64(field(r, name), &v) < 0 ? 0 : v;
}

static void set_own(struct why *w, enum wait_cause cause, int64_t until_ms)
{
	w->own = cause;
	w->until_ms = until_ms;
}

/* To the second, upwards: "in 0s" would be over already. */
static void add_left(struct strbuf *out, const char *lead, int64_t ms)
{
	char left[32];

	format_msec(ms < 1000 ? 1000 : (ms + 999) / 1000 * 1000, left);
	strbuf_addf(out, "%s%s", lead, left);
}

/* ---- marks ---- */

/* What a mark says in words, where these do not depend on what holds the account now. */
static const char *mark_words(enum wait_cause c)
{
	switch (c) {
	case WAIT_PAIR_LIMIT:
		return "its recipient has had enough messages of this number for now";
	case WAIT_TEMPLATE:
		return "nobody can tell what its template is like";
	case WAIT_FILE:
		return "there is no id of Graph's yet for one of its files";
	case WAIT_TENANT_AWAY:
		return "its tenant could not be found out";
	case WAIT_HOLD:
		return "what held it is over";
	default:
		return "";
	}
}

static void take_mark(struct why *w, const struct mark *m, int64_t now_ms)
{
	bool is_hold = m->cause == WAIT_HOLD || m->cause == WAIT_PAIR_LIMIT;

	snprintf(w->account, sizeof(w->account), "%s", m->account);
	if (is_hold)
		snprintf(w->field, sizeof(w->field), "%s", m->detail);
	else
		snprintf(w->class, sizeof(w->class), "%.15s", m->detail);
	if (m->until_ms && m->until_ms <= now_ms) {		/* back, and not begun with yet */
		set_own(w, WAIT_QUEUE, 0);
		return;
	}
	set_own(w, m->cause, m->until_ms);
	if (m->cause == WAIT_RETRY_TIMER)
		return;
	strbuf_setf(&w->words, "%s", mark_words(m->cause));
	if (m->until_ms)
		add_left(&w->words, "; it comes back in ", m->until_ms - now_ms);
}

/* ---- records ---- */

static void say_retry(struct why *w, const struct store_reply *r, int64_t now_ms)
{
	const char *error = field(r, "e");
	struct mark m;

	set_own(w, WAIT_RETRY_TIMER, 0);
	if (mark_read(field(r, "wt"), &m) == 0 && m.at_ms >= number(r, "at"))
		take_mark(w, &m, now_ms);
	if (w->own != WAIT_RETRY_TIMER)
		return;
	strbuf_setf(&w->words, "attempt %" PRId64 " waits in a delay queue", number(r, "n") + 1);
	if (w->until_ms)
		add_left(&w->words, " and is made in ", w->until_ms - now_ms);
	strbuf_addf(&w->words, "%s%s", *error ? "; the last answer was: " : "", error);
}

static void say_sending(struct why *w, const struct store_reply *r, int64_t now_ms)
{
	int64_t n = number(r, "n"), left = number(r, "l") - now_ms;

	set_own(w, WAIT_SENDING, number(r, "l"));
	if (left > 0)
		strbuf_setf(&w->words, "attempt %" PRId64 " is being made by %s; its lease ends in %" PRId64 " ms", n, field(r, "o"), left);
	else
		strbuf_setf(&w->words, "attempt %" PRId64 " was begun by %s, which has not said what came of it and whose lease is over; "
			    "it becomes an unknown outcome when its copy comes back", n, field(r, "o"));
}

/* A message that was replayed, and waits, has a mark in the record of its former life. */
static bool is_reopened(struct why *w, const struct store_reply *r, int64_t now_ms)
{
	struct mark m;

	if (mark_read(field(r, "wt"), &m) < 0 || m.at_ms < number(r, "at"))
		return false;
	take_mark(w, &m, now_ms);
	return true;
}

static void say_state(struct why *w, const struct conf *c, const struct store_reply *r, int64_t now_ms)
{
	const char *state = field(r, "s");

	w->is_over = true;
	if (!strcmp(state, "sending")) {
		say_sending(w, r, now_ms);
	} else if (!strcmp(state, "unknown")) {
		set_own(w, WAIT_UNKNOWN_OUTCOME, c ? number(r, "at") + c->unknown_timer : 0);
		strbuf_setf(&w->words, "nobody can tell yet whether Graph took attempt %" PRId64 "; it waits out message.unknown_timer, "
			    "then message.on_unknown decides", number(r, "n"));
	} else if (!strcmp(state, "retry")) {
		w->is_over = false;
		say_retry(w, r, now_ms);
	} else if (!strcmp(state, "sent")) {
		strbuf_adds(&w->words, "Graph accepted it; it waits for nothing");
	} else if (!strcmp(state, "dead") || !strcmp(state, "expired")) {
		w->is_over = !is_reopened(w, r, now_ms);
		if (w->is_over && !strcmp(state, "dead"))
			strbuf_setf(&w->words, "it is in the dead-letter queue: %s", field(r, "r"));
		else if (w->is_over)
			strbuf_adds(&w->words, "it expired before it could be sent and is in the dead-letter queue");
	} else {
		strbuf_setf(&w->words, "its record is in state %s", state);
	}
}

/* admit.lua: "fallback", a warning, or both. */
static void put_guard(json_t *o, const char *said)
{
	static const char fallback[] = "fallback";

	if (str_starts(said, fallback)) {
		json_put_text(o, "sent_as", "template");
		said += sizeof(fallback) - 1;
		said += *said == ' ';
	}
	if (*said)
		json_object_set_new_nocheck(o, "warnings", json_pack("[s]", said));
}

/* What webhooks told, and when, by Meta's clock: the fields S:<status>. */
static void put_statuses(json_t *o, const struct store_reply *r)
{
	json_t *statuses = json_object();
	int64_t at;

	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && str_starts(r->v[i].s, "S:") && r->v[i + 1].s && parse_i64(r->v[i + 1].s, &at) == 0)
			json_put_time(statuses, r->v[i].s + 2, at);
	if (json_object_size(statuses))
		json_object_set_nocheck(o, "statuses", statuses);
	json_decref(statuses);
}

static void put_record(json_t *o, const struct store_reply *r)
{
	struct strbuf text = STRBUF_INIT;
	const char *code = field(r, "code");
	json_t *history;

	json_put_text(o, "id", field(r, "id"));
	json_put_text(o, "tenant_id", field(r, "te"));
	json_put_text(o, "account_id", field(r, "ac"));
	json_put_text(o, "state", field(r, "s"));
	json_put_int(o, "attempts", number(r, "n"));
	if (*field(r, "w"))
		json_put_text(o, "wamid", field(r, "w"));
	if (*field(r, "r"))
		json_put_text(o, "reason", field(r, "r"));
	if (*code && strcmp(code, "0"))
		json_put_int(o, "code", number(r, "code"));
	if (*field(r, "e"))
		json_put_text(o, "error", field(r, "e"));
	put_guard(o, field(r, "gd"));
	put_statuses(o, r);
	json_put_time(o, "first_seen", number(r, "t0"));
	json_put_time(o, "changed_at", number(r, "at"));
	json_put_time(o, "expires_at", number(r, "x"));
	strbuf_addf(&text, "[%s]", field(r, "h"));
	history = json_loadb(text.buf, text.len, 0, NULL);
	json_object_set_new_nocheck(o, "history", history ? history : json_array());
	strbuf_release(&text);
}

static void begin_with_record(struct why *w, const struct conf *c, const struct store_reply *r, int64_t now_ms)
{
	snprintf(w->account, sizeof(w->account), "%s", field(r, "ac"));
	snprintf(w->template, sizeof(w->template), "%s", field(r, "tp"));
	snprintf(w->who, sizeof(w->who), "%s", field(r, "rw"));
	put_record(w->o, r);
	say_state(w, c, r, now_ms);
}

/* ---- without one ---- */

static void begin_without_record(struct why *w, const char *id, const struct look *l, int64_t now_ms)
{
	struct mark m;

	json_put_text(w->o, "id", id);
	json_put_text(w->o, "tenant_id", w->tenant->id);
	if (l->word == LOOK_CANCELLED) {
		w->is_over = true;
		strbuf_adds(&w->words, "it was taken back; it ends as a dead letter when its turn comes");
	} else if (mark_read(l->index, &m) == 0) {
		take_mark(w, &m, now_ms);
		json_put_text(w->o, "account_id", w->account);
		json_put_time(w->o, "changed_at", m.at_ms);
	} else {
		set_own(w, WAIT_QUEUE, 0);
		strbuf_adds(&w->words, "it is on the queue; no sender has begun with it: it waits its turn there or in its account's lane");
	}
	json_put_text(w->o, "state", l->word == LOOK_CANCELLED ? "cancelled" : "queued");
	json_put_int(w->o, "attempts", 0);
	json_put_time(w->o, "first_seen", l->since_ms);
	json_object_set_new_nocheck(w->o, "history", json_array());
}

void why_begin(struct why *w, const struct conf *c, const struct tenant *t, const char *id, const struct look *l, int64_t now_ms)
{
	*w = (struct why){ .tenant = t, .word = l->word, .o = json_object(), .own = WAIT_CAUSES, .words = STRBUF_INIT };
	switch (l->word) {
	case LOOK_RECORD:
		begin_with_record(w, c, l->record, now_ms);
		return;
	case LOOK_QUEUED:
	case LOOK_CANCELLED:
		begin_without_record(w, id, l, now_ms);
		return;
	case LOOK_NONE:
		strbuf_adds(&w->words, "no record: it was not taken from the queue yet, or it was refused before anything was sent (then it is in the "
			    "dead-letter queue), or its record has ended");
		return;
	case LOOK_AWAY:
		set_own(w, WAIT_REDIS_AWAY, 0);
		strbuf_adds(&w->words, "Redis does not answer");
		return;
	}
}

static void add_field(struct why_fields *out, int *n, const char *text)
{
	for (int i = 0; i < *n; i++)
		if (!strcmp(out->of[i], text))
			return;
	if (*text && *n < WHY_FIELDS_MAX)
		snprintf(out->of[(*n)++], HOLD_FIELD_MAX, "%s", text);
}

/* Of all classes where nobody knows the message's. */
static void add_priorities(const struct why *w, struct why_fields *out, int *n)
{
	static const char *const classes[] = {
#define PRIORITY_CLASS(ident, word, from, to) word,
#include "tbl/priorities.h"
#undef PRIORITY_CLASS
	};
	char text[HOLD_FIELD_MAX];

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (*w->class ? strcmp(w->class, classes[i]) != 0 : *w->account != 0)
			continue;
		hold_priority_field(w->tenant, classes[i], text);
		add_field(out, n, text);
	}
}

int why_fields(const struct why *w, const struct account *a, struct why_fields *out)
{
	char name[HOLD_FIELD_MAX], text[HOLD_FIELD_MAX];
	struct hold_fields all = { .of = { "" } };
	char *slash;
	int n = 0;

	hold_fields_of(a, &all);
	for (int i = 0; i < HOLD_TEMPLATE; i++)
		add_field(out, &n, all.of[i]);
	add_field(out, &n, w->field);
	if (*w->template) {
		snprintf(name, sizeof(name), "%s", w->template);
		hold_template_field(a, name, NULL, text);
		add_field(out, &n, text);
		slash = strrchr(name, '/');
		if (slash)
			*slash = 0;
		hold_template_field(a, name, NULL, text);
		add_field(out, &n, text);
	}
	if (*w->who) {
		hold_recipient_field(a, w->who, text);
		add_field(out, &n, text);
	}
	add_priorities(w, out, &n);
	return n;
}
