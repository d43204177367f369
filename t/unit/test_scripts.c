/* admit: every state, every kind of copy, every policy; nothing is written unless it says so; all keys in one slot. */
#include "test_scripts.h"

#include "flow/keys.h"

/* after: the fields it must have; NULL: nothing at all was written.  charged: the limit was paid. */
struct row { const char *before; struct admit a; const char *answer, *after; bool charged; };

static void check_written(const struct row *row)
{
	struct strbuf at = STRBUF_INIT;
	redisReply *r;

	check_fields(record, row->after);
	check_fields(record, "v=1 id=m1 te=t ac=acc dg=digest t0=1764000000000");
	r = ask((const char *[]){ "HMGET", record, "at", "x" }, 4);
	ck_assert(llabs(wall_ms() - strtoll(r->element[0]->str, NULL, 10)) < 60000);
	check_ttl(strtoll(r->element[1]->str, NULL, 10) - wall_ms());
	freeReplyObject(r);
	r = ask((const char *[]){ "GET", id_index }, 2);
	ck_assert_str_eq(r->str, "K digest");
	freeReplyObject(r);
	ck_assert(llabs(ask_number("PTTL", id_index) - ask_number("PTTL", record)) < 5000);
	ck_assert_int_eq(number_tat() != 0, row->charged);
	strbuf_release(&at);
}

static void check_row(const struct row *row)
{
	struct strbuf answer = STRBUF_INIT, before = STRBUF_INIT, after = STRBUF_INIT;

	add_everything(&before);
	admit(&row->a, &answer);
	ck_assert_msg(answer_fits(answer.buf, row->answer), "record \"%s\", copy %s %d%s: answers %s, not %s", row->before, row->a.kind, row->a.n,
		      row->a.redelivered ? " redelivered" : "", answer.buf, row->answer);
	add_everything(&after);
	if (row->after)
		check_written(row);
	else
		ck_assert_msg(!strcmp(before.buf, after.buf), "record \"%s\", copy %s: wrote %s, was %s", row->before, row->a.kind, after.buf, before.buf);
	strbuf_release(&answer);
	strbuf_release(&before);
	strbuf_release(&after);
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		write_record(rows[i].before);
		check_row(&rows[i]);
	}
}

#define FIRST "s=sending n=1 o=me"

static const struct row without_record[] = {
	{ "", { .kind = "none" }, "go|1|0|0||", FIRST, true }, { "", { .kind = "none", .redelivered = true }, "go|1|0|0||", FIRST, true },
	{ "", { .kind = "lane" }, "go|1|0|0||", FIRST, true }, { "", { .kind = "lane", .redelivered = true }, "go|1|0|0||", FIRST, true },
	/* made only when there is a record: Redis lost it.  Only what cannot have been sent goes. */
	{ "", { .kind = "retry", .n = 2 }, "go|2|0|0||", "s=sending n=2 o=me", true },
	{ "", { .kind = "retry", .n = 2, .redelivered = true }, "park|2", "s=unknown n=2", false },
	{ "", { .kind = "busy", .n = 1 }, "park|1", "s=unknown n=1", false }, { "", { .kind = "busy", .n = 1, .redelivered = true }, "park|1", "s=unknown n=1", false },
	{ "", { .kind = "unknown", .n = 1 }, "go|2|0|0||", "s=sending n=2", true },
	{ "", { .kind = "unknown", .n = 1, .policy = "at_most_once" }, "final|1|dead||unknown_outcome|0|0|||", "s=dead n=1 r=unknown_outcome", false },
	{ "", { .kind = "unknown", .n = 6 }, "final|6|dead||unknown_outcome|0|0|||", "s=dead n=6 r=unknown_outcome", false },
	{ "", { .kind = "retry", .n = 7 }, "final|6|dead||retries_used|0|0|||", "s=dead n=6 r=retries_used", false },
	/* too late */
	{ "", { .kind = "none", .expires_in = -1000 }, "final|0|expired||expired|0|0|||", "s=expired n=0 r=expired", false },
	{ "", { .kind = "retry", .n = 2, .expires_in = -1000 }, "final|1|expired||expired|0|0|||", "s=expired n=1", false },
	{ "", { .kind = "unknown", .n = 1, .expires_in = -1000 }, "final|1|dead||unknown_outcome|0|0|||", "s=dead n=1", false },
};

