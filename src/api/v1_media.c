/* Files of tenants: into the spool as they come, as a form or as they are; and what is known of them. */
#include <inttypes.h>
#include <strings.h>

#include "api/media_reply.h"
#include "api/v1_call.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"
#include "flow/media_ref.h"
#include "io/http_form.h"
#include "msg/reason.h"

enum { SLACK = 1 << 20, FIELD_MAX = 300 };	/* the spool's own limit comes first, for it has the better words */

struct upload {
	struct v1_call *q;		/* NULL: answered, or the client has gone */
	struct v1 *v;
	struct spool_writer *writer;
	struct http_form *form;		/* NULL: the body is the file */
	struct strbuf type, filename;	/* as the call says; of a form its fields, which may come behind the file */
	struct strbuf part_type, part_filename;	/* of the file's part, where no field says it */
	bool has_file;
	char handle[MEDIA_HANDLE_LEN + 1];
	struct spool_file file;
};

/* What clients say when they do not know. */
static const char *known_type(const char *type)
{
	static const char *const unknown[] = { "application/octet-stream", "application/x-www-form-urlencoded" };

	for (size_t i = 0; type && i < ARRAY_LEN(unknown); i++)
		if (!strncasecmp(type, unknown[i], strlen(unknown[i])))
			return "";
	return type ? type : "";
}

static void upload_free(struct upload *u)
{
	spool_abort(&u->writer);
	http_form_end(&u->form);
	strbuf_release(&u->type);
	strbuf_release(&u->filename);
	strbuf_release(&u->part_type);
	strbuf_release(&u->part_filename);
	free(u);
}

static void end_work(void *work)
{
	upload_free(work);
}

/* The call, to be answered; what else comes of its body is thrown away. */
static struct v1_call *take_call(struct upload *u)
{
	struct v1_call *q = u->q;

	q->work = NULL;
	u->q = NULL;
	return q;
}

static void refuse(struct upload *u, int status, const char *code, const char *why)
{
	struct v1_call *q = take_call(u);

	if (strstr(why, ": ") && status < 500)
		v1_bad_field(q, status, code, why);
	else
		v1_problem(q, status, code, why);
}

static void refuse_file(struct upload *u, enum spool_word word, const char *why)
{
	refuse(u, media_status(word, why), spool_code(word), why);
}

/* ---- the bytes ---- */

static bool take_bytes(struct upload *u, const void *data, size_t len)
{
	struct strbuf why = STRBUF_INIT;
	enum spool_word word = spool_write(u->writer, data, len, &why);

	if (word != SPOOL_OK)
		refuse_file(u, word, why.buf);
	strbuf_release(&why);
	return word == SPOOL_OK;
}

static bool take_field(struct upload *u, const char *name, struct strbuf *to, const void *data, size_t len)
{
	struct strbuf why = STRBUF_INIT;

	if (to->len + len <= FIELD_MAX && !memchr(data, 0, len)) {
		strbuf_add(to, data, len);
		return true;
	}
	strbuf_setf(&why, "%s: allowed at most %d bytes of text", name, FIELD_MAX);
	refuse(u, 400, "bad_request", why.buf);
	strbuf_release(&why);
	return false;
}

static bool take_file(struct upload *u, const struct http_part *p, const void *data, size_t len)
{
	if (p->offset == 0 && u->has_file && len > 0) {
		refuse(u, 400, "bad_request", "file: found several, allowed one");
		return false;
	}
	if (p->offset == 0 && !u->has_file) {
		strbuf_setf(&u->part_type, "%.*s", FIELD_MAX, known_type(p->type));
		strbuf_setf(&u->part_filename, "%.*s", FIELD_MAX, p->filename ? p->filename : "");
	}
	u->has_file = u->has_file || len > 0;
	return take_bytes(u, data, len);
}

/* Parts of other names are let pass. */
static bool on_part(void *arg, const struct http_part *p, const void *data, size_t len)
{
	struct upload *u = arg;

	if (!strcmp(p->name, "file"))
		return take_file(u, p, data, len);
	if (!strcmp(p->name, "type"))
		return take_field(u, "type", &u->type, data, len);
	if (!strcmp(p->name, "filename"))
		return take_field(u, "filename", &u->filename, data, len);
	return true;
}

static void take_body(struct upload *u, const void *data, size_t len)
{
	if (!u->form)
		take_bytes(u, data, len);
	else if (http_form_add(u->form, data, len) < 0 && u->q)
		refuse(u, 400, "bad_request", "the body is no multipart/form-data, or the head of one of its parts is too long");
}

/* Once it is refused no more comes here. */
static void on_piece(void *arg, const void *data, size_t len)
{
	struct upload *u = arg;

	take_body(u, data, len);
	if (!u->q)
		upload_free(u);
}

/* ---- the beginning ---- */

/* What a raw body is called stands in its head. */
static void read_head(struct upload *u)
{
	const char *name = http_call_query(u->q->http, "filename"), *type = known_type(http_call_header(u->q->http, "Content-Type"));

	if (u->form)
		return;
	strbuf_setf(&u->filename, "%.*s", FIELD_MAX, name ? name : "");
	strbuf_setf(&u->type, "%.*s", FIELD_MAX, type);
}

static int64_t announced(const struct upload *u)
{
	const char *text = http_call_header(u->q->http, "Content-Length");
	int64_t n;

	return !u->form && text && parse_i64(text, &n) == 0 && n >= 0 ? n : -1;
}

