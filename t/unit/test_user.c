/* What a user's text wants, which names are the same person, whether a message needs an open window, and the packet that asks for a look. */
#include "unit.h"

#include "flow/user.h"
#include "msg/watch_wire.h"
#include "msg/webhook.h"

START_TEST(a_word_is_the_whole_text)
{
	static const struct { const char *text; enum user_wish wish; } rows[] = {
		{ "STOP", USER_WANTS_NO_MARKETING }, { "stop", USER_WANTS_NO_MARKETING }, { " \n Stop\t", USER_WANTS_NO_MARKETING },
		{ "No more offers", USER_WANTS_NO_MARKETING }, { "start", USER_WANTS_MARKETING }, { "", USER_SAYS_NOTHING }, { "  ", USER_SAYS_NOTHING },
		{ "stop it", USER_SAYS_NOTHING }, { "sto", USER_SAYS_NOTHING }, { "please stop", USER_SAYS_NOTHING }, { "stop.", USER_SAYS_NOTHING },
	};
	struct conf c = { .guard_stop = { .v = { (char *)(uintptr_t)"Stop", (char *)(uintptr_t)"no more offers" }, .n = 2 },
			  .guard_start = { .v = { (char *)(uintptr_t)"START" }, .n = 1 } }, none = { .file = NULL };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(user_wish_of(&c, rows[i].text) == rows[i].wish, "\"%s\"", rows[i].text);
	ck_assert(user_wish_of(&none, "stop") == USER_SAYS_NOTHING);
}
END_TEST

START_TEST(a_person_is_one_however_meta_writes_the_number)
{
	static const struct { const char *a, *b; bool same; } rows[] = {
		{ "+5511987654321", "551187654321", true }, { "+5215512345678", "+525512345678", true }, { "+5491123456789", "541123456789", true },
		{ "+491511234567", "491511234567", true }, { "+491511234567", "491511234568", false }, { "+5511887654321", "551187654321", false },
		{ "+4911987654321", "491187654321", false }, { "+551187654321", "55117654321", false },
	};
	struct identity *i = identity_from_key((const uint8_t[SHA256_LEN]){ 1 });

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct recipient a, b;
		char x[WHO_LEN + 1], y[WHO_LEN + 1];

		ck_assert(recipient_from_phone(&a, rows[k].a, NULL) == 0 && recipient_from_phone(&b, rows[k].b, NULL) == 0);
		identity_who(i, &a, x);
		identity_who(i, &b, y);
		ck_assert_msg(!strcmp(x, y) == rows[k].same, "%s %s", rows[k].a, rows[k].b);
	}
	identity_free(&i);
}
END_TEST

#define MESSAGE(rest) "{\"id\":\"m\",\"tenant_id\":\"t\"," rest "}"
#define TEMPLATE "{\"name\":\"hi\",\"language\":{\"code\":\"en\"}}"

START_TEST(what_needs_an_open_window)
{
	static const struct { const char *body; bool needs; } rows[] = {
		{ MESSAGE("\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}"), true },
		{ MESSAGE("\"recipient\":\"US.123\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}"), true },
		{ MESSAGE("\"to\":\"+491511234567\",\"type\":\"reaction\",\"reaction\":{\"message_id\":\"wamid.A\",\"emoji\":\"\"}"), true },
		{ MESSAGE("\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"},\"category\":\"utility\""), false },
		{ MESSAGE("\"to\":\"g1\",\"recipient_type\":\"group\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}"), false },
		{ MESSAGE("\"to\":\"+491511234567\",\"type\":\"template\",\"template\":" TEMPLATE), false },
		{ MESSAGE("\"to\":\"+491511234567\",\"type\":\"newest\",\"newest\":{}"), false },
		{ MESSAGE("\"type\":\"read\",\"read\":{\"message_id\":\"wamid.A\"}"), false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m;
		struct strbuf why = STRBUF_INIT;

		ck_assert_msg(message_decode(&m, &(struct message_rules){ true }, rows[i].body, strlen(rows[i].body), &why) == REASON_NONE, "%s", why.buf);
		ck_assert_msg(message_needs_window(&m) == rows[i].needs, "%s", rows[i].body);
		message_release(&m);
		strbuf_release(&why);
	}
}
END_TEST

START_TEST(a_fallback_goes_as_what_the_message_was)
{
	static const char body[] = MESSAGE("\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"},\"fallback_template\":" TEMPLATE);
	static const char plain[] = MESSAGE("\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"}");
	static const char *const bad[] = { "[]", "{\"language\":{\"code\":\"en\"}}", "\"hi\"" };
	struct message m, without;
	struct strbuf why = STRBUF_INIT, text = STRBUF_INIT;

	ck_assert(message_decode(&without, &(struct message_rules){ false }, plain, strlen(plain), &why) == REASON_NONE && !without.fallback);
	ck_assert(message_decode(&m, &(struct message_rules){ false }, body, strlen(body), &why) == REASON_NONE && m.fallback);
	ck_assert_mem_eq(m.digest, without.digest, SHA256_LEN);
	message_use_fallback(&m);
	ck_assert_mem_eq(m.digest, without.digest, SHA256_LEN);
	ck_assert_str_eq(message_template(&m), "hi");
	ck_assert(!message_needs_window(&m));
	message_graph_body(&m, "token", &text);
	ck_assert(strstr(text.buf, "\"type\":\"template\"") && strstr(text.buf, "\"template\":" TEMPLATE) && !strstr(text.buf, "\"text\""));
	message_release(&m);
	message_release(&without);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		strbuf_setf(&text, MESSAGE("\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"hi\"},\"fallback_template\":%s"), bad[i]);
		ck_assert(message_decode(&m, &(struct message_rules){ false }, text.buf, text.len, &why) != REASON_NONE);
		ck_assert_msg(!strncmp(why.buf, "fallback_template: ", 19), "%s", why.buf);
		message_release(&m);
	}
	strbuf_release(&why);
	strbuf_release(&text);
}
END_TEST

START_TEST(the_keeper_is_asked_for_a_look)
{
	static const char *const bad[] = { "", "watch?", "watch? ", "watch? t", "watch? t ", "watch?  a", "watch? t a b", "watch? t/ a", "template? t a x" };
	struct watch_ask in = { .tenant = "t-1", .account = "a.1" }, out;
	struct strbuf packet = STRBUF_INIT;

	watch_ask_write(&in, &packet);
	ck_assert(watch_ask_read(packet.buf, packet.len, &out) == 0 && !strcmp(out.tenant, "t-1") && !strcmp(out.account, "a.1"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(watch_ask_read(bad[i], strlen(bad[i]), &out) < 0, "\"%s\"", bad[i]);
	ck_assert(watch_ask_read(packet.buf, packet.len - 3, &out) < 0);
	strbuf_release(&packet);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("user");
	TCase *c = unit_case(s, "user");

	tcase_add_test(c, a_word_is_the_whole_text);
	tcase_add_test(c, a_person_is_one_however_meta_writes_the_number);
	tcase_add_test(c, what_needs_an_open_window);
	tcase_add_test(c, a_fallback_goes_as_what_the_message_was);
	tcase_add_test(c, the_keeper_is_asked_for_a_look);
	return unit_run(s);
}
