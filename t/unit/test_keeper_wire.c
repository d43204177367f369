/* What apis and keeper tell each other: what is written is read, and of what is broken nothing is. */
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "io/packets.h"
#include "msg/keeper_wire.h"
#include "msg/template_wire.h"

static const char id[] = "01a21ce0-9216-771a-a84f-fedb4bfe5574";

START_TEST(what_is_asked_is_read)
{
	struct keeper_ask a = { .call = (enum keeper_call)_i, .tenant = "t.1_-Z", .account = "a", .args = "{\"x\":\"a\nb\"}", .len = 11 }, b;
	struct strbuf out = STRBUF_INIT;

	memcpy(a.id, id, sizeof(id));
	keeper_ask_write(&a, &out);
	ck_assert_int_eq(keeper_ask_read(out.buf, out.len, &b), 0);
	ck_assert(b.call == a.call && !strcmp(b.id, id) && !strcmp(b.tenant, a.tenant) && !strcmp(b.account, "a"));
	ck_assert_int_eq(b.len, 11);
	ck_assert_mem_eq(b.args, a.args, 11);
	strbuf_release(&out);
}
END_TEST

START_TEST(what_is_told_is_read)
{
	char *part = mem_alloc(KEEPER_PART_MAX);
	struct keeper_told t = { .status = 504, .total = KEEPER_ANSWER_MAX, .offset = KEEPER_ANSWER_MAX - KEEPER_PART_MAX,
				 .len = KEEPER_PART_MAX, .part = part }, b;
	struct strbuf out = STRBUF_INIT;

	memset(part, '\n', KEEPER_PART_MAX);
	memcpy(t.id, id, sizeof(id));
	keeper_told_write(&t, &out);
	ck_assert_int_le(out.len, PACKET_MAX);
	ck_assert_int_eq(keeper_told_read(out.buf, out.len, &b), 0);
	ck_assert(b.status == 504 && b.total == t.total && b.offset == t.offset && b.len == t.len && !strcmp(b.id, id));
	ck_assert_mem_eq(b.part, part, KEEPER_PART_MAX);
	strbuf_addc(&out, 'x');
	ck_assert_int_eq(keeper_told_read(out.buf, out.len, &b), -1);
	strbuf_release(&out);
	free(part);
}
END_TEST

/* The greatest question is one packet. */
START_TEST(a_question_fits)
{
	char *args = mem_alloc(KEEPER_ARGS_MAX);
	struct keeper_ask a = { .call = KEEPER_VERIFICATION, .args = args, .len = KEEPER_ARGS_MAX };
	struct strbuf out = STRBUF_INIT;

	memcpy(a.id, id, sizeof(id));
	memset(a.tenant, 't', TENANT_NAME_MAX);
	memset(a.account, 'a', TENANT_NAME_MAX);
	keeper_ask_write(&a, &out);
	ck_assert_int_le(out.len, PACKET_MAX);
	strbuf_release(&out);
	free(args);
}
END_TEST

static const char *const broken[] = {
	"", "\n", "ask?", "ask? x health t a", "ask? x nonsense t a\n", "ask? x health t\n", "ask? x health t a b\n", "ask?  health t a\n",
	"told? x 200 1 0\nx", "told! x 200 1\nx", "told! x 200 1 2\nx", "told! x 600 1 0\nx", "told! x 100 1 0\nx", "told! x -1 1 0\nx",
	"told! x 200 1 0\nxy", "told! x 200 99999999 0\nx", "told! x 200 1 0 7\nx",
};

START_TEST(what_is_broken_is_not_read)
{
	struct keeper_told t;
	struct keeper_ask a;

	ck_assert_int_eq(keeper_ask_read(broken[_i], strlen(broken[_i]), &a), -1);
	ck_assert_int_eq(keeper_told_read(broken[_i], strlen(broken[_i]), &t), -1);
}
END_TEST

/* They share a link with questions about templates. */
START_TEST(others_words_are_others)
{
	struct template_ask t = { .tenant = "t", .account = "a", .name = "n" }, read;
	struct keeper_ask a = { .call = KEEPER_HEALTH, .tenant = "t", .account = "a", .args = "" }, b;
	struct strbuf out = STRBUF_INIT;

	template_ask_write(&t, &out);
	ck_assert_int_eq(keeper_ask_read(out.buf, out.len, &b), -1);
	strbuf_reset(&out);
	memcpy(a.id, id, sizeof(id));
	keeper_ask_write(&a, &out);
	ck_assert_int_eq(template_ask_read(out.buf, out.len, &read), -1);
	strbuf_release(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper_wire");
	TCase *c = unit_case(s, "wire");

	tcase_add_loop_test(c, what_is_asked_is_read, 0, KEEPER_CALLS);
	tcase_add_test(c, what_is_told_is_read);
	tcase_add_test(c, a_question_fits);
	tcase_add_loop_test(c, what_is_broken_is_not_read, 0, ARRAY_LEN(broken));
	tcase_add_test(c, others_words_are_others);
	return unit_run(s);
}
