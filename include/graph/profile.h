/*
 * profile - what recipients see of a number: texts, websites, line of business, picture (Meta: "Business profiles").
 *
 * {"about":"…","address":"…","description":"…","email":"…","websites":["https://…"],"vertical":"RETAIL","picture_url":"https://…"}
 */
#ifndef GRAPH_PROFILE_H
#define GRAPH_PROFILE_H

#include "graph/calls.h"

enum { PROFILE_WEBSITES_MAX = 2, PROFILE_WEBSITE_MAX = 256, PROFILE_PICTURE_MAX = 5 << 20 };

void profile_fetch(struct graph *g, const struct graph_for *who);

/* The changes: fields of the document above but the URL, others stay as they are; "" empties a text, but not about. */
int profile_check(const json_t *changes, struct strbuf *why) MUST_CHECK;

struct picture { const void *bytes; size_t len; };	/* JPEG or PNG; len 0: none */
const char *picture_type(const struct picture *p, struct strbuf *why);	/* image/jpeg, image/png; NULL: neither, or too large */

/* Checks first; then uploads the picture if there is one, then changes all at once.  Answers with the profile as it is then. */
void profile_change(struct graph *g, const struct graph_for *who, const json_t *changes, const struct picture *p);

/* The resumable upload (Meta: "Resumable Upload API"), under the account's app: {"handle":"4::…"}. */
void picture_upload(struct graph *g, const struct graph_for *who, const struct picture *p);

#endif
