#include "sandbox/reception.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/formdata.h"

struct reception {
	struct formdata *form;		/* NULL: the content type was another */
	EVP_MD_CTX *hash;
	char *text;			/* where the present part goes; NULL: the file, or nowhere */
	size_t text_size;
	bool in_file, twice;
	struct received got;
};

static void into(struct reception *r, char *text, size_t size)
{
	r->text = text;
	r->text_size = size;
}

static void on_part(void *arg, const struct formdata_part *p)
{
	struct reception *r = arg;

	into(r, NULL, 0);
	r->in_file = strcmp(p->name, "file") == 0;
	if (strcmp(p->name, "messaging_product") == 0)
		into(r, r->got.product, sizeof(r->got.product));
	else if (strcmp(p->name, "type") == 0)
		into(r, r->got.type, sizeof(r->got.type));
	if (!r->in_file)
		return;
	r->twice = r->twice || r->got.has_file;
	r->got.has_file = true;
	memcpy(r->got.file_type, p->type, sizeof(p->type));
	memcpy(r->got.filename, p->filename, sizeof(p->filename));
}

static void on_file(struct reception *r, const uint8_t *data, size_t len)
{
	size_t room = sizeof(r->got.first) - r->got.n_first, n = len < room ? len : room;

	memcpy(r->got.first + r->got.n_first, data, n);
	r->got.n_first += n;
	r->got.size += (int64_t)len;
	if (!EVP_DigestUpdate(r->hash, data, len))
		BUG("EVP_DigestUpdate");
}

static void on_data(void *arg, const void *data, size_t len)
{
	struct reception *r = arg;
	size_t used = r->text ? strlen(r->text) : 0, n;

	if (r->in_file) {
		on_file(r, data, len);
		return;
	}
	if (!r->text)
		return;
	n = len < r->text_size - used - 1 ? len : r->text_size - used - 1;
	memcpy(r->text + used, data, n);
}

struct reception *reception_new(const char *content_type)
{
	static const struct formdata_events events = { .part = on_part, .data = on_data };
	struct reception *r = mem_alloc(sizeof(*r));

	r->form = formdata_new(content_type, &events, r);
	r->hash = EVP_MD_CTX_new();
	if (!r->hash || !EVP_DigestInit_ex(r->hash, EVP_sha256(), NULL))
		BUG("EVP_DigestInit_ex");
	return r;
}

void reception_free(struct reception **rp)
{
	if (!*rp)
		return;
	formdata_free(&(*rp)->form);
	EVP_MD_CTX_free((*rp)->hash);
	free(*rp);
	*rp = NULL;
}

void reception_take(struct reception *r, const void *data, size_t len)
{
	if (r->form)
		formdata_feed(r->form, data, len);
}

const struct received *reception_end(struct reception *r)
{
	if (!r->form || !formdata_is_whole(r->form) || r->twice)
		return NULL;
	if (!EVP_DigestFinal_ex(r->hash, r->got.sha256, NULL))
		BUG("EVP_DigestFinal_ex");
	return &r->got;
}
