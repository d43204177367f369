/* What wamctl message why says: of a record in each state, of marks, and of what holds an account. */
#include "unit.h"

#include "api/why.h"
#include "base/str.h"

enum { NOW = 1000000 };

static const struct { const char *fields[16]; const char *why; } records[] = {
	{ { "s", "sending", "n", "2", "o", "host:7:1", "l", "1005000" }, "attempt 2 is being made by host:7:1; its lease ends in 5000 ms" },
	{ { "s", "sending", "n", "2", "o", "host:7:1", "l", "1000000" }, "attempt 2 was begun by host:7:1, which has not said what came of it and whose "
	  "lease is over; it becomes an unknown outcome when its copy comes back" },
	{ { "s", "unknown", "n", "1" }, "nobody can tell yet whether Graph took attempt 1; it waits out message.unknown_timer, then message.on_unknown decides" },
	{ { "s", "retry", "n", "1", "e", "(#131000) oops" }, "attempt 2 waits in a delay queue; the last answer was: (#131000) oops" },
	{ { "s", "retry", "n", "0", "e", "" }, "attempt 1 waits in a delay queue" },
	{ { "s", "sent", "n", "1", "w", "wamid.x" }, "Graph accepted it; it waits for nothing" },
	{ { "s", "dead", "r", "refused" }, "it is in the dead-letter queue: refused" },
	{ { "s", "expired" }, "it expired before it could be sent and is in the dead-letter queue" },
	{ { "s", "later" }, "its record is in state later" },
	{ { "n", "1" }, "its record is in state " },
};

/* The reply lives in out until the next call. */
static struct store_reply reply_of(const char *const *fields, struct store_value *out)
{
	int n = 0;

	for (; fields[n]; n++)
		out[n] = (struct store_value){ .kind = STORE_TEXT, .s = fields[n], .len = strlen(fields[n]) };
	return (struct store_reply){ .n = n, .v = out };
}

static json_t *answer_with(const struct look *l, const struct why_facts *f)
{
	static const struct tenant t = { .id = (char *)(uintptr_t)"t", .domain = (char *)(uintptr_t)"t" };
	struct why w;

	why_begin(&w, NULL, &t, "m1", l, NOW);
	return why_end(&w, f);
}

/* Where nothing else holds it: one sender, that sends. */
static json_t *answer_of(const struct store_reply *r)
{
	return answer_with(&(struct look){ .word = LOOK_RECORD, .index = "K digest", .record = r },
			   &(struct why_facts){ .now_ms = NOW, .senders = { .n = 1 }, .queued = -1 });
}

START_TEST(each_state_in_words)
{
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		struct store_value v[16];
		struct store_reply r = reply_of(records[i].fields, v);
		json_t *o = answer_of(&r);

		ck_assert_str_eq(json_text(o, "why"), records[i].why);
		json_decref(o);
	}
}
END_TEST

START_TEST(all_that_is_known)
{
	static const char *const fields[] = { "v", "1", "id", "m1", "te", "t", "ac", "a", "s", "dead", "n", "2", "r", "refused", "code", "131026", "e", "text", "t0", "1500",
					      "at", "0", "x", "2500", "h", "{\"n\":1},{\"n\":2}", "o", "secret-free", NULL };
	struct store_value v[40];
	struct store_reply r = reply_of(fields, v);
	json_t *o = answer_of(&r);
	struct strbuf text = STRBUF_INIT;

	json_dump_to(o, JSON_COMPACT, &text);
	ck_assert_str_eq(text.buf, "{\"id\":\"m1\",\"tenant_id\":\"t\",\"account_id\":\"a\",\"state\":\"dead\",\"attempts\":2,\"reason\":\"refused\",\"code\":131026,"
			 "\"error\":\"text\",\"first_seen\":\"1970-01-01T00:00:01.500Z\",\"expires_at\":\"1970-01-01T00:00:02.500Z\","
			 "\"history\":[{\"n\":1},{\"n\":2}],\"why\":\"it is in the dead-letter queue: refused\"}");
	json_decref(o);
	strbuf_release(&text);
}
END_TEST