#define OTHERS "v=1 s=sending n=2 o=other l=+20000 x=+60000 h={} id=m1"
#define OVER "v=1 s=sending n=2 o=other l=-1 x=+60000"
#define MINE "v=1 s=sending n=2 o=me l=-1000 x=+60000 id=m1 te=t ac=acc dg=digest t0=1764000000000 at=5"

static const struct row while_sending[] = {
	{ OTHERS, { .kind = "none" }, "busy|2|#", NULL, false }, { OTHERS, { .kind = "none", .redelivered = true }, "busy|2|#", NULL, false },
	{ OTHERS, { .kind = "lane" }, "busy|2|#", NULL, false }, { OTHERS, { .kind = "retry", .n = 2 }, "busy|2|#", NULL, false },
	{ OTHERS, { .kind = "retry", .n = 3 }, "busy|2|#", NULL, false }, { OTHERS, { .kind = "busy", .n = 2 }, "busy|2|#", NULL, false },
	{ OTHERS, { .kind = "unknown", .n = 2 }, "busy|2|#", NULL, false }, { OTHERS, { .kind = "none", .expires_in = -1000 }, "busy|2|#", NULL, false },
	/* its owner is silent: nobody knows what came of it, whoever asks */
	{ OVER, { .kind = "none" }, "park|2", "s=unknown n=2", false }, { OVER, { .kind = "none", .redelivered = true }, "park|2", "s=unknown n=2", false },
	{ OVER, { .kind = "lane" }, "park|2", "s=unknown n=2", false }, { OVER, { .kind = "retry", .n = 2 }, "park|2", "s=unknown n=2", false },
	{ OVER, { .kind = "retry", .n = 3 }, "park|2", "s=unknown n=2", false }, { OVER, { .kind = "busy", .n = 2 }, "park|2", "s=unknown n=2", false },
	{ OVER, { .kind = "unknown", .n = 2 }, "park|2", "s=unknown n=2", false },
	{ OVER, { .kind = "unknown", .n = 2, .policy = "at_most_once", .expires_in = -1000 }, "park|2", "s=unknown n=2 o=other", false },
	{ "v=1 s=sending n=2 o=other", { .kind = "none" }, "park|2", "s=unknown n=2", false },	/* no lease at all */
};

#define UNKNOWN "v=1 s=unknown n=2 o=other x=+60000 h={} code=0 e=cut"
#define UNKNOWN_END "final|2|dead||unknown_outcome|0|0|{}|cut|"

static const struct row after_an_unknown_outcome[] = {
	/* a timer of another attempt, or none, says nothing */
	{ UNKNOWN, { .kind = "none" }, "park|2", NULL, false }, { UNKNOWN, { .kind = "none", .redelivered = true }, "park|2", NULL, false },
	{ UNKNOWN, { .kind = "lane" }, "park|2", NULL, false }, { UNKNOWN, { .kind = "retry", .n = 2 }, "park|2", NULL, false },
	{ UNKNOWN, { .kind = "retry", .n = 3 }, "park|2", NULL, false }, { UNKNOWN, { .kind = "busy", .n = 2 }, "park|2", NULL, false },
	{ UNKNOWN, { .kind = "unknown", .n = 1 }, "park|2", NULL, false }, { UNKNOWN, { .kind = "unknown", .n = 3 }, "park|2", NULL, false },
	{ UNKNOWN, { .kind = "none", .expires_in = -1000 }, "park|2", NULL, false },
	/* its own timer is over: policy decides */
	{ UNKNOWN, { .kind = "unknown", .n = 2 }, "go|3|0|0||", "s=sending n=3 o=me h={}", true },
	{ UNKNOWN, { .kind = "unknown", .n = 2, .redelivered = true }, "go|3|0|0||", "s=sending n=3", true },
	{ UNKNOWN, { .kind = "unknown", .n = 2, .policy = "at_most_once" }, UNKNOWN_END, "s=dead n=2 r=unknown_outcome", false },
	{ UNKNOWN, { .kind = "unknown", .n = 2, .allowed = 2 }, UNKNOWN_END, "s=dead n=2 r=unknown_outcome", false },
	{ UNKNOWN, { .kind = "unknown", .n = 2, .allowed = 3 }, "go|3|0|0||", "s=sending n=3", true },
	{ UNKNOWN, { .kind = "unknown", .n = 2, .expires_in = -1000 }, UNKNOWN_END, "s=dead n=2 r=unknown_outcome", false },
};

