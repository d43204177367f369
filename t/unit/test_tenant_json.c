/* What a tenant service may say, in both shapes: read where it can be, left out and named where not. */
#include "test_conf.h"

#include "msg/tenant_json.h"

static struct conf *conf;
static struct strbuf why;

static void setup(void)
{
	in_a_directory();
	conf = must_load("limit: { tiers = [ \"standard=80\", \"plus=250\" ]; tier = \"standard\"; headroom = 90; };");
	strbuf_init(&why);
}

static void teardown(void)
{
	conf_free(&conf);
	strbuf_release(&why);
	clean();
}

static struct tenant *read_json(const char *text)
{
	strbuf_reset(&why);
	return tenant_from_json(conf, "t1", (struct tenant_bytes){ text, strlen(text) }, &why);
}

static struct tenant *read_two(const char *credentials, const char *number)
{
	strbuf_reset(&why);
	return tenant_from_credentials(conf, "t1", (struct tenant_bytes){ credentials, strlen(credentials) },
				       (struct tenant_bytes){ number, strlen(number) }, &why);
}

#define ACCOUNT(more) "{\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"2\",\"access_token\":\"tok\"" more "}"
#define TENANT(more, accounts) "{\"tenant_id\":\"t1\"" more ",\"accounts\":[" accounts "]}"

START_TEST(the_whole_of_it)
{
	struct tenant *t = read_json(TENANT(",\"status\":\"suspended\",\"portfolio\":\"group\",\"rate\":40,\"features\":{\"media\":false,\"text\":true,\"magic\":false},"
					    "\"more\":[1,{\"x\":null}]",
		"{\"account_id\":\"b\",\"phone_number_id\":\"10\",\"waba_id\":\"20\",\"app_id\":\"30\",\"access_token\":\"tok-b\",\"app_secret\":\"sec\","
		"\"token_expires_at\":\"2026-11-23T10:00:00Z\",\"rate\":{\"per_second\":7},\"enabled\":false,\"default\":true,\"default_region\":\"DE\",\"colour\":\"red\"},"
		ACCOUNT("")));
	const struct account *a, *b;

	ck_assert_msg(t && !why.len, "%s", why.buf);
	a = tenant_account(t, "a");
	b = tenant_account(t, "b");
	ck_assert(!strcmp(t->id, "t1") && !strcmp(t->domain, "group") && t->suspended && t->rate == 40 && t->n_accounts == 2);
	ck_assert_uint_eq(t->features_off, BIT(FEATURE_MEDIA));
	ck_assert(!strcmp(b->phone_number_id, "10") && !strcmp(b->waba_id, "20") && !strcmp(b->app_id, "30") && !strcmp(b->token, "tok-b"));
	ck_assert(!strcmp(b->app_secret, "sec") && strlen(b->proof) == 64 && b->token_expires_ms == 1795428000000 && b->rate == 7 && !b->tier);
	ck_assert(!b->enabled && !strcmp(b->region, "DE") && !a->region && b->is_default && b->tenant == t);
	ck_assert(a->enabled && !a->is_default && !a->app_id && !a->app_secret && !*a->proof && !a->token_expires_ms && a->rate == 72);
	ck_assert_str_eq(a->tier, "standard");
	tenant_free(&t);
}
END_TEST

/* Only what is no tenant at all is refused. */
static const struct { const char *text, *why; } refused[] = {
	{ "", NULL }, { "garbage", NULL }, { "<html>", NULL }, { "{\"accounts\":[", NULL }, { "{\"accounts\":[],\"accounts\":[]}", NULL },
	{ "[]", "found an array, allowed an object" }, { "{}", "accounts: found nothing, allowed a list" },
	{ "{\"accounts\":{}}", "accounts: found an object, allowed a list" }, { "{\"accounts\":null}", "accounts: found null, allowed a list" },
	{ "{\"tenant_id\":\"t2\",\"accounts\":[]}", "tenant_id: it is another one" },
	{ TENANT("", ACCOUNT("") "," ACCOUNT("")), "id: account a stands twice in tenant t1" },
	{ TENANT("", ACCOUNT(",\"default\":true") ",{\"account_id\":\"b\",\"phone_number_id\":\"3\",\"waba_id\":\"2\",\"access_token\":\"t\",\"default\":true}"),
	  "default: more than one account of tenant t1 is the default" },
};

