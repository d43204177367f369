/* Decoding a message: both envelopes, every reason to refuse one, limits at their edges, the digest, the POST's body. */
#include "unit.h"

#include "base/str.h"
#include "msg/message.h"

#define TO_TEXT "\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}"
#define OWN(more) "{\"id\":\"m1\",\"tenant_id\":\"t\"," TO_TEXT more "}"
#define SECOND(meta, waba) "{\"metadata\":{" meta "},\"wabaPayload\":{" waba "}}"
#define ABOUT "\"tenantId\":\"t\",\"internalId\":\"m1\""

static const char zone[] = "expires_at: found a string, allowed a time such as 2026-11-23T10:00:00Z, or Unix seconds";

/* why: exact; a * at its end stands for anything. */
static const struct { const char *body; enum reason reason; const char *why; } refused[] = {
	{ "", REASON_NOT_JSON, "line*" }, { "hello", REASON_NOT_JSON, "line*" }, { "{\"id\":", REASON_NOT_JSON, "line*" },
	{ OWN("") "x", REASON_NOT_JSON, "line*" }, { "{\"id\":\"\xff\"}", REASON_NOT_JSON, "line*" },
	{ "{\"id\":\"a\\u0000b\"}", REASON_NOT_JSON, "line*" }, { "{\"id\":\"\\ud800\"}", REASON_NOT_JSON, "line*" },
	{ "{\"n\":1e999}", REASON_NOT_JSON, "line*" }, { "{'id':1}", REASON_NOT_JSON, "line*" },
	{ "[1]", REASON_NOT_JSON, "found an array, allowed an object" },
	{ "{\"id\":\"m1\",\"id\":\"m2\"}", REASON_DUPLICATE_KEY, "line*" },
	{ OWN(",\"metadata\":{\"a\":1,\"a\":1}"), REASON_DUPLICATE_KEY, "line*" },
	{ "{\"tenant_id\":\"t\"," TO_TEXT "}", REASON_NO_ID, "id: is missing (or idempotency_key)" },
	{ "{\"id\":null,\"tenant_id\":\"t\"," TO_TEXT "}", REASON_NO_ID, "id: is missing (or idempotency_key)" },
	{ "{}", REASON_NO_ID, "id: is missing (or idempotency_key)" },
	{ "{\"id\":7,\"tenant_id\":\"t\"," TO_TEXT "}", REASON_BAD_FIELD, "id: found a number, allowed a string" },
	{ "{\"id\":\"\",\"tenant_id\":\"t\"," TO_TEXT "}", REASON_BAD_FIELD, "id: found 0 bytes, allowed 1 to 255" },
	{ "{\"id\":\"m1\"," TO_TEXT "}", REASON_BAD_FIELD, "tenant_id: found nothing, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":[]," TO_TEXT "}", REASON_BAD_FIELD, "tenant_id: found an array, allowed a string" },
	{ OWN(",\"idempotency_key\":true"), REASON_BAD_FIELD, "idempotency_key: found a boolean, allowed a string" },
	{ OWN(",\"account_id\":{}"), REASON_BAD_FIELD, "account_id: found an object, allowed a string" },
	{ OWN(",\"correlation_id\":1.5"), REASON_BAD_FIELD, "correlation_id: found a number, allowed a string" },
	{ OWN(",\"priority\":11"), REASON_BAD_FIELD, "priority: found 11, allowed 0 to 10" },
	{ OWN(",\"priority\":-1"), REASON_BAD_FIELD, "priority: found -1, allowed 0 to 10" },
	{ OWN(",\"priority\":\"5\""), REASON_BAD_FIELD, "priority: found a string, allowed a whole number" },
	{ OWN(",\"priority\":5.0"), REASON_BAD_FIELD, "priority: found a number, allowed a whole number" },
	{ OWN(",\"ttl_s\":0"), REASON_BAD_FIELD, "ttl_s: found 0, allowed 1 to 2592000" },
	{ OWN(",\"ttl_s\":2592001"), REASON_BAD_FIELD, "ttl_s: found 2592001, allowed 1 to 2592000" },
	{ OWN(",\"expires_at\":\"tomorrow\""), REASON_BAD_FIELD, zone }, { OWN(",\"expires_at\":\"2026-11-23\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23 10:00:00Z\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\" 2026-11-23T10:00:00Z\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-13-23T10:00:00Z\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00Zulu\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00+01:00 \""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00+24:00\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00+01:60\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00+-1:00\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00+1:00\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"2026-11-23T10:00:00.Z\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":\"1970-01-01T00:00:00Z\""), REASON_BAD_FIELD, zone },	/* 0 would mean: not named */
	{ OWN(",\"expires_at\":\"1969-12-31T23:59:59Z\""), REASON_BAD_FIELD, zone },
	{ OWN(",\"expires_at\":0"), REASON_BAD_FIELD, "expires_at: found a number*" },
	{ OWN(",\"expires_at\":1795428000000"), REASON_BAD_FIELD, "expires_at: found a number*" },	/* milliseconds */
	{ OWN(",\"expires_at\":true"), REASON_BAD_FIELD, "expires_at: found a boolean*" },
	{ OWN(",\"on_unknown\":\"twice\""), REASON_BAD_FIELD, "on_unknown: found a string, allowed \"at_least_once\" or \"at_most_once\"" },
	{ OWN(",\"context\":\"wamid.1\""), REASON_BAD_FIELD, "context: found a string, allowed an object with message_id" },
	{ OWN(",\"context\":{\"message_id\":1}"), REASON_BAD_FIELD, "message_id: found a number, allowed a string" },
	{ OWN(",\"biz_opaque_callback_data\":1"), REASON_BAD_FIELD, "biz_opaque_callback_data: found a number, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\"}", REASON_BAD_RECIPIENT, "to: found nothing, allowed a phone number in to, or a user id in recipient" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient\":7}", REASON_BAD_RECIPIENT, "recipient: found a number, allowed a phone number in to, or a user id in recipient" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":491511234567}", REASON_BAD_RECIPIENT, "to: found a number, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"me\"}", REASON_BAD_RECIPIENT, "to: a character that is no digit; allowed E.164 such as +491511234567" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient\":\"me\"}", REASON_BAD_RECIPIENT, "recipient: found 2 characters, allowed a user id such as US.13491208655302741918" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\"}", REASON_BAD_FIELD, "type: found nothing, allowed a message type such as \"text\"" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"type\":\"image\",\"image\":{}}", REASON_UNSUPPORTED_TYPE, "type: found \"image\", allowed \"text\"" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"type\":1}", REASON_BAD_FIELD, "type: found a number, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"type\":\"text\"}", REASON_BAD_FIELD, "text: found nothing, allowed an object" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":\"hi\"}", REASON_BAD_FIELD, "text: found a string, allowed an object" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{}}", REASON_BAD_FIELD, "text.body: found nothing, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":null}}", REASON_BAD_FIELD, "text.body: found null, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"x\",\"preview_url\":1}}", REASON_BAD_FIELD, "text.preview_url: found a number, allowed a boolean" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"\"}}", REASON_TEXT_EMPTY, "text.body: found 0 characters, allowed 1 to 4096" },
	{ SECOND("\"tenantId\":\"t\"", TO_TEXT), REASON_NO_ID, "metadata.internalId: is missing" },
	{ SECOND("\"internalId\":\"m1\"", TO_TEXT), REASON_BAD_FIELD, "metadata.tenantId: found nothing, allowed a string" },
	{ SECOND(ABOUT ",\"priority\":99", TO_TEXT), REASON_BAD_FIELD, "priority: found 99, allowed 0 to 10" },
	{ SECOND(ABOUT, "\"to\":\"+491511234567\",\"type\":\"sticker\""), REASON_UNSUPPORTED_TYPE, "type: found \"sticker\", allowed \"text\"" },
	{ "{\"metadata\":{" ABOUT "},\"wabaPayload\":7}", REASON_BAD_FIELD, "wabaPayload: found a number, allowed an object" },
	{ "{\"metadata\":[],\"wabaPayload\":{}}", REASON_BAD_FIELD, "metadata: found an array, allowed an object" },
	{ "{\"wabaPayload\":{}}", REASON_BAD_FIELD, "metadata: found nothing, allowed an object" },
};

