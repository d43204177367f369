/*
 * options - the command line of one subcommand, from a table: parser, defaults and --help come from it.
 *
 * Ownership: texts point into argv or the environment; a texts list belongs to the options struct until exit.
 */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include "base/base.h"

enum option_kind {
	OPTION_FLAG,	/* bool */
	OPTION_TEXT,	/* const char *, NULL when absent and without default */
	OPTION_COUNT,	/* int64_t >= 0 */
	OPTION_SECONDS,	/* int64_t milliseconds; "30", "30s", "250ms" */
	OPTION_TEXTS,	/* struct texts; may be given more than once */
};

struct texts { const char **at; int n; };

struct option_row {
	const char *name, *arg;		/* without dashes; NULL arg: a flag */
	enum option_kind kind;
	size_t offset;
	const char *deflt;		/* "$NAME" takes the environment's */
	const char *help;
};
#define OPTION(type, member, name, arg, kind, deflt, help) { name, arg, kind, offsetof(type, member), deflt, help }
#define AMQP_URL_DEFAULT "amqp://guest:guest@127.0.0.1:5672/%2f"

struct command {
	const char *name, *help;
	int (*run)(int argc, char **argv);
};

/* Exits: 0 after --help, EX_USAGE on misuse.  Words that are no options go to rest; rest NULL: there may be none. */
void options_parse(const char *command, const char *help, const struct option_row *rows, int n_rows, void *into,
		   struct texts *rest, int argc, char **argv);
void texts_add(struct texts *t, const char *s);
void usage_error(const char *fmt, ...) PRINTF(1, 2) NORETURN;	/* EX_USAGE */

#endif
