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
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; default_region = \"Germany\"; }"), "@/tenants.d/t.conf:5: default_region: found \"Germany\", allowed two capital letters such as DE" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; rate = 0; }"), "@/tenants.d/t.conf:5: rate: found 0, allowed 1 to 100000" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; rate = \"5\"; }"), "@/tenants.d/t.conf:5: rate: found text, allowed a whole number" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; default = 1; }"), "@/tenants.d/t.conf:5: default: found a whole number, allowed true or false" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; default = true; },\n{ id = \"b\"; phone_number_id = \"3\"; waba_id = \"2\"; access_token = \"x\"; default = true; }"),
	  "@/tenants.d/t.conf:3: default: more than one account of tenant t is the default" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; },\n{ id = \"a\"; phone_number_id = \"3\"; waba_id = \"2\"; access_token = \"x\"; }"),
	  "@/tenants.d/t.conf:3: id: account a stands twice in tenant t" },
	{ TENANT("{ " ACCOUNT "access_token = \"x\"; },\n{ id = \"b\"; phone_number_id = \"1\"; waba_id = \"2\"; access_token = \"x\"; }"),
	  "@/tenants.d/t.conf:3: phone_number_id: 1 stands twice in tenant t" },
	{ "tenants = ( { id = \"t\"; }, { id = \"s\"; }, { id = \"t\"; } );", "@/tenants.d/t.conf:1: id: tenant t stands twice" },
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
	ck_assert_int_eq(tenant_set_size(c->tenants), 3);
	ck_assert_int_eq(c->tenants->n_accounts, 4);
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
	/* printf x | openssl dgst -sha256 -hmac s */
	ck_assert_str_eq(tenant_account(mid, "30")->proof, "cefb105ee22996fb167ed606478d2931b87aa3ab99b4b04b68c4fc16c8b49a30");
	ck_assert_str_eq(tenant_account(mid, "z")->proof, "");
	ck_assert(!tenant_account(mid, "only") && !tenant_account(mid, "") && !tenant_account(conf_tenant(c, "none"), "z"));
	ck_assert_ptr_null(tenant_default_account(mid));			/* several, none marked */
	ck_assert_str_eq(tenant_default_account(conf_tenant(c, "zeta"))->id, "only");
	ck_assert_ptr_null(tenant_default_account(conf_tenant(c, "none")));
	for (int i = 0; i < tenant_set_size(c->tenants); i++)
		for (int k = 0; k < tenant_set_at(c->tenants, i)->n_accounts; k++) {
			ck_assert_ptr_eq(tenant_set_at(c->tenants, i)->accounts[k]->tenant, tenant_set_at(c->tenants, i));
			seen |= BIT(tenant_set_at(c->tenants, i)->accounts[k]->index);
		}
	ck_assert_uint_eq(seen, 0xf);						/* 0 … n - 1, each once */
	conf_free(&c);
}
END_TEST

/* ---- a set that changes ---- */

static struct account *give(struct tenant *t, const char *id, const char *number, const char *token, int64_t since)
{
	struct account *a = tenant_add_account(t);

	a->id = strdup(id);
	a->phone_number_id = strdup(number);
	a->waba_id = strdup("7");
	a->token = strdup(token);
	a->token_since_ms = since;
	a->rate = 10;
	return a;
}

static struct tenant *fresh(const char *domain)
{
	struct tenant *t = tenant_new("t1", domain);

	give(t, "b", "2", "tb", 0);
	give(t, "a", "1", "ta", 100);
	return t;
}

static struct tenant *finished(struct tenant *t)
{
	struct strbuf why = STRBUF_INIT;

	ck_assert_msg(tenant_finish(t, &why) == 0, "%s", why.buf);
	strbuf_release(&why);
	return t;
}

