/* mark.lua: why a message waits, where nothing else tells it, against a real Redis. */
#include "test_scripts.h"

#include "base/base.h"
#include "flow/mark.h"

enum { TTL = 90000 };

static void set_index(const char *value)
{
	freeReplyObject(*value ? ask((const char *[]){ "SET", id_index, value, "PX", "50000" }, 5) : ask((const char *[]){ "DEL", id_index }, 2));
}

/* The mark that stands there now; false: another value, or none. */
static bool read_mark(const char *command, const char *key, const char *field, struct mark *m)
{
	redisReply *r = ask((const char *[]){ command, key, field }, field ? 3 : 2);
	bool is_there = r->str && mark_read(r->str, m) == 0;

	freeReplyObject(r);
	return is_there;
}

static void mark(const char *word, const char *ms, const char *replay, bool has_record)
{
	const char *parts[9] = { id_index, record }, *const rest[] = { word, "acc", ms, "low", "1764000000000", text_of(TTL), replay };
	struct strbuf answer = STRBUF_INIT;
	int n_keys = has_record ? 2 : 1;

	memcpy(parts + n_keys, rest, sizeof(rest));
	run_script(SCRIPT_MARK, parts, n_keys, n_keys + 7, &answer);
	ck_assert_msg(!strcmp(answer.buf, "1") || !strcmp(answer.buf, "0"), "%s", answer.buf);
	strbuf_release(&answer);
}

static const struct { const char *index, *record, *replay; bool has_record; const char *first; bool in_record; } rows[] = {
	{ "", "", "", false, "1764000000000", false },
	{ "", "", "", true, "1764000000000", false },				/* Redis has lost its record */
	{ "+ 1700000000000", "", "", false, "1700000000000", false },		/* the API's time stays */
	{ "~ 1700000000001 lane 5 0 acc low", "", "", false, "1700000000001", false },
	{ "K digest", "v=1 s=retry n=1", "", true, "1764000000000", true },
	{ "K digest", "v=1 s=dead n=1 rp=5", "6", true, "1764000000000", true },
	{ "K digest", "v=1 s=expired n=1", "6", true, "1764000000000", true },
};

START_TEST(a_mark_stands_where_people_look)
{
	struct mark m;

	write_record(rows[_i].record);
	set_index(rows[_i].index);
	mark("lane", "5000", rows[_i].replay, rows[_i].has_record);
	ck_assert_msg(rows[_i].in_record ? read_mark("HGET", record, "wt", &m) : read_mark("GET", id_index, NULL, &m), "row %d", _i);
	ck_assert_int_eq(m.cause, WAIT_LANE);
	ck_assert_str_eq(text_of(m.first_ms), rows[_i].first);
	ck_assert_int_eq(m.until_ms, m.at_ms + 5000);
	ck_assert_msg(is_near(m.at_ms, wall_ms()), "%lld", (long long)m.at_ms);
	ck_assert_str_eq(m.account, "acc");
	ck_assert_str_eq(m.detail, "low");
	ck_assert_int_gt(ask_number("PTTL", rows[_i].in_record ? record : id_index), rows[_i].in_record ? TTL : TTL - 20000);
	mark("limit", "0", rows[_i].replay, rows[_i].has_record);
	ck_assert(rows[_i].in_record ? read_mark("HGET", record, "wt", &m) : read_mark("GET", id_index, NULL, &m));
	ck_assert_int_eq(m.cause, WAIT_LIMIT);
	ck_assert_int_eq(m.until_ms, 0);
	ck_assert_str_eq(text_of(m.first_ms), rows[_i].first);
}
END_TEST

static const struct { const char *word, *index, *record, *replay; bool has_record; } kept[] = {
	{ "lane", "- 5", "", "", false },				/* taken back */
	{ "lane", "K digest", "", "", false },			/* begun meanwhile */
	{ "lane", "K digest", "v=1 s=sending n=1", "", true }, { "lane", "K digest", "v=1 s=sent n=1 w=W", "", true },
	{ "lane", "K digest", "v=1 s=unknown n=1", "", true }, { "lane", "K digest", "v=1 s=dead n=1", "", true },
	{ "lane", "K digest", "v=1 s=dead n=1 rp=6", "6", true },	/* that replay is over */
	{ "", "- 5", "", "", false }, { "", "+ 5", "", "", false }, { "", "K digest", "v=1 s=retry n=1 wt=x", "", true },
};

START_TEST(what_says_it_by_itself_stays_as_it_is)
{
	struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	write_record(kept[_i].record);
	set_index(kept[_i].index);
	add_everything(&before);
	mark(kept[_i].word, "5000", kept[_i].replay, kept[_i].has_record);
	add_everything(&after);
	ck_assert_msg(!strcmp(before.buf, after.buf), "row %d: %s, was %s", _i, after.buf, before.buf);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

START_TEST(a_mark_ends)
{
	struct mark m;

	write_record("");
	set_index("");
	mark("template", "5000", "", false);
	ck_assert(read_mark("GET", id_index, NULL, &m));
	mark("", "0", "", false);
	ck_assert_int_eq(ask_number("EXISTS", id_index), 0);
	mark("", "0", "", false);
	ck_assert_int_eq(ask_number("EXISTS", id_index), 0);
}
END_TEST

/* What it does next is written over the mark, and late words change nothing. */
START_TEST(a_message_that_goes_leaves_no_mark)
{
	struct strbuf answer = STRBUF_INIT;
	struct mark m;

	write_record("");
	set_index("");
	mark("lane", "0", "", false);
	admit(&(struct admit){ .kind = "lane" }, &answer);
	ck_assert_msg(answer_fits(answer.buf, "go|1|0|0||"), "%s", answer.buf);
	mark("lane", "0", "", false);
	ck_assert(!read_mark("GET", id_index, NULL, &m));
	strbuf_release(&answer);
}
END_TEST

START_TEST(one_that_waits_can_be_taken_back)
{
	struct strbuf answer = STRBUF_INIT, was = STRBUF_INIT;
	redisReply *r;

	write_record("");
	set_index("~ 1700000000001 hold 5 0 acc p:2:tpl/x");
	run_script(SCRIPT_CANCEL, (const char *[]){ id_index, record, "~ 1700000000001 hold 5 0 acc p:2:tpl/x" }, 2, 3, &answer);
	ck_assert_str_eq(answer.buf, "cancelled");
	mark("lane", "0", "", false);
	r = ask((const char *[]){ "GET", id_index }, 2);
	strbuf_setf(&was, "%s", r->str ? r->str : "");
	ck_assert_str_eq(was.buf, "- 1700000000001");
	freeReplyObject(r);
	admit(&(struct admit){ .kind = "lane" }, &answer);
	ck_assert_msg(answer_fits(answer.buf, "final|0|dead||cancelled|0|0|||"), "%s", answer.buf);
	strbuf_release(&answer);
	strbuf_release(&was);
}
END_TEST

int main(void)
{
	Suite *s;
	TCase *c;

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return EXIT_SUCCESS;
	}
	s = suite_create("scripts_mark");
	c = unit_case(s, "mark");
	tcase_add_checked_fixture(c, start_redis, stop_redis);
	tcase_add_loop_test(c, a_mark_stands_where_people_look, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(c, what_says_it_by_itself_stays_as_it_is, 0, ARRAY_LEN(kept));
	tcase_add_test(c, a_mark_ends);
	tcase_add_test(c, a_message_that_goes_leaves_no_mark);
	tcase_add_test(c, one_that_waits_can_be_taken_back);
	return unit_run(s);
}
