#include "api/dlq_session.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
	DEADLINE_MS = 120000,
	GRACE_MS = 10000,		/* after the deadline: for confirms and for giving back */
	CONNECT_MS = 5000,		/* brokers are tried in turn for so long */
	IDLE_MS = 3000,			/* somebody else took what we were counting on */
	BACK_MS = 20,
	LETTER_MAX = 64 << 20,
};

void dlq_session_leave(struct dlq_session *s, struct broker_tag tag)
{
	if (s->n_left == s->left_size) {
		size_t size = s->left_size ? 2 * s->left_size : 256;
		struct broker_tag *bigger = mem_array(size, sizeof(*bigger));

		if (s->n_left)
			memcpy(bigger, s->left, s->n_left * sizeof(*bigger));
		free(s->left);
		s->left = bigger;
		s->left_size = size;
	}
	s->left[s->n_left++] = tag;
}

/* ---- giving back ---- */

static void on_counted(void *arg, int64_t ready);

static void count(struct dlq_session *s)
{
	if (broker_count(s->in, s->d->conf->amqp_dlq, on_counted, s) < 0)
		dlq_fail(s, 503, "broker_away", "the broker went away");
}

static int newest_first(const void *a, const void *b)
{
	const struct broker_tag *x = a, *y = b;

	return (x->tag < y->tag) - (x->tag > y->tag);
}

/*
 * RabbitMQ looks for the place of what comes back from the head of the queue: oldest first, ten thousand letters keep the queue busy for
 * minutes, and nobody else gets a word from it.
 */
static void nack_left(struct dlq_session *s)
{
	if (s->n_left)
		qsort(s->left, s->n_left, sizeof(*s->left), newest_first);
	for (size_t i = 0; i < s->n_left; i++)
		broker_nack(s->in, s->left[i]);
}

/* All are there again, or nobody sees more come: somebody else takes them. */
static bool are_back(struct dlq_session *s, int64_t ready)
{
	if (ready > s->seen_back) {
		s->seen_back = ready;
		s->grew = mono_now();
	}
	return ready >= (int64_t)s->n_left || mono_diff_ms(mono_now(), s->grew) > IDLE_MS;
}

/*
 * Behind the second answer no letter is on its way to us any more.  A queue answers questions before it takes acks and nacks, so then it
 * is asked until what was left is back: whoever looks next must find it.
 */
static void on_barrier(struct dlq_session *s, int64_t ready)
{
	s->barriers++;
	if (s->barriers == 2) {
		nack_left(s);
		s->grew = mono_now();
	}
	if (s->barriers < 3)
		count(s);
	else if (are_back(s, ready))
		dlq_answer(s);
	else
		loop_timer_set(s->d->loop, &s->idle, BACK_MS);
}

void dlq_session_give_back(struct dlq_session *s)
{
	s->stage = DLQ_RETURNING;
	loop_timer_stop(s->d->loop, &s->pace);
	count(s);
}

/* ---- reading ---- */

static void read_over(struct dlq_session *s)
{
	loop_timer_stop(s->d->loop, &s->idle);
	broker_pause(s->in);
	if (s->what == DLQ_EDIT)
		dlq_edit_make(s);
	if (list_is_empty(&s->held))
		dlq_session_give_back(s);
	else
		dlq_publish_start(s);
}

static void on_idle(void *arg)
{
	struct dlq_session *s = arg;

	if (s->stage == DLQ_RETURNING)
		count(s);
	else
		read_over(s);
}

static void take_for_replay(struct dlq_session *s, const json_t *letter, struct broker_tag tag)
{
	enum letter_skip skip = letter_skip(letter, s->may_duplicate, s->d->conf->retry_max + 1);

	if (skip != SKIP_NOT)
		s->skipped[skip]++;
	if (skip != SKIP_NOT || s->dry_run || !dlq_publish_hold(s, letter, tag))
		dlq_session_leave(s, tag);
}

