/* The record's key and the callback token: stable, different for different messages, and nobody else can make one. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "msg/identity.h"

static const uint8_t installation[SHA256_LEN] = { 1, 2, 3, 4 };

static struct identity *ours;
static char dir[256];

static void start(void)
{
	ours = identity_from_key(installation);
	unit_temporary(dir, sizeof(dir), "test_identity");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static const char *file(void)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/key", dir);
	return path;
}

static void stop(void)
{
	identity_free(&ours);
	identity_free(&ours);
	unlink(file());
	rmdir(dir);
}

static void key_of(struct identity *i, const char *tenant, const char *message_key, uint8_t digest, uint8_t key[KEY_LEN])
{
	struct message m = { .tenant_id = tenant, .key = message_key, .digest = { digest } };

	identity_record_key(i, &m, key);
}

START_TEST(a_record_key_is_stable_and_of_its_message_only)
{
	static const struct { const char *tenant, *key; uint8_t digest; bool same; } rows[] = {
		{ "t", "k", 1, true }, { "T", "k", 1, false }, { "t", "K", 1, false }, { "t", "k", 2, false }, { "tk", "", 1, false },
		{ "", "tk", 1, false }, { "t", "k ", 1, false },
	};
	uint8_t first[KEY_LEN], key[KEY_LEN], other_key[SHA256_LEN] = { 9 };
	struct identity *other = identity_from_key(other_key);

	key_of(ours, "t", "k", 1, first);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		key_of(ours, rows[i].tenant, rows[i].key, rows[i].digest, key);
		ck_assert_msg(!memcmp(first, key, KEY_LEN) == rows[i].same, "row %zu", i);
	}
	key_of(other, "t", "k", 1, key);
	ck_assert_mem_ne(first, key, KEY_LEN);
	identity_free(&other);
}
END_TEST

/* Changing it would orphan every record: the bytes are written down here (made with another HMAC implementation). */
START_TEST(a_record_key_never_changes_between_versions)
{
	static const uint8_t want[KEY_LEN] = { 0xd1, 0x25, 0x06, 0x18, 0xf7, 0xea, 0x40, 0x61, 0x18, 0xf9, 0xf5, 0x9a, 0xf0, 0xe5, 0xf0, 0xdb };
	struct message m = { .tenant_id = "acme", .key = "order-1", .digest = { 0xab, 0xcd } };
	uint8_t key[KEY_LEN];

	identity_record_key(ours, &m, key);
	ck_assert_mem_eq(key, want, KEY_LEN);
}
END_TEST

START_TEST(a_token_says_which_attempt)
{
	uint8_t key[KEY_LEN], back[KEY_LEN];
	char token[TOKEN_LEN + 1], again[TOKEN_LEN + 1];
	int attempt;

	key_of(ours, "t", "k", 1, key);
	for (int n = 0; n <= 255; n++) {
		identity_token(ours, key, n, token);
		ck_assert_uint_eq(strlen(token), TOKEN_LEN);
		ck_assert_uint_eq(strspn(token + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), TOKEN_LEN - 3);
		ck_assert_int_eq(identity_read_token(ours, token, back, &attempt), 0);
		ck_assert_int_eq(attempt, n);
		ck_assert_mem_eq(back, key, KEY_LEN);
	}
	identity_token(ours, key, 255, again);
	ck_assert_str_ne(token, again);			/* nobody can tell that they belong to one message */
}
END_TEST

START_TEST(a_token_changed_anywhere_is_not_ours)
{
	uint8_t key[KEY_LEN], other_key[SHA256_LEN] = { 9 };
	char token[TOKEN_LEN + 1], changed[TOKEN_LEN + 1];
	struct identity *other = identity_from_key(other_key);
	int attempt;

	key_of(ours, "t", "k", 1, key);
	identity_token(ours, key, 3, token);
	for (int i = 0; i < TOKEN_LEN; i++)
		for (int c = 1; c < 256; c++) {
			memcpy(changed, token, sizeof(token));
			changed[i] = (char)(changed[i] ^ c);
			ck_assert_msg(identity_read_token(ours, changed, key, &attempt) < 0, "byte %d of %s", i, changed);
		}
	ck_assert_int_lt(identity_read_token(other, token, key, &attempt), 0);
	identity_free(&other);
}
END_TEST

