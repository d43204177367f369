/* What Graph's answers mean: every code of the table, every row of the failure model, and answers that are none. */
#include "unit.h"

#include "base/str.h"
#include "msg/answer.h"
#include "msg/event.h"

#define ERROR(code) "{\"error\":{\"message\":\"(#" #code ") text\",\"type\":\"OAuthException\",\"code\":" #code ",\"fbtrace_id\":\"A\"}}"
#define HTML "<html><body><h1>502 Bad Gateway</h1></body></html>"
#define SENT "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+1\",\"wa_id\":\"1\"}],\"messages\":[{\"id\":\"wamid.HBg\"}]}"

static struct answer read_text(int http, const char *body)
{
	struct answer a;

	memset(&a, 0x5a, sizeof(a));
	answer_read(&a, NULL, http, body, strlen(body), -1, NULL);
	return a;
}

static void check(int http, const char *body, enum outcome want)
{
	struct answer a = read_text(http, body);

	ck_assert_msg(a.outcome == want, "%d %.120s is %s, not %s", http, body, outcome_name(a.outcome), outcome_name(want));
	ck_assert_int_eq(a.http, http);
	ck_assert_int_eq(a.retry_after_ms, -1);
	ck_assert_msg((a.outcome == OUTCOME_SENT) == (*a.wamid != 0), "%d %.120s", http, body);
}

/* Every code of include/tbl/graph_errors.h, as Graph sends it and with the status that misleads. */
static const struct { int code; enum outcome outcome; enum scope scope; } codes[] = {
#define GRAPH_ERROR(code, class, scope, reaction, retries, meaning) { code, OUTCOME_##class, SCOPE_##scope },
#include "tbl/graph_errors.h"
#undef GRAPH_ERROR
};

START_TEST(a_known_code_decides_whatever_the_status)
{
	static const int statuses[] = { 200, 400, 401, 403, 404, 429, 500, 503 };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		for (size_t k = 0; k < ARRAY_LEN(statuses); k++) {
			struct strbuf body = STRBUF_INIT;

			if (!codes[i].code && statuses[k] != 401)
				continue;	/* 0 means this only with 401: see the next table */
			strbuf_addf(&body, "{\"error\":{\"message\":\"m\",\"code\":%d}}", codes[i].code);
			check(statuses[k], body.buf, codes[i].outcome);
			ck_assert_int_eq(read_text(statuses[k], body.buf).scope, codes[i].scope);
			strbuf_release(&body);
		}
}
END_TEST

START_TEST(the_table_has_each_code_once_and_in_order)
{
	for (size_t i = 1; i < ARRAY_LEN(codes); i++)
		ck_assert_msg(codes[i - 1].code < codes[i].code, "%d before %d", codes[i - 1].code, codes[i].code);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		ck_assert_msg(codes[i].outcome == OUTCOME_SERVER || codes[i].outcome == OUTCOME_THROTTLED || codes[i].outcome == OUTCOME_HELD ||
			      codes[i].outcome == OUTCOME_REFUSED, "%d", codes[i].code);
}
END_TEST

/* The same in other words than the table's: what the published list says becomes of a message, sync or by webhook. */
static const struct { enum outcome outcome; int codes[64]; } published[] = {
	{ OUTCOME_HELD, { 3, 10, 33, 102, 104, 190, 200, 368, 803, 131005, 131031, 131037, 131042, 131045, 131048, 131064, 132015, 133000,
			  133006, 133010, 134011 } },
	{ OUTCOME_THROTTLED, { 4, 17, 32, 341, 613, 80007, 80008, 80012, 130429, 131056, 131057, 131208, 132069, 133015, 134101, 2494100 } },
	{ OUTCOME_SERVER, { 1, 2, 130472, 131000, 131001, 131002, 131006, 131014, 131016, 131027, 131053, 133004, 134102 } },
	{ OUTCOME_REFUSED, { 100, 192, 506, 130403, 130470, 130497, 131008, 131009, 131020, 131021, 131026, 131030, 131041, 131043, 131047,
			     131049, 131050, 131051, 131055, 131062, 131063, 131201, 131202, 131204, 131207, 131209, 131210, 131211, 131212,
			     131213, 131214, 131215, 135000, 136025, 137000, 138000, 138006, 138012, 138018, 138024, 139200 } },
	{ OUTCOME_REFUSED, { 132000, 132001, 132005, 132007, 132012, 132016, 132018, 132021, 132068, 134100, 134103 } },
};

