/*
 * filekind - which files Meta takes: MIME types, sizes, how they begin, and what a message may show them as.
 *
 * The facts are tbl_media.h.
 */
#ifndef SANDBOX_FILEKIND_H
#define SANDBOX_FILEKIND_H

#include "sandbox/graph.h"

enum { FILEKIND_FIRST = 32 };	/* so many bytes of a file are looked at */

struct filekind { const char *mime; int kind; };

/* Parameters behind ';' do not count, nor does case.  NULL: unknown. */
const struct filekind *filekind_find(const char *mime);
/* 0, or -1 with e set: too large, empty, or its first bytes are another type's. */
int filekind_check(const struct filekind *k, int64_t size, const uint8_t *first, size_t n_first, struct graph_error *e) MUST_CHECK;
void filekind_list(struct strbuf *out);					/* all MIME types, as Meta names them in its error */
bool filekind_shows_as(const struct filekind *k, const char *member);	/* "image", "sticker", … of a message */

#endif