START_TEST(a_damaged_record_is_still_told)
{
	static const char *const fields[] = { "s", "dead", "n", "many", "h", "{", "code", "x", "at", "now", NULL };
	struct store_value v[16];
	struct store_reply r = reply_of(fields, v);
	json_t *o;

	v[1].kind = STORE_NIL;
	v[1].s = NULL;
	r.n--;						/* a field without its value */
	o = answer_of(&r);
	ck_assert_str_eq(json_text(o, "why"), "its record is in state ");
	ck_assert_int_eq(json_array_size(json_object_get(o, "history")), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "attempts")), 0);
	json_decref(o);
}
END_TEST

/* ---- causes ---- */

/* "word word": the causes in their order, the first of which is the cause. */
static void check_causes(json_t *o, const char *want, const char *words)
{
	struct strbuf have = STRBUF_INIT;
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(o, "causes"), i, c)
		strbuf_addf(&have, "%s%s", i ? " " : "", json_text(c, "cause"));
	ck_assert_str_eq(have.buf, want);
	ck_assert_int_eq(!*want, !json_text(o, "cause"));
	if (*want)
		ck_assert_msg(str_starts(want, json_text(o, "cause")), "cause %s, of %s", json_text(o, "cause"), want);
	ck_assert_msg(strstr(json_text(o, json_text(o, "why") ? "why" : "detail"), words) != NULL, "%s says %s", want,
		      json_text(o, json_text(o, "why") ? "why" : "detail"));
	strbuf_release(&have);
	json_decref(o);
}

/* A record of each kind of wait, beside what its mark says. */
static const struct { const char *state, *mark, *causes, *words; } marked[] = {
	{ "retry", "~ 1 retry_timer 600000 1004000 a -", "retry_timer", "attempt 2 waits in a delay queue and is made in 4s; the last answer was: oops" },
	{ "retry", "~ 1 retry_timer 500000 1004000 a -", "retry_timer", "attempt 2 waits in a delay queue; the last" },	/* of the attempt before */
	{ "retry", "~ 1 retry_timer 600000 1000000 a -", "queue", "no sender has begun with it" },
	{ "retry", "~ 1 pair_limit 600000 1001500 a r:1:who", "pair_limit", "had enough messages of this number for now; it comes back in 2s" },
	{ "retry", "~ 1 hold 600000 1001500 a p:2:tpl", "retry_timer", "what held it is over; it comes back in 2s" },
	{ "retry", "~ 1 lane 600000 0 a low", "lane", "behind those that came before it" },
	{ "retry", "~ 1 limit 600000 0 a high", "limit", "more came than its rate lets through" },
	{ "retry", "~ 1 template 600000 1060000 a -", "template", "nobody can tell what its template is like; it comes back in 1m" },
	{ "retry", "~ garbage", "retry_timer", "attempt 2 waits in a delay queue; the last" },
	{ "dead", "~ 1 lane 600000 0 a low", "lane", "behind those" },		/* replayed */
	{ "dead", "~ 1 lane 500000 0 a low", "", "it is in the dead-letter queue" },
	{ "sending", "~ 1 lane 600000 0 a low", "sending", "attempt 1 is being made by host" },
	{ "unknown", "~ 1 lane 600000 0 a low", "unknown_outcome", "nobody can tell yet" },
};

START_TEST(a_mark_in_a_record_counts_while_it_is_newer)
{
	const char *const fields[] = { "s", marked[_i].state, "n", "1", "o", "host", "l", "1005000", "at", "550000", "e", "oops", "wt", marked[_i].mark, NULL };
	struct store_value v[16];
	struct store_reply r = reply_of(fields, v);

	check_causes(answer_of(&r), marked[_i].causes, marked[_i].words);
}
END_TEST