#define RETRY "v=1 s=retry n=1 o=other x=+60000 h={} code=131000 e=oops"

static const struct row after_a_failure[] = {
	{ RETRY, { .kind = "none" }, "successor|1", NULL, false }, { RETRY, { .kind = "none", .redelivered = true }, "successor|1", NULL, false },
	{ RETRY, { .kind = "lane" }, "successor|1", NULL, false }, { RETRY, { .kind = "busy", .n = 1 }, "successor|1", NULL, false },
	{ RETRY, { .kind = "unknown", .n = 1 }, "successor|1", NULL, false }, { RETRY, { .kind = "unknown", .n = 2 }, "successor|1", NULL, false },
	{ RETRY, { .kind = "retry", .n = 1 }, "successor|1", NULL, false }, { RETRY, { .kind = "none", .expires_in = -1000 }, "successor|1", NULL, false },
	{ RETRY, { .kind = "retry", .n = 2 }, "go|2|0|0||", "s=sending n=2 o=me h={}", true },
	{ RETRY, { .kind = "retry", .n = 2, .redelivered = true }, "go|2|0|0||", "s=sending n=2", true },
	{ RETRY, { .kind = "retry", .n = 3 }, "go|3|0|0||", "s=sending n=3", true },			/* the record is older than its copy */
	{ RETRY, { .kind = "retry", .n = 2, .policy = "at_most_once" }, "go|2|0|0||", "s=sending n=2", true },
	{ RETRY, { .kind = "retry", .n = 2, .allowed = 2 }, "go|2|0|0||", "s=sending n=2", true },
	{ RETRY, { .kind = "retry", .n = 2, .allowed = 1 }, "final|1|dead||retries_used|131000|0|{}|oops|", "s=dead n=1 r=retries_used", false },
	{ RETRY, { .kind = "retry", .n = 2, .expires_in = -1000 }, "final|1|expired||expired|131000|0|{}|oops|", "s=expired n=1 r=expired", false },
	{ "v=1 s=retry n=1 x=-1000", { .kind = "retry", .n = 2 }, "final|1|expired||expired|0|0|||", "s=expired", false },	/* its own expiry holds */
	{ "v=1 s=retry n=0 o=other x=+60000", { .kind = "retry", .n = 1 }, "go|1|0|0||", FIRST, true },				/* given back */
	{ "v=1 s=retry n=0 o=other x=+60000", { .kind = "none", .redelivered = true }, "successor|0", NULL, false },
};

#define SENT "v=1 s=sent n=2 w=W h={}"
#define DEAD "v=1 s=dead n=1 r=refused code=131026 e=no c=1 h={}"
#define EXPIRED "v=1 s=expired n=0 r=expired"

