/* settle, trouble and holds: what sets one, what doubles it, what its probe decides, whose word may not be touched; the recipient's. */
#include "test_scripts.h"

static void begin(const char *owner)
{
	struct strbuf text = STRBUF_INIT;

	freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
	strbuf_setf(&text, "v=1 s=sending n=1 o=%s l=+20000 x=+60000", owner);
	set_fields(record, text.buf);
	strbuf_release(&text);
}

/* after: the fields that the domain's holds must have. */
struct row { const char *name, *before; struct settle a; const char *events, *after; };

#define BACK .what = "back", .says = "good"
#define FAILS .what = "retry", .says = "failed"
#define SILENT .what = "back", .says = ""
#define SENT .what = "sent", .says = "good", .wamid = "W"
#define PROBE .is_probe = true
#define DUE "auto,-9000,7,2,0,-,131,old"
#define MINE "auto,-9000,7,2,+15000,me,131,old"
#define OTHERS "auto,-9000,7,2,+15000,other,131,old"

static const struct row rows[] = {
	/* Graph says that something is in trouble: told once, whatever else comes while it is held */
	{ "first", "", { BACK, .hold = "n:1" }, "held n:1 60000 0", "n:1=auto,~+60000,~+0,0,0,-,131026,some,words" },
	{ "longer than the most", "", { BACK, .hold = "n:1", .hold_ms = 900000 }, "held n:1 300000 0", "n:1=auto,~+300000" },
	{ "no words", "", { BACK, .hold = "n:1", .words = "" }, "held n:1 60000 0", "n:1=auto,~+60000,~+0,0,0,-,131026" },
	{ "held", "n:1=auto,+5000,7,2,0,-,131,old", { BACK, .hold = "n:1" }, "", "n:1=auto,~+5000,7,2,0,-,131,old" },
	{ "another is held", "w:2=auto,+5000,7,2,0,-,131,old", { BACK, .hold = "n:1" }, "held n:1 60000 0",
	  "n:1=auto,~+60000 w:2=auto,~+5000,7,2,0,-,131,old" },
	{ "its probe is under way", "n:1=" OTHERS, { BACK, .hold = "n:1" }, "", "n:1=auto,~-9000,7,2,~+15000,other,131,old" },
	{ "over, found by one that began before", "n:1=" DUE, { BACK, .hold = "n:1" }, "held n:1 300000 3",
	  "n:1=auto,~+300000,7,3,0,-,131026,some,words" },
	{ "unreadable", "n:1=what", { BACK, .hold = "n:1" }, "held n:1 60000 0", "n:1=auto,~+60000,~+0,0,0,-,131026" },
	/* the probe finds the same: twice as long each time, up to the most; since when it is held stays */
	{ "probe, same", "n:1=auto,-9000,7,0,+15000,me,131,old", { PROBE, BACK, .hold = "n:1" }, "held n:1 120000 1",
	  "n:1=auto,~+120000,7,1,0,-,131026,some,words" },
	{ "probe, same, second", "n:1=auto,-9000,7,1,+15000,me,131,old", { PROBE, BACK, .hold = "n:1" }, "held n:1 240000 2",
	  "n:1=auto,~+240000,7,2,0,-" },
	{ "probe, same, third", "n:1=" MINE, { PROBE, BACK, .hold = "n:1" }, "held n:1 300000 3", "n:1=auto,~+300000,7,3,0,-" },
	{ "probe, same, often", "n:1=auto,-9000,7,900,+15000,me,131,old", { PROBE, BACK, .hold = "n:1" }, "held n:1 300000 901",
	  "n:1=auto,~+300000,7,901,0,-" },
	{ "probe too late, same", "n:1=auto,-9000,7,0,-100,me,131,old", { PROBE, BACK, .hold = "n:1" }, "held n:1 120000 1",
	  "n:1=auto,~+120000,7,1,0,-" },
	{ "probe lost to another", "n:1=" OTHERS, { PROBE, BACK, .hold = "n:1" }, "", "n:1=auto,~-9000,7,2,~+15000,other" },
	/* the probe finds other trouble: that is held, this is over */
	{ "probe, other", "n:1=" MINE, { PROBE, BACK, .hold = "w:2" }, "held w:2 60000 0|released n:1",
	  "n:1=- w:2=auto,~+60000,~+0,0,0,-,131026" },
	{ "probe of two, one again", "n:1=" MINE " w:2=" MINE, { PROBE, BACK, .hold = "w:2", .hold_ms = 1000 },
	  "held w:2 8000 3|released n:1", "n:1=- w:2=auto,~+8000,7,3" },
	/* it got through to Graph */
	{ "probe, sent", "n:1=" MINE, { PROBE, SENT }, "released n:1", "n:1=-" },
	{ "probe, refused", "n:1=" MINE, { PROBE, .what = "dead", .says = "good" }, "released n:1", "n:1=-" },
	{ "probe, slow", "n:1=" MINE, { PROBE, .what = "back", .says = "slow" }, "released n:1", "n:1=-" },
	{ "probe too late, sent", "n:1=auto,-9000,7,0,-100,me,131,old", { PROBE, SENT }, "released n:1", "n:1=-" },
	{ "probe of all, sent", "t:t=" MINE " a:t:acc=" MINE " n:1=" MINE " w:2=" MINE " p:2:tpl=" MINE, { PROBE, SENT },
	  "released t:t|released a:t:acc|released n:1|released w:2|released p:2:tpl", "t:t=- a:t:acc=- n:1=- w:2=- p:2:tpl=-" },
	/* it did not: the next one, soon */
	{ "probe, failed", "n:1=" MINE, { PROBE, FAILS }, "", "n:1=auto,~+1000,7,2,0,-,131,old" },
	{ "probe, unknown", "n:1=" MINE, { PROBE, .what = "unknown", .says = "failed" }, "", "n:1=auto,~+1000,7,2,0,-,131,old" },
	{ "probe, silent", "n:1=" MINE, { PROBE, SILENT }, "", "n:1=auto,~+1000,7,2,0,-,131,old" },
	/* not the probe, or not of this hold: nothing to say */
	{ "not the probe", "n:1=" OTHERS, { SENT }, "", "n:1=auto,~-9000,7,2,~+15000,other" },
	{ "not as the probe", "n:1=" MINE, { SENT }, "", "n:1=auto,~-9000,7,2,~+15000,me" },
	{ "no longer the probe", "n:1=" OTHERS, { PROBE, SENT }, "", "n:1=auto,~-9000,7,2,~+15000,other" },
	{ "due, not the probe", "n:1=" DUE, { PROBE, SENT }, "", "n:1=auto,~-9000,7,2,0,-" },
	{ "the breaker's probe", "n:1=auto,+5000,7,2,0,-,131,old", { PROBE, SENT }, "", "n:1=auto,~+5000,7,2,0,-" },
	{ "of other fields", "t:x=" MINE, { PROBE, SENT }, "", "t:x=auto,~-9000,7,2,~+15000,me" },
	{ "without fields", "n:1=" MINE, { PROBE, SENT, .fields = no_fields }, "", "n:1=auto,~-9000,7,2,~+15000,me" },
	{ "nothing is held", "", { PROBE, SENT }, "", "n:1=-" },
	/* an operator's word stands until it ends */
	{ "operator", "n:1=operator,0,7,0,0,-,0,mine", { BACK, .hold = "n:1" }, "", "n:1=operator,0,7,0,0,-,0,mine" },
	{ "operator, sent", "n:1=operator,0,7,0,0,-,0,mine", { PROBE, SENT }, "", "n:1=operator,0,7,0,0,-,0,mine" },
	{ "operator over a probe", "n:1=operator,0,7,0,0,-,0,mine", { PROBE, BACK, .hold = "n:1" }, "", "n:1=operator,0,7,0,0,-,0,mine" },
	{ "operator till", "n:1=operator,+5000,7,0,0,-,0,mine", { BACK, .hold = "n:1" }, "", "n:1=operator,~+5000,7,0,0,-,0,mine" },
	{ "operator, has ended", "n:1=operator,-5000,7,0,0,-,0,mine", { BACK, .hold = "n:1" }, "held n:1 60000 0",
	  "n:1=auto,~+60000,~+0,0,0,-,131026,some,words" },
	{ "operator, has ended, sent", "n:1=operator,-5000,7,0,0,-,0,mine", { PROBE, SENT }, "", "n:1=operator,~-5000,7,0,0,-,0,mine" },
};

