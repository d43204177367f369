#include "flow/hold.h"

#include <stdio.h>

const char *hold_scope_name(enum hold_scope s)
{
	static const char *const names[] = {
		[HOLD_TENANT] = "tenant", [HOLD_ACCOUNT] = "account", [HOLD_NUMBER] = "number", [HOLD_WABA] = "waba",
		[HOLD_TEMPLATE] = "template", [HOLD_RECIPIENT] = "recipient",
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

void hold_template_field(const struct account *a, const char *name, char out[HOLD_FIELD_MAX])
{
	out[0] = 0;
	if (name)
		snprintf(out, HOLD_FIELD_MAX, "p:%s:%s", a->waba_id, name);
}

void hold_recipient_field(const struct account *a, const char *who, char out[HOLD_FIELD_MAX])
{
	snprintf(out, HOLD_FIELD_MAX, "r:%s:%s", a->phone_number_id, who);
}

int hold_field_read(const char *field, enum hold_scope *scope, char first[80], char second[HOLD_FIELD_MAX])
{
	static const char letters[] = "tanwpr";		/* in the order of the scopes */
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
