#include "base/failpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const names[] = {
#define POINT(ident, help) #ident,
#include "tbl/failpoints.h"
#undef POINT
};

static const char *const helps[] = {
#define POINT(ident, help) help,
#include "tbl/failpoints.h"
#undef POINT
};

const char *failpoint_name(enum failpoint p)
{
	static char lower[64];
	size_t i;

	for (i = 0; names[p][i] && i + 1 < sizeof(lower); i++)
		lower[i] = (char)(names[p][i] >= 'A' && names[p][i] <= 'Z' ? names[p][i] + 32 : names[p][i]);
	lower[i] = 0;
	return lower;
}

const char *failpoint_help(enum failpoint p)
{
	return helps[p];
}

#ifdef WAMD_FAILPOINTS
enum action { NONE, KILL, STOP, ERR, SLEEP };
static const char *const actions[] = { [NONE] = "", [KILL] = "kill", [STOP] = "stop", [ERR] = "err", [SLEEP] = "sleep" };

static struct { enum action action; int64_t at, visits; } armed[FAILPOINTS];

static int arm(char *spec)
{
	char *save = NULL;
	char *point = strtok_r(spec, ":", &save), *count = strtok_r(NULL, ":", &save), *act = strtok_r(NULL, ":", &save);

	if (!point || !count || !act)
		return -1;
	for (int p = 0; p < FAILPOINTS; p++) {
		if (strcmp(failpoint_name((enum failpoint)p), point))
			continue;
		for (int a = KILL; a <= SLEEP; a++)
			if (!strcmp(actions[a], act))
				armed[p].action = (enum action)a;
		return armed[p].action && parse_i64(count, &armed[p].at) == 0 ? 0 : -1;
	}
	return -1;
}

int failpoint_setup(const char *spec)
{
	char *copy = mem_strdup(spec), *save = NULL;
	int err = 0;

	for (char *one = strtok_r(copy, ",", &save); one && !err; one = strtok_r(NULL, ",", &save)) {
		char *own = mem_strdup(one);	/* strtok_r is nested */

		err = arm(own);
		free(own);
	}
	free(copy);
	return err;
}

bool failpoint_visit(enum failpoint p)
{
	if (armed[p].action == NONE || ++armed[p].visits != armed[p].at)
		return false;
	log_notice("failpoint", "point=%s visit=%lld action=%s", failpoint_name(p), (long long)armed[p].at,
		   actions[armed[p].action]);
	switch (armed[p].action) {
	case KILL:
		kill(getpid(), SIGKILL);
		break;
	case STOP:
		kill(getpid(), SIGSTOP);
		break;
	case SLEEP:
		usleep(100000);
		break;
	case ERR:
		return true;
	case NONE:
		break;
	}
	return false;
}
#endif