START_TEST(every_published_code_ends_as_it_must)
{
	size_t n = 1;	/* 0, which depends on the status */

	for (size_t i = 0; i < ARRAY_LEN(published); i++)
		for (const int *code = published[i].codes; *code; code++, n++)
			ck_assert_msg(graph_error_class(NULL, 400, *code, false) == published[i].outcome, "%d", *code);
	ck_assert_uint_eq(n, ARRAY_LEN(codes));
}
END_TEST

/* What wamd was asked for, word by word. */
START_TEST(the_mission_holds_literally)
{
	static const int statuses[] = { 200, 400, 403, 429, 500 };
	struct answer a;

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		check(statuses[i], ERROR(130472), OUTCOME_SERVER);	/* retry with back-off */
		check(statuses[i], ERROR(131026), OUTCOME_REFUSED);	/* DLQ */
		check(statuses[i], ERROR(131047), OUTCOME_REFUSED);	/* DLQ */
		check(statuses[i], ERROR(131048), OUTCOME_HELD);
	}
	answer_lost(&a, false, "connection refused");			/* retry */
	ck_assert_int_eq(a.outcome, OUTCOME_NOT_SENT);
}
END_TEST

/* Codes that nobody has published: the status decides, and whether the error calls itself transient. */
static const struct { int http, code; bool transient; enum outcome outcome; } unknown_codes[] = {
	{ 429, 999999, false, OUTCOME_THROTTLED }, { 429, 999999, true, OUTCOME_THROTTLED }, { 429, 250, false, OUTCOME_THROTTLED },
	{ 400, 999999, true, OUTCOME_SERVER }, { 401, 999999, true, OUTCOME_SERVER }, { 403, 999999, true, OUTCOME_SERVER },
	{ 401, 999999, false, OUTCOME_HELD }, { 401, 0, false, OUTCOME_HELD },
	{ 403, 999999, false, OUTCOME_REFUSED }, { 403, 0, false, OUTCOME_REFUSED }, { 403, 199, false, OUTCOME_REFUSED },
	{ 403, 300, false, OUTCOME_REFUSED }, { 403, 3, false, OUTCOME_HELD }, { 403, 10, false, OUTCOME_HELD },
	{ 403, 200, false, OUTCOME_HELD }, { 403, 201, false, OUTCOME_HELD }, { 403, 299, false, OUTCOME_HELD },
	{ 500, 999999, false, OUTCOME_SERVER }, { 503, 999999, false, OUTCOME_SERVER }, { 599, 999999, true, OUTCOME_SERVER },
	{ 400, 999999, false, OUTCOME_REFUSED }, { 404, 999999, false, OUTCOME_REFUSED }, { 422, 0, false, OUTCOME_REFUSED },
	/* management calls and inbound messages: no message ends so, and if one did the status would decide */
	{ 400, 133016, false, OUTCOME_REFUSED }, { 400, 131052, false, OUTCOME_REFUSED }, { 400, 2388019, false, OUTCOME_REFUSED },
};

START_TEST(an_unknown_code_goes_by_its_status)
{
	for (size_t i = 0; i < ARRAY_LEN(unknown_codes); i++)
		ck_assert_msg(graph_error_class(NULL, unknown_codes[i].http, unknown_codes[i].code, unknown_codes[i].transient) ==
			      unknown_codes[i].outcome, "%d %d", unknown_codes[i].http, unknown_codes[i].code);
	ck_assert_int_eq(graph_error_scope(400, 999999), SCOPE_NONE);
	ck_assert_int_eq(graph_error_scope(400, 0), SCOPE_NONE);
	ck_assert_int_eq(graph_error_scope(401, 0), SCOPE_TENANT);
	ck_assert_int_eq(graph_error_scope(403, 250), SCOPE_TENANT);
	ck_assert_str_eq(scope_name(SCOPE_NONE), "");
	ck_assert_str_eq(scope_name(SCOPE_WABA), "waba");
}
END_TEST

