#include "io/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "io/broker_inside.h"

enum {
	ACK_BATCH = 16, ACK_WAIT_MS = 5,
	BITE = 32768,			/* one read; more than a TLS record, so nothing stays hidden inside libssl */
	BITES = 2,			/* reads a wake-up */
	IN_SIZE = WIRE_FRAME_MAX + BITE,
	OUT_KEEP = 4 << 20,		/* an output buffer larger than this is given back when it is empty */
	TICK_MS = 250, REST_MS = 1000,
	UNACKED_MS = 20000,		/* TCP_USER_TIMEOUT */
	STEADY_MS = 5000,		/* up for so long: the next loss starts with a short wait again */
};

static const char *const state_help[] = {
#define STATE(ident, help) [STATE_##ident] = help,
	BROKER_STATES(STATE)
#undef STATE
};

static const unsigned may_enter[] = {
	[STATE_WAITING]  = BIT(STATE_DIALLING) | BIT(STATE_CLOSED),
	[STATE_DIALLING] = BIT(STATE_START) | BIT(STATE_WAITING) | BIT(STATE_CLOSED),
	[STATE_START]    = BIT(STATE_TUNE) | BIT(STATE_WAITING) | BIT(STATE_CLOSED),
	[STATE_TUNE]     = BIT(STATE_OPENING) | BIT(STATE_WAITING) | BIT(STATE_CLOSED),
	[STATE_OPENING]  = BIT(STATE_TOPOLOGY) | BIT(STATE_WAITING) | BIT(STATE_CLOSED),
	[STATE_TOPOLOGY] = BIT(STATE_UP) | BIT(STATE_WAITING) | BIT(STATE_CLOSED),
	[STATE_UP]       = BIT(STATE_WAITING) | BIT(STATE_CLOSED),
	[STATE_CLOSED]   = 0,
};

void broker_enter(struct broker *b, enum broker_state next)
{
	if (!(may_enter[b->state] & BIT(next)))
		BUG("broker: from %s to %s", state_help[b->state], state_help[next]);
	b->state = next;
}

const char *broker_state_help(enum broker_state s)
{
	return state_help[s];
}

void broker_must(int err)
{
	if (err < 0)	/* names and arguments were checked with the configuration */
		BUG("a method does not fit a frame");
}

/* ---- output: appended now, written at the end of the turn ---- */

void broker_wrote(struct broker *b)
{
	if (b->flush_is_set || b->flush_waits)
		return;
	b->flush_is_set = true;
	loop_hook_add(b->loop, &b->flush);
}

static void flush_later_no_more(struct broker *b)
{
	if (b->flush_is_set)
		loop_hook_del(&b->flush);
	b->flush_is_set = false;
}

static void out_written(struct broker *b, size_t n)
{
	b->out_at += n;
	b->bytes_out += n;
	b->last_write = mono_now();
	if (b->out_at < b->out.len) {
		if (b->out_at > OUT_KEEP / 4 && b->out_at > b->out.len / 2) {
			strbuf_drop_front(&b->out, b->out_at);
			b->out_at = 0;
		}
		return;
	}
	b->out_at = 0;
	if (b->out.size > OUT_KEEP)
		strbuf_release(&b->out);
	strbuf_reset(&b->out);
}

/* Acks wait for each other, but not when nothing else is in hand (little traffic, or the end), nor behind what stays open (a lane's ticket). */
static bool acks_are_enough(const struct broker *b)
{
	return b->acks.due >= ACK_BATCH || b->acks.due == b->acks.known || b->acks.is_behind_gap;
}

void broker_put_acks(struct broker *b)
{
	uint64_t tag;
	bool multiple;

	loop_timer_stop(b->loop, &b->ack);
	while (acks_take(&b->acks, &tag, &multiple))
		broker_must(wire_put_ack(&b->out, tag, multiple));
}