static const struct { enum look_word word; const char *index, *causes, *words; struct why_facts f; } facts[] = {
	{ LOOK_QUEUED, "+ 5", "queue", "it is on the queue; no sender has begun with it", { .senders = { .n = 1 }, .queued = -1 } },
	{ LOOK_QUEUED, "~ 5 lane 9 0 a low", "lane", "behind those", { .senders = { .n = 1 }, .queued = -1 } },
	{ LOOK_QUEUED, "~ 5 lane 9 0 a low", "no_sender lane", "no sender takes messages on this machine; it waits", { .queued = -1 } },
	{ LOOK_QUEUED, "~ 5 lane 9 0 a low", "broker_blocked lane", "takes no publishes", { .senders = { .n = 2, .blocked = 1 }, .queued = -1 } },
	{ LOOK_QUEUED, "~ 5 limit 9 0 a low", "broker_away limit", "no connection", { .senders = { .n = 2, .no_broker = 2 }, .queued = -1 } },
	{ LOOK_QUEUED, "~ 5 limit 9 0 a low", "limit", "more came", { .senders = { .n = 2, .no_broker = 1, .no_redis = 1 }, .queued = -1 } },
	{ LOOK_QUEUED, "~ 5 lane 9 0 a low", "host_breaker lane", "one message tries in 3s", { .senders = { .n = 1 }, .host = { .is_open = true, .left_ms = 3000 }, .queued = -1 } },
	{ LOOK_QUEUED, "~ 5 pair_limit 9 1005000 a -", "pair_limit redis_away", "in 5s; Redis", { .senders = { .n = 1, .no_redis = 1 }, .queued = -1 } },
	{ LOOK_CANCELLED, "- 5", "", "it was taken back", { .senders = { .n = 0 }, .queued = -1 } },
	{ LOOK_NONE, "", "", "no record: it was not taken", { .senders = { .n = 1 }, .queued = 0 } },
	{ LOOK_NONE, "", "queue", "; what would hold it now: 7 messages waited in the input queue", { .senders = { .n = 1 }, .queued = 7 } },
	{ LOOK_NONE, "", "broker_blocked", "; what would hold it now: the broker takes no", { .senders = { .n = 1, .blocked = 1 }, .queued = 0 } },
	{ LOOK_AWAY, "", "redis_away", "(1 of 2 senders", { .senders = { .n = 2, .no_redis = 1 }, .queued = -1 } },
	{ LOOK_AWAY, "", "redis_away broker_blocked", "the broker takes no", { .senders = { .n = 2, .blocked = 1 }, .queued = -1 } },
};

START_TEST(what_holds_everything_is_told_before_its_place)
{
	struct why_facts f = facts[_i].f;

	f.now_ms = NOW;
	check_causes(answer_with(&(struct look){ .word = facts[_i].word, .index = facts[_i].index }, &f), facts[_i].causes, facts[_i].words);
}
END_TEST

/* One account with a hold, a breaker and a lane of 120, high ones left out. */
static const struct { const char *index, *hold_field, *hold, *breaker, *causes, *words; bool off; } gates[] = {
	{ "~ 5 lane 9 0 a low", "a:t:a", "operator 0 7 0 0 - 0 asked", "closed", "pause lane", "account a is on hold by an operator, until it is released: asked", false },
	{ "~ 5 lane 9 0 a low", "n:1", "auto 1005000 7 0 0 - 131 (#131) x", "closed", "hold lane", "number 1 is on hold after an answer of Graph's, one message tries in 5s", false },
	{ "~ 5 lane 9 0 a low", "n:1", "auto 1000000 7 0 0 - 131 (#131) x", "closed", "lane", "at most 120 are before it, for which its rate needs 24s", false },
	{ "~ 5 lane 9 0 a high", "", "", "closed", "lane", "at most 20 are before it", false },
	{ "~ 5 limit 9 0 a low", "", "", "open", "breaker limit", "the breaker of account a is open", false },
	{ "~ 5 limit 9 0 a low", "", "", "due", "limit", "more came than its rate lets through: it may", false },
	{ "~ 5 lane 9 0 a low", "", "", "closed", "switched_off lane", "its account is disabled", true },
	{ "~ 5 hold 9 1005000 a q:t:low", "q:t:low", "operator 0 7 0 0 - 0 night", "closed", "pause", "all of low priority of tenant t is on hold by an operator", false },
	{ "~ 5 pair_limit 9 1005000 a r:1:W", "r:1:W", "operator 0 7 0 0 - 0 asked", "closed", "pause", "its recipient is on hold by an operator", false },
	{ "~ 5 pair_limit 9 1005000 a r:1:W", "", "", "closed", "pair_limit", "its recipient has had enough", false },
};

