/* What Graph says of accounts. */
#include "ctl/show.h"
#include "base/strbuf.h"
#include "ctl/table.h"

/* A text, yes or no, or "-". */
static const char *value(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_boolean(v) ? json_is_true(v) ? "yes" : "no" : answer_text(o, key);
}

static void print_rows(const json_t *a, const char *const (*rows)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (json_object_get(a, rows[i][0]))
			printf("%-14s %s\n", rows[i][1], value(a, rows[i][0]));
}

static void print_health(const json_t *health)
{
	const json_t *e;
	size_t i;

	if (!health)
		return;
	printf("%-14s %s\n", "may send", answer_text(health, "can_send"));
	json_array_foreach(json_object_get(health, "entities"), i, e) {
		printf("  %-12s %s", answer_text(e, "entity"), answer_text(e, "state"));
		if (answer_number(e, "code"))
			printf(" %lld", answer_number(e, "code"));
		if (json_object_get(e, "description"))
			printf(": %s", answer_text(e, "description"));
		putchar('\n');
		if (json_object_get(e, "what_to_do"))
			printf("  %-12s -> %s\n", "", answer_text(e, "what_to_do"));
	}
}

static void print_number(const json_t *a)
{
	static const char *const rows[][2] = {
		{ "display_phone_number", "shown as" }, { "verified_name", "name" }, { "name_status", "name review" },
		{ "new_name_status", "new name" }, { "status", "status" }, { "quality", "quality" }, { "throughput", "throughput" },
		{ "messaging_limit", "limit" }, { "verification", "verification" }, { "account_mode", "mode" }, { "platform", "platform" },
		{ "is_official", "official" }, { "has_pin", "PIN" }, { "onboarded_at", "onboarded" },
	};

	printf("%-14s %s of tenant %s, number %s\n", "account", answer_text(a, "account_id"), answer_text(a, "tenant_id"),
	       answer_text(a, "phone_number_id"));
	print_rows(a, rows, ARRAY_LEN(rows));
	print_health(json_object_get(a, "health"));
}

int show_account_phone(const json_t *a)
{
	print_number(a);
	return 0;
}

static void print_fields(const char *what, const json_t *fields)
{
	const json_t *f;
	size_t i;

	json_array_foreach(fields, i, f)
		printf("%-14s %s\n", what, json_string_value(f));
}

int show_account_health(const json_t *a)
{
	const json_t *change;
	size_t i;

	print_number(a);
	printf("%-14s %lld a second\n", "rate", answer_number(a, "rate"));
	json_array_foreach(json_object_get(a, "changes"), i, change)
		printf("%-14s %s: %s -> %s\n", "changed", answer_text(change, "fact"), answer_text(change, "from"), answer_text(change, "to"));
	print_fields("held", json_object_get(a, "held"));
	print_fields("released", json_object_get(a, "released"));
	return 0;
}

int show_account_waba(const json_t *a)
{
	static const char *const rows[][2] = {
		{ "name", "name" }, { "status", "status" }, { "review", "review" }, { "business_verification", "verification" },
		{ "messaging_limit", "limit" }, { "country", "country" }, { "currency", "currency" }, { "has_insights", "insights" },
		{ "marketing_messages", "marketing" }, { "template_namespace", "namespace" },
	};
	const json_t *n;
	struct table t;
	size_t i;

	printf("%-14s %s\n", "waba", answer_text(a, "waba_id"));
	print_rows(a, rows, ARRAY_LEN(rows));
	print_health(json_object_get(a, "health"));
	table_init(&t, "NUMBER SHOWN QUALITY STATUS THROUGHPUT LIMIT NAME");
	json_array_foreach(json_object_get(a, "numbers"), i, n) {
		table_add(&t, answer_text(n, "phone_number_id"));
		table_add(&t, answer_text(n, "display_phone_number"));
		table_add(&t, answer_text(n, "quality"));
		table_add(&t, answer_text(n, "status"));
		table_add(&t, answer_text(n, "throughput"));
		table_add(&t, answer_text(n, "messaging_limit"));
		table_add(&t, answer_text(n, "verified_name"));
	}
	putchar('\n');
	table_print(&t, stdout);
	table_release(&t);
	if (answer_flag(a, "is_cut"))
		puts("there are more");
	return 0;
}

static int show_profile(const json_t *a)
{
	static const char *const rows[][2] = {
		{ "about", "about" }, { "description", "description" }, { "address", "address" }, { "email", "email" },
		{ "vertical", "vertical" }, { "picture_url", "picture" },
	};

	printf("%-14s %s of tenant %s\n", "account", answer_text(a, "account_id"), answer_text(a, "tenant_id"));
	print_rows(a, rows, ARRAY_LEN(rows));
	print_fields("website", json_object_get(a, "websites"));
	return 0;
}

int show_account_profile(const json_t *a)
{
	return show_profile(a);
}

int show_account_profile_set(const json_t *a)
{
	return show_profile(a);
}

static int show_subscription(const json_t *a)
{
	const json_t *app;
	struct table t;
	size_t i;

	if (json_object_get(a, "is_subscribed"))
		printf("the account's app gets %s\n", answer_flag(a, "is_subscribed") ? "the webhooks" : "NO webhooks");
	if (!json_array_size(json_object_get(a, "apps"))) {
		puts("no app is subscribed");
		return 0;
	}
	table_init(&t, "APP NAME CALLBACK");
	json_array_foreach(json_object_get(a, "apps"), i, app) {
		table_add(&t, answer_text(app, "app_id"));
		table_add(&t, answer_text(app, "name"));
		table_add(&t, answer_text(app, "callback"));
	}
	table_print(&t, stdout);
	table_release(&t);
	return 0;
}

int show_account_subscription(const json_t *a)
{
	return show_subscription(a);
}

int show_account_subscribe(const json_t *a)
{
	return show_subscription(a);
}

static void add_cell(struct table *t, const json_t *v)
{
	char text[32];

	if (json_is_real(v)) {
		snprintf(text, sizeof(text), "%.12g", json_real_value(v));
		table_add(t, text);
	} else if (json_is_integer(v)) {
		table_add_number(t, json_integer_value(v));
	} else {
		table_add(t, json_is_string(v) ? json_string_value(v) : "-");
	}
}

static void add_heads(struct strbuf *heads, const json_t *columns, const json_t *first)
{
	for (size_t i = 0; i < json_array_size(columns) && i < TABLE_COLUMNS_MAX; i++) {
		const char *name = json_string_value(json_array_get(columns, i));

		strbuf_addf(heads, "%s%s", i ? " " : "", json_is_number(json_object_get(first, name)) ? ">" : "");
		for (; *name; name++)
			strbuf_addc(heads, (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name));
	}
}

int show_account_analytics(const json_t *a)
{
	const json_t *columns = json_object_get(a, "columns"), *rows = json_object_get(a, "rows"), *row;
	struct strbuf heads = STRBUF_INIT;
	struct table t;
	size_t i;

	printf("%s from %s to %s\n", answer_text(a, "kind"), answer_text(a, "from"), answer_text(a, "to"));
	if (!json_array_size(rows)) {
		puts("no figures");
		return 0;
	}
	add_heads(&heads, columns, json_array_get(rows, 0));
	table_init(&t, heads.buf);
	json_array_foreach(rows, i, row)
		for (size_t j = 0; j < (size_t)t.n_columns; j++)
			add_cell(&t, json_object_get(row, json_string_value(json_array_get(columns, j))));
	table_print(&t, stdout);
	table_release(&t);
	strbuf_release(&heads);
	if (answer_flag(a, "is_cut"))
		puts("there are more");
	return 0;
}
