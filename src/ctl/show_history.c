/* wamctl history and metrics. */
#include "ctl/show.h"
#include "ctl/table.h"

enum { STEPS_OF_MINUTE = 12, MINUTES = 15 };

/* Of the samples from..from + 11: their sum, or the largest; -1: there is none. */
static long long minute(const json_t *series, const char *name, size_t from, bool is_sum)
{
	const json_t *list = json_object_get(series, name);
	long long value = -1;

	for (size_t i = from; i < from + STEPS_OF_MINUTE; i++) {
		const json_t *v = json_array_get(list, i);
		long long n = (long long)json_integer_value(v);

		if (!json_is_integer(v))
			continue;
		value = value < 0 ? n : is_sum ? value + n : n > value ? n : value;
	}
	return value;
}

static void add(struct table *t, long long v)
{
	if (v < 0)
		table_add(t, "-");
	else
		table_add_number(t, v);
}

int show_history(const json_t *a)
{
	static const char *const sums[] = { "received", "posted", "sent", "retried", "unknown", "dead" };
	static const char *const most[] = { "in_flight", "lanes", "latency_p50_ms", "latency_p99_ms", "graph_p99_ms" };
	const json_t *series = json_object_get(a, "series");
	struct table t;

	table_init(&t, "MINUTE >RECEIVED >POSTED >SENT >RETRIED >UNKNOWN >DEAD >IN-FLIGHT >LANES >P50-MS >P99-MS >GRAPH-MS");
	for (int m = 0; m < MINUTES; m++) {
		char name[16];

		snprintf(name, sizeof(name), "-%d", MINUTES - m);
		table_add(&t, name);
		for (size_t i = 0; i < ARRAY_LEN(sums); i++)
			add(&t, minute(series, sums[i], (size_t)m * STEPS_OF_MINUTE, true));
		for (size_t i = 0; i < ARRAY_LEN(most); i++)
			add(&t, minute(series, most[i], (size_t)m * STEPS_OF_MINUTE, false));
	}
	table_print(&t, stdout);
	table_release(&t);
	return 0;
}

/* Never called: what is no JSON is printed as it came. */
int show_metrics(const json_t *answer)
{
	(void)answer;
	return 0;
}
