/* What keeper and senders tell each other: what is written is read, and of what is broken nothing is. */
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "conf/tenant_keys.h"
#include "msg/tenant_wire.h"

/* ---- asking and answering ---- */

START_TEST(what_is_asked_is_read)
{
	struct tenant_ask a = { .id = "t.1_-Z", .version = INT64_MAX, .forced = true }, b;
	struct strbuf out = STRBUF_INIT;

	tenant_ask_write(&a, &out);
	ck_assert_int_eq(tenant_ask_read(out.buf, out.len, &b), 0);
	ck_assert_str_eq(b.id, a.id);
	ck_assert(b.version == a.version && b.forced);
	strbuf_reset(&out);
	tenant_ask_write(&(struct tenant_ask){ .id = "x" }, &out);
	ck_assert_int_eq(tenant_ask_read(out.buf, out.len, &b), 0);
	ck_assert(b.version == 0 && !b.forced);
	strbuf_release(&out);
}
END_TEST

/* The greatest document in parts as large as they may be: each is one packet. */
START_TEST(what_is_answered_is_read)
{
	struct tenant_answer a = { .id = "t1", .word = TENANT_AWAY, .version = 77, .forced = true, .ms = 250, .keep_ms = INT64_MAX / 4096,
				   .total = TENANT_DOC_MAX, .offset = TENANT_DOC_MAX - TENANT_PART_MAX, .len = TENANT_PART_MAX }, b;
	struct strbuf out = STRBUF_INIT;
	char *part = mem_alloc(TENANT_PART_MAX);

	memset(part, ':', TENANT_PART_MAX);
	memset(a.id, 'i', TENANT_NAME_MAX);
	a.part = part;
	tenant_answer_write(&a, &out);
	ck_assert_uint_le(out.len, 32 << 10);
	ck_assert_int_eq(tenant_answer_read(out.buf, out.len, &b), 0);
	ck_assert_str_eq(b.id, a.id);
	ck_assert(b.word == TENANT_AWAY && b.version == 77 && b.forced && b.ms == 250 && b.keep_ms == a.keep_ms);
	ck_assert(b.total == a.total && b.offset == a.offset && b.len == a.len && !memcmp(b.part, part, b.len));
	free(part);
	strbuf_release(&out);
}
END_TEST

static const struct { const char *bytes; size_t len; } broken[] = {
#define BYTES(s) { s, sizeof(s) - 1 }
	BYTES(""), BYTES("3"), BYTES("3:"), BYTES(":"), BYTES("x:"), BYTES("3:as"), BYTES("-3:ask"), BYTES("99999999:ask"), BYTES("123456789:ask"),
	BYTES("3:ask"), BYTES("4:ask!2:t11:01:0"), BYTES("3:ask0:1:01:0"), BYTES("3:ask2:t 1:01:0"), BYTES("3:ask3:t\0001:01:0"),
	BYTES("3:ask2:t10:1:0"), BYTES("3:ask2:t11:x1:0"), BYTES("3:ask2:t11:01:"), BYTES("3:ask2:t11:0"), BYTES("3:ask2:t11:01:0more"),
	BYTES("3:ask2:t130:0000000000000000000000000000001:0"), BYTES("3:ask2:t13:1\00021:0"),
	BYTES("3:ask65:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1:01:0"),
	/* answers: word, version, forced, ms, keep_ms, total, offset */
	BYTES("6:tenant2:t12:-11:01:01:01:01:01:0"), BYTES("6:tenant2:t11:41:01:01:01:01:01:0"), BYTES("6:tenant2:t11:01:01:01:01:02:-11:0"),
	BYTES("6:tenant2:t11:01:01:01:01:07:99999991:0"), BYTES("6:tenant2:t11:01:01:01:01:01:12:-1"), BYTES("6:tenant2:t11:01:01:01:01:01:11:2"),
	BYTES("6:tenant2:t11:01:01:01:01:01:31:0four"), BYTES("6:tenant2:t11:01:01:01:01:01:31:2xy"), BYTES("6:tenant2:t11:01:01:01:01:01:3"),
};

