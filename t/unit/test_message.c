/* Decoding a message: both envelopes, every reason to refuse one, limits at their edges, control messages, files, the digest, the POST's body. */
#include "unit.h"

#include "base/str.h"
#include "msg/content.h"
#include "msg/message.h"
#include "msg/phone_number.h"

static const struct message_rules rules;

#define TO_TEXT "\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}"
#define OWN(more) "{\"id\":\"m1\",\"tenant_id\":\"t\"," TO_TEXT more "}"
#define OF(type, payload) "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"type\":\"" type "\",\"" type "\":" payload "}"
#define CONTROL(type, payload) "{\"id\":\"m1\",\"tenant_id\":\"t\",\"type\":\"" type "\",\"" type "\":" payload "}"
#define HASH "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
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
	{ OWN(",\"on_unknown\":\"twice\""), REASON_BAD_FIELD, "on_unknown: found a string, allowed \"evidence\", \"at_least_once\" or \"at_most_once\"" },
	{ OWN(",\"context\":\"wamid.1\""), REASON_BAD_FIELD, "context: found a string, allowed an object with message_id" },
	{ OWN(",\"context\":{\"message_id\":1}"), REASON_BAD_FIELD, "message_id: found a number, allowed a string" },
	{ OWN(",\"biz_opaque_callback_data\":1"), REASON_BAD_FIELD, "biz_opaque_callback_data: found a number, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\"}", REASON_BAD_RECIPIENT, "to: found nothing, allowed a phone number in to, or a user id in recipient" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient\":7}", REASON_BAD_RECIPIENT, "recipient: found a number, allowed a phone number in to, or a user id in recipient" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":491511234567}", REASON_BAD_RECIPIENT, "to: found a number, allowed a string" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"me\"}", REASON_BAD_RECIPIENT, "to: a character that is no digit; allowed E.164 such as +491511234567" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient\":\"me\"}", REASON_BAD_RECIPIENT, "recipient: found 2 characters, allowed a user id such as US.13491208655302741918" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\"}", REASON_BAD_FIELD, "type: found nothing, allowed a message type such as \"text\"" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"type\":\"hologram\",\"hologram\":{}}", REASON_UNSUPPORTED_TYPE,
	  "type: found \"hologram\", allowed read, typing, text, image, video, audio, document, sticker, location, contacts, reaction, interactive, template" },
	{ OF("image", "{}"), REASON_BAD_CONTENT, "image: found none, allowed exactly one of id, link and media" },
	{ OF("contacts", "{}"), REASON_BAD_CONTENT, "contacts: found an object, allowed an array" },
	{ OF("reaction", "{\"message_id\":\"wamid.1\",\"emoji\":\"\"},\"context\":{\"message_id\":\"wamid.2\"}"), REASON_BAD_FIELD,
	  "context: found an object, allowed nothing with a reaction" },
	{ OWN(",\"recipient_type\":\"crowd\""), REASON_BAD_FIELD, "recipient_type: found a string, allowed \"individual\" or \"group\"" },
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient_type\":\"group\",\"to\":\"my group\",\"text\":{\"body\":\"hi\"}}", REASON_BAD_RECIPIENT,
	  "to: found 8 characters, allowed a group's id: 1 to 135 of ASCII without blanks" },
	{ CONTROL("read", "{}"), REASON_BAD_FIELD, "read.message_id: found nothing, allowed a string" },
	{ CONTROL("read", "7"), REASON_BAD_FIELD, "read: found a number, allowed an object" },
	{ CONTROL("typing", "{\"message_id\":7}"), REASON_BAD_FIELD, "typing.message_id: found a number, allowed a string" },
	{ CONTROL("typing", "{\"message_id\":\"\"}"), REASON_BAD_FIELD, "typing.message_id: found 0 bytes, allowed 1 to 512" },
	{ SECOND(ABOUT, "\"status\":\"seen\",\"message_id\":\"wamid.1\""), REASON_BAD_FIELD, "status: found a string, allowed \"read\"" },
	{ SECOND(ABOUT, "\"status\":\"read\""), REASON_BAD_FIELD, "message_id: found nothing, allowed a string" },
	{ SECOND(ABOUT, "\"status\":\"read\",\"message_id\":\"wamid.1\",\"typing_indicator\":true"), REASON_BAD_FIELD,
	  "typing_indicator: found a boolean, allowed an object" },
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
	{ SECOND(ABOUT, "\"to\":\"+491511234567\",\"type\":\"sticker\""), REASON_BAD_CONTENT, "sticker: found nothing, allowed an object" },
	{ "{\"metadata\":{" ABOUT "},\"wabaPayload\":7}", REASON_BAD_FIELD, "wabaPayload: found a number, allowed an object" },
	{ "{\"metadata\":[],\"wabaPayload\":{}}", REASON_BAD_FIELD, "metadata: found an array, allowed an object" },
	{ "{\"wabaPayload\":{}}", REASON_BAD_FIELD, "metadata: found nothing, allowed an object" },
};