START_TEST(the_operator_has_the_last_word_on_codes)
{
	static const char *const own[] = { "131026=server", "130472=refused", "999999=held", "2147483647=throttled", "0=held" };
	struct error_classes e = { .n = 0 };
	struct error_class one;
	struct answer a;

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		ck_assert_int_eq(error_class_parse(own[i], &one), 0);
		ck_assert_int_eq(error_classes_add(&e, one), 0);
	}
	for (int i = 1; i < e.n; i++)
		ck_assert_int_lt(e.v[i - 1].code, e.v[i].code);
	ck_assert_int_eq(graph_error_class(&e, 400, 131026, false), OUTCOME_SERVER);
	ck_assert_int_eq(graph_error_class(&e, 503, 130472, true), OUTCOME_REFUSED);
	ck_assert_int_eq(graph_error_class(&e, 429, 999999, true), OUTCOME_HELD);
	ck_assert_int_eq(graph_error_class(&e, 400, 2147483647, false), OUTCOME_THROTTLED);
	ck_assert_int_eq(graph_error_class(&e, 400, 0, false), OUTCOME_HELD);		/* whatever the status */
	ck_assert_int_eq(graph_error_class(&e, 400, 131047, false), OUTCOME_REFUSED);	/* not named: the table */
	ck_assert_int_eq(graph_error_class(&e, 400, 999998, false), OUTCOME_REFUSED);	/* nor this one: the rules */
	answer_read(&a, &e, 400, ERROR(131026), strlen(ERROR(131026)), -1, NULL);
	ck_assert(a.outcome == OUTCOME_SERVER && a.scope == SCOPE_RECIPIENT);
	answer_read(&a, &e, 502, ERROR(130472), strlen(ERROR(130472)), -1, NULL);
	ck_assert_int_eq(a.outcome, OUTCOME_UNKNOWN);	/* a gateway's answer is no answer of Graph's */
	answer_read(&a, &e, 200, SENT, strlen(SENT), -1, NULL);
	ck_assert(a.outcome == OUTCOME_SENT && a.scope == SCOPE_NONE);
}
END_TEST

START_TEST(a_class_that_is_none)
{
	static const char *const bad[] = {
		"", "=", "131026", "131026=", "=server", "131026=sent", "131026=unknown", "131026=not_sent", "131026=Server", "131026=server ",
		"131026 =server", " 131026=server", "+131026=server", "-1=server", "131026.5=server", "0x10=server", "131026==server",
		"2147483648=server", "99999999999999999999=server", "server=131026",
	};
	struct error_classes e = { .n = 0 };
	struct error_class one;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(error_class_parse(bad[i], &one) < 0, "%s", bad[i]);
	ck_assert_ptr_null(error_classes_find(&e, 0));
	ck_assert_int_eq(error_classes_add(&e, (struct error_class){ 5, OUTCOME_HELD }), 0);
	ck_assert_int_eq(error_classes_add(&e, (struct error_class){ 5, OUTCOME_SERVER }), -1);
	ck_assert_int_eq(error_classes_find(&e, 5)->outcome, OUTCOME_HELD);
}
END_TEST

