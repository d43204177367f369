#include "api/dlq.h"

#include <inttypes.h>

#include "api/letter.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/broker.h"
#include "msg/hop.h"

enum {
	DEADLINE_MS = 120000,
	GRACE_MS = 10000,		/* after the deadline: for confirms and for giving back */
	CONNECT_MS = 5000,		/* brokers are tried in turn for so long */
	IDLE_MS = 3000,			/* somebody else took what we were counting on */
	PACE_MS = 10,
	LETTER_MAX = 64 << 20,
	HELD_MAX = 64 << 20,		/* bytes of messages waiting for their turn; further ones are left for the next replay */
	UNWRITTEN_MAX = 4 << 20,
	LIST_LIMIT = 50, LIST_MAX = 10000, RATE = 100, RATE_MAX = 10000,
};

enum stage { COUNTING, READING, REPLAYING, RETURNING, OVER };

static const char *const words[] = { "list", "show", "replay", "drop" };

struct session;

struct held {			/* a letter on its way back into the input */
	struct list list;
	struct session *s;
	struct broker_tag tag;
	struct replay replay;
	struct strbuf message;
	char *correlation;
};

struct session {
	struct dlq *d;
	enum dlq_what what;
	enum stage stage;
	struct http_call *call;		/* NULL: the client has gone */
	struct letter_filter filter;
	int64_t limit, rate;
	bool dry_run, may_duplicate, has_run[2];
	struct broker *in, *out;
	struct loop_timer deadline, idle, pace, end;
	mono_t began, replay_began;

	int64_t wanted, got, matched, replayed, dropped, skipped[LETTER_SKIPS], published;
	json_t *letters, *found;	/* list; show */
	struct list held;
	size_t held_bytes;
	int unconfirmed, barriers;
	struct broker_tag *left;	/* what goes back */
	size_t n_left, left_size;
	const char *stopped;		/* why it ended early */
};

struct dlq {
	struct loop *loop;
	const struct conf *conf;
	struct session *session;
};

/* ---- the end ---- */

static void on_end(void *arg);
static void stop(struct session *s, const char *why);

static void held_free(struct held *h)
{
	strbuf_release(&h->message);
	free(h->correlation);
	free(h);
}

static void leave(struct session *s, struct broker_tag tag)
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

static void leave_held(struct session *s)
{
	while (!list_is_empty(&s->held)) {
		struct held *h = CONTAINER_OF(list_pop(&s->held), struct held, list);

		leave(s, h->tag);
		held_free(h);
	}
}

static int64_t skipped(const struct session *s)
{
	int64_t sum = 0;

	for (int i = 0; i < LETTER_SKIPS; i++)
		sum += s->skipped[i];
	return sum;
}

static void tell(const struct session *s)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "command=%s matched=%" PRId64 " replayed=%" PRId64 " dropped=%" PRId64 " skipped=%" PRId64 " left=%zu%s%s",
		    words[s->what], s->matched, s->replayed, s->dropped, skipped(s), s->n_left, s->stopped ? " stopped=" : "",
		    s->stopped ? s->stopped : "");
	if (s->replayed || s->dropped)
		log_notice("dlq", "%s", text.buf);
	else
		log_info("dlq", "%s", text.buf);
	strbuf_release(&text);
}

/* Not from here: a broker may not be freed in its own callback. */
static void over(struct session *s)
{
	tell(s);
	s->call = NULL;
	s->stage = OVER;
	loop_timer_set(s->d->loop, &s->end, 0);
}

static void fail(struct session *s, int status, const char *code, const char *detail)
{
	struct strbuf text = STRBUF_INIT;

	if (s->stage == OVER)
		return;
	strbuf_addf(&text, "%s", detail);
	if (s->replayed || s->dropped)
		strbuf_addf(&text, " (after %" PRId64 " replayed, %" PRId64 " dropped)", s->replayed, s->dropped);
	if (s->call)
		reply_problem(s->call, status, code, text.buf);
	s->stopped = code;
	over(s);
	strbuf_release(&text);
}

static json_t *counts(const struct session *s)
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

