/* test_io_queues - what the tests of queues that come and go share: one broker, and what it has told. */
#ifndef TEST_IO_QUEUES_H
#define TEST_IO_QUEUES_H

#include "test_io.h"
#include "test_io_amqp.h"

#include "base/rand.h"
#include "io/broker.h"

/* One broker, with all that its callbacks have told.  What is delivered stays unacked in tags[] until the test acks it. */
static struct told {
	struct broker *broker;
	int ups, downs, refusals, confirmed, deliveries, of_consumer[8], of_queues, gone, gone_number;
	char refused[512], why[512];
	struct broker_tag tags[64];
	void (*when_up)(void);
} a;

/* Answers in the order in which they came; index: which question's. */
static struct { long index; int64_t what; } answers[64];
static int n_answers;

static void on_up(void *arg UNUSED)
{
	a.ups++;
	if (a.when_up)
		a.when_up();
}

static void on_down(void *arg UNUSED, const char *why)
{
	a.downs++;
	snprintf(a.why, sizeof(a.why), "%s", why);
}

static void on_refused(void *arg UNUSED, const char *why)
{
	a.refusals++;
	snprintf(a.refused, sizeof(a.refused), "%s", why);
}

static void on_delivery(void *arg UNUSED, const struct broker_delivery *d)
{
	ck_assert_int_lt(a.deliveries, (int)ARRAY_LEN(a.tags));
	a.tags[a.deliveries++] = d->tag;
	if (d->queue >= 0)
		ck_assert_int_eq(d->consumer, -1);
	else
		ck_assert_int_lt(d->consumer, (int)ARRAY_LEN(a.of_consumer));
	if (d->queue >= 0)
		a.of_queues++;
	else
		a.of_consumer[d->consumer]++;
}

static void on_gone(void *arg UNUSED, int consumer)
{
	a.gone++;
	a.gone_number = consumer;
}

static const struct broker_callbacks callbacks = {
	.up = on_up, .down = on_down, .refused = on_refused, .delivery = on_delivery, .consumer_gone = on_gone,
};

static inline void answered(void *arg, int64_t what)
{
	ck_assert_int_lt(n_answers, (int)ARRAY_LEN(answers));
	answers[n_answers].index = (long)(intptr_t)arg;
	answers[n_answers++].what = what;
}

static void on_deleted(void *arg, enum broker_deletion what)
{
	answered(arg, what);
}

static void on_done(void *arg, bool ok)
{
	answered(arg, ok);
}

static const char *url;
static char lane[64], input[64], second_input[80];
static const char *inputs[2];
static struct broker_options options;
static struct broker_declare declare_input;

static inline void start(void)
{
	io_setup();
	memset(&a, 0, sizeof(a));
	n_answers = 0;
	url = getenv("AMQP_URL");
	snprintf(lane, sizeof(lane), "test_lane.%d.%llx", (int)getpid(), (unsigned long long)rand_u64());
	snprintf(input, sizeof(input), "test_input.%d.%llx", (int)getpid(), (unsigned long long)rand_u64());
	snprintf(second_input, sizeof(second_input), "%s.2", input);
	inputs[0] = input;
	declare_input = (struct broker_declare){ .thing = BROKER_QUEUE, .name = input, .exclusive = true };
	options = (struct broker_options){
		.urls = &url, .n_urls = 1, .connection_name = "test", .confirms = true, .backoff_min_ms = 10, .backoff_max_ms = 50,
	};
}

static inline bool is_down(void) { return a.downs > 0; }

static inline void declare(const char *name, int max_priority)
{
	ck_assert_int_eq(broker_declare(a.broker, &(struct broker_declare){ .thing = BROKER_QUEUE, .name = name,
									   .max_priority = max_priority }), 0);
}

static inline void delete_lane(long index, const char *name)
{
	ck_assert_int_eq(broker_delete(a.broker, name, on_deleted, (void *)(intptr_t)index), 0);
}

#endif
