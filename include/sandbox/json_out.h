/* json_out - the few JSON pieces the hot path writes itself, without building a tree first. */
#ifndef SANDBOX_JSON_OUT_H
#define SANDBOX_JSON_OUT_H

#include "base/strbuf.h"

void json_out_string(struct strbuf *sb, const char *s, size_t len);	/* quoted and escaped; invalid UTF-8 becomes U+FFFD */
void json_out_cstring(struct strbuf *sb, const char *s);
void json_out_u64(struct strbuf *sb, uint64_t n);

#endif
