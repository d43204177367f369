/* admit before the limits: lane, breaker, holds, probes; and what the account's hash corrects: ramp, share, use. */
#include "test_scripts.h"

/* account_after and holds_after: the fields they must have; both NULL: nothing at all was written. */
struct row {
	const char *name, *account, *holds;
	struct admit a;
	const char *answer, *account_after, *holds_after;
};

#define GO "go|1|0|0||"
#define GO_WITH(note) "go|1|0|0|" note "|"
#define PROBE "go|1|0|1||"
#define LANE .minds_lane = true
#define OPERATOR_FOREVER "operator,0,7,0,0,-,0,words"
#define OVER "auto,-9000,7,2,0,-,131,some,words"
#define LEASED_TO_ME "auto,~-9000,7,2,~+20000,me,131,some,words"

static const struct row gates[] = {
	/* an operator's hold: for ever, for a time, over */
	{ "operator", "", "t:t=" OPERATOR_FOREVER, { 0 }, "held|0|86400000|86400000|t:t", NULL, NULL },
	{ "operator till", "", "a:t:acc=operator,+5000,7,0,0,-,0,words", { 0 }, "held|0|#|#|a:t:acc", NULL, NULL },
	{ "operator over", "", "a:t:acc=operator,-1,7,0,0,-,0,words", { 0 }, GO, "bs=-", "a:t:acc=operator,~-1,7,0,0,-,0,words" },
	/* Graph's: running, over, its probe under way, its probe gone */
	{ "auto", "", "n:1=auto,+5000,7,0,0,-,131,words", { 0 }, "held|0|#|#|n:1", NULL, NULL },
	{ "auto over", "", "n:1=" OVER, { 0 }, PROBE, "bs=-", "n:1=" LEASED_TO_ME },
	{ "auto over, short lease", "", "n:1=" OVER, { .probe_ms = 40000 }, PROBE, "bs=-",
	  "n:1=auto,~-9000,7,2,~+40000,me,131,some,words" },
	{ "probe under way", "", "n:1=auto,-9000,7,2,+8000,other,131,words", { 0 }, "held|0|#|250|n:1", NULL, NULL },
	{ "probe under way, held anew", "", "n:1=auto,+9000,7,2,+8000,other,131,words", { 0 }, "held|0|#|+|n:1", NULL, NULL },
	{ "probe gone", "", "n:1=auto,-9000,7,2,-1,other,131,some,words", { 0 }, PROBE, "", "n:1=" LEASED_TO_ME },
	/* each field that concerns it, and no other */
	{ "waba", "", "w:2=auto,+5000,7,0,0,-,131,words", { 0 }, "held|0|#|#|w:2", NULL, NULL },
	{ "template", "", "p:2:tpl=auto,+5000,7,0,0,-,131,words", { 0 }, "held|0|#|#|p:2:tpl", NULL, NULL },
	{ "another's", "", "t:other=" OPERATOR_FOREVER " p:2:no=" OPERATOR_FOREVER, { 0 }, GO, "bs=-", "t:other=" OPERATOR_FOREVER },
	{ "template, of another", "", "p:2:tpl=" OPERATOR_FOREVER, { .has_no_template = true }, GO, "", "" },
	{ "template in another language", "", "p:2:tpl/de=" OPERATOR_FOREVER, { 0 }, GO, "", "" },
	{ "unreadable", "", "t:t=auto,soon", { 0 }, GO, "", "t:t=auto,soon" },
	/* a class of priorities, of this tenant; the longest hold is told as ever */
	{ "priority", "", "q:t:low=" OPERATOR_FOREVER, { 0 }, "held|0|86400000|86400000|q:t:low", NULL, NULL },
	{ "priority, high", "", "q:t:high=operator,+5000,7,0,0,-,0,words", { .class = "high" }, "held|0|#|#|q:t:high", NULL, NULL },
	{ "another priority's", "", "q:t:low=" OPERATOR_FOREVER, { .class = "high" }, GO, "bs=-", "q:t:low=" OPERATOR_FOREVER },
	{ "another tenant's priority", "", "q:other:low=" OPERATOR_FOREVER, { 0 }, GO, "bs=-", "q:other:low=" OPERATOR_FOREVER },
	{ "priority over", "", "q:t:low=operator,-1,7,0,0,-,0,words", { 0 }, GO, "bs=-", "q:t:low=operator,~-1,7,0,0,-,0,words" },
	{ "priority and breaker", "bs=open bu=+5000", "q:t:low=" OPERATOR_FOREVER, { 0 }, "held|0|86400000|86400000|q:t:low", NULL, NULL },
	/* the breaker */
	{ "open", "bs=open bu=+5000", "", { 0 }, "held|0|#|+|breaker", NULL, NULL },
	{ "open, over", "bs=open bu=-1", "", { 0 }, PROBE, "bs=half bu=~+20000 bo=me", "" },
	{ "half", "bs=half bu=+5000 bo=other", "", { 0 }, "held|0|#|250|breaker", NULL, NULL },
	{ "half, its probe gone", "bs=half bu=-1 bo=other", "", { 0 }, PROBE, "bs=half bu=~+20000 bo=me", "" },
	{ "open since nobody knows when", "bs=open", "", { 0 }, PROBE, "bs=half bu=~+20000 bo=me", "" },
	/* several are closed: the longest is told; what is due beside it is not leased */
	{ "breaker longer", "bs=open bu=+60000", "n:1=auto,+5000,7,0,0,-,131,w", { 0 }, "held|0|#|#|breaker", NULL, NULL },
	{ "hold longer", "bs=open bu=+5000", "n:1=auto,+60000,7,0,0,-,131,w", { 0 }, "held|0|#|#|n:1", NULL, NULL },
	{ "second hold longer", "", "a:t:acc=auto,+5000,7,0,0,-,1,w w:2=auto,+60000,7,0,0,-,1,w", { 0 }, "held|0|#|#|w:2", NULL, NULL },
	{ "first hold longer", "", "a:t:acc=auto,+60000,7,0,0,-,1,w w:2=auto,+5000,7,0,0,-,1,w", { 0 }, "held|0|#|#|a:t:acc", NULL, NULL },
	{ "lease longer than another's hold", "", "n:1=auto,-1,7,0,+60000,other,1,w w:2=auto,+5000,7,0,0,-,1,w", { 0 },
	  "held|0|#|#|n:1", NULL, NULL },
	/* what is closed until a time is longer than a probe that is under way: there is no need to ask for that again and again */
	{ "half, hold longer", "bs=half bu=+5000 bo=other", "n:1=auto,+60000,7,0,0,-,131,w", { 0 }, "held|0|#|+|n:1", NULL, NULL },
	{ "half longer", "bs=half bu=+60000 bo=other", "n:1=auto,+5000,7,0,0,-,131,w", { 0 }, "held|0|#|250|breaker", NULL, NULL },
	{ "one due, one closed", "bs=open bu=-1", "n:1=auto,+5000,7,0,0,-,131,w", { 0 }, "held|0|#|#|n:1", NULL, NULL },
	{ "one closed, one due", "bs=open bu=+5000", "n:1=" OVER, { 0 }, "held|0|#|#|breaker", NULL, NULL },
	{ "all due", "bs=open bu=-1", "n:1=" OVER " w:2=" OVER, { 0 }, PROBE, "bs=half bu=~+20000 bo=me",
	  "n:1=" LEASED_TO_ME " w:2=" LEASED_TO_ME },
	/* the lane comes first; those that come out of it do not mind it */
	{ "lane open", "ls=open lu=+0", "", { LANE }, "lane|0", NULL, NULL },
	{ "lane closing", "ls=closing lu=+0", "", { LANE }, "lane|0", NULL, NULL },
	{ "lane opening", "ls=opening lu=+5000", "", { LANE }, GO, "ls=opening", "" },
	{ "lane deleting", "ls=deleting lu=+5000", "", { LANE }, GO, "ls=deleting", "" },
	{ "out of the open lane", "ls=open lu=+0", "", { 0 }, GO, "ls=open", "" },
	{ "out of the closing lane", "ls=closing lu=+0", "", { 0 }, GO, "ls=closing", "" },
	{ "lane and breaker", "ls=open bs=open bu=+5000", "t:t=" OPERATOR_FOREVER, { LANE }, "lane|0", NULL, NULL },
	{ "breaker, out of the lane", "ls=open bs=open bu=+5000", "", { 0 }, "held|0|#|#|breaker", NULL, NULL },
	/* too late is too late */
	{ "held and expired", "bs=open bu=+5000", "t:t=" OPERATOR_FOREVER, { .expires_in = -1000 }, "final|0|expired||expired|0|0|||",
	  "bs=open", "" },
	{ "lane and expired", "ls=open", "", { LANE, .expires_in = -1000 }, "final|0|expired||expired|0|0|||", "ls=open", "" },
};

