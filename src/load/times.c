#include "load/times.h"

#include "base/mem.h"

void times_add(struct times *t, int64_t us)
{
	if (t->n == t->size) {
		t->size = t->size ? t->size * 2 : 1024;
		t->at = mem_grow(t->at, t->size, sizeof(*t->at));
	}
	t->at[t->n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

void times_release(struct times *t)
{
	free(t->at);
	*t = (struct times){ 0 };
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static json_t *ms_at(const struct times *t, size_t percent)
{
	size_t i = t->n ? (t->n - 1) * percent / 100 : 0;

	return json_real(t->n ? t->at[i] / 1000.0 : 0);
}

json_t *times_json(struct times *t)
{
	if (t->n)
		qsort(t->at, t->n, sizeof(*t->at), compare);
	return json_pack("{s:o, s:o, s:o, s:o}", "p50", ms_at(t, 50), "p95", ms_at(t, 95), "p99", ms_at(t, 99), "max",
		ms_at(t, 100));
}
