/* status.lua against a real Redis: any order, any number of copies; what is proof, what is nobody's, what waits for its answer. */
#include "test_scripts_hooks.h"

#include "base/rand.h"

enum { EVENTS = 5, COPIES_MAX = 10 };
static const char *const words[EVENTS] = { "answer", "sent", "delivered", "read", "failed" };
static const char SENDING[] = "v=1 s=sending n=2 o=me l=+20000 x=+60000 id=m1 te=t ac=acc ps=1764000005000 ct={\"correlation_id\":\"c\"}";

static void forget(void)
{
	forget_all();
}

/* ---- orders ---- */

struct counted { int news[EVENTS]; bool is_owed; };

/* Something follows first: it is dead, for this code is refused. */
static void bury(const char *handed_out)
{
	struct strbuf answer = STRBUF_INIT;

	late_fail(&(struct late_fail){ .n = 2, .what = "dead", .carrier = strstr(handed_out, "|out|") ? "out" : "here" }, &answer);
	ck_assert_msg(!strncmp(answer.buf, "ok|", 3), "%s", answer.buf);
	strbuf_release(&answer);
}

/* owed: a failure whose answer is not settled yet comes again. */
static void one(int what, struct counted *c)
{
	struct strbuf answer = STRBUF_INIT;

	if (what == 0) {
		settle(&(struct settle){ .n = 2, .what = "sent", .wamid = "W" }, &answer);
		ck_assert_msg(!strncmp(answer.buf, "ok|2|", 5) || !strncmp(answer.buf, "lost|2|", 7), "%s", answer.buf);
	} else {
		take(&(struct take){ .status = words[what], .attempt = 2 }, &answer);
		if (!strncmp(answer.buf, "late|", 5))
			bury(answer.buf);
		if (!strncmp(answer.buf, "late|", 5) || !strncmp(answer.buf, "news|", 5)) {
			c->news[what]++;
			told(words[what], 2);
		} else if (!strncmp(answer.buf, "busy|", 5)) {
			c->is_owed = true;
		} else {
			ck_assert_str_eq(answer.buf, "known");
		}
	}
	strbuf_release(&answer);
}

/* The order-th way to put five things in a row. */
static void permutation(int order, int out[EVENTS])
{
	int left[EVENTS] = { 0, 1, 2, 3, 4 }, n = EVENTS;

	for (int i = 0; i < EVENTS; i++) {
		int k = order % n;

		order /= n;
		out[i] = left[k];
		memmove(left + k, left + k + 1, (size_t)(n - k - 1) * sizeof(*left));
		n--;
	}
}

/* Whatever came first: it has arrived.  What was sent is told, unless it had failed before. */
static void check_end(struct counted *c)
{
	if (c->is_owed)
		one(4, c);
	ck_assert_msg(c->news[1] <= 1, "sent was news %d times", c->news[1]);
	for (int i = 2; i < EVENTS; i++)
		ck_assert_msg(c->news[i] == 1, "%s was news %d times", words[i], c->news[i]);
	check_fields(record, "s=sent n=2 w=W id=m1 te=t S:delivered=1764000010000 S:read=1764000010000 S:failed=1764000010000 P:delivered=1 "
		     "P:read=1 l=-");
	ck_assert(!has_body());
}

/* Each of the 120 orders, each thing once to ten times: one end, one set of events. */
START_TEST(whatever_order_they_come_in_the_end_is_one)
{
	int order[EVENTS];

	permutation(_i, order);
	for (int copies = 1; copies <= COPIES_MAX; copies += 3) {
		struct counted c = { { 0 }, false };

		write_record(SENDING);
		for (int i = 0; i < EVENTS; i++)
			for (int k = 0; k < (i == _i % EVENTS ? copies : 1 + k % 2 + copies / 5); k++)
				one(order[i], &c);
		check_end(&c);
	}
}
END_TEST

