/* A dead letter: which filters it fits, whether it may be replayed, what a list tells of it. */
#include "unit.h"

#include "api/letter.h"

#define LETTER "\"tenant_id\":\"t1\",\"account_id\":\"a\",\"id\":\"m1\",\"reason\":\"refused\",\"code\":131026,\"attempts\":6," \
	       "\"died_at\":\"2025-11-24T16:00:00.001Z\",\"message\":{\"id\":\"m1\"}"

static json_t *letter_of(const char *members)
{
	struct strbuf text = STRBUF_INIT;
	json_t *o;

	strbuf_addf(&text, "{%s}", members);
	o = json_loadb(text.buf, text.len, 0, NULL);
	ck_assert_msg(o != NULL, "%s", text.buf);
	strbuf_release(&text);
	return o;
}

static char *word(const char *s)
{
	return (char *)(uintptr_t)s;
}

START_TEST(a_letter_must_fit_all_filters)
{
	const struct { struct letter_filter f; bool fits; } rows[] = {
		{ { { NULL }, 0 }, true }, { { { word("t1"), word("a"), word("refused"), word("m1"), word("131026") }, 131026 }, true },
		{ { { word("t2") }, 0 }, false }, { { { word("t1"), word("b") }, 0 }, false },
		{ { { [LETTER_REASON] = word("expired") }, 0 }, false }, { { { [LETTER_ID] = word("m") }, 0 }, false },
		{ { { [LETTER_CODE] = word("1") }, 1 }, false },
	};
	json_t *letter = letter_of(LETTER);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_msg(letter_fits(letter, &rows[i].f) == rows[i].fits, "row %zu", i);
		ck_assert_msg(letter_fits(NULL, &rows[i].f) == (i == 0), "unreadable, row %zu", i);
	}
	json_decref(letter);
}
END_TEST

START_TEST(what_is_replayed)
{
	static const char at[] = "\"died_at\":\"2025-11-24T16:00:00.001Z\",\"message\":{}";
	static const struct { const char *more; bool may_duplicate; enum letter_skip skip; } rows[] = {
		{ "\"reason\":\"refused\"", false, SKIP_NOT }, { "\"reason\":\"not_json\",\"message\":null", false, SKIP_NO_MESSAGE },
		{ "\"x\":1", false, SKIP_NO_MESSAGE }, { "\"reason\":\"refused\",\"died_at\":\"yesterday\"", true, SKIP_NO_MESSAGE },
		{ "\"reason\":\"refused\",\"died_at\":\"2025-11-24T16:00:00Z\"", true, SKIP_NO_MESSAGE },
		{ "\"reason\":\"unknown_outcome\"", false, SKIP_UNKNOWN }, { "\"reason\":\"unknown_outcome\"", true, SKIP_NOT },
		{ "\"reason\":\"refused\",\"attempts\":249", false, SKIP_NOT }, { "\"reason\":\"refused\",\"attempts\":250", false, SKIP_LIMIT },
		{ "\"reason\":\"refused\",\"attempts\":-1", false, SKIP_LIMIT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf text = STRBUF_INIT;
		json_t *letter;

		strbuf_addf(&text, "%s,%s", at, rows[i].more);
		letter = letter_of(text.buf);
		ck_assert_msg(letter_skip(letter, rows[i].may_duplicate, 6) == rows[i].skip, "%s", rows[i].more);
		json_decref(letter);
		strbuf_release(&text);
	}
	ck_assert_int_eq(letter_skip(NULL, true, 6), SKIP_NO_MESSAGE);
	ck_assert_str_eq(letter_skip_name(SKIP_LIMIT), "replay_limit");
}
END_TEST

START_TEST(a_list_tells_all_but_the_message)
{
	json_t *letter = letter_of(LETTER ",\"message_b64\":\"eA==\""), *o = letter_summary(letter);

	ck_assert(!json_object_get(o, "message") && !json_object_get(o, "message_b64"));
	ck_assert_uint_eq(json_object_size(o), 7);
	ck_assert_ptr_nonnull(json_object_get(letter, "message"));
	ck_assert_int_eq(letter_died_ms(letter), 1764000000001);
	json_decref(o);
	json_decref(letter);
	o = letter_summary(NULL);
	ck_assert_str_eq(json_text(o, "reason"), "unreadable");
	json_decref(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("letter");
	TCase *c = unit_case(s, "letter");

	tcase_add_test(c, a_letter_must_fit_all_filters);
	tcase_add_test(c, what_is_replayed);
	tcase_add_test(c, a_list_tells_all_but_the_message);
	return unit_run(s);
}
