/* The breaker for Graph and the retry budget, as one process sees them.  Time is what the test says it is. */
#include "test_host.h"

#include "flow/host_rules.h"

/* ---- the breaker, told as a story: at this time, this happens, and this comes of it ---- */

enum deed { ASK, GOOD, BAD, BACK, HOLDS, TRIP, RESET };
enum { GO = HOST_GO, PROBE = HOST_PROBE, WAIT = HOST_WAIT, SAME = HOST_SAME, OPENED = HOST_OPENED, CLOSED = HOST_CLOSED };

struct step {
	int64_t ms;
	enum deed deed;
	int who;		/* whose pass */
	int want;		/* verdict, change, or true or false */
	int64_t wait_ms;	/* of WAIT; for how long, of TRIP */
};

static int step_do(struct host *h, const struct step *s, host_pass *pass, int64_t *wait)
{
	switch (s->deed) {
	case ASK:
		return (int)host_may_send(h, &rules, at(s->ms), pass, wait);
	case GOOD:
	case BAD:
		return (int)host_result(h, &rules, at(s->ms), *pass, s->deed == BAD);
	case BACK:
		host_give_back(h, *pass);
		return 0;
	case HOLDS:
		return host_pass_holds(h, at(s->ms), *pass);
	case TRIP:
		*wait = s->wait_ms;
		return (int)host_trip(h, at(s->ms), s->wait_ms);
	case RESET:
		return (int)host_reset(h, at(s->ms));
	}
	return -1;
}

#define STORY(...) tell((const struct step[]){ __VA_ARGS__ }, sizeof((struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

static void tell(const struct step *steps, size_t n)
{
	struct host h;
	host_pass pass[8] = { 0 };

	memset(&h, 0, sizeof(h));
	for (size_t i = 0; i < n; i++) {
		int64_t wait = 0;
		int got = step_do(&h, &steps[i], &pass[steps[i].who], &wait);

		ck_assert_msg(got == steps[i].want && wait == steps[i].wait_ms, "step %zu (%lld ms): %d, %lld ms", i, (long long)steps[i].ms, got,
			      (long long)wait);
	}
}

/* Four failures at ms, asked for and answered by who 0: it opens. */
#define FAIL_FOUR(ms) \
	{ ms, ASK, 0, GO, 0 }, { ms, BAD, 0, SAME, 0 }, { ms, BAD, 0, SAME, 0 }, { ms, BAD, 0, SAME, 0 }, { ms, BAD, 0, OPENED, 0 }

START_TEST(it_opens_probes_and_closes)
{
	STORY(FAIL_FOUR(100500), { 100500, ASK, 1, WAIT, 2000 }, { 102499, ASK, 1, WAIT, 1 }, { 102500, ASK, 1, PROBE, 0 },
	      { 102500, ASK, 2, WAIT, 250 }, { 112400, ASK, 2, WAIT, 100 }, { 103000, GOOD, 1, CLOSED, 0 }, { 103000, ASK, 2, GO, 0 });
}
END_TEST

START_TEST(a_failed_probe_doubles_the_time_to_the_longest)
{
	STORY(FAIL_FOUR(100000), { 102000, ASK, 1, PROBE, 0 }, { 103000, BAD, 1, SAME, 0 }, { 103000, ASK, 1, WAIT, 4000 },
	      { 107000, ASK, 1, PROBE, 0 }, { 107000, BAD, 1, SAME, 0 }, { 107000, ASK, 1, WAIT, 8000 },
	      { 115000, ASK, 1, PROBE, 0 }, { 115000, BAD, 1, SAME, 0 }, { 115000, ASK, 1, WAIT, 15000 },
	      { 130000, ASK, 1, PROBE, 0 }, { 130000, BAD, 1, SAME, 0 }, { 130000, ASK, 1, WAIT, 15000 },
	      { 145000, ASK, 1, PROBE, 0 }, { 145000, GOOD, 1, CLOSED, 0 },
	      FAIL_FOUR(146000), { 146000, ASK, 1, WAIT, 2000 });	/* it begins anew */
}
END_TEST

