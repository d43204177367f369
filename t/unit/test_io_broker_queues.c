#include "test_io_queues.h"

#include "io/amqp_wire.h"
#include "io/url.h"

static bool is_up(void) { return broker_is_up(a.broker); }
static bool is_gone(void) { return a.gone > 0; }
static bool is_refused(void) { return a.refusals > 0; }
static bool was_up_twice(void) { return a.ups >= 2; }

static int goal;
static bool goal_is_answered(void) { return n_answers >= goal; }
static bool goal_is_confirmed(void) { return a.confirmed >= goal; }
static bool goal_is_delivered(void) { return a.deliveries >= goal; }

static void wait_answers(int n)
{
	goal = n;
	wait_for(goal_is_answered);
	ck_assert_int_eq(n_answers, n);
}

static void wait_confirmed(int n)
{
	goal = n;
	wait_for(goal_is_confirmed);
}

static void wait_deliveries(int n)
{
	goal = n;
	wait_for(goal_is_delivered);
}

static void connect_a(void)
{
	a.broker = broker_new(loop, &options, &callbacks, NULL);
	wait_for(is_up);
}

static void connect_with_input(int prefetch)
{
	options.topology = &declare_input;
	options.n_topology = 1;
	options.queues = inputs;
	options.n_queues = 1;
	options.prefetch = prefetch;
	connect_a();
}

static void on_fate(void *arg UNUSED, enum broker_fate fate)
{
	a.confirmed += fate == BROKER_CONFIRMED;
}

static void publish(const char *key)
{
	struct broker_publish p = { .exchange = "", .routing_key = key, .mandatory = true, .body = "x", .len = 1, .done = on_fate,
				    .props = { .priority = -1 } };

	ck_assert_int_eq(broker_publish(a.broker, &p), 0);
}

static void lane_with(int messages)
{
	int before = a.confirmed;

	declare(lane, 0);
	for (int i = 0; i < messages; i++)
		publish(lane);
	wait_confirmed(before + messages);
}

static int64_t counted;
static bool is_counted(void) { return counted != -100; }
static void on_counted(void *arg UNUSED, int64_t n) { counted = n; }

/* What the queue was to deliver so far has come, for it answers in order. */
static void settle(const char *queue)
{
	counted = -100;
	ck_assert_int_eq(broker_count(a.broker, queue, on_counted, NULL), 0);
	wait_for(is_counted);
}

static int64_t ready_in(const char *queue)
{
	counted = -100;
	ck_assert_int_eq(broker_peek_count(a.broker, queue, on_counted, NULL), 0);
	ck_assert_int_eq(counted, -100);
	wait_for(is_counted);
	return counted;
}

static void ack(int from, int to)
{
	for (int i = from; i < to; i++)
		broker_ack(a.broker, a.tags[i]);
}

/* The broker's or the network's doing, as far as our side can tell. */
static void cut_connections(void)
{
	struct sockaddr_in sa;
	socklen_t len;

	for (int fd = 3; fd < 256; fd++) {
		len = sizeof(sa);
		if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0 && sa.sin_family == AF_INET)
			shutdown(fd, SHUT_RDWR);
	}
}

START_TEST(consumer_takes_no_more_than_its_prefetch)
{
	connect_a();
	lane_with(5);
	ck_assert_int_eq(broker_consume(a.broker, 3, lane, 2), 0);
	ck_assert_int_eq(broker_consume(a.broker, 3, lane, 2), -1);
	wait_deliveries(2);
	settle(lane);
	ck_assert_int_eq(counted, 3);
	ck_assert_int_eq(a.of_consumer[3], 2);
	ack(0, 1);
	wait_deliveries(3);
	settle(lane);
	ck_assert_int_eq(a.deliveries, 3);
	ack(1, 3);
	wait_deliveries(5);
	ck_assert_int_eq(a.ups, 1);
	broker_free(&a.broker);
}
END_TEST