START_TEST(what_is_broken_is_refused)
{
	struct tenant_ask a;
	struct tenant_answer b;
	struct strbuf whole = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		ck_assert_msg(tenant_ask_read(broken[i].bytes, broken[i].len, &a) < 0, "ask %zu: %s", i, broken[i].bytes);
		ck_assert_msg(tenant_answer_read(broken[i].bytes, broken[i].len, &b) < 0, "answer %zu: %s", i, broken[i].bytes);
	}
	/* Neither is the other, and a beginning of one is none. */
	tenant_ask_write(&(struct tenant_ask){ .id = "t1", .version = 5, .forced = true }, &whole);
	ck_assert_int_eq(tenant_answer_read(whole.buf, whole.len, &b), -1);
	for (size_t n = 0; n < whole.len; n++)
		ck_assert_int_eq(tenant_ask_read(whole.buf, n, &a), -1);
	strbuf_reset(&whole);
	tenant_answer_write(&(struct tenant_answer){ .id = "t1", .total = 5, .part = "hello", .len = 5 }, &whole);
	ck_assert_int_eq(tenant_ask_read(whole.buf, whole.len, &a), -1);
	for (size_t n = 0; n < whole.len - 5; n++)
		ck_assert_int_eq(tenant_answer_read(whole.buf, n, &b), -1);
	strbuf_release(&whole);
}
END_TEST

/* ---- the document ---- */

static const char app_secret[] = "0123456789abcdef0123456789abcdef";

static struct tenant *big(int n_accounts)
{
	struct tenant *t = tenant_new("t1", "group");
	struct strbuf why = STRBUF_INIT, text = STRBUF_INIT;

	t->suspended = true;
	t->rate = 123;
	t->features_off = BIT(FEATURE_MEDIA) | BIT(FEATURE_REACTION);
	for (int i = 0; i < n_accounts; i++) {
		struct account *a = tenant_add_account(t);

		strbuf_setf(&text, "a%06d", i);
		a->id = mem_strdup(text.buf);
		strbuf_setf(&text, "%d", 1000000 + i);
		a->phone_number_id = mem_strdup(text.buf);
		a->waba_id = mem_strdup("77");
		a->app_id = i % 2 ? mem_strdup("88") : NULL;
		strbuf_setf(&text, "EAA%d.%s", i, "x_|~-");
		a->token = mem_strdup(text.buf);
		a->app_secret = i % 3 ? NULL : mem_strdup(app_secret);
		account_prove(a);
		a->tier = i % 5 ? NULL : mem_strdup("plus");
		a->region = i % 2 ? mem_strdup("DE") : NULL;
		a->rate = 1 + i % 1000;
		a->token_since_ms = 1764000000000 + i;
		a->token_expires_ms = i % 4 ? 1764000000000 + 2 * i : 0;
		a->enabled = i % 7 != 0;
		a->is_default = i == n_accounts - 1;
	}
	ck_assert_ptr_nonnull(tenant_add_key(t, "old", "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"));
	ck_assert_ptr_nonnull(tenant_add_key(t, "new", "ff112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"));
	ck_assert_msg(tenant_finish(t, &why) == 0, "%s", why.buf);
	strbuf_release(&why);
	strbuf_release(&text);
	return t;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void check_same(const struct account *a, const struct account *b)
{
	ck_assert(same(a->id, b->id) && same(a->phone_number_id, b->phone_number_id) && same(a->waba_id, b->waba_id));
	ck_assert(same(a->app_id, b->app_id) && same(a->token, b->token) && same(a->proof, b->proof) && same(a->tier, b->tier) && same(a->region, b->region));
	ck_assert(a->rate == b->rate && a->token_since_ms == b->token_since_ms && a->token_expires_ms == b->token_expires_ms);
	ck_assert(a->enabled == b->enabled && a->is_default == b->is_default);
	ck_assert_ptr_null(b->app_secret);
}

START_TEST(a_tenant_with_many_accounts_is_the_same_over_there)
{
	static const int numbers[] = { 0, 1, 5000 };

	for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
		struct tenant *t = big(numbers[k]), *u;
		struct strbuf doc = STRBUF_INIT;

		tenant_doc_write(t, true, &doc);
		ck_assert_uint_le(doc.len, TENANT_DOC_MAX);
		ck_assert_ptr_null(strstr(doc.buf, app_secret));
		u = tenant_doc_read(doc.buf, doc.len);
		ck_assert_ptr_nonnull(u);
		ck_assert_str_eq(u->id, "t1");
		ck_assert_str_eq(u->domain, "group");
		ck_assert(u->suspended && u->rate == 123 && u->features_off == t->features_off && u->n_accounts == numbers[k]);
		for (int i = 0; i < numbers[k]; i++)
			check_same(t->accounts[i], u->accounts[i]);
		ck_assert(!tenant_take_keys(t, u) && u->n_keys == 0 && t->n_keys == 2);	/* they are the same */
		tenant_free(&t);
		tenant_free(&u);
		strbuf_release(&doc);
	}
}
END_TEST

