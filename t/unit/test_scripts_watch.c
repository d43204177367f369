/* watch.lua against a real Redis: which holds health sets, leaves and ends, and what is told of facts. */
#include "test_scripts.h"

#define FIRST "60000"
#define MOST "3600000"

struct row {
	const char *name;
	const char *before;		/* the domain's holds */
	const char *field, *state, *code, *words;
	const char *answer;		/* without the facts' values */
	const char *after;
};

static const struct row rows[] = {
	{ "nothing to say", "", "n:1", "AVAILABLE", "0", "", "0", "n:1=-" },
	{ "blocked", "", "n:1", "BLOCKED", "141000", "health:no", "1|held n:1 60000 0", "n:1=auto,~+60000,~+0,0,0,-,141000,health:no" },
	{ "blocked still", "n:1=auto,+5000,-9000,0,0,-,141000,health:no", "n:1", "BLOCKED", "141000", "x", "0",
	  "n:1=auto,~+5000,~-9000,0,0,-,141000,health:no" },
	{ "blocked while one message tries", "n:1=auto,-5000,-9000,0,+5000,me,141000,x", "n:1", "BLOCKED", "141000", "x", "0",
	  "n:1=auto,~-5000,~-9000,0,~+5000,me,141000,x" },
	{ "blocked again: twice as long, since the first time", "n:1=auto,-10,-90000,0,0,-,131,x", "n:1", "BLOCKED", "141000", "y",
	  "1|held n:1 120000 1", "n:1=auto,~+120000,~-90000,1,0,-,141000,y" },
	{ "blocked often", "w:2=auto,-10,-90000,9,0,-,131,x", "w:2", "BLOCKED", "141006", "y", "1|held w:2 3600000 10",
	  "w:2=auto,~+3600000,~-90000,10,0,-,141006,y" },
	{ "an operator holds it", "n:1=operator,0,-9000,0,0,-,0,x", "n:1", "BLOCKED", "141000", "y", "0", "n:1=operator,0,~-9000,0,0,-,0,x" },
	{ "an operator's that is over", "n:1=operator,-10,-90000,0,0,-,0,x", "n:1", "BLOCKED", "141000", "y", "1|held n:1 60000 0",
	  "n:1=auto,~+60000,~+0,0,0,-,141000,y" },

	{ "available: ends its own", "n:1=auto,+5000,-9000,0,0,-,141000,health:no", "n:1", "AVAILABLE", "0", "", "1|released n:1", "n:1=-" },
	{ "limited, too, and an answer's", "w:2=auto,+5000,-9000,3,0,-,131042,paid?", "w:2", "LIMITED", "0", "", "1|released w:2", "w:2=-" },
	{ "a quota stays used up", "w:2=auto,+5000,-9000,0,0,-,80007,quota", "w:2", "AVAILABLE", "0", "", "0", "w:2=auto,~+5000,~-9000,0,0,-,80007,quota" },
	{ "also one that waits for its probe", "n:1=auto,-5000,-9000,3,+5000,me,131,x", "n:1", "AVAILABLE", "0", "", "1|released n:1", "n:1=-" },
	{ "an operator's stays", "n:1=operator,0,-9000,0,0,-,0,x", "n:1", "AVAILABLE", "0", "", "0", "n:1=operator,0,~-9000,0,0,-,0,x" },
	{ "an account's by health ends", "a:t:acc=auto,+5000,-9000,0,0,-,1,health:app", "a:t:acc", "AVAILABLE", "0", "", "1|released a:t:acc",
	  "a:t:acc=-" },
	{ "an account's by its token stays", "a:t:acc=auto,+5000,-9000,0,0,-,190,token", "a:t:acc", "AVAILABLE", "0", "", "0",
	  "a:t:acc=auto,~+5000,~-9000,0,0,-,190,token" },
};

static void look(const struct row *row, const char *of_facts, struct strbuf *answer)
{
	const char *parts[] = { account, holds, "look", FIRST, MOST, " 4 80007 ", "1", row->field, row->state, row->code, row->words, "quality", "status" };
	size_t len = strlen(of_facts);

	run_script(SCRIPT_WATCH, parts, 2, ARRAY_LEN(parts), answer);
	ck_assert_msg(answer->len >= len && !strcmp(answer->buf + answer->len - len, of_facts), "%s: %s", row->name, answer->buf);
	answer->len -= len;
	answer->buf[answer->len] = 0;
}

START_TEST(each_hold)
{
	const struct row *row = &rows[_i];
	struct strbuf answer = STRBUF_INIT;

	forget_all();
	set_fields(holds, row->before);
	look(row, "||", &answer);
	ck_assert_msg(!strcmp(answer.buf, row->answer), "%s: %s", row->name, answer.buf);
	check_fields(holds, row->after);
	strbuf_release(&answer);
}
END_TEST

START_TEST(several_holds_at_once)
{
	const char *parts[] = { account, holds, "look", FIRST, MOST, " 4 80007 ", "2", "n:1", "BLOCKED", "1", "x", "w:2", "AVAILABLE", "0", "" };
	struct strbuf answer = STRBUF_INIT;

	set_fields(holds, "w:2=auto,+5000,-9000,3,0,-,131042,x");
	run_script(SCRIPT_WATCH, parts, 2, ARRAY_LEN(parts), &answer);
	ck_assert_str_eq(answer.buf, "2|held n:1 60000 0|released w:2");
	strbuf_release(&answer);
}
END_TEST

/* Looking changes nothing of what is known: whoever dies before he has told it leaves it to the next. */
START_TEST(facts_are_kept_when_they_were_told)
{
	static const struct row none = { .name = "facts", .field = "n:1", .state = "AVAILABLE", .code = "0", .words = "" };
	const char *keep[] = { account, holds, "keep", "100000", "quality", "GREEN", "name", "Two words" };
	struct strbuf answer = STRBUF_INIT;

	look(&none, "||", &answer);
	look(&none, "||", &answer);
	run_script(SCRIPT_WATCH, keep, 2, ARRAY_LEN(keep), &answer);
	ck_assert_str_eq(answer.buf, "ok");
	ck_assert_int_gt(ask_number("PTTL", account), 90000);
	look(&none, "|GREEN|", &answer);
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("watch");
	TCase *real = unit_case(s, "watch");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_loop_test(real, each_hold, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(real, several_holds_at_once);
	tcase_add_test(real, facts_are_kept_when_they_were_told);
	return unit_run(s);
}