START_TEST(cancelled_consumer_gets_nothing_more)
{
	connect_a();
	lane_with(3);
	ck_assert_int_eq(broker_cancel(a.broker, 3, on_done, NULL), -1);
	ck_assert_int_eq(broker_consume(a.broker, 3, lane, 2), 0);
	wait_deliveries(2);
	ck_assert_int_eq(broker_cancel(a.broker, 3, on_done, NULL), 0);
	ck_assert_int_eq(broker_cancel(a.broker, 3, on_done, NULL), -1);
	ck_assert_int_eq(broker_consume(a.broker, 3, lane, 2), -1);
	ck_assert_int_eq(n_answers, 0);
	wait_answers(1);
	ck_assert_int_eq(answers[0].what, true);
	ack(0, 1);
	settle(lane);
	ck_assert_int_eq(counted, 1);
	ck_assert_int_eq(a.deliveries, 2);
	ack(1, 2);
	ck_assert_int_eq(broker_consume(a.broker, 3, lane, 2), 0);
	wait_deliveries(3);
	ack(2, 3);
	settle(lane);
	ck_assert_int_eq(broker_cancel(a.broker, 3, NULL, NULL), 0);
	settle(lane);
	ck_assert_int_eq(a.ups, 1);
	broker_free(&a.broker);
}
END_TEST

/* RabbitMQ adds an ack to the credit of the consumer of that name. */
START_TEST(old_acks_do_not_raise_the_prefetch)
{
	connect_a();
	lane_with(10);
	ck_assert_int_eq(broker_consume(a.broker, 3, lane, 2), 0);
	wait_deliveries(2);
	ck_assert_int_eq(broker_cancel(a.broker, 3, on_done, NULL), 0);
	wait_answers(1);
	ck_assert_int_eq(broker_consume(a.broker, 3, lane, 2), 0);
	wait_deliveries(4);
	ack(0, 2);
	settle(lane);
	ck_assert_int_eq(a.deliveries, 4);
	broker_free(&a.broker);
}
END_TEST

START_TEST(inputs_keep_their_own_prefetch)
{
	declare_input.exclusive = false;	/* nor gone while nobody consumes */
	connect_with_input(3);
	lane_with(5);
	for (int i = 0; i < 20; i++)
		publish(input);
	wait_confirmed(25);
	ck_assert_int_eq(broker_consume(a.broker, 0, lane, 2), 0);
	ck_assert_int_eq(broker_consume(a.broker, 1, lane, 1), 0);
	wait_deliveries(6);
	settle(input);
	settle(lane);
	ck_assert_int_eq(a.of_queues, 3);
	ck_assert_int_eq(a.of_consumer[0], 2);
	ck_assert_int_eq(a.of_consumer[1], 1);
	broker_pause(a.broker);
	broker_resume(a.broker);
	wait_deliveries(9);
	settle(input);
	ck_assert_int_eq(a.of_queues, 6);
	ck_assert_int_eq(a.deliveries, 9);
	broker_free(&a.broker);
}
END_TEST

START_TEST(several_inputs_share_the_prefetch)
{
	struct broker_declare both[2] = { declare_input, declare_input };

	inputs[1] = both[1].name = second_input;
	options.topology = both;
	options.n_topology = options.n_queues = 2;
	options.queues = inputs;
	options.prefetch = 5;
	connect_a();
	for (int i = 0; i < 10; i++)
		publish(input);
	wait_confirmed(10);
	settle(input);
	ck_assert_int_eq(counted, 7);
	ck_assert_int_eq(a.of_queues, 3);
	broker_free(&a.broker);
}
END_TEST

START_TEST(quorum_input_is_consumed)
{
	declare_input.type = "quorum";
	declare_input.exclusive = false;
	connect_with_input(3);
	publish(input);
	wait_deliveries(1);
	ck_assert_int_eq(a.downs, 0);
	broker_free(&a.broker);
}
END_TEST

START_TEST(queue_in_use_is_not_deleted)
{
	connect_a();
	lane_with(1);
	delete_lane(0, lane);
	ck_assert_int_eq(n_answers, 0);
	wait_answers(1);
	ck_assert_int_eq(answers[0].what, BROKER_IN_USE);
	ck_assert_int_eq(broker_consume(a.broker, 0, lane, 0), 0);
	wait_deliveries(1);
	ack(0, 1);
	settle(lane);
	delete_lane(0, lane);
	wait_answers(2);
	ck_assert_int_eq(answers[1].what, BROKER_IN_USE);
	ck_assert_int_eq(broker_cancel(a.broker, 0, on_done, NULL), 0);
	wait_answers(3);
	delete_lane(0, lane);
	wait_answers(4);
	ck_assert_int_eq(answers[3].what, BROKER_DELETED);
	ck_assert_int_eq(ready_in(lane), BROKER_NO_QUEUE);
	delete_lane(0, lane);
	wait_answers(5);
	ck_assert_int_eq(answers[4].what, BROKER_DELETED);
	ck_assert_int_eq(a.ups, 1);
	ck_assert_int_eq(a.downs, 0);
	broker_free(&a.broker);
}
END_TEST

