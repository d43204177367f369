/* The sandbox's webhooks: what orders mean, what bodies say, which answers are understood, how times are counted. */
#include "unit.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "sandbox/hook_body.h"
#include "sandbox/hook_client.h"
#include "sandbox/hook_stats.h"

static struct strbuf why, out;

static void setup(void)
{
	strbuf_init(&why);
	strbuf_init(&out);
}

static void teardown(void)
{
	strbuf_release(&why);
	strbuf_release(&out);
}

/* ' stands for ". */
static json_t *json_of(const char *text)
{
	char *quoted = mem_strdup(text);
	json_t *v;

	for (char *p = quoted; *p; p++)
		if (*p == '\'')
			*p = '"';
	v = json_loads(quoted, JSON_DECODE_ANY, NULL);
	ck_assert_msg(v != NULL, "%s", quoted);
	free(quoted);
	return v;
}

static struct hook_target *target_of(const char *members)
{
	json_t *o;
	struct hook_target *t;
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "{'url':'http://127.0.0.1:8080/w','secret':'s'%s}", members);
	o = json_of(text.buf);
	t = hook_target_new(o, &why);
	json_decref(o);
	strbuf_release(&text);
	return t;
}

/* ---- orders ---- */

START_TEST(an_order_has_defaults)
{
	struct hook_target *t = target_of("");

	ck_assert_msg(t != NULL, "%s", why.buf);
	ck_assert(t->wanted[HOOK_SENT] && t->wanted[HOOK_DELIVERED] && t->wanted[HOOK_READ] && !t->wanted[HOOK_PLAYED]);
	ck_assert(t->batch == 1 && t->connections == 8 && t->retry_ms.from == 1000 && t->read_rate == 1.0 && t->drop == 0.0 && !t->shuffle);
	ck_assert(hook_target_takes(t, "1") && strcmp(t->url.path, "/w") == 0 && ntohs(t->url.address.sin_port) == 8080);
	hook_target_free(&t);
}
END_TEST

START_TEST(an_order_is_read)
{
	struct hook_target *t = target_of(",'wabas':['1','2'],'statuses':['played'],'latency_ms':[5,500],'batch':1000,'drop':0.25,'shuffle':true,"
					  "'fail':{'rate':0.5,'code':7},'late':[{'to':'491','code':5,'times':2},{'to':'492','code':6},{'to':'491','code':8}]");

	ck_assert_msg(t != NULL, "%s", why.buf);
	ck_assert(hook_target_takes(t, "2") && !hook_target_takes(t, "3"));
	ck_assert(t->wanted[HOOK_PLAYED] && !t->wanted[HOOK_SENT] && t->latency_ms.from == 5 && t->latency_ms.to == 500 && t->batch == 1000);
	ck_assert(t->drop == 0.25 && t->shuffle && t->fail_rate == 0.5 && t->fail_code == 7);
	ck_assert(hook_target_late(t, "491") == 5 && hook_target_late(t, "491") == 5 && hook_target_late(t, "491") == 8);
	ck_assert(hook_target_late(t, "492") == 6 && hook_target_late(t, "492") == 6 && hook_target_late(t, "493") == 0);
	hook_target_free(&t);
}
END_TEST

START_TEST(orders_that_make_no_sense)
{
	static const char *const bad[] = {
		",'batch':0", ",'batch':1001", ",'batch':'1'", ",'drop':1.5", ",'drop':-1", ",'drop':'x'", ",'latency_ms':[1]", ",'latency_ms':[2,1]",
		",'latency_ms':5", ",'latency_ms':[-1,1]", ",'shuffle':1", ",'statuses':'sent'", ",'statuses':['failed']", ",'statuses':[1]",
		",'wabas':'1'", ",'wabas':[1]", ",'fail':1", ",'fail':{'rate':2}", ",'fail':{'code':0}", ",'late':1", ",'late':[1]", ",'late':[{'to':'1'}]", ",'late':[{'to':'1','code':0}]",
		",'late':[{'to':'1','code':1},{'to':'1','code':1,'times':0}]", ",'nonsense':1",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		strbuf_reset(&why);
		ck_assert_msg(target_of(bad[i]) == NULL, "%s", bad[i]);
		ck_assert_msg(why.len > 0, "%s: no reason", bad[i]);
	}
}
END_TEST

