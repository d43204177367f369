/* Holds, breakers, lanes, limits and the host. */
#include "ctl/show.h"
#include "ctl/table.h"

/* Prints the table, or says that there is nothing in it. */
static int end(struct table *t, const char *nothing)
{
	if (t->n > (size_t)t->n_columns)
		table_print(t, stdout);
	else
		puts(nothing);
	table_release(t);
	return 0;
}

static void add(struct table *t, const json_t *o, const char *key)
{
	table_add(t, answer_text(o, key));
}

/* One decimal where it is not whole. */
static void format_rate(const json_t *o, const char *key, char out[32])
{
	double v = json_number_value(json_object_get(o, key));

	snprintf(out, 32, v < 100 && v > (double)(long long)v ? "%.1f" : "%.0f", v);
}

/* ---- holds ---- */

static const char *until(const json_t *hold)
{
	if (json_object_get(hold, "next_try"))
		return answer_text(hold, "next_try");
	return json_object_get(hold, "until") ? answer_text(hold, "until") : "released";
}

int show_hold_list(const json_t *a)
{
	const json_t *h;
	struct table t;
	size_t i;

	table_init(&t, "SCOPE TENANT WHAT BY >CODE >TIMES SINCE UNTIL WHY");
	json_array_foreach(json_object_get(a, "holds"), i, h) {
		bool is_graphs = json_object_get(h, "code") != NULL;

		add(&t, h, "scope");
		add(&t, h, "tenant_id");
		add(&t, h, "what");
		add(&t, h, "by");
		if (is_graphs) {
			table_add_number(&t, answer_number(h, "code"));
			table_add_number(&t, answer_number(h, "in_a_row"));
		} else {
			table_add(&t, "-");
			table_add(&t, "-");
		}
		add(&t, h, "since");
		table_add(&t, until(h));
		add(&t, h, "why");
	}
	return end(&t, "nothing is on hold");
}

/* "account support of tenant acme" */
static void print_whose(const json_t *a)
{
	printf("%s %s", answer_text(a, "scope"), answer_text(a, "what"));
	if (strcmp(answer_text(a, "scope"), "tenant"))
		printf(" of tenant %s", answer_text(a, "tenant_id"));
}

static int show_held(const json_t *a)
{
	printf("held: ");
	print_whose(a);
	printf(", until %s\nall senders know it within 5 seconds\n", json_object_get(a, "until") ? answer_text(a, "until") : "it is released");
	return 0;
}

static int show_released(const json_t *a)
{
	printf("released: ");
	print_whose(a);
	puts("\nall senders know it within 5 seconds");
	return 0;
}

int show_hold_set(const json_t *a)
{
	return show_held(a);
}

int show_hold_release(const json_t *a)
{
	return show_released(a);
}

int show_pause(const json_t *a)
{
	return show_hold_set(a);
}

int show_resume(const json_t *a)
{
	return show_hold_release(a);
}

int show_account_hold(const json_t *a)
{
	return show_held(a);
}

int show_account_release(const json_t *a)
{
	return show_released(a);
}

/* ---- accounts ---- */

static void add_hold(struct table *t, const json_t *account)
{
	const json_t *h = json_object_get(account, "hold");
	char cell[256];

	if (!h) {
		table_add(t, !answer_flag(account, "enabled") ? "disabled" : answer_flag(account, "suspended") ? "suspended" : "-");
		return;
	}
	if (json_object_get(h, "code"))
		snprintf(cell, sizeof(cell), "%s by graph (%lld): %s", answer_text(h, "scope"), answer_number(h, "code"), answer_text(h, "why"));
	else
		snprintf(cell, sizeof(cell), "%s by operator: %s", answer_text(h, "scope"), answer_text(h, "why"));
	table_add(t, cell);
}

static void add_set_rate(struct table *t, const json_t *set)
{
	if (set)
		table_add_number(t, answer_number(set, "rate"));
	else
		table_add(t, "-");
}

int show_account_list(const json_t *a)
{
	const json_t *account;
	struct table t;
	size_t i;

	table_init(&t, "TENANT ACCOUNT NUMBER TIER >RATE >SET >NOW >USED >USED% BREAKER LANE HOLD");
	json_array_foreach(json_object_get(a, "accounts"), i, account) {
		char rate[32];

		add(&t, account, "tenant_id");
		add(&t, account, "account_id");
		add(&t, account, "phone_number_id");
		add(&t, account, "tier");
		table_add_number(&t, answer_number(account, "rate"));
		add_set_rate(&t, json_object_get(account, "operator_rate"));
		format_rate(account, "rate_now", rate);
		table_add(&t, rate);
		table_add_number(&t, answer_number(account, "used"));
		table_add_number(&t, answer_number(account, "used_percent"));
		add(&t, account, "breaker");
		table_add(&t, strcmp(answer_text(account, "lane"), "none") ? answer_text(account, "lane") : "-");
		add_hold(&t, account);
	}
	return end(&t, "there is no account");
}

static void show_names(const json_t *a)
{
	printf("account   %s of tenant %s, number %s\n", answer_text(a, "account_id"), answer_text(a, "tenant_id"),
	       answer_text(a, "phone_number_id"));
}

/* ---- breakers ---- */

