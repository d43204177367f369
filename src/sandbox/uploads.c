#include "sandbox/uploads.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/account_nodes.h"
#include "sandbox/call.h"
#include "sandbox/ids.h"
#include "sandbox/manage.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"
#include "sandbox/strmap.h"

enum { UPLOADS_MAX = 10000, UPLOAD_BYTES_MAX = 100 * 1024 * 1024 };

struct upload {
	char *id, *handle;		/* handle NULL: bytes are missing */
	int64_t length, have;
	const struct grant *grant;	/* whose it is */
};

struct uploads {
	struct upload **all;
	size_t n;
	struct strmap by_id, by_handle;
};

static const char *const file_types[] = { "application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4" };

struct uploads *uploads_new(void)
{
	return mem_alloc(sizeof(struct uploads));
}

void uploads_free(struct uploads **up)
{
	struct uploads *u = *up;

	if (!u)
		return;
	for (size_t i = 0; i < u->n; i++) {
		free(u->all[i]->id);
		free(u->all[i]->handle);
		free(u->all[i]);
	}
	free(u->all);
	strmap_release(&u->by_id);
	strmap_release(&u->by_handle);
	free(u);
	*up = NULL;
}

bool uploads_know_handle(const struct sandbox *s, const char *handle)
{
	return strmap_get(&s->uploads->by_handle, handle, strlen(handle)) != NULL;
}

static char *name_with(const char *prefix)
{
	uint64_t r[2] = { ids_next(), ids_next() };
	char text[32];
	struct strbuf sb = STRBUF_INIT;

	base64url_encode((const uint8_t *)r, sizeof(r), text);
	strbuf_addf(&sb, "%s%s", prefix, text);
	return strbuf_detach(&sb);
}

/* ---- 1: a session ---- */

static bool is_file_type(const char *type)
{
	for (size_t i = 0; type && i < ARRAY_LEN(file_types); i++)
		if (strcmp(type, file_types[i]) == 0)
			return true;
	return false;
}

static json_t *start(struct managed *m)
{
	const json_t *params = call_params(m->call);
	struct uploads *u = m->call->sandbox->uploads;
	int64_t length = param_number(params, "file_length", -1);
	struct upload *up;

	if (length < 1 || length > UPLOAD_BYTES_MAX)
		return manage_fail(m, 100, "Param file_length must be the size of the file in bytes");
	if (!is_file_type(param_text(params, "file_type")))
		return manage_fail(m, 100, "Param file_type must be one of {application/pdf, image/jpeg, image/jpg, image/png, video/mp4}");
	if (u->n == UPLOADS_MAX)
		return manage_fail(m, 4, "Application request limit reached");
	up = mem_alloc(sizeof(*up));
	up->id = name_with("upload:MTp");
	up->length = length;
	up->grant = m->token->grant;
	if ((u->n & (u->n - 1)) == 0)
		u->all = mem_grow(u->all, u->n ? u->n * 2 : 1, sizeof(struct upload *));
	u->all[u->n++] = up;
	strmap_put(&u->by_id, up->id, up);
	return json_pack("{s:s}", "id", up->id);
}

void upload_start(struct call *c)
{
	manage(c, MANAGE_APP, start);
}

/* ---- 2: its bytes ---- */

static struct upload *session(struct managed *m)
{
	const struct segment *id = &m->call->seg[1];
	struct upload *up = strmap_get(&m->call->sandbox->uploads->by_id, id->s, id->len);

	if (up && up->grant == m->token->grant)
		return up;
	graph_no_object(m->call, id, &m->error);
	return NULL;
}

static json_t *take_bytes(struct managed *m)
{
	struct upload *up = session(m);
	int64_t n = (int64_t)m->call->body.len;

	if (!up)
		return NULL;
	if (m->call->file_offset != up->have)
		return manage_fail(m, 100, "The file_offset does not match: the session has %lld bytes", (long long)up->have);
	if (n > up->length - up->have)
		return manage_fail(m, 100, "There are more bytes than file_length has announced");
	up->have += n;
	if (up->have < up->length)
		return json_pack("{s:s,s:I}", "id", up->id, "file_offset", (json_int_t)up->have);
	if (!up->handle) {
		up->handle = name_with("4::aW");
		strmap_put(&m->call->sandbox->uploads->by_handle, up->handle, up);
	}
	return json_pack("{s:s}", "h", up->handle);
}

void upload_bytes(struct call *c)
{
	manage(c, MANAGE_UPLOAD, take_bytes);
}

/* ---- 3: how far it came ---- */

static json_t *get_offset(struct managed *m)
{
	const struct upload *up = session(m);

	return up ? json_pack("{s:s,s:I}", "id", up->id, "file_offset", (json_int_t)up->have) : NULL;
}

void upload_offset(struct call *c)
{
	manage(c, MANAGE_UPLOAD, get_offset);
}
