/* lane: every verb in every state, by the holder and by another; and whole lives of a lane. */
#include "test_scripts.h"

enum { OPENING = 5000, STALE = 60000, LEASE_OF_LANE = 15000, GRACE = 5000, DEADLINE = 60000 };

static const char *lane(const char *verb, const char *who)
{
	static struct strbuf answer = STRBUF_INIT;
	const char *parts[PARTS_MAX] = { account, holds, verb, who };
	int n = 4;

	if (str_starts(verb, "join")) {		/* "join" or "join ticketed" */
		const char *const rest[] = { strcmp(verb, "join") ? "1" : "0", "limit", text_of(OPENING), text_of(STALE) };

		parts[2] = "join";
		memcpy(parts + n, rest, sizeof(rest));
		n += (int)ARRAY_LEN(rest);
	} else if (!strcmp(verb, "take") || !strcmp(verb, "hold")) {
		parts[n++] = text_of(LEASE_OF_LANE);
		memcpy(parts + n, strcmp(who, "fieldless") ? hold_fields : no_fields, 4 * sizeof(*hold_fields));
		n += 4;
	} else if (!strcmp(verb, "delete")) {
		parts[n++] = text_of(GRACE);
		parts[n++] = text_of(DEADLINE);
	}
	run_script(SCRIPT_LANE, parts, 2, n, &answer);
	return answer.buf;
}

static void add_account(struct strbuf *out)
{
	redisReply *r = ask((const char *[]){ "HGETALL", account }, 2);

	strbuf_reset(out);
	add_joined(out, r);
	freeReplyObject(r);
}

#define HELD " lh=me ll=+9000"
#define NOT_HELD " ll=-9000"
#define OPEN "ls=open lu=-3000 lw=limit"
#define OPENING_ "ls=opening lu=+4000"
#define OPENING_OVER "ls=opening lu=-10"
#define CLOSING "ls=closing lu=-3000 lw=limit"
#define CLOSED_LONG "ls=closing lu=-30000 lw=limit"
#define DELETING "ls=deleting lu=+50000 lw=limit"
#define DELETING_OVER "ls=deleting lu=-10 lw=limit"
#define OPENED "ls=open lu=~+0 lw=limit ll=~+9000"