static void answer(struct session *s)
{
	json_t *o;

	if (s->what == DLQ_SHOW && !s->found) {
		fail(s, 404, "no_letter", "this message has no dead letter");
		return;
	}
	if (s->call) {
		o = s->what == DLQ_SHOW ? json_incref(s->found) : counts(s);
		if (s->letters)
			json_object_set(o, "letters", s->letters);
		if (s->what != DLQ_SHOW)
			json_put_text(o, "stopped", s->stopped);
		reply_json(s->call, 200, o);
	}
	over(s);
}

/* ---- giving back ---- */

static void on_counted(void *arg, int64_t ready);

static void count(struct session *s)
{
	if (broker_count(s->in, s->d->conf->amqp_dlq, on_counted, s) < 0)
		fail(s, 503, "broker_away", "the broker went away");
}

/* Behind the second answer no letter is on its way to us any more; behind the third our acks and nacks have arrived. */
static void on_barrier(struct session *s)
{
	s->barriers++;
	if (s->barriers == 2)
		for (size_t i = 0; i < s->n_left; i++)
			broker_nack(s->in, s->left[i]);
	if (s->barriers == 3)
		answer(s);
	else
		count(s);
}

static void give_back(struct session *s)
{
	s->stage = RETURNING;
	loop_timer_stop(s->d->loop, &s->pace);
	count(s);
}

/* ---- replay ---- */

static void on_fate(void *arg, enum broker_fate fate)
{
	struct held *h = arg;
	struct session *s = h->s;

	s->unconfirmed--;
	if (s->stage == OVER) {
		held_free(h);
		return;
	}
	if (fate == BROKER_CONFIRMED) {
		broker_ack(s->in, h->tag);
		s->replayed++;
	} else {
		leave(s, h->tag);
	}
	held_free(h);
	if (fate == BROKER_RETURNED)
		stop(s, "the input queue is gone");
	else if (fate != BROKER_CONFIRMED)
		stop(s, "the broker did not take a message");
	else if (list_is_empty(&s->held) && !s->unconfirmed && s->stage == REPLAYING)
		give_back(s);
}

static void publish(struct session *s, struct held *h)
{
	const struct conf *c = s->d->conf;
	char text[HOP_TEXT_MAX];
	struct broker_publish p = {
		.exchange = c->amqp_exchange, .routing_key = c->amqp_key, .mandatory = true, .body = h->message.buf, .len = h->message.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .priority = -1, .persistent = true, .n_headers = 1,
			   .headers = { { BROKER_TEXT(REPLAY_HEADER), { text, 0 } } } },
		.done = on_fate, .arg = h };

	replay_format(&h->replay, text);
	p.props.headers[0].value.len = strlen(text);
	if (h->correlation)
		p.props.correlation_id = BROKER_TEXT(h->correlation);
	s->published++;
	if (broker_publish(s->out, &p) == 0) {
		s->unconfirmed++;
		return;
	}
	leave(s, h->tag);
	held_free(h);
}

static bool may_publish(const struct session *s)
{
	return !list_is_empty(&s->held) && broker_is_up(s->out) && !broker_is_blocked(s->out) && broker_unwritten(s->out) < UNWRITTEN_MAX;
}

static void on_pace(void *arg)
{
	struct session *s = arg;
	int64_t due = 1 + mono_diff_ms(mono_now(), s->replay_began) * s->rate / 1000;

	if (!broker_is_up(s->out))
		s->replay_began = mono_now();	/* nothing is published yet: losing it later ends the replay */
	while (s->published < due && may_publish(s))
		publish(s, CONTAINER_OF(list_pop(&s->held), struct held, list));
	if (list_is_empty(&s->held) && !s->unconfirmed)
		give_back(s);
	else
		loop_timer_set(s->d->loop, &s->pace, PACE_MS);
}

static void hold(struct session *s, const json_t *letter, struct broker_tag tag)
{
	const char *correlation = json_text(letter, "correlation_id");
	struct held *h = mem_alloc(sizeof(*h));

	*h = (struct held){ .s = s, .tag = tag, .correlation = correlation ? mem_strdup(correlation) : NULL };
	h->replay = (struct replay){ .died_ms = letter_died_ms(letter), .may_duplicate = s->may_duplicate,
				     .attempts = (int)json_integer_value(json_object_get(letter, "attempts")) };
	strbuf_init(&h->message);
	json_dump_to(json_object_get(letter, "message"), JSON_COMPACT, &h->message);
	s->held_bytes += h->message.len;
	list_init(&h->list);
	list_add_tail(&s->held, &h->list);
}

