#include "flow/template_fit.h"

#include <string.h>

/* The same in another language than the message's own. */
static json_t *in_language(const json_t *payload, const char *language)
{
	json_t *o = json_object(), *copy = json_copy((json_t *)(uintptr_t)payload);

	json_put_text(o, "code", language);
	json_object_set_new_nocheck(copy, "language", o);
	return copy;
}

enum reason template_fit(const struct conf *c, const struct template_def *def, const json_t *payload, const char *language, json_t **out,
			 struct strbuf *why, struct strbuf *warnings)
{
	struct template_rules rules = { .flatten = !strcmp(c->template_characters, "flatten") };
	const char *own = template_language_of(payload);
	json_t *other = own && strcmp(own, language) != 0 ? in_language(payload, language) : NULL;
	enum reason r = template_make(def, other ? other : payload, &rules, out, why, warnings);

	/* It waits behind the hold that its status has set; where there is none, Graph says what holds. */
	if ((r == REASON_TEMPLATE_PAUSED || r == REASON_TEMPLATE_DISABLED) && !strcmp(c->template_paused, "wait"))
		r = REASON_NONE;
	if (r == REASON_NONE && !*out)
		*out = json_incref(other);
	json_decref(other);
	return r;
}
