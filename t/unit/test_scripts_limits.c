/* admit with several limits: all are charged or none; the one that keeps the message longest is told. */
#include "test_scripts.h"

static char pair[64], tenant[64];

/* The state of one bucket before: free, or taken for so many ms; and each limit's interval, without tolerance. */
struct row { const char *name; int64_t number_ms, pair_ms, tenant_ms; const char *verdict; bool charged; };

static const struct row rows[] = {
	{ "all free",               0,    0,    0, "go",   true },
	{ "number taken",         800,    0,    0, "wait", false },
	{ "recipient taken",        0,  800,    0, "pair", false },
	{ "tenant taken",           0,    0,  800, "wait", false },
	{ "recipient taken longer", 300, 800, 300, "pair", false },
	{ "tenant taken longer",   300, 300,  800, "wait", false },
};

static void take(const char *key, int64_t ms)
{
	char tat[32];

	freeReplyObject(ask((const char *[]){ "DEL", key }, 2));
	if (!ms)
		return;
	snprintf(tat, sizeof(tat), "%lld", (long long)(redis_us() + ms * 1000));
	freeReplyObject(ask((const char *[]){ "SET", key, tat }, 3));
}

static void add_buckets(struct strbuf *out)
{
	redisReply *r = ask((const char *[]){ "MGET", pair, tenant, record }, 4);

	strbuf_setf(out, "%lld ", (long long)number_tat());
	add_joined(out, r);
	freeReplyObject(r);
}

static void ask_admit(struct strbuf *answer)
{
	admit(&(struct admit){ .pair = &(struct further){ pair, 6000000 }, .tenant = &(struct further){ tenant, 50000 } }, answer);
}

START_TEST(all_or_none)
{
	const struct row *row = &rows[_i];
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;
	int64_t now;

	forget_all();
	set_number_tat(row->number_ms ? redis_us() + row->number_ms * 1000 : 0);
	take(pair, row->pair_ms);
	take(tenant, row->tenant_ms);
	add_buckets(&before);
	ask_admit(&answer);
	add_buckets(&after);
	ck_assert_msg(str_starts(answer.buf, row->verdict), "%s: %s", row->name, answer.buf);
	ck_assert_msg(!strcmp(before.buf, after.buf) == !row->charged, "%s: %s -> %s", row->name, before.buf, after.buf);
	if (row->charged) {
		now = redis_us();
		ck_assert_int_gt(number_tat(), now);
		ck_assert_int_gt(ask_number("GET", pair), now + 5000000);
		ck_assert_int_gt(ask_number("GET", tenant), now);
	} else {
		ck_assert_int_eq(ask_number("EXISTS", record), 0);
	}
	freeReplyObject(ask((const char *[]){ "DEL", pair, tenant }, 3));
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

/* ---- an operator's rate, in place of 10 a second ---- */

static const struct { const char *name, *limit; int64_t interval_us; int burst; } set[] = {
	{ "none", NULL, 100000, 1 },
	{ "slower", "2 0 1 -", 500000, 1 },
	{ "faster", "225 0 1 plus", 4445, 8 },		/* a third of 22 but one, and one more */
	{ "its time runs", "2 +60000 1 -", 500000, 1 },
	{ "its time is over", "2 -1 1 -", 100000, 1 },
	{ "unreadable", "2", 100000, 1 },
	{ "of nothing", "fast 0 1 -", 100000, 1 },
};

/* As many go at once as its burst, and then each has to wait for its interval. */
START_TEST(an_operators_rate_is_in_force)
{
	struct strbuf answer = STRBUF_INIT;
	char limit[64], text[64], *save = NULL;
	int64_t before, charged, took;
	int n = 0;

	forget_all();
	if (set[_i].limit) {
		struct strbuf value = STRBUF_INIT;

		snprintf(text, sizeof(text), "%s", set[_i].limit);
		for (char *p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
			strbuf_adds(&value, value.len ? " " : "");
			add_value(&value, p);
		}
		snprintf(limit, sizeof(limit), "%s", value.buf);
		freeReplyObject(ask((const char *[]){ "HSET", holds, "l:1", limit }, 4));
		strbuf_release(&value);
	}
	before = redis_us();
	set_number_tat(redis_us() + 3600000000LL);	/* a bucket from another rate, or clock, is forgotten */
	while (n < 1000) {
		freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
		admit(&(struct admit){ .interval_us = 100000 }, &answer);
		if (!str_starts(answer.buf, "go"))
			break;
		n++;
	}
	charged = number_tat() - before;
	took = redis_us() - before;
	ck_assert_msg(str_starts(answer.buf, "wait"), "%s: %s", set[_i].name, answer.buf);
	ck_assert_msg(n >= set[_i].burst && n <= set[_i].burst + 1 + took / set[_i].interval_us, "%s: %d at once", set[_i].name, n);
	ck_assert_msg(charged >= n * set[_i].interval_us && charged <= n * set[_i].interval_us + took, "%s: %d took %lld us", set[_i].name, n,
		      (long long)charged);
	strbuf_release(&answer);
}
END_TEST

/* How near a number comes to its limit is told of the rate in force. */
START_TEST(use_is_a_share_of_the_rate_in_force)
{
	struct strbuf answer = STRBUF_INIT;

	for (int with = 0; with < 2; with++) {
		forget_all();
		freeReplyObject(ask((const char *[]){ "HSET", account, "us", text_of(wall_ms() / 10000 - 1), "uc", "50" }, 6));
		if (with)
			freeReplyObject(ask((const char *[]){ "HSET", holds, "l:1", "5 0 1 -" }, 4));
		admit(&(struct admit){ .interval_us = 100000 }, &answer);
		ck_assert_msg(answer_fits(answer.buf, with ? "go|1|0|0|approaching|" : "go|1|0|0||"), "%s", answer.buf);
	}
	strbuf_release(&answer);
}
END_TEST

static void start(void)
{
	start_redis();
	snprintf(pair, sizeof(pair), "test%d:r:{d}:p", getpid());
	snprintf(tenant, sizeof(tenant), "test%d:r:{d}:t", getpid());
}

int main(void)
{
	Suite *s = suite_create("limits");
	TCase *real = unit_case(s, "limits");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(real, start, stop_redis);
	tcase_add_loop_test(real, all_or_none, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(real, an_operators_rate_is_in_force, 0, (int)ARRAY_LEN(set));
	tcase_add_test(real, use_is_a_share_of_the_rate_in_force);
	return unit_run(s);
}