START_TEST(what_is_known_changes_in_place)
{
	struct tenant_set *ts = tenant_set_new();
	bool changed;
	struct tenant *t = tenant_set_put(ts, finished(fresh("t1")), &changed), *again;
	struct account *a = tenant_account(t, "a"), *b = tenant_account(t, "2");

	ck_assert(changed && !strcmp(b->id, "b"));
	again = tenant_set_put(ts, finished(fresh("t1")), &changed);
	ck_assert(again == t && !changed && tenant_account(t, "a") == a);
	again = fresh("t1");
	again->suspended = true;
	free(again->accounts[0]->token);
	again->accounts[0]->token = strdup("new");
	ck_assert_ptr_eq(tenant_set_put(ts, finished(again), &changed), t);
	ck_assert(changed && t->suspended && tenant_account(t, "b") == b);
	ck_assert_str_eq(b->token, "new");
	ck_assert_uint_eq(b->token_serial, 1);
	ck_assert_uint_eq(a->token_serial, 0);
	tenant_set_free(&ts);
}
END_TEST

START_TEST(an_older_token_does_not_come_back)
{
	struct tenant_set *ts = tenant_set_new();
	bool changed;
	struct tenant *t = tenant_set_put(ts, finished(fresh("t1")), &changed);
	struct account *a = tenant_account(t, "a");

	ck_assert(account_set_token(a, "refreshed", 200, 9000));
	ck_assert(!account_set_token(a, "refreshed", 200, 9000));
	tenant_set_put(ts, finished(fresh("t1")), &changed);		/* says ta, since 100 */
	ck_assert_str_eq(a->token, "refreshed");
	ck_assert(!changed);
	tenant_set_free(&ts);
}
END_TEST

/* Ours could not be stored: what its source still has is older, but a third one is newer. */
START_TEST(a_token_that_was_replaced_does_not_come_back)
{
	struct tenant_set *ts = tenant_set_new();
	bool changed;
	struct tenant *t = tenant_set_put(ts, finished(fresh("t1")), &changed), *third;
	struct account *b = tenant_account(t, "b");

	b->replaced = strdup(b->token);
	ck_assert(account_set_token(b, "exchanged", 0, 0));
	tenant_set_put(ts, finished(fresh("t1")), &changed);
	ck_assert(!changed && b->replaced);
	ck_assert_str_eq(b->token, "exchanged");
	third = fresh("t1");
	free(third->accounts[0]->token);
	third->accounts[0]->token = strdup("by-hand");
	tenant_set_put(ts, finished(third), &changed);
	ck_assert(changed && !b->replaced);
	ck_assert_str_eq(b->token, "by-hand");
	tenant_set_free(&ts);
}
END_TEST

static void count_gone(void *arg, struct account *a)
{
	ck_assert(a->is_gone);
	account_wipe(a);
	ck_assert(!a->token && !a->app_secret);
	++*(int *)arg;
}

START_TEST(what_is_gone_stays_where_it_is_but_is_not_found)
{
	struct tenant_set *ts = tenant_set_new();
	bool changed;
	struct tenant *t = tenant_set_put(ts, finished(fresh("t1")), &changed), *less = tenant_new("t1", "t1");
	struct account *a = tenant_account(t, "a"), *b = tenant_account(t, "b");
	int n = 0;

	give(less, "b", "2", "tb", 0);
	tenant_set_put(ts, finished(less), &changed);
	ck_assert(changed && a->is_gone && !b->is_gone && !tenant_account(t, "a") && !tenant_account(t, "1"));
	ck_assert_ptr_eq(tenant_default_account(t), b);
	tenant_set_put(ts, finished(fresh("t1")), &changed);		/* and is another one when it comes back */
	ck_assert(changed && tenant_account(t, "a") && tenant_account(t, "a") != a);
	ck_assert_int_eq(tenant_account(t, "a")->index, 2);
	tenant_set_each_gone(ts, count_gone, &n);
	ck_assert_int_eq(n, 1);
	tenant_set_forget(ts, "t1");
	tenant_set_forget(ts, "t1");
	ck_assert(!tenant_set_find(ts, "t1") && b->is_gone && t->is_gone);
	n = 0;
	tenant_set_each_gone(ts, count_gone, &n);
	ck_assert_int_eq(n, 3);
	tenant_set_free(&ts);
}
END_TEST

