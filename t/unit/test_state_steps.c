/* What the state manager is told: every step, none twice, none backwards, each later than the one before. */
#include "unit.h"

#include "base/rand.h"
#include "msg/state_steps.h"

enum { NONE = MESSAGE_STATUS_OTHER, BOUND = MESSAGE_STATUS_ACCEPTED, SENT = MESSAGE_STATUS_SENT, DELIVERED = MESSAGE_STATUS_DELIVERED,
       READ = MESSAGE_STATUS_READ, PLAYED = MESSAGE_STATUS_PLAYED, FAILED = MESSAGE_STATUS_FAILED };

START_TEST(every_way_from_what_was_told_to_what_happened)
{
	static const struct { int told, event, n, steps[STATE_STEPS_MAX]; } rows[] = {
		{ NONE, BOUND, 1, { BOUND } }, { NONE, SENT, 2, { BOUND, SENT } }, { NONE, READ, 4, { BOUND, SENT, DELIVERED, READ } },
		{ NONE, PLAYED, 4, { BOUND, SENT, DELIVERED, READ } }, { NONE, FAILED, 2, { BOUND, FAILED } },
		{ BOUND, BOUND, 0, { 0 } }, { BOUND, SENT, 1, { SENT } }, { BOUND, DELIVERED, 2, { SENT, DELIVERED } }, { BOUND, FAILED, 1, { FAILED } },
		{ SENT, SENT, 0, { 0 } }, { SENT, BOUND, 0, { 0 } }, { SENT, READ, 2, { DELIVERED, READ } }, { SENT, FAILED, 1, { FAILED } },
		{ DELIVERED, SENT, 0, { 0 } }, { DELIVERED, DELIVERED, 0, { 0 } }, { DELIVERED, PLAYED, 1, { READ } }, { DELIVERED, FAILED, 0, { 0 } },
		{ READ, READ, 0, { 0 } }, { READ, PLAYED, 0, { 0 } }, { READ, DELIVERED, 0, { 0 } }, { READ, FAILED, 0, { 0 } },
		{ FAILED, FAILED, 0, { 0 } }, { FAILED, READ, 0, { 0 } }, { FAILED, BOUND, 0, { 0 } },
		{ NONE, NONE, 0, { 0 } }, { SENT, NONE, 0, { 0 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct state_told told = { (enum message_status)rows[i].told, 0 }, steps[STATE_STEPS_MAX];

		ck_assert_msg(state_steps(&told, (enum message_status)rows[i].event, 1000, steps) == rows[i].n, "row %zu", i);
		for (int k = 0; k < rows[i].n; k++)
			ck_assert_msg((int)steps[k].status == rows[i].steps[k], "row %zu step %d", i, k);
	}
}
END_TEST

START_TEST(times_are_the_event_s_where_that_is_later)
{
	static const struct { int told; int64_t told_ms; int event; int64_t event_ms, first, last; } rows[] = {
		{ SENT, 1000, DELIVERED, 5000, 5000, 5000 }, { SENT, 1000, READ, 5000, 4999, 5000 }, { NONE, 0, READ, 5000, 4997, 5000 },
		{ SENT, 5000, DELIVERED, 5000, 5001, 5001 },	/* Meta's seconds */
		{ SENT, 5000, READ, 5000, 5001, 5002 }, { SENT, 4999, READ, 5000, 5000, 5001 }, { BOUND, 5850, SENT, 5000, 5851, 5851 },
		{ SENT, 9000, FAILED, 5000, 9001, 9001 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct state_told told = { (enum message_status)rows[i].told, rows[i].told_ms }, steps[STATE_STEPS_MAX];
		int n = state_steps(&told, (enum message_status)rows[i].event, rows[i].event_ms, steps);

		ck_assert_msg(n > 0 && steps[0].at_ms == rows[i].first && steps[n - 1].at_ms == rows[i].last, "row %zu", i);
	}
}
END_TEST

/* Whatever comes: what was told is a way that the state manager's own table allows, and ends at the furthest of what came. */
START_TEST(any_order_ends_where_it_must)
{
	static const int events[] = { BOUND, SENT, DELIVERED, READ, PLAYED };

	for (int round = 0; round < 20000; round++) {
		struct state_told told = { MESSAGE_STATUS_OTHER, 0 }, steps[STATE_STEPS_MAX];
		int furthest = 0, n_events = (int)rand_between(1, 9);

		for (int i = 0; i < n_events; i++) {
			int event = events[rand_between(0, (int64_t)ARRAY_LEN(events) - 1)];
			int rank = message_status_rank((enum message_status)event), n;

			furthest = rank > furthest ? rank : furthest;
			n = state_steps(&told, (enum message_status)event, rand_between(1000, 1010), steps);
			for (int k = 0; k < n; k++) {
				ck_assert_int_eq(message_status_rank(steps[k].status), message_status_rank(told.status) + 1);
				ck_assert_int_gt(steps[k].at_ms, told.at_ms);
				told = steps[k];
			}
		}
		ck_assert_int_eq(message_status_rank(told.status), furthest < 4 ? furthest : 4);
	}
}
END_TEST

START_TEST(what_is_kept_reads_back_and_garbage_does_not)
{
	static const char *const garbage[] = { "", "sent", "sent ", "sent x", "seen 5", "averyverylongwordindeed 5", " 5" };
	struct state_told t;
	char text[STATE_TOLD_TEXT_MAX];

	for (int s = 0; s < MESSAGE_STATUS_OTHER; s++) {
		state_told_format(&(struct state_told){ (enum message_status)s, 1764000000123 }, text);
		ck_assert_int_eq(state_told_parse(&t, text), 0);
		ck_assert(t.status == (enum message_status)s && t.at_ms == 1764000000123);
	}
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++)
		ck_assert_msg(state_told_parse(&t, garbage[i]) < 0, "%s", garbage[i]);
}
END_TEST

START_TEST(events_are_news_or_nothing_or_strange)
{
	static const struct { const char *body; enum state_event_kind kind; } rows[] = {
		{ "{\"id\":\"m\",\"tenant_id\":\"t1\",\"status\":\"sent\",\"wamid\":\"wamid.A\",\"timestamp\":\"2026-11-23T10:00:00.500Z\"}", STATE_EVENT_NEWS },
		{ "{\"id\":\"m\",\"tenant_id\":\"t1\",\"status\":\"failed\",\"reason\":\"expired\"}", STATE_EVENT_NOTHING },
		{ "{\"id\":\"m\",\"tenant_id\":\"t1\",\"status\":\"warning\",\"wamid\":\"wamid.A\"}", STATE_EVENT_NOTHING },
		{ "{\"id\":\"m\",\"tenant_id\":\"t 1\",\"status\":\"sent\",\"wamid\":\"wamid.A\"}", STATE_EVENT_STRANGE },
		{ "{\"tenant_id\":\"t1\",\"status\":\"sent\",\"wamid\":\"wamid.A\"}", STATE_EVENT_STRANGE },
		{ "{\"id\":\"m\",\"tenant_id\":\"t1\",\"status\":\"sent\",\"wamid\":\"\"}", STATE_EVENT_STRANGE },
		{ "{\"id\":\"m\",\"tenant_id\":\"t1\"}", STATE_EVENT_STRANGE }, { "[]", STATE_EVENT_STRANGE }, { "sent", STATE_EVENT_STRANGE },
		{ NULL, STATE_EVENT_STRANGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf why = STRBUF_INIT;
		struct state_event e;

		ck_assert_msg(state_event_read(&e, rows[i].body, rows[i].body ? strlen(rows[i].body) : 9, &why) == rows[i].kind, "row %zu", i);
		ck_assert_msg((why.len > 0) == (rows[i].kind == STATE_EVENT_STRANGE), "row %zu: %s", i, why.buf);
		if (rows[i].kind == STATE_EVENT_NEWS)
			ck_assert(e.status == MESSAGE_STATUS_SENT && e.at_ms == 1795428000500);
		state_event_release(&e);
		strbuf_release(&why);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state_steps");
	TCase *c = unit_case(s, "steps");

	tcase_add_test(c, every_way_from_what_was_told_to_what_happened);
	tcase_add_test(c, times_are_the_event_s_where_that_is_later);
	tcase_add_test(c, any_order_ends_where_it_must);
	tcase_add_test(c, what_is_kept_reads_back_and_garbage_does_not);
	tcase_add_test(c, events_are_news_or_nothing_or_strange);
	return unit_run(s);
}
