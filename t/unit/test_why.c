/* What wamctl message why says of a record in each state. */
#include "unit.h"

#include "api/why.h"

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

START_TEST(each_state_in_words)
{
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		struct store_value v[16];
		struct store_reply r = reply_of(records[i].fields, v);
		json_t *o = why_of_record(&r, NOW);

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
	json_t *o = why_of_record(&r, NOW);
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
	o = why_of_record(&r, NOW);
	ck_assert_str_eq(json_text(o, "why"), "its record is in state ");
	ck_assert_int_eq(json_array_size(json_object_get(o, "history")), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "attempts")), 0);
	json_decref(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("why");
	TCase *c = unit_case(s, "why");

	tcase_add_test(c, each_state_in_words);
	tcase_add_test(c, all_that_is_known);
	tcase_add_test(c, a_damaged_record_is_still_told);
	return unit_run(s);
}
