#include "api/metrics.h"

#include <inttypes.h>

#include "api/handlers.h"
#include "api/reply.h"
#include "msg/reason.h"

enum { TOO_OLD_MS = 300000 };

enum metric {
#define METRIC(ident, name, type, labels, help) METRIC_##ident,
#include "tbl/metrics.h"
#undef METRIC
};

static const struct { const char *name, *type, *help; } metrics[] = {
#define METRIC(ident, name, type, labels, help) { name, #type, help },
#include "tbl/metrics.h"
#undef METRIC
};

static const char *const counter_helps[] = {
#define COUNTER(ident, name, help) help,
#include "tbl/counters.h"
#undef COUNTER
};

static const char *const gauge_helps[] = {
#define GAUGE(ident, name, help) help,
#include "tbl/gauges.h"
#undef GAUGE
};

static const char *const histogram_helps[] = {
#define HISTOGRAM(ident, name, buckets, help) help,
#include "tbl/histograms.h"
#undef HISTOGRAM
};

/* Processes as they are told apart: while a reload drains, two have one role and number. */
struct row { const char *role; int number; };
struct page {
	struct strbuf *out;
	const struct board *b;
	struct row rows[BOARD_SLOTS];
	int n_rows, row_of[BOARD_SLOTS];	/* -1: a free slot */
};

/* ---- the format ---- */

static void add_escaped(struct strbuf *out, const char *s, bool quotes)
{
	for (; *s; s++)
		if (*s == '\n')
			strbuf_adds(out, "\\n");
		else if (*s == '\\' || (*s == '"' && quotes))
			strbuf_addf(out, "\\%c", *s);
		else
			strbuf_addc(out, *s);
}

void metrics_add_label(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "%s=\"", name);
	add_escaped(out, value, true);
	strbuf_addc(out, '"');
}

static void head(struct strbuf *out, const char *name, const char *suffix, const char *type, const char *help)
{
	strbuf_addf(out, "# HELP wamd_%s%s ", name, suffix);
	add_escaped(out, help, false);
	strbuf_addf(out, "\n# TYPE wamd_%s%s %s\n", name, suffix, type);
}

static void begin(struct strbuf *out, enum metric m)
{
	head(out, metrics[m].name, "", metrics[m].type, metrics[m].help);
}

static void label(struct strbuf *out, char lead, const char *name, const char *value)
{
	strbuf_addc(out, lead);
	metrics_add_label(out, name, value);
}

static void number(struct strbuf *out, int64_t v)
{
	strbuf_addf(out, " %" PRId64 "\n", v);
}

static void one(struct strbuf *out, enum metric m, int64_t v)
{
	begin(out, m);
	strbuf_addf(out, "wamd_%s", metrics[m].name);
	number(out, v);
}

/* A sample with one or two labels. */
static void labelled(struct strbuf *out, enum metric m, const char *name, const char *value, const char *name2, const char *value2)
{
	strbuf_addf(out, "wamd_%s", metrics[m].name);
	label(out, '{', name, value);
	if (name2)
		label(out, ',', name2, value2);
	strbuf_addc(out, '}');
}

