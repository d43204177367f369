/* hold list: every hold of each domain, oldest first, and whose it is. */
#include "api/handlers.h"
#include "api/survey.h"
#include "base/mem.h"

/* The accounts of one domain in order of their numbers or business accounts: there may be thousands, and a hold on each. */
struct whose { const struct account **by_number, **by_waba; size_t n; };

static int by_number(const void *a, const void *b)
{
	return strcmp((*(const struct account *const *)a)->phone_number_id, (*(const struct account *const *)b)->phone_number_id);
}

static int by_waba(const void *a, const void *b)
{
	return strcmp((*(const struct account *const *)a)->waba_id, (*(const struct account *const *)b)->waba_id);
}

static void whose_init(struct whose *w, const struct survey *s, const char *domain)
{
	*w = (struct whose){ .by_number = mem_array((size_t)s->n_accounts + 1, sizeof(*w->by_number)) };
	for (int i = 0; i < s->n_accounts; i++)
		if (!strcmp(s->accounts[i]->tenant->domain, domain))
			w->by_number[w->n++] = s->accounts[i];
	w->by_waba = mem_array(w->n + 1, sizeof(*w->by_waba));
	memcpy(w->by_waba, w->by_number, w->n * sizeof(*w->by_waba));
	qsort(w->by_number, w->n, sizeof(*w->by_number), by_number);
	qsort(w->by_waba, w->n, sizeof(*w->by_waba), by_waba);
}

static void whose_release(struct whose *w)
{
	free(w->by_number);
	free(w->by_waba);
}

/* Its field says whose it is. */
static bool is_by_name(const struct gate_hold *h)
{
	return h->scope == HOLD_TENANT || h->scope == HOLD_ACCOUNT || h->scope == HOLD_PRIORITY;
}

static const struct account *find(const struct whose *w, const struct gate_hold *h)
{
	bool is_number = h->scope == HOLD_NUMBER || h->scope == HOLD_RECIPIENT;
	struct account key = { .phone_number_id = (char *)(uintptr_t)h->first, .waba_id = (char *)(uintptr_t)h->first };
	const struct account *k = &key, **found;

	if (is_by_name(h))
		return NULL;
	found = bsearch(&k, is_number ? w->by_number : w->by_waba, w->n, sizeof(k), is_number ? by_number : by_waba);
	return found ? *found : NULL;
}

static bool is_wanted(const struct survey *s, const struct gate_hold *h, const struct account *whose)
{
	if (!s->tenant)
		return true;
	return is_by_name(h) ? !strcmp(h->first, s->tenant->id) : whose != NULL;
}

struct entry { int64_t since_ms; int at; };

static int by_age(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->since_ms != y->since_ms ? x->since_ms < y->since_ms ? -1 : 1 : x->at - y->at;
}

static void take_holds(struct survey *s, const struct tenant *of_domain, const struct store_reply *r)
{
	struct entry *entries = mem_array((size_t)r->n / 2 + 1, sizeof(*entries));
	size_t n = 0;
	struct gate_hold h;
	struct whose w;

	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && r->v[i + 1].s && gate_hold_read(r->v[i].s, r->v[i + 1].s, &h) == 0 &&
		    !gate_hold_is_over(&h, survey_now_ms(s)))
			entries[n++] = (struct entry){ h.since_ms, i };
	qsort(entries, n, sizeof(*entries), by_age);
	if (n)
		whose_init(&w, s, of_domain->domain);
	for (size_t k = 0; k < n; k++) {
		const struct store_value *v = &r->v[entries[k].at];
		const struct account *whose;

		if (gate_hold_read(v[0].s, v[1].s, &h) < 0)
			continue;
		whose = find(&w, &h);
		if (is_wanted(s, &h, whose))
			survey_tell(s, gate_hold(&h, whose, survey_now_ms(s)));
	}
	if (n)
		whose_release(&w);
	free(entries);
}

void on_hold_list(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .list = "holds", .holds = true, .take_holds = take_holds };

	survey_start(a, c, &kind);
}
