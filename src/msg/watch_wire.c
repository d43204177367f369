#include "msg/watch_wire.h"

#include <string.h>

static const char kind[] = "watch? ";	/* then two names, which have no blanks */

void watch_ask_write(const struct watch_ask *a, struct strbuf *out)
{
	strbuf_addf(out, "%s%s %s", kind, a->tenant, a->account);
}

static bool take_name(const char *p, size_t len, char out[TENANT_NAME_MAX + 1])
{
	if (len > TENANT_NAME_MAX || memchr(p, 0, len))
		return false;
	memcpy(out, p, len);
	out[len] = 0;
	return tenant_name_is_good(out);
}

int watch_ask_read(const char *data, size_t len, struct watch_ask *out)
{
	const size_t head = sizeof(kind) - 1;
	const char *p = data + head, *end = data + len, *blank;

	if (len <= head || memcmp(data, kind, head) != 0)
		return -1;
	blank = memchr(p, ' ', (size_t)(end - p));
	if (!blank || !take_name(p, (size_t)(blank - p), out->tenant) || !take_name(blank + 1, (size_t)(end - blank - 1), out->account))
		return -1;
	return 0;
}
