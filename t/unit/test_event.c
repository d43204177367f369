/* What wamd publishes: status events, dead letters, one attempt of a history, alerts. */
#include "unit.h"

#include "msg/event.h"

static const struct message_rules rules;

static struct message message(const char *body)
{
	struct message m;

	(void)message_decode(&m, &rules, body, strlen(body), NULL);
	return m;
}

static const char whole[] = "{\"id\":\"m1\",\"tenant_id\":\"t\",\"account_id\":\"a\",\"correlation_id\":\"c\",\"to\":\"+491511234567\","
	"\"type\":\"text\",\"text\":{\"body\":\"hi\"},\"metadata\":{\"order\":[1,null]}}";

START_TEST(an_accepted_message)
{
	struct message m = message(whole);
	struct event e = { .m = &m, .account_id = "support", .status = "accepted", .wamid = "wamid.x", .attempts = 2, .at_ms = 1795412521123 };
	struct strbuf out = STRBUF_INIT;

	event_status(&e, &out);
	ck_assert_str_eq(out.buf, "{\"v\":1,\"id\":\"m1\",\"tenant_id\":\"t\",\"account_id\":\"support\",\"correlation_id\":\"c\",\"status\":\"accepted\","
			 "\"wamid\":\"wamid.x\",\"attempts\":2,\"timestamp\":\"2026-11-23T05:42:01.123Z\",\"metadata\":{\"order\":[1,null]}}");
	strbuf_reset(&out);
	event_status(&e, &out);				/* metadata was only lent */
	ck_assert_ptr_nonnull(strstr(out.buf, "{\"order\":[1,null]}"));
	strbuf_release(&out);
	message_release(&m);
}
END_TEST

START_TEST(a_failed_message)
{
	struct message m = message("{\"id\":\"m1\",\"tenant_id\":\"t\",\"account_id\":\"a\"}");
	struct event e = { .m = &m, .status = "failed", .reason = "refused", .error = "gr\303\274\303\237 \"q\"", .code = 131026, .attempts = 1 };
	struct strbuf out = STRBUF_INIT;

	event_status(&e, &out);
	ck_assert_str_eq(out.buf, "{\"v\":1,\"id\":\"m1\",\"tenant_id\":\"t\",\"account_id\":\"a\",\"status\":\"failed\",\"reason\":\"refused\","
			 "\"error\":\"gr\303\274\303\237 \\\"q\\\"\",\"code\":131026,\"attempts\":1,\"timestamp\":\"1970-01-01T00:00:00.000Z\"}");
	strbuf_release(&out);
	message_release(&m);
}
END_TEST

/* A dead letter: the message as it came where it was JSON, else its bytes, else its size. */
static const struct { const char *body; size_t len, real_len; const char *want; } letters[] = {
	{ whole, sizeof(whole) - 1, 0, "\"message\":{\"id\":\"m1\",\"tenant_id\":\"t\"," },
	{ "[1,2.5,\"x\"]", 11, 0, "\"message\":[1,2.5,\"x\"]}" },
	{ "hello", 5, 0, "\"message_b64\":\"aGVsbG8=\"}" }, { "", 0, 0, "\"message_b64\":\"\"}" },
	{ "\xff\0\x01", 3, 0, "\"message_b64\":\"/wAB\"}" }, { "{\"id\":\"a\",\"id\":\"b\"}", 19, 0, "\"message_b64\":\"eyJpZCI6ImEiLCJpZCI6ImIifQ==\"}" },
	{ "", 0, 10485760, "\"message_size\":10485760}" },
};

START_TEST(a_dead_letter_keeps_the_message)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		struct message m;
		struct strbuf out = STRBUF_INIT;
		struct dead_letter d = { .e = { .m = &m, .status = "failed", .reason = "not_json", .error = "why", .at_ms = 1000 }, .body = letters[i].body,
					 .len = letters[i].len, .real_len = letters[i].real_len, .history = "", .queue = "whatsapp.outbound" };
		json_t *o;

		(void)message_decode(&m, &rules, letters[i].body, letters[i].len, NULL);
		event_dead_letter(&d, &out);
		ck_assert_msg(strstr(out.buf, letters[i].want) != NULL, "%s", out.buf);
		o = json_loadb(out.buf, out.len, JSON_REJECT_DUPLICATES, NULL);
		ck_assert_str_eq(json_text(o, "queue"), "whatsapp.outbound");
		ck_assert_str_eq(json_text(o, "reason"), "not_json");
		ck_assert_str_eq(json_text(o, "died_at"), "1970-01-01T00:00:01.000Z");
		ck_assert_int_eq(json_integer_value(json_object_get(o, "v")), 1);
		ck_assert(json_is_array(json_object_get(o, "history")) && !json_object_get(o, "first_seen"));
		ck_assert_int_eq(!!json_object_get(o, "message") + !!json_object_get(o, "message_b64") + !!json_object_get(o, "message_size"), 1);
		json_decref(o);
		strbuf_release(&out);
		message_release(&m);
	}
}
END_TEST