START_TEST(what_is_no_tenant_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct tenant *t = read_json(refused[i].text);

		ck_assert_msg(t == NULL, "%s is read", refused[i].text);
		ck_assert_msg(why.len > 0, "%s: no reason", refused[i].text);
		if (refused[i].why)
			ck_assert_msg(!strcmp(why.buf, refused[i].why), "%s: %s", refused[i].text, why.buf);
	}
}
END_TEST

/* A field that is wrong costs its account, which is named; its neighbour stays, and no secret is told. */
#define GOOD ",{\"account_id\":\"good\",\"phone_number_id\":\"9\",\"waba_id\":\"2\",\"access_token\":\"SECRET-2\"}"
#define TOKEN "\"access_token\":\"SECRET\""
static const struct { const char *account, *why; } left_out[] = {
	{ "7", "account ?.account_id" }, { "null", "account ?.account_id" }, { "[]", "account ?.account_id" }, { "{}", "account ?.account_id" },
	{ "{\"account_id\":7,\"phone_number_id\":\"1\",\"waba_id\":\"2\"," TOKEN "}", "account ?.account_id" },
	{ "{\"account_id\":\"a b\",\"phone_number_id\":\"1\",\"waba_id\":\"2\"," TOKEN "}", "account ?.account_id" },
	{ "{\"account_id\":\"\",\"phone_number_id\":\"1\",\"waba_id\":\"2\"," TOKEN "}", "account ?.account_id" },
	{ "{\"account_id\":\"a\",\"waba_id\":\"2\"," TOKEN "}", "account a.phone_number_id" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":1,\"waba_id\":\"2\"," TOKEN "}", "account a.phone_number_id" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"+491\",\"waba_id\":\"2\"," TOKEN "}", "account a.phone_number_id" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"1/../2\",\"waba_id\":\"2\"," TOKEN "}", "account a.phone_number_id" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"1\"," TOKEN "}", "account a.waba_id" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"x\"," TOKEN "}", "account a.waba_id" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"2\"}", "account a.access_token" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"2\",\"access_token\":\"\"}", "account a.access_token" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"2\",\"access_token\":\"SECRET\\r\\nX-Evil: 1\"}", "account a.access_token" },
	{ "{\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"2\",\"access_token\":[\"SECRET\"]}", "account a.access_token" },
};

START_TEST(a_wrong_field_costs_its_account)
{
	struct strbuf text = STRBUF_INIT;
	struct tenant *t;

	for (size_t i = 0; i < ARRAY_LEN(left_out); i++) {
		strbuf_setf(&text, "{\"accounts\":[%s" GOOD "]}", left_out[i].account);
		t = read_json(text.buf);
		ck_assert_msg(t && t->n_accounts == 1 && tenant_account(t, "good"), "%s", text.buf);
		ck_assert_msg(!strncmp(why.buf, left_out[i].why, strlen(left_out[i].why)), "%s: %s", text.buf, why.buf);
		ck_assert_msg(!strstr(why.buf, "SECRET"), "%s", why.buf);
		tenant_free(&t);
	}
	t = read_json("{\"accounts\":[{},{\"account_id\":\"a\"},3]}");
	ck_assert(t && t->n_accounts == 0);
	ck_assert(strstr(why.buf, "account ?.account_id") && strstr(why.buf, "; account a.phone_number_id"));
	tenant_free(&t);
	strbuf_release(&text);
}
END_TEST

