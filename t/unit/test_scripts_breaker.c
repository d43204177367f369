/* settle and the breaker: what is counted, what opens and closes it, what its probe decides; the limit's shrinking; operate's verbs. */
#include "test_scripts.h"

/* An attempt of this owner that may be settled. */
static void begin(const char *owner)
{
	struct strbuf text = STRBUF_INIT;

	freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
	strbuf_setf(&text, "v=1 s=sending n=1 o=%s l=+20000 x=+60000", owner);
	set_fields(record, text.buf);
	strbuf_release(&text);
}

/* Settles a new attempt; its answer from the events on: "" or "breaker_closed". */
static const char *events_of(const struct settle *a)
{
	static struct strbuf answer = STRBUF_INIT;
	struct settle whole = *a;

	whole.n = 1;
	whole.what = a->what ? a->what : !a->says || !strcmp(a->says, "failed") ? "retry" : "sent";
	whole.wamid = strcmp(whole.what, "sent") ? "" : "W";
	whole.history = "h";
	begin(a->owner ? a->owner : "me");
	settle(&whole, &answer);
	ck_assert_msg(str_starts(answer.buf, strcmp(whole.what, "back") ? "ok|1|h" : "ok|0|h"), "%s", answer.buf);
	return answer.buf[6] ? answer.buf + 7 : "";
}

/* The sums over all cells, as "good failed"; and how many cells there are. */
static int sum_cells(char out[32])
{
	redisReply *r = ask((const char *[]){ "HGETALL", account }, 2);
	int n = 0, good = 0, failed = 0;

	for (size_t i = 0; i + 1 < r->elements; i += 2) {
		char letter = r->element[i]->str[0];
		int64_t v;

		if ((letter != 'g' && letter != 'b') || !str_is_digits(r->element[i]->str + 1) || parse_i64(r->element[i + 1]->str, &v) < 0)
			continue;
		n++;
		*(letter == 'g' ? &good : &failed) += (int)(v % 1000000);
	}
	freeReplyObject(r);
	snprintf(out, 32, "%d %d", good, failed);
	return n;
}

static void check_sums(const char *want)
{
	char sums[32];

	sum_cells(sums);
	ck_assert_str_eq(sums, want);
}

/* g: good, f: failed, s: slow, -: nothing.  The first letters count; the last one has the events. */
static const struct { const char *answers; int calls; const char *events, *sums, *account; } counts[] = {
	{ "g", 1, "", "1 0", "bs=-" }, { "-", 1, "", "0 0", "bs=-" }, { "ggg--", 4, "", "3 0", "bs=-" },
	{ "gs", 4, "", "2 0", "bs=- f=700" },
	/* not enough calls, or not enough of them failed */
	{ "fff", 4, "", "0 3", "bs=-" }, { "gggff", 4, "", "3 2", "bs=-" }, { "ffgg", 4, "", "2 2", "bs=-" },	/* only a failure opens */
	/* half of them: open, and what was counted is forgotten */
	{ "f", 1, "breaker_opened 60000", "0 0", "bs=open bu=~+60000 bk=1 bo=-" },
	{ "ggff", 4, "breaker_opened 60000", "0 0", "bs=open bu=~+60000 bk=1 bo=-" },
	{ "fffgggf", 7, "breaker_opened 60000", "0 0", "bs=open bk=1" },
	{ "ssff", 4, "breaker_opened 60000", "0 0", "bs=open f=700" },
	/* what comes later neither counts nor decides */
	{ "fg", 1, "", "0 0", "bs=open bk=1 bu=~+60000" }, { "ffff", 1, "", "0 0", "bs=open bk=1" }, { "f-", 1, "", "0 0", "bs=open bk=1" },
	{ "fs", 1, "", "0 0", "bs=open bk=1 f=700" },
};

static const char *word_of(char letter)
{
	return letter == 'g' ? "good" : letter == 'f' ? "failed" : letter == 's' ? "slow" : "";
}

START_TEST(answers_are_counted_and_too_many_failures_open)
{
	const char *events = "";

	write_record("");
	for (const char *p = counts[_i].answers; *p; p++)
		events = events_of(&(struct settle){ .says = word_of(*p), .calls = counts[_i].calls, .what = *p == '-' ? "back" : NULL });
	ck_assert_msg(!strcmp(events, counts[_i].events), "%s: %s", counts[_i].answers, events);
	check_sums(counts[_i].sums);
	check_fields(account, counts[_i].account);
	if (strcmp(counts[_i].answers, "-"))
		ck_assert_int_gt(ask_number("PTTL", account), 80000000);
}
END_TEST

