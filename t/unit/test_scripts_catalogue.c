/* catalogue.lua against a real Redis: what is another template, what goes, which holds come and end, what is known to be missing. */
#include "test_scripts.h"

#define PAUSED "held", "132015", "paused"
#define FINE "sendable", "0", ""
#define DEF(status, category, more) "{\"id\":\"1\",\"name\":\"a\",\"language\":\"en\",\"status\":\"" status "\",\"category\":\"" category "\"" more "}"

static char catalogue[64];

static void start(void)
{
	start_redis();
	snprintf(catalogue, sizeof(catalogue), "test%d:t:{d}:t:2", getpid());
}

static void forget(void)
{
	forget_all();
	freeReplyObject(ask((const char *[]){ "DEL", catalogue }, 2));
}

static void stop(void)
{
	forget();
	stop_redis();
}

/* The answer without the generation, which goes to *gen. */
static int64_t run(const char *verb, const char *const *args, int n, struct strbuf *answer)
{
	const char *parts[PARTS_MAX] = { catalogue, holds, verb, "p:2:", "86400000", "60000", "3600000" };
	int64_t gen;
	char *bar;

	for (int i = 0; i < n; i++)
		parts[7 + i] = args[i];
	run_script(SCRIPT_CATALOGUE, parts, 2, 7 + n, answer);
	gen = strtoll(answer->buf, &bar, 10);
	ck_assert(bar != answer->buf);
	strbuf_drop_front(answer, (size_t)(bar - answer->buf) + (*bar == '|'));
	return gen;
}

#define PUT(answer, ...) run("put", (const char *const[]){ __VA_ARGS__ }, (int)ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })), answer)

static bool has(const char *field)
{
	redisReply *r = ask((const char *[]){ "HEXISTS", catalogue, field }, 3);
	bool there = r->integer == 1;

	freeReplyObject(r);
	return there;
}

START_TEST(the_same_again_is_nothing_new)
{
	struct strbuf answer = STRBUF_INIT;
	int64_t gen, ttl;

	forget();
	gen = PUT(&answer, "a/en", DEF("APPROVED", "UTILITY", ""), FINE, "UTILITY", "a/de", DEF("APPROVED", "UTILITY", ""), FINE, "UTILITY");
	ck_assert_int_gt(gen, wall_ms() - 60000);
	ck_assert_str_eq(answer.buf, "");
	ttl = ask_number("PTTL", catalogue);
	ck_assert(ttl > 86000000 && ttl <= 86400000);
	ck_assert_int_eq(PUT(&answer, "a/en", DEF("APPROVED", "UTILITY", ""), FINE, "UTILITY"), gen);
	ck_assert_int_gt(PUT(&answer, "a/en", DEF("APPROVED", "UTILITY", ",\"components\":[]"), FINE, "UTILITY"), gen);
	ck_assert_str_eq(answer.buf, "");
	strbuf_release(&answer);
}
END_TEST

START_TEST(another_category_and_another_status_are_told)
{
	struct strbuf answer = STRBUF_INIT;

	forget();
	PUT(&answer, "a/en", DEF("APPROVED", "UTILITY", ",\"components\":[{\"text\":\"\\\"category\\\":\\\"X\\\"\"}]"), FINE, "UTILITY");
	PUT(&answer, "a/en", DEF("APPROVED", "MARKETING", ""), FINE, "MARKETING");
	ck_assert_str_eq(answer.buf, "category a/en UTILITY MARKETING");
	PUT(&answer, "a/en", DEF("REJECTED", "MARKETING", ""), "other", "0", "", "MARKETING");
	ck_assert_str_eq(answer.buf, "status a/en REJECTED");
	strbuf_release(&answer);
}
END_TEST

