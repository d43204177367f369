/* request.lua and cancel.lua, and what admit.lua makes of a message that was taken back, against a real Redis. */
#include "test_scripts.h"

#include <sys/wait.h>

#include "base/base.h"

enum { ASKERS = 100 };

/* ---- request ---- */

struct step {
	const char *before;		/* of its hash; NULL: as it was left */
	const char *parts[6];		/* verb, owner, digest, ms, status, body */
	const char *answer;		/* # a number up to 20000 */
	const char *after;		/* "": it is not there; NULL: not looked at */
};

#define BEGIN(owner, digest) { "begin", owner, digest, "20000", "", "" }
#define END(owner, body) { "end", owner, "D", "86400000", "202", body }
#define DROP(owner) { "drop", owner, "D", "0", "", "" }

static const struct step steps[] = {
	{ "", BEGIN("me", "D"), "go", "d=D o=me l=~+20000 st=-" },
	{ NULL, BEGIN("me", "D"), "go", "o=me l=~+20000" },			/* its answer got lost */
	{ NULL, BEGIN("other", "D"), "busy|#", "o=me" },
	{ NULL, BEGIN("other", "X"), "reused", "o=me d=D" },
	{ NULL, DROP("other"), "ok", "o=me d=D" },				/* it is not its own */
	{ NULL, END("other", "no"), "lost", "o=me st=-" },
	{ NULL, END("me", "yes"), "ok", "st=202 b=yes d=D o=me" },
	{ NULL, END("me", "again"), "ok", "b=yes" },
	{ NULL, END("other", "later"), "lost", "b=yes" },
	{ NULL, DROP("me"), "ok", "b=yes" },					/* an answer stays */
	{ NULL, BEGIN("other", "D"), "done|202|yes", "b=yes" },
	{ NULL, BEGIN("me", "D"), "done|202|yes", "b=yes" },
	{ NULL, BEGIN("other", "X"), "reused", "b=yes" },
	{ "d=D o=dead l=-1", BEGIN("me", "D"), "go", "o=me l=~+20000" },	/* who began is silent */
	{ "d=D o=dead l=-1", BEGIN("me", "X"), "reused", "o=dead" },
	{ "d=D o=me l=+5000", DROP("me"), "ok", "" },
	{ "", DROP("me"), "ok", "" },
	{ "", END("me", "late"), "ok", "st=202 b=late d=D" },			/* Redis was away when it began */
	{ "d=D o=other l=+5000", END("me", "late"), "lost", "o=other st=-" },
	{ "d=X o=me l=+5000", END("me", "late"), "ok", "d=X st=-" },		/* of another request it says nothing */
};

static void ask_request(const char *const *parts, struct strbuf *answer)
{
	const char *all[7] = { record };

	memcpy(all + 1, parts, 6 * sizeof(*parts));
	run_script(SCRIPT_REQUEST, all, 1, 7, answer);
}

static bool fits(const char *have, const char *want)
{
	size_t n = strcspn(want, "#");
	int64_t v;

	return want[n] ? !strncmp(have, want, n) && parse_i64(have + n, &v) == 0 && v > 0 && v <= 20000 : !strcmp(have, want);
}

START_TEST(a_request_is_answered_once)
{
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i].before)
			write_record(steps[i].before);
		ask_request(steps[i].parts, &answer);
		ck_assert_msg(fits(answer.buf, steps[i].answer), "step %zu: %s", i, answer.buf);
		if (steps[i].after)
			check_fields(record, steps[i].after);
		ck_assert_msg(*steps[i].answer == 'r' || (!*steps[i].after) == !ask_number("EXISTS", record), "step %zu", i);
		ck_assert_msg(!ask_number("EXISTS", record) || ask_number("PTTL", record) > 0, "step %zu: it would stay for ever", i);
	}
	strbuf_release(&answer);
}
END_TEST

static void asker(int i, int start)
{
	struct strbuf answer = STRBUF_INIT;
	char owner[16], byte;

	connect_redis();
	snprintf(owner, sizeof(owner), "owner%d", i);
	if (read(start, &byte, 1) != 0)		/* until all are there, and its other end is closed */
		_exit(9);
	ask_request((const char *const[])BEGIN(owner, "D"), &answer);
	_exit(!strcmp(answer.buf, "go") ? 1 : fits(answer.buf, "busy|#") ? 2 : 3);
}

START_TEST(of_a_hundred_at_once_one_goes)
{
	int fds[2], of[4] = { 0 }, status;

	write_record("");
	ck_assert_int_eq(pipe(fds), 0);
	for (int i = 0; i < ASKERS; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid)
			continue;
		close(fds[1]);
		asker(i, fds[0]);
	}
	close(fds[1]);
	for (int i = 0; i < ASKERS; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 4);
		of[WEXITSTATUS(status)]++;
	}
	close(fds[0]);
	ck_assert_msg(of[1] == 1 && of[2] == ASKERS - 1, "%d go, %d busy", of[1], of[2]);
}
END_TEST

/* ---- cancel ---- */

static void set_index(const char *text)
{
	if (*text)
		freeReplyObject(ask((const char *[]){ "SET", id_index, text, "PX", "50000" }, 5));
}

