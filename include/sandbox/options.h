/*
 * options - the command line.  One line of tbl_options.h is one option: parser, --help and manual page follow it.
 *
 * Ownership: the strings are argv's; faults is freed by options_release().
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include "base/log.h"

struct options {
	char host[64];
	int port;
	const char *tls_dir, *accounts, *tenant_token, *state_token;
	bool plain, keep_bodies, pair;
	int64_t rate, streams;
	int64_t management_rate;	/* calls an hour for each business account; 0: no limit */
	int64_t token_life_s;		/* of tokens got by exchange */
	int64_t delay_min_ms, delay_max_ms;
	enum log_level log_level;
	const char **faults;
	int n_faults;
};

struct options options_parse(int argc, char **argv);	/* exits on misuse, --help and --version */
void options_release(struct options *o);

#endif
