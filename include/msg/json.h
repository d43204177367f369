/* json - jansson's only door for the daemon: its values, with a reader and a writer of our own, for those are half of what a message costs. */
#ifndef MSG_JSON_H
#define MSG_JSON_H

#include <jansson.h>

#include "base/strbuf.h"

enum json_verdict { JSON_OK, JSON_NOT_JSON, JSON_DUPLICATE_KEY, JSON_TOO_DEEP, JSON_TOO_LARGE };
enum { JSON_DEPTH_MAX = 32, JSON_NODES_MAX = 20000 };

/*
 * One JSON object (or array) in UTF-8 without duplicate keys and \u0000; *out is the caller's (json_decref).  It takes what jansson takes,
 * but for numbers of more than 400 digits and NUL bytes.
 */
enum json_verdict json_parse(const void *text, size_t len, json_t **out, struct strbuf *why);
/* The same for what may be megabytes, with nodes instead of JSON_NODES_MAX. */
enum json_verdict json_parse_large(const void *text, size_t len, int nodes, json_t **out, struct strbuf *why);

const char *json_text(const json_t *object, const char *key);	/* NULL: absent or not a string */
void json_put_text(json_t *object, const char *key, const char *value);	/* NULL value: left out; bytes that are no UTF-8: U+FFFD */
const char *json_mended(const char *value, struct strbuf *room);	/* value, or in room what is UTF-8 of it */
void json_put_int(json_t *object, const char *key, int64_t value);
void json_put_time(json_t *object, const char *key, int64_t unix_ms);	/* 2026-11-23T05:42:01.123Z; 0 and less: left out */
const char *json_kind(const json_t *v);				/* "a number", for error texts */
/* Appended, byte for byte as jansson does it: digests hang on that.  flags: JSON_COMPACT, and JSON_SORT_KEYS or not. */
void json_dump_to(const json_t *v, size_t flags, struct strbuf *out);

/* From now on what jansson frees is wiped first: for a process that reads secrets in JSON. */
void json_wipe_freed(void);

#endif
