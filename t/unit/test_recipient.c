/* Recipients: E.164 as people write it, and business-scoped user ids. */
#include "unit.h"

#include "msg/recipient.h"

static const char no_digit[] = "to: a character that is no digit; allowed E.164 such as +491511234567";
static const char too_long[] = "to: more than 15 digits; allowed E.164 such as +491511234567";
static const char leading_0[] = "to: begins with 0; allowed E.164, which begins with the country code";
static const char no_user[] = "recipient: found %zu characters, allowed a user id such as US.13491208655302741918";
static const char no_alnum[] = "recipient: allowed letters and digits after the country";

static const struct { const char *in, *out, *why; } phones[] = {
	{ "+491511234567", "+491511234567", NULL }, { "491511234567", "+491511234567", NULL },
	{ "+49 (151) 123-4567", "+491511234567", NULL }, { "+ 4-9 ", NULL, "to: found 2 digits, allowed 8 to 15 (E.164)" },
	{ "12345678", "+12345678", NULL }, { "1234567", NULL, "to: found 7 digits, allowed 8 to 15 (E.164)" },
	{ "123456789012345", "+123456789012345", NULL }, { "+123456789012345", "+123456789012345", NULL },
	{ "1234567890123456", NULL, too_long }, { "+1234567890123456", NULL, too_long },
	{ "1-2-3-4-5-6-7-8-9-0-1-2-3-4-5   ", "+123456789012345", NULL },
	{ "", NULL, "to: found 0 digits, allowed 8 to 15 (E.164)" }, { "+", NULL, "to: found 0 digits, allowed 8 to 15 (E.164)" },
	{ "()- ", NULL, "to: found 0 digits, allowed 8 to 15 (E.164)" },
	{ "01511234567", NULL, leading_0 }, { "+0491511234567", NULL, leading_0 }, { "00491511234567", NULL, leading_0 },
	{ "++491511234567", NULL, no_digit }, { " +491511234567", NULL, no_digit }, { "49151123456x", NULL, no_digit },
	{ "4915112345\n67", NULL, no_digit }, { "491511234567.", NULL, no_digit }, { "49/1511234567", NULL, no_digit },
	{ "\331\244\331\251151123456", NULL, no_digit },	/* digits, but not these */
	{ "US.13491208655302741918", NULL, no_digit },
};

START_TEST(a_phone_number_is_made_e164)
{
	for (size_t i = 0; i < ARRAY_LEN(phones); i++) {
		struct recipient r = { .is_user_id = true };
		struct strbuf why = STRBUF_INIT;
		int err = recipient_from_phone(&r, phones[i].in, &why);

		ck_assert_msg((err == 0) == (phones[i].out != NULL), "\"%s\": %s", phones[i].in, why.buf);
		ck_assert(!r.is_user_id);
		ck_assert_str_eq(err ? why.buf : r.text, err ? phones[i].why : phones[i].out);
		strbuf_release(&why);
	}
}
END_TEST

#define DIGITS_32 "01234567890123456789012345678901"
#define DIGITS_128 DIGITS_32 DIGITS_32 DIGITS_32 DIGITS_32

static const struct { const char *in, *why; } users[] = {
	{ "US.13491208655302741918", NULL }, { "DE.a", NULL }, { "DE." DIGITS_128, NULL }, { "XX.AbC9", NULL },
	{ "DE." DIGITS_128 "1", no_user }, { "", no_user }, { "US.", no_user }, { "us.123", no_user }, { "U.1234", no_user },
	{ "US:1234", no_user }, { "USA.123", no_user }, { "+491511234567", no_user },
	{ "US.12.3", no_alnum }, { "US.12 3", no_alnum }, { "US.12\n", no_alnum }, { "US.\303\244", no_alnum }, { "US.1\"2", no_alnum },
};

START_TEST(a_user_id_stays_as_it_is)
{
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		struct recipient r = { .is_user_id = false };
		struct strbuf why = STRBUF_INIT, want = STRBUF_INIT;
		int err = recipient_from_user_id(&r, users[i].in, &why);

		ck_assert_msg((err == 0) == (users[i].why == NULL), "\"%s\": %s", users[i].in, why.buf);
		ck_assert(r.is_user_id);
		if (users[i].why == no_user)
			strbuf_addf(&want, no_user, strlen(users[i].in));
		else
			strbuf_adds(&want, err ? users[i].why : users[i].in);
		ck_assert_str_eq(err ? why.buf : r.text, want.buf);
		strbuf_release(&why);
		strbuf_release(&want);
	}
}
END_TEST

START_TEST(a_log_shows_two_digits)
{
	struct recipient r;
	char text[32];

	ck_assert_int_eq(recipient_from_phone(&r, "+491511234567", NULL), 0);
	recipient_for_log(&r, text);
	ck_assert_str_eq(text, "phone…67/13");
	ck_assert_int_eq(recipient_from_user_id(&r, "DE." DIGITS_128, NULL), 0);
	recipient_for_log(&r, text);
	ck_assert_str_eq(text, "user…01/131");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recipient");
	TCase *c = unit_case(s, "recipient");

	tcase_add_test(c, a_phone_number_is_made_e164);
	tcase_add_test(c, a_user_id_stays_as_it_is);
	tcase_add_test(c, a_log_shows_two_digits);
	return unit_run(s);
}