int show_breaker_list(const json_t *a)
{
	const json_t *b;
	struct table t;
	size_t i;

	table_init(&t, "TENANT ACCOUNT STATE UNTIL >TIMES WHY");
	json_array_foreach(json_object_get(a, "breakers"), i, b) {
		add(&t, b, "tenant_id");
		add(&t, b, "account_id");
		add(&t, b, "state");
		add(&t, b, "until");
		table_add_number(&t, answer_number(b, "opened_in_a_row"));
		add(&t, b, "why");
	}
	return end(&t, "all breakers are closed");
}

int show_breaker_show(const json_t *a)
{
	show_names(a);
	printf("state     %s\n", answer_text(a, "state"));
	if (json_object_get(a, "until"))
		printf("until     %s\n", answer_text(a, "until"));
	printf("opened    %lld in a row\nanswers   %lld good, %lld failed in the last minute\n", answer_number(a, "opened_in_a_row"),
	       answer_number(a, "good"), answer_number(a, "failed"));
	if (json_object_get(a, "probe_owner"))
		printf("probe     %s\n", answer_text(a, "probe_owner"));
	printf("why       %s\n", answer_text(a, "why"));
	return 0;
}

int show_breaker_trip(const json_t *a)
{
	printf("open: account %s of tenant %s sends nothing until %s, then one message tries\n", answer_text(a, "account_id"),
	       answer_text(a, "tenant_id"), answer_text(a, "until"));
	return 0;
}

int show_breaker_reset(const json_t *a)
{
	printf("closed%s: account %s of tenant %s has its whole rate\n", answer_flag(a, "was_closed") ? ", as it was" : "",
	       answer_text(a, "account_id"), answer_text(a, "tenant_id"));
	return 0;
}

/* ---- lanes ---- */

int show_lane_list(const json_t *a)
{
	const json_t *l;
	struct table t;
	size_t i;

	table_init(&t, "TENANT ACCOUNT STATE FOR SINCE >WAITING >HIGH HOLDER");
	json_array_foreach(json_object_get(a, "lanes"), i, l) {
		add(&t, l, "tenant_id");
		add(&t, l, "account_id");
		add(&t, l, "state");
		add(&t, l, "opened_for");
		add(&t, l, "since");
		table_add_number(&t, answer_number(l, "waiting_normal"));
		table_add_number(&t, answer_number(l, "waiting_high"));
		add(&t, l, "holder");
	}
	return end(&t, "no account has a lane");
}

int show_lane_show(const json_t *a)
{
	show_names(a);
	printf("state     %s\n", answer_text(a, "state"));
	if (json_object_get(a, "since"))
		printf("since     %s\n", answer_text(a, "since"));
	printf("waiting   %lld, and %lld of high priority\n", answer_number(a, "waiting_normal"), answer_number(a, "waiting_high"));
	if (json_object_get(a, "holder"))
		printf("holder    %s\n", answer_text(a, "holder"));
	printf("why       %s\n", answer_text(a, "why"));
	return 0;
}

/* ---- limits ---- */

static void print_operator_rate(const json_t *set)
{
	if (!set)
		return;
	printf("set       %lld a second", answer_number(set, "rate"));
	if (json_object_get(set, "tier"))
		printf(", of tier %s,", answer_text(set, "tier"));
	printf(" until %s\n", json_object_get(set, "until") ? answer_text(set, "until") : "it is reset");
}

int show_limit_show(const json_t *a)
{
	char now[32], share[32], window[32];

	format_rate(a, "rate_now", now);
	format_rate(a, "share_percent", share);
	snprintf(window, sizeof(window), "%.4g s", (double)answer_number(a, "window_ms") / 1000);
	show_names(a);
	if (json_object_get(a, "tier"))
		printf("rate      %lld a second: tier %s, %lld %% of it\n", answer_number(a, "rate"), answer_text(a, "tier"),
		       answer_number(a, "headroom_percent"));
	else
		printf("rate      %lld a second\n", answer_number(a, "rate"));
	print_operator_rate(json_object_get(a, "operator_rate"));
	if (json_object_get(a, "tenant_rate"))
		printf("tenant    %lld a second for all its accounts together\n", answer_number(a, "tenant_rate"));
	printf("now       %s a second, share %s %%\n", now, share);
	if (json_object_get(a, "ramp_rate"))
		printf("ramp      %lld a second\n", answer_number(a, "ramp_rate"));
	printf("used      %lld in this window of %s (%lld %%), %lld in the last (%lld %%)\nwhy       %s\n", answer_number(a, "used"), window,
	       answer_number(a, "used_percent"), answer_number(a, "used_last"), answer_number(a, "used_last_percent"),
	       answer_text(a, "why"));
	return 0;
}

int show_limit_set(const json_t *a)
{
	return show_limit_show(a);
}

int show_limit_reset(const json_t *a)
{
	return show_limit_show(a);
}

/* ---- the host ---- */

static int show_host(const json_t *a)
{
	printf("state     %s\nanswers   %lld good, %lld failed in the last %lld s\nsends     %lld first, %lld retries\nwhy       %s\n",
	       answer_text(a, "state"), answer_number(a, "good"), answer_number(a, "failed"), answer_number(a, "window_ms") / 1000,
	       answer_number(a, "first_sends"), answer_number(a, "retries"), answer_text(a, "why"));
	return 0;
}

int show_host_show(const json_t *a)
{
	return show_host(a);
}

int show_host_trip(const json_t *a)
{
	return show_host(a);
}

int show_host_reset(const json_t *a)
{
	return show_host(a);
}
