#include "test_io.h"

#include "io/broker.h"
#include "io/store.h"
#include "io/url.h"

START_TEST(broker_urls)
{
	static const struct { const char *url; bool good; } cases[] = {
		{ "amqp://h", true }, { "amqps://u:p@h:5671/%2f", true }, { "amqp://u:p%40@[::1]:1/v", true },
		{ "http://h", false }, { "amqp://", false }, { "amqp://h:0", false }, { "amqp://h:99999", false },
		{ "amqp://u:p%@h", false }, { "amqp://u:%00@h", false }, { "h", false }, { "amqp://h/v?x=1", false },
		{ "amqp://h h", false }, { "amqp://[::1", false },
	};
	struct strbuf why = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&why);
		ck_assert_msg((broker_url_check(cases[i].url, &why) == 0) == cases[i].good, "%s", cases[i].url);
		ck_assert(cases[i].good == (why.len == 0));
	}
	strbuf_release(&why);
}
END_TEST

START_TEST(store_urls)
{
	static const struct { const char *url; bool good; } cases[] = {
		{ "redis://h", true }, { "redis://:p@h:6379/2", true }, { "redis://u:p@h", true }, { "unix:///s?db=1", true },
		{ "redis://u@h", false }, { "redis://h/x", false }, { "rediss://h", false }, { "unix://", false }, { "", false },
	};
	struct strbuf reason = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg((store_url_check(cases[i].url, &reason) == 0) == cases[i].good, "%s", cases[i].url);
	strbuf_release(&reason);
}
END_TEST

START_TEST(parts_are_decoded)
{
	struct url u;

	ck_assert_int_eq(url_parse("amqps://us%65r:p%40s%3as@[::1]:5671/a%2Fb", &u, NULL), 0);
	ck_assert_str_eq(u.scheme, "amqps");
	ck_assert_str_eq(u.user, "user");
	ck_assert_str_eq(u.password, "p@s:s");
	ck_assert_str_eq(u.host, "::1");
	ck_assert_int_eq(u.port, 5671);
	ck_assert_str_eq(u.path, "a/b");
	url_release(&u);
}
END_TEST

START_TEST(reasons_hide_the_password)
{
	struct strbuf why = STRBUF_INIT;

	ck_assert_int_eq(broker_url_check("amqp://user:hunter%2@h", &why), -1);
	ck_assert_ptr_null(strstr(why.buf, "hunter"));
	ck_assert_int_eq(store_url_check("redis://user:hunter@h:x", &why), -1);
	ck_assert_ptr_null(strstr(why.buf, "hunter"));
	strbuf_release(&why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_url");
	TCase *c = io_case(s, "url", io_setup);

	tcase_add_test(c, broker_urls);
	tcase_add_test(c, store_urls);
	tcase_add_test(c, parts_are_decoded);
	tcase_add_test(c, reasons_hide_the_password);
	return io_run(s);
}
