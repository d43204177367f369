/* settle and concluded: compare-and-set on owner and attempt, successes always, every repeat harmless.  The rate limit. */
#include "test_scripts.h"

#define OURS "v=1 s=sending n=2 o=me l=+20000 x=+60000 id=m1"
#define OURS_OVER "v=1 s=sending n=2 o=me l=-5000 x=-1000 h={\"n\":1}"
#define OTHERS "v=1 s=sending n=2 o=other l=+20000 x=+60000 h={\"n\":1}"
#define LATER "v=1 s=sending n=3 o=me l=+20000 x=+60000"
#define PARKED "v=1 s=unknown n=2 o=me x=+60000"
#define RETRY "v=1 s=retry n=2 o=other x=+60000"
#define DEAD "v=1 s=dead n=2 o=other r=retries_used code=131000 e=oops c=1 x=+60000"
#define EXPIRED "v=1 s=expired n=1 r=expired x=-1000"
#define SENT "v=1 s=sent n=2 w=W o=me h={\"n\":1} x=+60000"
#define WRITTEN "v=1 o=me h={\"n\":9} code=131026 e=text"

/* after: the fields it must have; NULL: nothing was written. */
static const struct row { const char *before; struct settle a; const char *answer, *after; } rows[] = {
	/* ours: the outcome is written, even after the lease while nobody took it */
	{ OURS, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":9}", "v=1 s=sent n=2 w=W o=me h={\"n\":9} r=- code=- l=- e=- id=m1" },
	{ OURS, { .n = 2, .what = "retry" }, "ok|2|{\"n\":9}", "s=retry n=2 r= " WRITTEN },
	{ OURS, { .n = 2, .what = "back" }, "ok|1|{\"n\":9}", "s=retry n=1 " WRITTEN },
	{ OURS, { .n = 2, .what = "unknown" }, "ok|2|{\"n\":9}", "s=unknown n=2 " WRITTEN },
	{ OURS, { .n = 2, .what = "dead" }, "ok|2|{\"n\":9}", "s=dead n=2 r=refused " WRITTEN },
	{ OURS_OVER, { .n = 2, .what = "retry" }, "ok|2|{\"n\":1},{\"n\":9}", "s=retry n=2 h={\"n\":1},{\"n\":9}" },
	{ OURS_OVER, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":1},{\"n\":9}", "s=sent n=2 w=W h={\"n\":1},{\"n\":9}" },
	{ "v=1 s=sending n=1 o=me", { .n = 1, .what = "back" }, "ok|0|{\"n\":9}", "s=retry n=0" },
	/* another's: only a success may be written */
	{ OTHERS, { .n = 2, .what = "retry" }, "lost|2|{\"n\":1}", NULL }, { OTHERS, { .n = 2, .what = "back" }, "lost|2|{\"n\":1}", NULL },
	{ OTHERS, { .n = 2, .what = "unknown" }, "lost|2|{\"n\":1}", NULL }, { OTHERS, { .n = 2, .what = "dead" }, "lost|2|{\"n\":1}", NULL },
	{ OTHERS, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":1},{\"n\":9}", "s=sent n=2 w=W" },
	{ LATER, { .n = 2, .what = "retry" }, "lost|3|", NULL }, { LATER, { .n = 2, .what = "unknown" }, "lost|3|", NULL },
	{ LATER, { .n = 2, .what = "dead" }, "lost|3|", NULL }, { LATER, { .n = 4, .what = "retry" }, "lost|3|", NULL },
	{ LATER, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":9}", "s=sent w=W" },
	/* parked by another delivery while we were away */
	{ PARKED, { .n = 2, .what = "retry" }, "lost|2|", NULL }, { PARKED, { .n = 2, .what = "dead" }, "lost|2|", NULL },
	{ PARKED, { .n = 2, .what = "back" }, "lost|2|", NULL }, { PARKED, { .n = 2, .what = "unknown" }, "ok|2|", NULL },
	{ PARKED, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":9}", "s=sent w=W" },
	{ RETRY, { .n = 2, .what = "retry" }, "lost|2|", NULL }, { RETRY, { .n = 3, .what = "back" }, "lost|2|", NULL },
	{ RETRY, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":9}", "s=sent w=W" },
	/* Redis lost it */
	{ "", { .n = 1, .what = "retry" }, "lost|0|", NULL }, { "", { .n = 1, .what = "back" }, "lost|0|", NULL },
	{ "", { .n = 1, .what = "unknown" }, "lost|0|", NULL }, { "", { .n = 1, .what = "dead" }, "lost|0|", NULL },
	{ "", { .n = 1, .what = "sent", .wamid = "W" }, "ok|1|{\"n\":9}", "v=1 s=sent n=1 w=W o=me" },
	/* final: only proof of acceptance changes it */
	{ DEAD, { .n = 2, .what = "retry" }, "lost|2|", NULL }, { DEAD, { .n = 2, .what = "dead" }, "lost|2|", NULL },
	{ DEAD, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":9}", "s=sent w=W r=- code=- e=-" },
	{ EXPIRED, { .n = 1, .what = "unknown" }, "lost|1|", NULL }, { EXPIRED, { .n = 1, .what = "sent", .wamid = "W" }, "ok|1|{\"n\":9}", "s=sent w=W" },
	{ SENT, { .n = 2, .what = "sent", .wamid = "W" }, "ok|2|{\"n\":1}", NULL }, { SENT, { .n = 2, .what = "retry" }, "lost|2|{\"n\":1}", NULL },
	{ SENT, { .n = 2, .what = "unknown" }, "lost|2|{\"n\":1}", NULL }, { SENT, { .n = 2, .what = "dead" }, "lost|2|{\"n\":1}", NULL },
	{ SENT, { .n = 2, .what = "back" }, "lost|2|{\"n\":1}", NULL },
	/* Graph accepted it twice: counted, and the first WAMID stays */
	{ SENT, { .n = 3, .what = "sent", .wamid = "X" }, "duplicate|3|{\"n\":1}", "s=sent n=2 w=W dup=1 w2=X" },
};

