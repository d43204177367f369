#include "msg/hop.h"

enum { COUNT_MAX = 1000000000 };
static const int64_t first_seen_max = 253402300799999;	/* the end of the year 9999 */

static const char *const kinds[] = {
	[HOP_NONE] = "none", [HOP_LANE] = "lane", [HOP_RETRY] = "retry", [HOP_BUSY] = "busy", [HOP_UNKNOWN] = "unknown",
};

const char *hop_kind_name(enum hop_kind k)
{
	return kinds[k];
}

enum hop_verdict hop_parse(struct hop *h, const char *text, size_t len)
{
	char copy[HOP_TEXT_MAX], kind[16];
	long long first;
	int version, end = 0;

	*h = (struct hop){ 0 };
	if (len >= sizeof(copy))
		return HOP_GARBAGE;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (sscanf(copy, "v=%d", &version) != 1 || version < 0)
		return HOP_GARBAGE;
	if (version > 1)
		return HOP_NEWER;
	if (sscanf(copy, "v=%*d k=%15s n=%d t=%lld h=%d b=%d%n", kind, &h->attempt, &first, &h->hops, &h->gave_back, &end) != 5 ||
	    (size_t)end != len)
		return HOP_GARBAGE;
	/* Anybody may write this header: these bounds keep sums with them in range. */
	if (h->attempt < 0 || h->attempt > 255 || first < 0 || first > first_seen_max || h->hops < 0 || h->hops > COUNT_MAX ||
	    h->gave_back < 0 || h->gave_back > COUNT_MAX)
		return HOP_GARBAGE;
	h->first_seen_ms = first;
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
