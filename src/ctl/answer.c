#include "ctl/answer.h"

const char *answer_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

long long answer_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

void answer_age(long long s, char out[32])
{
	if (s < 120)
		snprintf(out, 32, "%llds", (long long)s);
	else if (s < 7200)
		snprintf(out, 32, "%lldm", (long long)s / 60);
	else if (s < 172800)
		snprintf(out, 32, "%lldh", (long long)s / 3600);
	else
		snprintf(out, 32, "%lldd", (long long)s / 86400);
}

bool answer_flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}