static void set_cell(char letter, int64_t slot, int64_t count)
{
	char cell[8];

	snprintf(cell, sizeof(cell), "%c%d", letter, (int)(slot % 12));
	freeReplyObject(ask((const char *[]){ "HSET", account, cell, text_of(slot * 1000000 + count) }, 4));
}

/* One cell for five seconds, their number in it: 60 s later the same cell is of other seconds. */
START_TEST(only_the_last_minute_counts)
{
	static const struct { int ago, good, failed; const char *events; } rows[] = {
		{ 0, 0, 3, "breaker_opened 60000" }, { 1, 0, 3, "breaker_opened 60000" }, { 50, 0, 3, "breaker_opened 60000" },
		{ 56, 0, 3, NULL }, { 59, 0, 3, NULL }, { 60, 0, 3, "" }, { 61, 0, 3, "" }, { 120, 0, 99, "" }, { 3600, 0, 99, "" },
		{ 30, 3, 0, "" }, { 30, 1, 2, "breaker_opened 60000" }, { 30, 2, 1, "breaker_opened 60000" }, { 30, 3, 2, "breaker_opened 60000" },
		{ 30, 4, 2, "" },
		{ -30, 0, 3, "" },	/* a clock that went back */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t slot = (redis_us() / 1000000 - rows[i].ago) / 5;
		const char *events;

		write_record("");
		set_cell('g', slot, rows[i].good);
		set_cell('b', slot, rows[i].failed);
		events = events_of(&(struct settle){ .says = "failed" });
		if (rows[i].events)	/* else it depends on where in its five seconds the minute began */
			ck_assert_msg(!strcmp(events, rows[i].events), "%d s ago %d %d: %s", rows[i].ago, rows[i].good, rows[i].failed, events);
	}
}
END_TEST

START_TEST(a_cell_of_another_minute_is_begun_anew)
{
	int64_t now = redis_us() / 5000000;
	char sums[32];

	write_record("");
	for (int ago = 12; ago < 24; ago++) {
		set_cell('g', now - ago, 7);
		set_cell('b', now - ago, 7);
	}
	ck_assert_str_eq(events_of(&(struct settle){ .says = "good" }), "");
	ck_assert_int_eq(sum_cells(sums), 24);
	ck_assert_str_eq(sums, "78 84");	/* 11 old ones, and 1 */
	ck_assert_str_eq(events_of(&(struct settle){ .says = "failed" }), "");
	sum_cells(sums);
	ck_assert_str_eq(sums, "78 78");
}
END_TEST

/* ---- the probe ---- */

#define PROBE .is_probe = true
#define HALF "bs=half bu=+15000 bo=me bk=1"

static const struct { const char *account; struct settle a; const char *events, *after; } probes[] = {
	{ HALF, { PROBE, .says = "good" }, "breaker_closed", "bs=- bu=- bo=- bk=- ra=~+0" },
	{ HALF, { PROBE, .says = "slow" }, "breaker_closed", "bs=- bk=- ra=~+0 f=700 ft=~+0" },
	{ HALF, { PROBE, .says = "good", .what = "dead" }, "breaker_closed", "bs=- ra=~+0" },
	{ HALF, { PROBE, .says = "failed" }, "breaker_opened 120000", "bs=open bu=~+120000 bk=2 bo=- ra=-" },
	{ HALF, { PROBE, .says = "failed", .what = "unknown" }, "breaker_opened 120000", "bs=open bk=2" },
	{ HALF, { PROBE, .says = "", .what = "back" }, "", "bs=half bu=~+0 bo=- bk=1" },	/* never got there: the next one tries */
	/* its lease is over, and nobody has it yet */
	{ "bs=half bu=-900 bo=me bk=1", { PROBE, .says = "good" }, "breaker_closed", "bs=- ra=~+0" },
	{ "bs=half bu=-900 bo=me bk=1", { PROBE, .says = "failed" }, "breaker_opened 120000", "bs=open bk=2" },
	/* twice as long each time, up to the most */
	{ "bs=half bo=me", { PROBE, .says = "failed" }, "breaker_opened 60000", "bu=~+60000 bk=1" },
	{ "bs=half bo=me bk=2", { PROBE, .says = "failed" }, "breaker_opened 240000", "bu=~+240000 bk=3" },
	{ "bs=half bo=me bk=3", { PROBE, .says = "failed" }, "breaker_opened 300000", "bu=~+300000 bk=4" },
	{ "bs=half bo=me bk=5000", { PROBE, .says = "failed" }, "breaker_opened 300000", "bu=~+300000 bk=5001" },
	/* another's probe, or an operator's trip while it was under way: nothing is decided */
	{ "bs=half bu=+15000 bo=other bk=1", { PROBE, .says = "good" }, "", "bs=half bu=~+15000 bo=other bk=1 ra=-" },
	{ "bs=half bu=+15000 bo=other bk=1", { .says = "good" }, "", "bs=half bo=other" },
	{ "bs=half bu=+15000 bo=other bk=1", { .says = "failed", .calls = 1 }, "", "bs=half bo=other bk=1" },
	{ "bs=half bu=+15000 bo=other bk=1", { .says = "", .what = "back" }, "", "bs=half bu=~+15000 bo=other" },
	{ "bs=open bu=+15000", { PROBE, .says = "good" }, "", "bs=open bu=~+15000 ra=-" },
	{ "bs=open bu=+15000 bk=3", { .says = "failed", .calls = 1 }, "", "bs=open bu=~+15000 bk=3" },
	/* closed meanwhile: it counts like any other */
	{ "", { PROBE, .says = "good" }, "", "bs=- ra=-" },
	{ "ra=-1000", { .says = "failed", .calls = 1 }, "breaker_opened 60000", "bs=open bk=1 ra=-" },	/* it no longer ramps */
	{ "bs=half bo=me bk=1 ls=open lh=me f=500", { PROBE, .says = "good" }, "breaker_closed", "ls=open lh=me f=500" },
};

