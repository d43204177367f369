#include "load/published.h"

#include <fcntl.h>
#include <unistd.h>

void published_init(struct published *p, const char *file)
{
	*p = (struct published){ .file = file, .fd = -1, .times = json_object() };
	lines_init(&p->lines, -1);
}

void published_release(struct published *p)
{
	if (p->fd >= 0)
		close(p->fd);
	lines_release(&p->lines);
	json_decref(p->times);
}

static void take(struct published *p, const char *line, size_t len)
{
	json_t *o = json_loadb(line, len, 0, NULL);
	const char *id = json_string_value(json_object_get(o, "id"));

	if (id)
		json_object_set(p->times, id, json_object_get(o, "t"));
	json_decref(o);
}

static void read_on(struct published *p)
{
	const char *line;
	size_t len;

	if (p->fd < 0 && p->file) {
		p->fd = open(p->file, O_RDONLY | O_CLOEXEC);
		p->lines.fd = p->fd;
	}
	while (p->fd >= 0 && lines_next(&p->lines, &line, &len) == LINES_LINE)
		take(p, line, len);
}

int64_t published_us(struct published *p, const char *id)
{
	if (!json_object_get(p->times, id))
		read_on(p);
	return (int64_t)(json_number_value(json_object_get(p->times, id)) * 1e6);
}