START_TEST(only_loopback)
{
	static const struct { const char *url; const char *path; } cases[] = {
		{ "http://127.0.0.1:80/webhooks/whatsapp", "/webhooks/whatsapp" }, { "http://localhost:8080", "/" }, { "http://127.9.8.7:1/a?b=c", "/a?b=c" },
		{ NULL, NULL }, { "", NULL }, { "https://127.0.0.1:80/", NULL }, { "http://127.0.0.1/", NULL }, { "http://10.0.0.1:80/", NULL },
		{ "http://example.org:80/", NULL }, { "http://128.0.0.1:80/", NULL }, { "http://127.0.0.1:0/", NULL }, { "http://127.0.0.1:65536/", NULL },
		{ "http://127.0.0.1:80x/", NULL }, { "http://127.0.0.1:80/a b", NULL }, { "http://127.0.0.1:80/a\r\nX: y", NULL }, { "http://:80/", NULL },
		{ "http://0177.0.0.1:80/", NULL }, { "http://127.0.0.1.example.org:80/", NULL }, { "http://u@127.0.0.1:80/", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hook_url u;
		int result = hook_url_parse(&u, cases[i].url, &why);

		ck_assert_msg((result == 0) == (cases[i].path != NULL), "%s", cases[i].url);
		if (result == 0)
			ck_assert_str_eq(u.path, cases[i].path);
		hook_url_release(&u);
	}
}
END_TEST

START_TEST(signed_as_in_rfc_4231)
{
	char signature[HOOK_SIGNATURE_SIZE];

	hook_sign("Jefe", "what do ya want for nothing?", 28, signature);
	ck_assert_str_eq(signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

START_TEST(chances)
{
	int hits = 0;

	for (int i = 0; i < 10000; i++) {
		ck_assert(!hook_chance(0) && hook_chance(1));
		hits += hook_chance(0.25);
	}
	ck_assert(hits > 2000 && hits < 3000);
	for (int i = 0; i < 1000; i++) {
		int64_t ms = hook_draw(&(struct hook_span){ 5, 7 });

		ck_assert(ms >= 5 && ms <= 7);
	}
}
END_TEST

/* ---- bodies ---- */

static struct hook_message *message_new(const char *waba, const char *pnid, const char *wamid, const char *callback)
{
	struct hook_message *m = mem_alloc(sizeof(*m));

	m->refs = 1;
	m->waba = mem_strdup(waba);
	m->pnid = mem_strdup(pnid);
	m->callback = mem_strdup(callback);
	m->is_template = true;
	snprintf(m->wamid, sizeof(m->wamid), "%s", wamid);
	m->recipient = (struct recipient){ .kind = RECIPIENT_PHONE, .wa_id = "16505551234", .len = 11 };
	return m;
}

static json_t *written(const struct hook_news *const *news, int n)
{
	json_error_t err;
	json_t *v;

	strbuf_reset(&out);
	hook_body_write(news, n, &out);
	v = json_loadb(out.buf, out.len, JSON_REJECT_DUPLICATES, &err);
	ck_assert_msg(v != NULL, "%s: %s", err.text, out.buf);
	return v;
}

static void body_is(const struct hook_news *const *news, int n, const char *want)
{
	json_t *got = written(news, n), *wanted = json_of(want);

	ck_assert_msg(json_equal(got, wanted), "%s", out.buf);
	json_decref(got);
	json_decref(wanted);
}

#define CHANGE(pnid) "{'field':'messages','value':{'messaging_product':'whatsapp','metadata':{'display_phone_number':'15550783881'," \
	"'phone_number_id':'" pnid "'},'statuses':["
#define PRICING "'pricing':{'billable':true,'pricing_model':'PMP','type':'regular','category':'utility'}"

START_TEST(news_of_one_number_share_a_change)
{
	struct hook_message *a = message_new("9001", "1", "wamid.A", "token \"1\""), *b = message_new("9001", "2", "wamid.B", "");
	struct hook_news n[] = { { .message = a, .status = HOOK_SENT, .at_s = 5 }, { .message = a, .status = HOOK_READ, .at_s = 6 },
				 { .message = b, .status = HOOK_DELIVERED, .at_s = 7 } };
	const struct hook_news *all[] = { &n[0], &n[1], &n[2] };
	json_t *got = written(all, 3), *wanted;

	wanted = json_of("{'object':'whatsapp_business_account','entry':[{'id':'9001','changes':["
		CHANGE("1") "{'id':'wamid.A','status':'sent','timestamp':'5','recipient_id':'16505551234','biz_opaque_callback_data':'X'," PRICING "},"
		"{'id':'wamid.A','status':'read','timestamp':'6','recipient_id':'16505551234','biz_opaque_callback_data':'X'}]}},"
		CHANGE("2") "{'id':'wamid.B','status':'delivered','timestamp':'7','recipient_id':'16505551234'," PRICING "}]}}]}]}");
	ck_assert_ptr_nonnull(strstr(out.buf, "\"token \\\"1\\\"\""));
	for (size_t i = 0; i < 2; i++) {
		json_t *changes = json_object_get(json_array_get(json_object_get(got, "entry"), 0), "changes");
		json_t *statuses = json_object_get(json_object_get(json_array_get(changes, 0), "value"), "statuses");

		json_object_set_new(json_array_get(statuses, i), "biz_opaque_callback_data", json_string("X"));
	}
	ck_assert_msg(json_equal(got, wanted), "%s", out.buf);
	json_decref(got);
	json_decref(wanted);
	hook_message_drop(&a);
	hook_message_drop(&b);
}
END_TEST

START_TEST(entries_for_accounts_and_for_changes_with_a_time)
{
	struct hook_message *a = message_new("9001", "1", "wamid.A", ""), *b = message_new("9002", "2", "wamid.B", "");
	char waba[] = "9002", change[] = "{\"field\":\"f\",\"value\":{}}";
	struct hook_news n[] = { { .message = a, .status = HOOK_READ, .at_s = 5 }, { .message = b, .status = HOOK_READ, .at_s = 6 },
				 { .waba = waba, .change = change, .at_s = 7, .timed = true } };
	const struct hook_news *all[] = { &n[0], &n[1], &n[2] };

	body_is(all, 3, "{'object':'whatsapp_business_account','entry':[{'id':'9001','changes':["
		CHANGE("1") "{'id':'wamid.A','status':'read','timestamp':'5','recipient_id':'16505551234'}]}}]},{'id':'9002','changes':["
		CHANGE("2") "{'id':'wamid.B','status':'read','timestamp':'6','recipient_id':'16505551234'}]}}]},"
		"{'id':'9002','time':7,'changes':[{'field':'f','value':{}}]}]}");
	hook_message_drop(&a);
	hook_message_drop(&b);
}
END_TEST

START_TEST(a_failure_says_why_and_user_ids_are_no_numbers)
{
	struct hook_message *a = message_new("9001", "1", "wamid.A", "");
	struct hook_news n = { .message = a, .status = HOOK_FAILED, .code = 131049, .at_s = 5 };
	const struct hook_news *all[] = { &n };
	json_t *got, *s, *error;

	a->recipient = (struct recipient){ .kind = RECIPIENT_BSUID, .wa_id = "US.1", .len = 4 };
	got = written(all, 1);
	s = json_object_get(json_array_get(json_object_get(got, "entry"), 0), "changes");
	s = json_array_get(json_object_get(json_object_get(json_array_get(s, 0), "value"), "statuses"), 0);
	error = json_array_get(json_object_get(s, "errors"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(s, "recipient_user_id")), "US.1");
	ck_assert(!json_object_get(s, "recipient_id") && !json_object_get(s, "pricing"));
	ck_assert_int_eq(json_integer_value(json_object_get(error, "code")), 131049);
	ck_assert(json_equal(json_object_get(error, "title"), json_object_get(error, "message")));
	ck_assert_ptr_nonnull(json_object_get(json_object_get(error, "error_data"), "details"));
	json_decref(got);
	hook_message_drop(&a);
}
END_TEST

/* ---- answers ---- */

START_TEST(heads_of_answers)
{
	static const struct { const char *text; int status; int64_t body; bool keep; } cases[] = {
		{ "", 0, 0, false }, { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", 0, 0, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2, true }, { "HTTP/1.1 503 x\r\ncontent-LENGTH:0\r\n\r\n", 503, 0, true },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", 200, 2, false }, { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2, false },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", 200, -1, false }, { "HTTP/1.1 200 OK\r\n\r\n", 200, -1, false },
		{ "HTTP/1.1 204 No\r\n\r\n", 204, 0, true }, { "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 200, -1, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 200, -1, false }, { "HTTP/2 200\r\n\r\n", -1, 0, false },
		{ "SSH-2.0-OpenSSH\r\n\r\n", -1, 0, false }, { "HTTP/1.1 2x0 OK\r\n\r\n", -1, 0, false }, { "HTTP/1.1 099 OK\r\n\r\n", -1, 0, false }, { "\r\n\r\n", -1, 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t head = 0;
		int64_t body = 0;
		bool keep = false;

		ck_assert_msg(hook_answer_head(cases[i].text, strlen(cases[i].text), &head, &body, &keep) == cases[i].status, "%s", cases[i].text);
		ck_assert_msg(body == cases[i].body && keep == cases[i].keep, "%s: %lld %d", cases[i].text, (long long)body, keep);
	}
}
END_TEST

/* ---- times ---- */

START_TEST(percentiles_are_close)
{
	struct hook_stats s = { 0 };

	ck_assert_int_eq(hook_stats_percentile(&s, 50), 0);
	for (int64_t us = 1; us <= 100000; us++)
		hook_stats_time(&s, us);
	for (int p = 1; p <= 100; p++) {
		int64_t got = hook_stats_percentile(&s, p), exact = 1000 * p;

		ck_assert_msg(got >= exact && got <= exact + exact / 8 + 1, "p%d: %lld", p, (long long)got);
	}
	hook_stats_time(&s, INT64_MAX);
	hook_stats_time(&s, -5);
	ck_assert_int_eq(s.longest_us, INT64_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox webhooks");
	TCase *t = unit_case(s, "pure parts");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_order_has_defaults);
	tcase_add_test(t, an_order_is_read);
	tcase_add_test(t, orders_that_make_no_sense);
	tcase_add_test(t, only_loopback);
	tcase_add_test(t, signed_as_in_rfc_4231);
	tcase_add_test(t, chances);
	tcase_add_test(t, news_of_one_number_share_a_change);
	tcase_add_test(t, entries_for_accounts_and_for_changes_with_a_time);
	tcase_add_test(t, a_failure_says_why_and_user_ids_are_no_numbers);
	tcase_add_test(t, heads_of_answers);
	tcase_add_test(t, percentiles_are_close);
	return unit_run(s);
}