static const struct { int http; const char *body; enum outcome outcome; } rows[] = {
	/* sent: a WAMID, and a status that says so */
	{ 200, SENT, OUTCOME_SENT }, { 201, SENT, OUTCOME_SENT },
	{ 200, "{\"messages\":[{\"id\":\"wamid.x\",\"message_status\":\"held_for_quality_assessment\"}]}", OUTCOME_SENT },
	{ 200, "{\"messages\":[{\"id\":\"wamid.x\"}],\"error\":{\"code\":131000}}", OUTCOME_SENT },	/* it has a WAMID: it was accepted */
	/* 2xx without one */
	{ 200, "{\"messaging_product\":\"whatsapp\",\"messages\":[]}", OUTCOME_UNKNOWN },
	{ 200, "{\"messages\":[{}]}", OUTCOME_UNKNOWN }, { 200, "{\"messages\":[{\"id\":\"\"}]}", OUTCOME_UNKNOWN },
	{ 200, "{\"messages\":[{\"id\":7}]}", OUTCOME_UNKNOWN }, { 200, "{\"messages\":{\"id\":\"wamid.x\"}}", OUTCOME_UNKNOWN },
	{ 200, "{\"id\":\"wamid.x\"}", OUTCOME_UNKNOWN }, { 200, "{}", OUTCOME_UNKNOWN }, { 200, "[]", OUTCOME_UNKNOWN },
	{ 200, "", OUTCOME_UNKNOWN }, { 204, "", OUTCOME_UNKNOWN }, { 200, HTML, OUTCOME_UNKNOWN }, { 200, "true", OUTCOME_UNKNOWN },
	{ 200, "{\"messages\":[{\"id\":\"wamid.x\"}]", OUTCOME_UNKNOWN },	/* cut */
	{ 200, "{\"error\":\"oops\"}", OUTCOME_UNKNOWN }, { 200, "{\"error\":null}", OUTCOME_UNKNOWN },
	/* 2xx with an error object: the table */
	{ 200, ERROR(131000), OUTCOME_SERVER }, { 200, ERROR(130429), OUTCOME_THROTTLED }, { 200, ERROR(190), OUTCOME_HELD },
	{ 200, ERROR(131026), OUTCOME_REFUSED },
	/* 5xx: a Graph error is a failure, anything else nobody knows */
	{ 500, ERROR(131000), OUTCOME_SERVER }, { 503, ERROR(131016), OUTCOME_SERVER }, { 500, ERROR(2), OUTCOME_SERVER },
	{ 500, ERROR(133004), OUTCOME_SERVER }, { 500, ERROR(999999), OUTCOME_SERVER }, { 500, "{\"error\":{}}", OUTCOME_SERVER },
	{ 500, ERROR(0), OUTCOME_SERVER }, { 500, ERROR(100), OUTCOME_REFUSED },
	{ 500, HTML, OUTCOME_UNKNOWN }, { 503, HTML, OUTCOME_UNKNOWN }, { 500, "", OUTCOME_UNKNOWN }, { 500, "{\"error\":\"x\"}", OUTCOME_UNKNOWN },
	{ 500, "{}", OUTCOME_UNKNOWN }, { 500, SENT, OUTCOME_UNKNOWN }, { 599, "", OUTCOME_UNKNOWN }, { 600, "", OUTCOME_UNKNOWN },
	{ 502, HTML, OUTCOME_UNKNOWN }, { 502, ERROR(131000), OUTCOME_UNKNOWN }, { 502, ERROR(100), OUTCOME_UNKNOWN },
	{ 504, HTML, OUTCOME_UNKNOWN }, { 504, ERROR(2), OUTCOME_UNKNOWN }, { 504, "", OUTCOME_UNKNOWN },
	/* throttled: any 429 */
	{ 429, ERROR(4), OUTCOME_THROTTLED }, { 400, ERROR(80007), OUTCOME_THROTTLED }, { 400, ERROR(131056), OUTCOME_THROTTLED },
	{ 429, ERROR(999999), OUTCOME_THROTTLED }, { 429, ERROR(0), OUTCOME_THROTTLED }, { 429, HTML, OUTCOME_THROTTLED }, { 429, "", OUTCOME_THROTTLED },
	/* the account's trouble */
	{ 401, ERROR(0), OUTCOME_HELD }, { 401, ERROR(190), OUTCOME_HELD }, { 401, ERROR(999999), OUTCOME_HELD }, { 401, HTML, OUTCOME_HELD },
	{ 403, ERROR(10), OUTCOME_HELD }, { 400, ERROR(3), OUTCOME_HELD }, { 403, ERROR(200), OUTCOME_HELD }, { 403, ERROR(299), OUTCOME_HELD },
	{ 403, ERROR(199), OUTCOME_REFUSED }, { 403, ERROR(300), OUTCOME_REFUSED }, { 403, ERROR(368), OUTCOME_HELD },
	{ 400, ERROR(131031), OUTCOME_HELD },
	/* refused for good: other 4xx with a Graph error */
	{ 400, ERROR(100), OUTCOME_REFUSED }, { 400, ERROR(131009), OUTCOME_REFUSED }, { 404, ERROR(132001), OUTCOME_REFUSED },
	{ 400, ERROR(0), OUTCOME_REFUSED }, { 400, ERROR(-1), OUTCOME_REFUSED }, { 400, "{\"error\":{\"code\":\"190\"}}", OUTCOME_REFUSED },
	{ 400, "{\"error\":{\"code\":999999,\"is_transient\":true}}", OUTCOME_SERVER },
	{ 400, "{\"error\":{\"code\":999999,\"is_transient\":false}}", OUTCOME_REFUSED },
	{ 400, "{\"error\":{\"code\":100,\"is_transient\":true}}", OUTCOME_REFUSED },	/* a known code is known */
	/* 4xx from the edge, which never reached Graph; 408 may have */
	{ 400, HTML, OUTCOME_SERVER }, { 403, HTML, OUTCOME_SERVER }, { 404, "", OUTCOME_SERVER }, { 413, HTML, OUTCOME_SERVER }, { 400, "{}", OUTCOME_SERVER },
	{ 408, HTML, OUTCOME_UNKNOWN }, { 408, "", OUTCOME_UNKNOWN },
	/* never followed, never believed */
	{ 301, "", OUTCOME_UNKNOWN }, { 302, HTML, OUTCOME_UNKNOWN }, { 307, SENT, OUTCOME_UNKNOWN }, { 308, ERROR(131000), OUTCOME_UNKNOWN },
	{ 304, ERROR(100), OUTCOME_UNKNOWN }, { 101, "", OUTCOME_UNKNOWN }, { 103, ERROR(131000), OUTCOME_UNKNOWN }, { 0, "", OUTCOME_UNKNOWN },
};