int broker_flush(struct broker *b, struct strbuf *why)
{
	ssize_t n = 1;

	if (acks_are_enough(b) || !loop_timer_is_set(&b->ack))
		broker_put_acks(b);
	while (n > 0 && b->out_at < b->out.len) {
		n = stream_write(b->stream, b->out.buf + b->out_at, b->out.len - b->out_at, why);
		if (n < 0)
			return -1;
		if (n > 0)
			out_written(b, (size_t)n);
	}
	b->flush_waits = b->out_at < b->out.len;
	stream_want_write(b->stream, b->flush_waits);
	return 0;
}

/* ---- losing and finding the connection ---- */

static int64_t retry_ms(struct broker *b, bool was_up)
{
	const struct broker_setup *s = b->setup;
	int64_t most = s->backoff_min_ms << (b->attempts < 16 ? b->attempts : 16);

	if (b->is_refused)
		return s->backoff_max_ms;
	if (!was_up && !dial_round_is_over(b->dial))
		return 0;
	b->attempts++;
	return rand_between(s->backoff_min_ms, most < s->backoff_max_ms ? most : s->backoff_max_ms);
}

static void forget_connection(struct broker *b)
{
	loop_timer_stop(b->loop, &b->tick);
	loop_timer_stop(b->loop, &b->deadline);
	flush_later_no_more(b);
	dial_cancel(b->dial);
	stream_free(&b->stream);
	b->flush_waits = b->consuming = b->blocked = b->wants_redeclare = false;
	b->in_len = b->out_at = 0;
	strbuf_release(&b->out);
	acks_forget(&b->acks);
	loop_timer_stop(b->loop, &b->ack);
	content_reset(&b->content);
	b->generation++;
}

static void drop(struct broker *b, const char *why)
{
	struct strbuf text = STRBUF_INIT;
	bool was_up = b->state == STATE_UP;

	strbuf_addf(&text, "%s: %s", dial_peer(b->dial), why);
	if (was_up && mono_diff_ms(loop_now(b->loop), b->up_since) >= STEADY_MS)
		b->attempts = 0;
	forget_connection(b);
	broker_enter(b, STATE_WAITING);
	loop_timer_set(b->loop, &b->deadline, retry_ms(b, was_up));
	if (b->is_refused && b->cb.refused)
		b->cb.refused(b->arg, text.buf);
	b->is_refused = false;
	if (b->cb.down)
		b->cb.down(b->arg, text.buf);
	confirms_lose_all(&b->confirms);
	protocol_lose_all(b);
	queues_lose_all(b);
	strbuf_release(&text);
}

static void on_ack(void *arg)
{
	broker_wrote(arg);
}

static void on_flush(void *arg)
{
	struct broker *b = arg;

	flush_later_no_more(b);
	strbuf_reset(&b->why);
	if (b->stream && broker_flush(b, &b->why) < 0)
		drop(b, b->why.buf);
}

static void on_deadline(void *arg)
{
	struct broker *b = arg;

	if (b->wants_redeclare) {
		drop(b, "a queue is gone: everything is declared again");
		return;
	}
	if (b->state != STATE_WAITING) {
		strbuf_setf(&b->why, "no answer in %lld ms, waiting for %s", (long long)b->setup->connect_ms,
			    state_help[b->state]);
		drop(b, b->why.buf);
		return;
	}
	broker_enter(b, STATE_DIALLING);
	loop_timer_set(b->loop, &b->deadline, b->setup->connect_ms);
	dial_start(b->dial);
}

static bool is_silent(const struct broker *b, mono_t now)
{
	return mono_diff_ms(now, b->last_read) > 2000LL * b->heartbeat_s;
}

/* While blocked the broker reads nothing, so nothing can be confirmed: that time does not count. */
static bool is_unconfirmed(const struct broker *b, mono_t now)
{
	mono_t since;

	if (b->blocked || !confirms_oldest(&b->confirms, &since))
		return false;
	if (mono_before(since, b->unblocked_at))
		since = b->unblocked_at;
	return mono_diff_ms(now, since) > b->setup->confirm_ms;
}

