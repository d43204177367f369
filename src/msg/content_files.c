#include "msg/content_inside.h"
#include "msg/message.h"

struct walk {
	content_file_f *f;
	void *arg;
	struct strbuf *why;
};

/* o[kind], for each kind of file that may stand there; what is no object is not ours to judge. */
static int visit_kinds(const struct walk *w, const json_t *o, const struct content_path *at)
{
	static const struct { const char *member, *kind; } kinds[] = {
		{ "image", "image" }, { "video", "video" }, { "document", "document" },
		{ "gif", "video" },	/* Meta: "Send marketing messages": an mp4 */
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		json_t *file = json_object_get(o, kinds[i].member);
		struct content_path below = { at, kinds[i].member, 0 };

		if (json_is_object(file) && w->f(w->arg, file, kinds[i].kind, &below, w->why) < 0)
			return -1;
	}
	return 0;
}

static int visit_header(const struct walk *w, const json_t *o, const struct content_path *at)
{
	struct content_path header = { at, "header", 0 };

	return visit_kinds(w, json_object_get(o, "header"), &header);
}

/* The headers of o.cards. */
static int visit_cards(const struct walk *w, const json_t *o, const struct content_path *at)
{
	struct content_path cards = { at, "cards", 0 }, card = { &cards, NULL, 0 };
	const json_t *c;

	json_array_foreach(json_object_get(o, "cards"), card.index, c)
		if (visit_header(w, c, &card) < 0)
			return -1;
	return 0;
}

static int visit_parameters(const struct walk *w, const json_t *component, const struct content_path *at)
{
	struct content_path list = { at, "parameters", 0 }, one = { &list, NULL, 0 };
	const json_t *p;

	json_array_foreach(json_object_get(component, "parameters"), one.index, p)
		if (visit_kinds(w, p, &one) < 0)
			return -1;
	return 0;
}

/* Of a template, or of one of its cards; cards have no cards. */
static int visit_components(const struct walk *w, const json_t *o, bool may_have_cards, const struct content_path *at)
{
	struct content_path list = { at, "components", 0 }, one = { &list, NULL, 0 }, cards = { &one, "cards", 0 }, card = { &cards, NULL, 0 };
	const json_t *component, *c;

	json_array_foreach(json_object_get(o, "components"), one.index, component) {
		if (visit_parameters(w, component, &one) < 0)
			return -1;
		if (!may_have_cards)
			continue;
		json_array_foreach(json_object_get(component, "cards"), card.index, c)
			if (visit_components(w, c, false, &card) < 0)
				return -1;
	}
	return 0;
}

static bool is_file_type(const char *type)
{
	static const char *const types[] = { "image", "video", "audio", "document", "sticker" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i], type))
			return true;
	return false;
}

int content_each_file(const char *type, const json_t *payload, content_file_f *f, void *arg, struct strbuf *why)
{
	struct walk w = { f, arg, why };
	struct content_path root = { NULL, type, 0 }, action = { &root, "action", 0 };

	if (is_file_type(type))
		return f(arg, (json_t *)(uintptr_t)payload, type, &root, why);
	if (!strcmp(type, "interactive"))
		return visit_header(&w, payload, &root) < 0 ? -1 : visit_cards(&w, json_object_get(payload, "action"), &action);
	if (!strcmp(type, "template"))		/* in full, or wamd's short form */
		return visit_components(&w, payload, true, &root) < 0 || visit_header(&w, payload, &root) < 0 ? -1 :
		       visit_cards(&w, payload, &root);
	return 0;
}

struct refs { struct media_ref *out; int n, max; };

static int take_ref(void *arg, json_t *object, const char *kind, const struct content_path *at, struct strbuf *why)
{
	struct refs *r = arg;
	const char *ref = json_text(object, "media");

	(void)at;
	(void)why;
	if (ref && r->n < r->max)
		r->out[r->n++] = (struct media_ref){ .object = object, .kind = kind, .ref = ref };
	return 0;
}

int message_media(const struct message *m, struct media_ref out[], int max)
{
	struct refs r = { out, 0, max };

	if (m->outgoing)
		content_each_file(m->type, m->outgoing, take_ref, &r, NULL);
	return r.n;
}

void media_ref_settle(struct media_ref *r, const char *graph_id)
{
	json_put_text(r->object, "id", graph_id);
	json_object_del(r->object, "media");
	r->ref = NULL;
}
