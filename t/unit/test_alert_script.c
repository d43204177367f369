/* alert.lua against a real Redis: every state of a record against every verb, by whom and when. */
#include "test_scripts.h"

#define HOUR "3600000"

enum since { ZERO, NOW, KEPT };	/* what the answer says: nothing, this moment, the record's */

struct row {
	const char *before;		/* last and at: milliseconds from now */
	const char *verb, *token, *cooldown, *times;
	const char *verdict;
	int n;
	enum since since;
	const char *after;		/* fields; NULL: nothing was written; "": the record is gone */
	int64_t ttl;
};

enum { WEEK = 7 * 86400000, RESOLVED_TTL = 3600000 };

/* Somebody else's: said a minute ago and told; not told, and its worker may be alive; not told for too long. */
#define TOLD     "s=raised at=-500000 last=-60000 n=5 by=other told=1 text=old severity=warning"
#define UNTOLD   "s=raised at=-500000 last=-60000 n=5 by=other told=0 text=old severity=warning"
#define ORPHAN   "s=raised at=-500000 last=-130000 n=5 by=other told=0 text=old severity=warning"
#define OLD      "s=raised at=-9000000 last=-3700000 n=5 by=other told=1 text=old severity=warning"
#define AGAIN    "s=again at=-9000000 last=-60000 n=9 by=other told=1 text=old severity=warning"
#define AGAIN_ORPHAN "s=again at=-9000000 last=-130000 n=9 by=other told=0 text=old severity=warning"
#define AHEAD    "s=raised at=-500000 last=+60000 n=5 by=other told=1 text=old severity=warning"
#define FAR      "s=raised at=-500000 last=+3700000 n=5 by=other told=1 text=old severity=warning"
#define RESOLVED "s=resolved at=-500000 last=-60000 n=5 by=other told=0 text=old severity=warning"
#define RESOLVED_ORPHAN "s=resolved at=-500000 last=-130000 n=5 by=other told=0 text=old severity=warning"
/* Mine: the answer got lost. */
#define MINE     "s=raised at=-500000 last=-130000 n=5 by=me told=0 text=old severity=warning"
#define MINE_AGAIN "s=again at=-500000 last=-10 n=5 by=me told=0 text=old severity=warning"
#define MINE_RESOLVED "s=resolved at=-500000 last=-10 n=5 by=me told=0 text=old severity=warning"

#define MINE_NOW "by=me told=0 text=new severity=critical"

