/* late.lua with status.lua, settle.lua and admit.lua against a real Redis: what follows for what failed late, in any order, with any death. */
#include "test_scripts_hooks.h"

#include "base/rand.h"

static const char SENT[] = "v=1 s=sent n=2 o=me w=W x=+60000 id=m1 te=t ac=acc t0=1764000000000 ps=1764000005000 tp=tpl/en_US h={\"n\":2}";
static const char SENDING[] = "v=1 s=sending n=2 o=me l=+20000 x=+60000 id=m1 te=t ac=acc ps=1764000005000";

static struct strbuf answer = STRBUF_INIT;

static void expect(const char *want)
{
	ck_assert_msg(answer_fits(answer.buf, want), "%s, not %s", answer.buf, want);
}

static void begins(const char *want)
{
	ck_assert_msg(!strncmp(answer.buf, want, strlen(want)), "%s, not %s…", answer.buf, want);
}

static void failed(int attempt)
{
	take(&(struct take){ .status = "failed", .attempt = attempt }, &answer);
}

static void moves(const char *what, const char *carrier)
{
	late_fail(&(struct late_fail){ .n = 2, .what = what, .carrier = carrier }, &answer);
	begins("ok|");
}

static void becomes(const char *what)
{
	moves(what, "here");
}

static void publisher_died(void)
{
	set_fields(record, "fl=-1");
}

static void stored(void)
{
	write_record(SENT);
	put_body("sealed");
}

/* ---- the way of one ---- */

START_TEST(a_failure_is_handed_out_decided_published_and_told)
{
	stored();
	failed(2);
	expect("late|accepted|sent|m1|acc||0|open|here|2|0|1764000000000|{\"n\":2}|tpl/en_US|sealed");
	becomes("retry");
	expect("ok|{\"n\":2},{\"late\":1}|");
	check_fields(record, "s=retry n=2 fn=2 fc=here code=131049 e=text w=W fl=~+10000 S:failed=- P:failed=-");
	check_ttl(60000);
	ck_assert(has_body());
	told("failed", 2);
	check_fields(record, "fl=1");
	ck_assert(!has_body());
	failed(2);
	expect("known");
	admit(&(struct admit){ .kind = "retry", .n = 3, .owner = "you" }, &answer);
	begins("go|3|0|");
	failed(2);
	expect("known");
	settle(&(struct settle){ .owner = "you", .n = 3, .what = "sent", .wamid = "X", .sealed = "again" }, &answer);
	begins("ok|3|");
	check_fields(record, "s=sent n=3 w=X fn=2");
	ck_assert(has_body());
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);	/* proves nothing any more */
	expect("known");
	take(&(struct take){ .status = "sent", .attempt = 3, .wamid = "X" }, &answer);
	begins("news|sent|sent|");
	take(&(struct take){ .status = "failed", .attempt = 3, .wamid = "X" }, &answer);	/* and it may fail again */
	begins("late|sent|sent|m1|acc||0|open|here|3|");
}
END_TEST

START_TEST(a_refused_one_is_dead_and_its_letter_is_marked)
{
	stored();
	failed(2);
	becomes("dead");
	check_fields(record, "s=dead n=2 r=refused code=131049 c=0 fn=2 S:failed=1764000010000");
	ck_assert(has_body());
	told("failed", 2);
	check_fields(record, "s=dead c=1 fl=1");
	ck_assert(!has_body());
	failed(2);
	expect("known");
	admit(&(struct admit){ .redelivered = true }, &answer);
	begins("final|2|dead|W|refused|131049|1|");
	admit(&(struct admit){ .replay = "1764000099000", .used = "2" }, &answer);	/* a new life has statuses of its own */
	begins("go|3|2|");
	check_fields(record, "S:failed=- P:failed=- fn=2");
}
END_TEST

