/* What is pure of src/graph: documents made of Graph's answers, checks before a call, CSV, rates. */
#include "unit.h"

#include "base/strbuf.h"
#include "conf/conf.h"
#include "graph/analytics.h"
#include "graph/health.h"
#include "graph/number.h"
#include "graph/pages.h"
#include "graph/profile.h"
#include "graph/watch.h"

static json_t *parse(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	ck_assert_msg(o != NULL, "not JSON: %s", text);
	return o;
}

/* Takes o over. */
static void check_json(json_t *o, const char *want)
{
	char *have = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;

	ck_assert_msg(have && !strcmp(have, want), "%s, not %s", have ? have : "nothing", want);
	free(have);
	json_decref(o);
}

/* ---- health ---- */

static const struct { const char *graph, *want; } healths[] = {
	{ "{\"can_send_message\":\"AVAILABLE\",\"entities\":[{\"entity_type\":\"PHONE_NUMBER\",\"id\":\"1\",\"can_send_message\":\"AVAILABLE\"}]}",
	  "{\"can_send\":\"AVAILABLE\",\"entities\":[{\"entity\":\"number\",\"id\":\"1\",\"state\":\"AVAILABLE\"}]}" },
	{ "{\"can_send_message\":\"LIMITED\",\"entities\":[{\"entity_type\":\"PHONE_NUMBER\",\"id\":\"1\",\"can_send_message\":\"LIMITED\","
	  "\"additional_info\":[\"Your display name is not approved.\"]}]}",
	  "{\"can_send\":\"LIMITED\",\"entities\":[{\"entity\":\"number\",\"id\":\"1\",\"state\":\"LIMITED\","
	  "\"description\":\"Your display name is not approved.\"}]}" },
	/* what wamd knows of a code goes before what Graph says; an entity may have several errors */
	{ "{\"can_send_message\":\"BLOCKED\",\"entities\":[{\"entity_type\":\"WABA\",\"id\":\"2\",\"can_send_message\":\"BLOCKED\",\"errors\":["
	  "{\"error_code\":141006,\"error_description\":\"No payment.\",\"possible_solution\":\"Pay.\"},"
	  "{\"error_code\":999999,\"error_description\":\"New.\",\"possible_solution\":\"Ask Meta.\"}]}]}",
	  "{\"can_send\":\"BLOCKED\",\"entities\":[{\"entity\":\"waba\",\"id\":\"2\",\"state\":\"BLOCKED\",\"code\":141006,\"description\":"
	  "\"No payment.\",\"what_to_do\":\"Add or repair the payment method of the business account in WhatsApp Manager.\"},"
	  "{\"entity\":\"waba\",\"id\":\"2\",\"state\":\"BLOCKED\",\"code\":999999,\"description\":\"New.\",\"what_to_do\":\"Ask Meta.\"}]}" },
	/* entities of tomorrow; halves of entities */
	{ "{\"can_send_message\":\"AVAILABLE\",\"entities\":[{\"entity_type\":\"PLANET\",\"can_send_message\":\"AVAILABLE\"},{\"id\":\"1\"},7]}",
	  "{\"can_send\":\"AVAILABLE\",\"entities\":[{\"entity\":\"PLANET\",\"state\":\"AVAILABLE\"}]}" },
};

START_TEST(health_in_words)
{
	json_t *o = parse(healths[_i].graph);

	check_json(health_words(o), healths[_i].want);
	json_decref(o);
}
END_TEST

START_TEST(what_is_no_health)
{
	json_t *o = parse("{\"entities\":[]}");

	ck_assert_ptr_null(health_words(o));
	ck_assert_ptr_null(health_words(NULL));
	json_decref(o);
}
END_TEST

/* ---- numbers ---- */