START_TEST(another_number_business_account_or_domain_is_another_object)
{
	struct tenant_set *ts = tenant_set_new();
	bool changed;
	struct tenant *t = tenant_set_put(ts, finished(fresh("t1")), &changed), *other = fresh("t1");
	struct account *a = tenant_account(t, "a"), *b = tenant_account(t, "b");

	free(other->accounts[1]->phone_number_id);
	other->accounts[1]->phone_number_id = strdup("11");
	free(other->accounts[0]->waba_id);
	other->accounts[0]->waba_id = strdup("8");
	tenant_set_put(ts, finished(other), &changed);
	ck_assert(changed && a->is_gone && b->is_gone && tenant_account(t, "a") != a && tenant_account(t, "b") != b);
	other = tenant_set_put(ts, finished(fresh("group")), &changed);
	ck_assert(changed && other != t && t->is_gone && tenant_set_find(ts, "t1") == other);
	tenant_set_free(&ts);
}
END_TEST

START_TEST(a_number_belongs_to_one)
{
	struct tenant_set *ts = tenant_set_new();
	bool changed;
	struct tenant *thief = tenant_new("t2", "t2");
	const struct account *by = NULL;

	tenant_set_put(ts, finished(fresh("t1")), &changed);
	give(thief, "x", "3", "tx", 0);
	ck_assert_ptr_null(tenant_set_number_is_taken(ts, thief, &by));
	give(thief, "y", "2", "ty", 0);
	ck_assert_ptr_eq(tenant_set_number_is_taken(ts, thief, &by), thief->accounts[1]);
	ck_assert_str_eq(by->tenant->id, "t1");
	tenant_free(&thief);
	tenant_set_free(&ts);
}
END_TEST

START_TEST(accounts_are_found_by_number_and_by_business_account)
{
	enum { MANY = 1000 };
	struct tenant_set *ts = tenant_set_new();
	struct tenant *t = tenant_new("t1", "t1"), *less = tenant_new("t1", "t1");
	char id[16];
	bool changed;
	int n = 0;

	ck_assert(!account_by_number(&ts->index, "1") && !account_by_waba(&ts->index, "7"));
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "%d", i);
		give(t, id, id, "token", 0);
	}
	free(t->accounts[500]->waba_id);
	t->accounts[500]->waba_id = strdup("8");
	t = tenant_set_put(ts, finished(t), &changed);
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "%d", i);
		ck_assert_ptr_eq(account_by_number(&ts->index, id), tenant_account(t, id));
	}
	ck_assert_str_eq(account_by_waba(&ts->index, "8")->id, "500");
	ck_assert_ptr_null(account_next_of_waba(account_by_waba(&ts->index, "8")));
	for (const struct account *a = account_by_waba(&ts->index, "7"); a; a = account_next_of_waba(a))
		n++;
	ck_assert_int_eq(n, MANY - 1);
	ck_assert(!account_by_number(&ts->index, "1000") && !account_by_number(&ts->index, "") && !account_by_waba(&ts->index, "9"));
	give(less, "500", "500", "token", 0);		/* on another business account: another object */
	tenant_set_put(ts, finished(less), &changed);
	ck_assert_ptr_eq(account_by_number(&ts->index, "500"), tenant_account(t, "500"));
	ck_assert(!account_by_number(&ts->index, "1") && !account_by_waba(&ts->index, "8"));
	ck_assert_ptr_null(account_next_of_waba(account_by_waba(&ts->index, "7")));
	tenant_set_forget(ts, "t1");
	ck_assert(!account_by_number(&ts->index, "500") && !account_by_waba(&ts->index, "7"));
	tenant_set_free(&ts);
}
END_TEST

