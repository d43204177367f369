#include "test_io.h"
#include "test_io_amqp.h"

#include "base/rand.h"
#include "io/broker.h"

/* What the callbacks of one broker have told. */
struct told {
	struct broker *broker;
	int ups, downs, refusals, deliveries, settled, redelivered, lost_consumers, fates[4];
	char why[512], refused[512], body_hash_ok;
	size_t len;
	struct broker_tag tag;
	bool ack, null_body;
	struct broker_properties props;
	char id[64], header[64], n_headers;
};

static struct told a, b;

static void on_up(void *arg)
{
	((struct told *)arg)->ups++;
}

static void on_down(void *arg, const char *why)
{
	struct told *t = arg;

	t->downs++;
	snprintf(t->why, sizeof(t->why), "%s", why);
}

static void on_refused(void *arg, const char *why)
{
	struct told *t = arg;

	t->refusals++;
	snprintf(t->refused, sizeof(t->refused), "%s", why);
}

static void on_consumer_lost(void *arg, const char *queue UNUSED)
{
	((struct told *)arg)->lost_consumers++;
}

static void copy_text(char *to, size_t size, struct broker_text t)
{
	snprintf(to, size, "%.*s", (int)t.len, t.p ? t.p : "");
}

static bool body_is_pattern(const unsigned char *body, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (body[i] != (unsigned char)(i * 7 + i / 251))
			return false;
	return true;
}

static void on_delivery(void *arg, const struct broker_delivery *d)
{
	struct told *t = arg;

	t->deliveries++;
	t->redelivered += d->redelivered;
	t->tag = d->tag;
	t->len = d->len;
	t->null_body = !d->body;
	t->props = d->props;
	t->n_headers = (char)d->props.n_headers;
	t->body_hash_ok = d->body && body_is_pattern(d->body, d->len);
	copy_text(t->id, sizeof(t->id), d->props.message_id);
	if (d->props.n_headers > 0)
		copy_text(t->header, sizeof(t->header), d->props.headers[0].value);
	if (t->ack)
		broker_ack(t->broker, d->tag);
}

static const struct broker_callbacks callbacks = {
	.up = on_up, .down = on_down, .refused = on_refused, .delivery = on_delivery, .consumer_lost = on_consumer_lost,
};

static void on_fate(void *arg, enum broker_fate fate)
{
	struct told *t = arg;

	t->settled++;
	t->fates[fate]++;
}

static bool a_is_up(void) { return broker_is_up(a.broker); }
static bool b_is_up(void) { return broker_is_up(b.broker); }
static bool a_is_refused(void) { return a.refusals > 0; }
static bool b_is_refused(void) { return b.refusals > 0; }
static bool a_is_down(void) { return a.downs > 0; }
static bool a_was_up_twice(void) { return a.ups >= 2; }
static bool a_settled_one(void) { return a.settled >= 1; }
static bool a_settled_2000(void) { return a.settled >= 2000; }
static bool a_settled_all(void) { return a.settled >= 20000; }
static bool b_has_one(void) { return b.deliveries >= 1; }
static bool b_has_two(void) { return b.deliveries >= 2; }
static bool b_has_three(void) { return b.deliveries >= 3; }
static bool b_has_all(void) { return b.deliveries >= 20000; }

static const char *url;
static char queue[64];
static struct broker_declare topology[2];
static const char *queues[1];
static struct broker_options options;

static void start_with_queue(void)
{
	io_setup();
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	url = getenv("AMQP_URL");
	snprintf(queue, sizeof(queue), "test_io.%d.%llx", (int)getpid(), (unsigned long long)rand_u64());
	topology[0] = (struct broker_declare){ .thing = BROKER_QUEUE, .name = queue };
	queues[0] = queue;
	options = (struct broker_options){
		.urls = &url, .n_urls = 1, .connection_name = "test", .topology = topology, .n_topology = 1, .confirms = true,
		.backoff_min_ms = 10, .backoff_max_ms = 50,
	};
}

static void start_publisher(void)
{
	a.broker = broker_new(loop, &options, &callbacks, &a);
	wait_for(a_is_up);
}

static void start_consumer(bool ack)
{
	struct broker_options o = options;

	o.queues = queues;
	o.n_queues = 1;
	o.prefetch = 500;
	o.confirms = false;
	b.ack = ack;
	b.broker = broker_new(loop, &o, &callbacks, &b);
	wait_for(b_is_up);
}

static void stop_both(void)
{
	broker_free(&a.broker);
	broker_free(&b.broker);
}

static unsigned char *pattern(size_t len)
{
	unsigned char *body = mem_alloc(len + 1);

	for (size_t i = 0; i < len; i++)
		body[i] = (unsigned char)(i * 7 + i / 251);
	return body;
}

