#include "graph/subscription.h"

#include <string.h>

#include "base/mem.h"

struct making { struct graph *g; struct graph_for who; };

static json_t *shape(const struct account *a, const json_t *answer)
{
	const json_t *data = json_object_get(answer, "data"), *one;
	json_t *out, *apps;
	bool is_subscribed = false;
	size_t i;

	if (!json_is_array(data))
		return NULL;
	out = json_object();
	apps = json_array();
	json_array_foreach(data, i, one) {
		const json_t *app = json_object_get(one, "whatsapp_business_api_data");
		json_t *o = json_object();

		json_put_text(o, "app_id", json_text(app, "id"));
		json_put_text(o, "name", json_text(app, "name"));
		json_put_text(o, "callback", json_text(one, "override_callback_uri"));
		json_array_append_new(apps, o);
		is_subscribed |= a->app_id && json_text(app, "id") && !strcmp(a->app_id, json_text(app, "id"));
	}
	if (a->app_id)
		json_object_set_new(out, "is_subscribed", json_boolean(is_subscribed));
	json_object_set_new(out, "apps", apps);
	return out;
}

static void ask(struct graph *g, const struct graph_for *who, const char *method, graph_shape_f *make)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/subscribed_apps", who->account->waba_id);
	graph_ask(g, &(struct graph_call){ .who = *who, .name = "subscribed_apps", .method = method, .path = path.buf, .shape = make });
	strbuf_release(&path);
}

void subscription_fetch(struct graph *g, const struct graph_for *who)
{
	ask(g, who, "GET", shape);
}

static void on_made(void *arg, const struct graph_reply *r)
{
	struct making *m = arg;

	if (r->word == GRAPH_OK)
		subscription_fetch(m->g, &m->who);
	else
		m->who.done(m->who.arg, r);
	free(m);
}

void subscription_make(struct graph *g, const struct graph_for *who)
{
	struct making *m = mem_alloc(sizeof(*m));

	*m = (struct making){ g, *who };
	ask(g, &(struct graph_for){ who->account, who->patience_ms, on_made, m }, "POST", NULL);
}
