/* Histograms, the ring of 15 minutes, the text of metrics, and lines of the log as JSON. */
#include "unit.h"

#include "api/metrics.h"
#include "base/board.h"
#include "base/log_json.h"
#include "base/strbuf.h"
#include "msg/json.h"

static struct board *new_board(void)
{
	int fd;

	return board_new(&fd);
}

/* ---- histograms ---- */

static struct histogram_view seen(const struct histogram *h)
{
	struct histogram_view v = { .sum_us = 0 };

	histogram_add(&v, h);
	return v;
}

START_TEST(a_bound_belongs_to_its_bucket)
{
	struct histogram h = { .sum_us = 0 };
	int n;
	const int64_t *bounds = histogram_bounds(HISTOGRAM_GRAPH, &n);

	histogram_observe(&h, HISTOGRAM_GRAPH, bounds[3]);
	histogram_observe(&h, HISTOGRAM_GRAPH, bounds[3] + 1);
	histogram_observe(&h, HISTOGRAM_GRAPH, -5);		/* a clock has jumped */
	histogram_observe(&h, HISTOGRAM_GRAPH, INT64_MAX / 2);
	ck_assert_uint_eq(h.buckets[0], 1);
	ck_assert_uint_eq(h.buckets[3], 1);
	ck_assert_uint_eq(h.buckets[4], 1);
	ck_assert_uint_eq(h.buckets[n], 1);
	ck_assert_uint_eq(h.sum_us, (uint64_t)(2 * bounds[3] + 1 + INT64_MAX / 2));
}
END_TEST

START_TEST(all_bounds_rise_and_all_is_counted)
{
	for (int k = 0; k < HISTOGRAMS; k++) {
		struct histogram h = { .sum_us = 0 };
		struct histogram_view v;
		int n;
		const int64_t *bounds = histogram_bounds((enum histogram_kind)k, &n);

		ck_assert_int_lt(n, HISTOGRAM_BUCKETS);
		for (int i = 1; i < n; i++)
			ck_assert_int_gt(bounds[i], bounds[i - 1]);
		for (int64_t us = 1; us < 1000000000000; us *= 3)
			histogram_observe(&h, (enum histogram_kind)k, us);
		v = seen(&h);
		ck_assert_uint_eq(histogram_count(&v), 26);
	}
}
END_TEST

/* Against all observations sorted: within the bucket that the true one is in. */
START_TEST(a_quantile_is_in_the_bucket_of_the_true_one)
{
	static const int percents[] = { 1, 50, 90, 95, 99, 100 };
	struct histogram h = { .sum_us = 0 };
	struct histogram_view v;
	int n;
	const int64_t *bounds = histogram_bounds(HISTOGRAM_ADDED, &n);

	for (int64_t i = 1; i <= 10000; i++)
		histogram_observe(&h, HISTOGRAM_ADDED, i * 37);
	v = seen(&h);
	for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
		int64_t true_one = percents[i] * 100 * 37, got = histogram_quantile(&v, HISTOGRAM_ADDED, percents[i]);
		int b = 0;

		while (bounds[b] < true_one)
			b++;
		ck_assert_int_le(got, bounds[b]);
		ck_assert_int_ge(got, b ? bounds[b - 1] : 0);
	}
	ck_assert_int_le(llabs(histogram_quantile(&v, HISTOGRAM_ADDED, 50) - 185000), 2000);	/* evenly spread: nearly exact */
}
END_TEST

START_TEST(the_ends_of_a_quantile)
{
	struct histogram h = { .sum_us = 0 };
	struct histogram_view v = seen(&h);
	int n;
	const int64_t *bounds = histogram_bounds(HISTOGRAM_GRAPH, &n);

	ck_assert_int_eq(histogram_quantile(&v, HISTOGRAM_GRAPH, 50), -1);
	histogram_observe(&h, HISTOGRAM_GRAPH, INT64_MAX / 2);
	v = seen(&h);
	ck_assert_int_eq(histogram_quantile(&v, HISTOGRAM_GRAPH, 50), bounds[n - 1]);
}
END_TEST