static const struct row rows[] = {
	/* raise: the first time, or after it was resolved */
	{ "", "raise", "me", HOUR, "1", "raised", 1, NOW, "s=raised n=1 " MINE_NOW, WEEK },
	{ "", "raise", "me", HOUR, "7", "raised", 7, NOW, "s=raised n=7 " MINE_NOW, WEEK },
	{ RESOLVED, "raise", "me", HOUR, "1", "raised", 1, NOW, "s=raised n=1 " MINE_NOW, WEEK },
	/* raise: active */
	{ TOLD, "raise", "me", HOUR, "1", "quiet", 6, KEPT, "s=raised n=6 by=other told=1 text=new severity=critical", WEEK },
	{ TOLD, "raise", "me", HOUR, "3", "quiet", 8, KEPT, "s=raised n=8 by=other told=1", WEEK },
	{ AGAIN, "raise", "me", HOUR, "1", "quiet", 10, KEPT, "s=again n=10 by=other told=1", WEEK },
	{ TOLD, "raise", "me", "30000", "1", "again", 6, KEPT, "s=again n=6 " MINE_NOW, WEEK },
	{ TOLD, "raise", "me", "0", "1", "again", 6, KEPT, "s=again n=6 " MINE_NOW, WEEK },
	{ OLD, "raise", "me", HOUR, "1", "again", 6, KEPT, "s=again n=6 " MINE_NOW, WEEK },
	{ AGAIN, "raise", "me", "30000", "1", "again", 10, KEPT, "s=again n=10 " MINE_NOW, WEEK },
	/* raise: the one who should tell it is late */
	{ UNTOLD, "raise", "me", HOUR, "1", "quiet", 6, KEPT, "s=raised n=6 by=other told=0", WEEK },
	{ ORPHAN, "raise", "me", HOUR, "1", "raised", 6, KEPT, "s=raised n=6 " MINE_NOW, WEEK },
	{ AGAIN_ORPHAN, "raise", "me", HOUR, "1", "again", 10, KEPT, "s=again n=10 " MINE_NOW, WEEK },
	/* a clock that went back: at most one cool-down longer */
	{ AHEAD, "raise", "me", HOUR, "1", "quiet", 6, KEPT, "s=raised n=6 by=other", WEEK },
	{ FAR, "raise", "me", HOUR, "1", "again", 6, KEPT, "s=again n=6 " MINE_NOW, WEEK },
	/* asked again by the same */
	{ MINE, "raise", "me", HOUR, "1", "raised", 5, KEPT, NULL, 0 },
	{ MINE_AGAIN, "raise", "me", "0", "1", "again", 5, KEPT, NULL, 0 },
	{ MINE_RESOLVED, "resolve", "me", HOUR, "1", "resolved", 5, KEPT, NULL, 0 },
	/* resolve */
	{ "", "resolve", "me", HOUR, "1", "quiet", 0, ZERO, NULL, 0 },
	{ TOLD, "resolve", "me", HOUR, "1", "resolved", 5, KEPT, "s=resolved n=5 by=me told=0 text=old severity=warning", RESOLVED_TTL },
	{ UNTOLD, "resolve", "me", HOUR, "1", "resolved", 5, KEPT, "s=resolved n=5 by=me told=0", RESOLVED_TTL },
	{ AGAIN, "resolve", "me", HOUR, "1", "resolved", 9, KEPT, "s=resolved n=9 by=me told=0", RESOLVED_TTL },
	{ RESOLVED, "resolve", "me", HOUR, "1", "quiet", 0, ZERO, NULL, 0 },
	{ RESOLVED_ORPHAN, "resolve", "me", HOUR, "1", "resolved", 5, KEPT, "s=resolved n=5 by=me told=0", RESOLVED_TTL },
	/* told: by the one whose word it is */
	{ "", "told", "me", HOUR, "1", "ok", 0, ZERO, NULL, 0 },
	{ MINE, "told", "me", HOUR, "1", "ok", 0, ZERO, "s=raised n=5 by=me told=1 text=old", 0 },
	{ MINE_AGAIN, "told", "me", HOUR, "1", "ok", 0, ZERO, "s=again n=5 by=me told=1 text=old", 0 },
	{ MINE_RESOLVED, "told", "me", HOUR, "1", "ok", 0, ZERO, "", 0 },
	{ UNTOLD, "told", "me", HOUR, "1", "ok", 0, ZERO, NULL, 0 }, { RESOLVED, "told", "me", HOUR, "1", "ok", 0, ZERO, NULL, 0 },
};

static const struct row *row;

static void alert(struct strbuf *answer)
{
	const char *parts[] = { record, row->verb, row->token, row->cooldown, row->times, "new", "critical" };

	run_script(SCRIPT_ALERT, parts, 1, ARRAY_LEN(parts), answer);
}

static int64_t time_field(const char *name)
{
	redisReply *r = ask((const char *[]){ "HGET", record, name }, 3);
	int64_t ms = -1;

	ck_assert_msg(r->str && parse_i64(r->str, &ms) == 0, "%s of %s is %s", name, row->before, r->str ? r->str : "absent");
	freeReplyObject(r);
	return ms;
}

static bool is_now(int64_t ms)
{
	int64_t ago = wall_ms() - ms;

	return ago > -1000 && ago < 30000;
}

static void check_answer(const struct strbuf *answer, int64_t at_before)
{
	char verdict[16];
	long long n = 0, since = 0;

	ck_assert_int_ge(sscanf(answer->buf, "%15[a-z]|%lld|%lld", verdict, &n, &since), 1);
	ck_assert_msg(!strcmp(verdict, row->verdict) && n == row->n, "record \"%s\", %s: answers %s", row->before, row->verb, answer->buf);
	ck_assert_msg(row->since == ZERO ? since == 0 : row->since == NOW ? is_now(since) : since == at_before,
		      "record \"%s\", %s: answers %s", row->before, row->verb, answer->buf);
}