START_TEST(a_number_in_our_words)
{
	json_t *o = parse("{\"id\":\"1\",\"quality_rating\":\"GREEN\",\"throughput\":{\"level\":\"HIGH\"},\"is_pin_enabled\":true,\"status\":7.5,"
			  "\"whatsapp_business_manager_messaging_limit\":\"TIER_2K\",\"more\":\"x\",\"verified_name\":null}");
	struct strbuf all = STRBUF_INIT, few = STRBUF_INIT;

	check_json(number_document(o), "{\"phone_number_id\":\"1\",\"quality\":\"GREEN\",\"messaging_limit\":\"TIER_2K\",\"throughput\":\"HIGH\","
				       "\"has_pin\":true}");
	json_object_del(o, "id");
	ck_assert_ptr_null(number_document(o));
	number_fields(false, &all);
	number_fields(true, &few);
	ck_assert_ptr_nonnull(strstr(all.buf, ",whatsapp_business_manager_messaging_limit"));
	ck_assert_ptr_null(strstr(few.buf, "limit"));
	ck_assert_ptr_nonnull(strstr(few.buf, "fields=id,display_phone_number,"));
	strbuf_release(&all);
	strbuf_release(&few);
	json_decref(o);
}
END_TEST

/* ---- rates ---- */

static const struct { const char *tier; int64_t rate; const char *level; int64_t want; } rates[] = {
	{ "standard", 72, "STANDARD", 72 },	/* 90 % of 80 */
	{ "standard", 72, "HIGH", 900 },
	{ "standard", 900, "STANDARD", 72 },	/* lowered again */
	{ "standard", 72, "NOT_APPLICABLE", 72 },
	{ "standard", 72, NULL, 72 },
	{ "premium", 900, "HIGH", 900 },
	{ "premium", 900, "STANDARD", 900 },	/* the operator's word */
	{ NULL, 50, "HIGH", 50 },		/* a rate of its own */
	{ "gone", 33, "HIGH", 33 },
};

START_TEST(rate_by_throughput)
{
	struct conf *c = conf_defaults();
	char tier[16];
	struct account a = { .tier = rates[_i].tier ? tier : NULL, .rate = rates[_i].rate };

	snprintf(tier, sizeof(tier), "%s", rates[_i].tier ? rates[_i].tier : "");
	ck_assert_int_eq(watch_rate_of(c, &a, rates[_i].level), rates[_i].want);
	conf_free(&c);
}
END_TEST

START_TEST(a_grant_outlives_what_the_source_says)
{
	char tier[] = "standard";
	struct account a = { .tier = tier, .rate = 72 };

	ck_assert(account_set_granted(&a, 900, 72));
	ck_assert(!account_set_granted(&a, 900, 72));
	ck_assert_int_eq(a.granted, 900);
	ck_assert(account_set_granted(&a, 72, 72));
	ck_assert_int_eq(a.granted, 0);
}
END_TEST

static const struct { const char *facts, *want; } restrictions[] = {
	{ "{\"status\":\"CONNECTED\"}", NULL },
	{ "{\"status\":\"FLAGGED\"}", NULL },
	{ "{}", NULL },
	{ "{\"status\":\"BANNED\"}", "Graph says that the number is BANNED" },
	{ "{\"health\":{\"entities\":[{\"entity\":\"app\",\"state\":\"AVAILABLE\"},{\"entity\":\"waba\",\"state\":\"BLOCKED\",\"code\":7,"
	  "\"what_to_do\":\"Pay.\"}]}}", "Graph says that the waba is blocked (7): Pay." },
	{ "{\"health\":{\"entities\":[{\"entity\":\"waba\",\"state\":\"BLOCKED\"}]}}", "Graph says that the waba is blocked (0): it does not say why" },
};

START_TEST(what_restricts)
{
	json_t *o = parse(restrictions[_i].facts);
	struct strbuf words = STRBUF_INIT;
	const char *have = watch_restriction(o, &words), *want = restrictions[_i].want;

	ck_assert_msg(want ? have && !strcmp(have, want) : !have, "%s: %s", restrictions[_i].facts, have ? have : "nothing");
	strbuf_release(&words);
	json_decref(o);
}
END_TEST

/* ---- profiles ---- */

