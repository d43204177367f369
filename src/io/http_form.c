#include "io/http_form.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "io/http_server_inside.h"

enum { BUFFER = 4096 };			/* the head of a part must fit in */

struct http_form {
	struct MHD_PostProcessor *parser;
	http_on_part_f *on_part;
	void *arg;
};

bool http_form_is(const struct http_call *c)
{
	static const char type[] = "multipart/form-data";
	const char *said = http_call_header(c, "Content-Type");

	return said && !strncasecmp(said, type, sizeof(type) - 1);
}

static enum MHD_Result on_piece(void *arg, enum MHD_ValueKind kind UNUSED, const char *name, const char *filename, const char *type,
				const char *encoding UNUSED, const char *data, uint64_t offset, size_t len)
{
	struct http_form *f = arg;
	struct http_part p = { name ? name : "", filename, type, (int64_t)offset };

	return f->on_part(f->arg, &p, data, len) ? MHD_YES : MHD_NO;
}

struct http_form *http_form_new(struct http_call *c, http_on_part_f *on_part, void *arg)
{
	struct http_form *f = mem_alloc(sizeof(*f));

	*f = (struct http_form){ .on_part = on_part, .arg = arg };
	if (http_form_is(c))
		f->parser = MHD_create_post_processor(http_call_connection(c), BUFFER, on_piece, f);
	if (!f->parser) {
		free(f);
		f = NULL;
	}
	return f;
}

int http_form_add(struct http_form *f, const void *data, size_t len)
{
	return MHD_post_process(f->parser, data, len) == MHD_YES ? 0 : -1;
}

bool http_form_end(struct http_form **fp)
{
	struct http_form *f = *fp;
	bool is_whole;

	if (!f)
		return false;
	is_whole = MHD_destroy_post_processor(f->parser) == MHD_YES;
	free(f);
	*fp = NULL;
	return is_whole;
}