static void check_written(const struct strbuf *before, int64_t at_before, int64_t last_before)
{
	struct strbuf after = STRBUF_INIT;

	add_everything(&after);
	if (!row->after) {
		ck_assert_msg(!strcmp(before->buf, after.buf), "record \"%s\", %s: wrote %s", row->before, row->verb, after.buf);
	} else if (!*row->after) {
		ck_assert_int_eq(ask_number("EXISTS", record), 0);
	} else {
		check_fields(record, row->after);
		if (row->since == NOW)
			ck_assert(is_now(time_field("at")));
		else
			ck_assert_int_eq(time_field("at"), at_before);
		if (!strcmp(row->verdict, "quiet") || !strcmp(row->verb, "told"))
			ck_assert_int_eq(time_field("last"), last_before);
		else
			ck_assert(is_now(time_field("last")));
	}
	if (row->ttl) {
		ck_assert_int_le(ask_number("PTTL", record), row->ttl);
		ck_assert_int_gt(ask_number("PTTL", record), row->ttl - 60000);
	}
	strbuf_release(&after);
}

START_TEST(what_is_news_is_told_once)
{
	struct strbuf before = STRBUF_INIT, answer = STRBUF_INIT, again = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t at = 0, last = 0;

		row = &rows[i];
		write_record(row->before);
		if (*row->before) {
			at = time_field("at");
			last = time_field("last");
		}
		strbuf_reset(&before);
		add_everything(&before);
		alert(&answer);
		check_answer(&answer, at);
		check_written(&before, at, last);
		/* what is news is the same news when its answer got lost */
		if (strcmp(row->verdict, "quiet")) {
			alert(&again);
			ck_assert_msg(!strcmp(again.buf, answer.buf), "record \"%s\", %s: first %s, then %s", row->before, row->verb,
				      answer.buf, again.buf);
		}
	}
	strbuf_release(&before);
	strbuf_release(&answer);
	strbuf_release(&again);
}
END_TEST

/* The whole of one trouble, as two workers see it. */
START_TEST(a_life)
{
	static const struct row life[] = {
		{ "", "raise", "a1", HOUR, "1", "raised", 1, NOW, NULL, 0 }, { "", "raise", "b1", HOUR, "1", "quiet", 2, NOW, NULL, 0 },
		{ "", "told", "a1", HOUR, "1", "ok", 0, ZERO, NULL, 0 }, { "", "raise", "b2", "0", "2", "again", 4, NOW, NULL, 0 },
		{ "", "told", "a1", HOUR, "1", "ok", 0, ZERO, NULL, 0 }, { "", "told", "b2", HOUR, "1", "ok", 0, ZERO, NULL, 0 },
		{ "", "resolve", "a2", HOUR, "1", "resolved", 4, NOW, NULL, 0 }, { "", "resolve", "b3", HOUR, "1", "quiet", 0, ZERO, NULL, 0 },
		{ "", "told", "b3", HOUR, "1", "ok", 0, ZERO, NULL, 0 }, { "", "resolve", "a2", HOUR, "1", "resolved", 4, NOW, NULL, 0 },
		{ "", "told", "a2", HOUR, "1", "ok", 0, ZERO, NULL, 0 }, { "", "resolve", "a2", HOUR, "1", "quiet", 0, ZERO, NULL, 0 },
		{ "", "raise", "b4", HOUR, "1", "raised", 1, NOW, NULL, 0 },
	};
	struct strbuf answer = STRBUF_INIT;

	forget_all();
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		row = &life[i];
		alert(&answer);
		check_answer(&answer, 0);
	}
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
	s = suite_create("alert_script");
	real = unit_case(s, "alert");
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_test(real, what_is_news_is_told_once);
	tcase_add_test(real, a_life);
	return unit_run(s);
}