/* What may be left away may be nonsense, too: then it is as if it were not there. */
static const struct { const char *of_tenant, *of_account; int64_t rate, expires_ms; bool suspended, enabled; unsigned off; } lenient[] = {
	{ "", "", 72, 0, false, true, 0 },
	{ ",\"status\":\"active\"", "", 72, 0, false, true, 0 }, { ",\"status\":7,\"portfolio\":\"a b\"", "", 72, 0, false, true, 0 },
	{ ",\"features\":[]", "", 72, 0, false, true, 0 }, { ",\"features\":{\"media\":0,\"text\":\"false\"}", "", 72, 0, false, true, 0 },
	{ ",\"features\":{\"reaction\":false}", "", 72, 0, false, true, BIT(FEATURE_REACTION) },
	{ ",\"tier\":\"plus\"", "", 225, 0, false, true, 0 }, { ",\"tier\":\"plus\"", ",\"tier\":\"standard\"", 72, 0, false, true, 0 },
	{ ",\"tier\":\"plus\"", ",\"tier\":\"unheard-of\"", 225, 0, false, true, 0 }, { ",\"tier\":\"unheard-of\"", "", 72, 0, false, true, 0 },
	{ "", ",\"tier\":\"plus\",\"rate\":5", 5, 0, false, true, 0 }, { "", ",\"rate\":0", 72, 0, false, true, 0 },
	{ "", ",\"rate\":-1", 72, 0, false, true, 0 }, { "", ",\"rate\":100001", 72, 0, false, true, 0 }, { "", ",\"rate\":100000", 100000, 0, false, true, 0 },
	{ "", ",\"rate\":\"5\"", 72, 0, false, true, 0 }, { "", ",\"rate\":1.5", 72, 0, false, true, 0 },
	{ "", ",\"rate\":{\"per_minute\":5}", 72, 0, false, true, 0 }, { "", ",\"rate\":{\"per_second\":5}", 5, 0, false, true, 0 },
	{ "", ",\"enabled\":0", 72, 0, false, true, 0 }, { "", ",\"enabled\":false", 72, 0, false, false, 0 },
	{ "", ",\"app_id\":\"x\",\"app_secret\":\"\"", 72, 0, false, true, 0 },
	{ "", ",\"token_expires_at\":1764000000", 72, 1764000000000, false, true, 0 },
	{ "", ",\"token_expires_at\":\"2025-11-24T16:00:00Z\"", 72, 1764000000000, false, true, 0 },
	{ "", ",\"token_expires_at\":\"2025-11-24T17:00:00.500+01:00\"", 72, 1764000000500, false, true, 0 },
	{ "", ",\"token_expires_at\":\"soon\"", 72, 0, false, true, 0 }, { "", ",\"token_expires_at\":null", 72, 0, false, true, 0 },
	{ "", ",\"token_expires_at\":-5", 72, 0, false, true, 0 }, { "", ",\"token_expires_at\":9223372036854775807", 72, 0, false, true, 0 },
	{ "", ",\"token_expires_at\":1.5", 72, 0, false, true, 0 },
};

START_TEST(what_need_not_be_there_does_not_matter)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(lenient); i++) {
		struct tenant *t;
		const struct account *a;

		strbuf_setf(&text, "{\"tenant_id\":\"t1\"%s,\"accounts\":[{\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"2\","
			    "\"access_token\":\"tok\"%s}]}", lenient[i].of_tenant, lenient[i].of_account);
		t = read_json(text.buf);
		ck_assert_msg(t && t->n_accounts == 1 && !why.len, "%s: %s", text.buf, why.buf);
		a = t->accounts[0];
		ck_assert_msg(a->rate == lenient[i].rate, "%s: rate %lld", text.buf, (long long)a->rate);
		ck_assert_msg(a->token_expires_ms == lenient[i].expires_ms, "%s: ends %lld", text.buf, (long long)a->token_expires_ms);
		ck_assert_msg(t->suspended == lenient[i].suspended && a->enabled == lenient[i].enabled && t->features_off == lenient[i].off, "%s", text.buf);
		ck_assert(!strcmp(t->domain, "t1") && !a->app_secret && !*a->proof && !a->app_id && conf_rate_of_tier(conf, "plus") == 225);
		tenant_free(&t);
	}
	strbuf_release(&text);
}
END_TEST

#define NUMBER "{\"phoneNumberId\":\"10\",\"wabaId\":\"20\",\"x\":1}"