START_TEST(who_dies_in_between_is_taken_up_again)
{
	stored();
	failed(2);
	failed(2);		/* another webhook, or the same again */
	begins("busy|");
	publisher_died();
	failed(2);
	begins("late|accepted|sent|m1|acc||0|open|here|2|");
	becomes("retry");
	failed(2);
	begins("busy|");
	publisher_died();
	failed(2);
	begins("late|accepted|retry|m1|acc||0|retry|here|2|0|1764000000000|{\"n\":2},{\"late\":1}|tpl/en_US|sealed");
	late_fail(&(struct late_fail){ .n = 2, .what = "retry" }, &answer);	/* nobody decides twice */
	expect("changed");
	publisher_died();
	admit(&(struct admit){ .kind = "retry", .n = 3, .owner = "you" }, &answer);	/* it had been published */
	begins("go|3|");
	failed(2);
	begins("late|accepted|sending|m1|acc||0|followed|here|2|");
	told("failed", 2);
	failed(2);
	expect("known");
}
END_TEST

START_TEST(a_second_copy_for_the_next_attempt_is_harmless)
{
	stored();
	failed(2);
	becomes("retry");
	told("failed", 2);
	admit(&(struct admit){ .kind = "retry", .n = 3, .owner = "you" }, &answer);
	begins("go|3|");
	admit(&(struct admit){ .kind = "retry", .n = 3, .owner = "her" }, &answer);
	begins("busy|3|");
	settle(&(struct settle){ .owner = "you", .n = 3, .what = "sent", .wamid = "X", .sealed = "again" }, &answer);
	admit(&(struct admit){ .kind = "retry", .n = 3, .owner = "her" }, &answer);
	begins("final|3|sent|X|");
	set_fields(record, "w=W");	/* the same with the third */
	failed(3);
	late_fail(&(struct late_fail){ .n = 3, .what = "retry" }, &answer);
	begins("ok|");
	admit(&(struct admit){ .kind = "retry", .n = 3, .owner = "her" }, &answer);
	expect("successor|3");
}
END_TEST

START_TEST(without_its_message_there_is_no_retry_and_a_lost_one_is_buried)
{
	write_record(SENT);
	failed(2);
	begins("late|accepted|sent|m1|acc||0|open|here|2|");
	late_fail(&(struct late_fail){ .n = 2, .what = "retry" }, &answer);
	expect("changed");
	check_fields(record, "s=sent");
	put_body("sealed");
	becomes("retry");
	late_fail(&(struct late_fail){ .n = 2, .what = "dead" }, &answer);	/* it is there: nobody buries it */
	expect("changed");
	freeReplyObject(ask((const char *[]){ "DEL", body }, 2));
	becomes("dead");
	check_fields(record, "s=dead r=refused fn=2 fc=here");
}
END_TEST

/* ---- what it does not change ---- */

static const struct { const char *name, *before; int attempt; const char *answer; } others[] = {
	{ "it has arrived", "v=1 s=sent n=2 w=W te=t id=m1 ac=acc S:delivered=1", 2, "news|delivered|sent|m1|acc||0" },
	{ "the next attempt is out", "v=1 s=sending n=3 l=+9000 te=t id=m1 ac=acc", 2, "known" },
	{ "the next attempt was sent", "v=1 s=sent n=3 w=X te=t id=m1 ac=acc", 2, "known" },
	{ "something followed for a later one", "v=1 s=retry n=3 fn=3 fl=1 te=t id=m1 ac=acc", 2, "known" },
	{ "it is dead", "v=1 s=dead n=2 r=unknown_outcome te=t id=m1 ac=acc", 2, "news|failed|dead|m1|acc||0" },
	{ "its answer is not settled", "v=1 s=sending n=2 l=+9000 te=t id=m1 ac=acc", 2, "busy|#" },
	{ "another tenant's", "v=1 s=sent n=2 w=W te=u id=m1 ac=acc", 2, "stranger" },
	{ "another WAMID of the same attempt", "v=1 s=sent n=2 w=X te=t id=m1 ac=acc", 2, "news|failed|sent|m1|acc||1" },
};