/* Seconds, to the microsecond, without a double's rounding. */
static void seconds(struct strbuf *out, uint64_t us)
{
	strbuf_addf(out, " %" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
}

/* ---- processes ---- */

static void find_rows(struct page *p)
{
	for (int i = 0; i < BOARD_SLOTS; i++) {
		const struct board_slot *s = &p->b->slots[i];
		int k = 0;

		p->row_of[i] = -1;
		if (!*s->role)
			continue;
		while (k < p->n_rows && (strcmp(p->rows[k].role, s->role) != 0 || p->rows[k].number != s->number))
			k++;
		if (k == p->n_rows)
			p->rows[p->n_rows++] = (struct row){ s->role, s->number };
		p->row_of[i] = k;
	}
}

static void process(struct page *p, const char *name, const char *suffix, int row)
{
	strbuf_addf(p->out, "wamd_%s%s", name, suffix);
	label(p->out, '{', "role", p->rows[row].role);
	strbuf_addf(p->out, ",number=\"%d\"}", p->rows[row].number);
}

static void write_counters(struct page *p)
{
	for (int c = 0; c < COUNTERS; c++) {
		head(p->out, counter_name((enum counter)c), "_total", "counter", counter_helps[c]);
		for (int r = 0; r < p->n_rows; r++) {
			uint64_t sum = 0;

			for (int i = 0; i < BOARD_SLOTS; i++)
				sum += p->row_of[i] == r ? p->b->slots[i].counters[c] : 0;
			process(p, counter_name((enum counter)c), "_total", r);
			number(p->out, (int64_t)sum);
		}
	}
}

/* Of two with one name, what they have in hand adds up; of all else the larger is told. */
static bool adds_up(enum gauge g)
{
	return g == GAUGE_WINDOW || g == GAUGE_IN_FLIGHT || g == GAUGE_LANES;
}

static int64_t gauge_of(const struct page *p, int row, enum gauge g)
{
	int64_t v = 0;

	for (int i = 0; i < BOARD_SLOTS; i++) {
		const struct board_slot *s = &p->b->slots[i];

		if (p->row_of[i] != row || !s->pid)
			continue;
		if (adds_up(g))
			v += s->gauges[g];
		else if (s->gauges[g] > v)
			v = s->gauges[g];
	}
	return v;
}

/* "loop_lag_us" is told in seconds, as all times are. */
static void write_gauges(struct page *p)
{
	for (int g = 0; g < GAUGES; g++) {
		const char *name = gauge_name((enum gauge)g), *suffix = "";
		size_t n = strlen(name);
		bool is_time = n > 3 && !strcmp(name + n - 3, "_us");
		char base[64];

		snprintf(base, sizeof(base), "%.*s", (int)(is_time ? n - 3 : n), name);
		suffix = is_time ? "_seconds" : "";
		head(p->out, base, suffix, "gauge", gauge_helps[g]);
		for (int r = 0; r < p->n_rows; r++) {
			process(p, base, suffix, r);
			if (is_time)
				seconds(p->out, (uint64_t)gauge_of(p, r, (enum gauge)g));
			else
				number(p->out, gauge_of(p, r, (enum gauge)g));
		}
	}
}

static void write_processes(struct page *p)
{
	begin(p->out, METRIC_CRASHES);
	for (int r = 0; r < p->n_rows; r++) {
		uint64_t crashes = 0;

		for (int i = 0; i < BOARD_SLOTS; i++)
			crashes += p->row_of[i] == r ? p->b->slots[i].crashes : 0;
		process(p, metrics[METRIC_CRASHES].name, "", r);
		number(p->out, (int64_t)crashes);
	}
	begin(p->out, METRIC_UP);
	for (int r = 0; r < p->n_rows; r++) {
		bool is_up = false;

		for (int i = 0; i < BOARD_SLOTS; i++)
			is_up |= p->row_of[i] == r && p->b->slots[i].pid;
		process(p, metrics[METRIC_UP].name, "", r);
		number(p->out, is_up);
	}
}

/* ---- histograms, by role: a bucket for each sender would be many series that nobody looks at ---- */

static void bucket(struct strbuf *out, const char *name, const char *role, const char *le, uint64_t n)
{
	strbuf_addf(out, "wamd_%s_seconds_bucket", name);
	label(out, '{', "role", role);
	label(out, ',', "le", le);
	strbuf_adds(out, "}");
	number(out, (int64_t)n);
}

/* "0.00025" "1" "14400" */
static void bound_text(int64_t us, char out[32])
{
	size_t n = (size_t)snprintf(out, 32, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);

	while (out[n - 1] == '0')
		out[--n] = 0;
	if (out[n - 1] == '.')
		out[n - 1] = 0;
}

static void write_histogram(struct strbuf *out, enum histogram_kind k, const char *role, const struct histogram_view *v)
{
	const char *name = histogram_name(k);
	uint64_t below = 0;
	int n;
	const int64_t *bounds = histogram_bounds(k, &n);

	for (int i = 0; i < n; i++) {
		char le[32];

		bound_text(bounds[i], le);
		below += v->buckets[i];
		bucket(out, name, role, le, below);
	}
	below += v->buckets[n];
	bucket(out, name, role, "+Inf", below);
	strbuf_addf(out, "wamd_%s_seconds_sum", name);
	label(out, '{', "role", role);
	strbuf_adds(out, "}");
	seconds(out, v->sum_us);
	strbuf_addf(out, "wamd_%s_seconds_count", name);
	label(out, '{', "role", role);
	strbuf_adds(out, "}");
	number(out, (int64_t)below);
}

static bool is_first_of_role(const struct page *p, int row)
{
	for (int r = 0; r < row; r++)
		if (!strcmp(p->rows[r].role, p->rows[row].role))
			return false;
	return true;
}

static void write_histograms(struct page *p)
{
	for (int k = 0; k < HISTOGRAMS; k++) {
		head(p->out, histogram_name((enum histogram_kind)k), "_seconds", "histogram", histogram_helps[k]);
		for (int r = 0; r < p->n_rows; r++) {
			struct histogram_view v = { .sum_us = 0 };

			if (!is_first_of_role(p, r))
				continue;
			for (int i = 0; i < BOARD_SLOTS; i++)
				if (p->row_of[i] >= 0 && !strcmp(p->b->slots[i].role, p->rows[r].role))
					histogram_add(&v, &p->b->slots[i].histograms[k]);
			write_histogram(p->out, (enum histogram_kind)k, p->rows[r].role, &v);
		}
	}
}

/* ---- the whole daemon: what is counted apart, summed over processes ---- */

static const char *tier_name(const struct board *b, int tier)
{
	return tier == BOARD_TIER_NONE ? "none" : tier == BOARD_TIER_OTHER ? "other" : b->tiers[tier];
}

static void write_answers(struct page *p)
{
	begin(p->out, METRIC_ANSWERS);
	for (int t = 0; t < BOARD_TIERS; t++)
		for (int o = 0; o < BOARD_OUTCOMES && *tier_name(p->b, t); o++) {
			uint64_t sum = 0;

			for (int i = 0; i < BOARD_SLOTS; i++)
				sum += p->b->slots[i].answers[t][o];
			labelled(p->out, METRIC_ANSWERS, "outcome", outcome_name((enum outcome)o), "tier", tier_name(p->b, t));
			number(p->out, (int64_t)sum);
		}
}

/* Most pairs never come: one is told of from its first time on. */
static void write_errors(struct page *p)
{
	begin(p->out, METRIC_ERRORS);
	for (int s = 0; s < BOARD_SCOPES; s++)
		for (int o = 0; o < BOARD_OUTCOMES; o++) {
			uint64_t sum = 0;

			for (int i = 0; i < BOARD_SLOTS; i++)
				sum += p->b->slots[i].errors[s][o];
			if (!sum)
				continue;
			labelled(p->out, METRIC_ERRORS, "class", outcome_name((enum outcome)o), "scope", s ? scope_name((enum scope)s) : "none");
			number(p->out, (int64_t)sum);
		}
}

static void write_dead(struct page *p)
{
	begin(p->out, METRIC_DEAD_LETTERS);
	for (int r = 0; r < BOARD_REASONS; r++) {
		uint64_t sum = 0;

		for (int i = 0; i < BOARD_SLOTS; i++)
			sum += p->b->slots[i].dead[r];
		if (!r && !sum)
			continue;
		labelled(p->out, METRIC_DEAD_LETTERS, "reason", r ? reason_code((enum reason)r) : "other", NULL, NULL);
		number(p->out, (int64_t)sum);
	}
}

static int64_t senders_ready(const struct board *b)
{
	int n = 0;

	for (int i = 0; i < BOARD_SLOTS; i++)
		n += b->slots[i].pid && !strcmp(b->slots[i].role, "sender") && b->slots[i].generation == b->generation &&
		     b->slots[i].gauges[GAUGE_READY];
	return n;
}

static void write_daemon(struct page *p)
{
	const struct board *b = p->b;

	begin(p->out, METRIC_INFO);
	labelled(p->out, METRIC_INFO, "version", WAMD_VERSION, NULL, NULL);
	number(p->out, 1);
	begin(p->out, METRIC_STARTED);
	strbuf_addf(p->out, "wamd_%s", metrics[METRIC_STARTED].name);
	seconds(p->out, (uint64_t)b->started_ms * 1000);
	one(p->out, METRIC_SENDERS_READY, senders_ready(b));
	one(p->out, METRIC_SENDERS_WANTED, b->senders_wanted);
	one(p->out, METRIC_GENERATION, b->generation);
	one(p->out, METRIC_RELOADS, (int64_t)b->reloads);
	one(p->out, METRIC_RELOADS_REFUSED, (int64_t)b->reloads_refused);
	one(p->out, METRIC_UPGRADES, (int64_t)b->upgrades);
	one(p->out, METRIC_UPGRADES_REFUSED, (int64_t)b->upgrades_refused);
	one(p->out, METRIC_CRASH_LOOPS, (int64_t)b->crash_loops);
	one(p->out, METRIC_HOST_OPEN, host_is_open(&b->host));
	write_answers(p);
	write_errors(p);
	write_dead(p);
}

/* ---- what the keeper looked at ---- */

static void write_age(struct strbuf *out, const struct fleet_view *f, int64_t now_ms)
{
	begin(out, METRIC_SURVEY_AGE);
	if (f->redis_at_ms) {
		labelled(out, METRIC_SURVEY_AGE, "of", "redis", NULL, NULL);
		number(out, (now_ms - f->redis_at_ms) / 1000);
	}
	if (f->broker_at_ms) {
		labelled(out, METRIC_SURVEY_AGE, "of", "broker", NULL, NULL);
		number(out, (now_ms - f->broker_at_ms) / 1000);
	}
}

static void write_gates(struct strbuf *out, const struct fleet_view *f)
{
	begin(out, METRIC_HOLDS);
	for (int s = 0; s < HOLD_SCOPES; s++) {
		labelled(out, METRIC_HOLDS, "scope", hold_scope_name((enum hold_scope)s), NULL, NULL);
		number(out, f->holds[s]);
	}
	one(out, METRIC_BREAKERS, f->breakers_open);
	one(out, METRIC_LANES_OPEN, f->lanes_open);
}

static void write_queues(struct strbuf *out, const struct fleet_view *f)
{
	one(out, METRIC_LANE_DEPTH, f->lane_messages);
	one(out, METRIC_DLQ_DEPTH, f->dead_letters);
	one(out, METRIC_UNKNOWN_WAITING, f->unknown);
	begin(out, METRIC_QUEUE);
	for (int i = 0; i < f->n_queues; i++) {
		labelled(out, METRIC_QUEUE, "queue", f->queues[i].name, NULL, NULL);
		number(out, f->queues[i].messages);
	}
}

static void write_account(struct strbuf *out, enum metric m, const struct fleet_account *a)
{
	strbuf_addf(out, "wamd_%s", metrics[m].name);
	label(out, '{', "tenant", a->account->tenant->id);
	label(out, ',', "account", a->account->id);
	if (m == METRIC_ACCOUNT_RATE)
		label(out, ',', "tier", a->account->tier ? a->account->tier : "none");
	strbuf_addc(out, '}');
	if (m == METRIC_ACCOUNT_NOW || m == METRIC_ACCOUNT_USE)
		strbuf_addf(out, " %.4f\n", m == METRIC_ACCOUNT_NOW ? a->rate_now : a->use);
	else
		number(out, m == METRIC_ACCOUNT_RATE ? a->account->rate : m == METRIC_ACCOUNT_BREAKER ? a->breaker_is_open :
		       m == METRIC_ACCOUNT_HELD ? a->is_held : a->waiting);
}

static void write_accounts(struct strbuf *out, const struct fleet_view *f, bool has_gates, bool has_lanes)
{
	for (int m = METRIC_ACCOUNT_RATE; m <= METRIC_ACCOUNT_LANE; m++) {
		if (m == METRIC_ACCOUNT_LANE ? !has_lanes : !has_gates)
			continue;
		begin(out, (enum metric)m);
		for (int i = 0; i < f->n_accounts; i++)
			if (f->accounts[i]->account)
				write_account(out, (enum metric)m, f->accounts[i]);
	}
}

static void write_fleet(struct strbuf *out, const struct fleet_view *f, int64_t now_ms)
{
	bool has_gates = f->redis_at_ms && now_ms - f->redis_at_ms < TOO_OLD_MS;
	bool has_queues = f->broker_at_ms && now_ms - f->broker_at_ms < TOO_OLD_MS;

	one(out, METRIC_ACCOUNTS, f->n_known);
	write_age(out, f, now_ms);
	if (has_gates)
		write_gates(out, f);
	if (has_queues)
		write_queues(out, f);
	if (!f->n_accounts)
		return;
	one(out, METRIC_LEFT_OUT, f->n_known - f->n_accounts);
	write_accounts(out, f, has_gates, has_queues);
}

void metrics_write(const struct board *b, const struct fleet_view *f, int64_t now_ms, struct strbuf *out)
{
	struct page p = { .out = out, .b = b };

	find_rows(&p);
	write_daemon(&p);
	write_processes(&p);
	write_counters(&p);
	write_gauges(&p);
	write_histograms(&p);
	write_fleet(out, f, now_ms);
}

/* ---- who asks ---- */

void on_metrics(struct admin *a, struct http_call *c)
{
	struct fleet_view f = { .redis_at_ms = 0 };
	struct strbuf page = STRBUF_INIT;

	if (a->fleet)
		fleet_look(a->fleet, &f);
	metrics_write(a->board, &f, wall_ms(), &page);
	http_answer(c, 200, "text/plain; version=0.0.4; charset=utf-8", page.buf, page.len);
	strbuf_release(&page);
}

void metrics_call(void *admin, struct http_call *c)
{
	if (strcmp(http_call_path(c), "/metrics") != 0)
		reply_problem(c, 404, "not_found", "here is nothing but /metrics");
	else if (strcmp(http_call_method(c), "GET") != 0)
		reply_problem(c, 405, "method_not_allowed", "metrics are only read");
	else
		on_metrics(admin, c);
}

/* ---- the last 15 minutes ---- */

void on_history(struct admin *a, struct http_call *c)
{
	json_t *o = json_object(), *all = json_object();
	int64_t newest = history_newest_ms(a->board, wall_ms());

	for (int s = 0; s < SERIES_ALL; s++) {
		json_t *list = json_array();

		for (int back = HISTORY_STEPS - 1; back >= 0; back--) {
			int64_t v = history_look(a->board, newest, (enum history_series)s, back);

			json_array_append_new(list, v < 0 ? json_null() : json_integer(v));
		}
		json_object_set_new(all, history_name((enum history_series)s), list);
	}
	json_put_int(o, "step_s", HISTORY_STEP_MS / 1000);
	json_put_int(o, "at_ms", newest);
	json_object_set_new(o, "series", all);
	reply_json(c, 200, o);
}
