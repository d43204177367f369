#include "graph/profile.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char FIELDS[] = "fields=about,address,description,email,profile_picture_url,websites,vertical";

static const struct { const char *name; size_t min, max; } texts[] = {
#define PROFILE_TEXT(name, min, max) { name, min, max },
#include "tbl/profile_fields.h"
#undef PROFILE_TEXT
};

static const char *const verticals[] = {
#define PROFILE_VERTICAL(word) word,
#include "tbl/profile_fields.h"
#undef PROFILE_VERTICAL
};

struct change {
	struct graph *g;
	struct graph_for who;
	json_t *body;
};

/* ---- what may stand in it ---- */

static int check_text(size_t i, const json_t *changes, struct strbuf *why)
{
	const json_t *v = json_object_get(changes, texts[i].name);
	const char *s = json_string_value(v);
	size_t n = s ? utf8_count(s, strlen(s)) : 0;

	if (v && !s)
		return why_set(why, "%s: found %s, allowed a text", texts[i].name, json_kind(v));
	if (v && (n < texts[i].min || n > texts[i].max))
		return why_set(why, "%s: found %zu characters, allowed %zu to %zu", texts[i].name, n, texts[i].min, texts[i].max);
	return 0;
}

static int check_websites(const json_t *sites, struct strbuf *why)
{
	const json_t *site;
	size_t i;

	if (sites && (!json_is_array(sites) || json_array_size(sites) > PROFILE_WEBSITES_MAX))
		return why_set(why, "websites: found %zu, allowed at most %d", json_array_size(sites), PROFILE_WEBSITES_MAX);
	json_array_foreach(sites, i, site) {
		const char *s = json_string_value(site);
		size_t n = s ? utf8_count(s, strlen(s)) : 0;

		if (!s || (!str_starts(s, "https://") && !str_starts(s, "http://")) || strpbrk(s, " \t\r\n"))
			return why_set(why, "websites: found \"%.64s\", allowed addresses with http:// or https://", s ? s : "");
		if (n > PROFILE_WEBSITE_MAX)
			return why_set(why, "websites: found %zu characters, allowed at most %d", n, PROFILE_WEBSITE_MAX);
	}
	return 0;
}

static int check_vertical(const json_t *v, struct strbuf *why)
{
	const char *s = json_string_value(v);

	for (size_t i = 0; s && i < ARRAY_LEN(verticals); i++)
		if (!strcmp(verticals[i], s))
			return 0;
	if (!v)
		return 0;
	why_write(why, "vertical: found \"%.32s\", allowed", s ? s : json_kind(v));
	for (size_t i = 0; why && i < ARRAY_LEN(verticals); i++)
		strbuf_addf(why, " %s", verticals[i]);
	return -1;
}

static bool is_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!strcmp(texts[i].name, name))
			return true;
	return !strcmp(name, "websites") || !strcmp(name, "vertical");
}

int profile_check(const json_t *changes, struct strbuf *why)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)changes, name, v)
		if (!is_field(name))
			return why_set(why, "%.32s: a profile has no such field", name);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (check_text(i, changes, why) < 0)
			return -1;
	return check_websites(json_object_get(changes, "websites"), why) < 0 ? -1 :
	       check_vertical(json_object_get(changes, "vertical"), why);
}

/* ---- reading ---- */

/* Meta's reference wraps the profile once more than its guide does. */
static json_t *shape(const struct account *a, const json_t *answer)
{
	const json_t *one = json_array_get(json_object_get(answer, "data"), 0), *inner = json_object_get(one, "business_profile");
	json_t *out;

	(void)a;
	if (!json_is_object(one))
		return NULL;
	if (json_is_object(inner))
		one = inner;
	out = json_object();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_put_text(out, texts[i].name, json_text(one, texts[i].name));
	if (json_is_array(json_object_get(one, "websites")))
		json_object_set(out, "websites", json_object_get(one, "websites"));
	json_put_text(out, "vertical", json_text(one, "vertical"));
	json_put_text(out, "picture_url", json_text(one, "profile_picture_url"));
	return out;
}

static void ask(struct graph *g, const struct graph_for *who, const json_t *body)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/whatsapp_business_profile", who->account->phone_number_id);
	graph_ask(g, &(struct graph_call){ .who = *who, .name = "profile", .method = body ? "POST" : "GET", .path = path.buf,
					   .query = body ? NULL : FIELDS, .body = body, .shape = body ? NULL : shape });
	strbuf_release(&path);
}

void profile_fetch(struct graph *g, const struct graph_for *who)
{
	ask(g, who, NULL);
}

/* ---- changing ---- */

static void end(struct change *c)
{
	json_decref(c->body);
	free(c);
}

static void on_changed(void *arg, const struct graph_reply *r)
{
	struct change *c = arg;

	if (r->word == GRAPH_OK)
		profile_fetch(c->g, &c->who);
	else
		c->who.done(c->who.arg, r);
	end(c);
}

static void send_change(struct change *c)
{
	ask(c->g, &(struct graph_for){ c->who.account, c->who.patience_ms, on_changed, c }, c->body);
}

static void on_picture(void *arg, const struct graph_reply *r)
{
	struct change *c = arg;

	if (r->word != GRAPH_OK) {
		c->who.done(c->who.arg, r);
		end(c);
		return;
	}
	json_put_text(c->body, "profile_picture_handle", json_text(r->json, "handle"));
	send_change(c);
}

void profile_change(struct graph *g, const struct graph_for *who, const json_t *changes, const struct picture *p)
{
	struct strbuf why = STRBUF_INIT;
	struct change *c;

	if (json_object_size(changes) == 0 && !p->len)
		why_write(&why, "nothing to change is named");
	if (why.len || profile_check(changes, &why) < 0 || (p->len && !picture_type(p, &why))) {
		graph_answer_later(g, who, GRAPH_INVALID, why.buf);
		strbuf_release(&why);
		return;
	}
	c = mem_alloc(sizeof(*c));
	*c = (struct change){ g, *who, json_copy((json_t *)(uintptr_t)changes) };
	json_put_text(c->body, "messaging_product", "whatsapp");
	if (p->len)
		picture_upload(g, &(struct graph_for){ who->account, who->patience_ms, on_picture, c }, p);
	else
		send_change(c);
}