/* Why the header warns: what is delivered and unacked does not keep its queue. */
START_TEST(unacked_message_does_not_hold_its_queue)
{
	connect_a();
	lane_with(1);
	ck_assert_int_eq(broker_consume(a.broker, 0, lane, 0), 0);
	wait_deliveries(1);
	ck_assert_int_eq(broker_cancel(a.broker, 0, NULL, NULL), 0);
	settle(lane);
	delete_lane(0, lane);
	wait_answers(1);
	ck_assert_int_eq(answers[0].what, BROKER_DELETED);
	ack(0, 1);
	ck_assert_int_eq(ready_in(lane), BROKER_NO_QUEUE);
	ck_assert_int_eq(a.downs, 0);
	broker_free(&a.broker);
}
END_TEST

START_TEST(questions_behind_a_refusal_are_answered_in_order)
{
	static const int64_t expected[] = { BROKER_IN_USE, BROKER_DELETED, BROKER_NO_QUEUE, 1, BROKER_IN_USE, 0, BROKER_DELETED };
	char empty[96], other[96];

	snprintf(empty, sizeof(empty), "%s.empty", lane);
	snprintf(other, sizeof(other), "%s.other", lane);
	connect_a();
	declare(empty, 0);
	declare(other, 0);
	lane_with(1);
	delete_lane(0, lane);
	delete_lane(1, empty);
	ck_assert_int_eq(broker_peek_count(a.broker, empty, answered, (void *)2), 0);
	ck_assert_int_eq(broker_peek_count(a.broker, lane, answered, (void *)3), 0);
	delete_lane(4, lane);
	ck_assert_int_eq(broker_peek_count(a.broker, other, answered, (void *)5), 0);
	delete_lane(6, "no such queue");
	ck_assert_int_eq(n_answers, 0);
	wait_answers(7);
	for (int i = 0; i < 7; i++) {
		ck_assert_int_eq(answers[i].index, i);
		ck_assert_int_eq(answers[i].what, expected[i]);
	}
	ck_assert_int_eq(a.downs, 0);
	broker_free(&a.broker);
}
END_TEST

static void on_deleted_ask_again(void *arg, enum broker_deletion what)
{
	answered(arg, what);
	if (n_answers < 5)
		ck_assert_int_eq(broker_delete(a.broker, lane, on_deleted_ask_again, NULL), 0);
}

START_TEST(answer_may_ask_again)
{
	connect_a();
	lane_with(1);
	ck_assert_int_eq(broker_delete(a.broker, lane, on_deleted_ask_again, NULL), 0);
	ck_assert_int_eq(broker_delete(a.broker, lane, NULL, NULL), 0);
	wait_answers(5);
	ck_assert_int_eq(answers[4].what, BROKER_IN_USE);
	ck_assert_int_eq(ready_in(lane), 1);
	broker_free(&a.broker);
}
END_TEST

