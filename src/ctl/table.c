#include "ctl/table.h"

#include "base/mem.h"
#include "base/str.h"
#include "ctl/paint.h"

void table_init(struct table *t, const char *heads)
{
	*t = (struct table){ .n_columns = 0 };
	while (*heads) {
		size_t len = strcspn(heads, " ");
		char head[32];

		snprintf(head, sizeof(head), "%.*s", (int)len, heads);
		table_add(t, head);
		t->n_columns++;
		heads += len + (heads[len] == ' ');
	}
	if (t->n_columns > TABLE_COLUMNS_MAX)
		BUG("a table with %d columns", t->n_columns);
}

void table_add(struct table *t, const char *cell)
{
	if (t->n == t->size) {
		t->size = t->size ? 2 * t->size : 256;
		t->cells = mem_grow(t->cells, t->size, sizeof(*t->cells));
	}
	t->cells[t->n++] = mem_strdup(cell);
}

void table_add_number(struct table *t, long long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", n);
	table_add(t, text);
}

static bool is_right(const struct table *t, int column)
{
	return t->cells[column][0] == '>';
}

/* What is printed of a cell: of a head without its mark. */
static const char *shown(const struct table *t, size_t i)
{
	return t->cells[i] + (i < (size_t)t->n_columns && t->cells[i][0] == '>');
}

static size_t width(const struct table *t, size_t i)
{
	const char *s = shown(t, i);

	return utf8_count(s, strlen(s));
}

void table_print(const struct table *t, FILE *out)
{
	size_t widest[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (width(t, i) > widest[i % (size_t)t->n_columns])
			widest[i % (size_t)t->n_columns] = width(t, i);
	paint(out, PAINT_BOLD);
	for (size_t i = 0; i < t->n; i++) {
		int column = (int)(i % (size_t)t->n_columns), pad = (int)(widest[column] - width(t, i));
		bool is_last = column == t->n_columns - 1;

		if (is_right(t, column))
			fprintf(out, "%*s%s", pad, "", shown(t, i));
		else
			fprintf(out, "%s%*s", shown(t, i), is_last ? 0 : pad, "");
		if (i == (size_t)t->n_columns - 1)
			paint(out, PAINT_NONE);
		fputs(is_last ? "\n" : "  ", out);
	}
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){ .n_columns = 0 };
}
