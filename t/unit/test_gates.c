/* What Redis says of breakers, limits, lanes and holds, in JSON and in words; and what a command about a hold names. */
#include "unit.h"

#include <unistd.h>

#include "api/gate_view.h"
#include "api/host_view.h"
#include "api/selector.h"
#include "base/str.h"
#include "ctl/table.h"

enum { NOW = 1000000000 };

static char support[] = "support", sales[] = "sales", t[] = "t", tier[] = "standard";
static char n1[] = "101", n2[] = "102", w1[] = "7", w2[] = "8";
static struct tenant tenant = { .id = t, .domain = t };
static struct account accounts[] = {		/* sorted by id */
	{ .tenant = &tenant, .id = sales, .phone_number_id = n2, .waba_id = w2, .rate = 10, .enabled = true },
	{ .tenant = &tenant, .id = support, .phone_number_id = n1, .waba_id = w1, .rate = 80, .enabled = true, .tier = tier },
};

static struct conf *conf;

static void setup(void)
{
	static struct account *all[] = { &accounts[0], &accounts[1] };

	tenant.accounts = all;
	tenant.n_accounts = (int)ARRAY_LEN(accounts);
	conf = conf_defaults();
}

static void teardown(void)
{
	conf_free(&conf);
}

/* A view of the second account from "bs=open bu=+5000": a value with a sign is milliseconds from now; it lives until the next call. */
static struct gate_view view_of(const char *text, bool with_cells)
{
	static struct store_value v[GATE_FIELDS + GATE_CELLS];
	static char values[GATE_FIELDS + GATE_CELLS][64];
	int n = GATE_FIELDS + (with_cells ? GATE_CELLS : 0);

	for (int i = 0; i < n; i++) {
		char name[16], pattern[32];
		const char *at;
		int64_t ms;
		size_t len;

		v[i] = (struct store_value){ .kind = STORE_NIL };
		gate_field_name(i, name);
		snprintf(pattern, sizeof(pattern), " %s=", name);
		at = strstr(text, pattern);
		if (!at)
			continue;
		at += strlen(pattern);
		len = strcspn(at, " ");
		snprintf(values[i], sizeof(values[i]), "%.*s", (int)len, at);
		if ((*at == '+' || *at == '-') && parse_i64(values[i] + (*at == '+'), &ms) == 0)
			snprintf(values[i], sizeof(values[i]), "%lld", (long long)NOW + (long long)ms);
		for (char *p = values[i]; *p; p++)
			if (*p == ',')
				*p = ' ';
		v[i] = (struct store_value){ .kind = STORE_TEXT, .s = values[i], .len = strlen(values[i]) };
	}
	return (struct gate_view){ .conf = conf, .account = &accounts[1], .v = v, .n = n, .now_ms = NOW };
}

static void check_text(const char *name, const json_t *o, const char *key, const char *want)
{
	const char *have = json_text(o, key);

	ck_assert_msg(have && !strcmp(have, want), "%s: %s is %s, not %s", name, key, have ? have : "absent", want);
}

/* ---- breakers ---- */

static const struct { const char *fields, *state; bool is_calm; const char *why; } breakers[] = {
	{ "", "closed", true, "messages go; it opens when, of at least 20 answers in a minute, 50 % failed" },
	{ " bs=open bu=+4200 bk=2", "open", false, "nothing goes; one message tries in 5s" },
	{ " bs=open bu=+300", "open", false, "nothing goes; one message tries in 300ms" },
	{ " bs=open bu=+0", "due", false, "the next message tries; nothing else goes until it has its answer" },
	{ " bs=half bu=-1 bo=me", "due", false, "the next message tries; nothing else goes until it has its answer" },
	{ " bs=half bu=+60000 bo=me", "probing", false, "one message tries now, in the hands of me; without an answer another one may try in 1m" },
	{ " ra=-0", "ramp", false, "it closed a short while ago: messages go at 1 a second, and twice as fast every 5s" },
	{ " ra=+99", "ramp", false, "it closed a short while ago: messages go at 1 a second, and twice as fast every 5s" },
	{ " ra=-31000", "ramp", false, "it closed a short while ago: messages go at 64 a second, and twice as fast every 5s" },
	{ " ra=-35000", "closed", true, "messages go; it opens when, of at least 20 answers in a minute, 50 % failed" },
	{ " ra=-999000000", "closed", true, "messages go; it opens when, of at least 20 answers in a minute, 50 % failed" },
	{ " bs=open bu=soon", "due", false, "the next message tries; nothing else goes until it has its answer" },
};