START_TEST(random_orders)
{
	long rounds = getenv("WAMD_LONG") ? 1000000 : 300;

	for (long r = 0; r < rounds; r++) {
		struct counted c = { { 0 }, false };
		int left[EVENTS] = { 1, 1, 1, 1, 1 };

		write_record(SENDING);
		for (int i = 0; i < 12; i++) {
			int what = (int)(rand_u64() % EVENTS);

			left[what] = 0;
			one(what, &c);
		}
		for (int i = 0; i < EVENTS; i++)
			if (left[i])
				one(i, &c);
		check_end(&c);
	}
}
END_TEST

/* ---- the state never goes back ---- */

static const struct { const char *before, *status, *state; } states[] = {
	{ "", "sent", "sent" }, { "", "warning", "accepted" }, { "S:sent=1", "delivered", "delivered" },
	{ "S:read=1", "delivered", "read" }, { "S:read=1", "sent", "read" }, { "S:delivered=1", "failed", "delivered" },
	{ "S:failed=1", "sent", "failed" }, { "S:played=1", "failed", "played" }, { "S:failed=1", "delivered", "delivered" }, { "S:read=1", "played", "played" },
	{ "S:played=1", "read", "played" },
};

START_TEST(the_state_follows_from_all_that_was_told)
{
	struct strbuf answer = STRBUF_INIT, want = STRBUF_INIT;
	char before[200];

	snprintf(before, sizeof(before), "v=1 s=sent n=2 w=W id=m1 te=t ac=acc %s", states[_i].before);
	write_record(before);
	take(&(struct take){ .status = states[_i].status, .attempt = 2 }, &answer);
	strbuf_setf(&want, "news|%s|sent|m1|acc||0", states[_i].state);
	ck_assert_str_eq(answer.buf, want.buf);
	strbuf_release(&answer);
	strbuf_release(&want);
}
END_TEST

/* ---- proof ---- */

static const struct { const char *before, *answer; } proofs[] = {
	{ "v=1 s=sending n=2 te=t id=m1 ac=acc o=me l=+1000", "news|sent|sending|m1|acc||0" },
	{ "v=1 s=unknown n=2 te=t id=m1 ac=acc r=x code=5", "news|sent|unknown|m1|acc||0" },
	{ "v=1 s=retry n=2 te=t id=m1 ac=acc", "news|sent|retry|m1|acc||0" },
	{ "v=1 s=dead n=2 te=t id=m1 ac=acc r=unknown_outcome c=1", "news|sent|dead|m1|acc||0" },
	{ "v=1 s=expired n=2 te=t id=m1 ac=acc", "news|sent|expired|m1|acc||0" },
};

START_TEST(a_status_is_proof_whatever_the_record_says)
{
	struct strbuf answer = STRBUF_INIT;
	redisReply *r;

	write_record(proofs[_i].before);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert_str_eq(answer.buf, proofs[_i].answer);
	check_fields(record, "s=sent n=2 w=W r=- code=- l=- e=-");
	r = ask((const char *[]){ "GET", wamid_index }, 2);
	ck_assert_str_eq(r->str, "K");
	freeReplyObject(r);
	strbuf_release(&answer);
}
END_TEST

START_TEST(a_settle_that_comes_after_its_proof_still_counts_for_the_account)
{
	struct strbuf answer = STRBUF_INIT;

	write_record(SENDING);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	settle(&(struct settle){ .n = 2, .what = "sent", .wamid = "W", .template = "tpl/en_US" }, &answer);
	ck_assert_str_eq(answer.buf, "ok|2|{\"n\":9}");
	check_fields(record, "s=sent pv=- h={\"n\":9}");
	check_fields(usage, "");
	ck_assert_int_eq(ask_number("HLEN", usage), 1);
	settle(&(struct settle){ .n = 2, .what = "sent", .wamid = "W", .template = "tpl/en_US" }, &answer);
	ck_assert_str_eq(answer.buf, "ok|2|{\"n\":9}");
	write_record(SENDING);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	settle(&(struct settle){ .n = 2, .what = "unknown" }, &answer);	/* its answer was cut */
	ck_assert_str_eq(answer.buf, "lost|2|");
	check_fields(record, "s=sent w=W");
	strbuf_release(&answer);
}
END_TEST