static void check_index(const char *want)
{
	redisReply *r = ask((const char *[]){ "GET", id_index }, 2);

	ck_assert_str_eq(r->str ? r->str : "", want);
	freeReplyObject(r);
}

START_TEST(what_may_be_taken_back)
{
	static const struct { const char *index, *before, *asked, *answer, *index_after, *after; } rows[] = {
		{ "", "", "+ 5", "unknown", "", "" },
		{ "+ 5", "", "+ 5", "cancelled", "- 5", "" }, { "- 5", "", "- 5", "cancelled", "- 5", "" },
		{ "K D", "s=retry n=1", "+ 5", "again", "K D", "cx=-" }, { "- 5", "", "+ 5", "again", "- 5", "" },
		{ "K D", "s=retry n=1", "K D", "cancelled", "K D", "s=retry cx=1" },
		{ "K D", "s=retry n=0", "K D", "cancelled", "K D", "s=retry cx=1" },
		{ "K D", "s=sending n=1", "K D", "sending", "K D", "cx=-" }, { "K D", "s=unknown n=1", "K D", "unknown_outcome", "K D", "cx=-" },
		{ "K D", "s=sent n=1", "K D", "final|sent", "K D", "cx=-" }, { "K D", "s=expired", "K D", "final|expired", "K D", "cx=-" },
		{ "K D", "s=dead r=refused", "K D", "final|dead", "K D", "cx=-" }, { "K D", "s=dead r=cancelled", "K D", "cancelled", "K D", "cx=-" },
		{ "K D", "", "K D", "unknown", "K D", "" },
	};
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record(rows[i].before);
		set_index(rows[i].index);
		run_script(SCRIPT_CANCEL, (const char *[]){ id_index, record, rows[i].asked }, 2, 3, &answer);
		ck_assert_msg(!strcmp(answer.buf, rows[i].answer), "row %zu: %s", i, answer.buf);
		check_index(rows[i].index_after);
		check_fields(record, rows[i].after);
		ck_assert_msg(!*rows[i].index_after || ask_number("PTTL", id_index) > 40000, "row %zu", i);
	}
	strbuf_release(&answer);
}
END_TEST

#define RETRY "v=1 s=retry n=1 o=other x=+60000 h={} code=131000 e=oops cx=1"
#define CANCELLED "v=1 s=dead n=0 r=cancelled c=1 cx=1"

START_TEST(what_was_taken_back_is_not_sent)
{
	static const struct { const char *index, *before; struct admit a; const char *answer, *after; } rows[] = {
		{ "- 5", "", { .kind = "none" }, "final|0|dead||cancelled|0|0|||", "s=dead n=0 r=cancelled" },
		{ "- 5", "", { .kind = "lane" }, "final|0|dead||cancelled|0|0|||", "s=dead r=cancelled" },
		{ "- 5", "", { .kind = "none", .expires_in = -1000 }, "final|0|dead||cancelled|0|0|||", "s=dead r=cancelled" },
		{ "+ 5", "", { .kind = "none" }, "go|1|0|0||", "s=sending n=1" },
		{ "-K digest", "", { .kind = "none" }, "go|1|0|0||", "s=sending n=1" },
		{ "", RETRY, { .kind = "retry", .n = 2 }, "final|1|dead||cancelled|131000|0|{}|oops|", "s=dead n=1 r=cancelled" },
		{ "", RETRY, { .kind = "none", .redelivered = true }, "successor|1", "s=retry cx=1" },
		{ "- 5", "v=1 s=retry n=1 x=+60000", { .kind = "retry", .n = 2 }, "go|2|0|0||", "s=sending" },	/* the mark was another message's */
		/* an operator may still send it, once for each letter */
		{ "", CANCELLED, { .kind = "none" }, "final|0|dead||cancelled|0|1|||", "s=dead" },
		{ "", CANCELLED, { .kind = "none", .replay = "7" }, "go|1|0|0||", "s=sending cx=0 rp=7" },
	};
	struct strbuf answer = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_record(rows[i].before);
		set_index(rows[i].index);
		admit(&rows[i].a, &answer);
		ck_assert_msg(!strcmp(answer.buf, rows[i].answer), "row %zu: %s", i, answer.buf);
		check_fields(record, rows[i].after);
		ck_assert_int_eq(number_tat() != 0, str_starts(rows[i].answer, "go"));
		if (!strstr(rows[i].answer, "successor") && strcmp(rows[i].before, CANCELLED) != 0)
			check_index("K digest");	/* what it says next is the record's business */
	}
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s;
	TCase *c;

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return EXIT_SUCCESS;
	}
	s = suite_create("scripts_request");
	c = unit_case(s, "request");
	tcase_add_checked_fixture(c, start_redis, stop_redis);
	tcase_add_test(c, a_request_is_answered_once);
	tcase_add_test(c, of_a_hundred_at_once_one_goes);
	tcase_add_test(c, what_may_be_taken_back);
	tcase_add_test(c, what_was_taken_back_is_not_sent);
	return unit_run(s);
}
