#include "api/alert_view.h"

/* As src/lua/alert.lua writes them. */
static const char fields[ALERT_FIELDS][12] = { "s", "at", "last", "n", "text", "severity" };
enum { STATE, AT, LAST, TIMES, TEXT, SEVERITY };

const char *alert_field(int i)
{
	return fields[i];
}

/* *p up to the next `end` or its end; what does not apply is empty, and left out. */
static void put_part(json_t *o, const char *name, const char **p, const char *end)
{
	size_t len = strcspn(*p, end);
	char part[256];

	snprintf(part, sizeof(part), "%.*s", (int)len, *p);
	json_put_text(o, name, *part ? part : NULL);
	*p += len + ((*p)[len] != 0);
}

json_t *alert_view(const char *member, const struct store_reply *r)
{
	json_t *o;

	if (r->n < ALERT_FIELDS || !r->v[STATE].s || (strcmp(r->v[STATE].s, "raised") && strcmp(r->v[STATE].s, "again")))
		return NULL;
	o = json_object();
	put_part(o, "kind", &member, ":");
	json_put_text(o, "severity", r->v[SEVERITY].s);
	put_part(o, "tenant_id", &member, "/");
	put_part(o, "account_id", &member, "/");
	json_put_text(o, "what", *member ? member : NULL);
	json_put_text(o, "text", r->v[TEXT].s);
	json_put_time(o, "since", r->v[AT].i);
	json_put_time(o, "said", r->v[LAST].i);
	json_put_int(o, "count", r->v[TIMES].i);
	return o;
}