static int begin(struct upload *u)
{
	struct v1_call *q = u->q;
	struct strbuf why = STRBUF_INIT;
	enum spool_word word;

	if (!conf_feature_is_on(u->v->conf, q->tenant, FEATURE_MEDIA)) {
		refuse(u, 403, reason_code(REASON_FEATURE_DISABLED), "files are switched off, for all or for the tenant");
		return -1;
	}
	if (http_form_is(q->http)) {
		u->form = http_form_new(q->http, on_part, u);
		if (!u->form) {
			refuse(u, 400, "bad_request", "Content-Type: multipart/form-data without a boundary");
			return -1;
		}
	}
	read_head(u);
	u->writer = spool_begin(u->v->admin.spool, q->tenant->id, u->filename.buf, u->type.buf, announced(u), &word, &why);
	if (!u->writer)
		refuse_file(u, word, why.buf);
	strbuf_release(&why);
	return u->writer ? 0 : -1;
}

/* NULL: the problem is answered. */
static struct upload *upload_new(struct v1_call *q)
{
	struct upload *u = mem_alloc(sizeof(*u));

	*u = (struct upload){ .q = q, .v = q->v, .type = STRBUF_INIT, .filename = STRBUF_INIT, .part_type = STRBUF_INIT,
			      .part_filename = STRBUF_INIT };
	q->work = u;
	q->end_work = end_work;
	if (begin(u) < 0) {
		upload_free(u);
		u = NULL;
	}
	return u;
}

/* Also where more came than goes into the sink: the server has answered that. */
static void on_gone(void *arg)
{
	struct upload *u = arg;

	if (u->q)
		v1_end(take_call(u));
	upload_free(u);
}

bool v1_media_begin(struct v1_call *q, struct http_sink *sink)
{
	struct http_call *c = q->http;
	struct upload *u = upload_new(q);

	if (!u)
		return false;
	http_call_on_gone(c, on_gone, u);
	*sink = (struct http_sink){ .max = FILE_BYTES_MAX + SLACK, .write = on_piece, .arg = u };
	return true;
}

/* ---- all of it is there ---- */

static void answer(struct upload *u, bool has_handle)
{
	struct v1_call *q = take_call(u);
	struct strbuf place = STRBUF_INIT;
	json_t *o = json_object();

	media_put_file(o, q->tenant, &u->file);
	if (has_handle)
		json_put_text(o, "handle", u->handle);
	strbuf_addf(&place, "/v1/media/%s", has_handle ? u->handle : u->file.sha);
	v1_header(q, "Location", place.buf);
	strbuf_release(&place);
	upload_free(u);
	v1_answer(q, 201, o);
}

static void on_handle(void *arg, const struct store_reply *r)
{
	answer(arg, r && !r->error);
}

static void give_handle(struct upload *u)
{
	char key[KEY_TEXT_MAX], ms[24];
	struct strbuf text = STRBUF_INIT;

	media_handle_new(u->handle);
	media_handle_write(&u->file, &text);
	key_media_handle(u->v->conf, u->q->tenant, u->handle, key);
	snprintf(ms, sizeof(ms), "%" PRId64, u->v->conf->media_spool_age);
	if (store_command(u->v->store, (struct store_arg[]){ STORE_ARG("SET"), STORE_ARG(key), { text.buf, text.len }, STORE_ARG("PX"),
							     STORE_ARG(ms) }, 5, on_handle, u) < 0)
		answer(u, false);	/* its digest names it, too */
	strbuf_release(&text);
}

static enum spool_word commit(struct upload *u, struct strbuf *why)
{
	const char *name = u->filename.len ? u->filename.buf : u->part_filename.buf;
	const char *type = u->type.len ? u->type.buf : u->part_type.buf;
	enum spool_word word = spool_describe(u->writer, name, type, why);

	return word == SPOOL_OK ? spool_commit(&u->writer, &u->file, why) : word;
}

/* false: it is answered. */
static bool form_is_good(struct upload *u)
{
	if (!u->form)
		return true;
	if (!http_form_end(&u->form))
		refuse(u, 400, "bad_request", "the form ends before its end");
	else if (!u->has_file)
		refuse(u, 400, spool_code(SPOOL_EMPTY), "file: is missing or empty");
	return u->q != NULL;
}

static void finish(struct upload *u)
{
	struct strbuf why = STRBUF_INIT;
	enum spool_word word;

	if (!form_is_good(u)) {
		upload_free(u);
		return;
	}
	word = commit(u, &why);
	if (word != SPOOL_OK) {
		refuse_file(u, word, why.buf);
		upload_free(u);
	} else {
		log_info("media_taken", "tenant=%s sha256=%.12s bytes=%" PRId64, u->q->tenant->id, u->file.sha, u->file.size);
		v1_keeper_spooled(u->v, u->q->tenant, u->file.size);
		give_handle(u);
	}
	strbuf_release(&why);
}

void v1_media_end(void *sink_arg)
{
	struct upload *u = sink_arg;

	http_call_on_gone(u->q->http, v1_on_gone, u->q);
	finish(u);
}

/* Whose key it is was not known when it began to come: all of it is in memory. */
void on_v1_media_upload(struct v1_call *q)
{
	size_t len;
	const char *body = http_call_body(q->http, &len);
	struct upload *u = upload_new(q);

	if (!u)
		return;
	take_body(u, body, len);
	if (u->q)
		finish(u);
	else
		upload_free(u);
}

void on_v1_media(struct v1_call *q)
{
	v1_let_answer(q, on_media_show, NULL, q->id);
}

void on_v1_media_delete(struct v1_call *q)
{
	v1_let_answer(q, on_media_delete, NULL, q->id);
}
