/* call.lua against a real Redis: what lets a management call go, what Graph's word does, and that no hour has more calls than it may. */
#include "test_scripts.h"

#define MINUTE "60000"
#define HOUR "3600000"

enum { HOUR_MS = 3600000, NOT_SET = INT32_MIN };

struct row {
	const char *name;
	const char *before;		/* of the bucket's hash: milliseconds from now */
	int64_t t_ms;			/* its GCRA value, from now; NOT_SET: none */
	const char *parts[5];		/* verb and what it takes */
	int n;
	const char *answer;		/* # a number from 1 to 120000 */
	const char *after;		/* NULL: it is as before */
	int64_t ttl;			/* about; 0: not looked at */
};

/* One call a second, ten at once. */
#define TAKE { "take", "1000000", "9000000" }, 3
#define BLOCK(ms, code) { "block", ms, MINUTE, HOUR, code }, 5

static const struct row rows[] = {
	{ "the first goes", "", NOT_SET, TAKE, "go", "b=- bk=-", HOUR_MS + 1000 },
	{ "what was long ago does not count", "", -500000, TAKE, "go", "", HOUR_MS + 1000 },
	{ "the burst is not used up", "", 8000, TAKE, "go", "", HOUR_MS + 9000 },
	{ "the burst is used up", "", 9500, TAKE, "wait|#|rate", NULL, 0 },
	{ "a clock that went back", "", 900000, TAKE, "go", "", HOUR_MS + 1000 },
	{ "Graph wants no calls", "b=+50000 bc=80008 bk=0", -1, TAKE, "wait|#|80008", NULL, 0 },
	{ "nor does it say why", "b=+50000 bk=0", -1, TAKE, "wait|#|0", NULL, 0 },
	{ "that is over", "b=-10 bc=4 bk=2", -1, TAKE, "go", "bc=4 bk=2", HOUR_MS + 1000 },
	{ "it lies in the future of a clock that went back", "b=+90000000 bc=4 bk=0", -1, TAKE, "go", "", HOUR_MS + 1000 },

	{ "Graph says for how long", "", NOT_SET, BLOCK("90000", "80007"), "ok|90000", "b=~+90000 bc=80007 bk=0", HOUR_MS + 90000 },
	{ "it does not say", "", NOT_SET, BLOCK("0", "4"), "ok|60000", "b=~+60000 bc=4 bk=0", HOUR_MS + 60000 },
	{ "the second time in a row", "b=-1000 bc=4 bk=0", NOT_SET, BLOCK("0", "17"), "ok|120000", "b=~+120000 bc=17 bk=1", 0 },
	{ "often", "b=-1000 bc=4 bk=9", NOT_SET, BLOCK("0", "32"), "ok|3600000", "b=~+3600000 bk=10", 0 },
	{ "very often", "b=-1000 bc=4 bk=900", NOT_SET, BLOCK("0", "32"), "ok|3600000", "b=~+3600000 bk=901", 0 },
	{ "after an hour it is the first time", "b=-3700000 bc=4 bk=5", NOT_SET, BLOCK("0", "4"), "ok|60000", "b=~+60000 bk=0", 0 },
	{ "those on their way are told the same: not in a row", "b=+50000 bc=4 bk=1", NOT_SET, BLOCK("0", "4"), "ok|#", NULL, 0 },
	{ "a longer word counts", "b=+50000 bc=4 bk=1", NOT_SET, BLOCK("80000", "80008"), "ok|80000", "b=~+80000 bc=80008 bk=1", 0 },
	{ "a day at most", "", NOT_SET, BLOCK("999999999", "4"), "ok|86400000", "b=~+86400000", 0 },
	{ "the rate stays as it was", "", 5000, BLOCK("0", "4"), "ok|60000", "b=~+60000", 0 },
};

static void add_bucket(struct strbuf *out)
{
	redisReply *r = ask((const char *[]){ "HMGET", bucket, "t", "b", "bc", "bk" }, 6);

	strbuf_reset(out);
	add_joined(out, r);
	freeReplyObject(r);
}

static void ask_call(const char *const *parts, int n, struct strbuf *answer)
{
	const char *all[6] = { bucket };

	memcpy(all + 1, parts, (size_t)n * sizeof(*parts));
	run_script(SCRIPT_CALL, all, 1, n + 1, answer);
}

static void check_life(const struct row *row)
{
	int64_t ttl = ask_number("PTTL", bucket);

	ck_assert_msg(ttl > row->ttl - 60000 && ttl <= row->ttl + 2000, "%s: it lives %lld ms", row->name, (long long)ttl);
}

START_TEST(each_branch)
{
	const struct row *row = &rows[_i];
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;

	forget_all();
	set_fields(bucket, row->before);
	if (row->t_ms != NOT_SET)
		freeReplyObject(ask((const char *[]){ "HSET", bucket, "t", text_of(redis_us() + row->t_ms * 1000) }, 4));
	add_bucket(&before);
	ask_call(row->parts, row->n, &answer);
	add_bucket(&after);
	ck_assert_msg(answer_fits(answer.buf, row->answer), "%s: %s", row->name, answer.buf);
	ck_assert_msg(!strcmp(before.buf, after.buf) == !row->after, "%s: %s -> %s", row->name, before.buf, after.buf);
	if (row->after)
		check_fields(bucket, row->after);
	if (row->ttl)
		check_life(row);
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

/* As graph/calls.c asks: half at once, the other half over an hour.  Time goes by when the bucket's value goes back. */
START_TEST(an_hour_has_no_more_calls_than_it_may)
{
	static const char *const take[] = { "take", "40000000", "3560000000" };	/* 180: 90 at once, one each 40 s */
	struct strbuf answer = STRBUF_INIT;
	int gone = 0;

	forget_all();
	for (int s = 0; s < 3600; s += 10) {
		do {
			ask_call(take, 3, &answer);
			gone += !strcmp(answer.buf, "go");
		} while (!strcmp(answer.buf, "go"));
		freeReplyObject(ask((const char *[]){ "HINCRBY", bucket, "t", "-10000000" }, 4));
		if (s == 0)
			ck_assert_int_eq(gone, 90);
	}
	ck_assert_int_ge(gone, 178);
	ck_assert_int_le(gone, 180);
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("call");
	TCase *real = unit_case(s, "call");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_loop_test(real, each_branch, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(real, an_hour_has_no_more_calls_than_it_may);
	return unit_run(s);
}