static const struct row when_final[] = {
	{ SENT, { .kind = "none" }, "final|2|sent|W||0|0|{}||", NULL, false }, { SENT, { .kind = "lane" }, "final|2|sent|W||0|0|{}||", NULL, false },
	{ SENT, { .kind = "retry", .n = 3 }, "final|2|sent|W||0|0|{}||", NULL, false }, { SENT, { .kind = "busy", .n = 2 }, "final|2|sent|W||0|0|{}||", NULL, false },
	{ SENT, { .kind = "unknown", .n = 2 }, "final|2|sent|W||0|0|{}||", NULL, false },
	{ SENT, { .kind = "none", .redelivered = true, .expires_in = -1000 }, "final|2|sent|W||0|0|{}||", NULL, false },
	{ DEAD, { .kind = "none" }, "final|1|dead||refused|131026|1|{}|no|", NULL, false },
	{ DEAD, { .kind = "retry", .n = 2 }, "final|1|dead||refused|131026|1|{}|no|", NULL, false },
	{ DEAD, { .kind = "unknown", .n = 1 }, "final|1|dead||refused|131026|1|{}|no|", NULL, false },
	{ EXPIRED, { .kind = "lane" }, "final|0|expired||expired|0|0|||", NULL, false },
	{ EXPIRED, { .kind = "retry", .n = 1 }, "final|0|expired||expired|0|0|||", NULL, false },
	/* versions: ours and the one before are read, a later one is left alone */
	{ "v=0 s=sent n=2 w=W h={}", { .kind = "none" }, "final|2|sent|W||0|0|{}||", NULL, false },
	{ "v=2 s=sending n=2 o=other l=-1", { .kind = "none" }, "newer|2", NULL, false }, { "v=2 s=unknown n=2", { .kind = "unknown", .n = 2 }, "newer|2", NULL, false },
	{ "s=retry n=1", { .kind = "retry", .n = 2 }, "newer|1", NULL, false },
};

#define REPLAY .kind = "none", .replay = "1764000000001"
#define DOUBT "v=1 s=dead n=2 r=unknown_outcome c=1 h={}"
#define SECOND "v=1 n=2 b=1 rp=1764000000001 x=+60000"

static const struct row when_replayed[] = {
	/* opened once by each letter, with all attempts, counted on */
	{ DEAD, { REPLAY }, "go|2|1|0||", "s=sending n=2 o=me b=1 rp=1764000000001 c=0 h={}", true },
	{ DEAD, { REPLAY, .redelivered = true }, "go|2|1|0||", "s=sending n=2 b=1", true },
	{ DEAD, { .kind = "lane", .replay = "1764000000001" }, "go|2|1|0||", "s=sending n=2 b=1", true },	/* it waited before it came so far */
	{ DEAD, { REPLAY, .allowed = 1 }, "go|2|1|0||", "s=sending n=2 b=1", true },
	{ DEAD " rp=1764000000000 b=0", { REPLAY }, "go|2|1|0||", "s=sending rp=1764000000001 b=1", true },
	{ DEAD " rp=1764000000002 b=0", { REPLAY }, "go|2|1|0||", "s=sending rp=1764000000001 b=1", true },	/* letters come from several clocks */
	{ DEAD " rp=1764000000001 b=0", { REPLAY }, "final|1|dead||refused|131026|1|{}|no|", NULL, false },
	{ EXPIRED " x=-5000", { REPLAY }, "go|1|0|0||", "s=sending n=1 b=0 rp=1764000000001", true },	/* a new life has a new end */
	{ EXPIRED " x=+60000", { REPLAY, .expires_in = -1000 }, "final|0|expired||expired|0|0|||", "s=expired r=expired rp=1764000000001 c=0", false },
	/* an unknown outcome wants leave */
	{ DOUBT, { REPLAY }, "final|2|dead||unknown_outcome|0|1|{}||", NULL, false },
	{ DOUBT, { REPLAY, .may_duplicate = "1" }, "go|3|2|0||", "s=sending n=3 b=2", true },
	/* only the dead are opened */
	{ SENT, { REPLAY, .may_duplicate = "1" }, "final|2|sent|W||0|0|{}||", NULL, false },
	{ OTHERS, { REPLAY }, "busy|2|#", NULL, false }, { UNKNOWN, { REPLAY }, "park|2", NULL, false },
	{ RETRY, { REPLAY }, "successor|1", NULL, false },
	{ "v=2 s=dead n=1 r=refused", { REPLAY }, "newer|1", NULL, false },
	/* the attempt must fit the token's byte */
	{ "v=1 s=dead n=9 r=refused", { REPLAY, .allowed = 246 }, "go|10|9|0||", "s=sending n=10", true },
	{ "v=1 s=dead n=9 r=refused", { REPLAY, .allowed = 247 }, "final|9|dead||refused|0|0|||", NULL, false },
	/* the record has ended since */
	{ "", { REPLAY, .used = "6" }, "go|7|6|0||", "s=sending n=7 b=6 rp=1764000000001", true },
	{ "", { REPLAY, .used = "255", .allowed = 246 }, "go|10|9|0||", "s=sending n=10 b=9", true },
	{ "", { .kind = "retry", .n = 8, .replay = "1764000000001", .used = "6" }, "go|8|6|0||", "s=sending n=8 b=6", true },
	/* in its second life: limits count from its start */
	{ SECOND " s=retry", { .kind = "retry", .n = 3, .allowed = 2 }, "go|3|1|0||", "s=sending n=3 b=1", true },
	{ SECOND " s=retry", { .kind = "retry", .n = 3, .allowed = 1 }, "final|2|dead||retries_used|0|0|||", "s=dead n=2 b=1", false },
	{ SECOND " s=unknown", { .kind = "unknown", .n = 2, .allowed = 2 }, "go|3|1|0||", "s=sending n=3", true },
	{ SECOND " s=unknown", { .kind = "unknown", .n = 2, .allowed = 1 }, "final|2|dead||unknown_outcome|0|0|||", "s=dead", false },
	{ SECOND " s=dead r=refused", { .kind = "retry", .n = 2, .replay = "1764000000001" }, "final|2|dead||refused|0|0|||", NULL, false },
};