static void check_refused(const char *body, size_t len, enum reason reason, const char *want)
{
	struct strbuf why = STRBUF_INIT;
	struct message m;
	enum reason r = message_decode(&m, &rules, body, len, &why);
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
			  BIT(REASON_BAD_RECIPIENT) | BIT(REASON_BAD_CONTENT) | BIT(REASON_UNSUPPORTED_TYPE) | BIT(REASON_TEXT_EMPTY));
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
	enum reason r = message_decode(&m, &rules, body, strlen(body), &why);

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

	ck_assert_int_eq(message_decode(&m, &rules, body, strlen(body), NULL), REASON_BAD_RECIPIENT);
	ck_assert_str_eq(m.id, "m1");
	ck_assert_str_eq(m.tenant_id, "t");
	ck_assert_str_eq(m.account_id, "a");
	ck_assert_str_eq(m.correlation_id, "c");
	message_release(&m);
	message_release(&m);
}
END_TEST

START_TEST(control_messages_have_no_recipient)
{
	struct message read = good(CONTROL("read", "{\"message_id\":\"wamid.1\"}")), typing = good(CONTROL("typing", "{\"message_id\":\"wamid.1\"}"));
	struct message second = good(SECOND(ABOUT, "\"status\":\"read\",\"message_id\":\"wamid.1\",\"typing_indicator\":{\"type\":\"text\"}"));

	ck_assert(read.is_control && typing.is_control && second.is_control && !*read.to.text && !read.payload && !message_template(&read));
	ck_assert_str_eq(read.type, "read");
	ck_assert_str_eq(second.type, "typing");
	ck_assert_str_eq(second.about, "wamid.1");
	ck_assert_int_eq(read.on_unknown, ON_UNKNOWN_AT_LEAST_ONCE);
	ck_assert(memcmp(read.digest, typing.digest, SHA256_LEN) && !memcmp(typing.digest, second.digest, SHA256_LEN));
	ck_assert_int_eq(message_set_phone(&read, "DE", NULL), REASON_NONE);
	message_release(&read);
	message_release(&typing);
	message_release(&second);
	read = good("{\"id\":\"m1\",\"tenant_id\":\"t\",\"type\":\"read\",\"read\":{\"message_id\":\"wamid.2\"},\"on_unknown\":\"at_most_once\"}");
	ck_assert_int_eq(read.on_unknown, ON_UNKNOWN_AT_MOST_ONCE);
	message_release(&read);
}
END_TEST

START_TEST(a_file_by_reference_is_settled_in_what_is_sent_only)
{
	static const char first[] = OF("image", "{\"media\":\"" HASH "\",\"caption\":\"c\"}");
	struct message m = good(first), again;
	struct media_ref refs[MEDIA_REFS_MAX];
	struct strbuf post = STRBUF_INIT;

	ck_assert_int_eq(message_media(&m, refs, MEDIA_REFS_MAX), 1);
	ck_assert_str_eq(refs[0].kind, "image");
	ck_assert_str_eq(refs[0].ref, HASH);
	media_ref_settle(&refs[0], "4711");
	ck_assert_int_eq(message_media(&m, refs, MEDIA_REFS_MAX), 0);
	message_graph_body(&m, "w1.x", &post);
	ck_assert_ptr_nonnull(strstr(post.buf, "\"image\":{\"caption\":\"c\",\"id\":\"4711\"}"));
	ck_assert_str_eq(json_text(m.payload, "media"), HASH);		/* a dead letter tells what came */
	ck_assert_ptr_null(json_object_get(m.payload, "id"));
	again = good(first);
	ck_assert_mem_eq(m.digest, again.digest, SHA256_LEN);
	message_release(&again);
	message_release(&m);
	strbuf_release(&post);
}
END_TEST