static int publish(const char *key, size_t len)
{
	unsigned char *body = pattern(len);
	struct broker_publish p = { .exchange = "", .routing_key = key, .mandatory = true, .body = body, .len = len,
				    .done = on_fate, .arg = &a };
	int err;

	p.props = (struct broker_properties){
		.message_id = BROKER_TEXT("id-1"), .priority = -1, .persistent = true, .n_headers = 1,
		.headers = { { BROKER_TEXT("x-wamd-test"), BROKER_TEXT("value") } },
	};
	err = broker_publish(a.broker, &p);
	free(body);
	return err;
}

START_TEST(messages_go_round)
{
	start_publisher();
	start_consumer(true);
	for (int i = 0; i < 20000; i++)
		ck_assert_int_eq(publish(queue, 400), 0);
	ck_assert_int_eq(a.settled, 0);
	wait_for(a_settled_all);
	wait_for(b_has_all);
	ck_assert_int_eq(a.fates[BROKER_CONFIRMED], 20000);
	ck_assert_int_eq(b.redelivered, 0);
	ck_assert(b.body_hash_ok);
	ck_assert_str_eq(b.id, "id-1");
	ck_assert_str_eq(b.header, "value");
	ck_assert_int_eq(b.n_headers, 1);	/* our publish tag is not shown */
	ck_assert(b.props.persistent);
	ck_assert_uint_eq(broker_unconfirmed(a.broker), 0);
	ck_assert_uint_eq(broker_unwritten(a.broker), 0);
	stop_both();
	start_consumer(true);			/* everything was acked */
	ck_assert(!loop_until(never, 200));
	ck_assert_int_eq(b.deliveries, 20000);
	stop_both();
}
END_TEST

START_TEST(returned_is_told_from_routed)
{
	start_publisher();
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(publish(i % 3 == 0 ? "no such queue" : queue, 2000), 0);
	wait_for(a_settled_2000);
	ck_assert_int_eq(a.fates[BROKER_RETURNED], 667);
	ck_assert_int_eq(a.fates[BROKER_CONFIRMED], 1333);
	stop_both();
}
END_TEST

START_TEST(large_body_arrives)
{
	start_publisher();
	start_consumer(true);
	ck_assert_int_eq(publish(queue, 10 << 20), 0);
	wait_for(b_has_one);
	ck_assert_uint_eq(b.len, 10 << 20);
	ck_assert(b.body_hash_ok);
	stop_both();
}
END_TEST

START_TEST(too_large_body_is_only_announced)
{
	options.body_max = 300000;
	start_publisher();
	start_consumer(true);
	ck_assert_int_eq(publish(queue, 1 << 20), 0);
	ck_assert_int_eq(publish(queue, 0), 0);
	wait_for(b_has_two);
	ck_assert_uint_eq(b.len, 0);
	ck_assert(!b.null_body);
	ck_assert_int_eq(publish(queue, 1 << 20), 0);
	wait_for(b_has_three);
	ck_assert(b.null_body);
	ck_assert_uint_eq(b.len, 1 << 20);
	stop_both();
}
END_TEST

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

START_TEST(comes_back_after_a_cut)
{
	struct broker_tag old;

	start_publisher();
	start_consumer(false);
	ck_assert_int_eq(publish(queue, 10), 0);
	wait_for(b_has_one);
	wait_for(a_settled_one);
	old = b.tag;
	ck_assert_int_eq(publish(queue, 10), 0);
	cut_connections();
	wait_for(a_is_down);
	ck_assert_int_eq(a.fates[BROKER_LOST], 1);
	ck_assert_int_eq(publish(queue, 10), -1);
	wait_for(a_was_up_twice);
	wait_for(b_is_up);
	wait_for(b_has_two);			/* what was not acked comes again */
	ck_assert_int_ge(b.redelivered, 1);
	ck_assert_uint_ne(old.generation, b.tag.generation);
	broker_ack(b.broker, old);		/* ignored: an ack of an unknown tag would close the channel */
	broker_ack(b.broker, b.tag);
	ck_assert(!loop_until(never, 200));
	ck_assert(broker_is_up(b.broker));
	stop_both();
}
END_TEST

START_TEST(paused_takes_nothing)
{
	start_publisher();
	start_consumer(true);
	broker_pause(b.broker);
	loop_until(never, 200);
	ck_assert_int_eq(publish(queue, 10), 0);
	loop_until(never, 200);
	ck_assert_int_eq(b.deliveries, 0);
	broker_resume(b.broker);
	wait_for(b_has_one);
	stop_both();
}
END_TEST

static int64_t ready;
static bool is_counted(void) { return ready != -100; }
static void on_counted(void *arg UNUSED, int64_t n) { ready = n; }