/* Seldom only where nothing waits for a confirm, and what is published meanwhile is seen long before its time is over. */
static int64_t tick_ms(const struct broker *b)
{
	bool may_rest = !b->confirms.pending && b->setup->confirm_ms >= 4 * REST_MS && b->heartbeat_s * 1000LL >= 4 * REST_MS;

	return may_rest ? REST_MS : TICK_MS;
}

static void on_tick(void *arg)
{
	struct broker *b = arg;
	mono_t now = mono_now();

	if (is_silent(b, now)) {
		strbuf_setf(&b->why, "silent for %d s", 2 * b->heartbeat_s);
		drop(b, b->why.buf);
		return;
	}
	if (is_unconfirmed(b, now)) {
		strbuf_setf(&b->why, "a publish is unconfirmed after %lld ms", (long long)b->setup->confirm_ms);
		drop(b, b->why.buf);
		return;
	}
	if (mono_diff_ms(now, b->last_write) >= 500LL * b->heartbeat_s - TICK_MS / 2 && b->out.len == b->out_at) {
		wire_put_heartbeat(&b->out);
		broker_wrote(b);
	}
	broker_start_tick(b);
}

void broker_start_tick(struct broker *b)
{
	loop_timer_set_beat(b->loop, &b->tick, tick_ms(b));
}

void broker_unacked_patience(struct broker *b, bool limited)
{
	stream_unacked_timeout(b->stream, limited ? UNACKED_MS : 0);
}

void broker_came_up(struct broker *b)
{
	loop_timer_stop(b->loop, &b->deadline);
	b->up_since = loop_now(b->loop);
	broker_enter(b, STATE_UP);
	if (b->cb.up)
		b->cb.up(b->arg);
}

/* ---- input ---- */

static int read_some(struct broker *b)
{
	for (int i = 0; i < BITES; i++) {
		bool eof;
		ssize_t n = stream_read(b->stream, b->in + b->in_len, BITE, &eof, &b->why);

		if (n <= 0) {
			b->is_refused |= eof && b->state == STATE_TUNE;	/* older brokers say "wrong login" so */
			return (int)n;
		}
		b->last_read = loop_now(b->loop);
		b->in_len += (size_t)n;
		if (protocol_take(b) < 0)
			return -1;
		if (n < BITE / 2)
			return 0;
	}
	return 0;
}

static void on_ready(void *arg)
{
	struct broker *b = arg;

	strbuf_reset(&b->why);
	if (read_some(b) < 0 || (b->flush_waits && broker_flush(b, &b->why) < 0))
		drop(b, b->why.buf);
}

static void on_open(void *arg, struct stream *s, const struct url *u)
{
	static const struct stream_callbacks callbacks = { .ready = on_ready };
	struct broker *b = arg;

	b->stream = s;
	b->url = u;
	stream_adopt(s, &callbacks, b);
	broker_unacked_patience(b, true);
	b->frame_max = 4096;
	b->heartbeat_s = b->setup->heartbeat_s;
	b->last_read = b->last_write = loop_now(b->loop);
	broker_enter(b, STATE_START);
	wire_put_protocol(&b->out);
	broker_wrote(b);
}

static void on_dial_failed(void *arg, const char *why)
{
	drop(arg, why);
}

/* ---- the contract ---- */

struct broker *broker_new(struct loop *l, const struct broker_options *o, const struct broker_callbacks *cb, void *arg)
{
	static const struct dial_callbacks callbacks = { .open = on_open, .failed = on_dial_failed };
	struct dial_options dial = { .urls = o->urls, .n_urls = o->n_urls, .tls_scheme = "amqps", .ca_file = o->ca_file,
				     .port = 5672, .tls_port = 5671 };
	struct broker *b = mem_alloc(sizeof(*b));

