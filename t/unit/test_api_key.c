/* API keys: what is one, whose it is, and which of a tenant's fits. */
#include "unit.h"

#include <string.h>

#include "base/api_key.h"
#include "base/str.h"
#include "base/uuid.h"
#include "conf/tenant_keys.h"

#define SECRET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM012_"

START_TEST(a_new_key_is_read)
{
	char a[API_KEY_MAX], b[API_KEY_MAX], tenant[API_KEY_TENANT_MAX + 1];
	static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123";

	ck_assert_int_eq(api_key_make("acme.eu_1", a), 0);
	ck_assert_int_eq(api_key_make("acme.eu_1", b), 0);
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(api_key_tenant(a, tenant), 0);
	ck_assert_str_eq(tenant, "acme.eu_1");
	ck_assert_int_eq(api_key_make(longest, a), 0);
	ck_assert_int_eq(api_key_tenant(a, tenant), 0);
	ck_assert_str_eq(tenant, longest);
	ck_assert_int_eq(api_key_make("", a), -1);
	ck_assert_int_eq(api_key_make("a b", a), -1);
	ck_assert_int_eq(api_key_make("01234567890123456789012345678901234567890123456789012345678901234", a), -1);
}
END_TEST

START_TEST(what_is_no_key)
{
	static const char *const bad[] = { "", "wk", "wk.", "wk.." SECRET, "wk." SECRET, "wk.t1." SECRET "x", "wk.t1.abc", "WK.t1." SECRET, "xk.t1." SECRET,
		"wk.t 1." SECRET, "wk.t/1." SECRET, "wk.t\xc3\xa4." SECRET, "wk.t1.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM01+_",
		" wk.t1." SECRET, "wk.t1." SECRET " ", "wk.01234567890123456789012345678901234567890123456789012345678901234." SECRET };
	char tenant[API_KEY_TENANT_MAX + 1];

	ck_assert_int_eq(api_key_tenant("wk.t1." SECRET, tenant), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(api_key_tenant(bad[i], tenant) < 0, "\"%s\"", bad[i]);
}
END_TEST

static void add(struct tenant *t, const char *id, const char *text)
{
	uint8_t sha[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	api_key_hash(text, sha);
	hex_encode(sha, SHA256_LEN, hex);
	ck_assert_ptr_nonnull(tenant_add_key(t, id, hex));
}

static const char *found(const struct tenant *t, const char *text, int64_t now_ms)
{
	const struct api_key *k;
	uint8_t sha[SHA256_LEN];

	api_key_hash(text, sha);
	k = tenant_find_key(t, sha, now_ms);
	return k ? k->id : "none";
}

START_TEST(one_key_follows_the_other)
{
	struct tenant *t = tenant_new("t1", "t1"), *fresh = tenant_new("t1", "t1");

	add(t, "old", "wk.t1.one");
	ck_assert_str_eq(found(t, "wk.t1.one", 1000), "old");
	add(fresh, "old", "wk.t1.one");
	add(fresh, "new", "wk.t1.two");
	fresh->keys[0].expires_ms = 5000;
	ck_assert(tenant_take_keys(t, fresh));
	ck_assert_str_eq(found(t, "wk.t1.one", 4999), "old");
	ck_assert_str_eq(found(t, "wk.t1.two", 4999), "new");
	ck_assert_str_eq(found(t, "wk.t1.one", 5000), "none");
	ck_assert_str_eq(found(t, "wk.t1.two", 5000), "new");
	ck_assert_str_eq(found(t, "wk.t1.twO", 5000), "none");
	ck_assert_str_eq(found(fresh, "wk.t1.two", 5000), "none");
	tenant_free(&t);
	tenant_free(&fresh);
}
END_TEST

START_TEST(how_many_and_which_digests)
{
	static const char *const bad[] = { "", "00", "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0" };
	struct tenant *t = tenant_new("t1", "t1");

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_ptr_null(tenant_add_key(t, "k", bad[i]));
	for (int i = 0; i < TENANT_KEYS_MAX; i++)
		add(t, "k", "x");
	ck_assert_ptr_null(tenant_add_key(t, "k", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
	tenant_free(&t);
}
END_TEST

START_TEST(ids_have_their_form)
{
	char a[UUID_LEN + 1], b[UUID_LEN + 1];
	uint8_t digest[SHA256_LEN] = { 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00 };

	uuid_v8(digest, a);
	ck_assert_str_eq(a, "ffeeddcc-bbaa-8988-b766-554433221100");
	uuid_v7(a);
	uuid_v7(b);
	ck_assert_uint_eq(strlen(a), UUID_LEN);
	ck_assert(a[14] == '7' && strchr("89ab", a[19]) && strcmp(a, b) != 0 && strncmp(a, b, 9) <= 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("api_key");
	TCase *c = unit_case(s, "keys");

	tcase_add_test(c, a_new_key_is_read);
	tcase_add_test(c, what_is_no_key);
	tcase_add_test(c, one_key_follows_the_other);
	tcase_add_test(c, how_many_and_which_digests);
	tcase_add_test(c, ids_have_their_form);
	return unit_run(s);
}