START_TEST(the_second_shape_is_one_account_with_its_number_as_name)
{
	struct tenant *t = read_two("{\"accessToken\":\"tok\",\"status\":\"suspended\",\"expiresAt\":\"2025-11-24T16:00:00Z\",\"y\":[]}", NUMBER);
	const struct account *a;

	ck_assert_msg(t && t->n_accounts == 1 && !why.len, "%s", why.buf);
	a = tenant_default_account(t);
	ck_assert(t->suspended && !strcmp(t->id, "t1") && !strcmp(t->domain, "t1") && a->enabled);
	ck_assert(!strcmp(a->id, "10") && !strcmp(a->phone_number_id, "10") && !strcmp(a->waba_id, "20") && !strcmp(a->token, "tok"));
	ck_assert(a->token_expires_ms == 1764000000000 && a->rate == 72 && !strcmp(a->tier, "standard"));
	tenant_free(&t);
	t = read_two("{\"accessToken\":\"tok\",\"status\":\"active\",\"tier\":\"plus\",\"expiresAt\":\"never\"}", NUMBER);
	ck_assert(t && !t->suspended && t->accounts[0]->rate == 225 && !t->accounts[0]->token_expires_ms);
	tenant_free(&t);
}
END_TEST

static const struct { const char *credentials, *number, *why; } refused_pairs[] = {
	{ "{}", NUMBER, "accessToken: " }, { "{\"accessToken\":\"SEC RET\"}", NUMBER, "accessToken: " }, { "{\"accessToken\":5}", NUMBER, "accessToken: " },
	{ "{\"access_token\":\"SECRET\"}", NUMBER, "accessToken: " }, { "{\"accessToken\":\"SECRET\"}", "{}", "phoneNumberId: " },
	{ "{\"accessToken\":\"SECRET\"}", "{\"phoneNumberId\":10,\"wabaId\":\"20\"}", "phoneNumberId: " },
	{ "{\"accessToken\":\"SECRET\"}", "{\"phoneNumberId\":\"10\"}", "wabaId: " }, { "{\"accessToken\":\"SECRET\"}", "{\"phoneNumberId\":\"10\",\"wabaId\":\"a\"}", "wabaId: " },
	{ "[]", NUMBER, "found an array" }, { "{\"accessToken\":\"SECRET\"}", "[]", "found an array" }, { "SECRET", NUMBER, "" }, { "{\"accessToken\":\"SECRET\"}", "", "" },
};

START_TEST(half_of_the_second_shape_is_none)
{
	for (size_t i = 0; i < ARRAY_LEN(refused_pairs); i++) {
		ck_assert_msg(read_two(refused_pairs[i].credentials, refused_pairs[i].number) == NULL, "pair %zu is read", i);
		ck_assert_msg(why.len && !strncmp(why.buf, refused_pairs[i].why, strlen(refused_pairs[i].why)), "pair %zu: %s", i, why.buf);
		ck_assert_msg(!strstr(why.buf, "SECRET"), "pair %zu: %s", i, why.buf);
	}
}
END_TEST

/* Cut or changed anywhere, it is read or refused: sanitizers watch. */
START_TEST(no_byte_does_harm)
{
	char text[] = TENANT(",\"status\":\"suspended\",\"features\":{\"media\":false},\"tier\":\"plus\"", ACCOUNT(",\"rate\":{\"per_second\":7}") GOOD);
	int refusals = 0;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char was = text[i];
		static const char bytes[] = "\"{}[]:,\\ 0\x80";

		for (size_t k = 0; k < sizeof(bytes); k++) {
			struct tenant *t;

			text[i] = bytes[k];
			t = tenant_from_json(conf, "t1", (struct tenant_bytes){ text, sizeof(text) - 1 }, &why);
			refusals += !t;
			tenant_free(&t);
		}
		text[i] = was;
		ck_assert_ptr_null(tenant_from_json(conf, "t1", (struct tenant_bytes){ text, i }, &why));
	}
	ck_assert_int_gt(refusals, 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tenant_json");
	TCase *c = unit_case(s, "json");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, the_whole_of_it);
	tcase_add_test(c, what_is_no_tenant_is_refused);
	tcase_add_test(c, a_wrong_field_costs_its_account);
	tcase_add_test(c, what_need_not_be_there_does_not_matter);
	tcase_add_test(c, the_second_shape_is_one_account_with_its_number_as_name);
	tcase_add_test(c, half_of_the_second_shape_is_none);
	tcase_add_test(c, no_byte_does_harm);
	return unit_run(s);
}