static const struct { const char *changes, *why; } profiles[] = {
	{ "{\"about\":\"a\",\"address\":\"\",\"description\":\"\",\"email\":\"\",\"vertical\":\"RETAIL\",\"websites\":[]}", NULL },
	{ "{\"websites\":[\"https://a.example\",\"http://b.example/x\"]}", NULL },
	{ "{\"about\":\"\"}", "about: found 0 characters, allowed 1 to 139" },
	{ "{\"about\":7}", "about: found a number, allowed a text" },
	{ "{\"vertical\":\"retail\"}", "vertical: found \"retail\", allowed ALCOHOL APPAREL" },
	{ "{\"websites\":[\"ftp://a\"]}", "websites: found \"ftp://a\", allowed addresses with http:// or https://" },
	{ "{\"websites\":[\"https://a b\"]}", "websites: found \"https://a b\", allowed addresses" },
	{ "{\"websites\":[\"https://a\",\"https://b\",\"https://c\"]}", "websites: found 3, allowed at most 2" },
	{ "{\"colour\":\"red\"}", "colour: a profile has no such field" },
};

START_TEST(profile_fields)
{
	json_t *o = parse(profiles[_i].changes);
	struct strbuf why = STRBUF_INIT;
	int err = profile_check(o, &why);

	if (profiles[_i].why)
		ck_assert_msg(err < 0 && !strncmp(why.buf, profiles[_i].why, strlen(profiles[_i].why)), "%s: %s", profiles[_i].changes, why.buf);
	else
		ck_assert_msg(err == 0, "%s: %s", profiles[_i].changes, why.buf);
	strbuf_release(&why);
	json_decref(o);
}
END_TEST

/* Characters, not bytes. */
static const struct { const char *field; int most; } lengths[] = {
	{ "about", 139 }, { "address", 256 }, { "description", 512 }, { "email", 128 },
};

START_TEST(profile_lengths)
{
	struct strbuf text = STRBUF_INIT;
	json_t *o = json_object();

	for (int i = 0; i < lengths[_i].most; i++)
		strbuf_adds(&text, "ü");
	json_put_text(o, lengths[_i].field, text.buf);
	ck_assert_int_eq(profile_check(o, NULL), 0);
	strbuf_adds(&text, "x");
	json_put_text(o, lengths[_i].field, text.buf);
	ck_assert_int_eq(profile_check(o, NULL), -1);
	strbuf_release(&text);
	json_decref(o);
}
END_TEST

START_TEST(picture_types)
{
	struct strbuf why = STRBUF_INIT;

	ck_assert_str_eq(picture_type(&(struct picture){ "\xff\xd8\xff\xe0", 4 }, &why), "image/jpeg");
	ck_assert_str_eq(picture_type(&(struct picture){ "\x89PNG\r\n\x1a\n.", 9 }, &why), "image/png");
	ck_assert_ptr_null(picture_type(&(struct picture){ "GIF89a", 6 }, &why));
	ck_assert_str_eq(why.buf, "picture: found something else, allowed a JPEG or PNG file");
	ck_assert_ptr_null(picture_type(&(struct picture){ "\xff\xd8\xff\xe0", PROFILE_PICTURE_MAX + 1 }, &why));
	strbuf_release(&why);
}
END_TEST

/* ---- pages ---- */

static const struct { const char *answer, *cursor; } cursors[] = {
	{ "{\"paging\":{\"cursors\":{\"after\":\"abc\"},\"next\":\"https://elsewhere.example/?after=xyz\"}}", "abc" },
	{ "{\"paging\":{\"cursors\":{\"after\":\"abc\"}}}", NULL },	/* the last page has cursors, too */
	{ "{\"paging\":{\"next\":\"https://graph/v1/2/x?limit=5&after=a%2Bb%3D&more=1\"}}", "a+b=" },
	{ "{\"paging\":{\"next\":\"https://graph/v1/2/x?after=Q\"}}", "Q" },
	{ "{\"paging\":{\"next\":\"https://graph/v1/2/x?before=Q\"}}", NULL },
	{ "{\"paging\":{\"next\":\"https://graph/v1/2/x?after=%0\"}}", "%0" },
	{ "{}", NULL },
};

