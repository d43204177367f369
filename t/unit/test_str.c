/* Numbers, durations, sizes and texts: the whole string is the value, or there is no value. */
#include "unit.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "base/str.h"
#include "base/strbuf.h"

#define REFUSED INT64_MIN

struct number { const char *text; int64_t value; };

static const struct number whole_numbers[] = {
	{ "0", 0 }, { "7", 7 }, { "-7", -7 }, { "007", 7 }, { "9223372036854775807", INT64_MAX },
	{ "-9223372036854775807", -INT64_MAX }, { "9223372036854775808", REFUSED }, { "-9223372036854775809", REFUSED },
	{ "", REFUSED }, { "-", REFUSED }, { "+7", REFUSED }, { " 7", REFUSED }, { "\t7", REFUSED }, { "\r7", REFUSED },
	{ "\v7", REFUSED }, { "7 ", REFUSED }, { "7x", REFUSED }, { "0x10", REFUSED }, { "1e3", REFUSED }, { "- 7", REFUSED },
};
static const struct number durations[] = {
	{ "250ms", 250 }, { "30s", 30000 }, { "5m", 300000 }, { "2h", 7200000 }, { "7d", 604800000 }, { "0ms", 0 },
	{ "106751991167d", 106751991167 * 86400000 }, { "106751991168d", REFUSED }, { "99999999999999999999ms", REFUSED },
	{ "", REFUSED }, { "30", REFUSED }, { "s", REFUSED }, { "30 s", REFUSED }, { " 30s", REFUSED }, { "30S", REFUSED },
	{ "-30s", REFUSED }, { "1.5s", REFUSED }, { "30sec", REFUSED }, { "1h30m", REFUSED }, { "30s ", REFUSED },
};
static const struct number sizes[] = {
	{ "1B", 1 }, { "64KB", 65536 }, { "5MB", 5 << 20 }, { "1GB", 1 << 30 }, { "0B", 0 }, { "8589934591GB", 8589934591 << 30 },
	{ "8589934592GB", REFUSED }, { "", REFUSED }, { "1", REFUSED }, { "KB", REFUSED }, { "1kb", REFUSED }, { "1K", REFUSED },
	{ "-1KB", REFUSED }, { "1 KB", REFUSED }, { "1TB", REFUSED },
};

static void check_numbers(int (*parse)(const char *, int64_t *), const struct number *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t v = 12345;
		int err = parse(rows[i].text, &v);

		ck_assert_msg((err < 0) == (rows[i].value == REFUSED), "row %zu: \"%s\" gives %d", i, rows[i].text, err);
		ck_assert_msg(err < 0 || v == rows[i].value, "\"%s\" is %" PRId64, rows[i].text, v);
	}
}

START_TEST(a_number_is_the_whole_text)
{
	check_numbers(parse_i64, whole_numbers, ARRAY_LEN(whole_numbers));
	check_numbers(parse_msec, durations, ARRAY_LEN(durations));
	check_numbers(parse_bytes, sizes, ARRAY_LEN(sizes));
}
END_TEST

