/* What the registry tells other processes: senders, apis, and the keeper that takes over. */
#include "flow/registry_inside.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* ---- towards the senders ---- */

struct question {
	struct port *port;
	struct tenant_ask ask;
};

static void send_parts(struct port *p, struct tenant_answer *a, const struct strbuf *doc)
{
	struct strbuf packet = STRBUF_INIT;

	a->total = doc->len;
	strbuf_reserve(&packet, TENANT_PART_MAX + 512);
	do {
		a->part = doc->buf + a->offset;
		a->len = doc->len - a->offset < TENANT_PART_MAX ? doc->len - a->offset : TENANT_PART_MAX;
		strbuf_reset(&packet);
		tenant_answer_write(a, &packet);
		if (packets_send(p->link, packet.buf, packet.len) < 0)
			log_debug("link", "an answer was left out: the sender asks again");
		a->offset += a->len;
	} while (a->offset < a->total);
	mem_wipe(packet.buf, packet.size);
	strbuf_release(&packet);
}

static void on_got(void *arg, const struct registry_answer *got)
{
	struct question *q = arg;
	const struct tenant *t = got->tenant;
	struct tenant_answer a = { .word = got->word, .forced = q->ask.forced, .ms = got->ms, .keep_ms = got->keep_ms };
	struct strbuf doc = STRBUF_INIT;

	snprintf(a.id, sizeof(a.id), "%s", q->ask.id);
	if (t) {
		tenant_doc_write(t, q->port->has_tokens, &doc);
		a.version = tenant_doc_version(&doc);
		if (a.version == q->ask.version) {
			a.word = TENANT_SAME;
			mem_wipe(doc.buf, doc.len);
			strbuf_reset(&doc);
		}
	}
	if (doc.len <= TENANT_DOC_MAX)
		send_parts(q->port, &a, &doc);
	else
		log_error("tenant_too_large", "tenant=%s accounts=%d", q->ask.id, t->n_accounts);
	mem_wipe(doc.buf, doc.len);
	strbuf_release(&doc);
	free(q);
}

static bool is_others(const struct port *p, const char *data, size_t len)
{
	const struct registry *r = p->r;

	for (int i = 0; i < r->n_others; i++)
		if (r->others[i].hear(r->others[i].arg, (int)(p - r->ports), data, len))
			return true;
	return false;
}

static void on_packet(void *arg, const char *data, size_t len)
{
	struct port *p = arg;
	struct question *q = mem_alloc(sizeof(*q));

	*q = (struct question){ .port = p };
	if (tenant_ask_read(data, len, &q->ask) < 0) {
		free(q);
		if (!is_others(p, data, len))
			log_error("link", "a process asks what nobody understands");
		return;
	}
	registry_get(p->r, q->ask.id, q->ask.forced, on_got, q);
}

void registry_on_other(struct registry *r, registry_other_f *on_other, void *arg)
{
	if (r->n_others == REGISTRY_OTHERS_MAX)
		BUG("more than %d hear what is asked", REGISTRY_OTHERS_MAX);
	r->others[r->n_others].hear = on_other;
	r->others[r->n_others++].arg = arg;
}

void registry_say(struct registry *r, int port, const char *data, size_t len)
{
	if (packets_send(r->ports[port].link, data, len) < 0)
		log_debug("link", "an answer was left out: the sender asks again");
}

/* ---- from keeper to keeper ---- */

void registry_give(struct registry *r)
{
	struct strbuf doc = STRBUF_INIT;

	for (int i = 0; i < r->entries.n && r->heir.link; i++) {
		struct tenant_answer a = { .word = TENANT_FOUND, .keep_ms = registry_left_ms(registry_entry_at(r, i)->stale_until) };

		if (!registry_entry_at(r, i)->tenant || !a.keep_ms)
			continue;
		snprintf(a.id, sizeof(a.id), "%s", registry_entry_at(r, i)->id);
		strbuf_reset(&doc);
		tenant_doc_write(registry_entry_at(r, i)->tenant, true, &doc);
		send_parts(&r->heir, &a, &doc);
		mem_wipe(doc.buf, doc.len);
	}
	strbuf_release(&doc);
}

bool registry_is_given(const struct registry *r)
{
	return !r->heir.link || packets_is_empty(r->heir.link);
}

/* Only what is not known better by now.  Its app secrets stayed behind: it is asked for anew at its next use. */
static void take_over(struct registry *r, const struct tenant_answer *a, struct tenant *t)
{
	struct entry *e = registry_entry(r, a->id);
	bool changed;

	if (e->tenant || registry_left_ms(e->unknown_until)) {
		tenant_free(&t);
		return;
	}
	e->tenant = tenant_set_put(r->o.conf->tenants, t, &changed);
	e->stale_until = mono_add_ms(mono_now(), a->keep_ms);
	r->n_unknown--;
}

static void on_legacy(void *arg, const char *data, size_t len)
{
	struct port *p = arg;
	struct tenant_answer a;
	struct tenant *t;

	if (tenant_answer_read(data, len, &a) < 0 || a.word != TENANT_FOUND || !tenant_part_take(&p->parts, &a))
		return;
	t = tenant_doc_read(p->parts.doc.buf, p->parts.doc.len);
	tenant_parts_drop(&p->parts);
	if (t && !strcmp(t->id, a.id))
		take_over(p->r, &a, t);
	else
		tenant_free(&t);
}

static void nothing_comes(void *arg, const char *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
}

/* ---- opened and closed ---- */

void registry_open_ports(struct registry *r)
{
	const struct registry_options *o = &r->o;

	r->ports = mem_array((size_t)o->n_links, sizeof(*r->ports));
	for (int i = 0; i < o->n_links; i++) {
		r->ports[i].r = r;
		r->ports[i].has_tokens = i < o->n_sender_links;
		r->ports[i].link = packets_new(o->loop, o->links[i], on_packet, &r->ports[i]);
	}
	r->heir = (struct port){ .r = r, .parts = TENANT_PARTS_INIT };
	r->legacy = (struct port){ .r = r, .parts = TENANT_PARTS_INIT };
	if (o->heir_fd >= 0)
		r->heir.link = packets_new(o->loop, o->heir_fd, nothing_comes, &r->heir);
	if (o->legacy_fd >= 0)
		r->legacy.link = packets_new(o->loop, o->legacy_fd, on_legacy, &r->legacy);
}

void registry_close_ports(struct registry *r)
{
	for (int i = 0; i < r->o.n_links; i++)
		packets_free(&r->ports[i].link);
	packets_free(&r->heir.link);
	packets_free(&r->legacy.link);
	tenant_parts_drop(&r->legacy.parts);
	free(r->ports);
}