START_TEST(next_page)
{
	json_t *o = parse(cursors[_i].answer);
	struct strbuf cursor = STRBUF_INIT;
	bool more = pages_next(o, &cursor);

	ck_assert_msg(more == (cursors[_i].cursor != NULL), "%s: %s", cursors[_i].answer, cursor.buf);
	if (more)
		ck_assert_str_eq(cursor.buf, cursors[_i].cursor);
	strbuf_release(&cursor);
	json_decref(o);
}
END_TEST

/* ---- figures ---- */

#define NOW INT64_C(1764201600000)	/* 2025-11-27T00:00:00Z */
#define DAY INT64_C(86400000)

static const struct { struct analytics_words words; int64_t from, to; const char *why; } queries[] = {
	{ { NULL, NULL, NULL, NULL, NULL }, NOW - 7 * DAY, NOW, NULL },
	{ { "pricing", "2025-11-01", "2025-11-02T12:00:00Z", "half-hour", NULL }, NOW - 26 * DAY, NOW - 24 * DAY - DAY / 2, NULL },
	{ { "conversations", "30d", "2h", "month", NULL }, NOW - 30 * DAY, NOW - DAY / 12, NULL },
	{ { "templates", "90d", NULL, "day", "1,22,333" }, NOW - 90 * DAY, NOW, NULL },
	{ { "weather", NULL, NULL, NULL, NULL }, 0, 0, "kind: found \"weather\", allowed messages conversations pricing templates" },
	{ { NULL, "soon", NULL, NULL, NULL }, 0, 0, "from: found \"soon\", allowed a day as 2026-11-01" },
	{ { NULL, NULL, "2025-13-01", NULL, NULL }, 0, 0, "to: found \"2025-13-01\"" },
	{ { NULL, "1d", "2d", NULL, NULL }, 0, 0, "from: found a time that is not before to" },
	{ { NULL, "400d", NULL, NULL, NULL }, 0, 0, "from: found a time too long ago, allowed 366 days for messages" },
	{ { "templates", "91d", NULL, NULL, "1" }, 0, 0, "from: found a time too long ago, allowed 90 days for templates" },
	{ { NULL, NULL, NULL, "week", NULL }, 0, 0, "granularity: found \"week\", allowed for messages: half-hour, day or month" },
	{ { "templates", NULL, NULL, "month", "1" }, 0, 0, "granularity: found \"month\", allowed for templates: day" },
	{ { "templates", NULL, NULL, NULL, NULL }, 0, 0, "template: is missing" },
	{ { "templates", NULL, NULL, NULL, "1;2" }, 0, 0, "template: found \"1;2\"" },
	{ { "templates", NULL, NULL, NULL, "1,2,3,4,5,6,7,8,9,10,11" }, 0, 0, "template: found" },
	{ { NULL, NULL, NULL, NULL, "1" }, 0, 0, "template: only for the kind templates" },
};

START_TEST(what_figures_are_asked_for)
{
	struct analytics_query q;
	struct strbuf why = STRBUF_INIT;
	int err = analytics_read(&q, &queries[_i].words, NOW, &why);

	if (queries[_i].why) {
		ck_assert_msg(err < 0 && !strncmp(why.buf, queries[_i].why, strlen(queries[_i].why)), "%d: %s", _i, why.buf);
	} else {
		ck_assert_msg(err == 0, "%d: %s", _i, why.buf);
		ck_assert_int_eq(q.from_ms, queries[_i].from);
		ck_assert_int_eq(q.to_ms, queries[_i].to);
	}
	strbuf_release(&why);
}
END_TEST

#define HEAD(kind, columns) "{\"kind\":\"" kind "\",\"from\":\"2025-11-27T00:00:00.000Z\",\"to\":\"2025-11-28T00:00:00.000Z\"," \
	"\"granularity\":\"day\",\"columns\":[\"start\",\"end\"" columns "],\"rows\":["
#define TIMES "\"start\":\"2025-11-27T00:00:00.000Z\",\"end\":\"2025-11-28T00:00:00.000Z\""
#define POINT "\"start\":1764201600,\"end\":1764288000"

