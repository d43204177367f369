#include "io/http_headers.h"

#include "base/mem.h"

struct http_headers *http_headers_new(const char *const *lines, int n)
{
	struct http_headers *h = mem_alloc(sizeof(*h));

	if (n + 2 > HTTP_HEADERS_MAX)
		BUG("%d header lines", n);
	h->refs = 1;
	h->lines[h->n++] = mem_strdup("Expect:");
	h->lines[h->n++] = mem_strdup("User-Agent: wamd/" WAMD_VERSION);
	for (int i = 0; i < n; i++)
		h->lines[h->n++] = mem_strdup(lines[i]);
	return h;
}

struct http_headers *http_headers_ref(struct http_headers *h)
{
	h->refs++;
	return h;
}

void http_headers_unref(struct http_headers **hp)
{
	struct http_headers *h = *hp;

	*hp = NULL;
	if (!h || --h->refs > 0)
		return;
	for (int i = 0; i < h->n; i++)
		mem_free_secret(h->lines[i]);
	free(h);
}