START_TEST(a_dead_prober_is_in_the_way_for_its_lease)
{
	STORY(FAIL_FOUR(100000), { 102000, ASK, 1, PROBE, 0 }, { 111999, ASK, 2, WAIT, 1 }, { 112000, ASK, 2, PROBE, 0 },
	      { 112000, ASK, 3, WAIT, 250 },
	      { 112001, BAD, 1, SAME, 0 }, { 112001, HOLDS, 2, true, 0 },	/* not dead, only late: 2 still has it */
	      { 112002, BAD, 2, SAME, 0 }, { 112002, ASK, 3, WAIT, 4000 });
}
END_TEST

START_TEST(a_late_probe_opens_or_closes_it_when_nobody_else_probes)
{
	STORY(FAIL_FOUR(100000), { 102000, ASK, 1, PROBE, 0 }, { 120000, BAD, 1, SAME, 0 }, { 120000, ASK, 1, WAIT, 4000 },
	      { 124000, ASK, 1, PROBE, 0 }, { 140000, GOOD, 1, CLOSED, 0 });
}
END_TEST

START_TEST(a_graph_slower_than_the_lease_is_let_in_again)
{
	STORY(FAIL_FOUR(100000), { 102000, ASK, 1, PROBE, 0 }, { 112000, ASK, 2, PROBE, 0 }, { 114000, GOOD, 1, CLOSED, 0 },
	      { 116000, BAD, 2, SAME, 0 }, { 116000, GOOD, 2, SAME, 0 }, { 116000, ASK, 3, GO, 0 });
}
END_TEST

START_TEST(a_probe_of_an_earlier_opening_closes_no_later_one)
{
	STORY(FAIL_FOUR(100000), { 102000, ASK, 1, PROBE, 0 }, { 112000, ASK, 2, PROBE, 0 }, { 112000, GOOD, 2, CLOSED, 0 },
	      FAIL_FOUR(113000), { 114000, GOOD, 1, SAME, 0 }, { 114000, ASK, 3, WAIT, 1000 }, { 115000, ASK, 3, PROBE, 0 },
	      { 115000, GOOD, 1, SAME, 0 }, { 115000, HOLDS, 3, true, 0 });
}
END_TEST

START_TEST(answers_to_posts_of_before_decide_nothing)
{
	STORY({ 100000, ASK, 5, GO, 0 }, FAIL_FOUR(100000), { 100100, GOOD, 5, SAME, 0 }, { 100100, ASK, 1, WAIT, 1900 },	/* open */
	      { 102000, ASK, 1, PROBE, 0 }, { 102100, GOOD, 5, SAME, 0 }, { 102100, BAD, 5, SAME, 0 }, { 102100, HOLDS, 1, true, 0 },
	      { 102200, GOOD, 1, CLOSED, 0 },
	      { 104000, BAD, 5, SAME, 0 }, { 104000, BAD, 5, SAME, 0 }, { 104000, BAD, 5, SAME, 0 }, { 104000, BAD, 5, SAME, 0 },
	      { 104000, BAD, 5, SAME, 0 }, { 104000, ASK, 1, GO, 0 },		/* a crowd of old timeouts */
	      FAIL_FOUR(105000));
}
END_TEST

START_TEST(when_it_closes_the_window_is_forgotten)
{
	STORY(FAIL_FOUR(100000), { 102000, ASK, 1, PROBE, 0 }, { 102000, GOOD, 1, CLOSED, 0 },
	      { 103000, ASK, 1, GO, 0 }, { 103000, BAD, 1, SAME, 0 }, { 103000, BAD, 1, SAME, 0 }, { 103000, BAD, 1, SAME, 0 },
	      { 103000, BAD, 1, OPENED, 0 });
}
END_TEST

START_TEST(a_probe_given_back_goes_to_the_next)
{
	STORY(FAIL_FOUR(100000), { 102000, ASK, 1, PROBE, 0 }, { 102000, HOLDS, 1, true, 0 }, { 102000, BACK, 1, 0, 0 },
	      { 102000, HOLDS, 1, false, 0 }, { 102000, ASK, 2, PROBE, 0 }, { 102000, BACK, 0, 0, 0 },	/* 0 was no probe */
	      { 102000, HOLDS, 2, true, 0 }, { 112000, HOLDS, 2, false, 0 },
	      { 112000, ASK, 3, PROBE, 0 }, { 112000, BACK, 2, 0, 0 }, { 112000, HOLDS, 3, true, 0 },	/* 2 had lost it already */
	      { 112000, BAD, 3, SAME, 0 }, { 112000, ASK, 3, WAIT, 4000 });
}
END_TEST

