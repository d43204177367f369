/* Templates: lists, one of them, what a message makes of it, and what became of those that were sent. */
#include "ctl/show.h"
#include "ctl/table.h"

#include <string.h>

int show_template_list(const json_t *a)
{
	const json_t *t;
	struct table rows;
	size_t i;

	table_init(&rows, "NAME LANGUAGE STATUS CATEGORY QUALITY");
	json_array_foreach(json_object_get(a, "templates"), i, t) {
		table_add(&rows, answer_text(t, "name"));
		table_add(&rows, answer_text(t, "language"));
		table_add(&rows, answer_text(t, "status"));
		table_add(&rows, answer_text(t, "category"));
		table_add(&rows, answer_text(t, "quality"));
	}
	table_print(&rows, stdout);
	table_release(&rows);
	if ((long long)json_array_size(json_object_get(a, "templates")) < answer_number(a, "found"))
		printf("%zu of %lld\n", json_array_size(json_object_get(a, "templates")), answer_number(a, "found"));
	return 0;
}

int show_template_search(const json_t *a)
{
	return show_template_list(a);
}

static void print_head(const json_t *a)
{
	printf("template   %s (%s), %s\nstatus     %s: %s\n", answer_text(a, "name"), answer_text(a, "language"), answer_text(a, "category"),
	       answer_text(a, "status"), answer_text(a, "meaning"));
}

static void print_text(const char *what, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	char *dump;

	if (!v)
		return;
	if (json_is_string(v)) {
		printf("%-10s %s\n", what, json_string_value(v));
		return;
	}
	dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	printf("%-10s %s\n", what, dump ? dump : "-");
	free(dump);
}

static void print_buttons(const json_t *buttons)
{
	const json_t *b;
	size_t i;
	char what[32];

	json_array_foreach(buttons, i, b) {
		const char *more = json_string_value(json_object_get(b, "url"));

		snprintf(what, sizeof(what), "button %zu", i);
		printf("%-10s %s [%s]%s%s\n", what, answer_text(b, "text"), answer_text(b, "type"), more ? " " : "", more ? more : "");
	}
}

static void print_card(const json_t *card)
{
	print_text("header", card, "header");
	print_text("body", card, "body");
	print_text("footer", card, "footer");
	print_buttons(json_object_get(card, "buttons"));
}

int show_template_show(const json_t *a)
{
	const json_t *component, *card;
	size_t i, k;

	print_head(a);
	json_array_foreach(json_object_get(json_object_get(a, "definition"), "components"), i, component) {
		const char *type = answer_text(component, "type");

		if (!strcasecmp(type, "BUTTONS")) {
			print_buttons(json_object_get(component, "buttons"));
		} else if (!strcasecmp(type, "CAROUSEL")) {
			json_array_foreach(json_object_get(component, "cards"), k, card)
				print_text("card", card, "components");
		} else {
			printf("%-10s %s%s\n", type, json_object_get(component, "format") ? answer_text(component, "format") : "",
			       json_object_get(component, "format") && json_object_get(component, "text") ? ":" : "");
			print_text("", component, "text");
		}
	}
	return 0;
}

int show_template_preview(const json_t *a)
{
	const json_t *preview = json_object_get(a, "preview"), *card;
	size_t i;

	print_head(a);
	if (!answer_flag(a, "fits"))
		printf("refused    %s: %s\n", answer_text(a, "reason"), answer_text(a, "error"));
	print_text("warning", a, "warnings");
	print_card(preview);
	json_array_foreach(json_object_get(preview, "cards"), i, card) {
		printf("-- card %zu\n", i);
		print_card(card);
	}
	return answer_flag(a, "fits") ? 0 : 1;
}

int show_template_usage(const json_t *a)
{
	const json_t *t, *n;
	const char *key;
	struct table rows;
	size_t i;

	table_init(&rows, "NAME LANGUAGE WHAT >COUNT");
	json_array_foreach(json_object_get(a, "templates"), i, t)
		json_object_foreach((json_t *)(uintptr_t)t, key, n) {
			if (!json_is_integer(n))
				continue;
			table_add(&rows, answer_text(t, "name"));
			table_add(&rows, answer_text(t, "language"));
			table_add(&rows, key);
			table_add_number(&rows, json_integer_value(n));
		}
	table_print(&rows, stdout);
	table_release(&rows);
	return 0;
}

int show_template_refresh(const json_t *a)
{
	printf("%lld templates fetched\n", answer_number(a, "fetched"));
	return 0;
}

int show_template_progress(const json_t *a)
{
	if (answer_flag(a, "busy"))
		printf("template refresh: %lld templates in %lld pages so far, for %lld s\n", answer_number(a, "templates"), answer_number(a, "pages"),
		       answer_number(a, "s"));
	else
		puts("nobody fetches them now");
	return 0;
}