/* after: the fields it must have; NULL: nothing was written. */
static const struct { const char *before, *verb, *who, *answer, *after; } rows[] = {
	/* join: one gets the ticket, the others wait for it; open is open */
	{ "", "join", "a", "ticket", "ls=opening lu=~+5000 lh=- lw=-" },
	{ OPENING_, "join", "a", "later|#", NULL }, { OPENING_OVER, "join", "a", "ticket", "ls=opening lu=~+5000" },
	{ OPEN HELD, "join", "a", "joined|0", NULL }, { OPEN NOT_HELD, "join", "a", "joined|0", NULL },
	{ CLOSING HELD, "join", "a", "joined|0", "ls=open lu=~+0 lh=me ll=~+9000" },
	{ CLOSED_LONG HELD, "join", "me", "joined|0", "ls=open lu=~+0" },
	{ DELETING HELD, "join", "a", "later|#", NULL }, { DELETING_OVER HELD, "join", "a", "ticket", "ls=opening lu=~+5000" },
	/* nobody has taken from it for long: one more ticket; but one is enough for a while */
	{ "ls=open lu=-60001 ll=-60001", "join", "a", "ticket", "ls=open lu=~+0 ll=~-60001" },
	{ "ls=open lu=-60001 lh=me ll=-60001", "join", "a", "ticket", "ls=open lu=~+0 lh=me" },
	{ "ls=open lu=-60001", "join", "a", "ticket", "ls=open lu=~+0" },
	{ "ls=open lu=-50000 ll=-60001", "join", "a", "joined|0", NULL }, { "ls=open lu=-60001 ll=-50000", "join", "a", "joined|0", NULL },
	{ "ls=open lu=-900000 lh=me ll=+100", "join", "a", "joined|0", NULL },
	{ "ls=closing lu=-60001 ll=-60001", "join", "a", "ticket", "ls=closing lu=~+0" },
	/* join with a ticket: whoever it was that opened it; the first tells */
	{ "", "join ticketed", "a", "joined|1", "ls=open lu=~+0 lw=limit ll=~+0 lh=-" },
	{ OPENING_, "join ticketed", "a", "joined|1", "ls=open lu=~+0 lw=limit ll=~+0 lh=-" },
	{ OPENING_OVER, "join ticketed", "a", "joined|1", "ls=open" },
	{ OPEN HELD, "join ticketed", "a", "joined|0", OPENED " lh=me" },
	{ OPEN NOT_HELD, "join ticketed", "a", "joined|0", "ls=open ll=~+0" },
	{ CLOSING HELD, "join ticketed", "a", "joined|0", OPENED " lh=me" },
	{ "ls=open lh=me ll=+90000", "join ticketed", "a", "joined|0", "ls=open ll=~+90000" },
	{ DELETING HELD, "join ticketed", "a", "later|#", NULL }, { DELETING_OVER HELD, "join ticketed", "a", "joined|1", OPENED " lh=me" },
	/* take: the newest ticket wins; what is not there, or not yet, is open */
	{ "", "take", "a", "mine|open|0|0|", "ls=open lu=~+0 lh=a ll=~+15000" },
	{ OPENING_, "take", "a", "mine|opening|0|0|", "ls=opening lu=~+4000 lh=a ll=~+15000" },
	{ OPENING_OVER, "take", "a", "mine|open|0|0|", "ls=open lu=~+0 lh=a ll=~+15000" },
	{ OPEN HELD, "take", "a", "mine|open|0|0|", "ls=open lu=~-3000 lh=a ll=~+15000" },
	{ OPEN HELD, "take", "me", "mine|open|0|0|", "lh=me ll=~+15000" },
	{ OPEN NOT_HELD, "take", "a", "mine|open|0|0|", "lh=a ll=~+15000" },
	{ CLOSING HELD, "take", "a", "mine|closing|0|0|", "ls=closing lu=~-3000 lh=a" },
	{ DELETING HELD, "take", "a", "mine|deleting|0|0|", "ls=deleting lu=~+50000 lh=a" },
	{ DELETING_OVER HELD, "take", "a", "mine|deleting|0|0|", "ls=deleting lu=~-10 lh=a" },
	/* hold: unless somebody else has it, also when its lease is over */
	{ "", "hold", "me", "mine|open|0|0|", "ls=open lu=~+0 lh=me ll=~+15000" },
	{ OPENING_, "hold", "me", "mine|opening|0|0|", "ls=opening lh=me" },
	{ OPEN HELD, "hold", "me", "mine|open|0|0|", "ls=open lu=~-3000 lh=me ll=~+15000" },
	{ OPEN NOT_HELD, "hold", "me", "mine|open|0|0|", "lh=me ll=~+15000" },
	{ CLOSING HELD, "hold", "me", "mine|closing|0|0|", "ls=closing lu=~-3000 ll=~+15000" },
	{ DELETING HELD, "hold", "me", "mine|deleting|0|0|", "ls=deleting" },
	{ OPEN HELD, "hold", "a", "other", NULL }, { "ls=open lh=me ll=-90000", "hold", "a", "other", NULL },
	{ CLOSING HELD, "hold", "a", "other", NULL },
	{ DELETING HELD, "hold", "a", "other", NULL },
	/* close: the holder, and only what is open; again is no matter, and does not begin the grace anew */
	{ OPEN HELD, "close", "me", "closing", "ls=closing lu=~+0 lh=me ll=~+9000" },
	{ CLOSED_LONG HELD, "close", "me", "closing", "ls=closing lu=~-30000" },
	{ DELETING HELD, "close", "me", "no|deleting", NULL }, { OPENING_ HELD, "close", "me", "no|opening", NULL },
	{ "lh=me", "close", "me", "no|", NULL }, { "", "close", "me", "no|", NULL }, { OPEN NOT_HELD, "close", "me", "no|open", NULL },
	{ OPEN HELD, "close", "a", "no|open", NULL }, { CLOSING HELD, "close", "a", "no|closing", NULL },
	/* delete: when the grace is over and nobody joined */
	{ CLOSED_LONG HELD, "delete", "me", "deleting", "ls=deleting lu=~+60000 lh=me" },
	{ CLOSING HELD, "delete", "me", "no|closing", NULL },
	{ OPEN HELD, "delete", "me", "no|open", NULL }, { OPENING_ HELD, "delete", "me", "no|opening", NULL },
	{ "", "delete", "me", "no|", NULL },
	{ DELETING HELD, "delete", "me", "deleting", "ls=deleting lu=~+60000" },
	{ DELETING_OVER HELD, "delete", "me", "deleting", "ls=deleting lu=~+60000" },
	{ CLOSED_LONG HELD, "delete", "a", "no|closing", NULL }, { CLOSED_LONG NOT_HELD, "delete", "me", "no|closing", NULL },
	{ DELETING HELD, "delete", "a", "no|deleting", NULL },
	/* gone and kept: how the deletion ended */
	{ DELETING HELD, "gone", "me", "ok", "ls=- lu=- lh=- ll=- lw=-" }, { DELETING_OVER HELD, "gone", "me", "ok", "ls=- lh=-" },
	{ DELETING HELD, "gone", "a", "no|deleting", NULL }, { DELETING NOT_HELD, "gone", "me", "no|deleting", NULL },
	{ "", "gone", "me", "no|", NULL },
	{ OPEN HELD, "gone", "me", "no|open", NULL },
	{ OPENING_ HELD, "gone", "me", "no|opening", NULL },	/* opened anew, past the deadline */
	{ CLOSING HELD, "gone", "me", "no|closing", NULL },
	{ DELETING HELD, "kept", "me", "ok", "ls=open lu=~+0 lh=me" }, { DELETING_OVER HELD, "kept", "me", "ok", "ls=open" },
	{ OPEN HELD, "kept", "me", "ok", "ls=open lu=~+0" }, { DELETING HELD, "kept", "a", "no|deleting", NULL },
	{ "", "kept", "me", "no|", NULL },
	/* leave: somebody else will take it; the state stays */
	{ OPEN HELD, "leave", "me", "ok", "ls=open lu=~-3000 lh=- ll=~+0" },
	{ CLOSING HELD, "leave", "me", "ok", "ls=closing lh=- ll=~+0" },
	{ DELETING HELD, "leave", "me", "ok", "ls=deleting lh=-" }, { OPEN HELD, "leave", "a", "ok", NULL },
	{ OPEN NOT_HELD, "leave", "me", "ok", NULL },
	{ "", "leave", "me", "ok", NULL },
	/* another word */
	{ OPEN HELD, "dance", "me", "no|open", NULL }, { OPEN HELD, "dance", "a", "no|open", NULL },
};

