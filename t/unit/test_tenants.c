/* Tenants and accounts: what is refused and in which words, secrets, look-ups. */
#include "test_conf.h"

#define ACCOUNT "id = \"a\"; phone_number_id = \"1\"; waba_id = \"2\"; "
#define TENANT(accounts) "tenant:\n{\n\tid = \"t\"; accounts =\n\t(\n" accounts "\n\t);\n};"

static const struct { const char *text, *reason; } broken_tenants[] = {
	{ "senders = 2;", "@/tenants.d/t.conf:1: senders: no such setting (tenant or tenants belong here)" },
	{ "tenant = 5;", "@/tenants.d/t.conf:1: tenant: found a whole number, allowed a group: { … }" },
	{ "tenants = ( 1 );", "@/tenants.d/t.conf:1: tenant: found a whole number, allowed a group: { … }" },
	{ "tenant: { };", "@/tenants.d/t.conf:1: id: is missing" },
	{ "tenant: { id = \"a b\"; };", "@/tenants.d/t.conf:1: id: found \"a b\", allowed 1 to 64 of A-Z a-z 0-9 . _ -" },
	{ "tenant: { id = 5; };", "@/tenants.d/t.conf:1: id: found a whole number, allowed text in quotes" },
	{ "tenant: { id = \"t\"; portfolio = \"{x}\"; };", "@/tenants.d/t.conf:1: portfolio: found \"{x}\", allowed 1 to 64 of A-Z a-z 0-9 . _ -" },
	{ "tenant: { id = \"t\"; suspended = \"no\"; };", "@/tenants.d/t.conf:1: suspended: found text, allowed true or false" },
	{ "tenant: { id = \"t\"; colour = \"red\"; };", "@/tenants.d/t.conf:1: colour: no such setting" },
	{ "tenant: { id = \"t\"; accounts = [ 1 ]; };", "@/tenants.d/t.conf:1: accounts: found a list, allowed a list: ( { … }, { … } )" },
	{ TENANT("1"), "@/tenants.d/t.conf:5: accounts: found a whole number, allowed a list of { … } groups" },
	{ TENANT("{ id = \"a\"; }"), "@/tenants.d/t.conf:5: phone_number_id: is missing" },
	{ TENANT("{ " ACCOUNT "}"), "@/tenants.d/t.conf:5: access_token: is missing (or access_token_file)" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; access_token_file = \"y\"; }"), "@/tenants.d/t.conf:5: access_token: both access_token and access_token_file are given" },
	{ TENANT("{ id = \"a\"; phone_number_id = \"+49\"; waba_id = \"2\"; }"), "@/tenants.d/t.conf:5: phone_number_id: found \"+49\", allowed 1 to 32 digits" },
	{ TENANT("{ id = \"a\"; phone_number_id = \"1\"; waba_id = \"\"; }"), "@/tenants.d/t.conf:5: waba_id: found \"\", allowed 1 to 32 digits" },
	{ TENANT("{ " ACCOUNT "access_token = \"SECRET\\r\\nX-Evil: 1\"; }"), "@/tenants.d/t.conf:5: access_token: found 17 characters, allowed 1 to 1024 of A-Z a-z 0-9 . _ | ~ -" },
	{ TENANT("{ " ACCOUNT "access_token = \"SEC RET\"; }"), "@/tenants.d/t.conf:5: access_token: found 7 characters, allowed 1 to 1024 of A-Z a-z 0-9 . _ | ~ -" },
	{ TENANT("{ " ACCOUNT "access_token = \"\"; }"), "@/tenants.d/t.conf:5: access_token: found 0 characters, allowed 1 to 1024 of A-Z a-z 0-9 . _ | ~ -" },
	{ TENANT("{ " ACCOUNT "access_token = 5; }"), "@/tenants.d/t.conf:5: access_token: found a whole number, allowed text in quotes" },
	{ TENANT("{ " ACCOUNT "access_token_file = \"../none\"; }"), "@/tenants.d/t.conf:5: access_token_file: @/tenants.d/../none: No such file or directory" },
	{ TENANT("{ " ACCOUNT "access_token_file = \"../open\"; }"), "@/tenants.d/t.conf:5: access_token_file: @/tenants.d/../open: may be read by others (mode 644); chmod o-rwx it" },
	{ TENANT("{ " ACCOUNT "access_token_file = \"../blank\"; }"), "@/tenants.d/t.conf:5: access_token: found 7 characters, allowed 1 to 1024 of A-Z a-z 0-9 . _ | ~ -" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; rate = 0; }"), "@/tenants.d/t.conf:5: rate: found 0, allowed 1 to 100000" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; rate = \"5\"; }"), "@/tenants.d/t.conf:5: rate: found text, allowed a whole number" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; default = 1; }"), "@/tenants.d/t.conf:5: default: found a whole number, allowed true or false" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; default = true; },\n{ id = \"b\"; phone_number_id = \"3\"; waba_id = \"2\"; access_token = \"x\"; default = true; }"),
	  "@/tenants.d/t.conf:3: default: more than one account of tenant t is the default" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; },\n{ id = \"a\"; phone_number_id = \"3\"; waba_id = \"2\"; access_token = \"x\"; }"),
	  "@/tenants.d/t.conf:3: id: account a stands twice in tenant t" },
	{ "tenants = ( { id = \"t\"; }, { id = \"s\"; }, { id = \"t\"; } );", "tenants.d: tenant t stands twice" },
	{ "tenants = ( { id = \"t\"; accounts = ( { " ACCOUNT "access_token = \"x\"; } ); },\n"
	  "{ id = \"s\"; accounts = ( { id = \"z\"; phone_number_id = \"1\"; waba_id = \"9\"; access_token = \"x\"; } ); } );",
	  "tenants.d: phone_number_id 1 belongs to tenant" },
};