/* ---- the ring ---- */

START_TEST(a_step_has_what_came_in_it)
{
	static const int64_t t = 1700000000000;
	struct board *b = new_board();
	struct board_slot *s = board_take(b, "sender", 0), *other = board_take(b, "sender", 1);

	s->pid = 1;
	board_count(s, COUNT_SENT);
	history_take(b, t);
	ck_assert_int_eq(history_look(b, t, SERIES_SENT, 0), 1);
	ck_assert_int_eq(history_look(b, t, SERIES_LATENCY_P50, 0), -1);
	ck_assert_int_eq(history_look(b, t, SERIES_SENT, 1), -1);
	for (int i = 0; i < 3; i++)
		board_count(other, COUNT_SENT);
	board_gauge(s, GAUGE_IN_FLIGHT, 7);
	board_gauge(other, GAUGE_IN_FLIGHT, 9);		/* it has ended: pid 0 */
	board_observe(s, HISTOGRAM_ADDED, 9000);
	history_take(b, t + 100);			/* the same step: left out */
	history_take(b, t + 5000);
	ck_assert_int_eq(history_look(b, t + 5000, SERIES_SENT, 0), 3);
	ck_assert_int_eq(history_look(b, t + 5000, SERIES_SENT, 1), 1);
	ck_assert_int_eq(history_look(b, t + 5000, SERIES_IN_FLIGHT, 0), 7);
	ck_assert_int_ge(history_look(b, t + 5000, SERIES_LATENCY_P50, 0), 5);
	ck_assert_int_le(history_look(b, t + 5000, SERIES_LATENCY_P99, 0), 10);
	history_take(b, t + 10000);
	ck_assert_int_eq(history_look(b, t + 10000, SERIES_LATENCY_P50, 0), -1);	/* nothing came in this step */
}
END_TEST

START_TEST(a_gap_stays_one_and_old_samples_are_gone)
{
	static const int64_t t = 1700000000000;
	struct board *b = new_board();
	struct board_slot *s = board_take(b, "sender", 0);

	history_take(b, t);
	for (int i = 0; i < 12; i++)
		board_count(s, COUNT_SENT);
	history_take(b, t + 4 * HISTORY_STEP_MS);
	ck_assert_int_eq(history_look(b, t + 4 * HISTORY_STEP_MS, SERIES_SENT, 0), 3);	/* of an average step */
	for (int back = 1; back < 4; back++)
		ck_assert_int_eq(history_look(b, t + 4 * HISTORY_STEP_MS, SERIES_SENT, back), -1);
	ck_assert_int_eq(history_look(b, t + 4 * HISTORY_STEP_MS, SERIES_SENT, 4), 0);
	ck_assert_int_eq(history_newest_ms(b, t + 4 * HISTORY_STEP_MS + 10), t + 4 * HISTORY_STEP_MS);
	ck_assert_int_eq(history_newest_ms(b, t + 5 * HISTORY_STEP_MS), t + 4 * HISTORY_STEP_MS);
	history_take(b, t + (int64_t)HISTORY_STEPS * HISTORY_STEP_MS);
	ck_assert_int_eq(history_look(b, t + (int64_t)HISTORY_STEPS * HISTORY_STEP_MS, SERIES_SENT, HISTORY_STEPS), -1);
}
END_TEST

/* ---- tiers ---- */

START_TEST(a_tier_keeps_its_index)
{
	struct board *b = new_board();
	char name[40];

	board_add_tier(b, "plus=250", 4);
	board_add_tier(b, "standard", 8);
	board_add_tier(b, "plus", 4);
	ck_assert_int_eq(board_tier(b, "plus"), 1);
	ck_assert_int_eq(board_tier(b, "standard"), 2);
	ck_assert_int_eq(board_tier(b, NULL), BOARD_TIER_NONE);
	ck_assert_int_eq(board_tier(b, "what"), BOARD_TIER_OTHER);
	for (int i = 0; i < 30; i++)
		board_add_tier(b, name, (size_t)snprintf(name, sizeof(name), "t%d", i));
	ck_assert_int_eq(board_tier(b, "t13"), 16);
	ck_assert_int_eq(board_tier(b, "t14"), BOARD_TIER_OTHER);
	ck_assert_int_eq(board_tier(b, "standard"), 2);
}
END_TEST