START_TEST(each_state_of_a_breaker)
{
	struct gate_view g = view_of(breakers[_i].fields, false);
	json_t *o = gate_breaker(&g);

	check_text(breakers[_i].fields, o, "state", breakers[_i].state);
	check_text(breakers[_i].fields, o, "why", breakers[_i].why);
	ck_assert_int_eq(gate_breaker_is_calm(&g), breakers[_i].is_calm);
	json_decref(o);
}
END_TEST

/* NOW is in slot 200000: cells g8 and b8; the minute begins with slot 199989: g9 and b9. */
START_TEST(answers_of_the_last_minute_are_summed)
{
	struct gate_view g = view_of(" g8=200000000003 b8=200000000001 g7=199999000002 g9=199989000005 b9=199989000005 b10=199990000009"
				     " g11=200003000007 g1=x b2=199988000004", true);
	json_t *o = gate_breaker(&g);

	ck_assert_int_eq(json_integer_value(json_object_get(o, "good")), 10);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "failed")), 15);
	check_text("sums", o, "account_id", "support");
	check_text("sums", o, "phone_number_id", "101");
	json_decref(o);
	g = view_of(" g8=200000000003 g9=199977000005 b9=199977000005", true);	/* of the minute before */
	o = gate_breaker(&g);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "good")), 3);
	json_decref(o);
}
END_TEST

START_TEST(a_breaker_says_how_often_it_opened_and_who_tries)
{
	struct gate_view g = view_of(" bs=half bu=+5000 bk=3 bo=host:7", false);
	json_t *o = gate_breaker(&g);

	ck_assert_int_eq(json_integer_value(json_object_get(o, "opened_in_a_row")), 3);
	check_text("probe", o, "probe_owner", "host:7");
	check_text("probe", o, "until", "1970-01-12T13:46:45.000Z");
	ck_assert_ptr_null(json_object_get(o, "good"));		/* was not asked */
	json_decref(o);
}
END_TEST

/* ---- limits ---- */

/* The window is 10 s: NOW / 10000 = 100000. */
static const struct { const char *fields; double rate_now, share; int used, percent, last, last_percent; const char *why; } limits[] = {
	{ "", 80, 100, 0, 0, 0, 0, "it may send 80 a second" },
	{ " us=100000 uc=400 ul=200", 80, 100, 400, 50, 200, 25, "it may send 80 a second" },
	{ " us=99999 uc=800 ul=3 ua=1", 80, 100, 0, 0, 800, 100, "it may send 80 a second; it comes near its limit" },
	{ " us=99998 uc=800", 80, 100, 0, 0, 0, 0, "it may send 80 a second" },
	{ " us=100000 uc=4", 80, 100, 4, 0, 0, 0, "it may send 80 a second" },
	{ " f=700 ft=-0", 56, 70, 0, 0, 0, 0, "Graph said that it was too fast: it has its whole rate again in 30s" },
	{ " f=700 ft=-10000", 64, 80, 0, 0, 0, 0, "Graph said that it was too fast: it has its whole rate again in 20s" },
	{ " f=700 ft=+10000", 56, 70, 0, 0, 0, 0, "Graph said that it was too fast: it has its whole rate again in 30s" },
	{ " f=700 ft=-30000", 80, 100, 0, 0, 0, 0, "it may send 80 a second" },
	{ " f=100 ft=-0 ra=-20000", 8, 10, 0, 0, 0, 0, "its breaker closed a short while ago: 16 a second now, twice as many every 5s" },
	{ " ra=-11000", 4, 100, 0, 0, 0, 0, "its breaker closed a short while ago: 4 a second now, twice as many every 5s" },
};

