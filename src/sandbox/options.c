#include "sandbox/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/mem.h"
#include "base/str.h"

#ifndef WAMD_VERSION
#define WAMD_VERSION "unknown"
#endif

enum { STREAMS_MAX = 100000, RATE_MAX = 1000000, DELAY_MAX_MS = 3600000 };

static const struct { const char *name, *argument, *help; } table[] = {
#define OPTION(name, argument, help) { name, argument, help },
#include "sandbox/tbl_options.h"
#undef OPTION
};

static NORETURN void misuse(const char *option, const char *value, const char *want)
{
	fprintf(stderr, "wamd-sandbox: --%s %s: %s\nTry 'wamd-sandbox --help'.\n", option, value ? value : "", want);
	exit(EX_USAGE);
}

static NORETURN void print_help(void)
{
	printf("usage: wamd-sandbox --accounts FILE --tls-dir DIR [options]\n"
	       "A stand-in for Meta's Graph API, for sending WhatsApp messages in tests.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char left[64];
		snprintf(left, sizeof(left), "--%s %s", table[i].name, table[i].argument ? table[i].argument : "");
		printf("  %-22s %s\n", left, table[i].help);
	}
	printf("\nControl: GET /_sandbox/ledger[?since=SEQ], GET /_sandbox/stats, POST /_sandbox/reset, POST /_sandbox/rate,\n"
	       "GET, POST, DELETE /_sandbox/faults; GET, POST, PATCH, DELETE /_sandbox/templates; GET, POST, DELETE /_sandbox/media;\n"
	       "POST /_sandbox/tokens, /_sandbox/nodes, /_sandbox/limit; GET /_sandbox/tenants/calls; PUT, PATCH, DELETE /_sandbox/tenants/ID;\n"
	       "GET, DELETE /_sandbox/states.\n"
	       "Exit status: 0 stopped by TERM or INT; otherwise as sysexits.h.  More in wamd-sandbox(1).\n");
	exit(EX_OK);
}

static void parse_listen(struct options *o, const char *value)
{
	const char *colon = strrchr(value, ':');
	int64_t port;

	if (!colon || colon == value || (size_t)(colon - value) >= sizeof(o->host) || parse_i64(colon + 1, &port) < 0 || port < 0 ||
	    port > 65535)
		misuse("listen", value, "is not HOST:PORT");
	memcpy(o->host, value, (size_t)(colon - value));
	o->host[colon - value] = 0;
	o->port = (int)port;
}

static int64_t parse_number(const char *option, const char *value, int64_t min, int64_t max)
{
	int64_t n;

	if (parse_i64(value, &n) < 0 || n < min || n > max)
		misuse(option, value, "is not a number that makes sense here");
	return n;
}

static void parse_delay(struct options *o, const char *value)
{
	const char *dash = strchr(value, '-');
	char *low = mem_strndup(value, dash ? (size_t)(dash - value) : strlen(value));

	o->delay_min_ms = parse_number("delay", low, 0, DELAY_MAX_MS);
	o->delay_max_ms = dash ? parse_number("delay", dash + 1, o->delay_min_ms, DELAY_MAX_MS) : o->delay_min_ms;
	free(low);
}

static void parse_one(struct options *o, const char *name, const char *value)
{
	if (!strcmp(name, "listen"))
		parse_listen(o, value);
	else if (!strcmp(name, "tls-dir"))
		o->tls_dir = value;
	else if (!strcmp(name, "plain"))
		o->plain = true;
	else if (!strcmp(name, "accounts"))
		o->accounts = value;
	else if (!strcmp(name, "tenant-token"))
		o->tenant_token = value;
	else if (!strcmp(name, "state-token"))
		o->state_token = value;
	else if (!strcmp(name, "rate"))
		o->rate = parse_number(name, value, 0, RATE_MAX);
	else if (!strcmp(name, "management-rate"))
		o->management_rate = parse_number(name, value, 0, RATE_MAX);
	else if (!strcmp(name, "token-life"))
		o->token_life_s = parse_number(name, value, 1, INT32_MAX);
	else if (!strcmp(name, "pair")) {
		if (strcmp(value, "on") && strcmp(value, "off"))
			misuse(name, value, "is neither on nor off");
		o->pair = strcmp(value, "on") == 0;
	} else if (!strcmp(name, "delay"))
		parse_delay(o, value);
	else if (!strcmp(name, "streams"))
		o->streams = parse_number(name, value, 1, STREAMS_MAX);
	else if (!strcmp(name, "keep-bodies"))
		o->keep_bodies = true;
	else if (!strcmp(name, "fault")) {
		o->faults = mem_grow(o->faults, (size_t)o->n_faults + 1, sizeof(*o->faults));
		o->faults[o->n_faults++] = value;
	} else if (!strcmp(name, "log-level")) {
		if (log_level_parse(value, &o->log_level) < 0)
			misuse(name, value, "is not a log level");
	} else if (!strcmp(name, "version")) {
		printf("wamd-sandbox %s\n", WAMD_VERSION);
		exit(EX_OK);
	} else if (!strcmp(name, "help")) {
		print_help();
	} else {
		BUG("option %s has no reader", name);
	}
}

struct options options_parse(int argc, char **argv)
{
	struct options o = { .host = "127.0.0.1", .rate = 80, .pair = true, .streams = 100, .token_life_s = 5184000, .log_level = LOG_LEVEL_INFO };
	struct option longs[ARRAY_LEN(table) + 1] = { 0 };
	int index, c;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		longs[i] = (struct option){ table[i].name, table[i].argument ? required_argument : no_argument, NULL, 1 };
	while ((c = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if (c != 1) {
			fprintf(stderr, "Try 'wamd-sandbox --help'.\n");
			exit(EX_USAGE);
		}
		parse_one(&o, table[index].name, optarg);
	}
	if (optind < argc)
		misuse("", argv[optind], "unexpected argument");
	if (!o.accounts)
		misuse("accounts", NULL, "is missing");
	if (!o.tls_dir && !o.plain)
		misuse("tls-dir", NULL, "is missing (or --plain)");
	return o;
}

void options_release(struct options *o)
{
	free(o->faults);
	o->faults = NULL;
}
