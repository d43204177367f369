#include "sandbox/fields.h"

#include <string.h>

static size_t name_length(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
}

/* One ".name(value)"; the place behind it, or NULL. */
static const char *parse_argument(const char *p, json_t *args)
{
	size_t n = name_length(p);
	const char *value = p + n + 1, *end;

	if (!n || p[n] != '(')
		return NULL;
	end = strchr(value, ')');
	if (!end)
		return NULL;
	json_object_setn_new(args, p, n, json_stringn(value, (size_t)(end - value)));
	return end + 1;
}

static const char *parse_field(const char *p, json_t *fields)
{
	size_t n = name_length(p);
	json_t *args = json_object();

	if (n)
		json_array_append_new(fields, json_pack("{s:s%,s:O}", "name", p, n, "args", args));
	p = n ? p + n : NULL;
	while (p && *p == '.')
		p = parse_argument(p + 1, args);
	json_decref(args);
	return p;
}

json_t *fields_parse(const char *text, struct strbuf *why)
{
	json_t *fields = json_array();
	const char *p = text;

	while (p && *p) {
		p = parse_field(p + strspn(p, " "), fields);
		if (p && *p == ',')
			p++;
		else if (p && *p)
			p = NULL;
	}
	if (p)
		return fields;
	json_decref(fields);
	why_write(why, "Syntax error in the field list \"%s\"", text);
	return NULL;
}

json_t *fields_list(const char *text)
{
	static const char between[] = " ,[]\"'";
	json_t *list = json_array();

	for (const char *p = text + strspn(text, between); *p; p += strspn(p, between)) {
		size_t n = strcspn(p, between);
		json_array_append_new(list, json_stringn(p, n));
		p += n;
	}
	return list;
}