START_TEST(what_holds_its_account_is_told_before_its_place)
{
	struct tenant t = { .id = (char *)(uintptr_t)"t", .domain = (char *)(uintptr_t)"t" };
	struct account a = { .tenant = &t, .id = (char *)(uintptr_t)"a", .phone_number_id = (char *)(uintptr_t)"1", .waba_id = (char *)(uintptr_t)"2",
			     .enabled = !gates[_i].off };
	struct why_facts f = { .now_ms = NOW, .senders = { .n = 1 }, .queued = -1, .n_accounts = 1 };

	f.accounts = calloc(1, sizeof(*f.accounts));
	f.accounts[0] = (struct why_account){ .account = &a, .waiting = 100, .waiting_high = 20, .rate_now = 5 };
	f.accounts[0].holds = calloc(1, sizeof(struct gate_hold));
	if (*gates[_i].hold_field) {
		ck_assert_int_eq(gate_hold_read(gates[_i].hold_field, gates[_i].hold, f.accounts[0].holds), 0);
		f.accounts[0].n_holds = 1;
	}
	f.accounts[0].breaker = json_pack("{s:s, s:s}", "state", gates[_i].breaker, "why", "nothing goes");
	f.accounts[0].limit = json_pack("{s:s}", "why", "it may send 5 a second");
	check_causes(answer_with(&(struct look){ .word = LOOK_QUEUED, .index = gates[_i].index }, &f), gates[_i].causes, gates[_i].words);
	why_facts_release(&f);
}
END_TEST

/* Whose message it would be is not known: each account is named, what is of their tenant once. */
START_TEST(what_would_hold_a_message_that_nobody_knows)
{
	struct tenant t = { .id = (char *)(uintptr_t)"t", .domain = (char *)(uintptr_t)"t", .rate = 3 };
	struct account a = { .tenant = &t, .id = (char *)(uintptr_t)"a", .phone_number_id = (char *)(uintptr_t)"1", .waba_id = (char *)(uintptr_t)"2", .enabled = true };
	struct account b = { .tenant = &t, .id = (char *)(uintptr_t)"b", .phone_number_id = (char *)(uintptr_t)"3", .waba_id = (char *)(uintptr_t)"2", .enabled = true };
	struct why_facts f = { .now_ms = NOW, .senders = { .n = 1 }, .queued = -1, .n_accounts = 2 };

	f.accounts = calloc(2, sizeof(*f.accounts));
	for (int i = 0; i < 2; i++) {
		f.accounts[i] = (struct why_account){ .account = i ? &b : &a, .waiting = -1 };
		f.accounts[i].holds = calloc(2, sizeof(struct gate_hold));
		f.accounts[i].n_holds = 2;
		ck_assert_int_eq(gate_hold_read("q:t:low", "operator 0 7 0 0 - 0 night", &f.accounts[i].holds[0]), 0);
		ck_assert_int_eq(gate_hold_read(i ? "a:t:b" : "a:t:a", "operator 0 7 0 0 - 0 asked", &f.accounts[i].holds[1]), 0);
	}
	f.accounts[1].lane = json_pack("{s:s, s:s}", "state", "open", "why", "its messages wait here");
	check_causes(answer_with(&(struct look){ .word = LOOK_NONE, .index = "" }, &f), "pause pause pause lane",
		     "; what would hold it now: all of low priority of tenant t is on hold by an operator, until it is released: night; account a: account a is on "
		     "hold by an operator, until it is released: asked; account b: account b is on hold by an operator, until it is released: asked; account b: "
		     "its messages wait here");
	why_facts_release(&f);
}
END_TEST

