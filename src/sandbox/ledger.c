#include "sandbox/ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/ids.h"
#include "sandbox/json_out.h"

enum { CHUNK = 1 << 20, PIECE = 64 * 1024, TO_MAX = 255, TYPE_MAX = 31, PNID_MAX = 64, CALLBACK_MAX = 4096 };

enum { ACCEPTED = 1, ANSWERED = 2, IS_H2 = 4, BODY_IS_JSON = 8, RECEIPT = 16 };

/* Followed by pnid, to, type, callback, wa_id (when it is not in `to`), body, rendered; the next entry begins at a multiple of 8. */
struct ledger_entry {
	int64_t t_us;
	uint64_t wamid_id;
	uint32_t seq, conn, body_len, rendered_len;
	int32_t code;
	uint16_t http, callback_len;
	uint8_t pnid_len, to_len, type_len, wa_id_len, fault, flags;
	uint8_t webhooks[HOOK_STATUSES];
	uint8_t sha256[SHA256_LEN];
};

struct chunk { char *data; size_t size, used; uint32_t first_seq; };

struct ledger {
	struct chunk *chunks;
	size_t n, size;
	uint32_t seq;
	unsigned generation;
};

struct ledger_reader {
	const struct ledger *ledger;
	unsigned generation;
	size_t chunk, at;
	uint32_t since, last;
};

struct ledger *ledger_new(void)
{
	return mem_alloc(sizeof(struct ledger));
}

void ledger_reset(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->chunks[i].data);
	free(l->chunks);
	*l = (struct ledger){ .generation = l->generation + 1 };
}

void ledger_free(struct ledger **lp)
{
	if (!*lp)
		return;
	ledger_reset(*lp);
	free(*lp);
	*lp = NULL;
}

uint64_t ledger_last_seq(const struct ledger *l)
{
	return l->seq;
}

static size_t entry_size(const struct ledger_entry *e)
{
	size_t n = sizeof(*e) + e->pnid_len + e->to_len + e->type_len + (size_t)e->callback_len + e->wa_id_len + e->body_len +
		   e->rendered_len;

	return (n + 7) & ~(size_t)7;
}

/* The data is not mem_alloc()ed: a chunk is written once, from its start, so zeroing it would only cost page faults. */
static void add_chunk(struct ledger *l, size_t need)
{
	size_t size = need > CHUNK ? need : CHUNK;

	if (l->n == l->size) {
		l->size = l->size ? l->size * 2 : 64;
		l->chunks = mem_grow(l->chunks, l->size, sizeof(*l->chunks));
	}
	l->chunks[l->n++] = (struct chunk){ .data = mem_grow(NULL, size, 1), .size = size, .first_seq = l->seq };
}

static char *room_for(struct ledger *l, size_t need)
{
	struct chunk *c;

	if (l->n == 0 || l->chunks[l->n - 1].size - l->chunks[l->n - 1].used < need)
		add_chunk(l, need);
	c = &l->chunks[l->n - 1];
	c->used += need;
	return c->data + c->used - need;
}

static size_t at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

static char *append(char *to, const char *s, size_t n)
{
	if (n)
		memcpy(to, s, n);
	return to + n;
}

static uint8_t flags_of(const struct ledger_note *n)
{
	return (uint8_t)((n->accepted ? ACCEPTED : 0) | (n->h2 ? IS_H2 : 0) | (n->body_is_json ? BODY_IS_JSON : 0) |
			 (n->receipt ? RECEIPT : 0));
}

struct ledger_ref ledger_add(struct ledger *l, const struct ledger_note *n)
{
	struct ledger_entry head = {
		.t_us = n->t_us, .wamid_id = n->wamid_id, .seq = ++l->seq, .conn = n->conn, .body_len = (uint32_t)n->body.len,
		.rendered_len = (uint32_t)n->rendered.len,
		.code = n->code, .http = (uint16_t)n->http, .callback_len = (uint16_t)at_most(n->callback.len, CALLBACK_MAX),
		.pnid_len = (uint8_t)at_most(n->pnid.len, PNID_MAX), .to_len = (uint8_t)at_most(n->to.len, TO_MAX),
		.type_len = (uint8_t)at_most(n->type.len, TYPE_MAX), .wa_id_len = (uint8_t)at_most(n->wa_id.len, RECIPIENT_MAX),
		.fault = (uint8_t)n->fault, .flags = flags_of(n),
	};
	char *p = room_for(l, entry_size(&head));
	struct ledger_ref ref = { (struct ledger_entry *)(void *)p, l->generation };

	memcpy(head.sha256, n->sha256, SHA256_LEN);
	p = append(p, (const char *)&head, sizeof(head));
	p = append(p, n->pnid.s, head.pnid_len);
	p = append(p, n->to.s, head.to_len);
	p = append(p, n->type.s, head.type_len);
	p = append(p, n->callback.s, head.callback_len);
	p = append(p, n->wa_id.s, head.wa_id_len);
	p = append(p, n->body.s, head.body_len);
	append(p, n->rendered.s, head.rendered_len);
	return ref;
}

void ledger_mark_answered(struct ledger *l, struct ledger_ref ref)
{
	if (ref.entry && ref.generation == l->generation)
		ref.entry->flags |= ANSWERED;
}

void ledger_mark_webhook(struct ledger *l, struct ledger_ref ref, enum hook_status s)
{
	if (ref.entry && ref.generation == l->generation && ref.entry->webhooks[s] < UINT8_MAX)
		ref.entry->webhooks[s]++;
}