START_TEST(a_pass_holds_until_it_opens)
{
	STORY({ 100000, ASK, 1, GO, 0 }, { 100000, BACK, 1, 0, 0 }, { 100000, ASK, 2, GO, 0 }, { 100000, ASK, 1, GO, 0 },
	      { 900000, HOLDS, 1, true, 0 }, FAIL_FOUR(900000), { 900000, HOLDS, 1, false, 0 },
	      { 902000, ASK, 2, PROBE, 0 }, { 902000, GOOD, 2, CLOSED, 0 }, { 902000, HOLDS, 1, false, 0 });
}
END_TEST

START_TEST(the_operator_trips_and_resets)
{
	STORY({ 100000, ASK, 0, GO, 0 }, { 100000, TRIP, 7, OPENED, 60000 }, { 100000, TRIP, 7, SAME, 30000 }, { 100000, ASK, 1, WAIT, 30000 },
	      { 130000, ASK, 1, PROBE, 0 }, { 130000, TRIP, 7, SAME, 5000 }, { 130001, GOOD, 1, SAME, 0 }, { 130001, ASK, 2, WAIT, 4999 },
	      { 130002, RESET, 7, CLOSED, 0 }, { 130002, RESET, 7, SAME, 0 }, { 130002, ASK, 1, GO, 0 }, { 130002, HOLDS, 0, false, 0 },
	      { 140000, ASK, 1, GO, 0 }, { 140000, BAD, 1, SAME, 0 }, { 140000, BAD, 1, SAME, 0 }, { 140000, BAD, 1, SAME, 0 },
	      { 140000, RESET, 7, SAME, 0 }, { 140000, BAD, 1, SAME, 0 }, { 141000, ASK, 2, GO, 0 });
}
END_TEST

/* ---- when it opens ---- */