START_TEST(a_dead_letter_tells_every_attempt)
{
	struct message m = message(whole);
	struct strbuf out = STRBUF_INIT, history = STRBUF_INIT;
	struct dead_letter d = { .e = { .m = &m, .status = "failed", .reason = "retries_used", .attempts = 2 }, .first_seen_ms = 1500, .queue = "q" };

	event_attempt(1, 1795412521123, 20001, "unknown", 0, 0, "", "time-out", &history);
	ck_assert_str_eq(history.buf, "{\"n\":1,\"at\":\"2026-11-23T05:42:01.123Z\",\"ms\":20001,\"outcome\":\"unknown\",\"error\":\"time-out\"}");
	strbuf_addc(&history, ',');
	event_attempt(2, 1795412521123, 7, "refused", 400, 131026, "recipient", "", &history);
	d.history = history.buf;
	event_dead_letter(&d, &out);
	ck_assert_ptr_nonnull(strstr(out.buf, "\"history\":[{\"n\":1,\"at\":\"2026-11-23T05:42:01.123Z\",\"ms\":20001,\"outcome\":\"unknown\",\"error\":\"time-out\"},"
				     "{\"n\":2,\"at\":\"2026-11-23T05:42:01.123Z\",\"ms\":7,\"outcome\":\"refused\",\"http\":400,\"code\":131026,\"scope\":\"recipient\"}],"
				     "\"first_seen\":\"1970-01-01T00:00:01.500Z\""));
	d.history = "{\"n\":1,";				/* damaged in Redis: the letter is more important */
	strbuf_reset(&out);
	event_dead_letter(&d, &out);
	ck_assert_ptr_nonnull(strstr(out.buf, "\"history\":[],"));
	strbuf_release(&out);
	strbuf_release(&history);
	message_release(&m);
}
END_TEST

/* AMQP properties and headers are bytes: a producer's Latin-1 correlation id may not end the sender. */
START_TEST(texts_that_are_no_utf8_are_told_as_far_as_they_go)
{
	static const struct { const char *raw, *told; } rows[] = {
		{ "caf\xe9-1", "caf\357\277\275-1" }, { "\xff\xfe", "\357\277\275\357\277\275" }, { "cut\xe2\x82", "cut\357\277\275\357\277\275" },
		{ "ok\303\251", "ok\303\251" }, { "\xed\xa0\x80x", "\357\277\275\357\277\275\357\277\275x" }, { "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m = message("{\"id\":\"m1\",\"tenant_id\":\"t\"}");
		struct event e = { .m = &m, .status = "failed", .reason = "refused", .error = rows[i].raw };
		struct strbuf out = STRBUF_INIT, want = STRBUF_INIT;

		m.correlation_id = rows[i].raw;
		event_status(&e, &out);
		strbuf_addf(&want, "\"correlation_id\":\"%s\"", rows[i].told);
		ck_assert_msg(strstr(out.buf, want.buf) != NULL, "%s", out.buf);
		strbuf_setf(&want, "\"error\":\"%s\"", rows[i].told);
		ck_assert_msg(strstr(out.buf, want.buf) != NULL, "%s", out.buf);
		strbuf_release(&out);
		strbuf_release(&want);
		message_release(&m);
	}
}
END_TEST

START_TEST(an_alert)
{
	static const struct { struct alert_event e; const char *want; } rows[] = {
		{ { .kind = "held", .severity = "warning", .state = "raised", .tenant_id = "acme", .account_id = "support", .what = "template:hello",
		    .text = "Graph: gr\303\274\303\237 \"q\" (132001)", .since_ms = 1795412521123, .at_ms = 1795412521123, .count = 1, .host = "mta1" },
		  "{\"v\":1,\"kind\":\"held\",\"severity\":\"warning\",\"state\":\"raised\",\"tenant_id\":\"acme\",\"account_id\":\"support\","
		  "\"what\":\"template:hello\",\"text\":\"Graph: gr\303\274\303\237 \\\"q\\\" (132001)\",\"since\":\"2026-11-23T05:42:01.123Z\","
		  "\"at\":\"2026-11-23T05:42:01.123Z\",\"count\":1,\"host\":\"mta1\"}" },
		/* of a whole host; cut within a character */
		{ { .kind = "host_breaker_open", .severity = "critical", .state = "resolved", .text = "it answers\303", .since_ms = 1500,
		    .at_ms = 1795412521123, .count = 4000000000, .host = "mta1" },
		  "{\"v\":1,\"kind\":\"host_breaker_open\",\"severity\":\"critical\",\"state\":\"resolved\",\"text\":\"it answers\357\277\275\","
		  "\"since\":\"1970-01-01T00:00:01.500Z\",\"at\":\"2026-11-23T05:42:01.123Z\",\"count\":4000000000,\"host\":\"mta1\"}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf out = STRBUF_INIT;

		event_alert(&rows[i].e, &out);
		ck_assert_str_eq(out.buf, rows[i].want);
		strbuf_release(&out);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("event");
	TCase *c = unit_case(s, "event");

	tcase_add_test(c, an_accepted_message);
	tcase_add_test(c, a_failed_message);
	tcase_add_test(c, a_dead_letter_keeps_the_message);
	tcase_add_test(c, a_dead_letter_tells_every_attempt);
	tcase_add_test(c, texts_that_are_no_utf8_are_told_as_far_as_they_go);
	tcase_add_test(c, an_alert);
	return unit_run(s);
}
