/* wamd-load - load generator and reporter for wamd: feeds its queue, shows what came of it, measures it. */
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "load/commands.h"
#include "load/options.h"

static const struct command commands[] = {
	{ "feed",  FEED_HELP,  feed_main },
	{ "peek",  PEEK_HELP,  peek_main },
	{ "take",  TAKE_HELP,  take_main },
	{ "depth", DEPTH_HELP, depth_main },
	{ "watch", WATCH_HELP, watch_main },
	{ "bare",  BARE_HELP,  bare_main },
	{ "post",  POST_HELP,  post_main },
	{ "micro", MICRO_HELP, micro_main },
};

static int usage(FILE *out, int code)
{
	fputs("usage: wamd-load <command> [options]\n\n", out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-6s %s\n", commands[i].name, commands[i].help);
	fputs("\n\"wamd-load <command> --help\" lists the options of one.  Options: --help, --version\n", out);
	return code;
}

int main(int argc, char **argv)
{
	log_set_who("wamd-load");
	if (argc < 2)
		return usage(stderr, EX_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage(stdout, EX_OK);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return puts("wamd-load " WAMD_VERSION) == EOF ? EX_IOERR : EX_OK;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "wamd-load: unknown command \"%s\"\n", argv[1]);
	return usage(stderr, EX_USAGE);
}