START_TEST(the_callers_own_value_stands_behind_a_bar)
{
	static const struct { const char *before, *after; bool good; } rows[] = {
		{ "", "", true }, { "", "|mine", true }, { "", "|", true }, { "", "||w1.", true }, { "", "x", false }, { "", " ", false },
		{ "", "=", false }, { " ", "", false }, { "w1.", "", false }, { "mine|", "", false },
	};
	uint8_t key[KEY_LEN];
	char token[TOKEN_LEN + 1];
	int attempt;

	key_of(ours, "t", "k", 1, key);
	identity_token(ours, key, 3, token);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf sb = STRBUF_INIT;

		strbuf_addf(&sb, "%s%s%s", rows[i].before, token, rows[i].after);
		ck_assert_msg((identity_read_token(ours, sb.buf, key, &attempt) == 0) == rows[i].good, "%s", sb.buf);
		strbuf_release(&sb);
	}
	for (size_t n = 0; n < TOKEN_LEN; n++) {
		token[TOKEN_LEN - 1 - n] = 0;
		ck_assert_int_lt(identity_read_token(ours, token, key, &attempt), 0);
	}
}
END_TEST

static void write_file(const char *text)
{
	FILE *f = fopen(file(), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(the_key_file_is_made_once_and_for_us_only)
{
	struct strbuf why = STRBUF_INIT;
	struct identity *a, *b;
	uint8_t x[KEY_LEN], y[KEY_LEN];
	struct stat st;

	ck_assert_ptr_null(identity_load(file(), false, &why));
	ck_assert_ptr_nonnull(strstr(why.buf, "key: No such file or directory"));
	a = identity_load(file(), true, &why);
	b = identity_load(file(), true, &why);
	ck_assert(a && b && stat(file(), &st) == 0 && (st.st_mode & 0777) == 0600);
	key_of(a, "t", "k", 1, x);
	key_of(b, "t", "k", 1, y);
	ck_assert_mem_eq(x, y, KEY_LEN);
	key_of(ours, "t", "k", 1, y);
	ck_assert_mem_ne(x, y, KEY_LEN);
	identity_free(&a);
	identity_free(&b);
	strbuf_release(&why);
}
END_TEST

START_TEST(a_key_file_holds_64_hex_digits)
{
	static const struct { const char *text; bool good; } rows[] = {
		{ "0102030400000000000000000000000000000000000000000000000000000000\n", true },
		{ "0102030400000000000000000000000000000000000000000000000000000000", true },
		{ "010203040000000000000000000000000000000000000000000000000000000", false }, { "", false },
		{ "010203040000000000000000000000000000000000000000000000000000000\n", false },
		{ "010203040000000000000000000000000000000000000000000000000000000g", false },
		{ "010203040000000000000000000000000000000000000000000000000000000F", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf why = STRBUF_INIT;
		struct identity *id;
		uint8_t x[KEY_LEN], y[KEY_LEN];

		write_file(rows[i].text);
		id = identity_load(file(), false, &why);
		ck_assert_msg((id != NULL) == rows[i].good, "row %zu: %s", i, why.buf);
		if (id) {
			key_of(id, "t", "k", 1, x);
			key_of(ours, "t", "k", 1, y);
			ck_assert_mem_eq(x, y, KEY_LEN);
		} else {
			ck_assert_ptr_nonnull(strstr(why.buf, "found no installation key, allowed 64 hex digits"));
		}
		identity_free(&id);
		strbuf_release(&why);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("identity");
	TCase *c = unit_case(s, "identity");

	tcase_add_checked_fixture(c, start, stop);
	tcase_add_test(c, a_record_key_is_stable_and_of_its_message_only);
	tcase_add_test(c, a_record_key_never_changes_between_versions);
	tcase_add_test(c, a_token_says_which_attempt);
	tcase_add_test(c, a_token_changed_anywhere_is_not_ours);
	tcase_add_test(c, the_callers_own_value_stands_behind_a_bar);
	tcase_add_test(c, the_key_file_is_made_once_and_for_us_only);
	tcase_add_test(c, a_key_file_holds_64_hex_digits);
	return unit_run(s);
}