START_TEST(a_tenants_own_rate_counts)
{
	struct tenant t = { .id = (char *)(uintptr_t)"t", .domain = (char *)(uintptr_t)"t", .rate = 3 };
	struct account a = { .tenant = &t, .id = (char *)(uintptr_t)"a", .phone_number_id = (char *)(uintptr_t)"1", .waba_id = (char *)(uintptr_t)"2", .enabled = true };
	struct why_facts f = { .now_ms = NOW, .senders = { .n = 1 }, .queued = -1, .n_accounts = 1 };

	f.accounts = calloc(1, sizeof(*f.accounts));
	f.accounts[0] = (struct why_account){ .account = &a, .waiting = 30, .rate_now = 5 };
	f.accounts[0].limit = json_pack("{s:s}", "why", "it may send 5 a second");
	check_causes(answer_with(&(struct look){ .word = LOOK_QUEUED, .index = "~ 5 limit 9 0 a low" }, &f), "limit",
		     "it may send 5 a second, all of its tenant 3; at most 30 are before it, for which its rate needs 10s");
	why_facts_release(&f);
}
END_TEST

START_TEST(the_holds_that_concern_a_message)
{
	static const struct { const char *index, *fields; } rows[] = {
		{ "+ 5", "t:t a:t:a n:1 w:2 q:t:low q:t:normal q:t:high" }, { "~ 5 lane 9 0 a high", "t:t a:t:a n:1 w:2 q:t:high" },
		{ "~ 5 hold 9 9000000 a p:2:x/de", "t:t a:t:a n:1 w:2 p:2:x/de" }, { "~ 5 template 9 9000000 a -", "t:t a:t:a n:1 w:2" },
	};
	struct tenant t = { .id = (char *)(uintptr_t)"t", .domain = (char *)(uintptr_t)"t" };
	struct account a = { .tenant = &t, .id = (char *)(uintptr_t)"a", .phone_number_id = (char *)(uintptr_t)"1", .waba_id = (char *)(uintptr_t)"2" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf have = STRBUF_INIT;
		struct why_fields out;
		struct why w;

		why_begin(&w, NULL, &t, "m1", &(struct look){ .word = LOOK_QUEUED, .index = rows[i].index }, NOW);
		for (int k = 0, n = why_fields(&w, &a, &out); k < n; k++)
			strbuf_addf(&have, "%s%s", k ? " " : "", out.of[k]);
		ck_assert_str_eq(have.buf, rows[i].fields);
		json_decref(why_end(&w, &(struct why_facts){ .queued = -1 }));
		strbuf_release(&have);
	}
}
END_TEST

START_TEST(a_mark_is_read_as_it_is_written)
{
	static const char *const bad[] = { "", "+ 5", "K digest", "~ ", "~ 5 lane 9 0", "~ x lane 9 0 a low", "~ 5 nothing 9 0 a low", "~ 5 lane 9 soon a low" };
	struct mark m;

	ck_assert_int_eq(mark_read("~ 5 hold 9 10 a p:2:tpl/de", &m), 0);
	ck_assert_int_eq(m.cause, WAIT_HOLD);
	ck_assert_int_eq(m.first_ms, 5);
	ck_assert_int_eq(m.at_ms, 9);
	ck_assert_int_eq(m.until_ms, 10);
	ck_assert_str_eq(m.account, "a");
	ck_assert_str_eq(m.detail, "p:2:tpl/de");
	ck_assert_int_eq(mark_read("~ 5 file 9 10 a -", &m), 0);
	ck_assert_str_eq(m.detail, "");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(mark_read(bad[i], &m) < 0, "%s", bad[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("why");
	TCase *c = unit_case(s, "why");

	tcase_add_test(c, each_state_in_words);
	tcase_add_test(c, all_that_is_known);
	tcase_add_test(c, a_damaged_record_is_still_told);
	tcase_add_loop_test(c, a_mark_in_a_record_counts_while_it_is_newer, 0, ARRAY_LEN(marked));
	tcase_add_loop_test(c, what_holds_everything_is_told_before_its_place, 0, ARRAY_LEN(facts));
	tcase_add_loop_test(c, what_holds_its_account_is_told_before_its_place, 0, ARRAY_LEN(gates));
	tcase_add_test(c, what_would_hold_a_message_that_nobody_knows);
	tcase_add_test(c, a_tenants_own_rate_counts);
	tcase_add_test(c, the_holds_that_concern_a_message);
	tcase_add_test(c, a_mark_is_read_as_it_is_written);
	return unit_run(s);
}