START_TEST(a_feature_is_off_for_all_or_for_one)
{
	struct conf *c;
	enum feature f;

	put("tenants.d/a.conf", 0644, "tenants = ( { id = \"a\"; features = { media = false; text = true; }; }, { id = \"b\"; } );");
	c = must_load("features: { templates = false; };");
	ck_assert(feature_of_type("sticker", &f) == 0 && f == FEATURE_MEDIA);
	ck_assert(feature_of_type("stick", &f) < 0 && feature_of_type("", &f) < 0 && feature_parse("nothing", &f) < 0);
	ck_assert(!conf_feature_is_on(c, conf_tenant(c, "a"), FEATURE_MEDIA) && conf_feature_is_on(c, conf_tenant(c, "b"), FEATURE_MEDIA));
	ck_assert(conf_feature_is_on(c, conf_tenant(c, "a"), FEATURE_TEXT) && !conf_feature_is_on(c, conf_tenant(c, "b"), FEATURE_TEMPLATES));
	conf_free(&c);
}
END_TEST

/* ---- refreshed tokens in files of their own ---- */

static void put_at(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static struct account *configured(struct conf *c, const char *token, int64_t since_ms)
{
	struct account *a = conf_tenant(c, "t")->accounts[0];

	account_set_token(a, token, 0, 0);
	a->token_since_ms = since_ms;
	return a;
}

static struct conf *with_state_dir(void)
{
	struct strbuf text = STRBUF_INIT;
	struct conf *c;

	put("tenants.d/t.conf", 0600, TENANT("{ " ACCOUNT "access_token = \"configured\"; app_secret = \"s\"; }"));
	strbuf_setf(&text, "state_dir = \"%s/state\";", dir);
	mkdir(path_of("state"), 0755);
	c = must_load(text.buf);
	strbuf_release(&text);
	return c;
}

static void must_store(const struct conf *c, const struct account *a)
{
	struct strbuf why = STRBUF_INIT;

	ck_assert_msg(conf_store_token(c, a, &why) == 0, "%s", why.buf);
	strbuf_release(&why);
}

#define STORED "state/tokens/t/a"

static void check_file(const char *want)
{
	char text[256] = "";
	FILE *f = fopen(path_of(STORED), "r");
	struct stat st;

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, f), 0);
	fclose(f);
	ck_assert_str_eq(text, want);
	ck_assert_int_eq(stat(path_of(STORED), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(path_of("state/tokens/t"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_lt(access(path_of(STORED ".new"), F_OK), 0);
}

START_TEST(the_newer_token_counts)
{
	struct conf *c = with_state_dir();
	struct account *a = configured(c, "refreshed", 2000);
	char proof[sizeof(a->proof)];
	unsigned serial;

	a->token_expires_ms = 9000;
	memcpy(proof, a->proof, sizeof(proof));
	ck_assert(!conf_read_stored_token(c, a));			/* there is none yet */
	must_store(c, a);
	check_file("refreshed 2000 9000\n");
	a = configured(c, "configured", 1000);
	serial = a->token_serial;
	ck_assert(conf_read_stored_token(c, a));
	ck_assert(!strcmp(a->token, "refreshed") && a->token_since_ms == 2000 && a->token_expires_ms == 9000 && a->token_serial != serial);
	ck_assert_str_eq(a->proof, proof);
	serial = a->token_serial;
	ck_assert(!conf_read_stored_token(c, a));			/* the same again */
	ck_assert_uint_eq(a->token_serial, serial);
	for (int64_t since = 2000; since < 2002; since++) {		/* as old, or older: somebody has configured another one since */
		a = configured(c, "by-hand", since);
		ck_assert(!conf_read_stored_token(c, a));
		ck_assert_str_eq(a->token, "by-hand");
	}
	a->token_expires_ms = 0;
	must_store(c, a);						/* in place of the old one */
	check_file("by-hand 2001 0\n");
	conf_free(&c);
}
END_TEST

START_TEST(a_broken_token_file_is_as_none)
{
	static const char *const texts[] = { "", "\n", "token", "token 5000", "token 5000\n", "token x 0\n", "token 5000 x\n", "tok\"en 5000 0\n",
		"5000 0\n", "token\x01 5000 0\n", "token 99999999999999999999 0\n", "token -5000 0\n", "token 0 0\n" };
	struct conf *c = with_state_dir();
	struct account *a = configured(c, "configured", 1000);
	struct strbuf text = STRBUF_INIT;

	must_store(c, a);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put_at(STORED, texts[i]);
		ck_assert_msg(!conf_read_stored_token(c, a), "\"%s\" is read", texts[i]);
		ck_assert_str_eq(a->token, "configured");
	}
	for (int i = 0; i < ACCESS_TOKEN_MAX; i++)
		strbuf_addc(&text, 'x');
	strbuf_adds(&text, " 5000 1764000000000\n");			/* the longest that may be */
	put_at(STORED, text.buf);
	ck_assert(conf_read_stored_token(c, a) && strlen(a->token) == ACCESS_TOKEN_MAX && a->token_expires_ms == 1764000000000);
	strbuf_setf(&text, "x%s 6000 0\n", a->token);
	put_at(STORED, text.buf);
	ck_assert(!conf_read_stored_token(c, a));			/* one more */
	ck_assert_int_eq(unlink(path_of(STORED)), 0);			/* nobody may send us elsewhere */
	put_at("elsewhere", "other 7000 0\n");
	strbuf_setf(&text, "%s/elsewhere", dir);
	ck_assert_int_eq(symlink(text.buf, path_of(STORED)), 0);
	ck_assert(!conf_read_stored_token(c, a));
	strbuf_release(&text);
	conf_free(&c);
}
END_TEST

START_TEST(a_token_is_stored_whole_or_not_at_all)
{
	struct conf *c = with_state_dir();
	struct account *a = configured(c, "one", 1000);
	struct strbuf why = STRBUF_INIT;

	must_store(c, a);
	ck_assert_int_eq(mkdir(path_of(STORED ".new"), 0700), 0);	/* what is written first cannot be */
	configured(c, "two", 2000);
	ck_assert_int_eq(conf_store_token(c, a, &why), -1);
	ck_assert_msg(strstr(why.buf, STORED ": ") && !strstr(why.buf, "two"), "%s", why.buf);
	rmdir(path_of(STORED ".new"));
	check_file("one 1000 0\n");
	put_at(STORED ".new", "left behind by one that died, and longer than a token\n");
	must_store(c, a);
	check_file("two 2000 0\n");
	remove_all(path_of("state"));
	put_at("state", "a file");
	ck_assert_int_eq(conf_store_token(c, a, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.buf, "state/tokens: "));
	strbuf_release(&why);
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
	tcase_add_test(c, what_is_known_changes_in_place);
	tcase_add_test(c, an_older_token_does_not_come_back);
	tcase_add_test(c, a_token_that_was_replaced_does_not_come_back);
	tcase_add_test(c, what_is_gone_stays_where_it_is_but_is_not_found);
	tcase_add_test(c, another_number_business_account_or_domain_is_another_object);
	tcase_add_test(c, a_number_belongs_to_one);
	tcase_add_test(c, accounts_are_found_by_number_and_by_business_account);
	tcase_add_test(c, a_feature_is_off_for_all_or_for_one);
	tcase_add_test(c, the_newer_token_counts);
	tcase_add_test(c, a_broken_token_file_is_as_none);
	tcase_add_test(c, a_token_is_stored_whole_or_not_at_all);
	return unit_run(s);
}
