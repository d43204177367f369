#include "msg/hop.h"

#include "base/str.h"

enum { COUNT_MAX = 1000000000 };
static const int64_t first_seen_max = 253402300799999;	/* the end of the year 9999 */

static const char *const kinds[] = {
	[HOP_NONE] = "none", [HOP_LANE] = "lane", [HOP_RETRY] = "retry", [HOP_BUSY] = "busy", [HOP_UNKNOWN] = "unknown",
};

const char *hop_kind_name(enum hop_kind k)
{
	return kinds[k];
}

/* The value of the next field, if it starts with name ("k="); *rest moves on behind it. */
static const char *take_text(char **rest, const char *name)
{
	const char *field = strsep(rest, " ");

	return field && str_starts(field, name) ? field + strlen(name) : NULL;
}

static int take_number(char **rest, const char *name, int64_t max, int64_t *out)
{
	const char *value = take_text(rest, name);

	return value && parse_i64(value, out) == 0 && *out >= 0 && *out <= max ? 0 : -1;
}

/* A later version may spell what follows its number as it likes. */
static bool is_newer(const char *text)
{
	return str_starts(text, "v=") && strtoll(text + 2, NULL, 10) > 1;
}

/* Anybody may write this header: the bounds keep sums with its numbers in range. */
enum hop_verdict hop_parse(struct hop *h, const char *text, size_t len)
{
	char copy[HOP_TEXT_MAX], *rest = copy;
	const char *kind;
	int64_t version, attempt, hops, gave_back;

	*h = (struct hop){ 0 };
	if (len >= sizeof(copy))
		return HOP_GARBAGE;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (is_newer(copy))
		return HOP_NEWER;
	if (strlen(copy) != len || take_number(&rest, "v=", 1, &version) < 0)
		return HOP_GARBAGE;
	kind = take_text(&rest, "k=");
	if (!kind || take_number(&rest, "n=", 255, &attempt) < 0 || take_number(&rest, "t=", first_seen_max, &h->first_seen_ms) < 0 ||
	    take_number(&rest, "h=", COUNT_MAX, &hops) < 0 || take_number(&rest, "b=", COUNT_MAX, &gave_back) < 0 || rest)
		return HOP_GARBAGE;
	h->attempt = (int)attempt;
	h->hops = (int)hops;
	h->gave_back = (int)gave_back;
	for (int k = HOP_LANE; k < HOP_KINDS; k++) {
		if (strcmp(kinds[k], kind))
			continue;
		h->kind = (enum hop_kind)k;
		return HOP_READ;
	}
	return HOP_GARBAGE;
}

void hop_format(const struct hop *h, char out[HOP_TEXT_MAX])
{
	snprintf(out, HOP_TEXT_MAX, "v=1 k=%s n=%d t=%lld h=%d b=%d", kinds[h->kind], h->attempt, (long long)h->first_seen_ms,
		 h->hops, h->gave_back);
}
