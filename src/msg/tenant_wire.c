#include "msg/tenant_wire.h"

#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "conf/tenant_keys.h"

/* Fields are netstrings without the comma: "5:hello". */
static void put(struct strbuf *out, const char *s)
{
	strbuf_addf(out, "%zu:", s ? strlen(s) : (size_t)0);
	if (s)
		strbuf_adds(out, s);
}

static void put_number(struct strbuf *out, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	put(out, text);
}

struct reader { const char *p; size_t left; bool bad; };

/* The next field, borrowed; not terminated. */
static const char *next(struct reader *r, size_t *len)
{
	size_t n = 0, digits = 0;
	const char *at;

	while (!r->bad && digits < 8 && digits < r->left && r->p[digits] >= '0' && r->p[digits] <= '9')
		n = 10 * n + (size_t)(r->p[digits++] - '0');
	if (r->bad || !digits || digits >= r->left || r->p[digits] != ':' || n > r->left - digits - 1) {
		r->bad = true;
		*len = 0;
		return "";
	}
	at = r->p + digits + 1;
	r->p = at + n;
	r->left -= digits + 1 + n;
	*len = n;
	return at;
}

/* An empty field is NULL. */
static char *take(struct reader *r)
{
	size_t len;
	const char *at = next(r, &len);

	if (len && memchr(at, 0, len))
		r->bad = true;
	return len ? mem_strndup(at, len) : NULL;
}

static int64_t take_number(struct reader *r)
{
	char text[24];
	size_t len;
	const char *at = next(r, &len);
	int64_t v = 0;

	if (len >= sizeof(text) || memchr(at, 0, len)) {
		r->bad = true;
		return 0;
	}
	memcpy(text, at, len);
	text[len] = 0;
	if (!r->bad && parse_i64(text, &v) < 0)
		r->bad = true;
	return v;
}

static void take_name(struct reader *r, char out[TENANT_NAME_MAX + 1])
{
	size_t len;
	const char *at = next(r, &len);

	out[0] = 0;
	if (!len || len > TENANT_NAME_MAX || memchr(at, 0, len)) {
		r->bad = true;
		return;
	}
	memcpy(out, at, len);
	out[len] = 0;
	if (!tenant_name_is_good(out))
		r->bad = true;
}

void tenant_ask_write(const struct tenant_ask *a, struct strbuf *out)
{
	put(out, "ask");
	put(out, a->id);
	put_number(out, (int64_t)a->version);
	put_number(out, a->forced);
}

static bool is_kind(struct reader *r, const char *kind)
{
	size_t len;
	const char *at = next(r, &len);

	return !r->bad && len == strlen(kind) && !memcmp(at, kind, len);
}

int tenant_ask_read(const char *data, size_t len, struct tenant_ask *out)
{
	struct reader r = { data, len, false };

	if (!is_kind(&r, "ask"))
		return -1;
	take_name(&r, out->id);
	out->version = (uint64_t)take_number(&r);
	out->forced = take_number(&r) != 0;
	return r.bad || r.left ? -1 : 0;
}

void tenant_answer_write(const struct tenant_answer *a, struct strbuf *out)
{
	put(out, "tenant");
	put(out, a->id);
	put_number(out, a->word);
	put_number(out, (int64_t)a->version);
	put_number(out, a->forced);
	put_number(out, a->ms);
	put_number(out, a->keep_ms);
	put_number(out, (int64_t)a->total);
	put_number(out, (int64_t)a->offset);
	strbuf_add(out, a->part, a->len);
}

int tenant_answer_read(const char *data, size_t len, struct tenant_answer *out)
{
	struct reader r = { data, len, false };
	int64_t word, total, offset;

	if (!is_kind(&r, "tenant"))
		return -1;
	take_name(&r, out->id);
	word = take_number(&r);
	out->version = (uint64_t)take_number(&r);
	out->forced = take_number(&r) != 0;
	out->ms = take_number(&r);
	out->keep_ms = take_number(&r);
	total = take_number(&r);
	offset = take_number(&r);
	if (r.bad || word < TENANT_FOUND || word > TENANT_AWAY || total < 0 || total > TENANT_DOC_MAX || offset < 0 ||
	    offset > total || r.left > (size_t)(total - offset))
		return -1;
	out->word = (enum tenant_word)word;
	out->total = (size_t)total;
	out->offset = (size_t)offset;
	out->part = r.p;
	out->len = r.left;
	return 0;
}

void tenant_parts_drop(struct tenant_parts *p)
{
	mem_wipe(p->doc.buf, p->doc.size);
	strbuf_release(&p->doc);
	p->total = 0;
}

bool tenant_part_take(struct tenant_parts *p, const struct tenant_answer *a)
{
	if (!a->offset) {
		tenant_parts_drop(p);
		strbuf_reserve(&p->doc, a->total);
		p->total = a->total;
	}
	if (a->offset != p->doc.len || a->total != p->total)
		return false;
	strbuf_add(&p->doc, a->part, a->len);
	return p->doc.len == p->total;
}

enum { DOC_VERSION = 3 };