	b->loop = l;
	b->setup = setup_new(o);
	b->cb = *cb;
	b->arg = arg;
	b->dial = dial_new(l, &dial, &callbacks, b);
	b->wire = wire_new();
	b->in = mem_alloc(IN_SIZE);
	content_init(&b->content);
	queues_init(b);
	confirms_init(&b->confirms);
	acks_init(&b->acks);
	strbuf_init(&b->out);
	strbuf_init(&b->why);
	loop_timer_init(&b->deadline, on_deadline, b);
	loop_timer_init(&b->tick, on_tick, b);
	loop_hook_init(&b->flush, on_flush, b);
	loop_timer_init(&b->ack, on_ack, b);
	loop_timer_set(l, &b->deadline, 0);
	return b;
}

/* Acks of this very turn still go out, if the kernel takes them at once. */
static void say_goodbye(struct broker *b)
{
	broker_put_acks(b);
	broker_must(wire_put_close(&b->out));
	(void)broker_flush(b, NULL);
}

void broker_free(struct broker **bp)
{
	struct broker *b = *bp;

	if (!b)
		return;
	*bp = NULL;
	if (b->state == STATE_UP)
		say_goodbye(b);
	broker_enter(b, STATE_CLOSED);
	forget_connection(b);
	confirms_lose_all(&b->confirms);
	protocol_lose_all(b);
	queues_lose_all(b);
	confirms_release(&b->confirms);
	acks_release(&b->acks);
	dial_free(&b->dial);
	wire_free(&b->wire);
	content_release(&b->content);
	queues_release(b);
	setup_free(&b->setup);
	strbuf_release(&b->out);
	strbuf_release(&b->why);
	free(b->expects);
	free(b->in);
	free(b);
}

bool broker_is_up(const struct broker *b)
{
	return b->state == STATE_UP;
}

bool broker_is_blocked(const struct broker *b)
{
	return b->blocked;
}

uint32_t broker_generation(const struct broker *b)
{
	return b->generation;
}

size_t broker_unwritten(const struct broker *b)
{
	return b->out.len - b->out_at + b->acks.due;
}

unsigned broker_unconfirmed(const struct broker *b)
{
	return b->confirms.pending;
}

size_t broker_bytes_out(const struct broker *b)
{
	return b->bytes_out;
}

int broker_publish(struct broker *b, const struct broker_publish *p)
{
	if (!b->setup->confirms)
		BUG("publish on a connection without confirms");
	if (b->state != STATE_UP || wire_put_publish(&b->out, p, confirms_next(&b->confirms), b->frame_max) < 0)
		return -1;
	confirms_add(&b->confirms, loop_now(b->loop), p->done, p->arg);
	broker_wrote(b);
	return 0;
}

static bool is_alive(const struct broker *b, struct broker_tag tag)
{
	return b->state == STATE_UP && tag.generation == b->generation;
}

void broker_ack(struct broker *b, struct broker_tag tag)
{
	if (!is_alive(b, tag) || !acks_done(&b->acks, tag.tag))
		return;
	if (acks_are_enough(b))
		broker_wrote(b);
	else if (!loop_timer_is_set(&b->ack))
		loop_timer_set(b->loop, &b->ack, ACK_WAIT_MS);
}

void broker_nack(struct broker *b, struct broker_tag tag)
{
	if (!is_alive(b, tag) || !acks_returned(&b->acks, tag.tag))
		return;
	broker_must(wire_put_nack(&b->out, tag.tag));
	broker_wrote(b);
}

/* Declarations are made on connecting, so the connection is made anew; later, because the caller may stand in a callback. */
void broker_redeclare(struct broker *b)
{
	if (b->state != STATE_UP || b->wants_redeclare)
		return;
	b->wants_redeclare = true;
	loop_timer_set(b->loop, &b->deadline, 0);
}

void broker_pause(struct broker *b)
{
	b->paused = true;
	if (b->consuming)
		protocol_cancel_all(b);
}

void broker_resume(struct broker *b)
{
	b->paused = false;
	if ((b->state == STATE_TOPOLOGY || b->state == STATE_UP) && !b->consuming)
		protocol_consume_all(b);
}
