/* content_inside - what src/msg/content*.c know of each other. */
#ifndef MSG_CONTENT_INSIDE_H
#define MSG_CONTENT_INSIDE_H

#include "msg/content.h"

/* WORD: one of the words, in any case.  NOTHING: must not be there. */
enum content_kind { KIND_TEXT, KIND_FLAG, KIND_WHOLE, KIND_DEGREES, KIND_ID, KIND_LINK, KIND_REFERENCE, KIND_DATE, KIND_NAME, KIND_LANGUAGE,
		    KIND_NOTHING, KIND_WORD, KIND_OBJECT, KIND_LIST };
enum content_need { NEED_MAY, NEED_MUST, NEED_NEVER };

enum content_object {
#define OBJECT(ident, rule) CONTENT_##ident,
#define MEMBER(...)
#define WORD(...)
#define PART(...)
#define END
#include "tbl/content_actions.h"
#include "tbl/content_plain.h"
#undef OBJECT
#undef MEMBER
#undef WORD
#undef PART
#undef END
	CONTENT_OBJECTS
};

/* Where in the message: printed as interactive.action.buttons[0].reply. */
struct content_path { const struct content_path *up; const char *name; size_t index; };

/* Both 0, or -1 with the reason in why; member: below `at`, or NULL: `at` itself. */
int content_object_check(enum content_object which, const json_t *v, const struct content_path *at, struct strbuf *why) MUST_CHECK;
int content_refuse(struct strbuf *why, const struct content_path *at, const char *member, const char *fmt, ...) PRINTF(4, 5) MUST_CHECK;

/* Sees an object whose members are fine by themselves. */
typedef int content_rule_f(const json_t *o, const struct content_path *at, struct strbuf *why);
#define OBJECT(ident, rule) content_rule_f content_rule_##rule;
#define MEMBER(...)
#define WORD(...)
#define PART(...)
#define END
#include "tbl/content_actions.h"
#include "tbl/content_plain.h"
#undef OBJECT
#undef MEMBER
#undef WORD
#undef PART
#undef END

bool content_has(const json_t *o, const char *member);		/* there, and not null */
bool content_word_is(const json_t *v, const char *words);	/* one of "a|b|c", in any case */

/* Calls f for each object where a file may stand; stops at the first -1. */
typedef int content_file_f(void *arg, json_t *object, const char *kind, const struct content_path *at, struct strbuf *why);
int content_each_file(const char *type, const json_t *payload, content_file_f *f, void *arg, struct strbuf *why);

#endif
