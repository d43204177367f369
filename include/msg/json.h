/* json - jansson's only door for the daemon, with caps that hold before anything is allocated. */
#ifndef MSG_JSON_H
#define MSG_JSON_H

#include <jansson.h>

#include "base/strbuf.h"

enum json_verdict { JSON_OK, JSON_NOT_JSON, JSON_DUPLICATE_KEY, JSON_TOO_DEEP, JSON_TOO_LARGE };
enum { JSON_DEPTH_MAX = 32, JSON_NODES_MAX = 20000 };

/* One JSON object (or array) in UTF-8 without duplicate keys and \u0000; *out is the caller's (json_decref). */
enum json_verdict json_parse(const void *text, size_t len, json_t **out, struct strbuf *why);

const char *json_text(const json_t *object, const char *key);	/* NULL: absent or not a string */
void json_put_text(json_t *object, const char *key, const char *value);	/* NULL value: left out; bytes that are no UTF-8: U+FFFD */
void json_put_int(json_t *object, const char *key, int64_t value);
const char *json_kind(const json_t *v);				/* "a number", for error texts */
void json_dump_to(const json_t *v, size_t flags, struct strbuf *out);	/* appended */

#endif