START_TEST(other_failures_move_nothing)
{
	redisReply *r;

	write_record(others[_i].before);
	put_body("sealed");
	failed(others[_i].attempt);
	ck_assert_msg(answer_fits(answer.buf, others[_i].answer), "%s: %s", others[_i].name, answer.buf);
	r = ask((const char *[]){ "HGET", record, "s" }, 3);
	ck_assert_msg(strstr(others[_i].before, r->str) != NULL, "%s: %s", others[_i].name, r->str);
	freeReplyObject(r);
	late_fail(&(struct late_fail){ .n = others[_i].attempt, .what = "dead" }, &answer);
	if (strcmp(others[_i].name, "another tenant's") && strncmp(others[_i].name, "another WAMID", 13))
		expect("changed");
}
END_TEST

START_TEST(a_failure_without_a_token_is_of_the_wamids_attempt)
{
	stored();
	failed(0);
	begins("late|accepted|sent|m1|acc||0|open|here|2|");
	becomes("retry");
	told("failed", 2);
	failed(0);
	expect("known");
	set_fields(record, "s=sent n=3 w=X");
	failed(0);
	expect("stranger");
	write_record("v=1 s=sent n=2 w=W pv=unknown te=t id=m1 ac=acc");	/* which attempt?  It will come home */
	failed(0);
	expect("busy|100");
}
END_TEST

/* ---- it arrives after all ---- */

START_TEST(what_arrives_after_all_is_sent_and_its_retry_ends)
{
	stored();
	failed(2);
	becomes("retry");
	told("failed", 2);
	take(&(struct take){ .status = "delivered", .attempt = 2 }, &answer);
	begins("news|delivered|retry|m1|acc||0");
	check_fields(record, "s=sent n=2 w=W r=- code=- pv=retry");
	admit(&(struct admit){ .kind = "retry", .n = 3 }, &answer);
	expect("proven|2|W|{\"n\":2},{\"late\":1}");
	late_keep("sealed", &answer);
	expect("ok");
	check_fields(record, "s=sent pv=-");
	ck_assert(!has_body());		/* it cannot fail any more */
	failed(2);
	expect("known");
}
END_TEST

START_TEST(what_arrived_before_it_was_told_is_only_told)
{
	stored();
	failed(2);
	becomes("dead");
	take(&(struct take){ .status = "read", .attempt = 2 }, &answer);
	begins("news|read|dead|");
	ck_assert(!has_body());
	publisher_died();
	failed(2);
	begins("late|read|sent|m1|acc||0|over|here|2|");
	stored();
	failed(2);
	take(&(struct take){ .status = "delivered", .attempt = 2 }, &answer);
	late_fail(&(struct late_fail){ .n = 2, .what = "retry" }, &answer);
	expect("changed");
	check_fields(record, "s=sent fn=-");
}
END_TEST

/* ---- the message is still out ---- */

