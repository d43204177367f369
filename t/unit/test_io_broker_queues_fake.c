#include "test_io_queues.h"

/* A broker that is none: it says everything at once, and we ask in up(). */

#define CONSUME_OK(out, name) METHOD(out, 1, "\0\x3c\0\x15\x04" name)
#define CANCEL_OK(out, name) METHOD(out, 1, "\0\x3c\0\x1f\x04" name)
#define QOS_OK(out) METHOD(out, 1, "\0\x3c\0\x0b")
#define SIDE_OPEN_OK(out) METHOD(out, 2, "\0\x14\0\x0b\0\0\0\0")
#define DELETE_OK(out, channel) METHOD(out, channel, "\0\x32\0\x29\0\0\0\0")
#define CLOSE_404(out, about) METHOD(out, 2, "\0\x14\0\x28\x01\x94\x04none\0\x32\0" about)
#define CLOSE_406(out, about) METHOD(out, 2, "\0\x14\0\x28\x01\x96\x03not\0\x32\0" about)

static int rounds;
static void (*say)(struct strbuf *out);
static bool is_damaged;

static bool say_on_bytes(struct peer_connection *c, struct strbuf *out)
{
	if (c->in.len == 0 || out->len)
		return false;
	rounds++;
	say(out);
	if (is_damaged)
		damage(out);
	return is_damaged;
}

static bool enough_rounds(void) { return rounds >= 400; }

static void against_peer(bool (*on_bytes)(struct peer_connection *c, struct strbuf *out), void (*when_up)(void), bool (*is_enough)(void))
{
	static char text[64];
	struct peer p;

	peer_start(&p, on_bytes);
	rounds = 0;
	snprintf(text, sizeof(text), "amqp://127.0.0.1:%d/", p.port);
	url = text;
	options.topology = &declare_input;
	options.queues = inputs;
	options.n_topology = options.n_queues = 1;
	options.connect_ms = 300;
	options.backoff_min_ms = options.backoff_max_ms = is_damaged ? 1 : 60000;
	a.when_up = when_up;
	a.broker = broker_new(loop, &options, &callbacks, NULL);
	wait_for(is_enough);
	broker_free(&a.broker);
	peer_stop(&p);
}

static void against(void (*what)(struct strbuf *out), void (*when_up)(void), bool (*is_enough)(void))
{
	say = what;
	against_peer(say_on_bytes, when_up, is_enough);
}

static void ask_nothing(void)
{
}

static void ask_for_7(void)
{
	ck_assert_int_eq(broker_consume(a.broker, 7, "lane", 2), 0);
}

static void ask_and_cancel_7(void)
{
	ask_for_7();
	ck_assert_int_eq(broker_cancel(a.broker, 7, on_done, (void *)9), 0);
}

static void ask_of_all_kinds(void)
{
	ask_and_cancel_7();
	ck_assert_int_eq(broker_consume(a.broker, 6, "lane", 2), 0);
	ck_assert_int_eq(broker_consume(a.broker, 5, "lane", 2), 0);
	declare("lane", 0);
	delete_lane(0, "lane");
	delete_lane(1, "lane");
	ck_assert_int_eq(broker_peek_count(a.broker, "lane", answered, (void *)2), 0);
	ck_assert_int_eq(broker_peek_count(a.broker, "lane", answered, (void *)3), 0);
}

static void add_delivery(struct strbuf *out, const char *method, size_t len)
{
	add_frame(out, 1, 1, method, len);
	FRAME(out, 2, 1, "\0\x3c\0\0\0\0\0\0\0\0\0\x06\0\0");
	add_frame(out, 3, 1, "abc", 3);
	add_frame(out, 3, 1, "def", 3);
}
#define DELIVERY(out, name, tag) add_delivery(out, "\0\x3c\0\x3c\x04" name "\0\0\0\0\0\0\0" tag "\0\0\x01k", 9 + 12)

/* Deliveries before consume-ok and after our cancel, a late consume-ok, and the side channel between the frames of a message. */
static void say_all(struct strbuf *out)
{
	add_login(out);
	QOS_OK(out);
	DELIVERY(out, "d7.1", "\x01");
	CONSUME_OK(out, "d7.1");
	SIDE_OPEN_OK(out);
	CONSUME_OK(out, "d5.1");
	DELIVERY(out, "d7.1", "\x02");
	CLOSE_406(out, "\x28");
	SIDE_OPEN_OK(out);
	METHOD(out, 1, "\0\x32\0\x0b\x01q\0\0\0\0\0\0\0\0");
	METHOD(out, 1, "\0\x3c\0\x1e\x04" "d7.1\x01");	/* its queue is gone; crosses our cancel */
	METHOD(out, 1, "\0\x3c\0\x1e\x04" "d5.1\x01");
	DELETE_OK(out, 2);
	CANCEL_OK(out, "d7.1");
	CONSUME_OK(out, "d6.1");
	METHOD(out, 2, "\0\x32\0\x0b\x01q\0\0\0\x05\0\0\0\0");
	CLOSE_404(out, "\x0a");
	METHOD(out, 0, "\0\x0a\0\x32\x01\x40\x03" "end\0\0\0\0");
}