START_TEST(the_probe_decides)
{
	write_record("");
	set_fields(account, probes[_i].account);
	freeReplyObject(ask((const char *[]){ "HSET", account, "g1", "1000000005", "b1", "1000000005" }, 6));
	ck_assert_str_eq(events_of(&probes[_i].a), probes[_i].events);
	check_fields(account, probes[_i].after);
	if (str_starts(probes[_i].events, "breaker")) {
		char sums[32];

		ck_assert_int_eq(sum_cells(sums), 0);
		ck_assert_int_gt(ask_number("PTTL", account), 80000000);
	}
}
END_TEST

/* Open for longer than its hash lives by itself. */
START_TEST(a_breaker_that_is_open_for_days_is_not_forgotten)
{
	write_record("");
	ck_assert_str_eq(events_of(&(struct settle){ .says = "failed", .calls = 1, .open_ms = 86400000, .open_max_ms = 86400000 }),
			 "breaker_opened 86400000");
	ck_assert_int_gt(ask_number("PTTL", account), 86400000 + 60000);
}
END_TEST

/* The probe of a success that is told twice, or of a record that is another's, decides nothing twice. */
START_TEST(a_settle_without_answer_is_repeated_and_counts_once)
{
	static const struct { const char *what, *says, *account, *sums; } rows[] = {
		{ "sent", "good", "", "1 0" }, { "sent", "slow", "", "1 0" }, { "retry", "failed", "", "0 1" },
		{ "unknown", "failed", "", "0 1" },
		{ "dead", "good", "", "1 0" }, { "back", "slow", "", "1 0" }, { "sent", "good", HALF, "0 0" },
		{ "retry", "failed", HALF, "0 0" },
		{ "back", "", HALF, "0 0" },
	};
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settle a = { .n = 1, .what = rows[i].what, .wamid = "W", .says = rows[i].says, PROBE, .history = "h" };

		write_record("");
		set_fields(account, rows[i].account);
		begin("me");
		settle(&a, &answer);
		check_sums(rows[i].sums);
		for (int again = 0; again < 2; again++) {
			strbuf_reset(&before);
			strbuf_reset(&after);
			add_everything(&before);
			settle(&a, &answer);
			add_everything(&after);
			ck_assert_str_eq(answer.buf, strcmp(a.what, "back") ? "ok|1|h" : "ok|0|h");	/* events are told once */
			ck_assert_str_eq(before.buf, after.buf);
		}
		/* lost, and accepted twice */
		a.owner = "other";
		a.wamid = "X";
		settle(&a, &answer);
		ck_assert_msg(str_starts(answer.buf, strcmp(a.what, "sent") ? "lost" : "duplicate"), "%s", answer.buf);
		check_sums(rows[i].sums);
	}
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

