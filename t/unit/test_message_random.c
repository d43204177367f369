/* Damaged messages: whatever comes, decoding gives a message that can be sent or a reason that can be told. */
#include "unit.h"

#include "msg/event.h"
#include "msg/message.h"

static const struct message_rules rules;

enum { ROUNDS = 10000, BODY_MAX = 4096 };

static const char own[] = "{\"id\":\"m-1\",\"idempotency_key\":\"k\",\"tenant_id\":\"t\",\"account_id\":\"a\",\"correlation_id\":\"c\",\"priority\":5,\"ttl_s\":60,"
	"\"expires_at\":\"2026-11-23T10:00:00+01:00\",\"on_unknown\":\"at_most_once\",\"metadata\":{\"x\":[1,2.5,null,true]},\"context\":{\"message_id\":"
	"\"wamid.x\"},\"biz_opaque_callback_data\":\"cb\",\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"gr\303\274\303\237 \\ud83d\\ude00\","
	"\"preview_url\":true}}";
static const char second[] = "{\"metadata\":{\"tenantId\":\"t\",\"phoneNumberId\":\"106540352242922\",\"internalId\":\"m-1\",\"correlationId\":\"c\",\"priority\":3},"
	"\"wabaPayload\":{\"messaging_product\":\"whatsapp\",\"recipient\":\"US.13491208655302741918\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}}}";

/* Pieces that mean something to a parser do more harm than noise. */
static const char *const pieces[] = {
	"{", "}", "[", "]", "\"", "\\", ":", ",", "null", "true", "0", "-1", "1e400", "99999999999999999999", "\\u0000", "\\ud800", "\xff", "\xc3",
	"\xed\xa0\x80", "\"id\":\"x\",", "\"id\":", "\"to\":null,", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "{\"a\":", " ", "\n", "//", "NaN",
};

static uint32_t dice;

static unsigned roll(unsigned n)
{
	dice = dice * 1664525 + 1013904223;	/* the same rolls in every run */
	return (dice >> 8) % n;
}

static void cut_out(struct strbuf *sb, size_t at, size_t n)
{
	memmove(sb->buf + at, sb->buf + at + n, sb->len - at - n + 1);
	sb->len -= n;
}

static void put_in(struct strbuf *sb, size_t at, const char *data, size_t n)
{
	strbuf_reserve(sb, n);
	memmove(sb->buf + at + n, sb->buf + at, sb->len - at + 1);
	memcpy(sb->buf + at, data, n);
	sb->len += n;
}

static void damage(struct strbuf *sb)
{
	size_t at = roll((unsigned)sb->len + 1), left = sb->len - at, n = left ? 1 + roll((unsigned)(left < 40 ? left : 40)) : 0;
	const char *piece = pieces[roll(ARRAY_LEN(pieces))];
	char again[40];

	switch (roll(6)) {
	case 0:
		if (left)
			sb->buf[at] = (char)roll(256);
		break;
	case 1:
		if (left)
			sb->buf[at] = (char)(sb->buf[at] ^ 1 << roll(8));
		break;
	case 2:
		cut_out(sb, at, n);
		break;
	case 3:
		put_in(sb, at, piece, strlen(piece));
		break;
	case 4:
		memcpy(again, sb->buf + at, n);
		put_in(sb, roll((unsigned)sb->len + 1), again, n);
		break;
	case 5:
		if (roll(8) == 0)
			cut_out(sb, at, left);
		break;
	}
}

static void check_sendable(const struct message *m)
{
	struct strbuf post = STRBUF_INIT;
	json_t *o;

	ck_assert(m->id && m->key && m->tenant_id && m->type && *m->id && *m->key && *m->tenant_id);
	ck_assert(json_is_object(m->payload) && *m->to.text && m->priority >= -1 && m->priority <= MESSAGE_PRIORITY_MAX);
	ck_assert(m->expires_at_ms >= 0 && m->ttl_ms >= 0);
	message_graph_body(m, "w1.x", &post);
	o = json_loadb(post.buf, post.len, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json_is_string(json_object_get(json_object_get(o, "text"), "body")), "%s", post.buf);
	json_decref(o);
	strbuf_release(&post);
}

static void check_tellable(const struct message *m, enum reason r, const char *why, const struct strbuf *body)
{
	struct dead_letter d = { .e = { .m = m, .status = "failed", .reason = reason_code(r), .error = why }, .body = body->buf,
				 .len = body->len, .history = "", .queue = "q" };
	struct strbuf letter = STRBUF_INIT;
	json_t *o;

	ck_assert(*why && *reason_code(r));
	event_dead_letter(&d, &letter);
	o = json_loadb(letter.buf, letter.len, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json_object_get(o, "message") || json_object_get(o, "message_b64"), "%s", letter.buf);
	json_decref(o);
	strbuf_release(&letter);
}

static void decode_damaged(int round, unsigned *reasons)
{
	struct strbuf body = STRBUF_INIT, why = STRBUF_INIT;
	struct message m;
	enum reason r;

	strbuf_adds(&body, round % 2 ? own : second);
	for (unsigned i = roll(4); i < 4; i++)
		damage(&body);
	strbuf_adds(&why, "");
	r = message_decode(&m, &rules, body.buf, body.len, &why);
	*reasons |= BIT(r);
	if (r == REASON_NONE)
		check_sendable(&m);
	else
		check_tellable(&m, r, why.buf, &body);
	message_release(&m);
	strbuf_release(&body);
	strbuf_release(&why);
}

START_TEST(damage_gives_a_message_or_a_reason)
{
	/* The damage reaches beyond the JSON parser, and not all of it is fatal. */
	static const unsigned must = BIT(REASON_NONE) | BIT(REASON_NOT_JSON) | BIT(REASON_BAD_FIELD) | BIT(REASON_BAD_RECIPIENT) |
				     BIT(REASON_DUPLICATE_KEY) | BIT(REASON_NO_ID) | BIT(REASON_UNSUPPORTED_TYPE) | BIT(REASON_TOO_DEEP);
	unsigned reasons = 0;

	dice = 2;
	for (int i = 0; i < ROUNDS; i++)
		decode_damaged(i, &reasons);
	ck_assert_uint_eq(reasons & must, must);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("message_random");

	tcase_add_test(unit_case(s, "random"), damage_gives_a_message_or_a_reason);
	return unit_run(s);
}