static void check_row(const struct row *row)
{
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;

	add_everything(&before);
	admit(&row->a, &answer);
	add_everything(&after);
	ck_assert_msg(answer_fits(answer.buf, row->answer), "%s: answers %s", row->name, answer.buf);
	if (row->account_after) {
		check_fields(account, row->account_after);
		check_fields(holds, row->holds_after);
	} else {
		ck_assert_msg(!strcmp(before.buf, after.buf), "%s: wrote %s, was %s", row->name, after.buf, before.buf);
	}
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}

START_TEST(what_is_closed_is_told_and_what_is_due_is_probed)
{
	write_record("");
	set_fields(account, gates[_i].account);
	set_fields(holds, gates[_i].holds);
	check_row(&gates[_i]);
}
END_TEST

/* The same for a message that was decided upon before it came to the gate: its record stays as it was. */
START_TEST(a_closed_gate_leaves_every_record_alone)
{
	static const struct { const char *record; struct admit a; const char *answer; } rows[] = {
		{ "v=1 s=unknown n=2 o=other x=+60000", { .kind = "unknown", .n = 2 }, "held|2|#|#|n:1" },
		{ "v=1 s=retry n=1 o=other x=+60000", { .kind = "retry", .n = 2 }, "held|1|#|#|n:1" },
		{ "v=1 s=dead n=1 r=refused", { .replay = "1764000000001" }, "held|1|#|#|n:1" },
		{ "", { .kind = "retry", .n = 3 }, "held|2|#|#|n:1" },
		/* those need no gate */
		{ "v=1 s=sent n=2 w=W h={}", { 0 }, "final|2|sent|W||0|0|{}||" }, { "v=1 s=unknown n=2 x=+60000", { 0 }, "park|2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record(rows[i].record);
		set_fields(holds, "n:1=auto,+5000,7,0,0,-,131,words");
		check_row(&(struct row){ rows[i].record, "", "", rows[i].a, rows[i].answer, NULL, NULL });
	}
}
END_TEST

/* A probe that must wait for the limits or for its recipient is none: somebody else may be it meanwhile. */
START_TEST(no_probe_is_leased_while_a_limit_says_no)
{
	static const struct { int64_t bucket_ms; const char *recipient_ms, *answer; } rows[] = {
		{ 800, NULL, "wait|0|#" }, { 0, "5000", "pair|0|#" }, { 800, "5000", "pair|0|#" }, { 5000, "800", "wait|0|#" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record("");
		set_fields(account, "bs=open bu=-1");
		set_fields(holds, "n:1=" OVER);
		if (rows[i].bucket_ms)
			set_number_tat(redis_us() + rows[i].bucket_ms * 1000);
		if (rows[i].recipient_ms)
			freeReplyObject(ask((const char *[]){ "SET", recipient, "131056", "PX", rows[i].recipient_ms }, 5));
		check_row(&(struct row){ "limit", "", "", { .interval_us = 5000000 }, rows[i].answer, NULL, NULL });
	}
	freeReplyObject(ask((const char *[]){ "SET", recipient, "operator" }, 3));
	set_number_tat(0);
	check_row(&(struct row){ "recipient for ever", "", "", { 0 }, "pair|0|86400000", "bs=open", "" });
	freeReplyObject(ask((const char *[]){ "DEL", recipient }, 2));
	check_row(&(struct row){ "recipient", "", "", { 0 }, PROBE, "bs=half", "" });
}
END_TEST

/* Our answer got lost.  The sender counts its leases from the second question, so they must begin again, too. */
START_TEST(who_asks_again_is_still_the_probe_and_its_lease_runs_anew)
{
	static const struct { const char *account, *holds, *answer, *account_after, *holds_after; } rows[] = {
		/* what has become due meanwhile is probed, too */
		{ "bs=half bu=+100 bo=me", "n:1=" OVER, PROBE, "bs=half bu=~+20000 bo=me", "n:1=" LEASED_TO_ME },
		{ "bs=half bu=-100 bo=me", "", PROBE, "bs=half bu=~+20000 bo=me", "" },
		{ "", "n:1=auto,-9000,7,2,+1,me,131,some,words w:2=" OVER, PROBE, "bs=-",
		  "n:1=" LEASED_TO_ME " w:2=" LEASED_TO_ME },
		/* its lease is over, and so is the other's who had it next */
		{ "bs=half bu=-100 bo=other", "", PROBE, "bs=half bu=~+20000 bo=me", "" },
		{ "", "n:1=auto,-9000,7,2,-1,other,131,some,words", PROBE, "bs=-", "n:1=" LEASED_TO_ME },
		{ "ls=open", "", GO, "ls=open bs=-", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record("v=1 s=sending n=1 o=me l=+1000 x=+60000");
		set_fields(account, rows[i].account);
		set_fields(holds, rows[i].holds);
		check_row(&(struct row){ rows[i].account, "", "", { LANE }, rows[i].answer, rows[i].account_after,
					 rows[i].holds_after });
	}
}
END_TEST

/* Its probe went elsewhere, or the gate was closed since: nothing was sent, so the attempt is given back and nothing is. */
START_TEST(who_asks_again_before_a_closed_gate_gives_its_attempt_back)
{
	static const struct { const char *account, *holds, *held; } rows[] = {
		{ "bs=half bu=+90000 bo=other", "", "held|1|#|250|breaker" }, { "bs=open bu=+90000", "", "held|1|#|+|breaker" },
		{ "", "t:t=" OPERATOR_FOREVER, "held|1|86400000|86400000|t:t" },
		{ "", "n:1=auto,-9000,7,2,+90000,other,131,w", "held|1|#|250|n:1" },
		{ "bs=half bu=+15000 bo=me", "n:1=auto,+50000,7,2,0,-,131,w", "held|1|#|+|n:1" },	/* one of two is still its own */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record("v=1 s=sending n=2 o=me l=+1000 x=+60000 b=1");
		set_fields(account, rows[i].account);
		set_fields(holds, rows[i].holds);
		check_row(&(struct row){ rows[i].account, "", "", { 0 }, "successor|1", "", "" });
		check_fields(record, "s=retry n=1 o=me b=1");
		check_row(&(struct row){ rows[i].account, "", "", { 0 }, "successor|1", NULL, NULL });	/* that answer got lost, too */
		check_row(&(struct row){ rows[i].account, "", "", { .owner = "next", .kind = "retry", .n = 2 }, rows[i].held, NULL, NULL });
	}
}
END_TEST

/* ---- the number's rate ---- */

/* What a message costs: the account's hash, with 10 s for each doubling; the interval that is charged, at most; 10 % below for slack. */
START_TEST(the_rate_is_corrected_by_ramp_and_share)
{
	static const struct { const char *account; int64_t interval, charged; const char *account_after; } rows[] = {
		{ "", 10000, 10000, "ra=- f=-" },
		/* one a second, doubled each time, until the rate is reached */
		{ "ra=-0", 10000, 1000000, "ra=~-0" }, { "ra=-5000", 10000, 1000000, "ra=~-5000" },
		{ "ra=-15000", 10000, 500000, "ra=~-15000" },
		{ "ra=-25000", 10000, 250000, "ra=~-25000" }, { "ra=-65000", 10000, 15625, "ra=~-65000" },
		{ "ra=-75000", 10000, 10000, "ra=-" },
		{ "ra=-999000000", 10, 10, "ra=-" }, { "ra=-0", 2000000, 2000000, "ra=-" },
		{ "ra=+60000", 10000, 1000000, "ra=~+60000" },		/* a clock that went back */
		/* what Graph slowed down comes back by one per cent of the rate a second */
		{ "f=500 ft=+0", 1000000, 2000000, "f=500" }, { "f=500 ft=-20000", 1000000, 1428572, "f=500" },
		{ "f=100 ft=+0", 1000000, 10000000, "f=100" }, { "f=500 ft=-60000", 1000000, 1000000, "f=500" },
		{ "f=500 ft=+60000", 1000000, 2000000, "f=500" },
		/* both: the slower one */
		{ "f=500 ft=+0 ra=-15000", 1000000, 2000000, "ra=-" }, { "f=500 ft=+0 ra=-15000", 10000, 500000, "ra=~-15000" },
	};
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t before, after, tat;

		write_record("");
		set_fields(account, rows[i].account);
		before = redis_us();
		admit(&(struct admit){ .interval_us = rows[i].interval, .ramp_ms = 10000 }, &answer);
		after = redis_us();
		ck_assert_str_eq(answer.buf, GO);
		tat = number_tat();
		ck_assert_msg(tat >= before + rows[i].charged * 9 / 10 && tat <= after + rows[i].charged, "%s: %lld, not %lld", rows[i].account,
			      (long long)(tat - before), (long long)rows[i].charged);
		check_fields(account, rows[i].account_after);
	}
	strbuf_release(&answer);
}
END_TEST

/* While it ramps there is no burst, and a message that must wait does not end it. */
START_TEST(a_ramp_lets_one_go_at_a_time)
{
	static const struct { const char *account, *answer, *after; } rows[] = {
		{ "", GO, "ra=-" }, { "ra=-5000", "wait|0|#", "ra=~-5000" }, { "ra=-999000", "wait|0|#", "ra=~-999000" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record("");
		set_fields(account, rows[i].account);
		set_number_tat(redis_us() + 900000);
		check_row(&(struct row){ rows[i].account, "", "", { .interval_us = 100000, .tolerance_us = 5000000, .ramp_ms = 10000 },
					 rows[i].answer, i ? NULL : rows[i].after, "" });
		check_fields(account, rows[i].after);
	}
}
END_TEST

/* ---- its use: windows so long that we stand in the middle of number 3; 100 messages are its rate ---- */

enum { NOW = 3 };

static void check_use(int at, const char *state, const char *answer, const char *after)
{
	int64_t window_ms = redis_us() / 1000 * 2 / 7;
	struct strbuf got = STRBUF_INIT;

	freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
	set_number_tat(0);
	set_fields(account, state);
	if (at)
		freeReplyObject(ask((const char *[]){ "HSET", account, "us", text_of(at) }, 4));
	admit(&(struct admit){ .interval_us = window_ms * 10, .window_ms = window_ms }, &got);
	ck_assert_msg(!strcmp(got.buf, answer), "%s: answers %s", state, got.buf);
	check_fields(account, after);
	strbuf_release(&got);
}

START_TEST(the_use_of_a_limit_is_told_once_and_does_not_flap)
{
	static const struct { int at; const char *state, *answer, *after; } rows[] = {
		{ 0, "", GO, "uc=1 ua=-" },
		{ NOW, "uc=5", GO, "uc=6 ua=-" }, { NOW, "uc=500", GO, "uc=501 ua=-" },		/* compared when the window is over */
		{ NOW - 1, "uc=79", GO, "uc=1 ua=-" }, { NOW - 1, "uc=80", GO_WITH("approaching"), "uc=1 ua=1" },
		{ NOW - 1, "uc=500", GO_WITH("approaching"), "uc=1 ua=1" }, { NOW - 1, "uc=80 ua=1", GO, "uc=1 ua=1" },
		{ NOW - 1, "uc=61 ua=1", GO, "uc=1 ua=1" }, { NOW - 1, "uc=59 ua=1", GO_WITH("calm"), "uc=1 ua=-" },
		{ NOW - 2, "uc=500", GO, "uc=1 ua=-" }, { NOW - 2, "uc=500 ua=1", GO_WITH("calm"), "uc=1 ua=-" },	/* none in the last one */
		{ 0, "ua=1", GO_WITH("calm"), "uc=1 ua=-" }, { NOW - 1, "", GO, "uc=1" },
		{ NOW + 2, "uc=500", GO, "uc=1 ua=-" },							/* a clock that went back */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record("");
		check_use(rows[i].at, rows[i].state, rows[i].answer, rows[i].after);
		check_fields(account, "us=3");
		if (rows[i].at != NOW)
			ck_assert_int_gt(ask_number("PTTL", account), 80000000);
	}
}
END_TEST

START_TEST(the_story_of_a_busy_number)
{
	static const struct { const char *used, *answer; } windows[] = {
		{ "uc=70", GO }, { "uc=85", GO_WITH("approaching") }, { "uc=90", GO }, { "uc=70", GO }, { "uc=85", GO }, { "uc=50", GO_WITH("calm") },
		{ "uc=70", GO }, { "uc=80", GO_WITH("approaching") },
	};

	write_record("");
	for (size_t i = 0; i < ARRAY_LEN(windows); i++)
		check_use(NOW - 1, windows[i].used, windows[i].answer, "uc=1");
	check_use(NOW, "uc=1", GO, "uc=2 ua=1");
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
	s = suite_create("scripts_gate");
	real = unit_case(s, "gate");
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_loop_test(real, what_is_closed_is_told_and_what_is_due_is_probed, 0, (int)ARRAY_LEN(gates));
	tcase_add_test(real, a_closed_gate_leaves_every_record_alone);
	tcase_add_test(real, no_probe_is_leased_while_a_limit_says_no);
	tcase_add_test(real, who_asks_again_is_still_the_probe_and_its_lease_runs_anew);
	tcase_add_test(real, who_asks_again_before_a_closed_gate_gives_its_attempt_back);
	tcase_add_test(real, the_rate_is_corrected_by_ramp_and_share);
	tcase_add_test(real, a_ramp_lets_one_go_at_a_time);
	tcase_add_test(real, the_use_of_a_limit_is_told_once_and_does_not_flap);
	tcase_add_test(real, the_story_of_a_busy_number);
	return unit_run(s);
}