static void check_refused(const char *body, size_t len, enum reason reason, const char *want)
{
	struct strbuf why = STRBUF_INIT;
	struct message m;
	enum reason r = message_decode(&m, body, len, &why);
	size_t n = strlen(want);
	bool same = n && want[n - 1] == '*' ? !strncmp(why.buf, want, n - 1) && why.len >= n : !strcmp(why.buf, want);

	ck_assert_msg(r == reason, "%.200s is %s (%s)", body, reason_code(r), why.buf);
	ck_assert_msg(same, "%.200s\nsays   %s\nwanted %s", body, why.buf, want);
	message_release(&m);
	strbuf_release(&why);
}

static void add_times(struct strbuf *sb, const char *what, int n)
{
	while (n--)
		strbuf_adds(sb, what);
}

START_TEST(every_reason_to_refuse_names_the_field)
{
	unsigned seen = 0;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		check_refused(refused[i].body, strlen(refused[i].body), refused[i].reason, refused[i].why);
		seen |= BIT(refused[i].reason);
	}
	ck_assert_uint_eq(seen, BIT(REASON_NOT_JSON) | BIT(REASON_DUPLICATE_KEY) | BIT(REASON_NO_ID) | BIT(REASON_BAD_FIELD) |
			  BIT(REASON_BAD_RECIPIENT) | BIT(REASON_UNSUPPORTED_TYPE) | BIT(REASON_TEXT_EMPTY));
	check_refused("{\"id\":\"a\0b\"}", 12, REASON_NOT_JSON, "line*");
}
END_TEST