START_TEST(it_opens_by_share_of_enough_answers_in_the_window)
{
	static const struct { int calls_min, percent, good, bad; int64_t good_ms, bad_ms, window_ms; bool opens; } rows[] = {
		{ 20, 50,  0, 19, 100000, 100000, 10000, false }, { 20, 50,  0, 20, 100000, 100000, 10000, true },
		{ 20, 50, 10, 10, 100000, 100000, 10000, true },  { 20, 50, 11, 10, 100000, 100000, 10000, false },
		{ 20, 50, 11, 11, 100000, 100000, 10000, true },  { 20, 100, 1, 500, 100000, 100000, 10000, false },
		{ 20, 100, 0, 20, 100000, 100000, 10000, true },  { 1,   1, 99, 1, 100000, 100000, 10000, true },
		{ 1,   1, 100, 1, 100000, 100000, 10000, false }, { 1, 50,  0,  1, 100000, 100000, 10000, true },
		{ 20, 50, 50, 20, 100000, 109999, 10000, false },	/* the good ones are in the window still … */
		{ 20, 50, 50, 20, 100000, 110000, 10000, true },	/* … and out of it */
		{ 20, 50, 50, 20, 100000, 114999, 15000, false }, { 20, 50, 50, 20, 100000, 115000, 15000, true },
		{ 20, 50, 50, 20, 100000, 100999, 1000, false },  { 20, 50, 50, 20, 100000, 101000, 1000, true },
		{ 20, 50, 50, 20, 100000, 116000, 10000, true },	/* the ring's cell of then is that of now */
		{ 20, 50, 50, 20, 100000, 400000, 10000, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host_rules r = rules;
		struct host h;
		host_pass pass;
		int64_t wait;
		enum host_change change = HOST_SAME;

		memset(&h, 0, sizeof(h));
		r.calls_min = rows[i].calls_min;
		r.failed_percent = rows[i].percent;
		r.window_ms = rows[i].window_ms;
		ck_assert_int_eq(host_may_send(&h, &r, at(rows[i].good_ms), &pass, &wait), HOST_GO);
		for (int k = 0; k < rows[i].good; k++)
			ck_assert_int_eq(host_result(&h, &r, at(rows[i].good_ms), pass, false), HOST_SAME);
		for (int k = 0; k < rows[i].bad; k++) {
			ck_assert_msg(change == HOST_SAME, "row %zu: opened at failure %d", i, k);
			change = host_result(&h, &r, at(rows[i].bad_ms), pass, true);
		}
		ck_assert_msg((change == HOST_OPENED) == rows[i].opens && host_is_open(&h) == rows[i].opens, "row %zu", i);
	}
}
END_TEST

START_TEST(a_process_that_slept_for_a_minute_wipes_out_nothing)
{
	struct host h;

	memset(&h, 0, sizeof(h));
	for (int i = 0; i < 10; i++)
		host_count_first(&h, at(164000));
	host_count_first(&h, at(100000));		/* the same cell, four rings ago */
	ck_assert_int_eq(look(&h, 164000).first, 10);
	ck_assert_int_eq(look(&h, 180000).first, 0);	/* nor does its cell pass for another second's */
}
END_TEST

START_TEST(counts_stop_at_their_end)
{
	struct host h;

	memset(&h, 0, sizeof(h));
	ck_assert(host_take_retry(&h, &rules, at(100000)));
	for (int i = 0; i < 70000; i++)
		host_count_first(&h, at(100000));
	ck_assert_int_eq(look(&h, 100000).first, 65535);
	ck_assert_int_eq(look(&h, 100000).retries, 1);
}
END_TEST

START_TEST(what_is_seen_of_it)
{
	struct host h;
	struct host_view v;
	host_pass pass;
	int64_t wait;

	memset(&h, 0, sizeof(h));
	v = look(&h, 100000);
	ck_assert(!v.is_open && !v.is_probing && !v.left_ms && !v.good && !v.failed && !v.first && !v.retries);
	ck_assert_int_eq(host_may_send(&h, &rules, at(100000), &pass, &wait), HOST_GO);
	host_result(&h, &rules, at(100000), pass, false);
	for (int i = 0; i < 4; i++)
		host_result(&h, &rules, at(101000), pass, true);	/* the last one, when it is open already, counts too */
	v = look(&h, 101500);
	ck_assert(v.is_open && !v.is_probing && v.left_ms == 1500 && v.good == 1 && v.failed == 4);
	ck_assert_int_eq(host_may_send(&h, &rules, at(103000), &pass, &wait), HOST_PROBE);
	v = look(&h, 104000);
	ck_assert(v.is_open && v.is_probing && v.left_ms == 9000 && host_is_open(&h));
	v = look(&h, 113000);
	ck_assert(v.is_open && !v.is_probing && v.left_ms == 0);
}
END_TEST

/* ---- the retry budget ---- */

static int take(struct host *h, const struct host_rules *r, int64_t ms, int wanted)
{
	int n = 0;

	for (int i = 0; i < wanted; i++)
		n += host_take_retry(h, r, at(ms));
	return n;
}

START_TEST(retries_of_one_window)
{
	static const struct { int percent, floor, good, bad, first, fit; } rows[] = {
		{ 20, 1,  0,  0, 100, 1000 }, { 20, 1, 100, 0, 100, 1000 }, { 20, 1, 80, 20, 100, 1000 },	/* not more than 20 %: no trouble */
		{ 20, 1, 79, 21, 100, 30 }, { 20, 1, 0, 1, 100, 30 }, { 20, 1, 0, 1, 0, 10 }, { 20, 1, 0, 1, 4, 10 }, { 20, 1, 0, 1, 5, 11 },
		{ 20, 3, 0, 1, 100, 50 }, { 0, 1, 100, 0, 100, 1000 }, { 0, 1, 99, 1, 100, 10 }, { 50, 1, 0, 1, 100, 60 },
		{ 100, 1, 0, 50, 1, 1000 },		/* 100: no limit */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host_rules r = rules;
		struct host h;
		int n;

		memset(&h, 0, sizeof(h));
		r.retry_percent = rows[i].percent;
		r.retry_floor = rows[i].floor;
		answer(&h, 100000, rows[i].good, rows[i].bad);
		for (int k = 0; k < rows[i].first; k++)
			host_count_first(&h, at(100000));
		n = take(&h, &r, 100000, 1000);
		ck_assert_msg(n == rows[i].fit, "row %zu: %d", i, n);
		ck_assert_int_eq(look(&h, 100000).retries, n);		/* what was refused is not counted */
	}
}
END_TEST

START_TEST(a_minute_in_which_all_fails)
{
	static const struct { int first, wanted; } rows[] = { { 50, 100 }, { 50, 500 }, { 1, 100 }, { 0, 100 }, { 7, 8 }, { 200, 20 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host h;
		int first = 0, retries = 0, wanted = 0, most;

		memset(&h, 0, sizeof(h));
		answer(&h, 99999, 0, 1);
		for (int64_t ms = 100000; ms < 160000; ms += 250)	/* the retries first: nobody is nice */
			for (int k = (int)(ms / 250 % 4); k < rows[i].wanted; k += 4, wanted++) {
				int ok = host_take_retry(&h, &rules, at(ms));

				retries += ok;
				if (ok)
					answer(&h, ms, 0, 1);
				if (k < rows[i].first) {
					host_count_first(&h, at(ms));
					answer(&h, ms, 0, 1);
					first++;
				}
			}
		most = first / 5 + 60;
		ck_assert_msg(retries <= most, "row %zu: %d of %d, %d first", i, retries, wanted, first);
		ck_assert_msg(retries >= (wanted < most ? wanted : most) * 8 / 10, "row %zu: only %d of %d, %d first", i, retries, wanted, first);
	}
}
END_TEST

START_TEST(the_budget_outlives_the_closing_and_ends_with_the_window)
{
	struct host h;
	host_pass pass;
	int64_t wait;

	memset(&h, 0, sizeof(h));
	answer(&h, 100000, 0, 3);
	ck_assert_int_eq(host_may_send(&h, &rules, at(100000), &pass, &wait), HOST_GO);
	ck_assert_int_eq(host_result(&h, &rules, at(100000), pass, true), HOST_OPENED);
	ck_assert_int_eq(host_may_send(&h, &rules, at(102000), &pass, &wait), HOST_PROBE);
	ck_assert_int_eq(host_result(&h, &rules, at(102000), pass, false), HOST_CLOSED);
	ck_assert_int_eq(take(&h, &rules, 102000, 1000), 10);	/* the crowd that failed before waits its turn */
	ck_assert_int_eq(take(&h, &rules, 109999, 1000), 0);
	ck_assert_int_eq(take(&h, &rules, 110000, 1000), 1000);
}
END_TEST

START_TEST(the_rules_are_the_settings)
{
	struct conf *c = conf_defaults();
	struct host_rules r;

	host_rules_of(c, &r);
	ck_assert(r.window_ms == 10000 && r.open_ms == 2000 && r.open_max_ms == 15000 && r.probe_ms == 10000 && r.calls_min == 20 &&
		  r.failed_percent == 50 && r.retry_percent == 20 && r.retry_floor == 1);
	conf_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("host");
	TCase *c = unit_case(s, "breaker"), *budget = unit_case(s, "budget");

	tcase_add_test(c, it_opens_probes_and_closes);
	tcase_add_test(c, a_failed_probe_doubles_the_time_to_the_longest);
	tcase_add_test(c, a_dead_prober_is_in_the_way_for_its_lease);
	tcase_add_test(c, a_late_probe_opens_or_closes_it_when_nobody_else_probes);
	tcase_add_test(c, a_graph_slower_than_the_lease_is_let_in_again);
	tcase_add_test(c, a_probe_of_an_earlier_opening_closes_no_later_one);
	tcase_add_test(c, answers_to_posts_of_before_decide_nothing);
	tcase_add_test(c, when_it_closes_the_window_is_forgotten);
	tcase_add_test(c, a_probe_given_back_goes_to_the_next);
	tcase_add_test(c, a_pass_holds_until_it_opens);
	tcase_add_test(c, the_operator_trips_and_resets);
	tcase_add_test(c, it_opens_by_share_of_enough_answers_in_the_window);
	tcase_add_test(c, a_process_that_slept_for_a_minute_wipes_out_nothing);
	tcase_add_test(c, counts_stop_at_their_end);
	tcase_add_test(c, what_is_seen_of_it);
	tcase_add_test(c, the_rules_are_the_settings);
	tcase_add_test(budget, retries_of_one_window);
	tcase_add_test(budget, a_minute_in_which_all_fails);
	tcase_add_test(budget, the_budget_outlives_the_closing_and_ends_with_the_window);
	return unit_run(s);
}
