#include "load/lines.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

void lines_init(struct lines *l, int fd)
{
	*l = (struct lines){ .fd = fd, .data = STRBUF_INIT };
}

void lines_release(struct lines *l)
{
	strbuf_release(&l->data);
}

static bool cut_line(struct lines *l, const char **line, size_t *len)
{
	char *start = l->data.buf + l->taken;
	char *end = l->data.len > l->taken ? memchr(start, '\n', l->data.len - l->taken) : NULL;

	if (!end)
		return false;
	*end = 0;
	*line = start;
	*len = (size_t)(end - start);
	l->taken += *len + 1;
	return true;
}

/* Asks first, so a slow writer at the other end of a pipe costs us no waiting, and nobody's descriptor flags change. */
static enum lines_answer read_more(struct lines *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return LINES_NONE_YET;
	strbuf_drop_front(&l->data, l->taken);
	l->taken = 0;
	if (l->data.len > LINE_LONGEST)
		return LINES_ERROR;
	strbuf_reserve(&l->data, READ_SIZE);
	n = read(l->fd, l->data.buf + l->data.len, READ_SIZE - 1);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? LINES_NONE_YET : LINES_ERROR;
	l->data.len += (size_t)n;
	l->data.buf[l->data.len] = 0;
	return n ? LINES_LINE : LINES_END;
}

enum lines_answer lines_next(struct lines *l, const char **line, size_t *len)
{
	while (!cut_line(l, line, len)) {
		enum lines_answer a = read_more(l);

		if (a != LINES_LINE)
			return a;
	}
	return LINES_LINE;
}

bool lines_rest(struct lines *l, const char **line, size_t *len)
{
	*line = l->data.buf + l->taken;
	*len = l->data.len - l->taken;
	l->taken = l->data.len;
	return *len > 0;
}