START_TEST(a_hold_is_set_doubled_and_released)
{
	const struct row *row = &rows[_i];
	struct strbuf answer = STRBUF_INIT, want = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;
	struct settle a = row->a;

	write_record("");
	set_fields(holds, row->before);
	freeReplyObject(ask((const char *[]){ "PEXPIRE", holds, "100000000" }, 3));
	begin("me");
	a.n = 1;
	a.history = "h";
	a.calls = 99;
	settle(&a, &answer);
	strbuf_setf(&want, "ok|%s|h%s%s", strcmp(a.what, "back") ? "1" : "0", *row->events ? "|" : "", row->events);
	ck_assert_msg(!strcmp(answer.buf, want.buf), "%s: answers %s", row->name, answer.buf);
	check_fields(holds, row->after);
	if (strstr(row->events, "held"))
		ck_assert_int_eq(ask_number("PTTL", holds), -1);	/* a hold ends by a probe or an operator, not by itself */
	/* our answer got lost: nothing is told, or doubled, twice */
	add_everything(&before);
	settle(&a, &answer);
	add_everything(&after);
	strbuf_setf(&want, "ok|%s|h", strcmp(a.what, "back") ? "1" : "0");
	ck_assert_msg(!strcmp(answer.buf, want.buf), "%s again: answers %s", row->name, answer.buf);
	ck_assert_msg(!strcmp(before.buf, after.buf), "%s again: wrote %s, was %s", row->name, after.buf, before.buf);
	strbuf_release(&answer);
	strbuf_release(&want);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

/* A probe of the breaker and of a hold decides both. */
START_TEST(one_answer_decides_breaker_and_holds)
{
	static const struct { struct settle a; const char *answer, *account, *holds; } both[] = {
		{ { PROBE, SENT }, "ok|1|h|breaker_closed|released n:1", "bs=- ra=~+0", "n:1=-" },
		{ { PROBE, BACK, .hold = "n:1" }, "ok|0|h|breaker_closed|held n:1 120000 1", "bs=-", "n:1=auto,~+120000,7,1" },
		{ { PROBE, BACK, .hold = "w:2" }, "ok|0|h|breaker_closed|held w:2 60000 0|released n:1", "bs=-", "n:1=- w:2=auto" },
		{ { PROBE, FAILS }, "ok|1|h|breaker_opened 120000", "bs=open bk=2 bu=~+120000", "n:1=auto,~+1000,7,0,0,-" },
		{ { PROBE, SILENT }, "ok|0|h", "bs=half bu=~+0 bo=- bk=1", "n:1=auto,~+1000,7,0,0,-" },
	};
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct settle a = both[i].a;

		write_record("");
		set_fields(account, "bs=half bu=+15000 bo=me bk=1");
		set_fields(holds, "n:1=auto,-9000,7,0,+15000,me,131,old");
		begin("me");
		a.n = 1;
		a.history = "h";
		settle(&a, &answer);
		ck_assert_str_eq(answer.buf, both[i].answer);
		check_fields(account, both[i].account);
		check_fields(holds, both[i].holds);
	}
	strbuf_release(&answer);
}
END_TEST