START_TEST(rates_shares_and_use)
{
	struct gate_view g = view_of(limits[_i].fields, false);
	json_t *o = gate_limit(&g);

	ck_assert_double_eq_tol(json_real_value(json_object_get(o, "rate_now")), limits[_i].rate_now, 0.001);
	ck_assert_double_eq_tol(json_real_value(json_object_get(o, "share_percent")), limits[_i].share, 0.001);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "used")), limits[_i].used);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "used_percent")), limits[_i].percent);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "used_last")), limits[_i].last);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "used_last_percent")), limits[_i].last_percent);
	check_text(limits[_i].fields, o, "why", limits[_i].why);
	check_text(limits[_i].fields, o, "tier", "standard");
	json_decref(o);
}
END_TEST

/* NOW is 1000000000. */
static const struct { const char *limit, *fields; double rate_now; int percent; const char *why; } set_rates[] = {
	{ "20 0 999999000 -", " us=100000 uc=100", 20, 50, "it may send 20 a second; an operator has set its rate to 20 until it is reset" },
	{ "200 1000005000 999999000 plus", "", 200, 0, "it may send 200 a second; an operator has set its rate to 200, which ends in 5s" },
	{ "20 0 9 -", " f=500 ft=-0", 10, 0, "Graph said that it was too fast: it has its whole rate again in 50s; an operator has set its rate to 20 until it is reset" },
	{ "20 0 9 -", " ra=-31000", 20, 0, "it may send 20 a second; an operator has set its rate to 20 until it is reset" },
	{ "20 1000000000 9 -", "", 80, 0, "it may send 80 a second" },		/* over */
	{ "20 0", "", 80, 0, "it may send 80 a second" },
	{ "0 0 9 -", "", 80, 0, "it may send 80 a second" },
};

START_TEST(an_operators_rate)
{
	struct gate_view g = view_of(set_rates[_i].fields, false);
	bool is_in_force = set_rates[_i].rate_now != 80;
	json_t *o;

	g.limit = set_rates[_i].limit;
	o = gate_limit(&g);
	check_text(g.limit, o, "why", set_rates[_i].why);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "rate")), 80);
	ck_assert_double_eq_tol(json_real_value(json_object_get(o, "rate_now")), set_rates[_i].rate_now, 0.001);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "used_percent")), set_rates[_i].percent);
	ck_assert_int_eq(json_object_get(o, "operator_rate") != NULL, is_in_force);
	ck_assert_int_eq(!strcmp(json_text(json_object_get(o, "operator_rate"), "tier") ? "tier" : "", "tier"), _i == 1);
	json_decref(o);
}
END_TEST

/* ---- lanes ---- */

static const struct { const char *fields, *state; bool has, has_since; const char *why; } lanes[] = {
	{ "", "none", false, false, "it has no lane: its messages go as they come" },
	{ " ls=open lu=-5000 lw=held lh=me ll=+1", "open", true, true, "its messages wait here because it was on hold; me takes from it" },
	{ " ls=open lu=-5000 lw=limit lh=me ll=-1", "open", true, true, "its messages wait here because they are more than its limit lets through; "
	  "nobody takes from it at the moment: the broker gives its ticket to a sender" },
	{ " ls=open lu=-5000 lh=me ll=+1", "open", true, true, "its messages wait here; me takes from it" },
	{ " ls=open lw=new", "open", true, false, "its messages wait here because new; nobody takes from it at the moment: the broker gives its ticket to a sender" },
	{ " ls=opening lu=+10 lh=me ll=+1", "opening", true, false, "a sender is opening it; me takes from it" },
	{ " ls=closing lu=-10 lh=me ll=+1", "closing", true, true, "it was empty for a while and closes unless somebody joins; me takes from it" },
	{ " ls=deleting lu=+10 lh=me ll=+1", "deleting", true, false, "its queues are being deleted; who wants to join waits; me takes from it" },
	{ " ls=later lh=me ll=+1", "later", true, false, "it is in state later; me takes from it" },
};

START_TEST(each_state_of_a_lane)
{
	struct gate_view g = view_of(lanes[_i].fields, false);
	json_t *o = gate_lane(&g);

	check_text(lanes[_i].fields, o, "state", lanes[_i].state);
	check_text(lanes[_i].fields, o, "why", lanes[_i].why);
	ck_assert_int_eq(gate_has_lane(&g), lanes[_i].has);
	ck_assert_int_eq(json_object_get(o, "since") != NULL, lanes[_i].has_since);
	json_decref(o);
}
END_TEST