/* ---- the text ---- */

START_TEST(labels_are_escaped)
{
	struct strbuf s = STRBUF_INIT;

	metrics_add_label(&s, "a", "x\"y\\z\n!");
	ck_assert_str_eq(s.buf, "a=\"x\\\"y\\\\z\\n!\"");
	strbuf_release(&s);
}
END_TEST

static void has(const struct strbuf *page, const char *line)
{
	ck_assert_msg(strstr(page->buf, line) != NULL, "no %s", line);
}

START_TEST(two_of_one_name_are_one_series)
{
	struct board *b = new_board();
	struct board_slot *old = board_take(b, "sender", 0), *new;
	struct fleet_view f = { .n_known = 3 };
	struct strbuf page = STRBUF_INIT;
	const char *first;

	old->pid = 1;
	new = board_take(b, "sender", 0);
	new->pid = 2;
	ck_assert_ptr_ne(old, new);
	board_add_tier(b, "plus", 4);
	for (int i = 0; i < 5; i++)
		board_count(i < 2 ? old : new, COUNT_SENT);
	board_gauge(old, GAUGE_WINDOW, 3);
	board_gauge(new, GAUGE_WINDOW, 4);
	board_gauge(old, GAUGE_LOOP_LAG_US, 1500);
	board_gauge(new, GAUGE_LOOP_LAG_US, 500);
	board_observe(old, HISTOGRAM_GRAPH, 20000);
	board_observe(new, HISTOGRAM_GRAPH, 1200000);
	board_count_in(&old->answers[1][OUTCOME_SENT]);
	board_count_in(&new->errors[SCOPE_TEMPLATE][OUTCOME_REFUSED]);
	metrics_write(b, &f, 1700000000000, &page);
	has(&page, "\nwamd_sent_total{role=\"sender\",number=\"0\"} 5\n");
	has(&page, "\nwamd_window{role=\"sender\",number=\"0\"} 7\n");
	has(&page, "\nwamd_loop_lag_seconds{role=\"sender\",number=\"0\"} 0.001500\n");
	has(&page, "\nwamd_graph_seconds_bucket{role=\"sender\",le=\"0.025\"} 1\n");
	has(&page, "\nwamd_graph_seconds_bucket{role=\"sender\",le=\"+Inf\"} 2\n");
	has(&page, "\nwamd_graph_seconds_sum{role=\"sender\"} 1.220000\n");
	has(&page, "\nwamd_graph_seconds_count{role=\"sender\"} 2\n");
	has(&page, "\nwamd_answers_total{outcome=\"sent\",tier=\"plus\"} 1\n");
	has(&page, "\nwamd_errors_total{class=\"refused\",scope=\"template\"} 1\n");
	has(&page, "\nwamd_accounts 3\n");
	first = strstr(page.buf, "\nwamd_sent_total{");
	ck_assert_ptr_null(strstr(first + 1, "\nwamd_sent_total{"));
	ck_assert_ptr_null(strstr(page.buf, "wamd_holds_active"));	/* nobody has looked yet */
	strbuf_release(&page);
}
END_TEST

START_TEST(what_is_too_old_is_left_out)
{
	static const int64_t now = 1700000000000;
	struct board *b = new_board();
	struct fleet_view f = { .redis_at_ms = now - 10000, .broker_at_ms = now - 301000, .breakers_open = 2 };
	struct strbuf page = STRBUF_INIT;

	metrics_write(b, &f, now, &page);
	has(&page, "\nwamd_survey_age_seconds{of=\"redis\"} 10\n");
	has(&page, "\nwamd_survey_age_seconds{of=\"broker\"} 301\n");
	has(&page, "\nwamd_breakers_open 2\n");
	ck_assert_ptr_null(strstr(page.buf, "wamd_lane_messages"));
	strbuf_release(&page);
}
END_TEST

/* ---- lines as JSON ---- */

