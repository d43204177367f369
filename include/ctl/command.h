/*
 * command - wamctl's command table and the words of one call, parsed.
 *
 * Commands of tbl/ctl_commands.h go to the daemon, those of tbl/ctl_local.h are done here.  Values are the caller's words, not copies.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdio.h>

#include "ctl/answer.h"

enum { CTL_PARAMS_MAX = 40 };
enum ctl_format { CTL_TEXT, CTL_JSON, CTL_CSV };

struct ctl_options { const char *socket; enum ctl_format format; bool is_quiet; };

struct ctl_params {
	struct { char name[32]; const char *value; } v[CTL_PARAMS_MAX];	/* value: "" of an option that was given without one */
	int n;
	const char *file;		/* of the body, NULL: none; "-": standard input */
	char file_option[32];		/* that named it: "message-file"; "": an argument */
	bool wants_help;
};

struct ctl_command {
	const char *words, *arguments, *options, *method, *path, *help;
	int (*show)(const json_t *answer);	/* NULL: run */
	int (*run)(const struct ctl_options *o, const struct ctl_params *p);
};

extern const struct ctl_command ctl_commands[];
extern const int n_ctl_commands;

/* The command that words[0..n) begin with; *took: how many of them are its own.  NULL: none. */
const struct ctl_command *ctl_command_find(int n, char **words, int *took);

/* The rest of the words.  -1: an argument is missing, too many, or no such option. */
int ctl_params_read(const struct ctl_command *c, int n, char **words, struct ctl_params *p) MUST_CHECK;
const char *ctl_param(const struct ctl_params *p, const char *name);	/* NULL: not given */
const char *ctl_param_at(const struct ctl_params *p, const char *name, int i);	/* the i-th of that name; NULL: no more */
int ctl_param_add(struct ctl_params *p, const char *name, size_t len, const char *value) MUST_CHECK;

void ctl_command_usage(const struct ctl_command *c, FILE *out);
void ctl_list(FILE *out, const char *group);	/* the commands whose first word that is; NULL: all */

int run_send(const struct ctl_options *o, const struct ctl_params *p);	/* of ctl_commands.h, but with more than one call */

#define LOCAL(ident, ...) int run_##ident(const struct ctl_options *o, const struct ctl_params *p);
#include "tbl/ctl_local.h"
#undef LOCAL

#endif