/* Deletes without asking whether somebody consumes; the frames of a login may be sent all at once. */
static void delete_by_force(const char *queue)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct strbuf out = STRBUF_INIT, method = STRBUF_INIT, in = STRBUF_INIT;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct url u;
	char buf[512];
	ssize_t n;

	ck_assert_int_eq(url_parse(url, &u, NULL), 0);
	sa.sin_port = htons((uint16_t)u.port);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	wire_put_protocol(&out);
	ck_assert_int_eq(wire_put_start_ok(&out, u.user, u.password, "force"), 0);
	ck_assert_int_eq(wire_put_tune_ok(&out, 1, 4096, 60), 0);
	ck_assert_int_eq(wire_put_open(&out, u.path), 0);
	ck_assert_int_eq(wire_put_channel_open(&out, 1), 0);
	strbuf_add(&method, "\0\x32\0\x28\0\0", 6);
	strbuf_addc(&method, (char)strlen(queue));
	strbuf_adds(&method, queue);
	strbuf_addc(&method, 0);
	add_frame(&out, 1, 1, method.buf, method.len);
	ck_assert_int_eq(wire_put_close(&out), 0);
	ck_assert_int_eq(send(fd, out.buf, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
	while (!memmem(in.buf, in.len, "\0\x0a\0\x33", 4)) {	/* connection.close-ok */
		n = recv(fd, buf, sizeof(buf), 0);
		ck_assert_int_gt(n, 0);
		strbuf_add(&in, buf, (size_t)n);
	}
	close(fd);
	url_release(&u);
	strbuf_release(&method);
	strbuf_release(&out);
	strbuf_release(&in);
}

START_TEST(consumer_of_a_deleted_queue_is_gone)
{
	connect_a();
	lane_with(1);
	ck_assert_int_eq(broker_consume(a.broker, 5, lane, 1), 0);
	wait_deliveries(1);
	delete_by_force(lane);
	wait_for(is_gone);
	ck_assert_int_eq(a.gone_number, 5);
	ck_assert_int_eq(broker_cancel(a.broker, 5, on_done, NULL), -1);
	ack(0, 1);
	lane_with(1);
	ck_assert_int_eq(broker_consume(a.broker, 5, lane, 1), 0);
	wait_deliveries(2);
	ck_assert_int_eq(a.of_consumer[5], 2);
	ck_assert_int_eq(a.gone, 1);
	ck_assert_int_eq(a.downs, 0);
	broker_free(&a.broker);
}
END_TEST

START_TEST(peek_at_a_missing_queue_costs_nothing)
{
	connect_a();
	ck_assert_int_eq(ready_in("no such queue"), BROKER_NO_QUEUE);
	ck_assert_int_eq(ready_in("no such queue"), BROKER_NO_QUEUE);
	lane_with(2);
	ck_assert_int_eq(ready_in(lane), 2);
	ck_assert_int_eq(a.ups, 1);
	ck_assert_int_eq(a.downs, 0);
	broker_free(&a.broker);
}
END_TEST

START_TEST(other_arguments_are_refused)
{
	connect_a();
	lane_with(0);
	declare(lane, 5);
	wait_for(is_refused);
	wait_for(is_down);
	ck_assert_ptr_nonnull(strstr(a.refused, lane));
	ck_assert_ptr_nonnull(strstr(a.refused, "x-max-priority"));
	wait_for(is_up);
	broker_free(&a.broker);
}
END_TEST

START_TEST(consuming_a_missing_queue_costs_the_connection)
{
	connect_a();
	ck_assert_int_eq(broker_consume(a.broker, 0, lane, 1), 0);
	wait_for(is_down);
	ck_assert_ptr_nonnull(strstr(a.why, lane));
	ck_assert_int_eq(a.refusals, 0);
	wait_for(was_up_twice);
	lane_with(1);
	ck_assert_int_eq(broker_consume(a.broker, 0, lane, 1), 0);
	wait_deliveries(1);
	broker_free(&a.broker);
}
END_TEST

static void ask_a_lot(void)
{
	connect_a();
	lane_with(1);
	ck_assert_int_eq(broker_consume(a.broker, 1, lane, 1), 0);
	wait_deliveries(1);
	ck_assert_int_eq(broker_cancel(a.broker, 1, on_done, (void *)0), 0);
	ck_assert_int_eq(broker_count(a.broker, lane, answered, (void *)1), 0);
	delete_lane(2, lane);
	ck_assert_int_eq(broker_peek_count(a.broker, lane, answered, (void *)3), 0);
	delete_lane(4, "no such queue");
	ck_assert_int_eq(broker_consume(a.broker, 2, lane, 1), 0);
	ck_assert_int_eq(n_answers, 0);
}

static void all_is_lost(void)
{
	static const int64_t expected[] = { false, BROKER_NO_COUNT, BROKER_NOT_DELETED, BROKER_NO_COUNT, BROKER_NOT_DELETED };

	ck_assert_int_eq(n_answers, 5);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(answers[i].index, i);
		ck_assert_int_eq(answers[i].what, expected[i]);
	}
}

