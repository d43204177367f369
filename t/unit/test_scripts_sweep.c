/* sweep: a ticket for a lane that nobody takes from, and calm for a number of which people were told. */
#include "test_scripts.h"

enum { DAY = 86400000, STALE = 60000 };		/* a window of a day: it does not end while we test, but at midnight */

/* use: "us uc ua", us as windows from now; the number may send 100 in a window, 80 of them are near its limit. */
static const struct { const char *lane; int window; const char *used, *told, *answer, *after; } rows[] = {
	{ "", 0, NULL, NULL, "0|0", NULL },
	{ "ls=open lu=-60001 ll=-60001", 0, NULL, NULL, "1|0", "ls=open lu=~+0 ll=~-60001" },
	{ "ls=open lu=-60001", 0, NULL, NULL, "1|0", "ls=open lu=~+0" },
	{ "ls=closing lu=-60001 ll=-60001", 0, NULL, NULL, "1|0", "ls=closing lu=~+0" },
	{ "ls=deleting lu=-60001 ll=-60001", 0, NULL, NULL, "1|0", "ls=deleting lu=~+0" },
	{ "ls=open lu=-60001 ll=-50000", 0, NULL, NULL, "0|0", "ls=open lu=~-60001" },
	{ "ls=open lu=-50000 ll=-60001", 0, NULL, NULL, "0|0", "ls=open lu=~-50000" },
	{ "ls=open lu=-90000 lh=me ll=+9000", 0, NULL, NULL, "0|0", "ls=open lu=~-90000 lh=me" },
	{ "ll=-90000", 0, NULL, NULL, "0|0", "ls=-" },
	/* nobody was told; its window goes on; it ended high, in between, low; one without a message lies between */
	{ "", -1, "10", NULL, "0|0", "ua=-" },
	{ "", 0, "10", "1", "0|0", "ua=1" },
	{ "", -1, "90", "1", "0|0", "ua=1" },
	{ "", -1, "70", "1", "0|0", "ua=1" },
	{ "", -1, "59", "1", "0|1", "ua=-" },
	{ "", -2, "90", "1", "0|1", "ua=-" },
	{ "ls=open lu=-60001", -1, "10", "1", "1|1", "ua=- lu=~+0" },
};

static void sweep_with(int64_t interval_us, struct strbuf *answer)
{
	const char *parts[] = { account, holds, text_of(STALE), text_of(DAY), text_of(80), text_of(interval_us) };

	run_script(SCRIPT_SWEEP, parts, 2, ARRAY_LEN(parts), answer);
}

static void sweep(struct strbuf *answer)
{
	sweep_with((int64_t)DAY * 1000 / 100, answer);
}

START_TEST(each_state)
{
	struct strbuf answer = STRBUF_INIT;

	forget_all();
	set_fields(account, rows[_i].lane);
	if (rows[_i].used) {
		freeReplyObject(ask((const char *[]){ "HSET", account, "us", text_of(wall_ms() / DAY + rows[_i].window), "uc", rows[_i].used }, 6));
		if (rows[_i].told)
			freeReplyObject(ask((const char *[]){ "HSET", account, "ua", rows[_i].told }, 4));
	}
	sweep(&answer);
	ck_assert_msg(!strcmp(answer.buf, rows[_i].answer), "row %d: %s, not %s", _i, answer.buf, rows[_i].answer);
	if (rows[_i].after)
		check_fields(account, rows[_i].after);
	/* told to one asker: for the second there is nothing left to do */
	sweep(&answer);
	ck_assert_msg(!strcmp(answer.buf, "0|0"), "row %d, asked again: %s", _i, answer.buf);
	strbuf_release(&answer);
}
END_TEST

/* 70000 in a day are calm at 10 a second, and are not at 1, as an operator has it. */
START_TEST(calm_is_judged_by_the_rate_in_force)
{
	static const struct { const char *limit, *answer; } by[] = { { "1 0 1 -", "0|0" }, { "1 1 1 -", "0|1" } };
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(by); i++) {
		forget_all();
		freeReplyObject(ask((const char *[]){ "HSET", account, "us", text_of(wall_ms() / DAY - 1), "uc", "70000", "ua", "1" }, 8));
		freeReplyObject(ask((const char *[]){ "HSET", holds, "l:1", by[i].limit }, 4));
		sweep_with(100000, &answer);
		ck_assert_msg(!strcmp(answer.buf, by[i].answer), "%s: %s", by[i].limit, answer.buf);
	}
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sweep");
	TCase *real = unit_case(s, "sweep");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_loop_test(real, each_state, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(real, calm_is_judged_by_the_rate_in_force);
	return unit_run(s);
}