/* head, n times what, tail: decoded as reason. */
static const struct { const char *head, *what; int n; const char *tail; enum reason reason; const char *why; } long_rows[] = {
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"", "a", 4096, "\"}}", REASON_NONE, "" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"", "a", 4097, "\"}}", REASON_TEXT_TOO_LONG, "text.body: found 4097 characters, allowed 1 to 4096" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"", "\360\237\230\200", 4096, "\"}}", REASON_NONE, "" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"", "\360\237\230\200", 4097, "\"}}", REASON_TEXT_TOO_LONG, "text.body: found 4097 characters, allowed 1 to 4096" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"", "\\ud83d\\ude00", 4096, "\"}}", REASON_NONE, "" },
	{ "{\"id\":\"", "i", 255, "\",\"tenant_id\":\"t\"," TO_TEXT "}", REASON_NONE, "" },
	{ "{\"id\":\"", "i", 256, "\",\"tenant_id\":\"t\"," TO_TEXT "}", REASON_BAD_FIELD, "id: found 256 bytes, allowed 1 to 255" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\"," TO_TEXT ",\"idempotency_key\":\"", "k", 255, "\"}", REASON_NONE, "" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\"," TO_TEXT ",\"idempotency_key\":\"", "k", 256, "\"}", REASON_BAD_FIELD, "idempotency_key: found 256 bytes, allowed 1 to 255" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\"," TO_TEXT ",\"correlation_id\":\"", "k", 256, "\"}", REASON_BAD_FIELD, "correlation_id: found 256 bytes, allowed 1 to 255" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"", "t", 65, "\"," TO_TEXT "}", REASON_BAD_FIELD, "tenant_id: found 65 bytes, allowed 1 to 64" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\"," TO_TEXT ",\"biz_opaque_callback_data\":\"", "c", 512, "\"}", REASON_NONE, "" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\"," TO_TEXT ",\"biz_opaque_callback_data\":\"", "c", 513, "\"}", REASON_BAD_FIELD, "biz_opaque_callback_data: found 513 bytes, allowed 1 to 512" },
	{ "", "[", 33, "", REASON_TOO_DEEP, "nested deeper than 32 levels" }, { "", "[", 32, "", REASON_NOT_JSON, "line*" },
	{ "", "{\"a\":", 100000, "", REASON_TOO_DEEP, "nested deeper than 32 levels" },
	{ "{\"a\":\"", "[", 40, "\"}", REASON_NO_ID, "id: is missing (or idempotency_key)" },	/* brackets in a text are text */
	{ "{\"a\":\"\\\"", "[", 40, "\"}", REASON_NO_ID, "id: is missing (or idempotency_key)" },
	{ "{\"a\":[0", ",0", 19990, "]}", REASON_NO_ID, "id: is missing (or idempotency_key)" },
	{ "{\"a\":[0", ",0", 20000, "]}", REASON_TOO_LARGE, "more than 20000 values" },
};

START_TEST(limits_hold_at_their_edges)
{
	for (size_t i = 0; i < ARRAY_LEN(long_rows); i++) {
		struct strbuf body = STRBUF_INIT;

		strbuf_adds(&body, long_rows[i].head);
		add_times(&body, long_rows[i].what, long_rows[i].n);
		strbuf_adds(&body, long_rows[i].tail);
		check_refused(body.buf, body.len, long_rows[i].reason, long_rows[i].why);
		strbuf_release(&body);
	}
}
END_TEST

static struct message good(const char *body)
{
	struct strbuf why = STRBUF_INIT;
	struct message m;
	enum reason r = message_decode(&m, body, strlen(body), &why);

