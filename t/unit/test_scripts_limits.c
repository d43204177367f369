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
	redisReply *r = ask((const char *[]){ "MGET", bucket, pair, tenant, record }, 4);

	strbuf_reset(out);
	add_joined(out, r);
	freeReplyObject(r);
}

static void ask_admit(struct strbuf *answer)
{
	const struct further further[] = { { pair, "6000000", "0", "pair" }, { tenant, "50000", "0", "wait" } };

	admit(&(struct admit){ .further = further, .n_further = 2 }, answer);
}

START_TEST(all_or_none)
{
	const struct row *row = &rows[_i];
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;
	int64_t now;

	forget_all();
	take(bucket, row->number_ms);
	take(pair, row->pair_ms);
	take(tenant, row->tenant_ms);
	add_buckets(&before);
	ask_admit(&answer);
	add_buckets(&after);
	ck_assert_msg(str_starts(answer.buf, row->verdict), "%s: %s", row->name, answer.buf);
	ck_assert_msg(!strcmp(before.buf, after.buf) == !row->charged, "%s: %s -> %s", row->name, before.buf, after.buf);
	if (row->charged) {
		now = redis_us();
		ck_assert_int_gt(ask_number("GET", bucket), now);
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
	return unit_run(s);
}