START_TEST(an_account_in_short)
{
	struct gate_view g = view_of(" bs=open bu=+5000 ls=open us=100000 uc=80", false);
	json_t *o = gate_account(&g, json_pack("{s:s}", "scope", "tenant"));
	struct strbuf text = STRBUF_INIT;

	json_dump_to(o, JSON_COMPACT, &text);
	ck_assert_str_eq(text.buf, "{\"tenant_id\":\"t\",\"account_id\":\"support\",\"phone_number_id\":\"101\",\"enabled\":true,\"suspended\":false,"
			 "\"tier\":\"standard\",\"rate\":80,\"rate_now\":80.0,\"share_percent\":100.0,\"used\":80,\"used_percent\":10,"
			 "\"used_last\":0,\"used_last_percent\":0,\"window_ms\":10000,\"breaker\":\"open\",\"lane\":\"open\","
			 "\"hold\":{\"scope\":\"tenant\"}}");
	json_decref(o);
	strbuf_release(&text);
}
END_TEST

/* ---- holds ---- */

/* until, since and lease: milliseconds from now, or 0 for none. */
static const struct { const char *field, *kind; int until, lease; bool is_over; int64_t wait; const char *what, *why; } holds[] = {
	{ "t:t", "operator", 0, 0, false, INT64_MAX, "t", "until it is released: some words" },
	{ "a:t:support", "operator", 90000, 0, false, 90000, "support", "it ends in 90s: some words" },
	{ "n:101", "operator", -1, 0, true, 0, "101", "it ends in 0ms: some words" },
	{ "r:101:abc", "operator", 1500, 0, false, 1500, "abc", "it ends in 2s: some words" },
	{ "w:7", "auto", 5000, 0, false, 5000, "7", "one message tries in 5s: some words" },
	{ "p:7:hello:1", "auto", -5000, 3000, false, 3000, "hello:1", "one message tries now, in the hands of me: some words" },
	{ "n:101", "auto", -5000, 0, false, 0, "101", "the next message tries: some words" },
};

START_TEST(each_kind_of_hold)
{
	struct gate_hold h;
	char text[256];
	json_t *o;

	snprintf(text, sizeof(text), "%s %d %d 2 %d me 190 some words", holds[_i].kind, holds[_i].until ? NOW + holds[_i].until : 0, NOW - 1000,
		 holds[_i].lease ? NOW + holds[_i].lease : 0);
	ck_assert_int_eq(gate_hold_read(holds[_i].field, text, &h), 0);
	ck_assert_int_eq(gate_hold_is_over(&h, NOW), holds[_i].is_over);
	ck_assert_int_eq(gate_hold_wait_ms(&h, NOW), holds[_i].wait);
	o = gate_hold(&h, &accounts[1], NOW);
	check_text(text, o, "what", holds[_i].what);
	check_text(text, o, "why", holds[_i].why);
	check_text(text, o, "tenant_id", "t");
	check_text(text, o, "since", "1970-01-12T13:46:39.000Z");
	check_text(text, o, "by", strcmp(holds[_i].kind, "auto") ? "operator" : "graph");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "code")), strcmp(holds[_i].kind, "auto") ? 0 : 190);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "in_a_row")), strcmp(holds[_i].kind, "auto") ? 0 : 3);
	json_decref(o);
}
END_TEST

START_TEST(what_is_no_hold_is_not_told)
{
	static const struct { const char *field, *text; } bad[] = {
		{ "x:1", "operator 0 1 0 0 - 0 w" }, { "", "operator 0 1 0 0 - 0 w" }, { "t", "operator 0 1 0 0 - 0 w" },
		{ "t:t", "" }, { "t:t", "operator" }, { "t:t", "operator x 1 0 0 - 0 w" }, { "t:t", "operator 0 1 0 0 - 0" },
		{ "t:t", "operator 0 1 0 0  0 w" }, { "t:t", "averyveryverylongword 0 1 0 0 - 0 w" },
	};
	struct gate_hold h;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(gate_hold_read(bad[i].field, bad[i].text, &h) < 0, "%s = %s", bad[i].field, bad[i].text);
	ck_assert_int_eq(gate_hold_read("t:t", "operator 0 1 0 0 - 0 ", &h), 0);	/* no words are words, too */
}
END_TEST