START_TEST(an_api_is_told_no_token)
{
	struct tenant *t = big(3), *u;
	struct strbuf doc = STRBUF_INIT;

	tenant_doc_write(t, false, &doc);
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_null(strstr(doc.buf, t->accounts[i]->token));
		ck_assert(!*t->accounts[i]->proof || !strstr(doc.buf, t->accounts[i]->proof));
	}
	u = tenant_doc_read(doc.buf, doc.len);
	ck_assert(u && u->n_accounts == 3 && !u->accounts[2]->token && !*u->accounts[2]->proof && u->accounts[2]->rate == t->accounts[2]->rate);
	tenant_free(&t);
	tenant_free(&u);
	strbuf_release(&doc);
}
END_TEST

static uint64_t version_of(const struct tenant *t)
{
	struct strbuf doc = STRBUF_INIT;
	uint64_t v;

	tenant_doc_write(t, true, &doc);
	v = tenant_doc_version(&doc);
	strbuf_release(&doc);
	return v;
}

static void change(struct tenant *t, int what)
{
	struct account *a = t->accounts[1];

	switch (what) {
	case 0: t->suspended = false; return;
	case 1: t->rate = 0; return;
	case 2: t->features_off = 0; return;
	case 3: free(t->domain); t->domain = mem_strdup("other"); return;
	case 4: a->rate++; return;
	case 5: a->enabled = !a->enabled; return;
	case 6: a->is_default = !a->is_default; return;
	case 7: a->token_since_ms++; return;
	case 8: a->token_expires_ms++; return;
	case 9: a->token[0] = 'X'; return;
	case 10: a->proof[0] = 'X'; return;
	case 11: a->waba_id[0] = '9'; return;
	case 12: free(a->app_id); a->app_id = NULL; return;
	case 13: free(a->tier); a->tier = mem_strdup("standard"); return;
	case 14: tenant_drop_last_account(t); return;
	case 15: tenant_free_keys(t); return;
	case 16: t->keys[1].scopes = BIT(API_SCOPE_READ); return;
	case 17: t->keys[1].expires_ms = 5; return;
	case 18: a->region[0] = 'X'; return;
	default: ck_abort_msg("no change %d", what);
	}
}

START_TEST(a_version_says_whether_anything_is_different)
{
	struct tenant *t = big(4), *again = big(4);
	uint64_t v = version_of(t), seen[19];

	ck_assert(v && v <= INT64_MAX && v == version_of(again));
	tenant_free(&again);
	for (int i = 0; i < 19; i++) {
		again = big(4);
		change(again, i);
		seen[i] = version_of(again);
		ck_assert_msg(seen[i] != v, "change %d", i);
		for (int k = 0; k < i; k++)
			ck_assert(seen[i] != seen[k]);
		tenant_free(&again);
	}
	tenant_free(&t);
}
END_TEST

static void must_not_read(const char *doc, size_t len)
{
	struct tenant *t = tenant_doc_read(doc, len);

	ck_assert_msg(t == NULL, "this is read: %.*s", (int)len, doc);
}