static const struct { enum analytics_kind kind; const char *data, *want, *csv; } figures[] = {
	{ ANALYTICS_MESSAGES, "{\"data_points\":[{" POINT ",\"sent\":5,\"delivered\":4}]}",
	  HEAD("messages", ",\"sent\",\"delivered\"") "{" TIMES ",\"sent\":5,\"delivered\":4}],\"is_cut\":false}",
	  "start,end,sent,delivered\r\n2025-11-27T00:00:00.000Z,2025-11-28T00:00:00.000Z,5,4\r\n" },
	/* rows need not have the same members; what is no figure is left out; quotes after RFC 4180 */
	{ ANALYTICS_TEMPLATES, "[{\"data_points\":[{" POINT ",\"sent\":1,\"clicked\":[{\"count\":3}]}]},{\"data_points\":[{" POINT
	  ",\"tier\":\"0:1,000\",\"name\":\"say \\\"hi\\\"\",\"cost\":0.25}]}]",
	  HEAD("templates", ",\"sent\",\"tier\",\"name\",\"cost\"") "{" TIMES ",\"sent\":1},{" TIMES ",\"tier\":\"0:1,000\",\"name\":"
	  "\"say \\\"hi\\\"\",\"cost\":0.25}],\"is_cut\":false}",
	  "start,end,sent,tier,name,cost\r\n2025-11-27T00:00:00.000Z,2025-11-28T00:00:00.000Z,1,,,\r\n"
	  "2025-11-27T00:00:00.000Z,2025-11-28T00:00:00.000Z,,\"0:1,000\",\"say \"\"hi\"\"\",0.25\r\n" },
	{ ANALYTICS_PRICING, "[]", HEAD("pricing", "") "],\"is_cut\":false}", "start,end\r\n" },
};

START_TEST(figures_as_document_and_csv)
{
	struct analytics_query q = { .kind = figures[_i].kind, .granularity = 1, .from_ms = NOW, .to_ms = NOW + DAY };
	json_t *data = parse(figures[_i].data), *o = analytics_document(&q, data, false);
	struct strbuf csv = STRBUF_INIT;

	analytics_csv(o, &csv);
	ck_assert_str_eq(csv.buf, figures[_i].csv);
	check_json(o, figures[_i].want);
	strbuf_release(&csv);
	json_decref(data);
}
END_TEST

START_TEST(no_figures)
{
	struct analytics_query q = { .kind = ANALYTICS_MESSAGES, .granularity = 1, .from_ms = NOW, .to_ms = NOW + DAY };

	check_json(analytics_document(&q, NULL, true), HEAD("messages", "") "],\"is_cut\":true}");
}
END_TEST

START_TEST(parts_of_a_query_are_encoded)
{
	struct strbuf out = STRBUF_INIT;

	graph_add_encoded(&out, "a-Z_0.~[1] &=%\xc3\xbc");
	ck_assert_str_eq(out.buf, "a-Z_0.~%5B1%5D%20%26%3D%25%C3%BC");
	strbuf_release(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("graph");
	TCase *c = unit_case(s, "documents");

	tcase_add_loop_test(c, health_in_words, 0, (int)ARRAY_LEN(healths));
	tcase_add_test(c, what_is_no_health);
	tcase_add_test(c, a_number_in_our_words);
	tcase_add_loop_test(c, rate_by_throughput, 0, (int)ARRAY_LEN(rates));
	tcase_add_test(c, a_grant_outlives_what_the_source_says);
	tcase_add_loop_test(c, what_restricts, 0, (int)ARRAY_LEN(restrictions));
	tcase_add_loop_test(c, profile_fields, 0, (int)ARRAY_LEN(profiles));
	tcase_add_loop_test(c, profile_lengths, 0, (int)ARRAY_LEN(lengths));
	tcase_add_test(c, picture_types);
	tcase_add_loop_test(c, next_page, 0, (int)ARRAY_LEN(cursors));
	tcase_add_loop_test(c, what_figures_are_asked_for, 0, (int)ARRAY_LEN(queries));
	tcase_add_loop_test(c, figures_as_document_and_csv, 0, (int)ARRAY_LEN(figures));
	tcase_add_test(c, no_figures);
	tcase_add_test(c, parts_of_a_query_are_encoded);
	return unit_run(s);
}