START_TEST(counts_what_is_ready)
{
	start_publisher();
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(publish(queue, 10), 0);
	wait_for(a_settled_one);
	loop_until(never, 100);
	ready = -100;
	ck_assert_int_eq(broker_count(a.broker, queue, on_counted, NULL), 0);
	wait_for(is_counted);
	ck_assert_int_eq(ready, 3);
	ready = -100;
	ck_assert_int_eq(broker_count(a.broker, "no such queue", on_counted, NULL), 0);
	wait_for(is_counted);
	ck_assert_int_eq(ready, BROKER_NO_QUEUE);
	ck_assert_int_eq(a.refusals, 0);
	stop_both();
}
END_TEST

/* Three beats at most, and the end of the wait. */
START_TEST(at_rest_two_connections_wake_up_once_a_second)
{
	uint64_t before;

	start_publisher();
	start_consumer(true);
	before = loop_turns(loop);
	ck_assert(!loop_until(never, 2100));
	ck_assert_uint_le(loop_turns(loop) - before, 5);
	stop_both();
}
END_TEST

START_TEST(wrong_password_is_refused)
{
	char wrong[256];
	const char *at = strrchr(url, '@');

	snprintf(wrong, sizeof(wrong), "amqp://guest:wrong@%s", at ? at + 1 : url + strlen("amqp://"));
	url = wrong;
	a.broker = broker_new(loop, &options, &callbacks, &a);
	wait_for(a_is_refused);
	ck_assert_ptr_nonnull(strstr(a.refused, "ACCESS_REFUSED"));
	ck_assert_ptr_null(strstr(a.refused, "wrong"));
	wait_for(a_is_down);
	stop_both();
}
END_TEST

START_TEST(other_arguments_are_refused)
{
	struct broker_options other = options;

	start_publisher();
	topology[0].max_priority = 5;
	b.broker = broker_new(loop, &other, &callbacks, &b);
	wait_for(b_is_refused);
	ck_assert_ptr_nonnull(strstr(b.refused, queue));
	ck_assert_ptr_nonnull(strstr(b.refused, "x-max-priority"));
	ck_assert_ptr_nonnull(strstr(b.refused, "PRECONDITION_FAILED"));
	stop_both();
}
END_TEST

START_TEST(unknown_exchange_type_is_refused)
{
	topology[1] = (struct broker_declare){ .thing = BROKER_EXCHANGE, .name = "test_io.odd", .type = "no-such-type" };
	options.n_topology = 2;
	a.broker = broker_new(loop, &options, &callbacks, &a);
	wait_for(a_is_refused);
	ck_assert_ptr_nonnull(strstr(a.refused, "no-such-type"));
	stop_both();
}
END_TEST

/* A queue that the consumer needs and the topology does not make: lost for now, not refused. */
START_TEST(missing_queue_is_no_refusal)
{
	static const char *const nowhere[] = { "test_io.nowhere" };

	options.queues = nowhere;
	options.n_queues = 1;
	a.broker = broker_new(loop, &options, &callbacks, &a);
	wait_for(a_is_down);
	ck_assert_ptr_nonnull(strstr(a.why, "test_io.nowhere"));
	ck_assert_int_eq(a.refusals, 0);
	stop_both();
}
END_TEST

START_TEST(nobody_listens)
{
	const char *free_port = "amqp://127.0.0.1:1/";

	url = free_port;
	a.broker = broker_new(loop, &options, &callbacks, &a);
	wait_for(a_is_down);
	ck_assert_ptr_nonnull(strstr(a.why, "127.0.0.1:1"));
	stop_both();
}
END_TEST

/* ---- a broker that is none ---- */

static void add_message(struct strbuf *out)
{
	METHOD(out, 1, "\0\x3c\0\x3c\x02q0\0\0\0\0\0\0\0\x01\0\0\x01k");
	FRAME(out, 2, 1, "\0\x3c\0\0\0\0\0\0\0\0\0\x06\xb0\0\x04text\0\0\0\x16\x08x-wamd-aS\0\0\0\x01v\x01nI\xff\xff\xff\xff\x02");
	add_frame(out, 3, 1, "abc", 3);
	add_frame(out, 3, 1, "def", 3);
	add_frame(out, 8, 0, "", 0);
	METHOD(out, 0, "\0\x0a\0\x3c\x06memory");
	METHOD(out, 0, "\0\x0a\0\x3d");
	METHOD(out, 1, "\0\x3c\0\x1e\x02q0\x01");
	METHOD(out, 1, "\0\x14\0\x14\x01");
	METHOD(out, 1, "\0\x3c\0\x50\0\0\0\0\0\0\0\x01\0");
}