static void check_repeat(const struct row *row, const char *first)
{
	struct strbuf before = STRBUF_INIT, after = STRBUF_INIT, answer = STRBUF_INIT;

	add_everything(&before);
	settle(&row->a, &answer);
	add_everything(&after);
	ck_assert_msg(!strcmp(answer.buf, first), "record \"%s\", %s: first %s, then %s", row->before, row->a.what, first, answer.buf);
	ck_assert_msg(!strcmp(before.buf, after.buf), "record \"%s\", %s again: wrote %s, was %s", row->before, row->a.what, after.buf, before.buf);
	strbuf_release(&before);
	strbuf_release(&after);
	strbuf_release(&answer);
}

START_TEST(only_the_owner_settles_but_a_success_always_counts)
{
	struct strbuf before = STRBUF_INIT, after = STRBUF_INIT, answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];

		write_record(row->before);
		strbuf_reset(&before);
		strbuf_reset(&after);
		add_everything(&before);
		settle(&row->a, &answer);
		add_everything(&after);
		ck_assert_msg(!strcmp(answer.buf, row->answer), "record \"%s\", %s %d: answers %s", row->before, row->a.what, row->a.n, answer.buf);
		if (row->after)
			check_fields(record, row->after);
		else
			ck_assert_msg(!strcmp(before.buf, after.buf), "record \"%s\", %s: wrote %s", row->before, row->a.what, after.buf);
		check_repeat(row, answer.buf);	/* our answer got lost: the same settle again gives the same */
	}
	strbuf_release(&before);
	strbuf_release(&after);
	strbuf_release(&answer);
}
END_TEST

START_TEST(what_has_no_wamid_is_in_no_index)
{
	struct strbuf answer = STRBUF_INIT;

	for (int again = 0; again < 2; again++) {
		if (!again)
			write_record("v=1 s=sending n=1 o=me l=+20000 x=+3600000");
		settle(&(struct settle){ .n = 1, .what = "sent", .wamid = "" }, &answer);
		ck_assert_msg(str_starts(answer.buf, "ok|1|"), "%s", answer.buf);
		ck_assert_int_eq(ask_number("EXISTS", wamid_index), 0);
	}
	strbuf_release(&answer);
}
END_TEST

START_TEST(records_outlive_their_messages_and_wamids_are_indexed)
{
	static const char *const words[] = { "sent", "retry", "back", "unknown", "dead" };
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		write_record("v=1 s=sending n=1 o=me l=+20000 x=+3600000");
		settle(&(struct settle){ .n = 1, .what = words[i], .wamid = i ? NULL : "W" }, &answer);
		check_ttl(3600000);
		ck_assert_int_eq(ask_number("EXISTS", wamid_index), i == 0);
		if (i == 0) {
			redisReply *r = ask((const char *[]){ "GET", wamid_index }, 2);

			ck_assert_str_eq(r->str, "K");
			freeReplyObject(r);
			ck_assert_int_gt(ask_number("PTTL", wamid_index), WAMID_TTL - 60000);
		}
		write_record(OURS_OVER);
		settle(&(struct settle){ .n = 2, .what = words[i], .wamid = i ? NULL : "W" }, &answer);
		check_ttl(0);
	}
	strbuf_release(&answer);
}
END_TEST

