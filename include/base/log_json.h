/* log_json - a line of the log as one JSON object: the same words, and what stands in the text as name=value as members of "fields". */
#ifndef BASE_LOG_JSON_H
#define BASE_LOG_JSON_H

#include "base/base.h"

/*
 * Writes {"time":…,"level":…,"who":…,"event":…,"fields":{…},"text":…} without a line end, and returns its length, less than max, which
 * is 512 at least.  Valid whatever the bytes are: what is no UTF-8 becomes U+FFFD, and what has no room is left out.  A value ends where
 * the next name= begins; behind a colon, and in error=, all is text, so that a stranger's words make no field.  A name counts once.
 */
size_t log_json_line(char *out, size_t max, const char *when, const char *level, const char *who, const char *word, const char *text);

#endif
