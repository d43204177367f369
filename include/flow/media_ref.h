/*
 * media_ref - what a message names its file by: "sha256:" and 64 hex digits, or a handle that wamd gave out ("m." and 22 characters
 * of base64url, which stands for a file of one tenant as long as Redis knows it: flow/keys.h).  Pure.
 */
#ifndef FLOW_MEDIA_REF_H
#define FLOW_MEDIA_REF_H

#include "flow/spool.h"

enum { MEDIA_HANDLE_LEN = 24, MEDIA_REF_MAX = 7 + MEDIA_SHA_LEN };

enum media_ref_kind { MEDIA_REF_BAD, MEDIA_REF_SHA, MEDIA_REF_HANDLE };
enum media_ref_kind media_ref_kind(const char *ref);
static inline const char *media_ref_sha(const char *ref) { return ref + 7; }	/* of a MEDIA_REF_SHA */

void media_handle_new(char out[MEDIA_HANDLE_LEN + 1]);
/* What Redis has behind a handle: "sha256 mime size name". */
void media_handle_write(const struct spool_file *f, struct strbuf *out);
int media_handle_read(const char *text, struct spool_file *out) MUST_CHECK;

#endif