#define FILE_OF(kind, n) "{\"type\":\"" kind "\",\"" kind "\":{\"media\":\"m." n "23456789abcdefghIJ-_\"}}"
#define CARD(i, more) "{\"card_index\":" i ",\"type\":\"cta_url\",\"header\":" more ",\"action\":{\"buttons\":[{\"type\":\"quick_reply\",\"quick_reply\":{\"id\":\"a\",\"title\":\"A\"}}]}}"

/* kinds and the digits after "m." of what is found, in order */
static const struct { const char *body, *found; } files[] = {
	{ OF("text", "{\"body\":\"b\",\"media\":\"m.1123456789abcdefghIJ-\"}"), "" },
	{ OF("audio", "{\"media\":\"m.1023456789abcdefghIJ-_\"}"), " audio:10" },
	{ OF("sticker", "{\"id\":\"1\"}"), "" },
	{ OF("interactive", "{\"type\":\"button\",\"body\":{\"text\":\"b\"},\"header\":" FILE_OF("document", "01")
	     ",\"action\":{\"buttons\":[{\"type\":\"reply\",\"reply\":{\"id\":\"a\",\"title\":\"A\"}}]}}"), " document:01" },
	{ OF("interactive", "{\"type\":\"new_one\",\"header\":" FILE_OF("video", "01") "}"), " video:01" },
	{ OF("interactive", "{\"type\":\"carousel\",\"body\":{\"text\":\"b\"},\"action\":{\"cards\":[" CARD("0", FILE_OF("image", "01")) ","
	     CARD("1", FILE_OF("video", "02")) "]}}"), " image:01 video:02" },
	{ OF("template", "{\"name\":\"n\",\"language\":\"en\",\"components\":[{\"type\":\"header\",\"parameters\":[" FILE_OF("document", "01") "]},"
	     "{\"type\":\"carousel\",\"cards\":[{\"components\":[{\"type\":\"header\",\"parameters\":[" FILE_OF("image", "02") "]}]},"
	     "{\"components\":[{\"type\":\"header\",\"parameters\":[" FILE_OF("gif", "03") "]}]}]}]}"), " document:01 image:02 video:03" },
	{ OF("template", "{\"name\":\"n\",\"language\":\"en\",\"header\":" FILE_OF("video", "01") ",\"cards\":[{\"header\":" FILE_OF("image", "02") "}]}"),
	  " video:01 image:02" },
};

START_TEST(files_are_found_wherever_they_stand)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct message m = good(files[i].body);
		struct media_ref refs[MEDIA_REFS_MAX];
		struct strbuf found = STRBUF_INIT;
		int n = message_media(&m, refs, MEDIA_REFS_MAX);

		for (int k = 0; k < n; k++) {
			strbuf_addf(&found, " %s:%.2s", refs[k].kind, refs[k].ref + 2);
			media_ref_settle(&refs[k], "1");
		}
		ck_assert_msg(!strcmp(found.buf, files[i].found), "%s\nhas %s", files[i].body, found.buf);
		ck_assert_int_eq(message_media(&m, refs, MEDIA_REFS_MAX), 0);
		strbuf_release(&found);
		message_release(&m);
	}
}
END_TEST

