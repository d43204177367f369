/* The sliding second and the pair limit: exact at their edges. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "sandbox/pair.h"
#include "sandbox/window.h"

enum { SECOND = 1000000 };

START_TEST(counts_only_the_last_second)
{
	struct window w = { 0 };

	window_add(&w, 0);
	window_add(&w, 400000);
	window_add(&w, 999999);
	ck_assert_uint_eq(window_count(&w, 999999), 3);
	ck_assert_uint_eq(window_count(&w, SECOND), 2);		/* the first is exactly a second old: out */
	ck_assert_uint_eq(window_count(&w, SECOND + 400000), 1);
	ck_assert_uint_eq(window_count(&w, 10 * SECOND), 0);
	ck_assert_uint_eq(w.most, 3);
	window_release(&w);
}
END_TEST

START_TEST(refuses_the_one_too_many_in_any_second)
{
	struct window w = { 0 };
	int64_t t = 0;

	/* 80 at the end of one clock second and 80 at the start of the next are 160 in one sliding second. */
	for (int i = 0; i < 80; i++, t += 100) {
		ck_assert(window_allows(&w, 80, 900000 + t));
		window_add(&w, 900000 + t);
	}
	ck_assert(!window_allows(&w, 80, 1000000));
	ck_assert(!window_allows(&w, 80, 1899999));
	ck_assert(window_allows(&w, 80, 1900000));
	window_add(&w, 1900000);
	ck_assert(!window_allows(&w, 80, 1900000));
	ck_assert_uint_eq(w.most, 80);
	ck_assert(window_allows(&w, 0, 1900000));		/* 0: no limit */
	window_release(&w);
}
END_TEST

START_TEST(grows_and_agrees_with_counting_by_hand)
{
	struct window w = { 0 };
	static int64_t at[20000];
	unsigned most = 0, first = 0;
	int64_t t = 0;
	uint32_t random = 7;

	for (unsigned i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;		/* the same gaps in every run */
		t += (random >> 16) % 400;
		at[i] = t;
		while (t - at[first] >= SECOND)
			first++;
		if (i + 1 - first > most)
			most = i + 1 - first;
		window_add(&w, t);
		ck_assert_uint_eq(w.len, i + 1 - first);
	}
	ck_assert_uint_eq(w.most, most);
	window_release(&w);
}
END_TEST

START_TEST(pair_lends_45_and_wants_them_back)
{
	struct pairs *p = pairs_new();
	int64_t t = 1000 * (int64_t)SECOND;

	for (int i = 0; i < PAIR_BURST; i++)
		ck_assert(pairs_admit(p, "1", "491701", t));
	ck_assert(!pairs_admit(p, "1", "491701", t));
	ck_assert(pairs_admit(p, "1", "491702", t));		/* another recipient */
	ck_assert(pairs_admit(p, "2", "491701", t));		/* another number */
	ck_assert(!pairs_admit(p, "1", "491701", t + PAIR_INTERVAL_US - 1));
	ck_assert(pairs_admit(p, "1", "491701", t + PAIR_INTERVAL_US));
	ck_assert(!pairs_admit(p, "1", "491701", t + PAIR_INTERVAL_US));
	t += (int64_t)PAIR_BURST * PAIR_INTERVAL_US + PAIR_INTERVAL_US;
	for (int i = 0; i < PAIR_BURST; i++)
		ck_assert(pairs_admit(p, "1", "491701", t));
	pairs_reset(p);
	ck_assert(pairs_admit(p, "1", "491701", t));
	pairs_free(&p);
}
END_TEST

START_TEST(pair_forgets_nobody_who_owes)
{
	struct pairs *p = pairs_new();
	char to[16];

	for (int i = 0; i < PAIR_BURST; i++)
		ck_assert(pairs_admit(p, "1", "491701", 0));
	for (int i = 0; i < 20000; i++) {
		snprintf(to, sizeof(to), "49%d", 1000000 + i);
		ck_assert(pairs_admit(p, "1", to, i));
	}
	ck_assert(!pairs_admit(p, "1", "491701", 20000));
	pairs_free(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox limits");
	TCase *t = tcase_create("limits");
	SRunner *r;
	int failed;

	tcase_add_test(t, counts_only_the_last_second);
	tcase_add_test(t, refuses_the_one_too_many_in_any_second);
	tcase_add_test(t, grows_and_agrees_with_counting_by_hand);
	tcase_add_test(t, pair_lends_45_and_wants_them_back);
	tcase_add_test(t, pair_forgets_nobody_who_owes);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
