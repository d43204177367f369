#include "base/board.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { BOARD_LAYOUT = 2 };	/* grows when struct board changes in a way that its size and words do not show */

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

/* All words that give places in a slot or the ring their meaning, in their order; numbers are those of the buckets. */
static const char *const words[] = {
#define COUNTER(ident, name, help) name,
#include "tbl/counters.h"
#undef COUNTER
#define GAUGE(ident, name, help) name,
#include "tbl/gauges.h"
#undef GAUGE
#define HISTOGRAM(ident, name, buckets, help) name, #buckets,
#include "tbl/histograms.h"
#undef HISTOGRAM
#define BUCKETS(ident, ...) #ident, #__VA_ARGS__,
#include "tbl/buckets.h"
#undef BUCKETS
#define SERIES(ident, name, kind, of, help) name, #kind, #of,
#include "tbl/history.h"
#undef SERIES
#define OUTCOME(ident, name, help) name,
#include "tbl/outcomes.h"
#undef OUTCOME
#define SCOPE(ident, name, help) name,
#include "tbl/scopes.h"
#undef SCOPE
#define REASON(ident, code, help) code,
#include "tbl/reasons.h"
#undef REASON
};

/* FNV-1a over them: a counter more, or two in another order, make it another. */
static uint32_t layout(void)
{
	uint32_t h = 2166136261u + BOARD_LAYOUT;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (const char *p = words[i]; ; p++) {
			h = (h ^ (uint8_t)*p) * 16777619u;
			if (!*p)
				break;
		}
	return h;
}

static struct board *map(int fd)
{
	void *b = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (b == MAP_FAILED)
		return NULL;
	return b;
}

struct board *board_new(int *fd)
{
	struct board *b = NULL;

	*fd = memfd_create("wamd-board", MFD_CLOEXEC);
	if (*fd >= 0 && ftruncate(*fd, sizeof(*b)) == 0)
		b = map(*fd);
	if (!b)
		fatal(EX_OSERR, "scoreboard: %s", strerror(errno));
	b->layout = layout();
	b->size = sizeof(*b);
	return b;
}

struct board *board_adopt(int fd)
{
	struct board *b;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size != sizeof(*b))
		return NULL;
	b = map(fd);
	if (b && b->layout == layout() && b->size == sizeof(*b))
		return b;
	if (b)
		munmap(b, sizeof(*b));
	return NULL;
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

void board_add_tier(struct board *b, const char *name, size_t len)
{
	for (int i = BOARD_TIER_NONE + 1; i < BOARD_TIER_OTHER && len < BOARD_TIER_LEN; i++) {
		char *at = b->tiers[i];

		if (*at && (strlen(at) != len || memcmp(at, name, len) != 0))
			continue;
		memcpy(at, name, len);
		at[len] = 0;
		return;
	}
}

int board_tier(const struct board *b, const char *name)
{
	if (!name)
		return BOARD_TIER_NONE;
	for (int i = BOARD_TIER_NONE + 1; i < BOARD_TIER_OTHER; i++)
		if (!strcmp(b->tiers[i], name))
			return i;
	return BOARD_TIER_OTHER;
}
