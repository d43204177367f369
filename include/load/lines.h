/*
 * lines - whole lines of a file or pipe that may still be growing, without ever blocking on a pipe.
 *
 * Ownership: the line is borrowed until the next call.  The descriptor is the caller's.
 */
#ifndef LOAD_LINES_H
#define LOAD_LINES_H

#include "base/strbuf.h"

enum { LINE_LONGEST = 64 << 20 };

struct lines { int fd; struct strbuf data; size_t taken; };
enum lines_answer { LINES_LINE, LINES_NONE_YET, LINES_END, LINES_ERROR };	/* END: of the file; later it may have grown */

void lines_init(struct lines *l, int fd);
void lines_release(struct lines *l);
enum lines_answer lines_next(struct lines *l, const char **line, size_t *len);
bool lines_rest(struct lines *l, const char **line, size_t *len);	/* at the end: what has no newline */

#endif