/* Who may not settle says nothing of account, holds or recipient. */
START_TEST(what_is_lost_judges_nothing)
{
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;

	write_record("v=1 s=sending n=1 o=other l=+20000 x=+60000");
	set_fields(account, "bs=half bu=+15000 bo=me bk=1");
	set_fields(holds, "n:1=" MINE);
	add_everything(&before);
	settle(&(struct settle){ .n = 1, .what = "retry", .says = "slow", PROBE, .hold = "w:2", .recipient_ms = 5000 }, &answer);
	ck_assert_str_eq(answer.buf, "lost|1|");
	add_everything(&after);
	ck_assert_str_eq(before.buf, after.buf);
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

START_TEST(a_recipient_is_held_for_its_time)
{
	struct strbuf answer = STRBUF_INIT;

	write_record("");
	begin("me");
	settle(&(struct settle){ .n = 1, BACK, .recipient_ms = 50000 }, &answer);
	ck_assert_str_eq(answer.buf, "ok|0|{\"n\":9}");		/* no event: one recipient is nobody's trouble */
	ck_assert_int_eq(ask_number("GET", recipient), 131026);
	ck_assert_int_le(ask_number("PTTL", recipient), 50000);
	ck_assert_int_gt(ask_number("PTTL", recipient), 30000);
	begin("me");
	admit(&(struct admit){ .owner = "other", .kind = "retry", .n = 1 }, &answer);
	ck_assert_msg(answer_fits(answer.buf, "busy|1|#"), "%s", answer.buf);
	freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
	admit(&(struct admit){ .owner = "other" }, &answer);
	ck_assert_msg(answer_fits(answer.buf, "pair|0|#"), "%s", answer.buf);
	begin("me");
	settle(&(struct settle){ .n = 1, SENT }, &answer);	/* one that began before does not release it */
	ck_assert_int_gt(ask_number("PTTL", recipient), 20000);
	for (int is_forever = 0; is_forever < 2; is_forever++) {	/* nor shorten a longer one, which is an operator's */
		freeReplyObject(ask((const char *[]){ "SET", recipient, "7", "PX", "90000" }, is_forever ? 3 : 5));
		begin("me");
		settle(&(struct settle){ .n = 1, BACK, .recipient_ms = 50000 }, &answer);
		ck_assert_int_eq(ask_number("GET", recipient), 7);
	}
	strbuf_release(&answer);
}
END_TEST

/* ---- the whole story, by admit and settle alone; time is moved by hand ---- */

static void end_time_of(const char *field)
{
	freeReplyObject(ask((const char *[]){ "EVAL", "local h = redis.call('HGET', KEYS[1], ARGV[1])\n"
					      "redis.call('HSET', KEYS[1], ARGV[1], (h:gsub('^(%S+) %d+', '%1 1')))",
					      "1", holds, field }, 5));
}

static void check_admit(const char *owner, const char *want)
{
	struct strbuf answer = STRBUF_INIT;

	freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
	set_number_tat(0);
	admit(&(struct admit){ .owner = owner }, &answer);
	ck_assert_msg(answer_fits(answer.buf, want), "%s: %s, not %s", owner, answer.buf, want);
	strbuf_release(&answer);
}

static void check_settle(struct settle a, const char *want)
{
	struct strbuf answer = STRBUF_INIT;

	begin(a.owner);
	a.n = 1;
	a.history = "h";
	settle(&a, &answer);
	ck_assert_msg(!strcmp(answer.buf, want), "%s: %s, not %s", a.owner, answer.buf, want);
	strbuf_release(&answer);
}

START_TEST(the_story_of_a_hold)
{
	write_record("");
	check_admit("one", "go|1|0|0||");
	check_admit("two", "go|1|0|0||");
	check_settle((struct settle){ .owner = "one", BACK, .hold = "n:1" }, "ok|0|h|held n:1 60000 0");
	check_settle((struct settle){ .owner = "two", BACK, .hold = "n:1" }, "ok|0|h");
	check_admit("three", "held|0|#|#|n:1");
	end_time_of("n:1");
	check_admit("three", "go|1|0|1||");
	check_admit("four", "held|0|#|#|n:1");
	check_settle((struct settle){ .owner = "three", PROBE, BACK, .hold = "n:1" }, "ok|0|h|held n:1 120000 1");
	check_admit("four", "held|0|#|#|n:1");
	end_time_of("n:1");
	check_admit("four", "go|1|0|1||");
	check_settle((struct settle){ .owner = "four", PROBE, FAILS, .calls = 99 }, "ok|1|h");
	check_admit("five", "held|0|#|#|n:1");
	end_time_of("n:1");
	check_admit("five", "go|1|0|1||");
	check_settle((struct settle){ .owner = "five", PROBE, SILENT }, "ok|0|h");	/* never begun: the next one, at once */
	check_admit("late", "go|1|0|1||");
	check_settle((struct settle){ .owner = "late", PROBE, SENT }, "ok|1|h|released n:1");
	check_admit("six", "go|1|0|0||");
	check_settle((struct settle){ .owner = "six", BACK, .hold = "n:1" }, "ok|0|h|held n:1 60000 0");	/* it begins anew */
}
END_TEST

/* ---- trouble: what the keeper found out beside any message ---- */

#define SET .verb = "set", .code = "190"
#define OVER .verb = "over", .code = "190"

static const struct { const char *name, *before; const char *verb, *code, *answer, *after; } troubles[] = {
	{ "first", "", SET, "held|60000|0", "n:1=auto,~+60000,~+0,0,0,-,190,some,words" },
	{ "another is held", "w:2=" DUE, SET, "held|60000|0", "n:1=auto,~+60000,~+0,0,0,-,190 w:2=auto,~-9000,7,2,0,-,131" },
	{ "held", "n:1=auto,+5000,7,2,0,-,131,old", SET, "as_is", NULL },
	{ "held by the same", "n:1=auto,+5000,7,2,0,-,190,old", SET, "as_is", NULL },
	{ "its probe is under way", "n:1=" OTHERS, SET, "as_is", NULL },
	{ "its time is over", "n:1=" DUE, SET, "held|300000|3", "n:1=auto,~+300000,7,3,0,-,190,some,words" },
	{ "its time is over, once", "n:1=auto,-9000,7,0,0,-,131,old", SET, "held|120000|1", "n:1=auto,~+120000,7,1,0,-,190" },
	{ "its probe's time is over", "n:1=auto,-9000,7,0,-100,me,131,old", SET, "held|120000|1", "n:1=auto,~+120000,7,1,0,-,190" },
	{ "often", "n:1=auto,-9000,7,900,0,-,131,old", SET, "held|300000|901", "n:1=auto,~+300000,7,901,0,-,190" },
	{ "operator", "n:1=operator,0,7,0,0,-,0,mine", SET, "as_is", NULL },
	{ "operator till", "n:1=operator,+5000,7,0,0,-,0,mine", SET, "as_is", NULL },
	{ "operator, has ended", "n:1=operator,-5000,7,9,0,-,0,mine", SET, "held|60000|0", "n:1=auto,~+60000,~+0,0,0,-,190" },
	{ "unreadable", "n:1=what", SET, "held|60000|0", "n:1=auto,~+60000,~+0,0,0,-,190" },

	{ "nothing to end", "", OVER, "nothing", NULL },
	{ "over", "n:1=auto,+5000,7,2,0,-,190,old", OVER, "released", "n:1=-" },
	{ "over, its time too", "n:1=auto,-5000,7,2,0,-,190,old", OVER, "released", "n:1=-" },
	{ "over while its probe is under way", "n:1=auto,-9000,7,2,+15000,other,190,old", OVER, "released", "n:1=-" },
	{ "over, others stay", "n:1=auto,+5000,7,2,0,-,190,old w:2=auto,+5000,7,2,0,-,190,old", OVER, "released", "n:1=- w:2=auto,~+5000,7,2,0,-,190" },
	{ "another trouble", "n:1=auto,+5000,7,2,0,-,131,old", OVER, "nothing", NULL },
	{ "whatever it is", "n:1=auto,+5000,7,2,0,-,131,old", .verb = "over", .code = "0", "released", "n:1=-" },
	{ "but an operator's", "n:1=operator,0,7,0,0,-,0,mine", .verb = "over", .code = "0", "nothing", NULL },
	{ "an operator's is not ours to end", "n:1=operator,0,7,0,0,-,190,mine", OVER, "nothing", NULL },
	{ "unreadable is left", "n:1=what", OVER, "nothing", NULL },
};

static void trouble(const char *verb, const char *code, struct strbuf *answer)
{
	run_script(SCRIPT_TROUBLE, (const char *[]){ holds, verb, "n:1", code, "60000", "300000", "some words" }, 1,
		   strcmp(verb, "set") ? 4 : 7, answer);
}

START_TEST(the_keeper_sets_and_ends_holds)
{
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;

	write_record("");
	set_fields(holds, troubles[_i].before);
	freeReplyObject(ask((const char *[]){ "PEXPIRE", holds, "100000000" }, 3));
	add_everything(&before);
	trouble(troubles[_i].verb, troubles[_i].code, &answer);
	ck_assert_msg(!strcmp(answer.buf, troubles[_i].answer), "%s: %s", troubles[_i].name, answer.buf);
	add_everything(&after);
	if (troubles[_i].after)
		check_fields(holds, troubles[_i].after);
	else
		ck_assert_msg(!strcmp(before.buf, after.buf), "%s: wrote %s", troubles[_i].name, after.buf);
	if (!strncmp(answer.buf, "held", 4)) {
		ck_assert_int_eq(ask_number("PTTL", holds), -1);
		trouble("set", "190", &answer);
		ck_assert_str_eq(answer.buf, "as_is");
		freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
	set_number_tat(0);
		admit(&(struct admit){ .owner = "one" }, &answer);		/* it is a hold like any other */
		ck_assert_msg(!strncmp(answer.buf, "held|0|", 7) && strstr(answer.buf, "|n:1"), "%s: %s", troubles[_i].name, answer.buf);
		trouble("over", "131", &answer);
		ck_assert_str_eq(answer.buf, "nothing");
		trouble("over", "190", &answer);
		ck_assert_str_eq(answer.buf, "released");
		check_fields(holds, "n:1=-");
	}
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

START_TEST(trouble_knows_its_verbs)
{
	redisReply *r = ask((const char *[]){ "EVAL", script_text(SCRIPT_TROUBLE), "1", holds, "what", "n:1", "190" }, 7);

	ck_assert_int_eq(r->type, REDIS_REPLY_ERROR);
	ck_assert_ptr_nonnull(strstr(r->str, "trouble: no such verb: what"));
	freeReplyObject(r);
	ck_assert_int_eq(ask_number("EXISTS", holds), 0);
}
END_TEST

START_TEST(a_lease_is_given_back_by_its_owner_only)
{
	redisReply *r;

	for (int i = 0; i < 3; i++) {
		freeReplyObject(ask((const char *[]){ "SET", "{t}:lease", "me" }, 3));
		if (i == 2)
			freeReplyObject(ask((const char *[]){ "DEL", "{t}:lease" }, 2));
		r = ask((const char *[]){ "EVAL", script_text(SCRIPT_RELEASE), "1", "{t}:lease", i == 1 ? "another" : "me" }, 5);
		ck_assert_uint_eq(r->elements, 1);
		ck_assert_int_eq(r->element[0]->integer, i == 0);
		freeReplyObject(r);
		ck_assert_int_eq(ask_number("EXISTS", "{t}:lease"), i == 1);
	}
}
END_TEST

int main(void)
{
	Suite *s;
	TCase *real;

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return EXIT_SUCCESS;
	}
	s = suite_create("scripts_hold");
	real = unit_case(s, "hold");
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_loop_test(real, a_hold_is_set_doubled_and_released, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(real, one_answer_decides_breaker_and_holds);
	tcase_add_test(real, what_is_lost_judges_nothing);
	tcase_add_test(real, a_recipient_is_held_for_its_time);
	tcase_add_test(real, the_story_of_a_hold);
	tcase_add_loop_test(real, the_keeper_sets_and_ends_holds, 0, (int)ARRAY_LEN(troubles));
	tcase_add_test(real, trouble_knows_its_verbs);
	tcase_add_test(real, a_lease_is_given_back_by_its_owner_only);
	return unit_run(s);
}
