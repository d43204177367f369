/* Which acks are written for what is done with, in whatever order that happens. */
#include "unit.h"

#include "base/rand.h"
#include "io/acks.h"

static struct acks a;

static void came(uint64_t from, uint64_t to)
{
	for (uint64_t t = from; t <= to; t++)
		ck_assert_int_eq(acks_came(&a, t), 0);
}

static void done(uint64_t from, uint64_t to)
{
	for (uint64_t t = from; t <= to; t++)
		ck_assert(acks_done(&a, t));
}

static void expect_ack(uint64_t tag, bool multiple)
{
	uint64_t found = 0;
	bool all = false;

	ck_assert(acks_take(&a, &found, &all));
	ck_assert_uint_eq(found, tag);
	ck_assert_int_eq(all, multiple);
}

static void expect_none(void)
{
	uint64_t tag;
	bool multiple;

	ck_assert(!acks_take(&a, &tag, &multiple));
	ck_assert_uint_eq(a.due, 0);
}

static void setup(void)
{
	acks_init(&a);
}

static void teardown(void)
{
	acks_release(&a);
}

START_TEST(what_is_done_without_a_gap_is_acked_at_once)
{
	came(1, 10);
	done(1, 7);
	expect_ack(7, true);
	expect_none();
	done(8, 8);
	expect_ack(8, false);
	expect_none();
	ck_assert_uint_eq(a.known, 2);
}
END_TEST

START_TEST(behind_a_gap_each_is_acked_alone_and_nothing_waits)
{
	came(1, 6);
	done(1, 2);
	done(4, 4);
	done(6, 6);
	expect_ack(2, true);
	ck_assert(!a.is_behind_gap);
	expect_ack(4, false);
	ck_assert(a.is_behind_gap);
	expect_ack(6, false);
	expect_none();
	done(3, 3);
	expect_ack(3, false);	/* those behind it were acked long ago */
	done(5, 5);
	expect_ack(5, false);
	expect_none();
	ck_assert_uint_eq(a.known, 0);
}
END_TEST

/* RabbitMQ refuses an ack, multiple or not, of a tag that is no longer open. */
START_TEST(what_went_back_leaves_no_gap_and_is_never_named)
{
	came(1, 5);
	ck_assert(acks_returned(&a, 2));
	ck_assert(acks_returned(&a, 5));
	done(1, 1);
	done(3, 4);
	expect_ack(4, true);
	expect_none();
	ck_assert_uint_eq(a.known, 0);
}
END_TEST

START_TEST(nothing_is_said_twice)
{
	came(1, 3);
	ck_assert(!acks_done(&a, 4));
	ck_assert(!acks_done(&a, 0));
	done(2, 2);
	ck_assert(!acks_done(&a, 2));
	ck_assert(!acks_returned(&a, 2));
	expect_ack(2, false);
	ck_assert(!acks_done(&a, 2));
	expect_none();
}
END_TEST

START_TEST(tags_must_count_up)
{
	came(1, 2);
	ck_assert_int_eq(acks_came(&a, 2), -1);
	acks_forget(&a);
	came(1, 1);
}
END_TEST

/* A lane's ticket is open for minutes, and a million messages go past it. */
START_TEST(one_that_stays_open_keeps_no_more_than_itself)
{
	came(1, 1);
	for (uint64_t t = 2; t < 100000; t++) {
		came(t, t);
		if (t > 200) {
			done(t - 100, t - 100);
			expect_ack(t - 100, false);
		}
	}
	ck_assert_uint_le(a.size, 1024);
}
END_TEST

/* Against the rule itself: every ack names what is open, and in the end each was acked or returned exactly once. */
START_TEST(any_order)
{
	for (int round = 0; round < 200; round++) {
		enum { N = 300 };
		uint8_t state[N + 1] = { 0 };	/* 0 to come, 1 open, 2 done, 3 over */
		uint64_t next = 1, left = N;

		acks_forget(&a);
		while (left > 0) {
			uint64_t t = 1 + rand_u64() % N, tag;
			bool multiple;

			if (next <= N && rand_u64() % 2) {
				came(next, next);
				state[next++] = 1;
			}
			if (state[t] == 1 && rand_u64() % 10) {
				ck_assert(acks_done(&a, t));
				state[t] = 2;
			} else if (state[t] == 1) {
				ck_assert(acks_returned(&a, t));
				state[t] = 3;
				left--;
			}
			if (rand_u64() % 16)
				continue;
			while (acks_take(&a, &tag, &multiple)) {
				ck_assert_int_eq(state[tag], 2);
				for (uint64_t k = multiple ? 1 : tag; k <= tag; k++) {
					ck_assert_int_ne(state[k], 1);
					left -= state[k] == 2;
					state[k] = 3;
				}
			}
			for (uint64_t k = 1; k < next; k++)
				ck_assert_int_ne(state[k], 2);
		}
		ck_assert_uint_eq(a.known, 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("acks");
	TCase *c = unit_case(s, "acks");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, what_is_done_without_a_gap_is_acked_at_once);
	tcase_add_test(c, behind_a_gap_each_is_acked_alone_and_nothing_waits);
	tcase_add_test(c, what_went_back_leaves_no_gap_and_is_never_named);
	tcase_add_test(c, nothing_is_said_twice);
	tcase_add_test(c, tags_must_count_up);
	tcase_add_test(c, one_that_stays_open_keeps_no_more_than_itself);
	tcase_add_test(c, any_order);
	return unit_run(s);
}
