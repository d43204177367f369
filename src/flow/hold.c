#include "flow/hold.h"

#include <stdio.h>

const char *hold_scope_name(enum hold_scope s)
{
	static const char *const names[] = {
		[HOLD_TENANT] = "tenant", [HOLD_ACCOUNT] = "account", [HOLD_NUMBER] = "number", [HOLD_WABA] = "waba",
		[HOLD_TEMPLATE] = "template",
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
