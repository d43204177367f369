#include "flow/hold.h"

#include <stdio.h>

const char *hold_scope_name(enum hold_scope s)
{
	static const char *const names[] = {
		[HOLD_TENANT] = "tenant", [HOLD_ACCOUNT] = "account", [HOLD_NUMBER] = "number", [HOLD_WABA] = "waba",
		[HOLD_TEMPLATE] = "template", [HOLD_RECIPIENT] = "recipient", [HOLD_PRIORITY] = "priority",
	};

	return names[s];
}

void hold_fields_of(const struct account *a, struct hold_fields *out)
{
	snprintf(out->of[HOLD_TENANT], sizeof(out->of[0]), "t:%s", a->tenant->id);
	snprintf(out->of[HOLD_ACCOUNT], sizeof(out->of[0]), "a:%s:%s", a->tenant->id, a->id);
	snprintf(out->of[HOLD_NUMBER], sizeof(out->of[0]), "n:%s", a->phone_number_id);
	snprintf(out->of[HOLD_WABA], sizeof(out->of[0]), "w:%s", a->waba_id);
}

void hold_template_field(const struct account *a, const char *name, const char *language, char out[HOLD_FIELD_MAX])
{
	out[0] = 0;
	if (name)
		snprintf(out, HOLD_FIELD_MAX, "p:%s:%s%s%s", a->waba_id, name, language ? "/" : "", language ? language : "");
}

void hold_recipient_field(const struct account *a, const char *who, char out[HOLD_FIELD_MAX])
{
	snprintf(out, HOLD_FIELD_MAX, "r:%s:%s", a->phone_number_id, who);
}

void limit_field(const struct account *a, char out[HOLD_FIELD_MAX])
{
	snprintf(out, HOLD_FIELD_MAX, "l:%s", a->phone_number_id);
}

static const struct { const char *word; int from, to; } classes[] = {
#define PRIORITY_CLASS(ident, word, from, to) { word, from, to },
#include "tbl/priorities.h"
#undef PRIORITY_CLASS
};

const char *hold_priority_class(int priority)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (priority >= classes[i].from && priority <= classes[i].to)
			return classes[i].word;
	BUG("priority %d", priority);
}

bool hold_priority_class_is(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (!strcmp(classes[i].word, word))
			return true;
	return false;
}

void hold_priority_field(const struct tenant *t, const char *class, char out[HOLD_FIELD_MAX])
{
	snprintf(out, HOLD_FIELD_MAX, "q:%s:%s", t->id, class);
}

int hold_field_read(const char *field, enum hold_scope *scope, char first[80], char second[HOLD_FIELD_MAX])
{
	static const char letters[] = "tanwprq";		/* in the order of the scopes */
	const char *letter = *field ? strchr(letters, *field) : NULL, *rest = field + 2;
	size_t len;

	if (!letter || field[1] != ':')
		return -1;
	*scope = (enum hold_scope)(letter - letters);
	len = strcspn(rest, ":");
	snprintf(first, 80, "%.*s", (int)len, rest);
	snprintf(second, HOLD_FIELD_MAX, "%s", rest[len] ? rest + len + 1 : "");
	return 0;
}

const char *hold_field_of(const struct hold_fields *f, const char *template, const struct answer *a)
{
	if ((a->outcome != OUTCOME_HELD && a->outcome != OUTCOME_THROTTLED) || a->reaction == REACTION_SLOW)
		return "";
	switch (a->scope) {
	case SCOPE_TEMPLATE:
		return template;
	case SCOPE_NUMBER:
		return f->of[HOLD_NUMBER];
	case SCOPE_WABA:
		return f->of[HOLD_WABA];
	case SCOPE_APP:
	case SCOPE_TENANT:
		return f->of[HOLD_ACCOUNT];
	case SCOPE_RECIPIENT:
		return "";
	case SCOPE_NONE:
	case SCOPE_MESSAGE:
		return a->outcome == OUTCOME_HELD ? f->of[HOLD_ACCOUNT] : "";
	}
	BUG("scope %d", (int)a->scope);
}

int64_t hold_first_ms(const struct conf *c, const struct answer *a)
{
	int64_t ms = a->outcome == OUTCOME_HELD ? c->hold_first : c->retry_throttle.v[0];

	return a->retry_after_ms > ms ? a->retry_after_ms : ms;
}
