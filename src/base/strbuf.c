#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char strbuf_empty[1];

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_release(struct strbuf *sb)
{
	if (sb->size)
		free(sb->buf);
	strbuf_init(sb);
}

void strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->size)
		sb->buf[0] = 0;
}

void strbuf_reserve(struct strbuf *sb, size_t more)
{
	size_t need = sb->len + more + 1;
	bool had_none = sb->size == 0;

	if (need <= sb->size)
		return;
	if (need < sb->size * 2)
		need = sb->size * 2;
	if (need < 64)
		need = 64;
	sb->buf = mem_grow(had_none ? NULL : sb->buf, need, 1);
	sb->size = need;
	if (had_none)
		sb->buf[0] = 0;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	strbuf_reserve(sb, len);
	if (len)
		memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = 0;
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addc(struct strbuf *sb, char c)
{
	if (sb->len + 1 >= sb->size)
		strbuf_reserve(sb, 1);
	sb->buf[sb->len++] = c;
	sb->buf[sb->len] = 0;
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	strbuf_reserve(sb, 64);
	n = vsnprintf(sb->buf + sb->len, sb->size - sb->len, fmt, ap);
	if (n < 0)
		BUG("format %s", fmt);
	if ((size_t)n >= sb->size - sb->len) {
		strbuf_reserve(sb, (size_t)n);
		vsnprintf(sb->buf + sb->len, sb->size - sb->len, fmt, again);
	}
	va_end(again);
	sb->len += (size_t)n;
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_setf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	strbuf_reset(sb);
	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_drop_front(struct strbuf *sb, size_t n)
{
	if (n > sb->len)
		BUG("drop %zu of %zu", n, sb->len);
	if (!n)
		return;
	sb->len -= n;
	memmove(sb->buf, sb->buf + n, sb->len + 1);
}

char *strbuf_detach(struct strbuf *sb)
{
	char *s = sb->size ? sb->buf : mem_strdup("");

	strbuf_init(sb);
	return s;
}

void why_write(struct strbuf *why, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return;
	strbuf_reset(why);
	va_start(ap, fmt);
	strbuf_vaddf(why, fmt, ap);
	va_end(ap);
}
