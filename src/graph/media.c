#include "graph/media.h"

#include "base/str.h"

/* file_size is a number in some of Meta's documents and a text in others. */
static int64_t size_of(const json_t *answer)
{
	const char *text = json_text(answer, "file_size");
	int64_t n = json_integer_value(json_object_get(answer, "file_size"));

	return text && parse_i64(text, &n) < 0 ? 0 : n;
}

static json_t *facts(const struct account *a, const json_t *answer)
{
	json_t *o;

	(void)a;
	if (!json_text(answer, "mime_type"))
		return NULL;
	o = json_object();
	json_put_text(o, "media_id", json_text(answer, "id"));
	json_put_text(o, "mime", json_text(answer, "mime_type"));
	json_put_text(o, "sha256", json_text(answer, "sha256"));
	json_put_int(o, "size", size_of(answer));
	return o;
}

static json_t *deleted(const struct account *a, const json_t *answer)
{
	json_t *o;

	(void)a;
	if (!json_is_true(json_object_get(answer, "success")))
		return NULL;
	o = json_object();
	json_object_set_new(o, "deleted", json_true());
	return o;
}

static void ask(struct graph *g, const struct graph_for *who, const char *method, const char *media_id, graph_shape_f *shape)
{
	struct strbuf path = STRBUF_INIT, query = STRBUF_INIT;

	graph_add_encoded(&path, media_id);
	strbuf_addf(&query, "phone_number_id=%s", who->account->phone_number_id);
	graph_ask(g, &(struct graph_call){ .who = *who, .name = "media", .method = method, .path = path.buf, .query = query.buf, .shape = shape });
	strbuf_release(&path);
	strbuf_release(&query);
}

void graph_media_fetch(struct graph *g, const struct graph_for *who, const char *media_id)
{
	ask(g, who, "GET", media_id, facts);
}

void graph_media_delete(struct graph *g, const struct graph_for *who, const char *media_id)
{
	ask(g, who, "DELETE", media_id, deleted);
}
