#include "flow/trouble.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/hold.h"
#include "flow/keys.h"

struct asked {
	struct alerts *alerts;
	const struct account *account;
	int code;
	char field[HOLD_FIELD_MAX], words[200];
	void (*done)(void *arg, bool is_stored);
	void *arg;
};

static void on_answer(void *arg, const struct store_reply *r)
{
	struct asked *q = arg;
	const struct account *a = q->account;
	struct alert_subject who = { a->tenant->id, *q->field == 'a' || *q->field == 'n' ? a->id : NULL, q->field };

	if (r && r->error)
		log_error("script_failed", "script=trouble %s", r->error);
	if (r && !r->error && r->n == 3) {
		log_notice("gate", "tenant=%s account=%s held %s %" PRId64, a->tenant->id, a->id, q->field, r->v[1].i);
		alert_raise(q->alerts, ALERT_HELD, &who, "%d: %s", q->code, q->words);
	} else if (r && !r->error && r->n == 1 && !strcmp(r->v[0].s, "released")) {
		log_notice("gate", "tenant=%s account=%s released %s", a->tenant->id, a->id, q->field);
		alert_resolve(q->alerts, ALERT_HELD, &who, "%s", q->words);
	}
	if (q->done)
		q->done(q->arg, r && !r->error);
	free(q);
}

static int ask(const struct trouble *t, const char *verb, const char *words)
{
	struct asked *q = mem_alloc(sizeof(*q));
	char holds[KEY_TEXT_MAX], code[16], first[24], most[24];
	int64_t first_ms = t->ms > 0 ? t->ms : t->conf->hold_first, most_ms = t->conf->hold_max > first_ms ? t->conf->hold_max : first_ms;
	bool sets = !strcmp(verb, "set");

	*q = (struct asked){ .alerts = t->alerts, .account = t->account, .code = t->code, .done = t->done, .arg = t->arg };
	snprintf(q->field, sizeof(q->field), "%s", t->field);
	snprintf(q->words, sizeof(q->words), "%s", words);
	key_holds(t->conf, t->account->tenant, holds);
	snprintf(code, sizeof(code), "%d", t->code);
	snprintf(first, sizeof(first), "%" PRId64, first_ms);
	snprintf(most, sizeof(most), "%" PRId64, most_ms);
	if (store_script(t->store, SCRIPT_TROUBLE, 1,
			 (struct store_arg[]){ STORE_ARG(holds), STORE_ARG(verb), STORE_ARG(t->field), STORE_ARG(code), STORE_ARG(first),
					       STORE_ARG(most), STORE_ARG(q->words) },
			 sets ? 7 : 4, on_answer, q) == 0)
		return 0;
	free(q);
	return -1;
}

int trouble_set(const struct trouble *t, const char *words)
{
	return ask(t, "set", words);
}

int trouble_over(const struct trouble *t, const char *words)
{
	return ask(t, "over", words);
}