static int rounds;
static bool (*say)(struct strbuf *out);

static bool garbage_on_bytes(struct peer_connection *c, struct strbuf *out)
{
	if (c->in.len == 0)
		return false;
	rounds++;
	return say(out);
}

static bool say_damaged(struct strbuf *out)
{
	add_login(out);
	add_message(out);
	damage(out);
	return true;
}

static bool say_noise(struct strbuf *out)
{
	char noise[512];

	rand_bytes(noise, sizeof(noise));
	strbuf_add(out, noise, sizeof(noise));
	return true;
}

/* A frame whose tables lie in each other thousands of levels deep. */
static bool say_deep(struct strbuf *out)
{
	struct strbuf deep = STRBUF_INIT;

	strbuf_add(&deep, "\0\x0a\0\x0a\0\x09", 6);
	for (int i = 0; i < 15000; i++)
		strbuf_add(&deep, "\0\0\x3f\xff\x01xF", 7);
	add_frame(out, 1, 0, deep.buf, deep.len);
	strbuf_release(&deep);
	return true;
}

static bool say_whole(struct strbuf *out)
{
	add_login(out);
	add_message(out);
	return false;
}

static bool enough_rounds(void) { return rounds >= 400; }
static bool few_rounds(void) { return rounds >= 5; }

static void against(bool (*what)(struct strbuf *out), bool (*is_enough)(void))
{
	static char text[64];
	struct peer p;

	peer_start(&p, garbage_on_bytes);
	rounds = 0;
	say = what;
	snprintf(text, sizeof(text), "amqp://127.0.0.1:%d/", p.port);
	url = text;
	options.queues = queues;
	options.n_queues = 1;
	options.connect_ms = 300;
	options.backoff_min_ms = options.backoff_max_ms = 1;
	a.broker = broker_new(loop, &options, &callbacks, &a);
	wait_for(is_enough);
	stop_both();
	peer_stop(&p);
}

START_TEST(noise_does_no_harm)
{
	against(say_noise, enough_rounds);
	ck_assert_ptr_nonnull(strstr(a.why, "protocol error"));
	ck_assert_int_eq(a.ups, 0);
}
END_TEST

START_TEST(damage_does_no_harm)
{
	against(say_damaged, enough_rounds);
	ck_assert_int_gt(a.downs, 0);
}
END_TEST

START_TEST(depth_does_no_harm)
{
	against(say_deep, few_rounds);
	ck_assert_ptr_nonnull(strstr(a.why, "protocol error"));
}
END_TEST

static bool a_has_one(void) { return a.deliveries > 0; }

START_TEST(the_fake_is_understood_when_undamaged)
{
	against(say_whole, a_has_one);
	ck_assert_int_eq(a.ups, 1);
	ck_assert_int_eq(a.lost_consumers, 1);
	ck_assert_uint_eq(a.len, 6);
	ck_assert_str_eq(a.header, "v");
	ck_assert_int_eq(a.n_headers, 2);
	ck_assert(a.props.persistent);
}
END_TEST

static bool say_nothing(struct strbuf *out UNUSED)
{
	return false;
}

START_TEST(silence_ends_with_the_deadline)
{
	against(say_nothing, a_is_down);
	ck_assert_ptr_nonnull(strstr(a.why, "no answer in 300 ms"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_broker");
	TCase *fake = io_case(s, "fake", start_with_queue), *real = io_case(s, "real", start_with_queue);

	tcase_add_test(fake, the_fake_is_understood_when_undamaged);
	tcase_add_test(fake, noise_does_no_harm);
	tcase_add_test(fake, damage_does_no_harm);
	tcase_add_test(fake, depth_does_no_harm);
	tcase_add_test(fake, silence_ends_with_the_deadline);
	tcase_add_test(fake, nobody_listens);
	if (getenv("AMQP_URL")) {
		tcase_add_test(real, messages_go_round);
		tcase_add_test(real, returned_is_told_from_routed);
		tcase_add_test(real, large_body_arrives);
		tcase_add_test(real, too_large_body_is_only_announced);
		tcase_add_test(real, comes_back_after_a_cut);
		tcase_add_test(real, paused_takes_nothing);
		tcase_add_test(real, counts_what_is_ready);
		tcase_add_test(real, at_rest_two_connections_wake_up_once_a_second);
		tcase_add_test(real, wrong_password_is_refused);
		tcase_add_test(real, other_arguments_are_refused);
		tcase_add_test(real, unknown_exchange_type_is_refused);
		tcase_add_test(real, missing_queue_is_no_refusal);
	} else {
		printf("# tests with a real broker are skipped: AMQP_URL is not set\n");
	}
	return io_run(s);
}
