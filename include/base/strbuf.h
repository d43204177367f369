/*
 * strbuf - a growing string, always NUL-terminated once anything was added.
 *
 * Ownership: the struct is the caller's (STRBUF_INIT), its memory is freed by strbuf_release().
 * Invariant: buf is never NULL; buf[len] == 0.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include "base/base.h"

struct strbuf {
	char *buf;
	size_t len;
	size_t size;	/* 0: buf is the shared empty string */
};

extern char strbuf_empty[];
#define STRBUF_INIT { .buf = strbuf_empty, .len = 0, .size = 0 }

void strbuf_init(struct strbuf *sb);
void strbuf_release(struct strbuf *sb);		/* empty and usable again afterwards */
void strbuf_reset(struct strbuf *sb);		/* empty, memory kept */
void strbuf_reserve(struct strbuf *sb, size_t more);
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap);
void strbuf_setf(struct strbuf *sb, const char *fmt, ...) PRINTF(2, 3);	/* reset, then addf */
void strbuf_drop_front(struct strbuf *sb, size_t n);
char *strbuf_detach(struct strbuf *sb);		/* caller frees */

/* Reasons: `return why_set(why, "…")` gives -1, in plain sight of analyzers.  why may be NULL. */
#define why_set(...) (why_write(__VA_ARGS__), why_failed())
void why_write(struct strbuf *why, const char *fmt, ...) PRINTF(2, 3);
static inline int why_failed(void) { return -1; }

#endif