/* Each field at its place in a document of two accounts, replaced by what it may not be. */
START_TEST(a_broken_document_is_none)
{
	/* version, id, domain, suspended, features, rate, n | key: id, digest, scopes, expires | with tokens, n |
	   id, number, waba, app, since, expires, region, tier, rate, on, default, token, replaced, proof */
	static const char *const good[] = { "3", "t1", "d1", "0", "0", "0", "1",
		"k1", "00000000000000000000000000000000000000000000000000000000000000ff", "7", "0", "1", "2",
		"a", "1", "2", "", "0", "0", "DE", "", "80", "1", "0", "tok", "", "", "b", "3", "2", "", "0", "0", "", "", "80", "1", "0", "tok", "", "" };
	static const struct { int at; const char *bad; } rows[] = {
		{ 0, "2" }, { 0, "4" }, { 0, "" }, { 0, "x" }, { 1, "" }, { 1, "t/1" }, { 2, "" }, { 2, "{d}" }, { 3, "" }, { 3, "no" }, { 4, "x" }, { 5, "x" },
		{ 6, "0" }, { 6, "2" }, { 6, "x" }, { 6, "99" }, { 7, "" }, { 8, "" }, { 8, "00ff" }, { 9, "x" }, { 10, "never" }, { 11, "0" }, { 11, "x" },
		{ 12, "1" }, { 12, "3" }, { 12, "x" }, { 12, "" }, { 12, "9999999" }, { 13, "" }, { 13, "a b" }, { 14, "" }, { 14, "+1" }, { 15, "" },
		{ 15, "w" }, { 17, "x" }, { 18, "" }, { 19, "de" }, { 19, "DEU" }, { 21, "0" }, { 21, "-1" }, { 21, "" }, { 22, "yes" }, { 23, "" },
		{ 24, "" }, { 24, "tok en" }, { 24, "tok\r\n" }, { 27, "a" },		/* twice the same name */
		{ 26, "00000000000000000000000000000000000000000000000000000000000000000" },		/* a proof has 64 digits */
	};
	struct strbuf doc = STRBUF_INIT;
	struct tenant *t;

	for (int i = -1; i < (int)ARRAY_LEN(rows); i++) {
		strbuf_reset(&doc);
		for (int k = 0; k < (int)ARRAY_LEN(good); k++) {
			const char *field = i >= 0 && rows[i].at == k ? rows[i].bad : good[k];

			strbuf_addf(&doc, "%zu:%s", strlen(field), field);
		}
		if (i >= 0) {
			must_not_read(doc.buf, doc.len);
			continue;
		}
		t = tenant_doc_read(doc.buf, doc.len);
		ck_assert(t && t->n_accounts == 2 && t->n_keys == 1 && t->keys[0].sha[31] == 0xff && t->keys[0].scopes == 7);
		tenant_free(&t);
		for (size_t n = 0; n < doc.len; n++)
			must_not_read(doc.buf, n);
		strbuf_addc(&doc, '!');
		must_not_read(doc.buf, doc.len);
	}
	strbuf_release(&doc);
}
END_TEST

/* Whatever single byte changes, it is read or refused, and nothing else happens: sanitizers watch. */
START_TEST(no_byte_does_harm)
{
	struct tenant *t = big(3), *u;
	struct strbuf doc = STRBUF_INIT;
	struct tenant_answer a;
	int refused = 0;

	tenant_doc_write(t, true, &doc);
	for (size_t i = 0; i < doc.len; i++) {
		char was = doc.buf[i];

		for (int c = 0; c < 256; c += i < 40 ? 1 : 17) {
			doc.buf[i] = (char)c;
			u = tenant_doc_read(doc.buf, doc.len);
			refused += !u;
			tenant_free(&u);
			(void)!tenant_answer_read(doc.buf, doc.len, &a);
		}
		doc.buf[i] = was;
	}
	ck_assert_int_gt(refused, 1000);
	tenant_free(&t);
	strbuf_release(&doc);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tenant_wire");
	TCase *c = unit_case(s, "wire");

	tcase_add_test(c, what_is_asked_is_read);
	tcase_add_test(c, what_is_answered_is_read);
	tcase_add_test(c, what_is_broken_is_refused);
	tcase_add_test(c, a_tenant_with_many_accounts_is_the_same_over_there);
	tcase_add_test(c, an_api_is_told_no_token);
	tcase_add_test(c, a_version_says_whether_anything_is_different);
	tcase_add_test(c, a_broken_document_is_none);
	tcase_add_test(c, no_byte_does_harm);
	return unit_run(s);
}
