#include "api/v1_posting.h"

#include "api/look.h"
#include "api/take_back.h"
#include "api/why_ask.h"
#include "base/mem.h"

enum { POLL_FIRST_MS = 50, POLL_MAX_MS = 500 };

/* ---- what became of it ---- */

static void not_found(struct v1_call *q)
{
	v1_problem(q, 404, "no_message", "no message with this id is known: none was taken, it was refused before anything was sent, "
		   "or what was known of it has ended");
}

static void on_told(void *arg, enum look_word word, json_t *answer)
{
	struct v1_call *q = arg;

	switch (word) {
	case LOOK_RECORD:
	case LOOK_QUEUED:
	case LOOK_CANCELLED:
		v1_answer(q, 200, answer);
		return;
	case LOOK_NONE:
		json_decref(answer);
		not_found(q);
		return;
	case LOOK_AWAY:
		json_decref(answer);
		v1_retry(q, 1, "redis_away", "Redis does not answer");
		return;
	}
}

void on_v1_message(struct v1_call *q)
{
	const struct v1 *v = q->v;

	why_ask(&(struct why_ask){ .loop = v->loop, .conf = v->conf, .store = v->store, .board = v->board }, q->tenant, NULL, q->id, on_told, q);
}

/* ---- Prefer: wait ---- */

struct waiting {
	struct v1_call *q;
	char *key, *queued;
	size_t queued_len;
	char digest[2 * SHA256_LEN + 1];
	mono_t until;
	int64_t pause_ms;
	struct loop_timer poll;
};

static void waiting_free(struct waiting *w)
{
	loop_timer_stop(w->q->v->loop, &w->poll);
	free(w->key);
	free(w->queued);
	free(w);
}

static void end_waiting(void *work)
{
	waiting_free(work);
}

static const char *field(const struct store_reply *r, const char *name)
{
	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && !strcmp(r->v[i].s, name))
			return r->v[i + 1].s ? r->v[i + 1].s : "";
	return "";
}

/* Of this very message: another one may have had its id. */
static bool is_over(const struct waiting *w, const struct look *l)
{
	const char *digest = strchr(l->index, ' '), *state = l->word == LOOK_RECORD ? field(l->record, "s") : "";

	return l->word == LOOK_RECORD && digest && !strcmp(digest + 1, w->digest) &&
	       (!strcmp(state, "sent") || !strcmp(state, "dead") || !strcmp(state, "expired"));
}

static void answer_over(struct waiting *w, const struct store_reply *r)
{
	struct v1_call *q = w->q;
	json_t *o = json_object();

	json_put_text(o, "id", field(r, "id"));
	json_put_text(o, "status", field(r, "s"));
	if (*field(r, "w"))
		json_put_text(o, "wamid", field(r, "w"));
	if (*field(r, "r"))
		json_put_text(o, "reason", field(r, "r"));
	if (*field(r, "e"))
		json_put_text(o, "error", field(r, "e"));
	waiting_free(w);
	v1_answer(q, 200, o);
}

static void answer_queued(struct waiting *w)
{
	struct v1_call *q = w->q;
	char *queued = w->queued;
	size_t len = w->queued_len;

	w->queued = NULL;
	waiting_free(w);
	v1_answer_text(q, 202, queued, len);
	free(queued);
}

static void on_polled(void *arg, const struct look *l)
{
	struct waiting *w = arg;
	bool is_late = w->q->v->is_draining || !w->q->http || !mono_before(mono_now(), w->until);

	if (is_over(w, l)) {
		answer_over(w, l->record);
	} else if (is_late) {
		answer_queued(w);
	} else {
		loop_timer_set(w->q->v->loop, &w->poll, w->pause_ms);
		w->pause_ms = 2 * w->pause_ms < POLL_MAX_MS ? 2 * w->pause_ms : POLL_MAX_MS;
	}
}

static void on_poll(void *arg)
{
	struct waiting *w = arg;

	look_message(w->q->v->store, w->q->v->conf, w->q->tenant, w->key, on_polled, w);
}

void v1_wait(struct v1_call *q, const char *key, const char *digest, int64_t ms, const char *queued, size_t queued_len)
{
	struct waiting *w = mem_alloc(sizeof(*w));

	*w = (struct waiting){ .q = q, .key = mem_strdup(key), .queued = mem_strndup(queued, queued_len), .queued_len = queued_len,
			       .until = mono_add_ms(mono_now(), ms), .pause_ms = POLL_FIRST_MS };
	snprintf(w->digest, sizeof(w->digest), "%s", digest);
	loop_timer_init(&w->poll, on_poll, w);
	loop_timer_set(q->v->loop, &w->poll, POLL_FIRST_MS);
	q->work = w;
	q->end_work = end_waiting;
}

/* ---- taking it back ---- */

static void on_taken_back(void *arg, enum take_back_word word, const char *why)
{
	struct v1_call *q = arg;

	switch (word) {
	case TAKE_BACK_DONE:
		v1_answer(q, 200, json_pack("{s:s, s:s}", "id", q->id, "status", "cancelled"));
		return;
	case TAKE_BACK_LATE:
		v1_problem(q, 409, "too_late", why);
		return;
	case TAKE_BACK_NONE:
		not_found(q);
		return;
	case TAKE_BACK_AWAY:
		v1_retry(q, 1, "redis_away", "Redis does not answer");
		return;
	}
}

void on_v1_message_cancel(struct v1_call *q)
{
	take_back(q->v->store, q->v->conf, q->tenant, q->id, on_taken_back, q);
}
