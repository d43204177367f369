#include "sandbox/formdata.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { BOUNDARY_MAX = 70, HEADERS_MAX = 8 * 1024 };

enum state {
	PREAMBLE,		/* before the first delimiter */
	DELIMITER,		/* behind one: a line end, or "--" */
	HEADERS,
	DATA,
	OVER,
	BROKEN,
};

struct formdata {
	const struct formdata_events *events;
	void *arg;
	char delimiter[BOUNDARY_MAX + 5];	/* CR LF "--" boundary */
	size_t delimiter_len;
	enum state state;
	struct strbuf in;			/* what is not yet understood */
	size_t at;
};

/* The value of a parameter: name="a\"b", or name=token. */
static bool parameter(const char *header, const char *name, char *out, size_t size)
{
	size_t n = strlen(name), used = 0;
	const char *p = strchr(header, ';');
	bool quoted;

	for (; p; p = strchr(p, ';')) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, name, n) == 0 && p[n] == '=')
			break;
	}
	if (!p)
		return false;
	p += n + 1;
	quoted = *p == '"';
	for (p += quoted; *p && (quoted ? *p != '"' : !strchr("; \t", *p)); p++) {
		if (quoted && *p == '\\' && p[1])
			p++;
		if (used + 1 < size)
			out[used++] = *p;
	}
	out[used] = 0;
	return true;
}

struct formdata *formdata_new(const char *content_type, const struct formdata_events *events, void *arg)
{
	static const char wanted[] = "multipart/form-data";
	char boundary[BOUNDARY_MAX + 2];
	struct formdata *f;

	if (strncasecmp(content_type, wanted, strlen(wanted)) || !parameter(content_type, "boundary", boundary, sizeof(boundary)) ||
	    !*boundary || strlen(boundary) > BOUNDARY_MAX)
		return NULL;
	f = mem_alloc(sizeof(*f));
	f->events = events;
	f->arg = arg;
	snprintf(f->delimiter, sizeof(f->delimiter), "\r\n--%s", boundary);
	f->delimiter_len = strlen(f->delimiter);
	strbuf_init(&f->in);
	strbuf_adds(&f->in, "\r\n");	/* so that the first delimiter looks like the others */
	return f;
}

void formdata_free(struct formdata **fp)
{
	if (!*fp)
		return;
	strbuf_release(&(*fp)->in);
	free(*fp);
	*fp = NULL;
}

bool formdata_is_whole(const struct formdata *f)
{
	return f->state == OVER;
}

static char *rest(const struct formdata *f, size_t *n)
{
	*n = f->in.len - f->at;
	return f->in.buf + f->at;
}

/* Everything up to the next delimiter, as far as it is here; true: the delimiter, too. */
static bool to_delimiter(struct formdata *f, bool hand_on)
{
	size_t n, safe;
	char *p = rest(f, &n), *end = memmem(p, n, f->delimiter, f->delimiter_len);

	safe = end ? (size_t)(end - p) : n >= f->delimiter_len ? n - f->delimiter_len + 1 : 0;
	if (hand_on && safe)
		f->events->data(f->arg, p, safe);
	f->at += safe + (end ? f->delimiter_len : 0);
	if (end)
		f->state = DELIMITER;
	return end != NULL;
}

static bool after_delimiter(struct formdata *f)
{
	size_t n;
	const char *p = rest(f, &n);

	if (n < 2)
		return false;
	f->state = memcmp(p, "--", 2) == 0 ? OVER : memcmp(p, "\r\n", 2) == 0 ? HEADERS : BROKEN;
	f->at += f->state == HEADERS ? 0 : 2;	/* every header stands behind a line end */
	return true;
}

static void read_header(struct formdata_part *part, const char *line)
{
	static const char disposition[] = "content-disposition:", type[] = "content-type:";

	if (strncasecmp(line, disposition, strlen(disposition)) == 0) {
		parameter(line, "name", part->name, sizeof(part->name));
		part->has_filename = parameter(line, "filename", part->filename, sizeof(part->filename));
	} else if (strncasecmp(line, type, strlen(type)) == 0) {
		line += strlen(type);
		snprintf(part->type, sizeof(part->type), "%s", line + strspn(line, " \t"));
	}
}

static bool headers(struct formdata *f)
{
	struct formdata_part part = { .name = "" };
	size_t n;
	char *p = rest(f, &n), *end = memmem(p, n, "\r\n\r\n", 4), *line_end;

	if (!end) {
		if (n > HEADERS_MAX)
			f->state = BROKEN;
		return false;
	}
	end[2] = 0;
	for (p += 2; p < end; p = line_end + 2) {
		line_end = strstr(p, "\r\n");
		if (!line_end)		/* a NUL in a header */
			break;
		*line_end = 0;
		read_header(&part, p);
	}
	f->at = (size_t)(end + 4 - f->in.buf);
	f->state = *part.name ? DATA : BROKEN;
	if (f->state == DATA)
		f->events->part(f->arg, &part);
	return f->state == DATA;
}

static bool step(struct formdata *f)
{
	switch (f->state) {
	case PREAMBLE:  return to_delimiter(f, false);
	case DELIMITER: return after_delimiter(f);
	case HEADERS:   return headers(f);
	case DATA:      return to_delimiter(f, true);
	case OVER:
	case BROKEN:    return false;
	}
	BUG("formdata state %d", (int)f->state);
}

void formdata_feed(struct formdata *f, const void *data, size_t len)
{
	if (f->state == OVER || f->state == BROKEN)
		return;
	strbuf_add(&f->in, data, len);
	while (step(f))
		;
	strbuf_drop_front(&f->in, f->at);
	f->at = 0;
}