START_TEST(no_record) { check_rows(without_record, ARRAY_LEN(without_record)); } END_TEST
START_TEST(sending) { check_rows(while_sending, ARRAY_LEN(while_sending)); } END_TEST
START_TEST(unknown) { check_rows(after_an_unknown_outcome, ARRAY_LEN(after_an_unknown_outcome)); } END_TEST
START_TEST(retry) { check_rows(after_a_failure, ARRAY_LEN(after_a_failure)); } END_TEST
START_TEST(replayed) { check_rows(when_replayed, ARRAY_LEN(when_replayed)); } END_TEST
START_TEST(final) { check_rows(when_final, ARRAY_LEN(when_final)); } END_TEST

/* Whatever would go must wait when the limit says so, and leaves no trace. */
START_TEST(a_wait_writes_nothing)
{
	static const struct row *const tables[] = { without_record, after_an_unknown_outcome, after_a_failure, when_replayed };
	static const size_t lengths[] = { ARRAY_LEN(without_record), ARRAY_LEN(after_an_unknown_outcome), ARRAY_LEN(after_a_failure),
					ARRAY_LEN(when_replayed) };
	int waited = 0;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < lengths[t]; i++) {
			struct row row = tables[t][i];

			if (!row.charged)
				continue;
			write_record(row.before);
			set_number_tat(redis_us() + 1500000);
			row.answer = "wait|*|#";
			row.after = NULL;
			check_row(&row);
			waited++;
		}
	ck_assert_int_gt(waited, 12);
}
END_TEST

/* Our answer got lost: the same delivery asks again, has sent nothing and has paid. */
START_TEST(the_owner_may_ask_again)
{
	static const char *const befores[] = { MINE, "v=1 s=sending n=2 o=me l=+20000 x=+60000" };
	static const struct admit again = { .kind = "retry", .n = 2, .redelivered = true };
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(befores); i++) {
		write_record(befores[i]);
		admit(&again, &answer);
		ck_assert_str_eq(answer.buf, "go|2|0|0||");
		check_fields(record, "s=sending n=2 o=me");
		ck_assert_int_eq(number_tat(), 0);
		admit(&(struct admit){ .owner = "other", .kind = "none" }, &answer);
		ck_assert_msg(answer_fits(answer.buf, "busy|2|#"), "%s", answer.buf);	/* its lease runs again */
	}
	strbuf_release(&answer);
}
END_TEST

