/* A picture for a profile: Meta's "Resumable Upload API" in its two calls.  What breaks off is begun anew by whoever asked. */
#include <string.h>

#include "base/mem.h"
#include "graph/profile.h"

struct upload {
	struct graph *g;
	struct graph_for who;
	struct strbuf bytes;
};

const char *picture_type(const struct picture *p, struct strbuf *why)
{
	static const uint8_t png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' }, jpeg[] = { 0xff, 0xd8, 0xff };

	if (p->len > PROFILE_PICTURE_MAX)
		why_write(why, "picture: found %zu bytes, allowed at most %d", p->len, PROFILE_PICTURE_MAX);
	else if (p->len > sizeof(jpeg) && !memcmp(p->bytes, jpeg, sizeof(jpeg)))
		return "image/jpeg";
	else if (p->len > sizeof(png) && !memcmp(p->bytes, png, sizeof(png)))
		return "image/png";
	else
		why_write(why, "picture: found something else, allowed a JPEG or PNG file");
	return NULL;
}

static void end(struct upload *u, const struct graph_reply *r)
{
	u->who.done(u->who.arg, r);
	strbuf_release(&u->bytes);
	free(u);
}

static void on_bytes(void *arg, const struct graph_reply *r)
{
	end(arg, r);
}

static json_t *handle_shape(const struct account *a, const json_t *answer)
{
	json_t *out;

	(void)a;
	if (!json_text(answer, "h"))
		return NULL;
	out = json_object();
	json_put_text(out, "handle", json_text(answer, "h"));
	return out;
}

/* The session's id, base64 and a signature, becomes part of an address: it must stay in its place. */
static json_t *session_shape(const struct account *a, const json_t *answer)
{
	const char *id = json_text(answer, "id");

	(void)a;
	if (!id || strncmp(id, "upload:", 7) || strpbrk(id, "# \t\r\n\\") || strstr(id, ".."))
		return NULL;
	return json_incref((json_t *)(uintptr_t)answer);
}

static void on_session(void *arg, const struct graph_reply *r)
{
	struct upload *u = arg;

	if (r->word != GRAPH_OK) {
		end(u, r);
		return;
	}
	graph_ask(u->g, &(struct graph_call){
		.who = { u->who.account, u->who.patience_ms, on_bytes, u }, .name = "upload", .method = "POST",
		.path = json_text(r->json, "id"), .bytes = u->bytes.buf, .len = u->bytes.len, .shape = handle_shape });
}

void picture_upload(struct graph *g, const struct graph_for *who, const struct picture *p)
{
	struct strbuf path = STRBUF_INIT, query = STRBUF_INIT;
	const char *type = picture_type(p, NULL);
	struct upload *u;

	if (!who->account->app_id || !type) {
		graph_answer_later(g, who, GRAPH_INVALID, type ? "app_id: the account has none, and an upload needs it" :
				   "picture: allowed a JPEG or PNG file");
		return;
	}
	u = mem_alloc(sizeof(*u));
	*u = (struct upload){ .g = g, .who = *who, .bytes = STRBUF_INIT };
	strbuf_add(&u->bytes, p->bytes, p->len);
	strbuf_addf(&path, "%s/uploads", who->account->app_id);
	strbuf_addf(&query, "file_name=picture.%s&file_length=%zu&file_type=", type + strlen("image/"), p->len);
	graph_add_encoded(&query, type);
	graph_ask(g, &(struct graph_call){ .who = { who->account, who->patience_ms, on_session, u }, .name = "uploads", .method = "POST",
					   .path = path.buf, .query = query.buf, .shape = session_shape });
	strbuf_release(&path);
	strbuf_release(&query);
}
