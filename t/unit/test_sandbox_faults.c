/* Fault rules and the ledger: what a test relies on when it says "the third one, once". */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/faults.h"
#include "sandbox/ids.h"
#include "sandbox/ledger.h"

static const struct fault_subject hello = { .is_send = true, .route = "messages", .path = "/v25.0/1/messages", .pnid = "1", .to = "+49170", .callback = "t1:x:1", .text = "hello world", .text_len = 11 };

static struct faults *rules(const char *json)
{
	struct strbuf why = STRBUF_INIT;
	struct faults *f = faults_new();

	ck_assert_msg(faults_add(f, json, strlen(json), &why) == 0, "%s: %s", json, why.buf);
	strbuf_release(&why);
	return f;
}

static unsigned count(struct faults *f, const struct fault_subject *s, unsigned n)
{
	struct fault_act act;
	unsigned hits = 0;

	while (n-- > 0)
		hits += faults_draw(f, s, false, &act);
	return hits;
}

static const struct { const char *match; unsigned hits; } matches[] = {
	{ "{}", 1 },
	{ "{\"phone_number_id\":\"1\"}", 1 },
	{ "{\"phone_number_id\":\"2\"}", 0 },
	{ "{\"to\":\"+49170\",\"callback_prefix\":\"t1:\"}", 1 },
	{ "{\"to\":\"+49170\",\"callback_prefix\":\"t2:\"}", 0 },
	{ "{\"text_contains\":\"lo wo\"}", 1 },
	{ "{\"text_contains\":\"bye\"}", 0 },
};

START_TEST(matches_all_that_is_asked)
{
	struct strbuf json = STRBUF_INIT;
	struct faults *f;

	strbuf_addf(&json, "{\"fault\":\"hang\",\"match\":%s}", matches[_i].match);
	f = rules(json.buf);
	ck_assert_uint_eq(count(f, &hello, 1), matches[_i].hits);
	faults_free(&f);
	strbuf_release(&json);
}
END_TEST

START_TEST(skips_and_stops)
{
	struct faults *f = rules("{\"fault\":\"hang\",\"skip\":2,\"times\":3}");

	ck_assert_uint_eq(count(f, &hello, 2), 0);
	ck_assert_uint_eq(count(f, &hello, 3), 3);
	ck_assert_uint_eq(count(f, &hello, 10), 0);
	faults_free(&f);
}
END_TEST

START_TEST(a_seed_repeats_the_run)
{
	struct faults *a = rules("{\"fault\":\"hang\",\"probability\":0.3,\"seed\":42}");
	struct faults *b = rules("{\"fault\":\"hang\",\"probability\":0.3,\"seed\":42}");
	unsigned hits = 0;

	for (int i = 0; i < 1000; i++) {
		unsigned hit = count(a, &hello, 1);
		ck_assert_uint_eq(hit, count(b, &hello, 1));
		hits += hit;
	}
	ck_assert_uint_gt(hits, 200);
	ck_assert_uint_lt(hits, 400);
	faults_free(&a);
	faults_free(&b);
}
END_TEST

START_TEST(the_first_rule_that_fires_decides)
{
	struct faults *f = rules("[{\"fault\":\"hang\",\"times\":1},{\"fault\":\"error\",\"code\":131016,\"http\":503}]");
	struct fault_act act;

	ck_assert(faults_draw(f, &hello, false, &act));
	ck_assert_int_eq(act.kind, FAULT_HANG);
	ck_assert(act.accepts);
	ck_assert(faults_draw(f, &hello, false, &act));
	ck_assert_int_eq(act.kind, FAULT_ERROR);
	ck_assert_int_eq(act.code, 131016);
	ck_assert_int_eq(act.http, 503);
	ck_assert(!act.accepts);
	faults_free(&f);
}
END_TEST

START_TEST(cuts_of_requests_need_only_the_head)
{
	struct faults *f = rules("[{\"fault\":\"cut_request\",\"after\":5,\"match\":{\"phone_number_id\":\"1\"}},{\"fault\":\"hang\"}]");
	struct fault_subject head = { .is_send = true, .pnid = "1" };
	struct fault_act act;

	ck_assert(faults_draw(f, &head, true, &act));
	ck_assert_int_eq(act.kind, FAULT_CUT_REQUEST);
	ck_assert(faults_draw(f, &hello, false, &act));
	ck_assert_int_eq(act.kind, FAULT_HANG);
	faults_free(&f);
}
END_TEST

static const char *const refused[] = {
	"", "7", "[7]", "{}", "{\"fault\":\"nap\"}", "{\"fault\":\"error\"}", "{\"fault\":\"hang\",\"tims\":1}",
	"{\"fault\":\"hang\",\"times\":-1}", "{\"fault\":\"hang\",\"match\":{\"pnid\":\"1\"}}", "{\"fault\":\"hang\",\"how\":\"kill\"}",
	"{\"fault\":\"hang\",\"probability\":1.5}", "{\"fault\":\"delay\",\"min_ms\":9,\"max_ms\":3}", "{\"fault\":\"html\",\"http\":700}",
	"[{\"fault\":\"hang\"},{\"fault\":\"nap\"}]",
};