/* ---- reading ---- */

static void read_over(struct session *s)
{
	loop_timer_stop(s->d->loop, &s->idle);
	broker_pause(s->in);
	if (list_is_empty(&s->held)) {
		give_back(s);
		return;
	}
	s->stage = REPLAYING;
	s->replay_began = mono_now();
	loop_timer_set(s->d->loop, &s->pace, 0);
}

static void on_idle(void *arg)
{
	read_over(arg);
}

static void take_for_replay(struct session *s, const json_t *letter, struct broker_tag tag)
{
	enum letter_skip skip = letter_skip(letter, s->may_duplicate, s->d->conf->retry_max + 1);

	if (skip != SKIP_NOT)
		s->skipped[skip]++;
	if (skip == SKIP_NOT && !s->dry_run && s->held_bytes < HELD_MAX)
		hold(s, letter, tag);
	else
		leave(s, tag);
}

static void take(struct session *s, const json_t *letter, struct broker_tag tag)
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
	}
	leave(s, tag);
}

static void on_delivery(void *arg, const struct broker_delivery *in)
{
	struct session *s = arg;
	json_t *letter;

	if (s->stage != READING) {
		leave(s, in->tag);
		if (s->barriers >= 2)
			broker_nack(s->in, in->tag);
		return;
	}
	letter = in->body ? json_loadb(in->body, in->len, 0, NULL) : NULL;
	if (letter_fits(letter, &s->filter))
		take(s, letter, in->tag);
	else
		leave(s, in->tag);
	json_decref(letter);
	loop_timer_set(s->d->loop, &s->idle, IDLE_MS);
	if (++s->got == s->wanted)
		read_over(s);
}

static void on_counted(void *arg, int64_t ready)
{
	struct session *s = arg;

	if (s->stage == OVER || ready == BROKER_NO_COUNT)
		return;		/* down() has spoken */
	if (ready == BROKER_NO_QUEUE) {
		fail(s, 404, "no_queue", "there is no dead-letter queue");
		return;
	}
	if (s->stage == RETURNING) {
		on_barrier(s);
		return;
	}
	s->wanted = ready;
	s->stage = READING;
	if (!ready) {
		read_over(s);
		return;
	}
	broker_resume(s->in);
	loop_timer_set(s->d->loop, &s->idle, IDLE_MS);
}

/* ---- what may come in between ---- */

static void stop(struct session *s, const char *why)
{
	if (!s->stopped)
		s->stopped = why;
	switch (s->stage) {
	case COUNTING:
		fail(s, 503, "broker_away", "the broker cannot be reached");
		break;
	case READING:
		leave_held(s);
		read_over(s);
		break;
	case REPLAYING:
		leave_held(s);
		loop_timer_stop(s->d->loop, &s->pace);
		if (!s->unconfirmed)
			give_back(s);
		break;
	case RETURNING:
	case OVER:
		break;
	}
}

static void on_deadline(void *arg)
{
	struct session *s = arg;

	if (s->stopped) {
		fail(s, 503, "broker_away", "the broker does not answer");
		return;
	}
	loop_timer_set(s->d->loop, &s->deadline, GRACE_MS);
	stop(s, "two minutes are over");
}

static void on_client_gone(void *arg)
{
	struct session *s = arg;

	s->call = NULL;
	loop_timer_set(s->d->loop, &s->deadline, GRACE_MS);
	stop(s, "the client has gone");
}

static void on_in_up(void *arg)
{
	struct session *s = arg;

	s->has_run[0] = true;
	count(s);
}

static void on_out_up(void *arg)
{
	struct session *s = arg;

	s->has_run[1] = true;
}

static bool is_hopeless(const struct session *s, bool has_run)
{
	return has_run || mono_diff_ms(mono_now(), s->began) > CONNECT_MS;
}

static void on_in_down(void *arg, const char *why)
{
	struct session *s = arg;

	if (is_hopeless(s, s->has_run[0]))
		fail(s, 503, "broker_away", why);
}

static void on_out_down(void *arg, const char *why)
{
	struct session *s = arg;

	(void)why;
	if (is_hopeless(s, s->has_run[1]))
		stop(s, "the broker went away");
}

