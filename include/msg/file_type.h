/*
 * file_type - what kind of file bytes are: by how they begin, by their name, by what their owner calls them.  Pure.
 *
 * The types are include/tbl/media_types.h.  What the owner says goes before the name, the name before the bytes; but bytes that are
 * another type's are refused.  A declared type that is not in the table is sent as a document: Meta takes most of them.
 */
#ifndef MSG_FILE_TYPE_H
#define MSG_FILE_TYPE_H

#include "base/strbuf.h"

enum { FILE_HEAD_MAX = 512, FILE_MIME_MAX = 127, FILE_BYTES_MAX = 100 << 20 };

struct file_facts {
	const void *head;		/* the first bytes, at most FILE_HEAD_MAX */
	size_t len;
	const char *name;		/* "": none */
	const char *declared;		/* MIME type; NULL or "": none */
};

struct file_type {
	char mime[FILE_MIME_MAX + 1];
	const char *kind;		/* image audio video sticker document */
	int64_t max;			/* most bytes that Meta takes */
};

int file_type_of(const struct file_facts *f, struct file_type *out, struct strbuf *why) MUST_CHECK;
const char *file_kind_of(const char *mime);

#endif