static const struct hold_row { const char *name, *before, *word, *answer, *after; } hold_rows[] = {
	{ "paused", "", "held", "held p:2:a/en 60000 0 132015 paused", "p:2:a/en=auto,~+60000,~+0,0,0,-,132015,paused" },
	{ "held still", "p:2:a/en=auto,+5000,-9000,0,0,-,132015,x", "held", "", "p:2:a/en=auto,~+5000,~-9000,0,0,-,132015,x" },
	{ "again: twice as long", "p:2:a/en=auto,-5,-9000,0,0,-,132015,x", "held", "held p:2:a/en 120000 1 132015 paused",
	  "p:2:a/en=auto,~+120000,~-9000,1,0,-,132015,paused" },
	{ "an operator's stays", "p:2:a/en=operator,0,-9000,0,0,-,0,x", "held", "", "p:2:a/en=operator,0,~-9000,0,0,-,0,x" },
	{ "may be sent again", "p:2:a/en=auto,+5000,-9000,0,0,-,132015,x", "sendable", "released p:2:a/en", "p:2:a/en=-" },
	{ "an operator's does not end", "p:2:a/en=operator,0,-9000,0,0,-,0,x", "sendable", "", "p:2:a/en=operator,0,~-9000,0,0,-,0,x" },
	{ "nothing to end", "", "sendable", "", "p:2:a/en=-" },
	{ "neither", "p:2:a/en=auto,+5000,-9000,0,0,-,132015,x", "other", "", "p:2:a/en=auto,~+5000,~-9000,0,0,-,132015,x" },
	{ "another language is another template", "p:2:a/de=auto,+5000,-9000,0,0,-,132015,x", "sendable", "", "p:2:a/de=auto,~+5000,~-9000,0,0,-,132015,x" },
};

START_TEST(each_hold)
{
	const struct hold_row *row = &hold_rows[_i];
	struct strbuf answer = STRBUF_INIT;

	forget();
	set_fields(holds, row->before);
	PUT(&answer, "a/en", DEF("PAUSED", "UTILITY", ""), row->word, "132015", "paused", "UTILITY");
	ck_assert_msg(!strcmp(answer.buf, row->answer), "%s: %s", row->name, answer.buf);
	check_fields(holds, row->after);
	strbuf_release(&answer);
}
END_TEST

static const char *look(const char *key, const char *ttl, struct strbuf *answer)
{
	run("look", (const char *const[]){ ttl, key }, 2, answer);
	return answer->buf + strcspn(answer->buf, "|") + 1;
}

START_TEST(what_is_gone_goes_and_what_is_missing_is_known)
{
	struct strbuf answer = STRBUF_INIT;
	int64_t gen, after;

	forget();
	ck_assert_str_eq(look("a/en", "30000", &answer), "|0");
	run("only", (const char *const[]){ "made_up" }, 1, &answer);
	ck_assert_str_eq(look("made_up/en", "30000", &answer), "|1");
	ck_assert_str_eq(look("a/en", "30000", &answer), "|0");
	gen = PUT(&answer, "a/en", DEF("APPROVED", "UTILITY", ""), FINE, "UTILITY", "a/de", DEF("APPROVED", "UTILITY", ""), FINE, "UTILITY",
		  "ab/en", DEF("APPROVED", "UTILITY", ""), FINE, "UTILITY");
	after = run("only", (const char *const[]){ "a", "a/en" }, 2, &answer);	/* the other name stays */
	ck_assert_int_gt(after, gen);
	ck_assert(has("a/en") && !has("a/de") && has("ab/en"));
	ck_assert_int_eq(run("only", (const char *const[]){ "a", "a/en" }, 2, &answer), after);
	ck_assert_str_eq(look("a/de", "30000", &answer), "|1");
	ck_assert_str_eq(look("a/de", "0", &answer), "|0");
	ck_assert(run("end", (const char *const[]){ "ab/en" }, 1, &answer) > after);
	ck_assert(!has("a/en") && has("ab/en") && !has("!made_up"));
	ck_assert_str_eq(look("made_up/en", "30000", &answer), "|1");	/* all was fetched just now */
	strbuf_release(&answer);
}
END_TEST

START_TEST(an_empty_catalogue_has_been_fetched_too)
{
	struct strbuf answer = STRBUF_INIT;

	forget();
	ck_assert_int_gt(run("end", NULL, 0, &answer), 0);
	ck_assert(has(":at"));
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("catalogue");
	TCase *tc = unit_case(s, "catalogue");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, the_same_again_is_nothing_new);
	tcase_add_test(tc, another_category_and_another_status_are_told);
	tcase_add_loop_test(tc, each_hold, 0, (int)ARRAY_LEN(hold_rows));
	tcase_add_test(tc, what_is_gone_goes_and_what_is_missing_is_known);
	tcase_add_test(tc, an_empty_catalogue_has_been_fetched_too);
	return unit_run(s);
}
