#include "io/script.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "scripts_gen.h"

static const struct { const char *name, *text; size_t len; } scripts[] = {
#define SCRIPT(ident, file, help) [SCRIPT_##ident] = { #file, lua_##file, sizeof(lua_##file) - 1 },
#include "tbl/scripts.h"
#undef SCRIPT
};

/* The first line of a script that decides by settings. */
static const char wants_rules[] = "--@ rules\n";

const char *script_text(enum script which)
{
	return scripts[which].text;
}

const char *script_name(enum script which)
{
	return scripts[which].name;
}

void script_set_init(struct script_set *s, const char *rules)
{
	for (int i = 0; i < SCRIPTS; i++) {
		struct strbuf own = STRBUF_INIT;

		s->of[i].text = scripts[i].text;
		s->of[i].len = scripts[i].len;
		s->of[i].own = NULL;
		if (str_starts(scripts[i].text, wants_rules)) {
			s->of[i].text = NULL;
			if (rules) {
				strbuf_setf(&own, "%s%s", rules, scripts[i].text);
				s->of[i].text = s->of[i].own = own.buf;
				s->of[i].len = own.len;
			}
		}
		if (s->of[i].text)
			sha1_hex(s->of[i].text, s->of[i].len, s->of[i].sha);
	}
}

void script_set_release(struct script_set *s)
{
	for (int i = 0; i < SCRIPTS; i++)
		free(s->of[i].own);
}
