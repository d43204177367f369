#include "flow/copy.h"

#include "flow/delivery.h"

enum { VERSION = 1 };
static const uint32_t no_text = UINT32_MAX;

static bool is_ours_or_the_brokers(const struct broker_text *name, bool has_hop)
{
	return (has_hop && broker_text_is(*name, HOP_HEADER)) || (name->len >= 7 && !memcmp(name->p, "x-death", 7)) ||
	       (name->len >= 8 && !memcmp(name->p, "x-first-", 8));
}

void copy_properties(const struct broker_properties *in, int priority, const struct hop *hop, char text[HOP_TEXT_MAX],
		     struct broker_properties *out)
{
	bool has_hop = hop->kind != HOP_NONE;

	*out = *in;
	out->n_headers = 0;
	for (int i = 0; i < in->n_headers && out->n_headers < BROKER_HEADERS_MAX - 1; i++)
		if (!is_ours_or_the_brokers(&in->headers[i].name, has_hop))
			out->headers[out->n_headers++] = in->headers[i];
	if (has_hop) {
		hop_format(hop, text);
		out->headers[out->n_headers++] = (struct broker_header){ BROKER_TEXT(HOP_HEADER), BROKER_TEXT(text) };
	}
	out->priority = priority;
}

/* ---- in Redis: numbers and texts one after the other, the body last ---- */

static void put_number(struct strbuf *out, int64_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

static void put_text(struct strbuf *out, struct broker_text t)
{
	uint32_t len = t.p ? (uint32_t)t.len : no_text;

	strbuf_add(out, &len, sizeof(len));
	if (!t.p)
		return;
	strbuf_add(out, t.p, t.len);
	strbuf_addc(out, 0);
}

void copy_write(const struct copy *c, struct strbuf *out)
{
	const struct broker_properties *p = &c->props;

	put_number(out, VERSION);
	put_number(out, c->first_seen_ms);
	put_number(out, c->hops);
	put_number(out, c->priority);
	put_number(out, p->timestamp_s);
	put_text(out, p->content_type);
	put_text(out, p->correlation_id);
	put_text(out, p->message_id);
	put_text(out, p->type);
	put_text(out, p->app_id);
	put_number(out, p->n_headers);
	for (int i = 0; i < p->n_headers; i++) {
		put_text(out, p->headers[i].name);
		put_text(out, p->headers[i].value);
	}
	strbuf_add(out, c->body, c->len);
}

struct reader { const char *p; size_t left; bool failed; };

static const char *take(struct reader *r, size_t n)
{
	const char *at = r->p;

	if (r->failed || n > r->left) {
		r->failed = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return at;
}

static int64_t take_number(struct reader *r)
{
	const char *at = take(r, sizeof(int64_t));
	int64_t v = 0;

	if (at)
		memcpy(&v, at, sizeof(v));
	return v;
}

static struct broker_text take_text(struct reader *r)
{
	const char *at = take(r, sizeof(uint32_t));
	uint32_t len = no_text;

	if (at)
		memcpy(&len, at, sizeof(len));
	if (len == no_text)
		return (struct broker_text){ NULL, 0 };
	at = take(r, (size_t)len + 1);
	return (struct broker_text){ at, at ? len : 0 };
}

int copy_read(struct copy *c, const void *data, size_t len)
{
	struct reader r = { data, len, false };
	int64_t n;

	*c = (struct copy){ .priority = 0 };
	if (take_number(&r) != VERSION)
		return -1;
	c->first_seen_ms = take_number(&r);
	c->hops = (int)take_number(&r);
	c->priority = (int)take_number(&r);
	c->props.timestamp_s = take_number(&r);
	c->props.persistent = true;
	c->props.content_type = take_text(&r);
	c->props.correlation_id = take_text(&r);
	c->props.message_id = take_text(&r);
	c->props.type = take_text(&r);
	c->props.app_id = take_text(&r);
	n = take_number(&r);
	if (n < 0 || n > BROKER_HEADERS_MAX)
		return -1;
	for (int i = 0; i < n; i++) {
		c->props.headers[i].name = take_text(&r);
		c->props.headers[i].value = take_text(&r);
	}
	c->props.n_headers = (int)n;
	c->props.priority = c->priority;
	c->body = r.p;
	c->len = r.left;
	return r.failed ? -1 : 0;
}

void copy_seal(const struct delivery *d, struct strbuf *out)
{
	const struct conf *c = d->s->conf;
	struct copy copy = { .props = d->props, .priority = d->priority, .first_seen_ms = d->hop.first_seen_ms, .hops = d->hop.hops,
			     .body = d->body.buf, .len = d->body.len };
	static struct strbuf text = STRBUF_INIT;	/* its memory is kept: one for each message that is sent would cost more than its seal */

	if (!c->webhook_apps.n || !c->body_ttl || d->m.is_control)
		return;
	strbuf_reset(&text);
	copy_write(&copy, &text);
	identity_seal(d->s->identity, d->key, text.buf, text.len, out);
}