START_TEST(what_is_formatted_is_short_and_reads_back)
{
	static const struct { int64_t v; const char *duration, *size; } rows[] = {
		{ 0, "0ms", "0B" }, { 1, "1ms", "1B" }, { 999, "999ms", "999B" }, { 1000, "1s", "1000B" }, { 1024, "1024ms", "1KB" },
		{ 1500, "1500ms", "1500B" }, { 60000, "1m", "60000B" }, { 90000, "90s", "90000B" }, { 3600000, "1h", "3600000B" },
		{ 86400000, "1d", "84375KB" }, { 1 << 20, "1048576ms", "1MB" }, { 1 << 30, "1073741824ms", "1GB" },
		{ INT64_MAX, "9223372036854775807ms", "9223372036854775807B" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[32];
		int64_t v;

		format_msec(rows[i].v, text);
		ck_assert_str_eq(text, rows[i].duration);
		ck_assert(parse_msec(text, &v) == 0 && v == rows[i].v);
		format_bytes(rows[i].v, text);
		ck_assert_str_eq(text, rows[i].size);
		ck_assert(parse_bytes(text, &v) == 0 && v == rows[i].v);
	}
}
END_TEST

START_TEST(a_time_has_milliseconds_and_is_utc)
{
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" }, { 1795412521123, "2026-11-23T05:42:01.123Z" }, { 5, "1970-01-01T00:00:00.005Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" }, { 253402300799999, "9999-12-31T23:59:59.999Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[32];

		format_utc_ms(rows[i].ms, text);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(utf8_has_one_spelling_per_character)
{
	static const struct { const char *s; bool good; size_t count; } rows[] = {
		{ "", true, 0 }, { "abc", true, 3 }, { "\xc3\xa4", true, 1 }, { "\xe2\x82\xac", true, 1 },
		{ "\xf0\x9f\x98\x80!", true, 2 }, { "\x7f", true, 1 }, { "\xc2\x80", true, 1 }, { "\xdf\xbf", true, 1 },
		{ "\xe0\xa0\x80", true, 1 }, { "\xed\x9f\xbf", true, 1 }, { "\xee\x80\x80", true, 1 }, { "\xef\xbf\xbf", true, 1 },
		{ "\xf0\x90\x80\x80", true, 1 }, { "\xf4\x8f\xbf\xbf", true, 1 },
		/* overlong: a shorter spelling exists */
		{ "\xc0\x80", false, 0 }, { "\xc0\xaf", false, 0 }, { "\xc1\xbf", false, 0 }, { "\xe0\x80\xaf", false, 0 },
		{ "\xe0\x9f\xbf", false, 0 }, { "\xf0\x80\x80\xaf", false, 0 }, { "\xf0\x8f\xbf\xbf", false, 0 },
		/* half a surrogate pair */
		{ "\xed\xa0\x80", false, 0 }, { "\xed\xaf\xbf", false, 0 }, { "\xed\xb0\x80", false, 0 }, { "\xed\xbf\xbf", false, 0 },
		/* beyond Unicode */
		{ "\xf4\x90\x80\x80", false, 0 }, { "\xf5\x80\x80\x80", false, 0 }, { "\xf8\x88\x80\x80\x80", false, 0 },
		{ "\xff", false, 0 }, { "\xfe", false, 0 },
		/* cut, or a tail without its head */
		{ "\xc3", false, 0 }, { "a\xe2\x82", false, 0 }, { "\xf0\x9f\x98", false, 0 }, { "\x80", false, 0 },
		{ "\xe2\x28\xa1", false, 0 }, { "\xc3\xc3\xa4", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].s);

		ck_assert_msg(str_is_utf8(rows[i].s, len) == rows[i].good, "row %zu", i);
		if (rows[i].good)
			ck_assert_msg(utf8_count(rows[i].s, len) == rows[i].count, "row %zu", i);
	}
	ck_assert(str_is_utf8("a\0b", 3));
	ck_assert(str_is_utf8("\xc3\xa4", 0));		/* the length rules, not what stands behind it */
	ck_assert(!str_is_utf8("\xc3\xa4", 1));
}
END_TEST

START_TEST(small_words)
{
	ck_assert(str_is_digits("0") && str_is_digits("106540352242922"));
	ck_assert(!str_is_digits("") && !str_is_digits("-1") && !str_is_digits("1 ") && !str_is_digits("\xd9\xa1"));
	ck_assert(str_starts("wamd", "wa") && str_starts("wa", "") && !str_starts("wa", "wamd") && !str_starts("Wa", "wa"));
}
END_TEST

/* RFC 4648 section 10, both alphabets; "fo" and "f" have left-over bits. */
static const struct { const char *plain, *padded, *url; } base64_rows[] = {
	{ "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" }, { "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" }, { "\xfb\xff\xfe", "+//+", "-__-" },
};

START_TEST(base64_as_in_the_rfc)
{
	for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
		const char *plain = base64_rows[i].plain;
		size_t n = strlen(plain);
		char text[BASE64_SIZE(6)];
		uint8_t back[6];

		base64_encode((const uint8_t *)plain, n, text);
		ck_assert_str_eq(text, base64_rows[i].padded);
		ck_assert_uint_eq(base64url_encode((const uint8_t *)plain, n, text), strlen(base64_rows[i].url));
		ck_assert_str_eq(text, base64_rows[i].url);
		ck_assert_int_eq(base64url_decode(text, strlen(text), back, sizeof(back)), (int)n);
		ck_assert_mem_eq(back, plain, n);
	}
}
END_TEST