START_TEST(each_verb_in_each_state)
{
	struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
	const char *answer;

	write_record("");
	set_fields(account, rows[_i].before);
	add_account(&before);
	answer = lane(rows[_i].verb, rows[_i].who);
	add_account(&after);
	ck_assert_msg(answer_fits(answer, rows[_i].answer), "%s, %s by %s: %s, not %s", rows[_i].before, rows[_i].verb, rows[_i].who, answer,
		      rows[_i].answer);
	if (rows[_i].after)
		check_fields(account, rows[_i].after);
	else
		ck_assert_msg(!strcmp(before.buf, after.buf), "%s, %s: wrote %s", rows[_i].before, rows[_i].verb, after.buf);
	if (rows[_i].after && strcmp(rows[_i].verb, "gone") && strcmp(rows[_i].verb, "leave"))
		ck_assert_int_gt(ask_number("PTTL", account), 80000000);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

static void add_gate(struct strbuf *out)
{
	redisReply *r = ask((const char *[]){ "HMGET", account, "bs", "bu", "bo" }, 5);

	strbuf_reset(out);
	add_joined(out, r);
	freeReplyObject(r);
	r = ask((const char *[]){ "HGETALL", holds }, 2);
	add_joined(out, r);
	freeReplyObject(r);
}

/* Who holds a lane is told what closes its account's gate; a template's hold is not the account's. */
START_TEST(the_holder_hears_of_the_gate)
{
	static const struct { const char *account, *holds, *who, *answer; } gates[] = {
		{ "bs=open bu=+5000", "", "me", "mine|open|#|+|breaker" }, { "bs=half bu=+5000 bo=x", "", "me", "mine|open|#|250|breaker" },
		{ "bs=open bu=-1", "", "me", "mine|open|0|0|" }, { "", "t:t=operator,0,7,0,0,-,0,w", "me", "mine|open|86400000|86400000|t:t" },
		{ "", "a:t:acc=auto,+5000,7,0,0,-,131,w", "me", "mine|open|#|#|a:t:acc" },
		{ "", "n:1=auto,-1,7,0,0,-,131,w", "me", "mine|open|0|0|" },
		{ "", "n:1=auto,-1,7,0,+5000,x,131,w", "me", "mine|open|#|250|n:1" },
		{ "", "p:2:tpl=operator,0,7,0,0,-,0,w", "me", "mine|open|0|0|" },
		{ "bs=open bu=+5000", "w:2=auto,+60000,7,0,0,-,131,w", "me", "mine|open|#|#|w:2" },
		{ "bs=open bu=+60000", "w:2=auto,+5000,7,0,0,-,131,w", "me", "mine|open|#|#|breaker" },
		{ "bs=open bu=+5000", "t:t=operator,0,7,0,0,-,0,w", "fieldless", "mine|open|#|#|breaker" },
		{ "", "t:t=operator,0,7,0,0,-,0,w", "fieldless", "mine|open|0|0|" },
	};

	static const char *const verbs[] = { "take", "hold" };
	struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(gates); i++)
		for (size_t v = 0; v < ARRAY_LEN(verbs); v++) {
			const char *answer;

			write_record("");
			set_fields(account, gates[i].account);
			set_fields(holds, gates[i].holds);
			add_gate(&before);
			answer = lane(verbs[v], gates[i].who);
			ck_assert_msg(answer_fits(answer, gates[i].answer), "%s %s: %s", gates[i].account, gates[i].holds, answer);
			add_gate(&after);
			ck_assert_str_eq(before.buf, after.buf);	/* it looks, it does not probe */
		}
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

/* ---- whole lives; time is moved by hand ---- */

/* who and verb, or a field to be set. */
struct step { const char *who, *verb, *answer; };

static void play(const struct step *steps, size_t n)
{
	write_record("");
	for (size_t i = 0; i < n; i++) {
		const char *answer;

		if (!steps[i].who) {
			set_fields(account, steps[i].verb);
			continue;
		}
		answer = lane(steps[i].verb, steps[i].who);
		ck_assert_msg(answer_fits(answer, steps[i].answer), "step %zu, %s by %s: %s, not %s", i + 1, steps[i].verb, steps[i].who, answer,
			      steps[i].answer);
	}
}

START_TEST(a_lane_that_is_joined_again_is_not_deleted)
{
	static const struct step steps[] = {
		{ "a", "join", "ticket" }, { "b", "join", "later|#" }, { "a", "join ticketed", "joined|1" }, { "b", "join", "joined|0" },
		{ "h", "take", "mine|open|0|0|" }, { "h", "hold", "mine|open|0|0|" }, { "h", "close", "closing" }, { "b", "join", "joined|0" },
		{ "h", "delete", "no|open" }, { "h", "hold", "mine|open|0|0|" },
	};

	play(steps, ARRAY_LEN(steps));
}
END_TEST

START_TEST(a_lane_ends_and_begins_again)
{
	static const struct step steps[] = {
		{ "a", "join", "ticket" }, { "a", "join ticketed", "joined|1" }, { "h", "take", "mine|open|0|0|" },
		{ "h", "close", "closing" },
		{ "h", "delete", "no|closing" }, { NULL, "lu=-5000", "" }, { "h", "close", "closing" },		/* asked again */
		{ "h", "delete", "deleting" }, { "h", "delete", "deleting" }, { "a", "join", "later|#" },
		{ "a", "join ticketed", "later|#" },
		{ "h", "gone", "ok" }, { "h", "gone", "no|" }, { "a", "join", "ticket" }, { "a", "join ticketed", "joined|1" },
	};

	play(steps, ARRAY_LEN(steps));
}
END_TEST

START_TEST(a_lane_is_handed_on)
{
	static const struct step steps[] = {
		{ "a", "join ticketed", "joined|1" }, { "h", "take", "mine|open|0|0|" }, { "i", "take", "mine|open|0|0|" },
		{ "h", "hold", "other" },
		{ "h", "leave", "ok" }, { "i", "hold", "mine|open|0|0|" }, { "h", "close", "no|open" }, { "i", "leave", "ok" },
		{ "h", "hold", "mine|open|0|0|" }, { "h", "close", "closing" },
		/* its holder dies while it is closing, or deleting: the next one goes on where it was */
		{ "i", "take", "mine|closing|0|0|" }, { "i", "close", "closing" }, { NULL, "lu=-5000", "" }, { "i", "delete", "deleting" },
		{ "j", "take", "mine|deleting|0|0|" }, { "i", "gone", "no|deleting" }, { "j", "delete", "deleting" }, { "j", "kept", "ok" },
		{ "a", "join", "joined|0" },
	};

	play(steps, ARRAY_LEN(steps));
}
END_TEST

START_TEST(a_deleter_who_is_too_late_forgets_nothing)
{
	static const struct step steps[] = {
		{ "a", "join ticketed", "joined|1" }, { "h", "take", "mine|open|0|0|" }, { "h", "close", "closing" },
		{ NULL, "lu=-5000", "" },
		{ "h", "delete", "deleting" }, { NULL, "lu=-1", "" }, { "a", "join", "ticket" }, { "h", "gone", "no|opening" },
		{ "a", "join ticketed", "joined|1" }, { "h", "gone", "no|open" }, { "b", "join", "joined|0" },
	};

	play(steps, ARRAY_LEN(steps));
}
END_TEST

START_TEST(a_redis_that_forgot_everything)
{
	static const struct step steps[] = { { "a", "join ticketed", "joined|1" }, { "h", "take", "mine|open|0|0|" } };

	play(steps, ARRAY_LEN(steps));
	freeReplyObject(ask((const char *[]){ "DEL", account }, 2));
	ck_assert_str_eq(lane("close", "h"), "no|");
	ck_assert_str_eq(lane("gone", "h"), "no|");
	ck_assert_str_eq(lane("hold", "h"), "mine|open|0|0|");
	check_fields(account, "ls=open lh=h ll=~+15000");
	ck_assert_str_eq(lane("join", "a"), "joined|0");
}
END_TEST

START_TEST(a_lost_ticket_is_made_again)
{
	static const struct step steps[] = {
		{ "a", "join ticketed", "joined|1" }, { NULL, "lu=-60001 ll=-60001", "" }, { "a", "join", "ticket" },
		{ "b", "join", "joined|0" },
		{ "a", "join ticketed", "joined|0" }, { "h", "take", "mine|open|0|0|" }, { "h", "leave", "ok" }, { "a", "join", "joined|0" },
		{ NULL, "lu=-60001 ll=-60001", "" }, { "a", "join", "ticket" },
	};

	play(steps, ARRAY_LEN(steps));
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
	s = suite_create("scripts_lane");
	real = unit_case(s, "lane");
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_loop_test(real, each_verb_in_each_state, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(real, the_holder_hears_of_the_gate);
	tcase_add_test(real, a_lane_that_is_joined_again_is_not_deleted);
	tcase_add_test(real, a_lane_ends_and_begins_again);
	tcase_add_test(real, a_lane_is_handed_on);
	tcase_add_test(real, a_deleter_who_is_too_late_forgets_nothing);
	tcase_add_test(real, a_redis_that_forgot_everything);
	tcase_add_test(real, a_lost_ticket_is_made_again);
	return unit_run(s);
}