START_TEST(where_the_message_is_still_out_admit_tells_it)
{
	static const struct { const char *before, *kind; int n; const char *retry, *dead; } rows[] = {
		{ "v=1 s=unknown n=2 te=t id=m1 ac=acc x=+60000", "unknown", 2, "successor|2", "final|2|dead|" },
		{ "v=1 s=sending n=2 o=dead l=-10 te=t id=m1 ac=acc x=+60000", "none", 0, "successor|2", "final|2|dead|" },
		{ "v=1 s=retry n=2 te=t id=m1 ac=acc x=+60000", "retry", 3, "go|3|", "final|2|dead|" },
		{ "v=1 s=sent n=2 w=W pv=sending te=t id=m1 ac=acc x=+60000", "busy", 2, "successor|2", "final|2|dead|" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int dead = 0; dead < 2; dead++) {
			write_record(rows[i].before);
			failed(2);
			begins("late|accepted|");
			ck_assert_msg(strstr(answer.buf, "|open|out|2|") != NULL, "row %zu: %s", i, answer.buf);
			moves(dead ? "dead" : "retry", "out");
			check_fields(record, "fc=out pv=- l=-");
			admit(&(struct admit){ .kind = rows[i].kind, .n = rows[i].n, .redelivered = true }, &answer);
			begins(dead ? rows[i].dead : rows[i].retry);
		}
}
END_TEST

START_TEST(what_was_proven_comes_home_before_it_is_acked)
{
	write_record(SENDING);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	settle(&(struct settle){ .n = 2, .what = "unknown" }, &answer);	/* its answer was cut */
	begins("lost|");
	admit(&(struct admit){ .kind = "unknown", .n = 2 }, &answer);
	expect("proven|2|W|");
	late_keep("sealed", &answer);
	expect("ok");
	ck_assert(has_body());
	admit(&(struct admit){ .kind = "unknown", .n = 2 }, &answer);
	begins("final|2|sent|W|");
	failed(2);
	begins("late|sent|sent|m1|acc||0|open|here|2|");
	becomes("retry");
	late_keep("sealed", &answer);
	expect("changed");
}
END_TEST

START_TEST(an_answer_that_comes_after_its_failure_writes_nothing)
{
	write_record(SENDING);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	failed(2);
	moves("retry", "out");
	settle(&(struct settle){ .n = 2, .what = "sent", .wamid = "W", .sealed = "sealed" }, &answer);
	begins("lost|2|");
	check_fields(record, "s=retry n=2 fn=2");
	ck_assert(!has_body());
	admit(&(struct admit){ .owner = "you" }, &answer);
	expect("successor|2");
}
END_TEST

START_TEST(who_was_told_that_it_is_out_does_not_decide_once_it_has_come_home)
{
	write_record(SENDING);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	failed(2);
	begins("late|sent|sent|m1|acc||0|open|out|2|");
	settle(&(struct settle){ .n = 2, .what = "sent", .wamid = "W", .sealed = "sealed" }, &answer);
	begins("ok|2|");	/* and acked: nobody but the webhook's taker can publish now */
	late_fail(&(struct late_fail){ .n = 2, .what = "retry", .carrier = "out" }, &answer);
	expect("changed");
	failed(2);
	begins("late|sent|sent|m1|acc||0|open|here|2|");
	becomes("retry");
}
END_TEST

START_TEST(what_was_dead_before_it_was_proven_is_dead_again)
{
	write_record("v=1 s=dead n=2 r=unknown_outcome c=1 te=t id=m1 ac=acc");
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	check_fields(record, "s=sent pv=dead");
	failed(2);
	begins("late|sent|sent|m1|acc||0|open|letter|2|");
	moves("retry", "letter");
	check_fields(record, "s=dead c=1 fn=2");
}
END_TEST

/* ---- what is stored ---- */

START_TEST(settle_stores_what_was_sent_and_nothing_else)
{
	static const struct { const char *what, *extra; bool stored; } rows[] = {
		{ "sent", "", true }, { "retry", "", false }, { "unknown", "", false }, { "dead", "", false }, { "back", "", false },
		{ "sent", " S:delivered=1", false },
	};
	char before[300];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(before, sizeof(before), "%s%s", SENDING, rows[i].extra);
		write_record(before);
		settle(&(struct settle){ .n = 2, .what = rows[i].what, .wamid = "W", .sealed = "sealed" }, &answer);
		ck_assert_msg(has_body() == rows[i].stored, "row %zu", i);
	}
	write_record(SENDING);
	settle(&(struct settle){ .n = 2, .what = "sent", .wamid = "W" }, &answer);	/* message.body_ttl is 0 */
	ck_assert(!has_body());
	stored();
	ck_assert_int_gt(ask_number("PTTL", body), 3000000);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert(has_body());
	take(&(struct take){ .status = "delivered", .attempt = 2 }, &answer);
	ck_assert(!has_body());
	write_record(SENDING);
	put_body("of an earlier attempt");
	settle(&(struct settle){ .n = 2, .what = "dead" }, &answer);
	ck_assert(!has_body());
}
END_TEST

START_TEST(a_late_failure_holds_what_an_answer_would)
{
	stored();
	failed(2);
	late_fail(&(struct late_fail){ .n = 2, .what = "retry", .hold = "n:1" }, &answer);
	expect("ok|{\"n\":2},{\"late\":1}|held n:1 60000 0");
	check_fields(holds, "n:1=auto,~+60000,~+0,0,0,-,131049,text");
	admit(&(struct admit){ .kind = "retry", .n = 3 }, &answer);
	begins("held|2|");
	set_fields(record, "s=sent fn=0");
	late_fail(&(struct late_fail){ .n = 2, .what = "retry", .hold = "n:1" }, &answer);	/* it is held: no news */
	begins("ok|{\"n\":2},{\"late\":1},{\"late\":1}|");
	ck_assert(!strstr(answer.buf, "held"));
	ck_assert_int_eq(ask_number("HLEN", usage), 1);
}
END_TEST