/* A final state that admit decides itself is told to the next delivery in the same words. */
START_TEST(a_decision_is_repeated)
{
	static const struct row *const tables[] = { without_record, after_an_unknown_outcome, after_a_failure, when_replayed };
	static const size_t lengths[] = { ARRAY_LEN(without_record), ARRAY_LEN(after_an_unknown_outcome), ARRAY_LEN(after_a_failure),
					ARRAY_LEN(when_replayed) };
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	int finals = 0;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < lengths[t]; i++) {
			if (!str_starts(tables[t][i].answer, "final"))
				continue;
			write_record(tables[t][i].before);
			admit(&tables[t][i].a, &first);
			admit(&tables[t][i].a, &second);
			ck_assert_str_eq(first.buf, second.buf);
			finals++;
		}
	ck_assert_int_gt(finals, 8);
	strbuf_release(&first);
	strbuf_release(&second);
}
END_TEST

START_TEST(the_lease_is_as_long_as_asked)
{
	struct strbuf answer = STRBUF_INIT;
	redisReply *r;
	int64_t left;

	write_record("");
	admit(&(struct admit){ .kind = "none" }, &answer);
	r = ask((const char *[]){ "HGET", record, "l" }, 3);
	left = strtoll(r->str, NULL, 10) - redis_us() / 1000;
	ck_assert_msg(left <= LEASE && left > LEASE - 20000, "%lld", (long long)left);
	freeReplyObject(r);
	strbuf_release(&answer);
}
END_TEST

/* ---- keys ---- */

static void add_tag(const char *key, struct strbuf *out)
{
	const char *open = strchr(key, '{'), *close = open ? strchr(open, '}') : NULL;

	ck_assert_msg(close && close > open + 1, "%s", key);
	strbuf_reset(out);
	strbuf_add(out, open + 1, (size_t)(close - open - 1));
}

START_TEST(all_keys_of_one_call_share_a_hash_tag)
{
	static const char *const ids[] = { "m1", "{other}", "}{", "a:b", "" };
	struct conf *c = conf_defaults();
	struct tenant t = { .id = (char[]){ "t" }, .domain = (char[]){ "group" } };
	struct account a = { .tenant = &t, .id = (char[]){ "acc" }, .phone_number_id = (char[]){ "1" } };
	uint8_t k[KEY_LEN] = { 0xab };
	char key[8][KEY_TEXT_MAX];
	struct strbuf tag = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		key_record(c, &t, k, key[0]);
		key_index(c, &t, ids[i], key[1]);
		key_recipient_hold(c, &a, "who", key[2]);
		key_wamid(c, &t, ids[i], key[3]);
		key_account(c, &a, key[4]);
		key_holds(c, &t, key[5]);
		key_pair_limit(c, &a, "who", key[6]);
		key_tenant_limit(c, &t, key[7]);
		for (int n = 0; n < 8; n++) {
			add_tag(key[n], &tag);
			ck_assert_str_eq(tag.buf, "group");
			for (int o = 0; o < n; o++)
				ck_assert_str_ne(key[n], key[o]);
		}
	}
	ck_assert_str_eq(key[0], "wamd:m:{group}:ab000000000000000000000000000000");
	strbuf_release(&tag);
	conf_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scripts");
	TCase *pure = unit_case(s, "keys"), *real = unit_case(s, "admit");

	tcase_add_test(pure, all_keys_of_one_call_share_a_hash_tag);
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	if (getenv("REDIS_URL")) {
		tcase_add_test(real, no_record);
		tcase_add_test(real, sending);
		tcase_add_test(real, unknown);
		tcase_add_test(real, retry);
		tcase_add_test(real, final);
		tcase_add_test(real, replayed);
		tcase_add_test(real, a_wait_writes_nothing);
		tcase_add_test(real, the_owner_may_ask_again);
		tcase_add_test(real, a_decision_is_repeated);
		tcase_add_test(real, the_lease_is_as_long_as_asked);
	} else {
		printf("# tests with a real Redis are skipped: REDIS_URL is not set\n");
	}
	return unit_run(s);
}