START_TEST(what_an_answer_means)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i].http, rows[i].body, rows[i].outcome);
}
END_TEST

START_TEST(the_details_of_an_error)
{
	struct answer a = read_text(400, "{\"error\":{\"message\":\"short\",\"code\":131009,\"error_subcode\":2494010,\"error_data\":{\"details\":\"long\"}}}");

	ck_assert(a.has_code && a.code == 131009 && a.subcode == 2494010);
	ck_assert_str_eq(a.text, "long");
	a = read_text(400, "{\"error\":{\"message\":\"short\",\"code\":131009,\"error_data\":7}}");
	ck_assert_str_eq(a.text, "short");
	a = read_text(400, "{\"error\":{\"code\":131009,\"error_data\":{\"details\":1},\"message\":[]}}");
	ck_assert_str_eq(a.text, "");
	a = read_text(400, "{\"error\":{\"message\":\"not to +491511234567, 123456 tries\",\"code\":131009}}");
	ck_assert_str_eq(a.text, "not to +**********67, 123456 tries");
	a = read_text(200, SENT);
	ck_assert(!a.has_code && a.code == 0);
	ck_assert_str_eq(a.wamid, "wamid.HBg");
	ck_assert_str_eq(a.text, "");
	answer_read(&a, NULL, 429, "", 0, 17, NULL);
	ck_assert_int_eq(a.retry_after_ms, 17000);
	answer_read(&a, NULL, 500, NULL, 0, 0, NULL);
	ck_assert(a.outcome == OUTCOME_UNKNOWN && a.retry_after_ms == 0);
}
END_TEST

/* The text goes into JSON, so it may never end in half a character. */
START_TEST(a_long_text_is_cut_between_characters)
{
	for (int shift = 0; shift < 4; shift++) {
		struct strbuf body = STRBUF_INIT, entry = STRBUF_INIT;
		struct answer a;

		strbuf_addf(&body, "{\"error\":{\"code\":100,\"message\":\"%.*s", shift, "abc");
		for (int i = 0; i < 200; i++)
			strbuf_adds(&body, "\360\237\230\200");
		strbuf_adds(&body, "\"}}");
		a = read_text(400, body.buf);
		ck_assert_uint_lt(strlen(a.text), ANSWER_TEXT_MAX);
		ck_assert_uint_ge(strlen(a.text), ANSWER_TEXT_MAX - 4);
		ck_assert_msg(str_is_utf8(a.text, strlen(a.text)), "shift %d", shift);
		event_attempt(1, 1000, 5, outcome_name(a.outcome), a.http, a.code, scope_name(a.scope), a.text, &entry);
		ck_assert_ptr_nonnull(strstr(entry.buf, "\360\237\230\200\"}"));
		strbuf_release(&body);
		strbuf_release(&entry);
	}
}
END_TEST

START_TEST(a_control_message_is_sent_without_a_wamid)
{
	static const struct { int http; const char *body; enum outcome outcome; } says[] = {
		{ 200, "{\"success\":true}", OUTCOME_SENT }, { 201, "{\"success\":true,\"more\":1}", OUTCOME_SENT },
		{ 200, "{\"success\":false}", OUTCOME_UNKNOWN }, { 200, "{\"success\":\"true\"}", OUTCOME_UNKNOWN }, { 200, "{\"success\":true", OUTCOME_UNKNOWN },
		{ 200, "[true]", OUTCOME_UNKNOWN }, { 302, "{\"success\":true}", OUTCOME_UNKNOWN }, { 502, "{\"success\":true}", OUTCOME_UNKNOWN },
		{ 400, "{\"success\":true}", OUTCOME_SERVER }, { 200, "{\"success\":true,\"error\":{\"code\":100}}", OUTCOME_REFUSED },
		{ 200, SENT, OUTCOME_SENT },
	};

	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		struct answer a;

		answer_read(&a, NULL, says[i].http, says[i].body, strlen(says[i].body), -1, NULL);
		answer_read_success(&a, says[i].body, strlen(says[i].body));
		ck_assert_msg(a.outcome == says[i].outcome, "%d %s: %s", says[i].http, says[i].body, outcome_name(a.outcome));
		ck_assert_msg(a.outcome != OUTCOME_SENT || !*a.text, "%s", a.text);
	}
	check(200, "{\"success\":true}", OUTCOME_UNKNOWN);	/* of a message it says nothing */
}
END_TEST

