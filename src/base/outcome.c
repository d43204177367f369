#include "base/outcome.h"

#include <limits.h>

#include "base/mem.h"
#include "base/str.h"

static const char *const outcome_names[] = {
#define OUTCOME(ident, name, help) name,
#include "tbl/outcomes.h"
#undef OUTCOME
};

const char *outcome_name(enum outcome o)
{
	return outcome_names[o];
}

static const char *const scope_names[] = {
	"",
#define SCOPE(ident, name, help) name,
#include "tbl/scopes.h"
#undef SCOPE
};

const char *scope_name(enum scope s)
{
	return scope_names[s];
}

/* The others are no class of an answer with an error code. */
static const enum outcome of_errors[] = { OUTCOME_SERVER, OUTCOME_THROTTLED, OUTCOME_HELD, OUTCOME_REFUSED };

int error_class_parse(const char *text, struct error_class *out)
{
	const char *equals = strchr(text, '=');
	char *code;
	int64_t v;
	bool is_code;

	if (!equals)
		return -1;
	code = mem_strndup(text, (size_t)(equals - text));
	is_code = parse_i64(code, &v) == 0 && v >= 0 && v <= INT_MAX;
	free(code);
	for (size_t i = 0; is_code && i < ARRAY_LEN(of_errors); i++)
		if (!strcmp(equals + 1, outcome_names[of_errors[i]])) {
			*out = (struct error_class){ (int)v, of_errors[i] };
			return 0;
		}
	return -1;
}

int error_classes_add(struct error_classes *e, struct error_class one)
{
	int i = e->n;

	if (error_classes_find(e, one.code))
		return -1;
	for (; i > 0 && e->v[i - 1].code > one.code; i--)
		e->v[i] = e->v[i - 1];
	e->v[i] = one;
	e->n++;
	return 0;
}

static int by_code(const void *key, const void *element)
{
	int a = *(const int *)key, b = ((const struct error_class *)element)->code;

	return (a > b) - (a < b);
}

const struct error_class *error_classes_find(const struct error_classes *e, int code)
{
	return bsearch(&code, e->v, (size_t)e->n, sizeof(*e->v), by_code);
}