START_TEST(a_settle_without_history_keeps_what_is_there)
{
	struct strbuf answer = STRBUF_INIT;

	write_record(OURS_OVER);
	settle(&(struct settle){ .n = 2, .what = "retry", .history = "" }, &answer);
	ck_assert_str_eq(answer.buf, "ok|2|{\"n\":1}");
	check_fields(record, "h={\"n\":1}");
	strbuf_release(&answer);
}
END_TEST

START_TEST(concluded_marks_a_record_and_makes_none)
{
	struct strbuf answer = STRBUF_INIT;
	const char *parts[] = { record, body };
	int64_t ttl;

	write_record("");
	run_script(SCRIPT_CONCLUDED, parts, 2, 2, &answer);
	ck_assert_str_eq(answer.buf, "ok");
	ck_assert_int_eq(ask_number("EXISTS", record), 0);
	write_record(DEAD);
	ttl = ask_number("PTTL", record);
	for (int i = 0; i < 2; i++) {
		run_script(SCRIPT_CONCLUDED, parts, 2, 2, &answer);
		check_fields(record, "s=dead c=1 r=retries_used");
		ck_assert_int_le(ask_number("PTTL", record), ttl);
		ck_assert_int_gt(ask_number("PTTL", record), ttl - 60000);
	}
	strbuf_release(&answer);
}
END_TEST

/* ---- the limit: the library alone, in a time that the test makes ---- */

/* Sends whenever it may, for ten seconds; clock going back and forth by jump at second 5.  Answers: sent in all, most sent in any
   second of true time, in the first millisecond. */
static const char driver[] =
	"local interval, tolerance, step, jump = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])\n"
	"local t0, stored, at, first, most, from = 1764000000000000, false, {}, 0, 0, 1\n"
	"for t = 0, 9999999, step do\n"
	"	local now = t0 + t + (t >= 5000000 and jump or 0)\n"
	"	local wait, tat = limit_check(stored, now, interval, tolerance)\n"
	"	if wait == 0 then\n"
	"		stored = string.format('%.0f', tat)\n"
	"		at[#at + 1] = t\n"
	"		if t < 1000 then first = first + 1 end\n"
	"		while t - at[from] >= 1000000 do from = from + 1 end\n"
	"		most = math.max(most, #at - from + 1)\n"
	"	end\n"
	"end\n"
	"return { #at, most, first }\n";

struct limit_row { int64_t interval, tolerance, step, jump; int least, most_in_all, burst, per_second; };

static const struct limit_row limits[] = {
	/* 50 a second, burst 5; tolerance 0: one by one */
	{ 20000, 80000, 100, 0, 504, 505, 5, 55 }, { 20000, 0, 100, 0, 500, 500, 1, 50 }, { 1000000, 0, 1000, 0, 10, 10, 1, 1 },
	{ 10, 99990, 1000, 0, 10000, 10000, 1, 1000 },			/* slower than the limit: no waits */
	/* more a second than there are turns in it */
	{ 20000, 80000, 250000, 0, 40, 40, 1, 4 },
	/* forward: idle time is not saved up */
	{ 20000, 80000, 100, 3600000000, 504, 510, 5, 60 }, { 20000, 80000, 100, 1000000, 504, 510, 5, 60 },
	/* back by hours: a bucket in the future of a clock that went back starts again, with no more than a burst */
	{ 20000, 80000, 100, -3600000000, 504, 510, 5, 60 }, { 20000, 0, 100, -3600000000, 500, 501, 1, 51 },
	/* back by less than the two seconds a clock may err: it waits them out */
	{ 20000, 80000, 100, -1500000, 425, 440, 5, 55 },
};

static void simulate(const struct limit_row *l, long long out[3])
{
	const char *library = script_text(SCRIPT_ADMIT), *end = strstr(library, "local VERSION");
	struct strbuf script = STRBUF_INIT;
	char argv[4][32];
	redisReply *r;

	ck_assert_ptr_nonnull(end);
	strbuf_add(&script, library, (size_t)(end - library));
	strbuf_adds(&script, driver);
	snprintf(argv[0], 32, "%lld", (long long)l->interval);
	snprintf(argv[1], 32, "%lld", (long long)l->tolerance);
	snprintf(argv[2], 32, "%lld", (long long)l->step);
	snprintf(argv[3], 32, "%lld", (long long)l->jump);
	r = ask((const char *[]){ "EVAL", script.buf, "0", argv[0], argv[1], argv[2], argv[3] }, 7);
	ck_assert_msg(r->type == REDIS_REPLY_ARRAY, "%s", r->str);
	for (int i = 0; i < 3; i++)
		out[i] = r->element[i]->integer;
	freeReplyObject(r);
	strbuf_release(&script);
}

