#include "api/dlq_session.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "msg/hop.h"

enum {
	PACE_MS = 10,
	HELD_MAX = 64 << 20,		/* bytes of messages waiting for their turn; further ones are left for the next replay */
	UNWRITTEN_MAX = 4 << 20,
};

struct held {			/* a letter whose message goes back into the input, or that goes edited into its own queue */
	struct list list;
	struct dlq_session *s;
	struct broker_tag tag;
	struct replay replay;
	struct strbuf body;
	char *correlation;
};

static void held_free(struct held *h)
{
	strbuf_release(&h->body);
	free(h->correlation);
	free(h);
}

void dlq_publish_give_up(struct dlq_session *s)
{
	while (!list_is_empty(&s->held)) {
		struct held *h = CONTAINER_OF(list_pop(&s->held), struct held, list);

		dlq_session_leave(s, h->tag);
		held_free(h);
	}
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct held *h = arg;
	struct dlq_session *s = h->s;

	s->unconfirmed--;
	if (s->stage == DLQ_OVER) {
		held_free(h);
		return;
	}
	if (fate == BROKER_CONFIRMED) {
		(void)FAILPOINT(DLQ_PUBLISHED);
		broker_ack(s->in, h->tag);
		s->edited = s->what == DLQ_EDIT;
		s->replayed += s->what == DLQ_REPLAY;
	} else {
		dlq_session_leave(s, h->tag);
	}
	held_free(h);
	if (fate == BROKER_RETURNED)
		dlq_session_stop(s, s->what == DLQ_EDIT ? "the dead-letter queue is gone" : "the input queue is gone");
	else if (fate != BROKER_CONFIRMED)
		dlq_session_stop(s, "the broker did not take a message");
	else if (list_is_empty(&s->held) && !s->unconfirmed && s->stage == DLQ_PUBLISHING)
		dlq_session_give_back(s);
}

static void publish(struct dlq_session *s, struct held *h)
{
	const struct conf *c = s->d->conf;
	char text[HOP_TEXT_MAX];
	struct broker_publish p = {
		.exchange = c->amqp_exchange, .routing_key = c->amqp_key, .mandatory = true, .body = h->body.buf, .len = h->body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .priority = -1, .persistent = true, .n_headers = 1,
			   .headers = { { BROKER_TEXT(REPLAY_HEADER), { text, 0 } } } },
		.done = on_fate, .arg = h };

	if (s->what == DLQ_EDIT) {
		p.exchange = "";
		p.routing_key = c->amqp_dlq;
		p.props.n_headers = 0;
		p.props.timestamp_s = h->replay.died_ms / 1000;
	}
	replay_format(&h->replay, text);
	p.props.headers[0].value.len = strlen(text);
	if (h->correlation)
		p.props.correlation_id = BROKER_TEXT(h->correlation);
	s->published++;
	if (broker_publish(s->out, &p) == 0) {
		s->unconfirmed++;
		return;
	}
	dlq_session_leave(s, h->tag);
	held_free(h);
}

static bool may_publish(const struct dlq_session *s)
{
	return !list_is_empty(&s->held) && broker_is_up(s->out) && !broker_is_blocked(s->out) && broker_unwritten(s->out) < UNWRITTEN_MAX;
}

void dlq_publish_on_pace(void *session)
{
	struct dlq_session *s = session;
	int64_t due = 1 + mono_diff_ms(mono_now(), s->publish_began) * s->rate / 1000;

	if (!broker_is_up(s->out))
		s->publish_began = mono_now();	/* nothing is published yet: losing it later ends the replay */
	while (s->published < due && may_publish(s))
		publish(s, CONTAINER_OF(list_pop(&s->held), struct held, list));
	if (list_is_empty(&s->held) && !s->unconfirmed)
		dlq_session_give_back(s);
	else
		loop_timer_set(s->d->loop, &s->pace, PACE_MS);
}

void dlq_publish_start(struct dlq_session *s)
{
	s->stage = DLQ_PUBLISHING;
	s->publish_began = mono_now();
	loop_timer_set(s->d->loop, &s->pace, 0);
}

bool dlq_publish_hold(struct dlq_session *s, const json_t *letter, struct broker_tag tag)
{
	const char *correlation = json_text(letter, "correlation_id");
	struct held *h;

	if (s->held_bytes >= HELD_MAX)
		return false;
	h = mem_alloc(sizeof(*h));
	*h = (struct held){ .s = s, .tag = tag, .correlation = correlation ? mem_strdup(correlation) : NULL };
	h->replay = (struct replay){ .died_ms = letter_died_ms(letter), .may_duplicate = s->may_duplicate,
				     .attempts = (int)json_integer_value(json_object_get(letter, "attempts")) };
	strbuf_init(&h->body);
	json_dump_to(s->what == DLQ_EDIT ? letter : json_object_get(letter, "message"), JSON_COMPACT, &h->body);
	s->held_bytes += h->body.len;
	s->n_held++;
	list_init(&h->list);
	list_add_tail(&s->held, &h->list);
	return true;
}
