/* When a dead child is started again. */
#include "unit.h"

#include "role/respawn.h"

struct death { int64_t lived_ms, delay_ms; bool alarm; };

static void live_through(struct conf *c, const struct death *deaths, size_t n)
{
	struct respawn r = { 0 };

	for (size_t i = 0; i < n; i++) {
		bool alarm = !deaths[i].alarm;
		int64_t delay = respawn_after(&r, c, deaths[i].lived_ms, &alarm);

		ck_assert_msg(delay == deaths[i].delay_ms && alarm == deaths[i].alarm, "death %zu: %lld ms, alarm %d", i, (long long)delay, alarm);
	}
}

START_TEST(a_crash_loop_slows_down_and_is_told_once)
{
	static const struct death deaths[] = {
		{ 0, 100, false }, { 5, 200, false }, { 9999, 400, false }, { 0, 800, false }, { 0, 1600, true }, { 0, 3200, false },
		{ 0, 6400, false }, { 0, 10000, false }, { 0, 10000, false },
		{ 10000, 0, false },			/* it was calm: all is forgotten */
		{ 0, 100, false }, { 0, 200, false }, { 0, 400, false }, { 0, 800, false }, { 0, 1600, true },
	};
	struct conf *c = conf_defaults();

	live_through(c, deaths, ARRAY_LEN(deaths));
	conf_free(&c);
}
END_TEST

START_TEST(a_thousand_crashes_do_not_overflow)
{
	struct conf *c = conf_defaults();
	struct respawn r = { 0 };
	int alarms = 0;

	c->respawn_min = 1;
	c->respawn_max = INT64_MAX / 4;
	for (int i = 0; i < 1000; i++) {
		bool alarm;
		int64_t delay = respawn_after(&r, c, 0, &alarm);

		ck_assert(delay >= 1 && delay <= c->respawn_max);
		alarms += alarm;
	}
	ck_assert_int_eq(alarms, 1);
	conf_free(&c);
}
END_TEST

START_TEST(equal_bounds_are_a_fixed_delay)
{
	static const struct death deaths[] = { { 0, 500, true }, { 0, 500, false }, { 600, 0, false }, { 599, 500, true } };
	struct conf *c = conf_defaults();

	c->respawn_min = c->respawn_max = 500;
	c->respawn_calm = 600;
	c->respawn_alarm = 1;
	live_through(c, deaths, ARRAY_LEN(deaths));
	conf_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("respawn");
	TCase *c = unit_case(s, "respawn");

	tcase_add_test(c, a_crash_loop_slows_down_and_is_told_once);
	tcase_add_test(c, a_thousand_crashes_do_not_overflow);
	tcase_add_test(c, equal_bounds_are_a_fixed_delay);
	return unit_run(s);
}
