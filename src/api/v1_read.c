#include "api/v1_posting.h"

#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

enum { VALUES_A_MESSAGE = 400, WAIT_MAX_S = 30, KEY_MAX = 255 };

void v1_posting_free(struct posting *p)
{
	loop_timer_stop(p->v->loop, &p->deadline);
	for (int i = 0; i < p->n; i++)
		post_item_release(&p->items[i]);
	free(p->items);
	free(p->idempotency_key);
	free(p);
}

/* ---- one message ---- */

/* The same request makes the same ids, with Redis or without: what was published twice is sent once. */
static void make_id(const struct posting *p, int index, char out[UUID_LEN + 1])
{
	struct strbuf text = STRBUF_INIT;
	uint8_t digest[SHA256_LEN];

	if (!p->idempotency_key) {
		uuid_v7(out);
		return;
	}
	strbuf_addf(&text, "%s%c%s%c%d", p->tenant->id, 0, p->idempotency_key, 0, p->is_batch ? index : -1);
	sha256(text.buf, text.len, digest);
	uuid_v8(digest, out);
	strbuf_release(&text);
}

static void read_item(struct posting *p, int index, json_t *o, bool needs_second)
{
	struct post_item *i = &p->items[index];
	const struct account *account;
	char made[UUID_LEN + 1];
	struct message m;

	post_item_init(i);
	i->p = p;
	if (needs_second && json_is_object(o) && !post_item_is_second(o)) {
		post_item_refuse(i, 422, reason_code(REASON_BAD_FIELD), "wabaPayload: is missing");
		return;
	}
	make_id(p, index, made);
	post_item_read(i, &(struct post_frame){ .conf = p->v->conf, .tenant = p->tenant, .other_tenant = "the API key is another tenant's",
						.made_id = made, .correlation_id = *p->q->correlation_id ? p->q->correlation_id : NULL },
		       o, &m, &account);
	message_release(&m);
}

/* ---- the request ---- */

/* Of "respond-async, wait=10". */
static int64_t wait_ms(const struct http_call *c)
{
	const char *prefer = http_call_header(c, "Prefer"), *at = prefer ? strstr(prefer, "wait=") : NULL;
	char digits[8];
	int64_t s;

	if (!at || (at != prefer && !strchr(" ,;", at[-1])))
		return 0;
	snprintf(digits, sizeof(digits), "%.*s", (int)strspn(at + 5, "0123456789"), at + 5);
	if (parse_i64(digits, &s) < 0)
		return 0;
	return (s < WAIT_MAX_S ? s : WAIT_MAX_S) * 1000;
}

/* -1: the problem is answered. */
static int read_key(struct posting *p)
{
	const char *key = http_call_header(p->q->http, "Idempotency-Key");
	size_t n = key ? strlen(key) : 0;

	if (!key)
		return 0;
	if (!n || n > KEY_MAX) {
		v1_bad_field(p->q, 400, "bad_header", "Idempotency-Key: allowed 1 to 255 bytes");
		return -1;
	}
	p->idempotency_key = mem_strdup(key);
	uuid_v7(p->owner);
	key_request(p->v->conf, p->tenant, key, p->record);
	return 0;
}

static void digest_of(const json_t *root, char out[2 * SHA256_LEN + 1])
{
	struct strbuf text = STRBUF_INIT;
	uint8_t digest[SHA256_LEN];

	json_dump_to(root, JSON_COMPACT | JSON_SORT_KEYS, &text);
	sha256(text.buf, text.len, digest);
	hex_encode(digest, SHA256_LEN, out);
	strbuf_release(&text);
}

static json_t *parse(struct v1_call *q)
{
	struct strbuf why = STRBUF_INIT;
	const char *type = http_call_header(q->http, "Content-Type");
	json_t *root = NULL;
	enum json_verdict v;
	size_t len;
	const char *body = http_call_body(q->http, &len);

	if (type && strncasecmp(type, "application/json", 16) != 0) {
		v1_problem(q, 415, "media_type", "the body must be application/json");
		return NULL;
	}
	v = json_parse_large(body, len, VALUES_A_MESSAGE * (int)q->v->conf->api_batch, &root, &why);
	if (v != JSON_OK)
		v1_problem(q, v == JSON_TOO_LARGE ? 413 : 400, post_item_json_code(v), why.buf);
	strbuf_release(&why);
	return root;
}

/* A list, an object with the list in "messages", or one message. */
static bool find_list(json_t *root, json_t **list)
{
	json_t *messages = json_is_array(root) ? root : json_object_get(root, "messages");

	*list = messages;
	return json_is_array(messages);
}

/* -1: the problem is answered. */
static int read_items(struct posting *p, json_t *root, bool second)
{
	size_t max = (size_t)p->v->conf->api_batch, n = 1;
	struct strbuf why = STRBUF_INIT;
	json_t *list;

	p->is_batch = find_list(root, &list);
	if (p->is_batch)
		n = json_array_size(list);
	if (!n || n > max) {
		strbuf_setf(&why, "messages: found %zu, allowed 1 to %zu", n, max);
		v1_bad_field(p->q, 422, "bad_field", why.buf);
		strbuf_release(&why);
		return -1;
	}
	p->items = mem_array(n, sizeof(*p->items));
	p->n = (int)n;
	for (int i = 0; i < p->n; i++)
		read_item(p, i, p->is_batch ? json_array_get(list, (size_t)i) : root, second);
	return 0;
}

static void on_no_deadline(void *arg UNUSED)
{
}

struct posting *v1_posting_read(struct v1_call *q, bool second_envelope)
{
	json_t *root = parse(q);
	struct posting *p;

	if (!root)
		return NULL;
	p = mem_alloc(sizeof(*p));
	*p = (struct posting){ .q = q, .v = q->v, .tenant = q->tenant, .wait_ms = wait_ms(q->http) };
	loop_timer_init(&p->deadline, on_no_deadline, p);
	digest_of(root, p->digest);		/* of what was sent, before anything is filled in */
	if (read_key(p) < 0 || read_items(p, root, second_envelope) < 0) {
		v1_posting_free(p);
		p = NULL;
	}
	json_decref(root);
	return p;
}
