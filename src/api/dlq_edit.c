#include "api/dlq_session.h"
#include "base/clock.h"

const char *dlq_edit_read(struct dlq_session *s, struct http_call *c, struct strbuf *why)
{
	const char *message, *change;
	size_t len;

	message = http_call_body(c, &len);
	if (len > (size_t)s->d->conf->amqp_body_max) {
		why_write(why, "found %zu bytes, allowed %lld (amqp.message_max)", len, (long long)s->d->conf->amqp_body_max);
		return "too_large";
	}
	for (int i = 0; (change = http_call_query_at(c, "set", i)); i++)
		if (letter_edit_add(&s->edit, change, why) < 0)
			return "bad_request";
	if (!len == !s->edit.changes) {
		why_set(why, "found %s, allowed either a whole message or changes to it (set)", len ? "both" : "nothing to change");
		return "bad_request";
	}
	return len ? letter_edit_read(&s->edit, message, len, why) : NULL;
}

void dlq_edit_take(struct dlq_session *s, const json_t *letter, struct broker_tag tag)
{
	if (s->found)
		dlq_session_leave(s, s->found_tag);	/* older than this one */
	json_decref(s->found);
	s->found = json_incref((json_t *)(uintptr_t)letter);
	s->found_tag = tag;
}

void dlq_edit_make(struct dlq_session *s)
{
	json_t *letter = NULL;

	if (!s->found)
		return;
	if (!s->stopped)	/* else there may be a newer one */
		s->refusal = letter_edit_make(&s->edit, s->found, s->d->conf, wall_ms(), &letter, &s->refusal_why);
	if (!letter || !dlq_publish_hold(s, letter, s->found_tag)) {
		dlq_session_leave(s, s->found_tag);
		json_decref(letter);
		return;
	}
	json_decref(s->found);
	s->found = letter;
}