START_TEST(a_mistake_in_a_tenant_is_named_and_its_secret_is_not)
{
	struct strbuf why = STRBUF_INIT;

	put("wamd.conf", 0644, "");
	put("open", 0644, "token");
	put("blank", 0600, "SEC RET\nsecond line");
	for (size_t i = 0; i < ARRAY_LEN(broken_tenants); i++) {
		put("tenants.d/t.conf", 0600, broken_tenants[i].text);
		ck_assert_msg(load(&why) == NULL, "%s loads", broken_tenants[i].text);
		ck_assert_msg(!strstr(why.buf, "SEC"), "%s", why.buf);
		if (strstr(broken_tenants[i].reason, "belongs to")) {
			ck_assert_ptr_nonnull(strstr(why.buf, broken_tenants[i].reason));
			ck_assert(strstr(why.buf, "tenant t account a") && strstr(why.buf, "tenant s account z"));
		} else {
			check_reason(broken_tenants[i].text, &why, broken_tenants[i].reason);
		}
	}
	strbuf_release(&why);
}
END_TEST

static void put_tenants(void)
{
	put("tenants.d/b.conf", 0644,
	    "tenants = ( { id = \"zeta\"; accounts = ( { id = \"only\"; phone_number_id = \"30\"; waba_id = \"1\"; access_token = \"x\"; } ); },"
	    " { id = \"none\"; suspended = true; portfolio = \"group\"; } );");
	put("tenants.d/a.conf", 0644,
	    "tenant: { id = \"mid\"; accounts = ( { id = \"z\"; phone_number_id = \"20\"; waba_id = \"1\"; access_token = \"x\"; rate = 7; },"
	    " { id = \"30\"; phone_number_id = \"22\"; waba_id = \"1\"; access_token = \"x\"; enabled = false; app_secret = \"s\"; },"
	    " { id = \"a\"; phone_number_id = \"21\"; waba_id = \"1\"; access_token = \"x\"; } ); };");
}

START_TEST(tenants_and_accounts_are_found)
{
	struct conf *c;
	const struct tenant *mid;
	unsigned seen = 0;

	put_tenants();
	c = must_load("limit: { tiers = [ \"small=37\" ]; tier = \"small\"; };");
	ck_assert_int_eq(c->n_tenants, 3);
	ck_assert_int_eq(c->n_accounts, 4);
	mid = conf_tenant(c, "mid");
	ck_assert_str_eq(mid->id, "mid");
	ck_assert(!conf_tenant(c, "mi") && !conf_tenant(c, "") && !conf_tenant(c, "zzz") && conf_tenant(c, "zeta"));
	ck_assert_str_eq(mid->domain, "mid");
	ck_assert_str_eq(conf_tenant(c, "none")->domain, "group");
	ck_assert(conf_tenant(c, "none")->suspended && !mid->suspended);
	ck_assert_int_eq(tenant_account(mid, "z")->rate, 7);
	ck_assert_int_eq(tenant_account(mid, "a")->rate, 33);
	ck_assert_str_eq(tenant_account(mid, "a")->tier, "small");
	ck_assert_ptr_null(tenant_account(mid, "z")->tier);			/* its rate is named */
	ck_assert_str_eq(tenant_account(mid, "20")->id, "z");			/* by its phone number id */
	ck_assert_str_eq(tenant_account(mid, "30")->id, "30");			/* not the number of another tenant */
	ck_assert(!tenant_account(mid, "30")->enabled && tenant_account(mid, "z")->enabled);
	ck_assert_str_eq(tenant_account(mid, "30")->app_secret, "s");
	ck_assert(!tenant_account(mid, "only") && !tenant_account(mid, "") && !tenant_account(conf_tenant(c, "none"), "z"));
	ck_assert_ptr_null(tenant_default_account(mid));			/* several, none marked */
	ck_assert_str_eq(tenant_default_account(conf_tenant(c, "zeta"))->id, "only");
	ck_assert_ptr_null(tenant_default_account(conf_tenant(c, "none")));
	for (int i = 0; i < c->n_tenants; i++)
		for (int k = 0; k < c->tenants[i].n_accounts; k++) {
			ck_assert_ptr_eq(c->tenants[i].accounts[k].tenant, &c->tenants[i]);
			seen |= BIT(c->tenants[i].accounts[k].index);
		}
	ck_assert_uint_eq(seen, 0xf);						/* 0 … n - 1, each once */
	conf_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tenants");
	TCase *c = unit_case(s, "tenants");

	tcase_add_checked_fixture(c, in_a_directory, clean);
	tcase_add_test(c, a_mistake_in_a_tenant_is_named_and_its_secret_is_not);
	tcase_add_test(c, tenants_and_accounts_are_found);
	return unit_run(s);
}