	ck_assert_msg(r == REASON_NONE, "%s is %s: %s", body, reason_code(r), why.buf);
	strbuf_release(&why);
	return m;
}

START_TEST(wamds_own_envelope)
{
	struct message m = good("{\"id\":\"m1\",\"idempotency_key\":\"k1\",\"tenant_id\":\"t\",\"account_id\":\"a\",\"correlation_id\":\"c\",\"priority\":10,"
				"\"ttl_s\":60,\"on_unknown\":\"at_most_once\",\"metadata\":{\"x\":[1]},\"context\":{\"message_id\":\"wamid.1\"},"
				"\"biz_opaque_callback_data\":\"mine\",\"to\":null,\"recipient\":\"US.134\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}}");

	ck_assert_str_eq(m.id, "m1");
	ck_assert_str_eq(m.key, "k1");
	ck_assert_str_eq(m.tenant_id, "t");
	ck_assert_str_eq(m.account_id, "a");
	ck_assert_str_eq(m.correlation_id, "c");
	ck_assert_str_eq(m.to.text, "US.134");
	ck_assert(m.to.is_user_id && m.on_unknown == ON_UNKNOWN_AT_MOST_ONCE && json_is_object(m.metadata));
	ck_assert_str_eq(m.reply_to, "wamid.1");
	ck_assert_str_eq(m.callback, "mine");
	ck_assert_int_eq(m.priority, 10);
	ck_assert_int_eq(m.ttl_ms, 60000);
	message_release(&m);
	m = good(OWN(",\"priority\":0,\"account_id\":null,\"ttl_s\":2592000"));
	ck_assert(!m.account_id && !m.correlation_id && !m.callback && !m.reply_to && !m.metadata && m.on_unknown == ON_UNKNOWN_DEFAULT);
	ck_assert_int_eq(m.priority, 0);
	ck_assert_str_eq(m.key, "m1");
	ck_assert(m.expires_at_ms == 0 && m.ttl_ms == 2592000000);
	message_release(&m);
	m = good("{\"idempotency_key\":\"k1\",\"tenant_id\":\"t\"," TO_TEXT ",\"on_unknown\":\"at_least_once\"}");
	ck_assert_str_eq(m.id, "k1");
	ck_assert(m.priority == -1 && m.on_unknown == ON_UNKNOWN_AT_LEAST_ONCE);
	message_release(&m);
}
END_TEST

START_TEST(the_second_envelope)
{
	struct message m = good(SECOND(ABOUT ",\"phoneNumberId\":\"123\",\"correlationId\":\"c\",\"priority\":3",
				       "\"messaging_product\":\"whatsapp\"," TO_TEXT ",\"biz_opaque_callback_data\":\"mine\""));

	ck_assert_str_eq(m.id, "m1");
	ck_assert_str_eq(m.key, "m1");
	ck_assert_str_eq(m.tenant_id, "t");
	ck_assert_str_eq(m.account_id, "123");
	ck_assert_str_eq(m.correlation_id, "c");
	ck_assert_str_eq(m.callback, "mine");
	ck_assert_str_eq(m.to.text, "+491511234567");
	ck_assert(m.priority == 3 && !m.metadata);
	message_release(&m);
}
END_TEST

START_TEST(what_was_read_before_the_mistake_is_kept_for_the_dead_letter)
{
	static const char body[] = "{\"id\":\"m1\",\"tenant_id\":\"t\",\"account_id\":\"a\",\"correlation_id\":\"c\",\"to\":\"me\"}";
	struct message m;

	ck_assert_int_eq(message_decode(&m, body, strlen(body), NULL), REASON_BAD_RECIPIENT);
	ck_assert_str_eq(m.id, "m1");
	ck_assert_str_eq(m.tenant_id, "t");
	ck_assert_str_eq(m.account_id, "a");
	ck_assert_str_eq(m.correlation_id, "c");
	message_release(&m);
	message_release(&m);
}
END_TEST

