/* What debug_token's words mean, and when a token is due. */
#include "unit.h"

#include <string.h>

#include "graph/tokens.h"

enum { NEVER = 0, NOT_SAID = -1 };
#define SCOPES "\"scopes\":[\"business_management\",\"whatsapp_business_messaging\"]"

#define UNSAID "debug_token's answer does not say whether it is valid"

static const struct { const char *answer; enum token_word verdict; int64_t expires_ms; const char *why; } answers[] = {
	{ "{\"data\":{\"is_valid\":true,\"expires_at\":1764000000," SCOPES "}}", TOKEN_GOOD, 1764000000000, "" },
	{ "{\"data\":{\"is_valid\":true,\"expires_at\":0," SCOPES "}}", TOKEN_GOOD, NEVER, "" },
	{ "{\"data\":{\"is_valid\":true," SCOPES "}}", TOKEN_GOOD, NOT_SAID, "" },
	{ "{\"data\":{\"is_valid\":true,\"expires_at\":\"soon\"}}", TOKEN_GOOD, NOT_SAID, "" },		/* scopes not said: not lacking */
	{ "{\"data\":{\"is_valid\":true,\"expires_at\":5,\"scopes\":[]}}", TOKEN_BAD, 5000, "it lacks the permission whatsapp_business_messaging" },
	{ "{\"data\":{\"is_valid\":true,\"scopes\":[7,\"whatsapp_business_management\"]}}", TOKEN_BAD, NOT_SAID,
	  "it lacks the permission whatsapp_business_messaging" },
	{ "{\"data\":{\"is_valid\":false,\"expires_at\":1," SCOPES ",\"error\":{\"code\":190,\"subcode\":463,\"message\":\"has expired\"}}}", TOKEN_BAD, 1000,
	  "not valid: has expired (subcode 463)" },
	{ "{\"data\":{\"is_valid\":false}}", TOKEN_BAD, NOT_SAID, "not valid: no reason said (subcode 0)" },
	{ "{\"data\":{\"is_valid\":\"true\"}}", TOKEN_UNSAID, NOT_SAID, UNSAID },
	{ "{\"data\":{}}", TOKEN_UNSAID, NOT_SAID, UNSAID },
	{ "{\"data\":[]}", TOKEN_UNSAID, NOT_SAID, UNSAID }, { "{\"id\":\"1\"}", TOKEN_UNSAID, NOT_SAID, UNSAID },
	{ "[]", TOKEN_UNSAID, NOT_SAID, UNSAID },
};

START_TEST(debug_token_is_understood)
{
	struct strbuf why = STRBUF_INIT;
	int64_t expires = 42;
	json_t *o = json_loads(answers[_i].answer, 0, NULL);

	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(token_verdict(o, &expires, &why), answers[_i].verdict);
	ck_assert_int_eq(expires, answers[_i].expires_ms);
	ck_assert_str_eq(why.len ? why.buf : "", answers[_i].why);
	json_decref(o);
	strbuf_release(&why);
}
END_TEST

/* Graph's words may be long; what is kept of them is not. */
START_TEST(a_long_reason_is_cut)
{
	struct strbuf why = STRBUF_INIT, text = STRBUF_INIT;
	int64_t expires;
	json_t *o;

	strbuf_adds(&text, "{\"data\":{\"is_valid\":false,\"error\":{\"message\":\"");
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&text, 'x');
	strbuf_adds(&text, "\"}}}");
	o = json_loads(text.buf, 0, NULL);
	ck_assert_int_eq(token_verdict(o, &expires, &why), TOKEN_BAD);
	ck_assert_uint_lt(why.len, 160);
	json_decref(o);
	strbuf_release(&why);
	strbuf_release(&text);
}
END_TEST

#define DAYS(n) (INT64_C(86400000) * (n))

START_TEST(a_token_is_due_after_half_to_three_quarters_of_its_life)
{
	static const struct { int64_t since, expires; uint64_t share; int64_t due; } rows[] = {
		{ DAYS(1000), DAYS(1060), 0, DAYS(1030) }, { DAYS(1000), DAYS(1060), 1000, DAYS(1030) }, { DAYS(1000), DAYS(1060), 500, DAYS(1030) + DAYS(15) / 2 },
		{ DAYS(1000), DAYS(1060), 999, DAYS(1030) + DAYS(15) / 1000 * 999 }, { DAYS(1000), DAYS(1060), UINT64_MAX, DAYS(1030) + DAYS(15) / 1000 * 615 },
		{ 1000000, 1008000, 0, 1004000 }, { 1000000, 1008000, 500, 1005000 }, { 1000000, 1000001, 999, 1000000 },
		/* since when it is used is not known, or cannot be: it is taken for one of 60 days */
		{ 0, DAYS(1060), 0, DAYS(1030) }, { -5, DAYS(1060), 0, DAYS(1030) }, { DAYS(1060), DAYS(1060), 0, DAYS(1030) },
		{ DAYS(1070), DAYS(1060), 0, DAYS(1030) }, { DAYS(900), DAYS(1060), 0, DAYS(1030) }, { DAYS(940), DAYS(1060), 0, DAYS(1000) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(token_due_ms(rows[i].since, rows[i].expires, rows[i].share) == rows[i].due, "row %zu: %lld, not %lld", i,
			      (long long)token_due_ms(rows[i].since, rows[i].expires, rows[i].share), (long long)rows[i].due);
	for (uint64_t share = 0; share < 5000; share++) {
		int64_t due = token_due_ms(DAYS(1000), DAYS(1060), share);

		ck_assert(due >= DAYS(1030) && due < DAYS(1045));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token_rules");
	TCase *c = unit_case(s, "rules");

	tcase_add_loop_test(c, debug_token_is_understood, 0, (int)ARRAY_LEN(answers));
	tcase_add_test(c, a_long_reason_is_cut);
	tcase_add_test(c, a_token_is_due_after_half_to_three_quarters_of_its_life);
	return unit_run(s);
}
