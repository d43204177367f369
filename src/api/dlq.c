#include "api/dlq.h"

#include <inttypes.h>

#include "api/dlq_session.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { LIST_LIMIT = 50, LIST_MAX = 10000, RATE = 100, RATE_MAX = 10000 };

static const char *const words[] = { "list", "show", "replay", "drop", "edit" };

/* ---- answers ---- */

static int64_t skipped(const struct dlq_session *s)
{
	int64_t sum = 0;

	for (int i = 0; i < LETTER_SKIPS; i++)
		sum += s->skipped[i];
	return sum;
}

static void tell(const struct dlq_session *s)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "command=%s matched=%" PRId64 " replayed=%" PRId64 " dropped=%" PRId64 " edited=%d skipped=%" PRId64
		    " left=%zu%s%s", words[s->what], s->matched, s->replayed, s->dropped, s->edited, skipped(s), s->n_left,
		    s->stopped ? " stopped=" : "", s->stopped ? s->stopped : "");
	if (s->replayed || s->dropped || s->edited)
		log_notice("dlq", "%s", text.buf);
	else
		log_info("dlq", "%s", text.buf);
	strbuf_release(&text);
}

static void over(struct dlq_session *s)
{
	tell(s);
	s->call = NULL;
	dlq_session_end(s);
}

void dlq_fail(struct dlq_session *s, int status, const char *code, const char *detail)
{
	struct strbuf text = STRBUF_INIT;

	if (s->stage == DLQ_OVER)
		return;
	strbuf_addf(&text, "%s", detail);
	if (s->replayed || s->dropped)
		strbuf_addf(&text, " (after %" PRId64 " replayed, %" PRId64 " dropped)", s->replayed, s->dropped);
	if (s->edited)
		strbuf_adds(&text, " (the edited letter is in the queue, the old one may be there, too)");
	if (s->call)
		reply_problem(s->call, status, code, text.buf);
	s->stopped = code;
	over(s);
	strbuf_release(&text);
}

static json_t *counts(const struct dlq_session *s)
{
	json_t *o = json_object(), *because = json_object();

	json_put_int(o, "matched", s->matched);
	json_put_int(o, "replayed", s->replayed);
	json_put_int(o, "skipped", skipped(s));
	json_put_int(o, "dropped", s->dropped);
	json_put_int(o, "left", (int64_t)s->n_left);
	for (int i = 0; i < LETTER_SKIPS; i++)
		if (s->skipped[i])
			json_put_int(because, letter_skip_name((enum letter_skip)i), s->skipped[i]);
	json_object_set_new(o, "skipped_because", because);
	if (s->dry_run)
		json_object_set_new(o, "dry_run", json_true());
	return o;
}

static void answer_not_edited(struct dlq_session *s)
{
	struct strbuf why = STRBUF_INIT;

	if (s->refusal) {
		dlq_fail(s, 422, s->refusal, s->refusal_why.buf);
		return;
	}
	strbuf_addf(&why, "%s: the letter is still there, and if its new one reached the broker, that is there, too",
		    s->stopped ? s->stopped : "the broker did not take the edited letter");
	dlq_fail(s, 503, "broker_away", why.buf);
	strbuf_release(&why);
}

void dlq_answer(struct dlq_session *s)
{
	bool one = s->what == DLQ_SHOW || s->what == DLQ_EDIT;
	json_t *o;

	if (one && !s->found) {
		dlq_fail(s, 404, "no_letter", "this message has no dead letter");
		return;
	}
	if (s->what == DLQ_EDIT && !s->edited) {
		answer_not_edited(s);
		return;
	}
	if (s->call) {
		o = one ? json_incref(s->found) : counts(s);
		if (s->letters)
			json_object_set(o, "letters", s->letters);
		if (!one)
			json_put_text(o, "stopped", s->stopped);
		reply_json(s->call, 200, o);
	}
	over(s);
}

/* ---- calls ---- */

