#include "load/options.h"

#include <stdarg.h>
#include <sysexits.h>

#include "base/mem.h"
#include "base/str.h"

static const char *the_command = "";

void usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("wamd-load: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry \"wamd-load %s --help\".\n", the_command);
	exit(EX_USAGE);
}

void texts_add(struct texts *t, const char *s)
{
	t->at = mem_grow(t->at, (size_t)t->n + 1, sizeof(*t->at));
	t->at[t->n++] = s;
}

static int seconds_parse(const char *s, int64_t *ms)
{
	if (str_is_digits(s) && !parse_i64(s, ms) && *ms <= 1000000000) {
		*ms *= 1000;
		return 0;
	}
	return parse_msec(s, ms);
}

static void set_value(const struct option_row *o, void *into, const char *value)
{
	void *to = (char *)into + o->offset;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)to = true;
		return;
	case OPTION_TEXT:
		*(const char **)to = value;
		return;
	case OPTION_COUNT:
		if (parse_i64(value, to) < 0 || *(int64_t *)to < 0)
			usage_error("--%s wants a number, not \"%s\"", o->name, value);
		return;
	case OPTION_SECONDS:
		if (seconds_parse(value, to) < 0)
			usage_error("--%s wants seconds, not \"%s\"", o->name, value);
		return;
	case OPTION_TEXTS:
		texts_add(to, value);
		return;
	}
	BUG("option kind %d", (int)o->kind);
}

static void set_defaults(const struct option_row *rows, int n, void *into)
{
	for (int i = 0; i < n; i++) {
		const char *value = rows[i].deflt;

		if (value && value[0] == '$') {
			value = getenv(value + 1);
			if (!value && !strcmp(rows[i].deflt, "$AMQP_URL"))
				value = AMQP_URL_DEFAULT;
		}
		if (value)
			set_value(&rows[i], into, value);
	}
}

static void print_help(const char *help, const struct option_row *rows, int n, bool has_rest)
{
	printf("usage: wamd-load %s [options]%s\n%s\n\n", the_command, has_rest ? " [queue ...]" : "", help);
	for (int i = 0; i < n; i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s %s", rows[i].name, rows[i].arg ? rows[i].arg : "");
		printf("  %-22s %s", left, rows[i].help);
		if (rows[i].deflt)
			printf(" (%s)", rows[i].deflt);
		putchar('\n');
	}
	printf("  %-22s %s\n", "--help", "This text.");
}

static const struct option_row *find(const struct option_row *rows, int n, const char *word, const char **value)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);

	*value = equals ? equals + 1 : NULL;
	for (int i = 0; i < n; i++)
		if (strlen(rows[i].name) == len && !memcmp(rows[i].name, word, len))
			return &rows[i];
	usage_error("unknown option --%s", word);
}

void options_parse(const char *command, const char *help, const struct option_row *rows, int n_rows, void *into,
		   struct texts *rest, int argc, char **argv)
{
	the_command = command;
	set_defaults(rows, n_rows, into);
	for (int i = 1; i < argc; i++) {
		const struct option_row *o;
		const char *value;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help(help, rows, n_rows, rest != NULL);
			exit(EX_OK);
		}
		if (!str_starts(argv[i], "--")) {
			if (!rest)
				usage_error("unexpected argument \"%s\"", argv[i]);
			texts_add(rest, argv[i]);
			continue;
		}
		o = find(rows, n_rows, argv[i] + 2, &value);
		if (o->kind == OPTION_FLAG && value)
			usage_error("--%s takes no value", o->name);
		if (o->kind != OPTION_FLAG && !value && !(value = argv[++i]))
			usage_error("--%s needs a value", o->name);
		set_value(o, into, value);
	}
}
