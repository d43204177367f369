#include "ctl/paint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_on;

void paint_setup(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	is_on = isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void paint(FILE *out, enum paint p)
{
	static const char *const codes[] = { "\033[0m", "\033[1m", "\033[32m", "\033[33m", "\033[31m", "\033[2m" };

	if (is_on)
		fputs(codes[p], out);
}
