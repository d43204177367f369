#include "base/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Where it is, or would be. */
static int place(const struct names *ns, const char *text, bool *found)
{
	int lo = 0, hi = ns->n;

	*found = false;
	while (lo < hi) {
		int mid = (lo + hi) / 2, cmp = strcmp(text, ns->v[mid]->text);

		if (!cmp) {
			*found = true;
			return mid;
		}
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct name *names_find(const struct names *ns, const char *text)
{
	bool found;
	int at = place(ns, text, &found);

	return found ? ns->v[at] : NULL;
}

void names_add(struct names *ns, struct name *new_one)
{
	bool found;
	int at = place(ns, new_one->text, &found);

	if (found)
		BUG("%s is there twice", new_one->text);
	ns->v = mem_grow(ns->v, (size_t)ns->n + 1, sizeof(struct name *));
	memmove(&ns->v[at + 1], &ns->v[at], (size_t)(ns->n - at) * sizeof(struct name *));
	ns->v[at] = new_one;
	ns->n++;
}

void names_remove(struct names *ns, const char *text)
{
	bool found;
	int at = place(ns, text, &found);

	if (!found)
		return;
	ns->n--;
	memmove(&ns->v[at], &ns->v[at + 1], (size_t)(ns->n - at) * sizeof(struct name *));
}

void names_sweep(struct names *ns, bool (*drop)(void *arg, struct name *one), void *arg)
{
	int n = 0;

	for (int i = 0; i < ns->n; i++) {
		struct name *one = ns->v[i];

		if (!drop(arg, one))
			ns->v[n++] = one;
	}
	ns->n = n;
}

void names_release(struct names *ns)
{
	free(ns->v);
	*ns = (struct names){ 0 };
}