/* What goes over of an account, in this order. */
#define ACCOUNT_FIELDS(TEXT, NUMBER, FLAG) \
	TEXT(id) TEXT(phone_number_id) TEXT(waba_id) TEXT(app_id) NUMBER(token_since_ms) \
	NUMBER(token_expires_ms) TEXT(region) TEXT(tier) NUMBER(rate) FLAG(enabled) FLAG(is_default)

static void write_account(const struct account *a, bool with_tokens, struct strbuf *out)
{
#define WRITE_TEXT(field) put(out, a->field);
#define WRITE_NUMBER(field) put_number(out, a->field);
	ACCOUNT_FIELDS(WRITE_TEXT, WRITE_NUMBER, WRITE_NUMBER)
#undef WRITE_TEXT
#undef WRITE_NUMBER
	if (!with_tokens)
		return;
	put(out, a->token);
	put(out, a->replaced);
	put(out, a->proof);
}

static void write_key(const struct api_key *k, struct strbuf *out)
{
	char hex[2 * SHA256_LEN + 1];

	hex_encode(k->sha, SHA256_LEN, hex);
	put(out, k->id);
	put(out, hex);
	put_number(out, k->scopes);
	put_number(out, k->expires_ms);
}

void tenant_doc_write(const struct tenant *t, bool with_tokens, struct strbuf *out)
{
	/* At once: growing would leave copies of tokens behind. */
	strbuf_reserve(out, 512 + (size_t)t->n_accounts * (2 * ACCESS_TOKEN_MAX + 512) + (size_t)t->n_keys * 256);
	put_number(out, DOC_VERSION);
	put(out, t->id);
	put(out, t->domain);
	put_number(out, t->suspended);
	put_number(out, t->features_off);
	put_number(out, t->rate);
	put_number(out, t->n_keys);
	for (int i = 0; i < t->n_keys; i++)
		write_key(&t->keys[i], out);
	put_number(out, with_tokens);
	put_number(out, t->n_accounts);
	for (int i = 0; i < t->n_accounts; i++)
		write_account(t->accounts[i], with_tokens, out);
}

static void read_key(struct reader *r, struct tenant *t)
{
	char *id = take(r), *hex = take(r);
	struct api_key *k = id && hex ? tenant_add_key(t, id, hex) : NULL;
	int64_t scopes = take_number(r), expires_ms = take_number(r);

	if (k) {
		k->scopes = (unsigned)scopes & API_SCOPES_ALL;
		k->expires_ms = expires_ms;
	} else {
		r->bad = true;
	}
	free(id);
	free(hex);
}

static void read_secrets(struct reader *r, struct account *a)
{
	char *proof;

	a->token = take(r);
	a->replaced = take(r);
	proof = take(r);
	if (proof && strlen(proof) >= sizeof(a->proof))
		r->bad = true;
	else if (proof)
		snprintf(a->proof, sizeof(a->proof), "%s", proof);
	mem_free_secret(proof);
	if (!a->token || !access_token_is_good(a->token))
		r->bad = true;
}

static void read_account(struct reader *r, struct tenant *t, bool with_tokens)
{
	struct account *a = tenant_add_account(t);

#define READ_TEXT(field) a->field = take(r);
#define READ_NUMBER(field) a->field = take_number(r);
#define READ_FLAG(field) a->field = take_number(r) != 0;
	ACCOUNT_FIELDS(READ_TEXT, READ_NUMBER, READ_FLAG)
#undef READ_TEXT
#undef READ_NUMBER
#undef READ_FLAG
	if (with_tokens)
		read_secrets(r, a);
	if (!a->id || !tenant_name_is_good(a->id) || !a->phone_number_id || !graph_id_is_good(a->phone_number_id) || !a->waba_id ||
	    !graph_id_is_good(a->waba_id) || (a->region && !region_is_good(a->region)) || a->rate < 1)
		r->bad = true;
}

struct tenant *tenant_doc_read(const char *doc, size_t len)
{
	struct reader r = { doc, len, false };
	char id[TENANT_NAME_MAX + 1], domain[TENANT_NAME_MAX + 1];
	struct tenant *t;
	int64_t n;
	bool with_tokens;

	if (take_number(&r) != DOC_VERSION)
		return NULL;
	take_name(&r, id);
	take_name(&r, domain);
	if (r.bad)
		return NULL;
	t = tenant_new(id, domain);
	t->suspended = take_number(&r) != 0;
	t->features_off = (unsigned)take_number(&r);
	t->rate = take_number(&r);
	n = take_number(&r);
	for (int64_t i = 0; i < n && !r.bad; i++)
		read_key(&r, t);
	with_tokens = take_number(&r) != 0;
	n = take_number(&r);
	for (int64_t i = 0; i < n && !r.bad; i++)
		read_account(&r, t, with_tokens);
	if (r.bad || r.left || tenant_finish(t, NULL) < 0)
		tenant_free(&t);
	return t;
}

uint64_t tenant_doc_version(const struct strbuf *doc)
{
	uint8_t digest[SHA256_LEN];
	uint64_t v;

	sha256(doc->buf, doc->len, digest);
	memcpy(&v, digest, sizeof(v));
	v &= INT64_MAX;
	return v ? v : 1;
}
