/* media upload: a file goes into the spool as it comes over the admin socket, and gets a handle. */
#include <inttypes.h>

#include "api/media_reply.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"
#include "flow/media_ref.h"

enum { SLACK = 1 << 20 };		/* the spool's own limit comes first, for it has the better words */

struct upload {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	struct spool_writer *writer;
	bool is_asking;			/* the tenant service or Redis: their answer ends it */
	char tenant[TENANT_NAME_MAX + 1], handle[MEDIA_HANDLE_LEN + 1];
	struct spool_file file;
};

int media_status(enum spool_word word, const char *why)
{
	static const int statuses[] = {
		[SPOOL_OK] = 200, [SPOOL_EMPTY] = 400, [SPOOL_TOO_LARGE] = 413, [SPOOL_TYPE] = 415, [SPOOL_TRUNCATED] = 400, [SPOOL_FULL] = 507,
		[SPOOL_NOT_HERE] = 404, [SPOOL_NAME] = 400, [SPOOL_BROKEN] = 500,
	};

	if (word == SPOOL_FULL || word == SPOOL_BROKEN)
		log_warn("spool", "%s", why);
	return statuses[word];
}

void reply_spool_problem(struct http_call *c, enum spool_word word, const char *why)
{
	reply_problem(c, media_status(word, why), spool_code(word), why);
}

void media_put_file(json_t *o, const struct tenant *t, const struct spool_file *f)
{
	json_put_text(o, "tenant_id", t->id);
	json_put_text(o, "sha256", f->sha);
	json_put_text(o, "mime", f->mime);
	json_put_text(o, "kind", f->kind);
	json_put_int(o, "size", f->size);
	if (*f->name)
		json_put_text(o, "filename", f->name);
}

void media_tell_operator(struct http_call *c, const char *command, const char *tenant, const char *sha)
{
	char who[OPERATOR_MAX];

	call_operator(c, who);
	log_notice("operator", "%s command=%s tenant=%s sha256=%.12s", who, command, tenant, sha);
}

static void end(struct upload *u)
{
	spool_abort(&u->writer);
	free(u);
}

static void on_gone(void *arg)
{
	struct upload *u = arg;

	u->call = NULL;
	if (!u->is_asking)
		end(u);
}

/* After the answer nothing of this call comes here any more. */
static void fail(struct upload *u, enum spool_word word, const char *why)
{
	reply_spool_problem(u->call, word, why);
	end(u);
}

static void on_piece(void *arg, const void *data, size_t len)
{
	struct upload *u = arg;
	struct strbuf why = STRBUF_INIT;
	enum spool_word word = spool_write(u->writer, data, len, &why);

	if (word != SPOOL_OK)
		fail(u, word, why.buf);
	strbuf_release(&why);
}

static int64_t announced(const struct http_call *c)
{
	const char *text = http_call_header(c, "Content-Length");
	int64_t n;

	return text && parse_i64(text, &n) == 0 && n >= 0 ? n : -1;
}

bool media_upload_begin(struct admin *a, struct http_call *c, struct http_sink *sink)
{
	const char *tenant = http_call_query(c, "tenant"), *name = http_call_query(c, "name");
	struct upload *u;
	struct spool_writer *writer;
	struct strbuf why = STRBUF_INIT;
	enum spool_word word;

	/* Without a tenant service it need not come over first. */
	if ((!tenant || !*a->conf->service_url) && !call_tenant(a, c))
		return false;
	writer = spool_begin(a->spool, tenant, name ? name : "", http_call_query(c, "type"), announced(c), &word, &why);
	if (!writer) {
		reply_spool_problem(c, word, why.buf);
		strbuf_release(&why);
		return false;
	}
	u = mem_alloc(sizeof(*u));
	*u = (struct upload){ .a = a, .call = c, .writer = writer };
	snprintf(u->tenant, sizeof(u->tenant), "%s", tenant);
	http_call_on_gone(c, on_gone, u);
	*sink = (struct http_sink){ .max = FILE_BYTES_MAX + SLACK, .write = on_piece, .arg = u };
	strbuf_release(&why);
	return true;
}

/* ---- all of it is there ---- */

static void on_handle(void *arg, const struct store_reply *r)
{
	struct upload *u = arg;
	json_t *o;

	if (u->call) {
		const struct tenant *t = conf_tenant(u->a->conf, u->tenant);

		o = json_object();
		if (t)
			media_put_file(o, t, &u->file);
		if (r && !r->error)
			json_put_text(o, "handle", u->handle);
		reply_json(u->call, 200, o);
	}
	end(u);
}

static void give_handle(struct upload *u, const struct tenant *t)
{
	char key[KEY_TEXT_MAX], ms[24];
	struct strbuf text = STRBUF_INIT;

	media_handle_new(u->handle);
	media_handle_write(&u->file, &text);
	key_media_handle(u->a->conf, t, u->handle, key);
	snprintf(ms, sizeof(ms), "%" PRId64, u->a->conf->media_spool_age);
	u->is_asking = true;
	if (store_command(u->a->store, (struct store_arg[]){ STORE_ARG("SET"), STORE_ARG(key), { text.buf, text.len }, STORE_ARG("PX"),
							     STORE_ARG(ms) }, 5, on_handle, u) < 0)
		on_handle(u, NULL);
	strbuf_release(&text);
}

static void finish(struct upload *u)
{
	const struct tenant *t = call_tenant(u->a, u->call);
	struct strbuf why = STRBUF_INIT;
	enum spool_word word;

	if (!t) {			/* it is answered */
		end(u);
		return;
	}
	word = spool_commit(&u->writer, &u->file, &why);
	if (word != SPOOL_OK) {
		fail(u, word, why.buf);
	} else {
		media_tell_operator(u->call, "media_upload", u->tenant, u->file.sha);
		u->a->spooled(u->a->arg);
		give_handle(u, t);
	}
	strbuf_release(&why);
}

static void on_tenant(void *arg, const struct registry_answer *answer)
{
	struct upload *u = arg;

	(void)answer;			/* call_tenant() finds out */
	u->is_asking = false;
	if (u->call)
		finish(u);
	else
		end(u);
}

void on_media_upload(struct admin *a, struct http_call *c)
{
	struct upload *u = http_call_sink(c);

	if (conf_tenant(a->conf, u->tenant)) {
		finish(u);
		return;
	}
	u->is_asking = true;
	registry_get(a->registry, u->tenant, false, on_tenant, u);
}
