#include "io/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/broker_inside.h"

enum { NAME_MAX_LEN = 255 };		/* AMQP's short strings */

/* ---- on the connection's own channel: declarations and consumers ---- */

int broker_declare(struct broker *b, const struct broker_declare *d)
{
	static const enum wire_kind reply[] = {
		[BROKER_EXCHANGE] = WIRE_EXCHANGE_OK, [BROKER_QUEUE] = WIRE_QUEUE_OK, [BROKER_BINDING] = WIRE_BIND_OK,
	};

	if (b->state != STATE_UP || wire_put_declare(&b->out, d) < 0)
		return -1;
	protocol_expect(b, (struct expect){ .reply = reply[d->thing], .index = -1, .number = -1 });
	return 0;
}

static enum consumer_state consumer_state(const struct broker *b, int number)
{
	return number >= 0 && number < b->n_consumers ? b->consumers[number].state : CONSUMER_FREE;
}

static struct coming *consumer_new(struct broker *b, int number)
{
	if (number >= b->n_consumers) {
		int n = number + 64;

		b->consumers = mem_grow(b->consumers, (size_t)n, sizeof(*b->consumers));
		memset(b->consumers + b->n_consumers, 0, (size_t)(n - b->n_consumers) * sizeof(*b->consumers));
		b->n_consumers = n;
	}
	b->consumers[number].state = CONSUMER_ON;
	b->consumers[number].round++;
	return &b->consumers[number];
}

int broker_consume(struct broker *b, int consumer, const char *queue, int prefetch)
{
	if (consumer < 0 || consumer >= BROKER_CONSUMERS_MAX || prefetch < 0 || prefetch > UINT16_MAX)
		BUG("consumer %d with prefetch %d", consumer, prefetch);
	if (b->state != STATE_UP || consumer_state(b, consumer) != CONSUMER_FREE || strlen(queue) > NAME_MAX_LEN)
		return -1;
	protocol_consume(b, queue, (struct consumer){ -1, consumer }, consumer_new(b, consumer)->round, prefetch);
	return 0;
}

int broker_cancel(struct broker *b, int consumer, broker_done_f *done, void *arg)
{
	if (b->state != STATE_UP || consumer_state(b, consumer) != CONSUMER_ON)
		return -1;
	protocol_cancel(b, (struct consumer){ -1, consumer }, b->consumers[consumer].round, done, arg);
	b->consumers[consumer].state = CONSUMER_ENDING;
	return 0;
}

bool queues_consumer_is_known(const struct broker *b, int number)
{
	return consumer_state(b, number) != CONSUMER_FREE;
}

void queues_consumer_is_cancelled(struct broker *b, int number)
{
	b->consumers[number].state = CONSUMER_FREE;
}

/* One that is being cancelled has crossed this on the way: the broker answers basic.cancel all the same. */
int queues_on_gone(struct broker *b, int number)
{
	if (!queues_consumer_is_known(b, number))
		return why_set(&b->why, "protocol error: cancel of a consumer that is not ours");
	if (consumer_state(b, number) == CONSUMER_ENDING)
		return 0;
	b->consumers[number].state = CONSUMER_FREE;
	if (b->cb.consumer_gone)
		b->cb.consumer_gone(b->arg, number);
	return 0;
}

/* ---- on the side channel: questions that may be refused ---- */

struct question {
	struct list queued;
	char *queue;
	enum wire_kind reply;		/* WIRE_DELETE_OK, WIRE_QUEUE_OK; with it one of the next two, or NULL */
	broker_deleted_f *deleted;
	broker_counted_f *counted;
	void *arg;
};

enum answer { ANSWER_YES, ANSWER_REFUSED, ANSWER_MISSING, ANSWER_UNKNOWN };

static void question_end(struct question *q, enum answer a, int64_t ready)
{
	static const enum broker_deletion deletion[] = {
		[ANSWER_YES] = BROKER_DELETED, [ANSWER_REFUSED] = BROKER_IN_USE, [ANSWER_MISSING] = BROKER_DELETED,
		[ANSWER_UNKNOWN] = BROKER_NOT_DELETED,
	};

	if (a != ANSWER_YES)
		ready = a == ANSWER_MISSING ? BROKER_NO_QUEUE : BROKER_NO_COUNT;
	if (q->deleted)
		q->deleted(q->arg, deletion[a]);
	if (q->counted)
		q->counted(q->arg, ready);
	free(q->queue);
	free(q);
}

