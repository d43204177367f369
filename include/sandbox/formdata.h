/*
 * formdata - a body of multipart/form-data, read in pieces of any size as they come.
 *
 * Nothing of a part is kept: its bytes are handed on at once.  Order: part, data any number of times, the next part, …
 * Ownership: the caller's, formdata_free().
 */
#ifndef SANDBOX_FORMDATA_H
#define SANDBOX_FORMDATA_H

#include "base/strbuf.h"

struct formdata;

struct formdata_part { char name[64], filename[256], type[128]; bool has_filename; };	/* type "": not said; longer texts are cut */

struct formdata_events {
	void (*part)(void *arg, const struct formdata_part *p);
	void (*data)(void *arg, const void *data, size_t len);
};

/* content_type: the request's header.  NULL: it is not multipart/form-data with a boundary. */
struct formdata *formdata_new(const char *content_type, const struct formdata_events *events, void *arg);
void formdata_free(struct formdata **fp);
void formdata_feed(struct formdata *f, const void *data, size_t len);
bool formdata_is_whole(const struct formdata *f);	/* the closing delimiter came, and nothing before it was malformed */

#endif