START_TEST(a_late_failure_slows_the_number_or_holds_the_recipient_as_an_answer_would)
{
	stored();
	failed(2);
	late_fail(&(struct late_fail){ .n = 2, .what = "retry", .slow = true }, &answer);
	check_fields(account, "f=700 ft=~+0");
	ck_assert_int_eq(ask_number("EXISTS", recipient), 0);
	set_fields(record, "s=sent fn=0");
	late_fail(&(struct late_fail){ .n = 2, .what = "retry", .recipient_ms = 4000 }, &answer);
	ck_assert_int_gt(ask_number("PTTL", recipient), 3000);
	ck_assert_int_le(ask_number("PTTL", recipient), 4000);
	check_fields(account, "f=700 ft=~+0");
	freeReplyObject(ask((const char *[]){ "PEXPIRE", recipient, "60000" }, 3));
	set_fields(record, "s=sent fn=0");
	late_fail(&(struct late_fail){ .n = 2, .what = "retry", .recipient_ms = 4000 }, &answer);	/* an operator's is longer */
	ck_assert_int_gt(ask_number("PTTL", recipient), 50000);
}
END_TEST

/* ---- any order, any death ---- */

enum { ANSWER, SENT_TOLD, FAILED, DELIVERED, FAILED_AGAIN, COPY, EVENTS };

/* One life of a message as its keepers see it: copies in the broker, letters, and what was decided but not published. */
struct world { bool in_hand, lost; int copies, letters, posts; };

static void look_at_admit(struct world *w, const char *kind, int n)
{
	admit(&(struct admit){ .kind = kind, .n = n, .redelivered = true }, &answer);
	if (!strncmp(answer.buf, "successor", 9)) {
		w->copies++;
	} else if (!strncmp(answer.buf, "go|", 3)) {
		w->posts++;
		settle(&(struct settle){ .n = 3, .what = "sent", .wamid = "X", .sealed = "again" }, &answer);
	} else if (!strncmp(answer.buf, "proven", 6)) {
		late_keep("sealed", &answer);
	} else if (!strncmp(answer.buf, "final|2|dead", 12)) {
		w->letters++;
	}
}

/* dies: 0 not, 1 before it decides, 2 before it publishes, 3 before it says so. */
static void fail_once(struct world *w, int dies)
{
	bool is_here, is_open;

	failed(2);
	if (!strncmp(answer.buf, "news|", 5))
		told("failed", 2);
	if (strncmp(answer.buf, "late|", 5) != 0)
		return;
	is_here = strstr(answer.buf, "|here|") != NULL;
	is_open = strstr(answer.buf, "|open|") != NULL;
	if (dies == 1 || (is_open && is_here && !has_body()))
		goto dead;
	if (is_open) {
		late_fail(&(struct late_fail){ .n = 2, .what = "retry", .carrier = is_here ? "here" : "out" }, &answer);
		if (strncmp(answer.buf, "ok|", 3) != 0)
			return;
	} else if (strstr(answer.buf, "|retry|here|") == NULL) {
		is_here = false;
	}
	if (dies == 2)
		goto dead;
	w->copies += is_here;
	if (dies == 3)
		goto dead;
	told("failed", 2);
	return;
dead:
	publisher_died();
}