static struct question *first_question(const struct broker *b)
{
	return CONTAINER_OF(b->side.questions.next, struct question, queued);
}

static void put_question(struct broker *b, const struct question *q)
{
	broker_put_acks(b);
	if (q->reply == WIRE_DELETE_OK)
		broker_must(wire_put_delete(&b->out, WIRE_SIDE_CHANNEL, q->queue));
	else
		broker_must(wire_put_count(&b->out, WIRE_SIDE_CHANNEL, q->queue));
	b->side.is_asked = true;
	broker_wrote(b);
}

static void ask_next(struct broker *b)
{
	if (b->side.is_asked || list_is_empty(&b->side.questions))
		return;
	if (b->side.state == SIDE_CLOSED) {
		broker_must(wire_put_channel_open(&b->out, WIRE_SIDE_CHANNEL));
		b->side.state = SIDE_OPENING;
	}
	put_question(b, first_question(b));
}

static int ask(struct broker *b, const struct question *how)
{
	struct question *q;

	if (b->state != STATE_UP || !b->side.is_allowed || strlen(how->queue) > NAME_MAX_LEN)
		return -1;
	q = mem_alloc(sizeof(*q));
	*q = *how;
	q->queue = mem_strdup(how->queue);
	list_add_tail(&b->side.questions, &q->queued);
	ask_next(b);
	return 0;
}

int broker_delete(struct broker *b, const char *queue, broker_deleted_f *done, void *arg)
{
	return ask(b, &(struct question){ .queue = (char *)(uintptr_t)queue, .reply = WIRE_DELETE_OK,
					  .deleted = done, .arg = arg });
}

int broker_peek_count(struct broker *b, const char *queue, broker_counted_f *counted, void *arg)
{
	return ask(b, &(struct question){ .queue = (char *)(uintptr_t)queue, .reply = WIRE_QUEUE_OK,
					  .counted = counted, .arg = arg });
}

/* The next one is asked first, for the callback may ask more. */
static void end_first(struct broker *b, enum answer a, int64_t ready)
{
	struct question *q = CONTAINER_OF(list_pop(&b->side.questions), struct question, queued);

	b->side.is_asked = false;
	ask_next(b);
	question_end(q, a, ready);
}

/* Closing for a reason that is not the question's leaves open what became of it. */
static void on_side_close(struct broker *b, const struct wire_frame *f)
{
	broker_must(wire_put_channel_close_ok(&b->out, WIRE_SIDE_CHANNEL));
	broker_wrote(b);
	b->side.state = SIDE_CLOSED;
	if (!b->side.is_asked)
		return;
	if (f->about != first_question(b)->reply)
		end_first(b, ANSWER_UNKNOWN, 0);
	else
		end_first(b, f->code == 404 ? ANSWER_MISSING : ANSWER_REFUSED, 0);
}

int queues_on_side_frame(struct broker *b, const struct wire_frame *f)
{
	struct side *s = &b->side;

	if (f->kind == WIRE_CHANNEL_OPEN_OK && s->state == SIDE_OPENING)
		s->state = SIDE_OPEN;
	else if (f->kind == WIRE_CHANNEL_CLOSE && s->state != SIDE_CLOSED)
		on_side_close(b, f);
	else if (s->state == SIDE_OPEN && s->is_asked && f->kind == first_question(b)->reply)
		end_first(b, ANSWER_YES, f->ready);
	else
		return why_set(&b->why, "protocol error: unexpected %s on the side channel", wire_kind_name(f->kind));
	return 0;
}

/* ---- with the connection ---- */

void queues_init(struct broker *b)
{
	list_init(&b->side.questions);
}

void queues_release(struct broker *b)
{
	free(b->consumers);
}

/* The callbacks may ask again, which is refused: we are not up any more. */
void queues_lose_all(struct broker *b)
{
	for (int i = 0; i < b->n_consumers; i++)
		b->consumers[i].state = CONSUMER_FREE;
	b->side.state = SIDE_CLOSED;
	b->side.is_asked = b->side.is_allowed = false;
	while (!list_is_empty(&b->side.questions))
		question_end(CONTAINER_OF(list_pop(&b->side.questions), struct question, queued), ANSWER_UNKNOWN, 0);
}
