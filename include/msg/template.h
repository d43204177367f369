/*
 * template - what a template asks for, whether a message fits it, and what its recipient will see.  Pure.
 *
 * A definition is compiled once from the object that Graph lists; it is immutable and one allocation.  What it has that this version does
 * not know (kinds of components, headers, buttons) is not checked: Meta adds such things, and Graph has the last word.
 * A message gives its template in the Cloud API's form or in wamd's short one (wamd-messages(7), TEMPLATES), which only a definition
 * can turn into the former.
 * Meta: "Templates overview", "Template management", "Components"; "Send template messages", and the pages of media, location, coupon,
 * limited-time offer, carousel, catalog, multi-product, single-product, flow and authentication templates; "Error codes" (1320xx).
 */
#ifndef MSG_TEMPLATE_H
#define MSG_TEMPLATE_H

#include "msg/json.h"
#include "msg/message.h"

struct template_def;

enum template_status {
#define TEMPLATE_STATUS(ident, name, reason, meaning) TEMPLATE_##ident,
#include "tbl/template_statuses.h"
#undef TEMPLATE_STATUS
	TEMPLATE_STATUS_OTHER	/* one that this version does not know: not sent */
};

struct template_rules {
	bool flatten;	/* line breaks, tabs and long runs of blanks in the texts of header and body become one blank; else they are refused */
};

/* NULL: without name, language or an array of components there is nothing to hold a message against. */
struct template_def *template_compile(const json_t *definition, struct strbuf *why);
void template_free(struct template_def **tp);
size_t template_bytes(const struct template_def *t);		/* memory it takes */

/* Texts live as long as the definition; "" where it has none.  The language has _, never -. */
const char *template_name(const struct template_def *t);
const char *template_language(const struct template_def *t);
const char *template_id(const struct template_def *t);
const char *template_category(const struct template_def *t);
const char *template_status_text(const struct template_def *t);	/* as it was listed */
enum template_status template_status(const struct template_def *t);
bool template_is_authentication(const struct template_def *t);

enum template_status template_status_of(const char *text);	/* in any case; NULL: OTHER */
const char *template_status_meaning(enum template_status s);	/* in plain words */
enum reason template_status_reason(enum template_status s);	/* REASON_NONE: it may be sent */

/* Of a message's template object, in either form. */
bool template_is_short(const json_t *payload);			/* it can only be sent with a definition */
const char *template_language_of(const json_t *payload);	/* NULL: none, or no text */

/*
 * May the message be sent?  *out is what to send instead of payload, a new reference of the caller's, and shares nothing that could be
 * changed with it; NULL: payload is fine as it is.
 * REASON_TEMPLATE_PAUSED and _DISABLED come only when all else is well, and with *out: whether such a template waits is the caller's choice.
 * The error names component, position, what was found and what was expected, never a value.  warnings (may be NULL): what Meta may
 * refuse by limits that are not certain, divided by "; ".
 */
enum reason template_make(const struct template_def *t, const json_t *payload, const struct template_rules *r, json_t **out,
			  struct strbuf *why, struct strbuf *warnings);

/*
 * What the recipient will see, a new reference: {"header","body","footer","limited_time_offer","buttons":[{"type","text",…}],"cards":
 * [{"header","body","buttons"}]}, without what the template has not.  A header that is no text is {"image":{…}} and so on.  payload:
 * in the Cloud API's form, or NULL; placeholders that it does not fill stay.
 */
json_t *template_preview(const struct template_def *t, const json_t *payload);

#endif