START_TEST(unknown_types_pass_where_they_may)
{
	static const struct message_rules pass = { .pass_unknown = true };
	static const struct { const char *body; enum reason reason; } rows[] = {
		{ OF("hologram", "{\"a\":1}"), REASON_NONE }, { OF("hologram", "[1]"), REASON_NONE },
		{ OF("hologram", "\"a\""), REASON_BAD_FIELD }, { OF("hologram", "{\"a\":1},\"metadata\":{}"), REASON_NONE },
		{ OF("image", "{}"), REASON_BAD_CONTENT },
		{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"+491511234567\",\"type\":\"hologram\"}", REASON_BAD_FIELD },
		{ OF("metadata", "{}"), REASON_UNSUPPORTED_TYPE }, { OF("context", "{}"), REASON_UNSUPPORTED_TYPE },
		{ OF("recipient_type", "{}"), REASON_BAD_FIELD }, { OF("messaging_product", "{}"), REASON_UNSUPPORTED_TYPE },
		{ OF("category", "{}"), REASON_UNSUPPORTED_TYPE },
	};
	struct strbuf post = STRBUF_INIT;
	struct message m;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_msg(message_decode(&m, &pass, rows[i].body, strlen(rows[i].body), NULL) == rows[i].reason, "%s", rows[i].body);
		message_release(&m);
	}
	ck_assert_int_eq(message_decode(&m, &pass, rows[0].body, strlen(rows[0].body), NULL), REASON_NONE);
	message_graph_body(&m, "w1.x", &post);
	ck_assert_ptr_nonnull(strstr(post.buf, "\"type\":\"hologram\",\"hologram\":{\"a\":1}"));
	message_release(&m);
	strbuf_release(&post);
}
END_TEST

/* as: what becomes of it in DE with libphonenumber; without: else, NULL: it is refused. */
static const struct { const char *to, *as, *without; } numbers[] = {
	{ "+491511234567", "+491511234567", "+491511234567" }, { "+1 650 555 1234", "+16505551234", "+16505551234" },
	{ "0151 23456789", "+4915123456789", NULL }, { "(030) 901820", "+4930901820", NULL },
	{ "4915123456789", "+4915123456789", "+4915123456789" }, { "0049 151 23456789", "+4915123456789", NULL },
	{ "16505551234", "+16505551234", "+16505551234" }, { "447911123456", "+447911123456", "+447911123456" }, { "030/901820", "+4930901820", NULL }, { "0", NULL, NULL }, { "me", NULL, NULL }, { "", NULL, NULL },
};

START_TEST(a_number_is_read_as_it_is_dialled_where_it_can_be)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const char *want = PHONE_NUMBER_IS_BUILT_IN ? numbers[i].as : numbers[i].without;
		struct strbuf body = STRBUF_INIT;
		struct message m, e164;
		enum reason r;

		strbuf_addf(&body, "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"%s\",\"text\":{\"body\":\"hi\"}}", numbers[i].to);
		r = message_decode(&m, &rules, body.buf, body.len, NULL);
		if (r == REASON_NONE)
			r = message_set_phone(&m, "DE", NULL);
		ck_assert_msg(r == (want ? REASON_NONE : REASON_BAD_RECIPIENT), "%s: %s", numbers[i].to, reason_code(r));
		if (want) {
			ck_assert_str_eq(m.to.text, want);
			strbuf_setf(&body, "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"%s\",\"text\":{\"body\":\"hi\"}}", want);
			e164 = good(body.buf);
			ck_assert_mem_eq(m.digest, e164.digest, SHA256_LEN);
			message_release(&e164);
		}
		message_release(&m);
		strbuf_release(&body);
	}
}
END_TEST

START_TEST(where_no_zero_is_dialled_numbers_are_the_country_s_own)
{
	static const struct { const char *to, *as; } us[] = {
		{ "2025550123", "+12025550123" }, { "12025550123", "+12025550123" }, { "(202) 555-0123", "+12025550123" },
		{ "4915123456789", "+4915123456789" }, { "+2025550123", "+2025550123" },
	};

	for (size_t i = 0; i < ARRAY_LEN(us) && PHONE_NUMBER_IS_BUILT_IN; i++) {
		struct strbuf body = STRBUF_INIT;
		struct message m;

		strbuf_addf(&body, "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"%s\",\"text\":{\"body\":\"hi\"}}", us[i].to);
		m = good(body.buf);
		ck_assert_int_eq(message_set_phone(&m, "US", NULL), REASON_NONE);
		ck_assert_str_eq(m.to.text, us[i].as);
		message_release(&m);
		strbuf_release(&body);
	}
}
END_TEST