START_TEST(a_hold_of_nobody_we_know_is_told_all_the_same)
{
	struct gate_hold h;
	json_t *o;

	ck_assert_int_eq(gate_hold_read("n:999", "auto 5 1 0 0 - 131042 words", &h), 0);
	o = gate_hold(&h, NULL, NOW);
	check_text("nobody", o, "phone_number_id", "999");
	ck_assert_ptr_null(json_object_get(o, "tenant_id"));
	json_decref(o);
}
END_TEST

/* ---- selectors ---- */

static const struct { struct selector_options o; const char *code, *field; bool is_known; const char *why; } selectors[] = {
	{ { 0 }, NULL, "t:t", true, "" },
	{ { .account = "support" }, NULL, "a:t:support", true, "" },
	{ { .account = "101" }, NULL, "a:t:support", true, "" },			/* by its number */
	{ { .account = "gone" }, NULL, "a:t:gone", false, "" },
	{ { .account = "a:b" }, "bad_request", NULL, false, "account: found a:b, allowed the id of an account or its phone number id" },
	{ { .number = "102" }, NULL, "n:102", true, "" },
	{ { .number = "999" }, NULL, "n:999", false, "" },
	{ { .number = "support" }, "bad_request", NULL, false, "number: found support, allowed a phone number id: 1 to 32 digits" },
	{ { .waba = "8" }, NULL, "w:8", true, "" }, { { .waba = "9" }, NULL, "w:9", false, "" },
	{ { .waba = "" }, "bad_request", NULL, false, "waba: found , allowed the id of a business account: 1 to 32 digits" },
	{ { .account = "sales", .template = "hello" }, NULL, "p:8:hello", true, "" },
	{ { .waba = "8", .template = "hello" }, NULL, "p:8:hello", true, "" },
	{ { .waba = "9", .template = "hello" }, NULL, "p:9:hello", false, "" },
	{ { .account = "gone", .template = "hello" }, "unknown_account", NULL, false, "account: this tenant has no such account" },
	{ { .template = "hello" }, "bad_request", NULL, true, "template: names one of a business account; add account or waba" },
	{ { .number = "101", .template = "hello" }, "bad_request", NULL, true, "template: names one of a business account; add account or waba" },
	{ { .waba = "8", .template = "a b" }, "bad_request", NULL, true, "template: found 3 characters, allowed 1 to 512 without blanks" },
	{ { .waba = "8", .template = "" }, "bad_request", NULL, true, "template: found 0 characters, allowed 1 to 512 without blanks" },
	{ { .account = "sales", .recipient = "+49 151 1234567" }, NULL, "", true, "" },
	{ { .account = "sales", .recipient = "US.13491208655302741918" }, NULL, "", true, "" },
	{ { .account = "gone", .recipient = "+491511234567" }, "unknown_account", NULL, false, "account: this tenant has no such account" },
	{ { .account = "sales", .recipient = "12" }, "bad_request", NULL, true, "recipient: found 2 characters, allowed E.164 such as +491511234567, or a user id" },
	{ { .recipient = "+491511234567" }, "bad_request", NULL, true, "recipient: one of an account; add account" },
	{ { .waba = "8", .recipient = "+491511234567" }, "bad_request", NULL, true, "recipient: one of an account; add account" },
	{ { .account = "sales", .number = "102" }, "bad_request", NULL, false, "account, number, waba: found several, allowed one of them" },
	{ { .account = "sales", .template = "x", .recipient = "+491511234567" }, "bad_request", NULL, false,
	  "template, recipient: found both, allowed one of them" },
};

