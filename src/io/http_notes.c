#include "io/http_notes.h"

#include <string.h>
#include <strings.h>

static const char *const names[HTTP_NOTES] = {
	[NOTE_USAGE] = "X-Business-Use-Case-Usage", [NOTE_TRACE] = "x-fb-trace-id", [NOTE_ETAG] = "ETag",
	[NOTE_RETRY_AFTER] = "Retry-After",
};

void http_notes_init(struct http_notes *n)
{
	for (int i = 0; i < HTTP_NOTES; i++)
		strbuf_init(&n->of[i]);
}

void http_notes_release(struct http_notes *n)
{
	for (int i = 0; i < HTTP_NOTES; i++)
		strbuf_release(&n->of[i]);
}

void http_notes_reset(struct http_notes *n)
{
	for (int i = 0; i < HTTP_NOTES; i++)
		strbuf_reset(&n->of[i]);
}

/* The value of header `name` in this line, trimmed, into out. */
static bool header_value(const char *line, size_t len, const char *name, struct strbuf *out)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	for (line += n + 1, len -= n + 1; len > 0 && (*line == ' ' || *line == '\t'); line++)
		len--;
	while (len > 0 && (unsigned char)line[len - 1] <= ' ')
		len--;
	strbuf_reset(out);
	strbuf_add(out, line, len < NOTE_MAX ? len : NOTE_MAX);
	return true;
}

void http_notes_take(struct http_notes *n, const char *line, size_t len)
{
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {	/* also after a 1xx: what came before does not count */
		http_notes_reset(n);
		return;
	}
	for (int i = 0; i < HTTP_NOTES; i++)
		if (header_value(line, len, names[i], &n->of[i]))
			return;
}

const char *http_note(const struct http_notes *n, enum http_note which)
{
	return n->of[which].buf;
}