static void on_refused(void *arg, const char *why)
{
	fail(arg, 503, "broker_away", why);
}

/* ---- a call ---- */

static struct broker *connect_broker(struct session *s, bool consumer)
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

static void session_free(struct session *s)
{
	struct loop *l = s->d->loop;

	s->stage = OVER;	/* the fates of what is not confirmed come now */
	broker_free(&s->out);
	broker_free(&s->in);
	while (!list_is_empty(&s->held))
		held_free(CONTAINER_OF(list_pop(&s->held), struct held, list));
	loop_timer_stop(l, &s->deadline);
	loop_timer_stop(l, &s->idle);
	loop_timer_stop(l, &s->pace);
	loop_timer_stop(l, &s->end);
	for (int i = 0; i < LETTER_FIELDS; i++)
		free(s->filter.text[i]);
	json_decref(s->letters);
	json_decref(s->found);
	free(s->left);
	s->d->session = NULL;
	free(s);
}

static void on_end(void *arg)
{
	session_free(arg);
}

/* A number in a query parameter; absent: fallback. */
static int number(struct http_call *c, const char *name, int64_t fallback, int64_t max, int64_t *out, struct strbuf *why)
{
	const char *text = http_call_query(c, name);

	*out = fallback;
	if (!text || (parse_i64(text, out) == 0 && *out >= 1 && *out <= max))
		return 0;
	return why_set(why, "%s: found %s, allowed 1 to %" PRId64, name, text, max);
}

static int read_query(struct session *s, struct http_call *c, struct strbuf *why)
{
	bool any = http_call_query(c, "all") != NULL;

	for (int i = 0; i < LETTER_FIELDS; i++) {
		const char *text = http_call_query(c, letter_option(i));

		if (!text)
			continue;
		s->filter.text[i] = mem_strdup(text);
		any = true;
	}
	if (s->what == DLQ_SHOW && (!s->filter.text[LETTER_TENANT] || !s->filter.text[LETTER_ID]))
		return why_set(why, "tenant, id: both must be named");
	if (!any && (s->what == DLQ_REPLAY || s->what == DLQ_DROP))
		return why_set(why, "which ones?  Name a filter, or --all");
	s->dry_run = http_call_query(c, "dry-run") != NULL;
	s->may_duplicate = http_call_query(c, "may-duplicate") != NULL;
	return number(c, "code", 0, INT32_MAX, &s->filter.code, why) < 0 || number(c, "limit", LIST_LIMIT, LIST_MAX, &s->limit, why) < 0 ||
		number(c, "rate", RATE, RATE_MAX, &s->rate, why) < 0 ? -1 : 0;
}

static struct session *session_new(struct dlq *d, enum dlq_what what)
{
	struct session *s = mem_alloc(sizeof(*s));

	*s = (struct session){ .d = d, .what = what, .began = mono_now() };
	list_init(&s->held);
	loop_timer_init(&s->deadline, on_deadline, s);
	loop_timer_init(&s->idle, on_idle, s);
	loop_timer_init(&s->pace, on_pace, s);
	loop_timer_init(&s->end, on_end, s);
	d->session = s;
	return s;
}

static void session_start(struct session *s, struct http_call *c)
{
	s->call = c;
	http_call_on_gone(c, on_client_gone, s);
	if (s->what == DLQ_LIST)
		s->letters = json_array();
	s->in = connect_broker(s, true);
	broker_pause(s->in);		/* letters only after we have counted */
	if (s->what == DLQ_REPLAY && !s->dry_run)
		s->out = connect_broker(s, false);
	loop_timer_set(s->d->loop, &s->deadline, DEADLINE_MS);
}

void dlq_call(struct dlq *d, enum dlq_what what, struct http_call *c)
{
	struct strbuf why = STRBUF_INIT;

	if (d->session) {
		reply_problem(c, 409, "dlq_busy", "another command works on the dead letters");
		return;
	}
	session_new(d, what);
	if (read_query(d->session, c, &why) < 0) {
		reply_problem(c, 400, "bad_request", why.buf);
		session_free(d->session);
	} else {
		session_start(d->session, c);
	}
	strbuf_release(&why);
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
		session_free((*dp)->session);
	free(*dp);
	*dp = NULL;
}