static void take(struct dlq_session *s, const json_t *letter, struct broker_tag tag)
{
	s->matched++;
	switch (s->what) {
	case DLQ_LIST:
		if ((int64_t)json_array_size(s->letters) < s->limit)
			json_array_append_new(s->letters, letter_summary(letter));
		break;
	case DLQ_SHOW:
		json_decref(s->found);
		s->found = json_incref((json_t *)(uintptr_t)letter);
		break;
	case DLQ_REPLAY:
		take_for_replay(s, letter, tag);
		return;
	case DLQ_DROP:
		if (s->dry_run)
			break;
		broker_ack(s->in, tag);
		s->dropped++;
		return;
	case DLQ_EDIT:
		dlq_edit_take(s, letter, tag);
		return;
	}
	dlq_session_leave(s, tag);
}

static void on_delivery(void *arg, const struct broker_delivery *in)
{
	struct dlq_session *s = arg;
	json_t *letter;

	if (s->stage != DLQ_READING) {
		dlq_session_leave(s, in->tag);
		if (s->barriers >= 2)
			broker_nack(s->in, in->tag);
		return;
	}
	letter = in->body ? json_loadb(in->body, in->len, 0, NULL) : NULL;
	if (letter_fits(letter, &s->filter))
		take(s, letter, in->tag);
	else
		dlq_session_leave(s, in->tag);
	json_decref(letter);
	loop_timer_set(s->d->loop, &s->idle, IDLE_MS);
	if (++s->got == s->wanted)
		read_over(s);
}

static void on_counted(void *arg, int64_t ready)
{
	struct dlq_session *s = arg;

	if (s->stage == DLQ_OVER || ready == BROKER_NO_COUNT)
		return;		/* down() has spoken */
	if (ready == BROKER_NO_QUEUE) {
		dlq_fail(s, 404, "no_queue", "there is no dead-letter queue");
		return;
	}
	if (s->stage == DLQ_RETURNING) {
		on_barrier(s, ready);
		return;
	}
	s->wanted = ready;
	s->stage = DLQ_READING;
	if (!ready) {
		read_over(s);
		return;
	}
	broker_resume(s->in);
	loop_timer_set(s->d->loop, &s->idle, IDLE_MS);
}

/* ---- what may come in between ---- */

void dlq_session_stop(struct dlq_session *s, const char *why)
{
	if (!s->stopped)
		s->stopped = why;
	switch (s->stage) {
	case DLQ_COUNTING:
		dlq_fail(s, 503, "broker_away", "the broker cannot be reached");
		break;
	case DLQ_READING:
		dlq_publish_give_up(s);
		read_over(s);
		break;
	case DLQ_PUBLISHING:
		dlq_publish_give_up(s);
		loop_timer_stop(s->d->loop, &s->pace);
		if (!s->unconfirmed)
			dlq_session_give_back(s);
		break;
	case DLQ_RETURNING:
	case DLQ_OVER:
		break;
	}
}

static void on_deadline(void *arg)
{
	struct dlq_session *s = arg;

	if (s->stopped) {
		dlq_fail(s, 503, "broker_away", "the broker does not answer");
		return;
	}
	loop_timer_set(s->d->loop, &s->deadline, GRACE_MS);
	dlq_session_stop(s, "two minutes are over");
}

static void on_client_gone(void *arg)
{
	struct dlq_session *s = arg;

	s->call = NULL;
	loop_timer_set(s->d->loop, &s->deadline, GRACE_MS);
	dlq_session_stop(s, "the client has gone");
}

static void on_in_up(void *arg)
{
	struct dlq_session *s = arg;

	s->has_run[0] = true;
	count(s);
}

static void on_out_up(void *arg)
{
	struct dlq_session *s = arg;

	s->has_run[1] = true;
}

static bool is_hopeless(const struct dlq_session *s, bool has_run)
{
	return has_run || mono_diff_ms(mono_now(), s->began) > CONNECT_MS;
}