START_TEST(what_is_held_is_named_by_its_options)
{
	struct strbuf why = STRBUF_INIT;
	struct selector s;
	const char *code = selector_read(&s, &tenant, &selectors[_i].o, &why);

	ck_assert_msg(selectors[_i].code ? code && !strcmp(code, selectors[_i].code) : !code, "%d: %s", _i, code ? code : "no problem");
	ck_assert_str_eq(why.buf, selectors[_i].why);
	if (!code) {
		ck_assert_str_eq(s.field, selectors[_i].field);
		ck_assert_int_eq(s.is_known, selectors[_i].is_known);
	}
	if (!code && selectors[_i].o.recipient)
		ck_assert_str_eq(s.recipient.text, s.recipient.is_user_id ? "US.13491208655302741918" : "+491511234567");
	strbuf_release(&why);
}
END_TEST

START_TEST(the_longest_template_name_fits)
{
	struct strbuf why = STRBUF_INIT;
	struct selector s;
	char name[514];

	memset(name, 'x', sizeof(name));
	name[512] = 0;
	ck_assert_ptr_null(selector_read(&s, &tenant, &(struct selector_options){ .waba = "8", .template = name }, &why));
	ck_assert_uint_eq(strlen(s.field), 4 + 512);
	name[512] = 'x';
	name[513] = 0;
	ck_assert_ptr_nonnull(selector_read(&s, &tenant, &(struct selector_options){ .waba = "8", .template = name }, &why));
	strbuf_release(&why);
}
END_TEST

/* ---- the host ---- */

static const struct { struct host_view v; const char *state, *why; } hosts[] = {
	{ { .good = 3 }, "closed", "messages go; it opens when, of at least 20 answers in 10s, 50 % failed" },
	{ { .is_open = true, .left_ms = 1500 }, "open", "this machine sends nothing; one message tries in 2s" },
	{ { .is_open = true, .is_probing = true, .left_ms = 500 }, "probing", "one message tries now; without an answer another one may try in 500ms" },
	{ { .is_open = true }, "due", "the next message tries; nothing else goes until it has its answer" },
};

START_TEST(each_state_of_the_host)
{
	struct host_rules r = { .window_ms = 10000, .calls_min = 20, .failed_percent = 50 };
	json_t *o = host_json(&hosts[_i].v, &r);

	check_text("host", o, "state", hosts[_i].state);
	check_text("host", o, "why", hosts[_i].why);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "left_ms")), hosts[_i].v.left_ms);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "good")), hosts[_i].v.good);
	json_decref(o);
}
END_TEST

/* ---- tables ---- */

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct table table;

	table_init(&table, "NAME >N WHY");
	table_add(&table, "\xc3\xa4" "b");
	table_add_number(&table, 7);
	table_add(&table, "because");
	table_add(&table, "longer");
	table_add_number(&table, 1234);
	table_add(&table, "");
	table_print(&table, out);
	fclose(out);
	ck_assert_str_eq(text, "NAME       N  WHY\n\xc3\xa4" "b         7  because\nlonger  1234  \n");
	free(text);
	table_release(&table);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gates");
	TCase *c = unit_case(s, "gates");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, each_state_of_a_breaker, 0, (int)ARRAY_LEN(breakers));
	tcase_add_test(c, answers_of_the_last_minute_are_summed);
	tcase_add_test(c, a_breaker_says_how_often_it_opened_and_who_tries);
	tcase_add_loop_test(c, rates_shares_and_use, 0, (int)ARRAY_LEN(limits));
	tcase_add_loop_test(c, an_operators_rate, 0, (int)ARRAY_LEN(set_rates));
	tcase_add_loop_test(c, each_state_of_a_lane, 0, (int)ARRAY_LEN(lanes));
	tcase_add_test(c, an_account_in_short);
	tcase_add_loop_test(c, each_kind_of_hold, 0, (int)ARRAY_LEN(holds));
	tcase_add_test(c, what_is_no_hold_is_not_told);
	tcase_add_test(c, a_hold_of_nobody_we_know_is_told_all_the_same);
	tcase_add_loop_test(c, what_is_held_is_named_by_its_options, 0, (int)ARRAY_LEN(selectors));
	tcase_add_test(c, the_longest_template_name_fits);
	tcase_add_loop_test(c, each_state_of_the_host, 0, (int)ARRAY_LEN(hosts));
	tcase_add_test(c, columns_are_as_wide_as_their_widest_cell);
	return unit_run(s);
}