START_TEST(expiry_in_every_form)
{
	static const struct { const char *form; int64_t ms; } rows[] = {
		{ "\"2026-11-23T10:00:00Z\"", 1795428000000 }, { "\"2026-11-23T10:00:00.999999Z\"", 1795428000000 },
		{ "\"2026-11-23T10:00:00+01:00\"", 1795424400000 }, { "\"2026-11-23T10:00:00-05:30\"", 1795447800000 },
		{ "\"2026-11-23T10:00:00.5+00:00\"", 1795428000000 }, { "\"2024-02-29T00:00:00Z\"", 1709164800000 },
		{ "\"1970-01-01T00:00:01Z\"", 1000 }, { "1795428000", 1795428000000 }, { "1", 1000 }, { "null", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf body = STRBUF_INIT;
		struct message m;

		strbuf_addf(&body, OWN(",\"expires_at\":%s"), rows[i].form);
		m = good(body.buf);
		ck_assert_msg(m.expires_at_ms == rows[i].ms, "%s is %lld", rows[i].form, (long long)m.expires_at_ms);
		message_release(&m);
		strbuf_release(&body);
	}
}
END_TEST

static const struct { const char *body; bool same; } digests[] = {
	{ "{\"text\":{\"body\":\"hi\"},\"type\":\"text\",\"to\":\"+49 151 1234567\",\"tenant_id\":\"t\",\"id\":\"m1\"}", true },
	{ "{\"id\":\"other\",\"tenant_id\":\"other\",\"account_id\":\"x\"," TO_TEXT "}", true },
	{ OWN(",\"priority\":3,\"metadata\":{\"a\":1},\"ttl_s\":5,\"expires_at\":99,\"correlation_id\":\"c\",\"on_unknown\":\"at_most_once\""), true },
	{ OWN(",\"biz_opaque_callback_data\":\"mine\""), true },
	{ SECOND(ABOUT, TO_TEXT), true },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234568\",\"text\":{\"body\":\"hi\"}}", false },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient\":\"DE.491511234567\",\"text\":{\"body\":\"hi\"}}", false },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"hi!\"}}", false },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"hi\",\"preview_url\":false}}", false },
};

START_TEST(the_digest_is_of_recipient_type_and_payload)
{
	struct message m = good(OWN("")), a, b;

	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		struct message other = good(digests[i].body);

		ck_assert_msg(!memcmp(m.digest, other.digest, SHA256_LEN) == digests[i].same, "%s", digests[i].body);
		message_release(&other);
	}
	a = good("{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"preview_url\":true, \"body\":\"h\\u0069\"}}");
	b = good("{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"text\":{\"body\":\"hi\",\"preview_url\":true}}");
	ck_assert_mem_eq(a.digest, b.digest, SHA256_LEN);
	message_release(&a);
	message_release(&b);
	message_release(&m);
}
END_TEST

static const struct { const char *body, *post; } posts[] = {
	{ OWN(",\"metadata\":{\"a\":1},\"priority\":4"), "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"to\":\"+491511234567\",\"type\":\"text\","
	  "\"text\":{\"body\":\"hi\"},\"biz_opaque_callback_data\":\"w1.x\"}" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient\":\"US.134\",\"text\":{\"preview_url\":true,\"body\":\"\\\"\\n\303\244\"},\"context\":{\"message_id\":\"wamid.1\"}}",
	  "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"recipient\":\"US.134\",\"type\":\"text\","
	  "\"text\":{\"preview_url\":true,\"body\":\"\\\"\\n\303\244\"},\"context\":{\"message_id\":\"wamid.1\"},\"biz_opaque_callback_data\":\"w1.x\"}" },
	{ SECOND(ABOUT, TO_TEXT ",\"messaging_product\":\"other\",\"biz_opaque_callback_data\":\"mine\""),
	  "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"},"
	  "\"biz_opaque_callback_data\":\"w1.x\"}" },
};

START_TEST(the_post_says_what_the_message_said)
{
	for (size_t i = 0; i < ARRAY_LEN(posts); i++) {
		struct message m = good(posts[i].body);
		struct strbuf out = STRBUF_INIT;

		message_graph_body(&m, "w1.x", &out);
		ck_assert_str_eq(out.buf, posts[i].post);
		strbuf_reset(&out);
		message_graph_body(&m, "w1.x", &out);		/* again, as a retry does: the payload was only lent */
		ck_assert_str_eq(out.buf, posts[i].post);
		strbuf_release(&out);
		message_release(&m);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("message");
	TCase *c = unit_case(s, "message");

	tcase_add_test(c, every_reason_to_refuse_names_the_field);
	tcase_add_test(c, limits_hold_at_their_edges);
	tcase_add_test(c, wamds_own_envelope);
	tcase_add_test(c, the_second_envelope);
	tcase_add_test(c, what_was_read_before_the_mistake_is_kept_for_the_dead_letter);
	tcase_add_test(c, expiry_in_every_form);
	tcase_add_test(c, the_digest_is_of_recipient_type_and_payload);
	tcase_add_test(c, the_post_says_what_the_message_said);
	return unit_run(s);
}