START_TEST(without_a_region_only_what_is_e164_passes)
{
	static const char body[] = "{\"id\":\"m1\",\"tenant_id\":\"t\",\"to\":\"0151 23456789\",\"text\":{\"body\":\"hi\"}}";
	struct strbuf why = STRBUF_INIT;
	struct message m;
	enum reason r = message_decode(&m, &rules, body, strlen(body), &why);

	if (r == REASON_NONE)
		r = message_set_phone(&m, "", &why);
	ck_assert_int_eq(r, REASON_BAD_RECIPIENT);
	ck_assert_str_eq(why.buf, "to: begins with 0; allowed E.164, which begins with the country code");
	message_release(&m);
	strbuf_release(&why);
}
END_TEST

START_TEST(expiry_in_every_form)
{
	static const struct { const char *form; int64_t ms; } rows[] = {
		{ "\"2026-11-23T10:00:00Z\"", 1795428000000 }, { "\"2026-11-23T10:00:00.999999Z\"", 1795428000999 },
		{ "\"2026-11-23T10:00:00+01:00\"", 1795424400000 }, { "\"2026-11-23T10:00:00-05:30\"", 1795447800000 },
		{ "\"2026-11-23T10:00:00.5+00:00\"", 1795428000500 }, { "\"2024-02-29T00:00:00Z\"", 1709164800000 },
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
	{ "{\"id\":\"m1\",\"tenant_id\":\"t\",\"recipient_type\":\"group\",\"to\":\"Y2FwaV9ncm91cDox\",\"text\":{\"body\":\"hi\"}}",
	  "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"group\",\"to\":\"Y2FwaV9ncm91cDox\",\"type\":\"text\",\"text\":{\"body\":\"hi\"},"
	  "\"biz_opaque_callback_data\":\"w1.x\"}" },
	{ OWN(",\"ttl_seconds\":60,\"category\":\"utility\",\"direct_send_config\":{\"template_name\":\"n\"},\"product_policy\":\"STRICT\","
	      "\"message_activity_sharing\":false,\"recipient_identity_key_hash\":\"h\",\"colour\":\"red\""),
	  "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"},"
	  "\"recipient_identity_key_hash\":\"h\",\"category\":\"utility\",\"ttl_seconds\":60,\"direct_send_config\":{\"template_name\":\"n\"},"
	  "\"product_policy\":\"STRICT\",\"message_activity_sharing\":false,\"biz_opaque_callback_data\":\"w1.x\"}" },
	{ SECOND(ABOUT, TO_TEXT ",\"recipient_identity_key_hash\":\"h\",\"category\":null"),
	  "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"},"
	  "\"recipient_identity_key_hash\":\"h\",\"biz_opaque_callback_data\":\"w1.x\"}" },
	{ CONTROL("read", "{\"message_id\":\"wamid.1\"}"), "{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":\"wamid.1\"}" },
	{ SECOND(ABOUT, "\"status\":\"read\",\"message_id\":\"wamid.1\""), "{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":\"wamid.1\"}" },
	{ CONTROL("typing", "{\"message_id\":\"wamid.1\"}"),
	  "{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":\"wamid.1\",\"typing_indicator\":{\"type\":\"text\"}}" },
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
	tcase_add_test(c, control_messages_have_no_recipient);
	tcase_add_test(c, a_file_by_reference_is_settled_in_what_is_sent_only);
	tcase_add_test(c, files_are_found_wherever_they_stand);
	tcase_add_test(c, unknown_types_pass_where_they_may);
	tcase_add_test(c, a_number_is_read_as_it_is_dialled_where_it_can_be);
	tcase_add_test(c, where_no_zero_is_dialled_numbers_are_the_country_s_own);
	tcase_add_test(c, without_a_region_only_what_is_e164_passes);
	tcase_add_test(c, expiry_in_every_form);
	tcase_add_test(c, the_digest_is_of_recipient_type_and_payload);
	tcase_add_test(c, the_post_says_what_the_message_said);
	return unit_run(s);
}