START_TEST(base64url_has_one_spelling)
{
	static const char *const refused[] = {
		"Z", "Zm9vY", "Zg==", "Zg=", "Zm8=", "+//+", "Zm 9v", "Zm9v\n", "Zm9.", "Zh", "Zm9", "Zm-", "Z\x80""8",
	};
	uint8_t out[64];

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		ck_assert_msg(base64url_decode(refused[i], strlen(refused[i]), out, sizeof(out)) < 0, "%s", refused[i]);
	ck_assert_int_lt(base64url_decode("Zm\0v", 4, out, sizeof(out)), 0);
	ck_assert_int_lt(base64url_decode("Zm9v", 4, out, 2), 0);	/* no room */
	ck_assert_int_eq(base64url_decode("Zm9v", 4, out, 3), 3);
}
END_TEST

START_TEST(base64url_round_trips_every_length)
{
	uint8_t in[64] = { 0 }, out[64];
	char text[BASE64_SIZE(64)];

	for (size_t n = 0; n <= sizeof(in); n++) {
		for (size_t k = 0; k < n; k++)
			in[k] = (uint8_t)(k * 37 + n * 101);
		base64url_encode(in, n, text);
		ck_assert_int_eq(base64url_decode(text, strlen(text), out, n), (int)n);
		ck_assert_mem_eq(in, out, n);
	}
	hex_encode((const uint8_t *)"\x00\x0f\xf0\xff", 4, text);
	ck_assert_str_eq(text, "000ff0ff");
}
END_TEST

/* FIPS 180-2 examples. */
START_TEST(sha256_known_answers)
{
	static char million[1000000];
	static const struct { const char *data; size_t len; const char *hex; } rows[] = {
		{ "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ million, sizeof(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	};

	memset(million, 'a', sizeof(million));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[SHA256_LEN];
		char hex[2 * SHA256_LEN + 1];

		sha256(rows[i].data, rows[i].len, out);
		hex_encode(out, sizeof(out), hex);
		ck_assert_str_eq(hex, rows[i].hex);
	}
}
END_TEST

/* RFC 4231: the cases with a whole MAC.  key and data are a byte repeated, or text. */
static const struct { int key_byte; size_t key_len; const char *key; int data_byte; size_t data_len; const char *data, *hex; } macs[] = {
	{ 0x0b, 20, NULL, 0, 8, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ 0, 4, "Jefe", 0, 28, "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ 0xaa, 20, NULL, 0xdd, 50, NULL, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ 0xaa, 131, NULL, 0, 54, "Test Using Larger Than Block-Size Key - Hash Key First",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ 0xaa, 131, NULL, 0, 152, "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
	  "be hashed before being used by the HMAC algorithm.", "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
};

START_TEST(hmac_as_in_the_rfc)
{
	for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
		char key[131], data[152], hex[2 * SHA256_LEN + 1];
		uint8_t out[SHA256_LEN];
		size_t half = macs[i].data_len / 2;
		struct hmac *h;

		memset(key, macs[i].key_byte, sizeof(key));
		memset(data, macs[i].data_byte, sizeof(data));
		if (macs[i].key)
			memcpy(key, macs[i].key, macs[i].key_len);
		if (macs[i].data)
			memcpy(data, macs[i].data, macs[i].data_len);
		h = hmac_new(key, macs[i].key_len);
		/* twice with one context, in one part and in three: the key is kept, the cut does not matter */
		for (int n = 1; n <= 3; n += 2) {
			struct crypto_part parts[] = {
				{ data, n == 1 ? macs[i].data_len : half }, { data, 0 }, { data + half, macs[i].data_len - half },
			};

			hmac_parts(h, parts, n, out);
			hex_encode(out, sizeof(out), hex);
			ck_assert_msg(!strcmp(hex, macs[i].hex), "case %zu in %d parts: %s", i, n, hex);
		}
		hmac_free(&h);
		ck_assert_ptr_null(h);
	}
}
END_TEST

START_TEST(equal_means_every_byte)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	ck_assert(crypto_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(b); i++) {
		b[i] = 1;
		ck_assert(!crypto_equal(a, b, sizeof(a)));
		ck_assert(crypto_equal(a, b, i));
		b[i] = 0;
	}
}
END_TEST