START_TEST(the_share_shrinks_once_a_second_and_has_a_floor)
{
	static const struct { const char *account; int least, most; bool shrinks; } rows[] = {
		{ "", 700, 700, true }, { "f=1000 ft=-2000", 700, 700, true }, { "f=110 ft=-1100", 100, 100, true },
		{ "f=100 ft=-1100", 100, 100, true }, { "f=700 ft=+3000", 700, 700, false },	/* less than a second ago */
		{ "f=700 ft=-1100", 497, 640, true },
		{ "f=300 ft=-999000", 700, 700, true },		/* it had recovered whole */
		{ "bs=open bu=+5000", 700, 700, true },		/* it is Graph's word, whoever brings it */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		redisReply *r;

		write_record("");
		set_fields(account, rows[i].account);
		events_of(&(struct settle){ .says = "slow" });
		r = ask((const char *[]){ "HGET", account, "f" }, 3);
		ck_assert_int_ge(strtoll(r->str, NULL, 10), rows[i].least);
		ck_assert_int_le(strtoll(r->str, NULL, 10), rows[i].most);
		freeReplyObject(r);
		if (rows[i].shrinks)
			check_fields(account, "ft=~+0");
	}
}
END_TEST

/* ---- operate ---- */

static const char *operate(const char *const *words, int n)
{
	static struct strbuf answer = STRBUF_INIT;
	const char *parts[8] = { account, holds, recipient };

	memcpy(parts + 3, words, (size_t)n * sizeof(*words));
	run_script(SCRIPT_OPERATE, parts, 3, n + 3, &answer);
	answer.buf[strcspn(answer.buf, "|")] = 0;
	return answer.buf;
}

#define DO(...) operate((const char *[]){ __VA_ARGS__ }, (int)ARRAY_LEN(((const char *[]){ __VA_ARGS__ })))

START_TEST(an_operator_trips_and_resets)
{
	write_record("");
	set_fields(account, "ra=-5000 bk=4 bs=half bo=me bu=+5000 ls=open");
	ck_assert_str_eq(DO("trip", "60000"), "ok");
	check_fields(account, "bs=open bu=~+60000 bk=- bo=- ra=- ls=open");
	ck_assert_str_eq(events_of(&(struct settle){ PROBE, .says = "good" }), "");	/* who was the probe is it no longer */
	check_fields(account, "bs=open bu=~+60000");
	ck_assert_str_eq(DO("trip", "999000"), "ok");
	check_fields(account, "bs=open bu=~+999000");
	ck_assert_str_eq(DO("trip", "172800000"), "ok");
	ck_assert_int_gt(ask_number("PTTL", account), 172800000 + 60000);
	freeReplyObject(ask((const char *[]){ "HSET", account, "b1", "1000000005", "ra", "5", "bk", "3", "bo", "me" }, 10));
	ck_assert_str_eq(DO("reset"), "ok");
	check_fields(account, "bs=- bu=- bk=- bo=- ra=- b1=- ls=open");
	ck_assert_str_eq(DO("reset"), "nothing");
	ck_assert_str_eq(events_of(&(struct settle){ .says = "failed", .calls = 1 }), "breaker_opened 60000");
}
END_TEST

START_TEST(an_operator_holds_and_releases)
{
	write_record("");
	ck_assert_str_eq(DO("hold", "t:t", "0", "moving house, till Monday"), "ok");
	check_fields(holds, "t:t=operator,0,~+0,0,0,-,0,moving");
	ck_assert_str_eq(DO("hold", "t:t", "60000", ""), "ok");			/* the newest word counts */
	check_fields(holds, "t:t=operator,~+60000,~+0,0,0,-,0");
	set_fields(holds, "n:1=auto,+5000,7,2,+5000,me,131,words");
	ck_assert_str_eq(DO("hold", "n:1", "0", "w"), "ok");			/* also over Graph's */
	check_fields(holds, "n:1=operator,0,~+0,0,0,-,0,w");
	ck_assert_str_eq(DO("release", "n:1"), "ok");
	check_fields(holds, "n:1=- t:t=operator");
	ck_assert_str_eq(DO("release", "n:1"), "nothing");
	set_fields(holds, "n:1=auto,+5000,7,2,+5000,me,131,words");
	ck_assert_str_eq(DO("release", "n:1"), "ok");
	ck_assert_int_eq(ask_number("PTTL", holds), -1);
	set_fields(holds, "n:1=auto,-5000,7,2,0,-,131,words");			/* waits for its probe: held */
	ck_assert_str_eq(DO("release", "n:1"), "ok");
}
END_TEST

