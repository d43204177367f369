#include "sandbox/window.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SECOND_US = 1000000, FIRST_SIZE = 64 };

void window_release(struct window *w)
{
	free(w->at);
	*w = (struct window){ 0 };
}

unsigned window_count(struct window *w, int64_t now_us)
{
	while (w->len && now_us - w->at[w->head] >= SECOND_US) {
		w->head = (w->head + 1) & (w->size - 1);
		w->len--;
	}
	return w->len;
}

static void window_enlarge(struct window *w)
{
	unsigned size = w->size ? w->size * 2 : FIRST_SIZE;
	int64_t *at = mem_array(size, sizeof(*at));

	for (unsigned i = 0; i < w->len; i++)
		at[i] = w->at[(w->head + i) & (w->size - 1)];
	free(w->at);
	w->at = at;
	w->size = size;
	w->head = 0;
}

void window_add(struct window *w, int64_t now_us)
{
	window_count(w, now_us);
	if (w->len == w->size)
		window_enlarge(w);
	w->at[(w->head + w->len) & (w->size - 1)] = now_us;
	w->len++;
	if (w->len > w->most)
		w->most = w->len;
}

bool window_allows(struct window *w, unsigned limit, int64_t now_us)
{
	return limit == 0 || window_count(w, now_us) < limit;
}
