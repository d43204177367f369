/* A dead letter: which filters it fits, whether it may be replayed, what a list tells of it. */
#include "unit.h"

#include "api/letter.h"

#define NOW_MS 1764000010001
#define LETTER "\"tenant_id\":\"t1\",\"account_id\":\"a\",\"id\":\"m1\",\"reason\":\"refused\",\"code\":131026,\"attempts\":6," \
	       "\"died_at\":\"2025-11-24T16:00:00.001Z\",\"message\":{\"id\":\"m1\",\"template\":{\"name\":\"hello\"}}"
#define SECOND "\"tenant_id\":\"t1\",\"id\":\"m2\",\"reason\":\"no_account\",\"died_at\":\"2025-11-24T15:00:10.001Z\"," \
	       "\"message\":{\"template\":{\"name\":\"beside\"},\"wabaPayload\":{\"template\":{\"name\":\"second\"},\"x\":\"/\u00e9\"}}"

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

/* A filter from "option=value option=value"; -1: refused, and why. */
static int filter_of(struct letter_filter *f, const char *text, struct strbuf *why)
{
	int err = 0;

	*f = (struct letter_filter){ 0 };
	while (*text && !err) {
		size_t len = strcspn(text, " "), name = strcspn(text, "=");
		char value[64];
		int field = 0;

		while (field < LETTER_FIELDS && (strlen(letter_option(field)) != name || memcmp(letter_option(field), text, name)))
			field++;
		ck_assert_msg(field < LETTER_FIELDS, "no such option: %s", text);
		snprintf(value, sizeof(value), "%.*s", (int)(len - name - 1), text + name + 1);
		err = letter_filter_set(f, field, value, NOW_MS, why);
		text += len + (text[len] == ' ');
	}
	return err;
}

START_TEST(a_letter_must_fit_all_filters)
{
	static const struct { const char *filter; bool fits, fits_second; } rows[] = {
		{ "", true, true }, { "tenant=t1", true, true }, { "tenant=t2", false, false }, { "tenant=", false, false },
		{ "account=a", true, false }, { "account=b", false, false }, { "reason=refused", true, false },
		{ "reason=expired", false, false }, { "id=m1", true, false }, { "id=m", false, false }, { "id=m2", false, true },
		{ "code=131026", true, false }, { "code=1", false, false },
		{ "template=hello", true, false }, { "template=Hello", false, false }, { "template=hell", false, false },
		{ "template=second", false, true },
		/* they died 10 s and 1 h ago */
		{ "older-than=9s", true, true }, { "older-than=10s", true, true }, { "older-than=11s", false, true },
		{ "older-than=10001ms", false, true }, { "older-than=60m", false, true }, { "older-than=1d", false, false },
		{ "newer-than=9s", false, false }, { "newer-than=10s", false, false }, { "newer-than=11s", true, false },
		{ "newer-than=10001ms", true, false }, { "newer-than=2h", true, true }, { "newer-than=3d", true, true },
		{ "older-than=9s newer-than=15m", true, false },
		{ "text=hello", true, false }, { "text=HELLO", false, false }, { "text={\"id\":\"m1\",\"template\"", true, false },
		{ "text=wabaPayload", false, true }, { "text=/é", false, true }, { "text=refused", false, false },
		{ "tenant=t1 account=a reason=refused id=m1 code=131026 template=hello older-than=1s newer-than=1d text=m1", true, false },
		{ "tenant=t1 account=a reason=refused id=m1 code=131026 template=hello older-than=1s newer-than=1d text=m2", false, false },
		{ "tenant=t1 text=hello", true, false }, { "tenant=t2 text=hello", false, false },
	};
	json_t *letter = letter_of(LETTER), *second = letter_of(SECOND);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf why = STRBUF_INIT;
		struct letter_filter f;

		ck_assert_msg(filter_of(&f, rows[i].filter, &why) == 0, "%s: %s", rows[i].filter, why.buf);
		ck_assert_msg(letter_fits(letter, &f) == rows[i].fits, "%s", rows[i].filter);
		ck_assert_msg(letter_fits(second, &f) == rows[i].fits_second, "second form: %s", rows[i].filter);
		ck_assert_msg(letter_fits(NULL, &f) == (i == 0), "unreadable: %s", rows[i].filter);
		letter_filter_release(&f);
		strbuf_release(&why);
	}
	json_decref(letter);
	json_decref(second);
}
END_TEST

START_TEST(what_does_not_say_when_it_died_has_no_age)
{
	static const char *const filters[] = { "older-than=1s", "newer-than=1000d" };
	json_t *letter = letter_of("\"died_at\":\"yesterday\"");

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct letter_filter f;

		ck_assert_int_eq(filter_of(&f, filters[i], NULL), 0);
		ck_assert_msg(!letter_fits(letter, &f), "%s", filters[i]);
		letter_filter_release(&f);
	}
	json_decref(letter);
}
END_TEST

START_TEST(a_bad_filter_is_named_with_what_is_allowed)
{
	static const struct { const char *filter, *why; } rows[] = {
		{ "code=0", "code: found 0, allowed 1 to 2147483647" }, { "code=x", "code: found x, allowed 1 to 2147483647" },
		{ "code=2147483648", "code: found 2147483648, allowed 1 to 2147483647" },
		{ "older-than=3", "older-than: found 3, allowed a duration such as 30s, 15m, 2h or 3d" },
		{ "newer-than=2w", "newer-than: found 2w, allowed a duration such as 30s, 15m, 2h or 3d" },
		{ "older-than=-1s", "older-than: found -1s, allowed a duration such as 30s, 15m, 2h or 3d" },
		{ "older-than=", "older-than: found nothing, allowed a duration such as 30s, 15m, 2h or 3d" },
		{ "text=", "text: found nothing, allowed one character or more" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf why = STRBUF_INIT;
		struct letter_filter f;

		ck_assert_msg(filter_of(&f, rows[i].filter, &why) < 0, "%s", rows[i].filter);
		ck_assert_str_eq(why.buf, rows[i].why);
		letter_filter_release(&f);
		strbuf_release(&why);
	}
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
	tcase_add_test(c, what_does_not_say_when_it_died_has_no_age);
	tcase_add_test(c, a_bad_filter_is_named_with_what_is_allowed);
	tcase_add_test(c, what_is_replayed);
	tcase_add_test(c, a_list_tells_all_but_the_message);
	return unit_run(s);
}