START_TEST(strbuf_is_always_a_text)
{
	struct strbuf sb = STRBUF_INIT;
	char *own;

	ck_assert_str_eq(sb.buf, "");
	strbuf_reset(&sb);
	strbuf_release(&sb);
	strbuf_add(&sb, "x", 0);
	ck_assert_str_eq(sb.buf, "");
	for (int i = 0; i < 1000; i++) {
		strbuf_addc(&sb, (char)('a' + i % 26));
		ck_assert_uint_eq(strlen(sb.buf), (size_t)i + 1);
	}
	strbuf_drop_front(&sb, 998);
	ck_assert_str_eq(sb.buf, "kl");
	strbuf_drop_front(&sb, 0);
	strbuf_drop_front(&sb, 2);
	ck_assert_str_eq(sb.buf, "");
	strbuf_add(&sb, "a\0b", 3);
	ck_assert_uint_eq(sb.len, 3);
	ck_assert_mem_eq(sb.buf, "a\0b", 4);
	strbuf_setf(&sb, "%s-%d", "seven", 7);
	ck_assert_str_eq(sb.buf, "seven-7");
	own = strbuf_detach(&sb);
	ck_assert_str_eq(own, "seven-7");
	free(own);
	ck_assert_uint_eq(sb.len, 0);
	own = strbuf_detach(&sb);
	ck_assert_str_eq(own, "");
	free(own);
	strbuf_adds(&sb, "again");
	ck_assert_str_eq(sb.buf, "again");
	strbuf_release(&sb);
	ck_assert_str_eq(sb.buf, "");
}
END_TEST

START_TEST(strbuf_formats_every_length)
{
	for (int n = 0; n < 700; n++) {
		struct strbuf sb = STRBUF_INIT;
		int64_t v;

		strbuf_addf(&sb, "<%*s>", n, "");
		ck_assert_uint_eq(sb.len, (size_t)n + 2);
		ck_assert_uint_eq(strlen(sb.buf), sb.len);
		strbuf_addf(&sb, "%d", n);
		ck_assert(parse_i64(sb.buf + n + 2, &v) == 0 && v == n);
		strbuf_release(&sb);
	}
}
END_TEST

START_TEST(a_reason_replaces_the_one_before_and_may_be_unwanted)
{
	struct strbuf why = STRBUF_INIT;

	ck_assert_int_eq(why_set(&why, "first"), -1);
	ck_assert_int_eq(why_set(&why, "%s: %d", "second", 2), -1);
	ck_assert_str_eq(why.buf, "second: 2");
	ck_assert_int_eq(why_set(NULL, "nobody listens"), -1);
	strbuf_release(&why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("str");
	TCase *numbers = unit_case(s, "numbers"), *texts = unit_case(s, "texts"), *crypto = unit_case(s, "crypto"),
	      *buffer = unit_case(s, "strbuf");

	tcase_add_test(numbers, a_number_is_the_whole_text);
	tcase_add_test(numbers, what_is_formatted_is_short_and_reads_back);
	tcase_add_test(numbers, a_time_has_milliseconds_and_is_utc);
	tcase_add_test(texts, utf8_has_one_spelling_per_character);
	tcase_add_test(texts, small_words);
	tcase_add_test(texts, base64_as_in_the_rfc);
	tcase_add_test(texts, base64url_has_one_spelling);
	tcase_add_test(texts, base64url_round_trips_every_length);
	tcase_add_test(crypto, sha256_known_answers);
	tcase_add_test(crypto, hmac_as_in_the_rfc);
	tcase_add_test(crypto, equal_means_every_byte);
	tcase_add_test(buffer, strbuf_is_always_a_text);
	tcase_add_test(buffer, strbuf_formats_every_length);
	tcase_add_test(buffer, a_reason_replaces_the_one_before_and_may_be_unwanted);
	return unit_run(s);
}
