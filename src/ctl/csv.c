#include "ctl/csv.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 256 };

/* Quoted where it must be.  What a spreadsheet would take for a formula is text. */
static void print_text(const char *s, FILE *out)
{
	const char *lead = *s && strchr("=+@", *s) ? "'" : "";

	if (!s[strcspn(s, ",\"\r\n")]) {
		fprintf(out, "%s%s", lead, s);
		return;
	}
	fprintf(out, "\"%s", lead);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

static void print_value(const json_t *v, FILE *out)
{
	char *text;

	if (json_is_string(v)) {
		print_text(json_string_value(v), out);
	} else if (v && !json_is_null(v)) {
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
		print_text(text ? text : "", out);
		free(text);
	}
}

/* Every leaf of o by its path, members of members joined by dots. */
static void flatten(const json_t *o, const char *lead, json_t *flat)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		char path[PATH_MAX_BYTES];

		snprintf(path, sizeof(path), "%s%s%s", lead, *lead ? "." : "", key);
		if (json_is_object(v))
			flatten(v, path, flat);
		else
			json_object_set(flat, path, v);
	}
}

/* The one list of objects in it, NULL: none, or several. */
static const json_t *list_of(const json_t *answer)
{
	const json_t *found = NULL;
	const char *key;
	json_t *v;

	if (json_is_array(answer))
		return answer;
	json_object_foreach((json_t *)(uintptr_t)answer, key, v) {
		if (!json_is_array(v) || (json_array_size(v) && !json_is_object(json_array_get(v, 0))))
			continue;
		if (found)
			return NULL;
		found = v;
	}
	return found;
}

static void print_row(const json_t *row, const json_t *heads, FILE *out)
{
	const char *key;
	json_t *unused;
	bool is_first = true;

	json_object_foreach((json_t *)(uintptr_t)heads, key, unused) {
		if (!is_first)
			fputc(',', out);
		is_first = false;
		if (row)
			print_value(json_object_get(row, key), out);
		else
			print_text(key, out);
	}
	fputs("\r\n", out);
}

static void print_list(const json_t *list, FILE *out)
{
	json_t *rows = json_array(), *heads = json_object();
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		json_t *flat = json_object();

		flatten(v, "", flat);
		json_object_update_missing(heads, flat);
		json_array_append_new(rows, flat);
	}
	print_row(NULL, heads, out);
	json_array_foreach(rows, i, v)
		print_row(v, heads, out);
	json_decref(rows);
	json_decref(heads);
}

void csv_print(const json_t *answer, FILE *out)
{
	const json_t *list = list_of(answer);
	json_t *flat, *v;
	const char *key;

	if (list) {
		print_list(list, out);
		return;
	}
	flat = json_object();
	flatten(answer, "", flat);
	fputs("member,value\r\n", out);
	json_object_foreach(flat, key, v) {
		print_text(key, out);
		fputc(',', out);
		print_value(v, out);
		fputs("\r\n", out);
	}
	json_decref(flat);
}