START_TEST(the_fake_is_understood_when_undamaged)
{
	static const int64_t expected[][2] = { { 0, BROKER_IN_USE }, { 1, BROKER_DELETED }, { 9, true }, { 2, 5 },
					       { 3, BROKER_NO_QUEUE } };

	against(say_all, ask_of_all_kinds, is_down);
	ck_assert_ptr_nonnull(strstr(a.why, "end (320)"));
	ck_assert_int_eq(a.of_consumer[7], 2);
	ck_assert_int_eq(a.gone, 1);
	ck_assert_int_eq(a.gone_number, 5);
	ck_assert_int_eq(n_answers, 5);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(answers[i].index, expected[i][0]);
		ck_assert_int_eq(answers[i].what, expected[i][1]);
	}
}
END_TEST

static bool has_heard(const struct peer_connection *c, const char *method)
{
	return c->in.len && memmem(c->in.buf, c->in.len, method, 4);
}

/* Its queue is busy: consume-ok comes late, and with the cancel before it RabbitMQ's channel would die. */
static bool say_consume_ok_late(struct peer_connection *c, struct strbuf *out)
{
	static const char consume[] = "\0\x3c\0\x14", cancel[] = "\0\x3c\0\x1e";

	if (!rounds && c->in.len) {
		rounds = 1;
		add_login(out);
	} else if (rounds == 1 && memmem(c->in.buf, c->in.len, "d7.1", 4)) {
		ck_assert(has_heard(c, consume));
		ck_assert(!has_heard(c, cancel));
		rounds = 2;
		QOS_OK(out);
		CONSUME_OK(out, "d7.1");
	} else if (rounds == 2 && has_heard(c, cancel)) {
		rounds = 3;
		CANCEL_OK(out, "d7.1");
	}
	return false;
}

static bool is_answered(void) { return n_answers >= 1; }

START_TEST(a_consumer_is_cancelled_when_it_is_there)
{
	against_peer(say_consume_ok_late, ask_and_cancel_7, is_answered);
	ck_assert_int_eq(answers[0].index, 9);
	ck_assert_int_eq(answers[0].what, true);
	ck_assert_int_eq(a.downs, 0);
}
END_TEST

/* Each time the four questions and the cancel are answered, whatever was understood. */
static void ask_again(void)
{
	ck_assert_int_eq(n_answers, a.ups > 1 ? 5 : 0);
	n_answers = 0;
	a.deliveries = 0;
	ask_of_all_kinds();
}

START_TEST(damage_does_no_harm)
{
	is_damaged = true;
	against(say_all, ask_again, enough_rounds);
	is_damaged = false;
	ck_assert_int_gt(a.ups, 100);
	ck_assert_int_eq(n_answers, 5);
}
END_TEST

static const struct hostile {
	const char *why;
	void (*when_up)(void);
	void (*say)(struct strbuf *out);
} hostiles[];

START_TEST(hostile_broker_is_left)
{
	const struct hostile *h = &hostiles[_i];

	against(h->say, h->when_up, is_down);
	ck_assert_int_eq(a.ups, 1);
	ck_assert_ptr_nonnull(strstr(a.why, "protocol error"));
	ck_assert_msg(strstr(a.why, h->why) != NULL, "%s: %s", h->why, a.why);
	ck_assert_int_eq(n_answers, h->when_up == ask_of_all_kinds ? 5 : h->when_up == ask_and_cancel_7);
}
END_TEST

#define HOSTILE(name, ...) static void name(struct strbuf *out) { add_login(out); __VA_ARGS__; }
HOSTILE(delete_ok_unasked, DELETE_OK(out, 2))
HOSTILE(delete_ok_on_channel_1, QOS_OK(out); CONSUME_OK(out, "d7.1"); DELETE_OK(out, 1))
HOSTILE(side_close_unasked, CLOSE_404(out, "\x28"))
HOSTILE(side_open_unasked, SIDE_OPEN_OK(out))
HOSTILE(side_open_twice, QOS_OK(out); SIDE_OPEN_OK(out); SIDE_OPEN_OK(out))
HOSTILE(delete_ok_before_open, DELETE_OK(out, 2))
HOSTILE(delete_ok_for_a_count, SIDE_OPEN_OK(out); DELETE_OK(out, 2); DELETE_OK(out, 2); DELETE_OK(out, 2))
HOSTILE(message_on_side, SIDE_OPEN_OK(out); METHOD(out, 2, "\0\x3c\0\x3c\x02q0\0\0\0\0\0\0\0\x01\0\0\x01k"))
HOSTILE(body_on_side, SIDE_OPEN_OK(out); FRAME(out, 3, 2, "body"))
HOSTILE(channel_3, METHOD(out, 3, "\0\x14\0\x0b\0\0\0\0"))
HOSTILE(stranger_delivered, DELIVERY(out, "d8.1", "\x01"))
HOSTILE(delivered_after_cancel_ok, QOS_OK(out); CONSUME_OK(out, "d7.1"); CANCEL_OK(out, "d7.1"); DELIVERY(out, "d7.1", "\x01"))
HOSTILE(delivered_backwards, QOS_OK(out); CONSUME_OK(out, "d7.1"); DELIVERY(out, "d7.1", "\x02"); DELIVERY(out, "d7.1", "\x02"))
HOSTILE(number_out_of_range, METHOD(out, 1, "\0\x3c\0\x3c\x08" "d7777777\0\0\0\0\0\0\0\x01\0\0\x01k"))
HOSTILE(number_too_long, METHOD(out, 1, "\0\x3c\0\x3c\x0c" "d00000000007\0\0\0\0\0\0\0\x01\0\0\x01k"))
HOSTILE(other_consume_ok, QOS_OK(out); CONSUME_OK(out, "d8.1"))
HOSTILE(other_cancel_ok, QOS_OK(out); CONSUME_OK(out, "d7.1"); CANCEL_OK(out, "d8.1"))
HOSTILE(stranger_cancelled, METHOD(out, 1, "\0\x3c\0\x1e\x04" "d8.1\x01"))