START_TEST(the_newest_post_that_was_proven_is_remembered)
{
	struct strbuf answer = STRBUF_INIT;

	write_record(SENDING);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert_int_eq(ask_number("GET", evidence), 1764000005000);
	write_record("v=1 s=sent n=1 w=W id=m1 te=t ac=acc ps=1764000001000");
	freeReplyObject(ask((const char *[]){ "SET", evidence, "1764000005000" }, 3));
	take(&(struct take){ .status = "sent", .attempt = 1 }, &answer);
	ck_assert_int_eq(ask_number("GET", evidence), 1764000005000);
	/* of an attempt before the one that began then: nothing is known of that one */
	write_record("v=1 s=sending n=3 o=me l=+1000 id=m1 te=t ac=acc ps=1764000009000");
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert_int_eq(ask_number("EXISTS", evidence), 0);
	strbuf_release(&answer);
}
END_TEST

START_TEST(what_became_of_a_template_is_counted_once)
{
	struct strbuf answer = STRBUF_INIT;
	redisReply *r;

	write_record("v=1 s=sent n=2 w=W te=t id=m1 tp=tpl/en_US");
	for (int i = 0; i < 3; i++) {
		take(&(struct take){ .status = "delivered", .attempt = 2 }, &answer);
		take(&(struct take){ .status = "failed", .attempt = 2 }, &answer);
		take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	}
	r = ask((const char *[]){ "HGETALL", usage }, 2);
	strbuf_reset(&answer);
	add_joined(&answer, r);
	freeReplyObject(r);
	ck_assert_str_eq(answer.buf, "tpl/en_US delivered|1|tpl/en_US failed:131049|1");
	strbuf_release(&answer);
}
END_TEST

/* ---- whose it is ---- */

START_TEST(what_is_nobodys_changes_nothing)
{
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;

	forget();
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);	/* our token, but no record any more */
	ck_assert_str_eq(answer.buf, "stranger");
	write_record("v=1 s=sent n=2 w=W te=t id=m1");
	add_everything(&before);
	take(&(struct take){ .status = "sent", .attempt = 2, .tenant = "other" }, &answer);
	ck_assert_str_eq(answer.buf, "stranger");
	take(&(struct take){ .status = "sent", .attempt = 0, .wamid = "X" }, &answer);
	ck_assert_str_eq(answer.buf, "stranger");
	add_everything(&after);
	ck_assert_str_eq(before.buf, after.buf);
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}
END_TEST

START_TEST(two_attempts_that_graph_took_are_told)
{
	struct strbuf answer = STRBUF_INIT;

	write_record("v=1 s=sent n=2 w=W te=t id=m1 ac=acc");
	take(&(struct take){ .status = "sent", .attempt = 1, .wamid = "X" }, &answer);
	ck_assert_str_eq(answer.buf, "news|sent|sent|m1|acc||1");
	check_fields(record, "w=W w2=X dup=1");
	strbuf_release(&answer);
}
END_TEST

START_TEST(one_publishes_and_others_wait_for_it)
{
	struct strbuf answer = STRBUF_INIT;

	write_record(SENDING);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert_str_eq(answer.buf, "news|sent|sending|m1|acc|{\"correlation_id\":\"c\"}|0");
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert(!strncmp(answer.buf, "busy|", 5));
	set_fields(record, "P:sent=-1");		/* it died */
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert(!strncmp(answer.buf, "news|", 5));
	told("sent", 2);
	take(&(struct take){ .status = "sent", .attempt = 2 }, &answer);
	ck_assert_str_eq(answer.buf, "known");
	strbuf_release(&answer);
}
END_TEST