static json_t *line(const char *text)
{
	char out[512];
	size_t n = log_json_line(out, sizeof(out), "2026-01-01T00:00:00.000Z", "info", "sender[1]", "settled", text);
	json_t *o = NULL;

	ck_assert_uint_lt(n, sizeof(out));
	ck_assert_msg(json_parse(out, n, &o, NULL) == JSON_OK, "%.*s", (int)n, out);
	ck_assert_str_eq(json_text(o, "event"), "settled");
	return o;
}

/* fields: "name|value|name|value…", text: NULL for none. */
static const struct { const char *in, *fields, *text; } lines[] = {
	{ "id=a tenant=t1 outcome=sent", "id|a|tenant|t1|outcome|sent", NULL },
	{ "no field at all", "", "no field at all" },
	{ "", "", NULL },
	{ "connection=consumer: reset by peer", "connection|consumer", "reset by peer" },
	{ "generation=3 status=4 while it was stopping", "generation|3|status|4 while it was stopping", NULL },
	{ "id=a error=(#1) tenant=evil id=b", "id|a|error|(#1) tenant=evil id=b", NULL },
	{ "id=a was=x: tenant=evil", "id|a|was|x", "tenant=evil" },
	{ "id=a id=b c=d", "id|a id=b|c|d", NULL },
	{ "a= b=c", "a||b|c", NULL },
	{ "q=\"x\\y\"", "q|\"x\\y\"", NULL },
	{ "n=\x01\xff\xc3", "n|\x01\xef\xbf\xbd\xef\xbf\xbd", NULL },
};

START_TEST(a_line_has_its_fields)
{
	json_t *o = line(lines[_i].in), *fields = json_object_get(o, "fields");
	char want[128];
	char *p = want, *name, *value;
	size_t n = 0;

	snprintf(want, sizeof(want), "%s", lines[_i].fields);
	while (p && *p) {
		name = strsep(&p, "|");
		value = strsep(&p, "|");
		ck_assert_str_eq(json_text(fields, name), value);
		n++;
	}
	ck_assert_uint_eq(json_object_size(fields), n);
	if (lines[_i].text)
		ck_assert_str_eq(json_text(o, "text"), lines[_i].text);
	else
		ck_assert_ptr_null(json_object_get(o, "text"));
	json_decref(o);
}
END_TEST

/* Any bytes, any length: one line of JSON that fits. */
START_TEST(any_bytes_are_a_line)
{
	static const char some[] = "a=b c_d=\"\\\n\x7f\xc3\xa4\xf0\x9f\x98\x80\xff: error= ";
	char text[3000];

	srand(7);
	for (int i = 0; i < 20000; i++) {
		size_t n = (size_t)rand() % (i % 10 ? 100 : sizeof(text));

		for (size_t k = 0; k < n; k++)
			text[k] = rand() % 4 ? some[(size_t)rand() % (sizeof(some) - 1)] : (char)(1 + rand() % 255);
		text[n] = 0;
		json_decref(line(text));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("metrics");
	TCase *histograms = unit_case(s, "histograms"), *ring = unit_case(s, "ring"), *text = unit_case(s, "text"), *json = unit_case(s, "json");

	tcase_add_test(histograms, a_bound_belongs_to_its_bucket);
	tcase_add_test(histograms, all_bounds_rise_and_all_is_counted);
	tcase_add_test(histograms, a_quantile_is_in_the_bucket_of_the_true_one);
	tcase_add_test(histograms, the_ends_of_a_quantile);
	tcase_add_test(ring, a_step_has_what_came_in_it);
	tcase_add_test(ring, a_gap_stays_one_and_old_samples_are_gone);
	tcase_add_test(text, a_tier_keeps_its_index);
	tcase_add_test(text, labels_are_escaped);
	tcase_add_test(text, two_of_one_name_are_one_series);
	tcase_add_test(text, what_is_too_old_is_left_out);
	tcase_add_loop_test(json, a_line_has_its_fields, 0, ARRAY_LEN(lines));
	tcase_add_test(json, any_bytes_are_a_line);
	return unit_run(s);
}