static void on_in_down(void *arg, const char *why)
{
	struct dlq_session *s = arg;

	if (is_hopeless(s, s->has_run[0]))
		dlq_fail(s, 503, "broker_away", why);
}

static void on_out_down(void *arg, const char *why)
{
	struct dlq_session *s = arg;

	(void)why;
	if (is_hopeless(s, s->has_run[1]))
		dlq_session_stop(s, "the broker went away");
}

static void on_refused(void *arg, const char *why)
{
	dlq_fail(arg, 503, "broker_away", why);
}

/* ---- its life ---- */

static struct broker *connect_broker(struct dlq_session *s, bool consumer)
{
	static const struct broker_callbacks in = { .up = on_in_up, .down = on_in_down, .delivery = on_delivery, .refused = on_refused };
	static const struct broker_callbacks out = { .up = on_out_up, .down = on_out_down, .refused = on_refused };
	const struct conf *c = s->d->conf;

	return broker_new(s->d->loop, &(struct broker_options){
		.urls = (const char *const *)c->amqp_urls.v, .n_urls = c->amqp_urls.n, .connection_name = "wamd keeper dlq",
		.ca_file = *c->amqp_ca_file ? c->amqp_ca_file : NULL, .queues = (const char *const *)&c->amqp_dlq, .n_queues = consumer,
		.confirms = !consumer, .body_max = LETTER_MAX, .heartbeat_s = c->amqp_heartbeat / 1000, .connect_ms = c->amqp_connect,
		.confirm_ms = c->amqp_confirm, .backoff_min_ms = c->amqp_backoff_min, .backoff_max_ms = 1000 }, consumer ? &in : &out, s);
}

void dlq_session_free(struct dlq_session *s)
{
	struct loop *l = s->d->loop;

	s->stage = DLQ_OVER;	/* the fates of what is not confirmed come now */
	broker_free(&s->out);
	broker_free(&s->in);
	dlq_publish_give_up(s);
	loop_timer_stop(l, &s->deadline);
	loop_timer_stop(l, &s->idle);
	loop_timer_stop(l, &s->pace);
	loop_timer_stop(l, &s->end);
	letter_filter_release(&s->filter);
	json_decref(s->letters);
	json_decref(s->found);
	letter_edit_release(&s->edit);
	strbuf_release(&s->refusal_why);
	free(s->left);
	s->d->session = NULL;
	free(s);
}

static void on_end(void *arg)
{
	dlq_session_free(arg);
}

void dlq_session_end(struct dlq_session *s)
{
	s->stage = DLQ_OVER;
	loop_timer_stop(s->d->loop, &s->idle);
	loop_timer_stop(s->d->loop, &s->pace);	/* nothing more is published whose letter nobody would ack */
	loop_timer_set(s->d->loop, &s->end, 0);
}

struct dlq_session *dlq_session_new(struct dlq *d, enum dlq_what what)
{
	struct dlq_session *s = mem_alloc(sizeof(*s));

	*s = (struct dlq_session){ .d = d, .what = what, .began = mono_now() };
	list_init(&s->held);
	strbuf_init(&s->refusal_why);
	loop_timer_init(&s->deadline, on_deadline, s);
	loop_timer_init(&s->idle, on_idle, s);
	loop_timer_init(&s->pace, dlq_publish_on_pace, s);
	loop_timer_init(&s->end, on_end, s);
	return s;
}

void dlq_session_start(struct dlq_session *s, struct http_call *c)
{
	s->call = c;
	http_call_on_gone(c, on_client_gone, s);
	if (s->what == DLQ_LIST)
		s->letters = json_array();
	s->in = connect_broker(s, true);
	broker_pause(s->in);		/* letters only after we have counted */
	if ((s->what == DLQ_REPLAY && !s->dry_run) || s->what == DLQ_EDIT)
		s->out = connect_broker(s, false);
	loop_timer_set(s->d->loop, &s->deadline, DEADLINE_MS);
}