START_TEST(what_nobody_knows_is_parked_until_its_answer_is_settled)
{
	struct strbuf answer = STRBUF_INIT;
	const char *parts[] = { record, wamid_index, evidence, parked, usage, users, body, "parked", "W", "" };

	forget();
	take(&(struct take){ .status = "sent" }, &answer);
	ck_assert_str_eq(answer.buf, "parked");
	ck_assert_int_gt(ask_number("PTTL", parked), 3000000);
	write_record(SENDING);
	freeReplyObject(ask((const char *[]){ "RPUSH", parked, "{\"all\":1}" }, 3));
	settle(&(struct settle){ .n = 2, .what = "sent", .wamid = "W" }, &answer);
	ck_assert_str_eq(answer.buf, "ok|2|{\"n\":9}|parked");
	run_script(SCRIPT_STATUS, parts, 7, (int)ARRAY_LEN(parts), &answer);
	ck_assert_str_eq(answer.buf, "{\"all\":1}");
	take(&(struct take){ .status = "sent" }, &answer);	/* its WAMID says whose it is now */
	ck_assert_str_eq(answer.buf, "news|sent|sent|m1|acc|{\"correlation_id\":\"c\"}|0");
	strbuf_release(&answer);
}
END_TEST

/* ---- admit decides by evidence ---- */

static const struct { const char *name, *proven, *blind; int64_t begun_ago, unknown_max; const char *answer; } decisions[] = {
	{ "no webhook ever: the policy for blind numbers", NULL, "at_most_once", 60000, 900000, "final|2|dead||unknown_outcome|0|0|||" },
	{ "the same, sent again", NULL, "at_least_once", 60000, 900000, "go|3|0|0|calm|" },
	{ "a later one is proven: sent again", "-50000", "at_most_once", 60000, 900000, "go|3|0|0|calm|" },
	{ "one right after it is no evidence: it waits", "-57000", "at_most_once", 60000, 900000, "park|2" },
	{ "nothing later: it waits", "-70000", "at_least_once", 60000, 900000, "park|2" },
	{ "for some time", "-70000", "at_least_once", 60000, 50000, "final|2|dead||unknown_outcome|0|0|||" },
};

START_TEST(an_unknown_outcome_is_decided_by_evidence)
{
	struct strbuf answer = STRBUF_INIT;
	char text[200];

	snprintf(text, sizeof(text), "v=1 s=unknown n=2 te=t id=m1 x=+60000 ps=-%lld", (long long)decisions[_i].begun_ago);
	write_record(text);
	if (decisions[_i].proven)
		freeReplyObject(ask((const char *[]){ "SET", evidence, text_of(wall_ms() + strtoll(decisions[_i].proven, NULL, 10)) }, 3));
	admit(&(struct admit){ .kind = "unknown", .n = 2, .policy = "evidence", .blind = decisions[_i].blind,
			       .unknown_max = decisions[_i].unknown_max }, &answer);
	ck_assert_msg(answer_fits(answer.buf, decisions[_i].answer) || (decisions[_i].answer[0] == 'g' && !strncmp(answer.buf, "go|3|0|0||", 9)), "%s: %s",
		      decisions[_i].name, answer.buf);
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("status");
	TCase *tc = unit_case(s, "status");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(tc, start_redis, stop_redis);
	tcase_set_timeout(tc, getenv("WAMD_LONG") ? 7200 : 600);
	tcase_add_loop_test(tc, whatever_order_they_come_in_the_end_is_one, 0, 120);
	tcase_add_test(tc, random_orders);
	tcase_add_loop_test(tc, the_state_follows_from_all_that_was_told, 0, (int)ARRAY_LEN(states));
	tcase_add_loop_test(tc, a_status_is_proof_whatever_the_record_says, 0, (int)ARRAY_LEN(proofs));
	tcase_add_test(tc, a_settle_that_comes_after_its_proof_still_counts_for_the_account);
	tcase_add_test(tc, the_newest_post_that_was_proven_is_remembered);
	tcase_add_test(tc, what_became_of_a_template_is_counted_once);
	tcase_add_test(tc, what_is_nobodys_changes_nothing);
	tcase_add_test(tc, two_attempts_that_graph_took_are_told);
	tcase_add_test(tc, one_publishes_and_others_wait_for_it);
	tcase_add_test(tc, what_nobody_knows_is_parked_until_its_answer_is_settled);
	tcase_add_loop_test(tc, an_unknown_outcome_is_decided_by_evidence, 0, (int)ARRAY_LEN(decisions));
	return unit_run(s);
}
