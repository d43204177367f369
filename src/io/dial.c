#include "io/dial.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

struct dial {
	struct loop *loop;
	struct dial_callbacks cb;
	void *arg;
	struct url *urls;
	int *order;
	int n_urls, next;
	char *tls_scheme, *ca_file;
	int port, tls_port;
	struct stream_trust *trust;	/* made at the first TLS attempt */
	struct loop_timer soon;
	struct resolve *resolve;
	struct stream *stream;
	const struct url *url;
	struct addresses found;
	int at;				/* address being tried */
	struct strbuf peer, why;
};

static void shuffle(struct dial *d)
{
	for (int i = d->n_urls - 1; i > 0; i--) {
		int j = (int)rand_between(0, i), t = d->order[i];

		d->order[i] = d->order[j];
		d->order[j] = t;
	}
}

static bool is_tls(const struct dial *d)
{
	return strcmp(d->url->scheme, d->tls_scheme) == 0;
}

static void on_open(void *arg)
{
	struct dial *d = arg;
	struct stream *s = d->stream;

	d->stream = NULL;
	d->cb.open(d->arg, s, d->url);
}

static void try_address(struct dial *d);

static void on_failed(void *arg, const char *why)
{
	struct dial *d = arg;

	strbuf_setf(&d->why, "%s", why);
	stream_free(&d->stream);
	d->at++;
	try_address(d);
}

static const struct stream_callbacks stream_callbacks = { .open = on_open, .failed = on_failed };

/* The next address that can be tried at all; the last reason is the one that is told. */
static void try_address(struct dial *d)
{
	for (; d->at < d->found.n; d->at++) {
		strbuf_reset(&d->why);
		d->stream = stream_new(d->loop, &d->found.at[d->at], d->url->host, is_tls(d) ? d->trust : NULL,
				       &stream_callbacks, d, &d->why);
		if (d->stream)
			return;
	}
	d->cb.failed(d->arg, d->why.buf);
}

static void on_resolved(void *arg, const struct addresses *found, const char *why)
{
	struct dial *d = arg;

	d->resolve = NULL;
	if (why) {
		d->cb.failed(d->arg, why);
		return;
	}
	d->found = *found;
	d->at = 0;
	try_address(d);
}

static void on_soon(void *arg)
{
	struct dial *d = arg;
	int port = d->url->port ? d->url->port : is_tls(d) ? d->tls_port : d->port;

	strbuf_setf(&d->peer, "%s:%d", d->url->host, port);
	strbuf_reset(&d->why);
	if (is_tls(d) && !d->trust)
		d->trust = stream_trust_new(d->ca_file, &d->why);
	if (is_tls(d) && !d->trust)
		d->cb.failed(d->arg, d->why.buf);
	else if (resolve_numeric(d->url->host, port, &d->found))
		on_resolved(d, &d->found, NULL);
	else
		d->resolve = resolve_start(d->loop, d->url->host, port, on_resolved, d);
}

void dial_start(struct dial *d)
{
	dial_cancel(d);
	if (dial_round_is_over(d)) {
		shuffle(d);
		d->next = 0;
	}
	d->url = &d->urls[d->order[d->next++]];
	loop_timer_set(d->loop, &d->soon, 0);
}

void dial_cancel(struct dial *d)
{
	loop_timer_stop(d->loop, &d->soon);
	resolve_cancel(&d->resolve);
	stream_free(&d->stream);
}

bool dial_round_is_over(const struct dial *d)
{
	return d->next >= d->n_urls;
}

const char *dial_peer(const struct dial *d)
{
	return d->peer.buf;
}

struct dial *dial_new(struct loop *l, const struct dial_options *o, const struct dial_callbacks *cb, void *arg)
{
	struct dial *d = mem_alloc(sizeof(*d));
	struct strbuf why = STRBUF_INIT;

	d->loop = l;
	d->cb = *cb;
	d->arg = arg;
	d->n_urls = d->next = o->n_urls;
	d->urls = mem_array((size_t)o->n_urls, sizeof(*d->urls));
	d->order = mem_array((size_t)o->n_urls, sizeof(*d->order));
	for (int i = 0; i < o->n_urls; i++) {
		d->order[i] = i;
		if (url_parse(o->urls[i], &d->urls[i], &why) < 0)
			BUG("url %d: %s", i, why.buf);
	}
	d->tls_scheme = mem_strdup(o->tls_scheme);
	d->ca_file = mem_strdup(o->ca_file ? o->ca_file : SYSTEM_CA);
	d->port = o->port;
	d->tls_port = o->tls_port;
	loop_timer_init(&d->soon, on_soon, d);
	strbuf_init(&d->peer);
	strbuf_init(&d->why);
	return d;
}

void dial_free(struct dial **dp)
{
	struct dial *d = *dp;

	if (!d)
		return;
	*dp = NULL;
	dial_cancel(d);
	stream_trust_free(&d->trust);
	for (int i = 0; i < d->n_urls; i++)
		url_release(&d->urls[i]);
	free(d->urls);
	free(d->order);
	free(d->tls_scheme);
	free(d->ca_file);
	strbuf_release(&d->peer);
	strbuf_release(&d->why);
	free(d);
}
