#include "base/board.h"

#include <errno.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

enum { BOARD_LAYOUT = 1 };

static const char *const counters[] = {
#define COUNTER(ident, name, help) name,
#include "tbl/counters.h"
#undef COUNTER
};

static const char *const gauges[] = {
#define GAUGE(ident, name, help) name,
#include "tbl/gauges.h"
#undef GAUGE
};

const char *counter_name(enum counter c)
{
	return counters[c];
}

const char *gauge_name(enum gauge g)
{
	return gauges[g];
}

struct board *board_new(void)
{
	int fd = memfd_create("wamd-board", MFD_CLOEXEC);
	struct board *b;

	if (fd < 0 || ftruncate(fd, sizeof(*b)) < 0)
		fatal(EX_OSERR, "scoreboard: %s", strerror(errno));
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (b == MAP_FAILED)
		fatal(EX_OSERR, "scoreboard: %s", strerror(errno));
	close(fd);
	b->layout = BOARD_LAYOUT;
	b->size = sizeof(*b);
	return b;
}

struct board_slot *board_take(struct board *b, const char *role, int number)
{
	struct board_slot *any = NULL;

	for (int i = 0; i < BOARD_SLOTS; i++) {
		struct board_slot *s = &b->slots[i];

		if (s->pid)
			continue;
		if (!strcmp(s->role, role) && s->number == number)
			return s;
		if (!any && !*s->role)
			any = s;
	}
	if (!any)
		BUG("scoreboard is full");
	snprintf(any->role, sizeof(any->role), "%s", role);
	any->number = number;
	return any;
}