/* A number in a query parameter; absent: fallback. */
static int number(struct http_call *c, const char *name, int64_t fallback, int64_t max, int64_t *out, struct strbuf *why)
{
	const char *text = http_call_query(c, name);

	*out = fallback;
	if (!text || (parse_i64(text, out) == 0 && *out >= 1 && *out <= max))
		return 0;
	return why_set(why, "%s: found %s, allowed 1 to %" PRId64, name, text, max);
}

static int read_filter(struct dlq_session *s, struct http_call *c, bool *any, struct strbuf *why)
{
	int64_t now_ms = wall_ms();

	for (int i = 0; i < LETTER_FIELDS; i++) {
		const char *text = http_call_query(c, letter_option(i));

		if (!text)
			continue;
		if (letter_filter_set(&s->filter, i, text, now_ms, why) < 0)
			return -1;
		*any = true;
	}
	return 0;
}

static int read_query(struct dlq_session *s, struct http_call *c, struct strbuf *why)
{
	bool any = http_call_query(c, "all") != NULL;

	if (read_filter(s, c, &any, why) < 0)
		return -1;
	if ((s->what == DLQ_SHOW || s->what == DLQ_EDIT) && (!s->filter.text[LETTER_TENANT] || !s->filter.text[LETTER_ID]))
		return why_set(why, "tenant, id: both must be named");
	if (!any && (s->what == DLQ_REPLAY || s->what == DLQ_DROP))
		return why_set(why, "which ones?  Name a filter, or --all");
	s->dry_run = http_call_query(c, "dry-run") != NULL;
	s->may_duplicate = http_call_query(c, "may-duplicate") != NULL;
	return number(c, "limit", LIST_LIMIT, LIST_MAX, &s->limit, why) < 0 ||
		number(c, "rate", RATE, RATE_MAX, &s->rate, why) < 0 ? -1 : 0;
}

void dlq_call(struct dlq *d, enum dlq_what what, struct http_call *c)
{
	struct strbuf why = STRBUF_INIT;
	const char *code;

	if (d->session) {
		reply_problem(c, 409, "dlq_busy", "another command works on the dead letters");
		return;
	}
	d->session = dlq_session_new(d, what);
	code = read_query(d->session, c, &why) < 0 ? "bad_request" : what == DLQ_EDIT ? dlq_edit_read(d->session, c, &why) : NULL;
	if (code) {
		reply_problem(c, !strcmp(code, "too_large") ? 413 : strcmp(code, "bad_request") ? 422 : 400, code, why.buf);
		dlq_session_free(d->session);
	} else {
		dlq_session_start(d->session, c);
	}
	strbuf_release(&why);
}

/* Letters read, then letters that go again: what the whole is changes once, when all are read. */
void dlq_progress(const struct dlq *d, struct http_call *c)
{
	static const char *const stages[] = { [DLQ_COUNTING] = "counting", [DLQ_READING] = "reading", [DLQ_PUBLISHING] = "publishing",
					      [DLQ_RETURNING] = "giving_back", [DLQ_OVER] = "over" };
	const struct dlq_session *s = d->session;
	bool publishes = s && s->stage >= DLQ_PUBLISHING && s->n_held;
	json_t *o = json_object();

	json_object_set_new(o, "busy", json_boolean(s != NULL));
	if (s) {
		json_put_text(o, "command", words[s->what]);
		json_put_text(o, "stage", stages[s->stage]);
		json_put_int(o, "done", publishes ? s->replayed + s->edited : s->got);
		json_put_int(o, "total", publishes ? s->n_held : s->wanted);
		json_put_int(o, "s", mono_diff_ms(mono_now(), s->began) / 1000);
	}
	reply_json(c, 200, o);
}

struct dlq *dlq_new(struct loop *l, const struct conf *c)
{
	struct dlq *d = mem_alloc(sizeof(*d));

	*d = (struct dlq){ .loop = l, .conf = c };
	return d;
}

void dlq_free(struct dlq **dp)
{
	if (!*dp)
		return;
	if ((*dp)->session)
		dlq_session_free((*dp)->session);
	free(*dp);
	*dp = NULL;
}
