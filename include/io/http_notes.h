/*
 * http_notes - what is kept of an answer's head: a few headers, at most NOTE_MAX bytes each.  Pure.
 */
#ifndef IO_HTTP_NOTES_H
#define IO_HTTP_NOTES_H

#include "base/strbuf.h"

enum { NOTE_MAX = 16384 };
enum http_note { NOTE_USAGE, NOTE_TRACE, NOTE_ETAG, NOTE_RETRY_AFTER, HTTP_NOTES };

struct http_notes { struct strbuf of[HTTP_NOTES]; };

void http_notes_init(struct http_notes *n);
void http_notes_release(struct http_notes *n);
void http_notes_reset(struct http_notes *n);
void http_notes_take(struct http_notes *n, const char *line, size_t len);	/* a line of the head; a status line begins anew */
const char *http_note(const struct http_notes *n, enum http_note which);	/* "": no such header */

#endif