START_TEST(refuses_rules_whole)
{
	struct faults *f = faults_new();
	struct strbuf why = STRBUF_INIT;

	ck_assert_int_eq(faults_add(f, refused[_i], strlen(refused[_i]), &why), -1);
	ck_assert_uint_gt(why.len, 0);
	ck_assert(!faults_any(f));
	strbuf_release(&why);
	faults_free(&f);
}
END_TEST

static json_t *next_line(struct strbuf *out, const char **p)
{
	const char *end = strchr(*p, '\n');
	json_error_t err;
	json_t *o = json_loadb(*p, (size_t)(end - *p), 0, &err);

	ck_assert_msg(o != NULL, "%s in %s", err.text, out->buf);
	*p = end + 1;
	return o;
}

START_TEST(ledger_gives_back_what_went_in)
{
	static const char body[] = "{\n \"a\": \"b\"\r\n}";
	struct ledger *l = ledger_new();
	struct ledger_note n = {
		.t_us = 1795414946066778, .wamid_id = 7, .pnid = { "1", 1 }, .to = { "+49 170", 7 }, .wa_id = { "49170", 5 },
		.type = { "text", 4 }, .callback = { "q\"\xff", 3 }, .body = { body, sizeof(body) - 1 }, .body_is_json = true, .conn = 3,
		.http = 200, .accepted = true, .h2 = true,
	};
	struct ledger_ref ref = ledger_add(l, &n);
	struct strbuf out = STRBUF_INIT;
	char wamid[WAMID_SIZE];
	const char *p;

	ledger_mark_answered(l, ref);
	n.accepted = false;
	n.code = 131016;
	n.fault = FAULT_ERROR;
	ref = ledger_add(l, &n);
	struct ledger_reader *r = ledger_reader_new(l, 0);
	ledger_add(l, &n);			/* after the reader began: not its business */
	ck_assert(!ledger_read(r, &out));
	ledger_reader_free(r);
	p = out.buf;
	json_t *o = next_line(&out, &p);
	wamid_format("49170", 5, 7, wamid);
	ck_assert_str_eq(json_string_value(json_object_get(o, "wamid")), wamid);
	ck_assert_str_eq(json_string_value(json_object_get(o, "to")), "+49 170");
	ck_assert_str_eq(json_string_value(json_object_get(o, "callback")), "q\"\xef\xbf\xbd");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(o, "body"), "a")), "b");
	ck_assert(json_is_true(json_object_get(o, "answered")));
	ck_assert(strncmp(out.buf, "{\"t\":1795414946.066778,\"seq\":1,", 31) == 0);
	json_decref(o);
	o = next_line(&out, &p);
	ck_assert(json_is_null(json_object_get(o, "wamid")));
	ck_assert(json_is_false(json_object_get(o, "answered")));
	ck_assert_str_eq(json_string_value(json_object_get(o, "fault")), "error");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "code")), 131016);
	json_decref(o);
	ck_assert(*p == 0);
	ledger_reset(l);
	ledger_mark_answered(l, ref);		/* of the old ledger: harmless */
	strbuf_release(&out);
	ledger_free(&l);
}
END_TEST

START_TEST(ledger_is_read_in_pieces_and_from_anywhere)
{
	struct ledger *l = ledger_new();
	struct ledger_note n = { .pnid = { "1", 1 }, .to = { "2", 1 } };
	struct strbuf out = STRBUF_INIT;
	unsigned lines = 0, pieces = 0;
	bool more = true;

	for (int i = 0; i < 30000; i++)
		ledger_add(l, &n);
	ck_assert_uint_eq(ledger_last_seq(l), 30000);
	struct ledger_reader *r = ledger_reader_new(l, 12345);
	while (more) {
		strbuf_reset(&out);
		more = ledger_read(r, &out);
		pieces++;
		for (const char *p = out.buf; *p; p++)
			lines += *p == '\n';
		ck_assert_uint_lt(out.len, 80000);
	}
	ck_assert_uint_eq(lines, 30000 - 12345);
	ck_assert_uint_gt(pieces, 10);
	ledger_reader_free(r);
	strbuf_release(&out);
	ledger_free(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox faults and ledger");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, matches_all_that_is_asked, 0, (int)ARRAY_LEN(matches));
	tcase_add_test(t, skips_and_stops);
	tcase_add_test(t, a_seed_repeats_the_run);
	tcase_add_test(t, the_first_rule_that_fires_decides);
	tcase_add_test(t, cuts_of_requests_need_only_the_head);
	tcase_add_loop_test(t, refuses_rules_whole, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(t, ledger_gives_back_what_went_in);
	tcase_add_test(t, ledger_is_read_in_pieces_and_from_anywhere);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
