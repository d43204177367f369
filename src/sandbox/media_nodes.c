/* Graph's nodes for media: upload, what is known of a file, delete. */
#include <string.h>

#include "base/clock.h"
#include "sandbox/account_nodes.h"
#include "sandbox/assets.h"
#include "sandbox/call.h"
#include "sandbox/manage.h"
#include "sandbox/params.h"
#include "sandbox/reception.h"
#include "sandbox/sandbox.h"

enum { URL_LIFE_S = 300 };

static int64_t now_s(void)
{
	return wall_ms() / 1000;
}

/* ---- upload ---- */

static int fail(struct managed *m, const char *what)
{
	manage_fail(m, 100, "%s", what);
	return -1;
}

static int check_parts(struct managed *m, const struct received *r)
{
	if (!r)
		return fail(m, "The request body must be multipart/form-data with one file, and end with its boundary.");
	if (strcmp(r->product, "whatsapp"))
		return fail(m, *r->product ? "Param messaging_product must be one of {whatsapp}." : "The parameter messaging_product is required.");
	return r->has_file ? 0 : fail(m, "The parameter file is required.");
}

static int fail_type(struct managed *m, const char *type)
{
	struct strbuf types = STRBUF_INIT;

	filekind_list(&types);
	manage_fail(m, 100, "Param file must be a file with one of the following types: %s. Received file of type '%s'.", types.buf, type);
	strbuf_release(&types);
	return -1;
}

/* The part's own type counts; "type" must say the same. */
static int find_kind(struct managed *m, const struct received *r, const struct filekind **kind)
{
	const char *type = *r->file_type ? r->file_type : r->type;

	*kind = filekind_find(type);
	if (!*kind)
		return fail_type(m, type);
	return *r->type && filekind_find(r->type) != *kind ? fail(m, "Param type is not the type of the file.") : 0;
}

static json_t *upload(struct managed *m)
{
	const struct received *r = reception_end(m->call->reception);
	const struct filekind *kind;

	if (check_parts(m, r) < 0 || find_kind(m, r, &kind) < 0 || filekind_check(kind, r->size, r->first, r->n_first, &m->error) < 0)
		return NULL;
	return json_pack("{s:s}", "id", assets_add(m->call->sandbox->assets, m->number->pnid, kind, r, now_s())->id);
}

void node_media_upload(struct call *c)
{
	manage(c, MANAGE_SENDER, upload);
}

/* ---- what is known ---- */

/* phone_number_id is the caller's own guard: then the file must be that number's. */
static bool is_there(struct managed *m)
{
	const char *pnid = param_text(call_params(m->call), "phone_number_id");

	if (asset_is_good(m->asset, now_s()) && (!pnid || strcmp(pnid, m->asset->pnid) == 0))
		return true;
	graph_no_object(m->call, &m->call->seg[1], &m->error);
	return false;
}

static json_t *describe(struct managed *m)
{
	const struct asset *f = m->asset;

	if (!is_there(m))
		return NULL;
	return json_pack("{s:s,s:o,s:s,s:s,s:I,s:s}", "messaging_product", "whatsapp",
			 "url", json_sprintf("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=%s&ext=%lld&hash=%.16s", f->id,
					     (long long)now_s() + URL_LIFE_S, f->sha256),
			 "mime_type", f->kind->mime, "sha256", f->sha256, "file_size", (json_int_t)f->size, "id", f->id);
}

void node_media_get(struct call *c)
{
	manage(c, MANAGE_MEDIA, describe);
}

static json_t *remove_file(struct managed *m)
{
	if (!is_there(m))
		return NULL;
	m->asset->gone = true;
	return manage_success();
}

void node_media_delete(struct call *c)
{
	manage(c, MANAGE_MEDIA, remove_file);
}
