/* Which delay queue a copy takes, and that there is such a queue. */
#include "unit.h"

#include "flow/backoff.h"
#include "flow/delays.h"
#include "flow/topology.h"

static const struct conf_steps five = { { 2000, 8000, 30000, 120000, 300000 }, 5 }, one = { { 7000 }, 1 }, mixed = { { 20000, 1000, 60000, 5000 }, 4 };

START_TEST(a_retry_takes_its_step_or_now_and_then_the_one_before)
{
	static const struct { const struct conf_steps *steps; int retry; int64_t due, early; } rows[] = {
		{ &five, 1, 2000, 2000 }, { &five, 2, 8000, 8000 }, { &five, 3, 30000, 8000 }, { &five, 4, 120000, 30000 }, { &five, 5, 300000, 120000 },
		{ &five, 6, 300000, 120000 }, { &five, 1000, 300000, 120000 }, { &five, 0, 2000, 2000 }, { &five, -1, 2000, 2000 },
		{ &one, 1, 7000, 7000 }, { &one, 9, 7000, 7000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (uint64_t random = 0; random < 9; random++) {
			int64_t ms = backoff_retry(rows[i].steps, rows[i].retry, random), want = random % 3 ? rows[i].due : rows[i].early;

			ck_assert_msg(ms == want, "retry %d, random %d: %lld", rows[i].retry, (int)random, (long long)ms);
		}
}
END_TEST

START_TEST(a_wait_takes_the_longest_step_that_is_not_too_long)
{
	static const struct { const struct conf_steps *steps; int64_t wait, ms; } rows[] = {
		{ &five, 0, 2000 }, { &five, 1999, 2000 }, { &five, 2000, 2000 }, { &five, 7999, 2000 }, { &five, 8000, 8000 }, { &five, 29999, 8000 },
		{ &five, INT64_MAX, 300000 }, { &five, -5, 2000 }, { &one, 1, 7000 }, { &one, 8000, 7000 },
		{ &mixed, 4999, 1000 }, { &mixed, 5000, 5000 }, { &mixed, 19999, 5000 }, { &mixed, 20000, 20000 }, { &mixed, 70000, 60000 },
		{ &mixed, 500, 1000 },		/* none fits: the shortest is the least wrong */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(backoff_wait(rows[i].steps, rows[i].wait) == rows[i].ms, "row %zu: %lld", i,
			      (long long)backoff_wait(rows[i].steps, rows[i].wait));
}
END_TEST

START_TEST(a_wait_that_must_not_be_shorter_takes_the_next_step)
{
	static const struct { const struct conf_steps *steps; int64_t wait, ms; } rows[] = {
		{ &five, 0, 2000 }, { &five, 2000, 2000 }, { &five, 2001, 8000 }, { &five, 300000, 300000 }, { &five, 300001, 300000 },
		{ &five, INT64_MAX, 300000 }, { &one, 1, 7000 }, { &one, 7001, 7000 },
		{ &mixed, 1, 1000 }, { &mixed, 1001, 5000 }, { &mixed, 5001, 20000 }, { &mixed, 20001, 60000 }, { &mixed, 60001, 60000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(backoff_at_least(rows[i].steps, rows[i].wait) == rows[i].ms, "row %zu", i);
}
END_TEST

static void check_queues(const struct topology *t, const struct conf_steps *steps)
{
	for (int i = 0; i < steps->n; i++)
		ck_assert_msg(topology_delay_queue(t, steps->v[i]) != NULL, "no queue of %lld ms", (long long)steps->v[i]);
}

START_TEST(every_step_has_its_queue_and_leads_back)
{
	struct conf *c = conf_defaults();
	struct topology *t;
	const struct broker_declare *d;
	int n, delays = 0;

	c->unknown_timer = 1500;
	t = topology_new(c);
	check_queues(t, &c->retry_connect);
	check_queues(t, &c->retry_server);
	check_queues(t, &c->retry_throttle);
	check_queues(t, &c->retry_wait);
	ck_assert_str_eq(topology_delay_queue(t, 1500), "whatsapp.retry.1500ms");
	ck_assert_str_eq(topology_delay_queue(t, 300000), "whatsapp.retry.300s");
	ck_assert_ptr_null(topology_delay_queue(t, 1501));
	ck_assert_int_eq(topology_tail(t), 300000 + 600000 + 600000);	/* step, the broker's turn after amqp.retry_grace, room */
	d = topology_declares(t, &n);
	for (int i = 0; i < n; i++) {
		if (d[i].thing != BROKER_QUEUE || !d[i].message_ttl_ms)
			continue;
		ck_assert_str_eq(d[i].name, topology_delay_name(t, delays));
		ck_assert_int_eq(d[i].message_ttl_ms, topology_delay_ms(t, delays) + 600000);	/* not the broker's to bring back, before that */
		delays++;
		ck_assert_str_eq(d[i].dead_letter_exchange, "whatsapp");
		ck_assert_str_eq(d[i].dead_letter_key, "outbound");
		for (int k = 0; k < i; k++)		/* a delay stands once, and after what it leads to */
			ck_assert(d[k].thing != BROKER_QUEUE || strcmp(d[k].name, d[i].name));
		for (int k = i; k < n; k++)
			ck_assert(d[k].thing == BROKER_QUEUE && d[k].message_ttl_ms);
	}
	ck_assert_int_eq(delays, topology_delays(t));
	ck_assert_int_eq(delays, 15);			/* 2 8 30 120 300, 10 60, 1 4 16 64 256, 5 20, 1.5; 60 and 300 again */
	topology_free(&t);
	conf_free(&c);
}
END_TEST

START_TEST(a_copy_is_held_until_its_step_is_over)
{
	ck_assert_int_eq(delays_left_ms(10000, 1764000000000, 1764000000000), 10000);
	ck_assert_int_eq(delays_left_ms(10000, 1764000000000, 1764000004000), 6000);
	ck_assert_int_eq(delays_left_ms(10000, 1764000000000, 1764000010000), 0);
	ck_assert_int_eq(delays_left_ms(10000, 1764000000000, 1764007200000), 0);
	ck_assert_int_eq(delays_left_ms(10000, 1764000000000, 1763992800000), 10000);	/* this clock is behind, or was set back */
	ck_assert_int_eq(delays_left_ms(10000, 0, 1764000000000), 10000);			/* it does not say when */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backoff");
	TCase *c = unit_case(s, "backoff");

	tcase_add_test(c, a_retry_takes_its_step_or_now_and_then_the_one_before);
	tcase_add_test(c, a_wait_takes_the_longest_step_that_is_not_too_long);
	tcase_add_test(c, a_wait_that_must_not_be_shorter_takes_the_next_step);
	tcase_add_test(c, every_step_has_its_queue_and_leads_back);
	tcase_add_test(c, a_copy_is_held_until_its_step_is_over);
	return unit_run(s);
}
