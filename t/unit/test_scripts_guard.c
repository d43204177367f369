/* user.lua and the guards of admit: what webhooks teach of a user in any order, and what that means for a message. */
#include "test_scripts.h"

enum { HOUR = 3600000, DAY = 24 * HOUR };
static char other[64];		/* the same user by another name */

static void forget(void)
{
	forget_all();
	freeReplyObject(ask((const char *[]){ "DEL", other }, 2));
}

static void start(void)
{
	start_redis();
	snprintf(other, sizeof(other), "test%d:u:{d}:1:other", getpid());
}

static void stop(void)
{
	forget();
	stop_redis();
}

/* ---- what is learnt ---- */

/* ago: of the webhook's time; -1: it says none. */
struct told { int64_t ago; bool wrote; const char *wish; };

static void tell(const struct told *t)
{
	const char *parts[] = { users, user, other, t->ago < 0 ? "0" : text_of(wall_ms() - t->ago), t->wrote ? "1" : "0", t->wish ? t->wish : "" };
	struct strbuf answer = STRBUF_INIT;

	run_script(SCRIPT_USER, parts, 3, (int)ARRAY_LEN(parts), &answer);
	ck_assert_str_eq(answer.buf, "ok");
	strbuf_release(&answer);
}

/* ttl: about, in ms; -1: it does not end. */
static const struct { const char *name; struct told told[3]; int n; const char *after; int64_t ttl; } lessons[] = {
	{ "wrote", { { HOUR, true, NULL } }, 1, "in=~-3600000 mo=- mt=-", DAY },
	{ "wrote just now", { { -1, true, NULL } }, 1, "in=~+0", DAY + HOUR },
	{ "from the future", { { -5 * HOUR, true, NULL } }, 1, "in=~+0", DAY + HOUR },
	{ "an older one comes later", { { HOUR, true, NULL }, { 9 * HOUR, true, NULL } }, 2, "in=~-3600000", DAY },
	{ "stop", { { HOUR, false, "stop" } }, 1, "in=- mo=1 mt=~-3600000", -1 },
	{ "stop, and wrote", { { HOUR, false, "stop" }, { 0, true, NULL } }, 2, "in=~+0 mo=1", -1 },
	{ "wrote, and stop", { { 0, true, NULL }, { HOUR, false, "stop" } }, 2, "in=~+0 mo=1", -1 },
	{ "a word that says stop", { { 0, true, "stop" } }, 1, "in=~+0 mo=1 mt=~+0", -1 },
	{ "stop, then start", { { 2 * HOUR, false, "stop" }, { HOUR, false, "start" } }, 2, "mo=- mt=~-3600000", 8 * DAY - HOUR },
	{ "start, then the stop before it", { { HOUR, false, "start" }, { 2 * HOUR, false, "stop" } }, 2, "mo=- mt=~-3600000", 8 * DAY - HOUR },
	{ "start, then a newer stop", { { HOUR, false, "start" }, { 0, false, "stop" } }, 2, "mo=1 mt=~+0", -1 },
	{ "twice", { { HOUR, false, "stop" }, { HOUR, false, "stop" }, { HOUR, false, "stop" } }, 3, "mo=1", -1 },
};

static void check_life(const char *name, const char *key, int64_t want)
{
	int64_t ttl = ask_number("PTTL", key);

	ck_assert_msg(want < 0 ? ttl == -1 : ttl > want - 60000 && ttl <= want + 1000, "%s: %s lives %lld ms, not %lld", name, key, (long long)ttl,
		      (long long)want);
}

START_TEST(a_lesson_is_kept_by_all_names_in_any_order)
{
	forget();
	for (int i = 0; i < lessons[_i].n; i++)
		tell(&lessons[_i].told[i]);
	check_fields(user, lessons[_i].after);
	check_fields(other, lessons[_i].after);
	check_life(lessons[_i].name, user, lessons[_i].ttl);
	check_life(lessons[_i].name, other, lessons[_i].ttl);
	check_life(lessons[_i].name, users, DAY + HOUR);
}
END_TEST

START_TEST(it_is_told_since_when_webhooks_come)
{
	char text[24];

	forget();
	snprintf(text, sizeof(text), "%lld", (long long)(wall_ms() - 5 * DAY));
	freeReplyObject(ask((const char *[]){ "SET", users, text, "PX", "1000" }, 5));
	tell(&(struct told){ 0, true, NULL });
	ck_assert_int_eq(ask_number("GET", users), strtoll(text, NULL, 10));	/* no silence: since then */
	check_life("since", users, DAY + HOUR);
}
END_TEST

/* ---- what follows ---- */

/* since: webhooks come for so long (0: none came); of the user; then what is asked, and answered. */
struct row { const char *name; int64_t since; const char *user; struct admit a; const char *answer, *gd; };

#define GO "go|1|0|0||"
#define DEAD(reason) "final|0|dead||" reason "|0|0|||"
#define LONG (2 * DAY)
#define OPEN "in=-3600000"
#define CLOSED "in=-86400001"

