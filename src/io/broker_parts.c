#include "io/broker_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	BODY_KEEP = 1 << 20,		/* memory of larger bodies is given back */
	NAME_MAX_LEN = 255,		/* AMQP's short strings */
	PASSWORD_MAX = 1024,
};

bool broker_text_is(struct broker_text t, const char *text)
{
	return t.p && t.len == strlen(text) && !memcmp(t.p, text, t.len);
}

int broker_find_header(const struct broker_properties *p, const char *name)
{
	for (int i = 0; i < p->n_headers; i++)
		if (broker_text_is(p->headers[i].name, name))
			return i;
	return -1;
}

static int64_t or_default(int64_t value, int64_t fallback)
{
	return value ? value : fallback;
}

static struct broker_declare declare_copy(const struct broker_declare *d)
{
	struct broker_declare c = *d;

	c.name = mem_strdup(d->name);
	c.type = mem_strdup(d->type);
	c.exchange = mem_strdup(d->exchange);
	c.key = mem_strdup(d->key);
	c.dead_letter_exchange = mem_strdup(d->dead_letter_exchange);
	c.dead_letter_key = mem_strdup(d->dead_letter_key);
	return c;
}

static void declare_free(struct broker_declare *d)
{
	const char *own[] = { d->name, d->type, d->exchange, d->key, d->dead_letter_exchange, d->dead_letter_key };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		free((void *)(uintptr_t)own[i]);
}

struct broker_setup *setup_new(const struct broker_options *o)
{
	struct broker_setup *s = mem_alloc(sizeof(*s));

	s->name = mem_strdup(o->connection_name);
	s->n_topology = o->n_topology;
	s->topology = mem_array((size_t)o->n_topology + 1, sizeof(*s->topology));
	for (int i = 0; i < o->n_topology; i++)
		s->topology[i] = declare_copy(&o->topology[i]);
	s->n_queues = o->n_queues;
	s->queues = mem_array((size_t)o->n_queues + 1, sizeof(*s->queues));
	for (int i = 0; i < o->n_queues; i++)
		s->queues[i] = mem_strdup(o->queues[i]);
	s->prefetch = o->prefetch;
	s->confirms = o->confirms;
	s->body_max = o->body_max ? o->body_max : 16 << 20;
	s->heartbeat_s = (int)or_default(o->heartbeat_s, 10);
	s->connect_ms = or_default(o->connect_ms, 3000);
	s->confirm_ms = or_default(o->confirm_ms, 30000);
	s->backoff_min_ms = or_default(o->backoff_min_ms, 100);
	s->backoff_max_ms = or_default(o->backoff_max_ms, 10000);
	return s;
}

void setup_free(struct broker_setup **sp)
{
	struct broker_setup *s = *sp;

	*sp = NULL;
	for (int i = 0; i < s->n_topology; i++)
		declare_free(&s->topology[i]);
	for (int i = 0; i < s->n_queues; i++)
		free(s->queues[i]);
	free(s->topology);
	free(s->queues);
	free(s->name);
	free(s);
}

void setup_describe(const struct broker_setup *s, enum wire_kind reply, int index, struct strbuf *out)
{
	const struct broker_declare *d = reply == WIRE_CONSUME_OK ? NULL : &s->topology[index];

	if (!d)
		strbuf_addf(out, "consuming queue %s", s->queues[index]);
	else if (d->thing == BROKER_BINDING)
		strbuf_addf(out, "binding %s -> %s", d->exchange, d->name);
	else
		strbuf_addf(out, "%s %s", d->thing == BROKER_QUEUE ? "queue" : "exchange", d->name);
}

const char *url_vhost(const struct url *u)
{
	return u->path && *u->path ? u->path : "/";
}

int broker_url_check(const char *url, struct strbuf *why)
{
	struct url u;
	int err = -1;

	if (url_parse(url, &u, why) < 0)
		goto out;
	if (strcmp(u.scheme, "amqp") != 0 && strcmp(u.scheme, "amqps") != 0)
		why_set(why, "scheme \"%s\" is neither amqp nor amqps", u.scheme);
	else if (u.query)
		why_set(why, "no ?query is understood here");
	else if ((u.user && strlen(u.user) > NAME_MAX_LEN) || strlen(url_vhost(&u)) > NAME_MAX_LEN)
		why_set(why, "user or vhost is longer than %d", NAME_MAX_LEN);
	else if (u.password && strlen(u.password) > PASSWORD_MAX)
		why_set(why, "the password is longer than %d", PASSWORD_MAX);
	else
		err = 0;
out:
	url_release(&u);
	return err;
}

const char *consumer_name(struct consumer c, unsigned round, char out[32])
{
	snprintf(out, 32, "%c%d.%u", c.queue >= 0 ? 'q' : 'd', c.queue >= 0 ? c.queue : c.number, round);
	return out;
}

struct consumer consumer_of(struct broker_text name, int n_queues)
{
	struct consumer none = { -1, -1 };
	int n = 0;

	size_t i = 1;

	if (name.len < 2 || (name.p[0] != 'q' && name.p[0] != 'd'))
		return none;
	for (; i < name.len && i <= 7 && name.p[i] >= '0' && name.p[i] <= '9'; i++)
		n = n * 10 + (name.p[i] - '0');
	if (i == 1 || (i < name.len && name.p[i] != '.'))
		return none;
	if (n >= (name.p[0] == 'q' ? n_queues : BROKER_CONSUMERS_MAX))
		return none;
	return name.p[0] == 'q' ? (struct consumer){ n, -1 } : (struct consumer){ -1, n };
}

/* ---- the message that is being read ---- */

void content_init(struct content *c)
{
	memset(c, 0, sizeof(*c));
	strbuf_init(&c->names);
	strbuf_init(&c->raw);
	strbuf_init(&c->body);
}

void content_release(struct content *c)
{
	strbuf_release(&c->names);
	strbuf_release(&c->raw);
	strbuf_release(&c->body);
}

void content_reset(struct content *c)
{
	c->what = CONTENT_NONE;
	c->has_header = c->is_too_large = false;
	c->size = c->got = 0;
	c->at_once = NULL;
	if (c->body.size > BODY_KEEP)
		strbuf_release(&c->body);
	strbuf_reset(&c->body);
}

void content_begin(struct content *c, enum content_kind what, struct broker_text exchange, struct broker_text key)
{
	c->what = what;
	strbuf_reset(&c->names);
	strbuf_add(&c->names, exchange.p, exchange.len);
	strbuf_add(&c->names, key.p, key.len);
	c->exchange_len = exchange.len;
}

int content_header(struct content *c, const void *raw, size_t len, uint64_t size, size_t body_max)
{
	if (c->what == CONTENT_NONE || c->has_header)
		return -1;
	c->has_header = true;
	c->size = size;
	c->is_too_large = size > body_max;
	strbuf_reset(&c->raw);
	strbuf_add(&c->raw, raw, len);
	return size == 0;
}

int content_add(struct content *c, const void *data, size_t len)
{
	if (!c->has_header || len > c->size - c->got)
		return -1;
	c->got += len;
	if (len == c->size)
		c->at_once = data;
	else if (!c->is_too_large && c->what == CONTENT_DELIVERY) {
		strbuf_reserve(&c->body, c->size - c->body.len);
		strbuf_add(&c->body, data, len);
	}
	return c->got == c->size;
}

const void *content_body(const struct content *c)
{
	if (c->is_too_large)
		return NULL;
	return c->at_once ? c->at_once : c->body.buf;
}