START_TEST(no_second_holds_more_than_burst_and_rate)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		long long got[3];

		simulate(&limits[i], got);
		ck_assert_msg(got[0] >= limits[i].least && got[0] <= limits[i].most_in_all, "row %zu: %lld in all", i, got[0]);
		ck_assert_msg(got[1] <= limits[i].per_second, "row %zu: %lld in one second", i, got[1]);
		ck_assert_msg(got[2] == limits[i].burst, "row %zu: %lld at once", i, got[2]);
	}
}
END_TEST

/* The same through admit, in true time: however fast it is asked, it lets through what time allows, and says how long to wait. */
START_TEST(admit_lets_through_a_burst_and_then_the_rate)
{
	struct strbuf answer = STRBUF_INIT;
	int64_t start = redis_us(), elapsed, go = 0, wait_ms = 0;

	write_record("");
	do {
		freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
		admit(&(struct admit){ .interval_us = 20000, .tolerance_us = 80000, .window_ms = 600000 }, &answer);
		if (answer_fits(answer.buf, "go|1|0|0||"))
			go++;
		else
			ck_assert_msg(sscanf(answer.buf, "wait|0|%ld", &wait_ms) == 1 && wait_ms >= 1 && wait_ms <= 20, "%s", answer.buf);
		elapsed = redis_us() - start;
		ck_assert_msg(go <= 5 + elapsed / 20000, "%ld in %ld us", go, elapsed);
	} while (elapsed < 400000);
	ck_assert_int_ge(go, 5);
	ck_assert_int_gt(wait_ms, 0);
	ck_assert_int_gt(ask_number("PTTL", account), 50000);
	strbuf_release(&answer);
}
END_TEST

/* The template's usage of the day, as one text. */
static void check_usage(const char *want)
{
	struct strbuf have = STRBUF_INIT;
	redisReply *r = ask((const char *[]){ "HGETALL", usage }, 2);

	add_joined(&have, r);
	freeReplyObject(r);
	ck_assert_str_eq(have.buf, want);
	strbuf_release(&have);
}

START_TEST(a_template_is_counted_once_for_each_message_that_went_or_died)
{
	struct strbuf answer = STRBUF_INIT;
	struct settle sent = { .n = 2, .what = "sent", .wamid = "W", .template = "tpl/en_US" }, retry = { .n = 2, .what = "retry", .template = "tpl/en_US" };
	struct settle dead = { .n = 2, .what = "dead", .template = "tpl/en_US" }, text = { .n = 2, .what = "sent", .wamid = "W" };

	write_record(OURS);
	settle(&retry, &answer);
	check_usage("");
	write_record(OURS);
	settle(&text, &answer);
	check_usage("");
	write_record(OURS);
	settle(&sent, &answer);
	settle(&sent, &answer);
	check_usage("tpl/en_US sent|1");
	ck_assert_int_gt(ask_number("PTTL", usage), 86000000);
	write_record(OURS);
	settle(&dead, &answer);
	settle(&dead, &answer);
	check_usage("tpl/en_US failed:131026|1");
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s;
	TCase *real;

	if (!getenv("REDIS_URL")) {
		printf("1..0 # SKIP REDIS_URL is not set\n");
		return EXIT_SUCCESS;
	}
	s = suite_create("scripts_settle");
	real = unit_case(s, "settle");
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_test(real, only_the_owner_settles_but_a_success_always_counts);
	tcase_add_test(real, a_template_is_counted_once_for_each_message_that_went_or_died);
	tcase_add_test(real, what_has_no_wamid_is_in_no_index);
	tcase_add_test(real, records_outlive_their_messages_and_wamids_are_indexed);
	tcase_add_test(real, a_settle_without_history_keeps_what_is_there);
	tcase_add_test(real, concluded_marks_a_record_and_makes_none);
	tcase_add_test(real, no_second_holds_more_than_burst_and_rate);
	tcase_add_test(real, admit_lets_through_a_burst_and_then_the_rate);
	return unit_run(s);
}
