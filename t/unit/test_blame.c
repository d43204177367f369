/* Whose trouble a failure is, from what other accounts got before. */
#include "unit.h"

#include "conf/conf.h"
#include "flow/blame.h"

enum { WINDOW_MS = 10000 };

static const struct account accounts[3];		/* a, b, c */

/* "a+" a good answer of a, "b-" a failure of b, a second after the one before; then account a fails `later` seconds later. */
static const struct { const char *seen; int later; bool others_fail, is_graph; } rows[] = {
	{ "", 1, false, false }, { "a+ a- a- a-", 1, false, false },
	/* others are well, or nobody knows: a's own */
	{ "b+", 1, false, false }, { "b+ a- b+ a-", 1, false, false }, { "a- c+ a-", 1, false, false },
	/* another one fails, too, and nobody else is well since */
	{ "b-", 1, true, true }, { "b+ c+ b-", 1, true, true }, { "a+ b- a- a-", 1, true, true }, { "b+ a- b- a-", 1, true, true },
	{ "b- a+", 1, true, true },		/* its own good answers say nothing of others */
	{ "b- c- a- a+ a-", 1, true, true },
	/* another one is in trouble, too, but not everybody */
	{ "b- c+", 1, true, false }, { "b- b+", 1, true, false }, { "b- c+ a- a- a+", 1, true, false }, { "c+ b- c- b+ a-", 1, true, false },
	/* too long ago */
	{ "b-", 10, true, true }, { "b-", 11, false, false }, { "b- a- a- a- a- a- a- a- a- a- a-", 1, false, false },
};

START_TEST(a_failure_is_the_accounts_or_graphs)
{
	struct blame b = { 0 };
	mono_t now = { 5000000 };

	for (const char *p = rows[_i].seen; *p; p += p[2] ? 3 : 2) {
		now = mono_add_ms(now, 1000);
		blame_note(&b, &accounts[*p - 'a'], p[1] == '-', now);
	}
	now = mono_add_ms(now, rows[_i].later * 1000);
	ck_assert_msg(blame_others_fail(&b, &accounts[0], now, WINDOW_MS) == rows[_i].others_fail, "%s: others", rows[_i].seen);
	ck_assert_msg(blame_is_graph(&b, &accounts[0], now, WINDOW_MS) == rows[_i].is_graph, "%s: Graph", rows[_i].seen);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("blame");

	tcase_add_loop_test(unit_case(s, "blame"), a_failure_is_the_accounts_or_graphs, 0, (int)ARRAY_LEN(rows));
	return unit_run(s);
}
