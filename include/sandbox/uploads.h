/*
 * uploads - resumable uploads: a session is started, gets its bytes in one or more pieces, and becomes a handle.
 *
 * Only how many bytes came is kept.  Ownership: sessions live until uploads_free().
 */
#ifndef SANDBOX_UPLOADS_H
#define SANDBOX_UPLOADS_H

#include "base/base.h"

struct sandbox;
struct uploads;

struct uploads *uploads_new(void);
void uploads_free(struct uploads **up);
bool uploads_know_handle(const struct sandbox *s, const char *handle);

#endif
