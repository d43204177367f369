#include "msg/template_inside.h"

#include <strings.h>

#include "base/str.h"

static const char blanks[] = " \t\r\n";

/* {{1}}, {{ 1 }} or {{order_no}}: digits alone are a number. */
static bool read_slot(const char *s, struct template_found *f)
{
	static const char digits[] = "0123456789";
	const char *p = s + 2 + strspn(s + 2, blanks);
	size_t n = strspn(p, "0123456789abcdefghijklmnopqrstuvwxyz_"), n_digits = strspn(p, digits);
	int number = 0;

	*f = (struct template_found){ .at = s, .name = p, .name_len = n };
	p += n;
	p += strspn(p, blanks);
	if (!n || strncmp(p, "}}", 2) != 0)
		return false;
	f->len = (size_t)(p + 2 - s);
	if (n_digits < n)
		return true;
	for (size_t i = 0; i < n && number <= TEMPLATE_PARAMETERS_MAX; i++)
		number = number * 10 + f->name[i] - '0';
	f->number = number;
	return number >= 1 && number <= TEMPLATE_PARAMETERS_MAX;
}

bool template_next_slot(const char **p, struct template_found *found)
{
	for (const char *s = strstr(*p, "{{"); s; s = strstr(s + 1, "{{"))
		if (read_slot(s, found)) {
			*p = found->at + found->len;
			return true;
		}
	return false;
}

int template_slot_number(const struct template_text *t, const char *name)
{
	for (int i = 0; i < t->n_slots; i++)
		if (!strcmp(t->slots[i].name, name))
			return t->slots[i].number;
	return -1;
}

const char *template_forbidden(const char *text)
{
	const char *p = strpbrk(text, "\t\r\n");

	if (p)
		return *p == '\t' ? "a tab" : "a line break";
	return strstr(text, "     ") ? "more than 4 blanks in a row" : NULL;
}

/* Runs of blanks that may not stay become one blank. */
static json_t *flat(const char *text)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *v;

	while (*text) {
		size_t n = strspn(text, blanks), plain;

		if (n > 4 || strcspn(text, "\t\r\n") < n)
			strbuf_addc(&sb, ' ');
		else
			strbuf_add(&sb, text, n);
		text += n;
		plain = strcspn(text, blanks);
		strbuf_add(&sb, text, plain);
		text += plain;
	}
	v = json_stringn_nocheck(sb.buf, sb.len);
	strbuf_release(&sb);
	return v;
}

static void flatten_member(json_t *object, const char *key)
{
	const char *text = json_text(object, key);

	if (text && template_forbidden(text))
		json_object_set_new_nocheck(object, key, flat(text));
}

static void flatten_components(json_t *components)
{
	for (size_t i = 0; i < json_array_size(components); i++) {
		json_t *component = json_array_get(components, i), *cards = json_object_get(component, "cards");
		json_t *parameters = json_object_get(component, "parameters");
		const char *type = json_text(component, "type");

		for (size_t k = 0; k < json_array_size(cards); k++)
			flatten_components(json_object_get(json_array_get(cards, k), "components"));
		if (!type || (strcasecmp(type, "header") != 0 && strcasecmp(type, "body") != 0))
			continue;	/* a URL or a code with a blank is no better than one with a line break */
		for (size_t k = 0; k < json_array_size(parameters); k++) {
			json_t *parameter = json_array_get(parameters, k);

			flatten_member(parameter, "text");
			flatten_member(json_object_get(parameter, "currency"), "fallback_value");
			flatten_member(json_object_get(parameter, "date_time"), "fallback_value");
		}
	}
}

void template_flatten(json_t *payload)
{
	flatten_components(json_object_get(payload, "components"));
}

size_t template_chars(const char *s)
{
	return utf8_count(s, strlen(s));
}

const char *template_shown(const char *word)
{
	size_t n = word ? strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") : 0;

	if (!word)
		return "nothing";
	return n && n <= 64 && !word[n] ? word : "something that is no name";
}

const char *template_value_shown(const json_t *parameter)
{
	static const char *const kinds[] = { "currency", "date_time" };
	const char *text = json_text(parameter, "text");

	for (size_t i = 0; !text && i < ARRAY_LEN(kinds); i++)
		text = json_text(json_object_get(parameter, kinds[i]), "fallback_value");
	return text;
}
