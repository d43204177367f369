/*
 * published - when a message was published, from the out file of a feed that may still be writing it.
 *
 * Ownership: file is borrowed.  It may appear later; it is read on as it grows.
 */
#ifndef LOAD_PUBLISHED_H
#define LOAD_PUBLISHED_H

#include <jansson.h>

#include "load/lines.h"

struct published { const char *file; int fd; struct lines lines; json_t *times; };

void published_init(struct published *p, const char *file);	/* NULL: nothing is known */
void published_release(struct published *p);
int64_t published_us(struct published *p, const char *id);	/* wall time; 0: not known */

#endif