static const struct row rows[] = {
	{ "nobody asks", LONG, "", { .kind = "none" }, GO, "-" },
	{ "open", LONG, OPEN, { .window = "refuse" }, GO, "-" },
	{ "open for some seconds yet", LONG, "in=-86380000", { .window = "refuse" }, GO, "-" },
	{ "closed", LONG, CLOSED, { .window = "refuse" }, DEAD("outside_window"), "-" },
	{ "never open", LONG, "", { .window = "refuse" }, DEAD("outside_window"), "-" },
	{ "never open, but webhooks never came", 0, "", { .window = "refuse" }, GO, "-" },
	{ "nor come for long enough", HOUR, "", { .window = "refuse" }, GO, "-" },
	{ "closed, but some may be missing", HOUR, CLOSED, { .window = "refuse" }, GO, "-" },
	{ "long enough is what is set", HOUR, "", { .window = "refuse", .learn_ms = HOUR / 2 }, DEAD("outside_window"), "-" },
	{ "closed, warned of", LONG, CLOSED, { .window = "warn" }, GO "outside_window", "outside_window" },
	{ "closed, a template is named", LONG, CLOSED, { .window = "refuse", .fallback = "named" }, "window|0", NULL },
	{ "closed, warned of, a template is named", LONG, CLOSED, { .window = "warn", .fallback = "named" }, "window|0", NULL },
	{ "open, a template is named", LONG, OPEN, { .window = "refuse", .fallback = "named" }, GO, "-" },
	{ "a template in its place", LONG, CLOSED, { .fallback = "sent" }, GO "fallback", "fallback" },
	{ "a marketing template in its place", LONG, CLOSED " mo=1", { .opt_out = "refuse", .fallback = "sent" }, DEAD("opted_out"), "-" },
	{ "the same, warned of", LONG, "mo=1", { .opt_out = "warn", .fallback = "sent" }, GO "fallback opted_out", "fallback opted_out" },
	{ "wants none", LONG, OPEN " mo=1", { .opt_out = "refuse" }, DEAD("opted_out"), "-" },
	{ "wants none, whatever came of the number", 0, "mo=1", { .opt_out = "refuse" }, DEAD("opted_out"), "-" },
	{ "wants none, warned of", LONG, "mo=1", { .opt_out = "warn" }, GO "opted_out", "opted_out" },
	{ "wants none, but it is no marketing", LONG, "mo=1", { .kind = "none" }, GO, "-" },
	{ "wants some", LONG, "mt=-1000", { .opt_out = "refuse" }, GO, "-" },
	{ "too late is too late", LONG, CLOSED, { .window = "refuse", .expires_in = -1000 }, "final|0|expired||expired|0|0|||", "-" },
	/* an unknown outcome stays one */
	{ "closed after an unknown outcome", LONG, CLOSED, { .kind = "unknown", .n = 1, .window = "refuse" }, "final|1|dead||unknown_outcome|0|0|||", "-" },
};

static void set_up(const struct row *row)
{
	char text[24];

	forget();
	snprintf(text, sizeof(text), "%lld", (long long)(wall_ms() - row->since));
	if (row->since)
		freeReplyObject(ask((const char *[]){ "SET", users, text }, 3));
	set_fields(user, row->user);
}

START_TEST(a_message_is_held_against_it)
{
	const struct row *row = &rows[_i];
	struct strbuf answer = STRBUF_INIT;
	bool goes = str_starts(row->answer, "go");

	set_up(row);
	admit(&row->a, &answer);
	ck_assert_msg(!strcmp(answer.buf, row->answer), "%s: %s, not %s", row->name, answer.buf, row->answer);
	ck_assert_msg((number_tat() != 0) == goes, "%s: the limit", row->name);
	ck_assert_msg(ask_number("EXISTS", record) == (row->gd != NULL), "%s: the record", row->name);
	if (row->gd && strcmp(row->gd, "-")) {
		redisReply *r = ask((const char *[]){ "HGET", record, "gd" }, 3);

		ck_assert_str_eq(r->str, row->gd);
		freeReplyObject(r);
	}
	strbuf_release(&answer);
}
END_TEST

/* Asked again as it is, after its answer got lost, and once it is final. */
START_TEST(what_was_said_is_said_again)
{
	struct strbuf answer = STRBUF_INIT;

	set_up(&(struct row){ .since = LONG, .user = CLOSED });
	admit(&(struct admit){ .window = "warn" }, &answer);
	ck_assert_str_eq(answer.buf, GO "outside_window");
	admit(&(struct admit){ .window = "warn" }, &answer);
	ck_assert_str_eq(answer.buf, GO "outside_window");
	settle(&(struct settle){ .n = 1, .what = "sent", .wamid = "W" }, &answer);
	admit(&(struct admit){ .window = "warn" }, &answer);
	ck_assert_str_eq(answer.buf, "final|1|sent|W||0|0|{\"n\":9}||outside_window");
	strbuf_release(&answer);
}
END_TEST

START_TEST(a_closed_gate_comes_first)
{
	struct strbuf answer = STRBUF_INIT;

	set_up(&(struct row){ .since = LONG, .user = CLOSED });
	set_fields(holds, "n:1=operator,0,0,0,0,-,0,words");
	admit(&(struct admit){ .window = "refuse" }, &answer);
	ck_assert_msg(str_starts(answer.buf, "held|"), "%s", answer.buf);	/* it may be open when the number is */
	strbuf_release(&answer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("guard");
	TCase *real = unit_case(s, "guard");

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return 0;
	}
	tcase_add_checked_fixture(real, start, stop);
	tcase_add_loop_test(real, a_lesson_is_kept_by_all_names_in_any_order, 0, (int)ARRAY_LEN(lessons));
	tcase_add_test(real, it_is_told_since_when_webhooks_come);
	tcase_add_loop_test(real, a_message_is_held_against_it, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(real, what_was_said_is_said_again);
	tcase_add_test(real, a_closed_gate_comes_first);
	return unit_run(s);
}
