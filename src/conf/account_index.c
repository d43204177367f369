#include "conf/account_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/tenants.h"

enum { SLOTS_LEAST = 64 };

/* FNV-1a: ids are Meta's digits, nobody chooses them to collide. */
static uint64_t hash(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h ^ (h >> 32);
}

static size_t slot(const struct account_index *x, const char *text)
{
	return (size_t)hash(text) & (x->n_slots - 1);
}

static void chain(struct account_index *x, struct account *a)
{
	struct account **number = &x->by_number[slot(x, a->phone_number_id)], **waba = &x->by_waba[slot(x, a->waba_id)];

	a->next_by_number = *number;
	*number = a;
	a->next_by_waba = *waba;
	*waba = a;
}

static void grow(struct account_index *x)
{
	struct account_index old = *x, more = { .n_slots = x->n_slots ? 2 * x->n_slots : SLOTS_LEAST, .n = x->n };

	more.by_number = mem_array(more.n_slots, sizeof(struct account *));
	more.by_waba = mem_array(more.n_slots, sizeof(struct account *));
	for (size_t i = 0; i < x->n_slots; i++)
		for (struct account *next, *a = x->by_number[i]; a; a = next) {
			next = a->next_by_number;
			chain(&more, a);
		}
	*x = more;
	account_index_release(&old);
}

void account_index_put(struct account_index *x, struct account *a)
{
	if (x->n >= x->n_slots)
		grow(x);
	chain(x, a);
	x->n++;
}

void account_index_drop(struct account_index *x, struct account *a)
{
	struct account **at = x->n_slots ? &x->by_number[slot(x, a->phone_number_id)] : NULL;

	while (at && *at && *at != a)
		at = &(*at)->next_by_number;
	if (!at || !*at)
		return;
	*at = a->next_by_number;
	at = &x->by_waba[slot(x, a->waba_id)];
	while (*at != a)
		at = &(*at)->next_by_waba;
	*at = a->next_by_waba;
	x->n--;
}

void account_index_release(struct account_index *x)
{
	free(x->by_number);
	free(x->by_waba);
	*x = (struct account_index){ 0 };
}

struct account *account_by_number(const struct account_index *x, const char *phone_number_id)
{
	struct account *a = x->n_slots ? x->by_number[slot(x, phone_number_id)] : NULL;

	while (a && strcmp(a->phone_number_id, phone_number_id) != 0)
		a = a->next_by_number;
	return a;
}

static struct account *same_waba(struct account *a, const char *waba_id)
{
	while (a && strcmp(a->waba_id, waba_id) != 0)
		a = a->next_by_waba;
	return a;
}

struct account *account_by_waba(const struct account_index *x, const char *waba_id)
{
	return x->n_slots ? same_waba(x->by_waba[slot(x, waba_id)], waba_id) : NULL;
}

struct account *account_next_of_waba(const struct account *a)
{
	return same_waba(a->next_by_waba, a->waba_id);
}
