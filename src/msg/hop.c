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

static int take_again(char **rest, struct hop *h)
{
	int64_t again;

	if (take_number(rest, "r=", 1, &again) < 0 || *rest)
		return -1;
	h->again = again;
	return 0;
}

/* The last fields, which copies of builds before them do not have. */
static int take_origin(char **rest, struct hop *h)
{
	const char *value;
	size_t len;

	if (!*rest)
		return 0;
	if (str_starts(*rest, "r="))
		return take_again(rest, h);
	value = take_text(rest, "c=");
	len = value ? strspn(value, "0123456789abcdef") : 0;
	if (!len || len > 8 || value[len] || take_number(rest, "p=", first_seen_max, &h->published_ms) < 0)
		return -1;
	h->nonce = (uint32_t)strtoul(value, NULL, 16);
	return *rest ? take_again(rest, h) : 0;
}

/* A later version may spell what follows its number as it likes. */
static bool is_newer(const char *text)
{
	return str_starts(text, "v=") && strtoll(text + 2, NULL, 10) > 1;
}

/* The version, in a copy that can be cut into its fields. */
static enum hop_verdict begin(char copy[HOP_TEXT_MAX], char **rest, const char *text, size_t len)
{
	int64_t version;

	if (len >= HOP_TEXT_MAX)
		return HOP_GARBAGE;
	memcpy(copy, text, len);
	copy[len] = 0;
	*rest = copy;
	if (is_newer(copy))
		return HOP_NEWER;
	return strlen(copy) != len || take_number(rest, "v=", 1, &version) < 0 ? HOP_GARBAGE : HOP_READ;
}

/* Anybody may write these headers: the bounds keep sums with their numbers in range. */
enum hop_verdict hop_parse(struct hop *h, const char *text, size_t len)
{
	char copy[HOP_TEXT_MAX], *rest;
	enum hop_verdict verdict = begin(copy, &rest, text, len);
	const char *kind;
	int64_t attempt, first_seen, hops, gave_back;
	struct hop origin = { 0 };

	*h = (struct hop){ 0 };
	if (verdict != HOP_READ)
		return verdict;
	kind = take_text(&rest, "k=");
	if (!kind || take_number(&rest, "n=", 255, &attempt) < 0 || take_number(&rest, "t=", first_seen_max, &first_seen) < 0 ||
	    take_number(&rest, "h=", COUNT_MAX, &hops) < 0 || take_number(&rest, "b=", COUNT_MAX, &gave_back) < 0 || take_origin(&rest, &origin) < 0)
		return HOP_GARBAGE;
	for (int k = HOP_LANE; k < HOP_KINDS; k++) {
		if (strcmp(kinds[k], kind))
			continue;
		*h = (struct hop){ (enum hop_kind)k, (int)attempt, first_seen, (int)hops, (int)gave_back, origin.nonce, origin.published_ms, origin.again };
		return HOP_READ;
	}
	return HOP_GARBAGE;
}

void hop_format(const struct hop *h, char out[HOP_TEXT_MAX])
{
	char origin[40] = "";

	if (h->nonce)
		snprintf(origin, sizeof(origin), " c=%x p=%lld", h->nonce, (long long)h->published_ms);
	snprintf(out, HOP_TEXT_MAX, "v=1 k=%s n=%d t=%lld h=%d b=%d%s%s", kinds[h->kind], h->attempt, (long long)h->first_seen_ms,
		 h->hops, h->gave_back, origin, h->again ? " r=1" : "");
}

enum hop_verdict replay_parse(struct replay *r, const char *text, size_t len)
{
	char copy[HOP_TEXT_MAX], *rest;
	enum hop_verdict verdict = begin(copy, &rest, text, len);
	int64_t died, attempts, may_duplicate;

	*r = (struct replay){ 0 };
	if (verdict != HOP_READ)
		return verdict;
	if (take_number(&rest, "t=", first_seen_max, &died) < 0 || take_number(&rest, "n=", 255, &attempts) < 0 ||
	    take_number(&rest, "d=", 1, &may_duplicate) < 0 || rest || !died)
		return HOP_GARBAGE;
	*r = (struct replay){ .died_ms = died, .attempts = (int)attempts, .may_duplicate = may_duplicate };
	return HOP_READ;
}

void replay_format(const struct replay *r, char out[HOP_TEXT_MAX])
{
	snprintf(out, HOP_TEXT_MAX, "v=1 t=%lld n=%d d=%d", (long long)r->died_ms, r->attempts, r->may_duplicate);
}