START_TEST(a_wamid_fits_or_is_none)
{
	for (int n = WAMID_MAX - 1; n <= WAMID_MAX + 1; n++) {
		struct strbuf body = STRBUF_INIT;

		strbuf_addf(&body, "{\"messages\":[{\"id\":\"%0*d\"}]}", n, 0);
		check(200, body.buf, n <= WAMID_MAX ? OUTCOME_SENT : OUTCOME_UNKNOWN);
		strbuf_release(&body);
	}
}
END_TEST

START_TEST(an_answer_cut_anywhere_is_never_sent_and_never_refused)
{
	static const char refusal[] = ERROR(100);

	for (size_t n = 0; n < sizeof(SENT) - 1; n++) {
		char *cut = strndup(SENT, n);	/* of its own size: reading past it shows under ASan */

		check(200, cut, OUTCOME_UNKNOWN);
		free(cut);
	}
	for (size_t n = 0; n < sizeof(refusal) - 1; n++) {
		char *cut = strndup(refusal, n);

		check(500, cut, OUTCOME_UNKNOWN);
		free(cut);
	}
}
END_TEST

START_TEST(hostile_answers_do_no_harm)
{
	struct strbuf body = STRBUF_INIT;

	for (int i = 0; i < 100000; i++)
		strbuf_adds(&body, "{\"error\":");
	check(200, body.buf, OUTCOME_UNKNOWN);
	strbuf_setf(&body, "{\"messages\":[");
	for (int i = 0; i < 50000; i++)
		strbuf_adds(&body, "{},");
	strbuf_adds(&body, "{}]}");
	check(200, body.buf, OUTCOME_UNKNOWN);
	check(200, "{\"messages\":[{\"id\":\"wamid.a\",\"id\":\"wamid.b\"}]}", OUTCOME_UNKNOWN);
	check(400, "{\"error\":{\"code\":9223372036854775807,\"message\":\"\\u0000\"}}", OUTCOME_SERVER);
	check(400, "{\"error\":{\"code\":4294967486}}", OUTCOME_REFUSED);	/* 190 in 32 bits */
	check(400, "{\"error\":{\"code\":1e300}}", OUTCOME_REFUSED);
	check(200, "\xff\xfe{\"messages\":[{\"id\":\"wamid.a\"}]}", OUTCOME_UNKNOWN);
	strbuf_release(&body);
}
END_TEST

START_TEST(without_a_whole_answer_the_body_decides)
{
	struct answer a;

	answer_lost(&a, false, "connection refused");
	ck_assert(a.outcome == OUTCOME_NOT_SENT && a.http == 0 && !a.has_code && a.retry_after_ms == -1 && !*a.wamid);
	ck_assert_str_eq(a.text, "connection refused");
	answer_lost(&a, true, NULL);
	ck_assert_int_eq(a.outcome, OUTCOME_UNKNOWN);
	ck_assert_str_eq(a.text, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("answer");
	TCase *c = unit_case(s, "answer");

	tcase_add_test(c, a_known_code_decides_whatever_the_status);
	tcase_add_test(c, the_table_has_each_code_once_and_in_order);
	tcase_add_test(c, every_published_code_ends_as_it_must);
	tcase_add_test(c, the_mission_holds_literally);
	tcase_add_test(c, an_unknown_code_goes_by_its_status);
	tcase_add_test(c, the_operator_has_the_last_word_on_codes);
	tcase_add_test(c, a_class_that_is_none);
	tcase_add_test(c, what_an_answer_means);
	tcase_add_test(c, the_details_of_an_error);
	tcase_add_test(c, a_long_text_is_cut_between_characters);
	tcase_add_test(c, a_control_message_is_sent_without_a_wamid);
	tcase_add_test(c, a_wamid_fits_or_is_none);
	tcase_add_test(c, an_answer_cut_anywhere_is_never_sent_and_never_refused);
	tcase_add_test(c, hostile_answers_do_no_harm);
	tcase_add_test(c, without_a_whole_answer_the_body_decides);
	return unit_run(s);
}