static void one(struct world *w, int what, int dies)
{
	switch (what) {
	case ANSWER:
		settle(&(struct settle){ .n = 2, .what = dies ? "unknown" : "sent", .wamid = "W", .sealed = "sealed" }, &answer);
		if (!strncmp(answer.buf, "lost", 4) || dies)
			look_at_admit(w, dies ? "unknown" : "none", dies ? 2 : 0);
		w->in_hand = false;
		return;
	case SENT_TOLD:
	case DELIVERED:
		take(&(struct take){ .status = what == DELIVERED ? "delivered" : "sent", .attempt = 2 }, &answer);
		if (!strncmp(answer.buf, "news", 4))
			told(what == DELIVERED ? "delivered" : "sent", 2);
		return;
	case COPY:
		for (; w->copies > 0; w->copies--)
			look_at_admit(w, "retry", 3);
		return;
	default:
		fail_once(w, dies);
	}
}

/* Every order of six things, with each way to die (in the short form: one of them): in the end it was tried again once, or it has arrived; nothing is nowhere. */
START_TEST(any_order_and_any_death)
{
	int left[EVENTS] = { 0, 1, 2, 3, 4, 5 }, order[EVENTS], k = _i, n = EVENTS;

	for (int i = 0; i < EVENTS; i++) {
		int at = k % n;

		order[i] = left[at];
		k /= n;
		memmove(left + at, left + at + 1, (size_t)(--n - at) * sizeof(*left));
	}
	for (int dies = getenv("WAMD_LONG") ? 0 : _i % 4; dies < (getenv("WAMD_LONG") ? 4 : _i % 4 + 1); dies++)
		for (int arrives = 0; arrives < 2; arrives++) {
			struct world w = { .in_hand = true };

			write_record(SENDING);
			for (int i = 0; i < EVENTS; i++)
				if (order[i] != DELIVERED || arrives)
					one(&w, order[i], order[i] == ANSWER || order[i] == FAILED ? dies : 0);
			for (int i = 0; i < 3; i++) {	/* Meta comes again, copies come back */
				one(&w, FAILED_AGAIN, 0);
				look_at_admit(&w, "unknown", 2);
				one(&w, COPY, 0);
			}
			check_fields(record, "s=sent");
			ck_assert_msg(w.posts <= 1 && w.copies == 0 && w.letters == 0, "order %d dies %d: %d posts", _i, dies, w.posts);
			ck_assert_msg(arrives || w.posts == 1, "order %d dies %d: it was not tried again", _i, dies);
			failed(2);
			ck_assert_str_eq(answer.buf, "known");
		}
}
END_TEST

static void end(void)
{
	strbuf_release(&answer);
	stop_redis();
}

int main(void)
{
	Suite *s = suite_create("late");
	TCase *tc = unit_case(s, "late");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(tc, start_redis, end);
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, a_failure_is_handed_out_decided_published_and_told);
	tcase_add_test(tc, a_refused_one_is_dead_and_its_letter_is_marked);
	tcase_add_test(tc, who_dies_in_between_is_taken_up_again);
	tcase_add_test(tc, a_second_copy_for_the_next_attempt_is_harmless);
	tcase_add_test(tc, without_its_message_there_is_no_retry_and_a_lost_one_is_buried);
	tcase_add_loop_test(tc, other_failures_move_nothing, 0, (int)ARRAY_LEN(others));
	tcase_add_test(tc, a_failure_without_a_token_is_of_the_wamids_attempt);
	tcase_add_test(tc, what_arrives_after_all_is_sent_and_its_retry_ends);
	tcase_add_test(tc, what_arrived_before_it_was_told_is_only_told);
	tcase_add_test(tc, where_the_message_is_still_out_admit_tells_it);
	tcase_add_test(tc, what_was_proven_comes_home_before_it_is_acked);
	tcase_add_test(tc, an_answer_that_comes_after_its_failure_writes_nothing);
	tcase_add_test(tc, who_was_told_that_it_is_out_does_not_decide_once_it_has_come_home);
	tcase_add_test(tc, what_was_dead_before_it_was_proven_is_dead_again);
	tcase_add_test(tc, settle_stores_what_was_sent_and_nothing_else);
	tcase_add_test(tc, a_late_failure_holds_what_an_answer_would);
	tcase_add_test(tc, a_late_failure_slows_the_number_or_holds_the_recipient_as_an_answer_would);
	tcase_add_loop_test(tc, any_order_and_any_death, 0, 720);
	return unit_run(s);
}
