/*
 * json_write - an object written member by member, without a tree in between: for what is made for each message.
 *
 * The text is what json_dump_to() makes of such an object with JSON_COMPACT.  A value that is NULL writes nothing; one that is no UTF-8 is
 * mended as json_put_text() does it.  The caller sees to it that no key comes twice.
 */
#ifndef MSG_JSON_WRITE_H
#define MSG_JSON_WRITE_H

#include "msg/json.h"

struct json_writer { struct strbuf *out; bool has_members; };

struct json_writer json_write_begin(struct strbuf *out);
void json_write_end(struct json_writer *w);

void json_write_text(struct json_writer *w, const char *key, const char *value);
void json_write_int(struct json_writer *w, const char *key, int64_t value);
void json_write_time(struct json_writer *w, const char *key, int64_t unix_ms);
void json_write_value(struct json_writer *w, const char *key, const json_t *value);
void json_write_text_in(struct json_writer *w, const char *key, const char *inner, const char *value);	/* "key":{"inner":"value"} */

#endif