START_TEST(what_has_ended_is_not_on_hold_and_leaves)
{
	write_record("");
	set_fields(holds, "n:1=operator,-1,7,0,0,-,0,w w:2=operator,-1,7,0,0,-,0,w n:3=auto,-1,7,0,0,-,131,w");
	ck_assert_str_eq(DO("release", "n:1"), "nothing");
	check_fields(holds, "n:1=- w:2=- n:3=auto");
	set_fields(holds, "n:1=operator,-1,7,0,0,-,0,w");
	ck_assert_str_eq(DO("hold", "t:t", "0", "w"), "ok");
	check_fields(holds, "n:1=- n:3=auto t:t=operator");
}
END_TEST

START_TEST(an_operator_sets_a_rate)
{
	write_record("");
	ck_assert_str_eq(DO("limit", "l:1", "0", "40", "-"), "ok");
	check_fields(holds, "l:1=40,0,~+0,-");
	ck_assert_str_eq(DO("limit", "l:1", "60000", "225", "plus"), "ok");
	check_fields(holds, "l:1=225,~+60000,~+0,plus");
	ck_assert_str_eq(DO("hold", "t:t", "0", "w"), "ok");
	check_fields(holds, "l:1=225 t:t=operator");
	ck_assert_str_eq(DO("unlimit", "l:1"), "ok");
	check_fields(holds, "l:1=- t:t=operator");
	ck_assert_str_eq(DO("unlimit", "l:1"), "nothing");
	set_fields(holds, "l:1=40,-1,7,- l:2=40,0,7,-");			/* what has ended leaves */
	ck_assert_str_eq(DO("unlimit", "l:1"), "nothing");
	check_fields(holds, "l:1=- l:2=40");
}
END_TEST

START_TEST(an_operator_holds_a_recipient)
{
	write_record("");
	ck_assert_str_eq(DO("hold", "r:1:who", "60000", "words"), "ok");
	check_fields(holds, "r:1:who=operator,~+60000,~+0,0,0,-,0,words");
	ck_assert_int_gt(ask_number("PTTL", recipient), 30000);
	ck_assert_int_le(ask_number("PTTL", recipient), 60000);
	ck_assert_str_eq(DO("hold", "r:1:who", "0", "words"), "ok");
	ck_assert_int_eq(ask_number("PTTL", recipient), -1);
	ck_assert_str_eq(DO("release", "r:1:who"), "ok");
	check_fields(holds, "r:1:who=-");
	ck_assert_int_eq(ask_number("EXISTS", recipient), 0);
	ck_assert_str_eq(DO("release", "r:1:who"), "nothing");
	freeReplyObject(ask((const char *[]){ "SET", recipient, "131056", "PX", "60000" }, 5));
	ck_assert_str_eq(DO("release", "r:1:who"), "ok");			/* Graph's */
	ck_assert_int_eq(ask_number("EXISTS", recipient), 0);
}
END_TEST

START_TEST(no_other_verb)
{
	const char *words[] = { "EVAL", script_text(SCRIPT_OPERATE), "2", account, holds, "dance" };
	redisReply *r = ask(words, ARRAY_LEN(words));

	ck_assert_int_eq(r->type, REDIS_REPLY_ERROR);
	ck_assert_msg(strstr(r->str, "operate: no such verb: dance") != NULL, "%s", r->str);
	freeReplyObject(r);
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
	s = suite_create("scripts_breaker");
	real = unit_case(s, "breaker");
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_loop_test(real, answers_are_counted_and_too_many_failures_open, 0, (int)ARRAY_LEN(counts));
	tcase_add_test(real, only_the_last_minute_counts);
	tcase_add_test(real, a_cell_of_another_minute_is_begun_anew);
	tcase_add_loop_test(real, the_probe_decides, 0, (int)ARRAY_LEN(probes));
	tcase_add_test(real, a_breaker_that_is_open_for_days_is_not_forgotten);
	tcase_add_test(real, a_settle_without_answer_is_repeated_and_counts_once);
	tcase_add_test(real, the_share_shrinks_once_a_second_and_has_a_floor);
	tcase_add_test(real, an_operator_trips_and_resets);
	tcase_add_test(real, an_operator_holds_and_releases);
	tcase_add_test(real, what_has_ended_is_not_on_hold_and_leaves);
	tcase_add_test(real, an_operator_holds_a_recipient);
	tcase_add_test(real, an_operator_sets_a_rate);
	tcase_add_test(real, no_other_verb);
	return unit_run(s);
}