/* ---- reading ---- */

struct ledger_reader *ledger_reader_new(const struct ledger *l, uint64_t since)
{
	struct ledger_reader *r = mem_alloc(sizeof(*r));

	*r = (struct ledger_reader){ .ledger = l, .generation = l->generation, .last = l->seq,
				     .since = since > UINT32_MAX ? UINT32_MAX : (uint32_t)since };
	while (r->chunk + 1 < l->n && l->chunks[r->chunk + 1].first_seq <= r->since)
		r->chunk++;
	return r;
}

void ledger_reader_free(void *reader)
{
	free(reader);
}

static const char *string_member(struct strbuf *out, const char *name, const char *s, size_t n)
{
	strbuf_adds(out, name);
	json_out_string(out, s, n);
	return s + n;
}

/* A body that is JSON goes out as it came; line ends in it can only be white space, and would end our line. */
static void body_member(struct strbuf *out, const struct ledger_entry *e, const char *body)
{
	size_t from;

	if (!e->body_len)
		return;
	strbuf_adds(out, ",\"body\":");
	if (!(e->flags & BODY_IS_JSON)) {
		json_out_string(out, body, e->body_len);
		return;
	}
	from = out->len;
	strbuf_add(out, body, e->body_len);
	for (size_t i = from; i < out->len; i++)
		if (out->buf[i] == '\n' || out->buf[i] == '\r')
			out->buf[i] = ' ';
}

static void number_member(struct strbuf *out, const char *name, uint64_t n)
{
	strbuf_adds(out, name);
	json_out_u64(out, n);
}

static void wamid_member(struct strbuf *out, const struct ledger_entry *e, const char *wa_id)
{
	char wamid[WAMID_SIZE];

	if (!(e->flags & ACCEPTED) || (e->flags & RECEIPT)) {
		strbuf_adds(out, ",\"wamid\":null");
		return;
	}
	wamid_format(wa_id, e->wa_id_len, e->wamid_id, wamid);
	strbuf_adds(out, ",\"wamid\":\"");
	strbuf_adds(out, wamid);
	strbuf_addc(out, '"');
}

static void webhooks_member(struct strbuf *out, const struct ledger_entry *e)
{
	const char *comma = "";

	strbuf_adds(out, ",\"webhooks\":{");
	for (int s = 0; s < HOOK_STATUSES; s++) {
		if (!e->webhooks[s])
			continue;
		strbuf_addf(out, "%s\"%s\":%u", comma, hook_status_word((enum hook_status)s), e->webhooks[s]);
		comma = ",";
	}
	strbuf_addc(out, '}');
}

static void print_entry(struct strbuf *out, const struct ledger_entry *e)
{
	const char *p = (const char *)(e + 1), *fault = fault_kind_name((enum fault_kind)e->fault);
	char hash[2 * SHA256_LEN + 1];

	strbuf_addf(out, "{\"t\":%" PRId64 ".%06d", e->t_us / 1000000, (int)(e->t_us % 1000000));
	number_member(out, ",\"seq\":", e->seq);
	p = string_member(out, ",\"pnid\":", p, e->pnid_len);
	p = string_member(out, ",\"to\":", p, e->to_len);
	p = string_member(out, ",\"type\":", p, e->type_len);
	p = string_member(out, ",\"callback\":", p, e->callback_len);
	hex_encode(e->sha256, SHA256_LEN, hash);
	strbuf_adds(out, ",\"sha256\":\"");
	strbuf_add(out, hash, 2 * SHA256_LEN);
	strbuf_adds(out, e->flags & ACCEPTED ? "\",\"accepted\":true" : "\",\"accepted\":false");
	number_member(out, ",\"code\":", (uint64_t)e->code);
	number_member(out, ",\"http\":", e->http);
	strbuf_adds(out, ",\"fault\":");
	if (fault)
		json_out_cstring(out, fault);
	else
		strbuf_adds(out, "null");
	wamid_member(out, e, p);
	number_member(out, ",\"conn\":", e->conn);
	strbuf_adds(out, e->flags & IS_H2 ? ",\"proto\":\"h2\"" : ",\"proto\":\"h1\"");
	strbuf_adds(out, e->flags & ANSWERED ? ",\"answered\":true" : ",\"answered\":false");
	webhooks_member(out, e);
	body_member(out, e, p + e->wa_id_len);
	if (e->rendered_len) {
		strbuf_adds(out, ",\"rendered\":");
		strbuf_add(out, p + e->wa_id_len + e->body_len, e->rendered_len);
	}
	strbuf_adds(out, "}\n");
}

static const struct ledger_entry *next_entry(struct ledger_reader *r)
{
	const struct ledger *l = r->ledger;

	if (r->generation != l->generation)
		return NULL;	/* reset meanwhile: what was asked for is gone */
	while (r->chunk < l->n && r->at == l->chunks[r->chunk].used) {
		r->chunk++;
		r->at = 0;
	}
	if (r->chunk >= l->n)
		return NULL;
	const struct ledger_entry *e = (const void *)(l->chunks[r->chunk].data + r->at);
	if (e->seq > r->last)
		return NULL;
	r->at += entry_size(e);
	return e;
}

bool ledger_read(void *reader, struct strbuf *out)
{
	const struct ledger_entry *e = NULL;

	while (out->len < PIECE && (e = next_entry(reader)))
		if (e->seq > ((struct ledger_reader *)reader)->since)
			print_entry(out, e);
	return e != NULL;
}