static const struct hostile hostiles[] = {
	{ "unexpected queue.delete-ok on the side channel", ask_nothing, delete_ok_unasked },
	{ "unexpected queue.delete-ok", ask_for_7, delete_ok_on_channel_1 },
	{ "unexpected channel.close on the side channel", ask_nothing, side_close_unasked },
	{ "unexpected channel.open-ok on the side channel", ask_nothing, side_open_unasked },
	{ "unexpected channel.open-ok on the side channel", ask_of_all_kinds, side_open_twice },
	{ "unexpected queue.delete-ok on the side channel", ask_of_all_kinds, delete_ok_before_open },
	{ "unexpected queue.delete-ok on the side channel", ask_of_all_kinds, delete_ok_for_a_count },
	{ "unexpected basic.deliver on the side channel", ask_of_all_kinds, message_on_side },
	{ "unexpected content body on the side channel", ask_of_all_kinds, body_on_side },
	{ "channel.open-ok on channel 3", ask_of_all_kinds, channel_3 },
	{ "delivery tags that do not count up", ask_for_7, delivered_backwards },
	{ "delivery to a consumer that is not ours", ask_for_7, stranger_delivered },
	{ "delivery to a consumer that is not ours", ask_and_cancel_7, delivered_after_cancel_ok },
	{ "delivery to a consumer that is not ours", ask_for_7, number_out_of_range },
	{ "delivery to a consumer that is not ours", ask_for_7, number_too_long },
	{ "unexpected basic.consume-ok", ask_for_7, other_consume_ok },
	{ "unexpected basic.cancel-ok", ask_and_cancel_7, other_cancel_ok },
	{ "cancel of a consumer that is not ours", ask_for_7, stranger_cancelled },
};

/* Closed for something else: whether the queue is gone, nobody knows. */
static void say_other_close(struct strbuf *out)
{
	add_login(out);
	SIDE_OPEN_OK(out);
	CLOSE_406(out, "\x0a");
	SIDE_OPEN_OK(out);
	CLOSE_404(out, "\x28");
	CLOSE_404(out, "\x28");		/* before open-ok of the third */
}

static bool has_three_answers(void) { return n_answers >= 3; }

static void ask_three(void)
{
	for (int i = 0; i < 3; i++)
		delete_lane(i, "lane");
}

START_TEST(close_for_another_reason_says_nothing)
{
	against(say_other_close, ask_three, has_three_answers);
	ck_assert_int_eq(n_answers, 3);
	ck_assert_int_eq(answers[0].what, BROKER_NOT_DELETED);
	ck_assert_int_eq(answers[1].what, BROKER_DELETED);
	ck_assert_int_eq(answers[2].what, BROKER_DELETED);
	ck_assert_int_eq(a.downs, 0);
}
END_TEST

static int deleted_with_one_channel;

static void ask_for_a_second_channel(void)
{
	deleted_with_one_channel = broker_delete(a.broker, "lane", on_deleted, NULL);
}

static void say_one_channel(struct strbuf *out)
{
	size_t tune;

	add_login(out);
	for (tune = 0; memcmp(out->buf + tune, "\0\x0a\0\x1e", 4) != 0; tune++)
		;
	out->buf[tune + 4] = 0;
	out->buf[tune + 5] = 1;
}

static bool was_up(void) { return a.ups > 0; }

START_TEST(one_channel_leaves_no_room_for_questions)
{
	against(say_one_channel, ask_for_a_second_channel, was_up);
	ck_assert_int_eq(deleted_with_one_channel, -1);
	ck_assert_int_eq(n_answers, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_broker_queues_fake");
	TCase *fake = io_case(s, "fake", start);

	tcase_add_test(fake, the_fake_is_understood_when_undamaged);
	tcase_add_test(fake, a_consumer_is_cancelled_when_it_is_there);
	tcase_add_test(fake, damage_does_no_harm);
	tcase_add_loop_test(fake, hostile_broker_is_left, 0, (int)ARRAY_LEN(hostiles));
	tcase_add_test(fake, close_for_another_reason_says_nothing);
	tcase_add_test(fake, one_channel_leaves_no_room_for_questions);
	return io_run(s);
}
