#include "sandbox/assets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/ids.h"
#include "sandbox/json_out.h"
#include "sandbox/reception.h"
#include "sandbox/strmap.h"

enum { LIFE_S = 30 * 24 * 3600 };

struct assets {
	struct asset **all;
	size_t n;
	struct strmap by_id;
	bool strict;
};

struct assets *assets_new(void)
{
	return mem_alloc(sizeof(struct assets));
}

void assets_clear(struct assets *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->all[i]->pnid);
		free(a->all[i]->filename);
		free(a->all[i]);
	}
	free(a->all);
	strmap_release(&a->by_id);
	*a = (struct assets){ 0 };
}

void assets_free(struct assets **ap)
{
	if (!*ap)
		return;
	assets_clear(*ap);
	free(*ap);
	*ap = NULL;
}

void assets_be_strict(struct assets *a, bool strict)
{
	a->strict = strict;
}

struct asset *assets_add(struct assets *a, const char *pnid, const struct filekind *kind, const struct received *r, int64_t now_s)
{
	struct asset *f = mem_alloc(sizeof(*f));

	snprintf(f->id, sizeof(f->id), "%llu", (unsigned long long)(UINT64_C(1000000000000000) + ids_next() % UINT64_C(8000000000000000)));
	f->pnid = mem_strdup(pnid);
	f->filename = mem_strdup(r->filename);
	f->kind = kind;
	f->size = r->size;
	f->expires_s = now_s + LIFE_S;
	hex_encode(r->sha256, SHA256_LEN, f->sha256);
	if ((a->n & (a->n - 1)) == 0)
		a->all = mem_grow(a->all, a->n ? a->n * 2 : 1, sizeof(struct asset *));
	a->all[a->n++] = f;
	strmap_put(&a->by_id, f->id, f);
	a->strict = true;
	return f;
}

struct asset *assets_find(const struct assets *a, const char *id, size_t len)
{
	return strmap_get(&a->by_id, id, len);
}

bool asset_is_good(const struct asset *f, int64_t now_s)
{
	return !f->gone && now_s < f->expires_s;
}

int assets_expire(struct assets *a, const char *id)
{
	int n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (strcmp(id, "all") == 0 || strcmp(id, a->all[i]->id) == 0) {
			a->all[i]->expires_s = 0;
			n++;
		}
	return n;
}

void assets_print(const struct assets *a, int64_t now_s, struct strbuf *out)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < a->n; i++) {
		const struct asset *f = a->all[i];
		strbuf_addf(out, "%s{\"id\":\"%s\",\"phone_number_id\":", i ? ",\n" : "", f->id);
		json_out_cstring(out, f->pnid);
		strbuf_addf(out, ",\"mime_type\":\"%s\",\"filename\":", f->kind->mime);
		json_out_cstring(out, f->filename);
		strbuf_addf(out, ",\"sha256\":\"%s\",\"file_size\":%lld,\"expires_at\":%lld,\"state\":\"%s\",\"sends\":%llu}", f->sha256,
			    (long long)f->size, (long long)f->expires_s,
			    f->gone ? "deleted" : asset_is_good(f, now_s) ? "good" : "expired", (unsigned long long)f->sends);
	}
	strbuf_adds(out, "]\n");
}

/* ---- the ids in a message ---- */

static bool is_media_member(const char *name)
{
	static const char *const names[] = { "image", "video", "document", "audio", "sticker", "gif" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

typedef int asset_f(void *arg, const char *member, const char *id);

static int on_id(const char *member, const json_t *v, asset_f *f, void *arg)
{
	char digits[24];

	if (json_is_string(v))
		return f(arg, member, json_string_value(v));
	snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(v));
	return f(arg, member, digits);
}

/* Wherever a medium may stand: the payload itself, a header, a card, a template's parameter. */
static int walk(const char *member, const json_t *v, asset_f *f, void *arg)
{
	const json_t *id = json_object_get(v, "id");
	const char *name;
	size_t i;
	json_t *o;

	if (id && is_media_member(member))
		return on_id(member, id, f, arg);
	json_array_foreach(v, i, o)
		if (walk(member, o, f, arg) < 0)
			return -1;
	json_object_foreach((json_t *)(uintptr_t)v, name, o)
		if ((json_is_object(o) || json_is_array(o)) && walk(name, o, f, arg) < 0)
			return -1;
	return 0;
}

struct check { const struct assets *assets; const char *pnid; int64_t now_s; struct graph_error *error; };

/*
 * An id that is nobody's is a wrong parameter, 100: 131052 is what Meta says of inbound media that it cannot fetch, and 131053 of a file
 * that it has but cannot use.
 */
static int check_id(void *arg, const char *member, const char *id)
{
	const struct check *c = arg;
	const struct asset *f = assets_find(c->assets, id, strlen(id));

	if (!f || !asset_is_good(f, c->now_s) || strcmp(f->pnid, c->pnid))
		return graph_error_set(c->error, 100, "Param %s['id'] is not a valid whatsapp business account media attachment ID", member);
	if (!filekind_shows_as(f->kind, member))
		return graph_error_set(c->error, 131053, "The media %s is of type %s and cannot be sent as %s.", id, f->kind->mime, member);
	return 0;
}

int assets_check(const struct assets *a, const char *pnid, const char *type, const json_t *payload, int64_t now_s, struct graph_error *e)
{
	struct check c = { a, pnid, now_s, e };

	return a->strict ? walk(type, payload, check_id, &c) : 0;
}

static int count_id(void *arg, const char *member, const char *id)
{
	struct asset *f = assets_find(arg, id, strlen(id));

	(void)member;
	if (f)
		f->sends++;
	return 0;
}

void assets_count(struct assets *a, const char *type, const json_t *payload)
{
	if (a->n)
		walk(type, payload, count_id, a);
}