START_TEST(lost_connection_answers_everything_once)
{
	ask_a_lot();
	cut_connections();
	wait_for(is_down);
	all_is_lost();
	ck_assert_int_eq(broker_consume(a.broker, 2, lane, 1), -1);
	ck_assert_int_eq(broker_cancel(a.broker, 2, on_done, NULL), -1);
	ck_assert_int_eq(broker_delete(a.broker, lane, on_deleted, NULL), -1);
	ck_assert_int_eq(broker_peek_count(a.broker, lane, answered, NULL), -1);
	ck_assert_int_eq(broker_declare(a.broker, &declare_input), -1);
	wait_for(was_up_twice);
	ck_assert_int_eq(broker_consume(a.broker, 2, lane, 1), 0);	/* its number is free again */
	wait_deliveries(2);
	ck_assert_int_eq(ready_in(lane), 0);
	ck_assert_int_eq(n_answers, 5);
	broker_free(&a.broker);
	ck_assert_int_eq(n_answers, 5);
}
END_TEST

START_TEST(freeing_answers_everything_once)
{
	ask_a_lot();
	broker_free(&a.broker);
	all_is_lost();
}
END_TEST

START_TEST(long_names_do_not_fit)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[256] = 0;
	connect_a();
	ck_assert_int_eq(broker_declare(a.broker, &(struct broker_declare){ .thing = BROKER_QUEUE, .name = name }), -1);
	ck_assert_int_eq(broker_consume(a.broker, 0, name, 1), -1);
	ck_assert_int_eq(broker_cancel(a.broker, 0, on_done, NULL), -1);
	ck_assert_int_eq(broker_delete(a.broker, name, on_deleted, NULL), -1);
	ck_assert_int_eq(broker_peek_count(a.broker, name, answered, NULL), -1);
	name[255] = 0;
	delete_lane(0, name);
	wait_answers(1);
	ck_assert_int_eq(answers[0].what, BROKER_DELETED);
	ck_assert_int_eq(a.ups, 1);
	broker_free(&a.broker);
}
END_TEST

/* Which of them is asked for nothing else: the next one takes over when the first is gone, with what it had not acked. */
START_TEST(single_active_queue_has_one_consumer_at_a_time)
{
	connect_a();
	ck_assert_int_eq(broker_declare(a.broker, &(struct broker_declare){ .thing = BROKER_QUEUE, .name = lane, .single_active = true }), 0);
	ck_assert_int_eq(broker_consume(a.broker, 1, lane, 0), 0);
	ck_assert_int_eq(broker_consume(a.broker, 2, lane, 0), 0);
	for (int i = 0; i < 4; i++)
		publish(lane);
	wait_deliveries(4);
	ck_assert_int_eq(a.of_consumer[1], 4);
	ack(0, 4);
	ck_assert_int_eq(broker_cancel(a.broker, 1, on_done, NULL), 0);
	publish(lane);
	wait_deliveries(5);
	ck_assert_int_eq(a.of_consumer[2], 1);
	ack(4, 5);
	ck_assert_int_eq(broker_cancel(a.broker, 2, on_done, NULL), 0);
	settle(lane);
	delete_lane(7, lane);
	wait_answers(3);
	ck_assert_int_eq(answers[2].what, BROKER_DELETED);
	broker_free(&a.broker);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_broker_queues");
	TCase *real = io_case(s, "real", start);

	if (getenv("AMQP_URL")) {
		tcase_add_test(real, consumer_takes_no_more_than_its_prefetch);
		tcase_add_test(real, cancelled_consumer_gets_nothing_more);
		tcase_add_test(real, old_acks_do_not_raise_the_prefetch);
		tcase_add_test(real, inputs_keep_their_own_prefetch);
		tcase_add_test(real, several_inputs_share_the_prefetch);
		tcase_add_test(real, quorum_input_is_consumed);
		tcase_add_test(real, single_active_queue_has_one_consumer_at_a_time);
		tcase_add_test(real, queue_in_use_is_not_deleted);
		tcase_add_test(real, unacked_message_does_not_hold_its_queue);
		tcase_add_test(real, questions_behind_a_refusal_are_answered_in_order);
		tcase_add_test(real, answer_may_ask_again);
		tcase_add_test(real, consumer_of_a_deleted_queue_is_gone);
		tcase_add_test(real, peek_at_a_missing_queue_costs_nothing);
		tcase_add_test(real, other_arguments_are_refused);
		tcase_add_test(real, consuming_a_missing_queue_costs_the_connection);
		tcase_add_test(real, lost_connection_answers_everything_once);
		tcase_add_test(real, freeing_answers_everything_once);
		tcase_add_test(real, long_names_do_not_fit);
	} else {
		printf("# tests with a real broker are skipped: AMQP_URL is not set\n");
	}
	return io_run(s);
}
