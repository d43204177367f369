#include "api/post_item.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/addressee.h"
#include "flow/keys.h"

void post_item_init(struct post_item *i)
{
	*i = (struct post_item){ .state = ITEM_READY };
	strbuf_init(&i->body);
	strbuf_init(&i->why);
}

void post_item_release(struct post_item *i)
{
	free(i->id);
	free(i->key);
	free(i->correlation_id);
	strbuf_release(&i->body);
	strbuf_release(&i->why);
}

void post_item_refuse(struct post_item *i, int status, const char *code, const char *why)
{
	i->state = ITEM_REFUSED;
	i->status = status;
	i->code = code;
	strbuf_setf(&i->why, "%s", why);
}

/* ---- read ---- */

const char *post_item_json_code(enum json_verdict v)
{
	static const char *const codes[] = { [JSON_OK] = "", [JSON_NOT_JSON] = "not_json", [JSON_DUPLICATE_KEY] = "duplicate_key",
					     [JSON_TOO_DEEP] = "too_deep", [JSON_TOO_LARGE] = "too_large" };

	return codes[v];
}

static bool is_there(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return v && !json_is_null(v);
}

bool post_item_is_second(const json_t *o)
{
	return is_there(o, "wabaPayload");
}

/* What its own envelope leaves open: whose it is, and who it is. */
static void fill_in(struct post_item *i, const struct post_frame *f, json_t *o, bool second)
{
	static const struct { const char *tenant, *id, *correlation; } own = { "tenant_id", "id", "correlation_id" },
								       other = { "tenantId", "internalId", "correlationId" };
	const char *tenant = second ? other.tenant : own.tenant, *id = second ? other.id : own.id;
	const char *correlation = second ? other.correlation : own.correlation;
	struct strbuf why = STRBUF_INIT;

	if (is_there(o, tenant) && (!json_text(o, tenant) || strcmp(json_text(o, tenant), f->tenant->id) != 0)) {
		strbuf_addf(&why, "%s%s: %s", second ? "metadata." : "", tenant, f->other_tenant);
		post_item_refuse(i, 403, "other_tenant", why.buf);
		strbuf_release(&why);
		return;
	}
	json_put_text(o, tenant, f->tenant->id);
	if (!is_there(o, id) && (second || !is_there(o, "idempotency_key")))
		json_put_text(o, id, f->made_id);
	if (!is_there(o, correlation) && f->correlation_id)
		json_put_text(o, correlation, f->correlation_id);
}

static void keep(struct post_item *i, const struct message *m)
{
	i->id = mem_strdup(m->id);
	i->key = mem_strdup(m->key);
	i->correlation_id = mem_strdup(m->correlation_id);
	i->priority = m->priority;
	hex_encode(m->digest, SHA256_LEN, i->digest);
}

static int status_of(enum reason r)
{
	return r == REASON_NOT_JSON || r == REASON_DUPLICATE_KEY || r == REASON_TOO_DEEP ? 400 : r == REASON_TOO_LARGE ? 413 : 422;
}

/* As a sender will do it. */
static void check(struct post_item *i, const struct post_frame *f, struct message *m, const struct account **account)
{
	struct strbuf why = STRBUF_INIT;
	struct message_rules rules = message_rules(f->conf);
	enum reason r = REASON_TOO_LARGE;

	if (i->body.len > (size_t)f->conf->amqp_body_max)
		strbuf_setf(&why, "found %zu bytes, allowed %lld (amqp.message_max)", i->body.len, (long long)f->conf->amqp_body_max);
	else
		r = message_decode(m, &rules, i->body.buf, i->body.len, &why);
	if (r == REASON_NONE)
		r = addressee_find(f->conf, f->tenant, m, account, &why);
	if (r == REASON_NONE)
		keep(i, m);
	else
		post_item_refuse(i, status_of(r), reason_code(r), why.buf);
	strbuf_release(&why);
}

void post_item_read(struct post_item *i, const struct post_frame *f, json_t *o, struct message *m, const struct account **account)
{
	bool second = post_item_is_second(o);
	json_t *head = second ? json_object_get(o, "metadata") : o;

	*m = (struct message){ .priority = -1 };
	*account = NULL;
	if (!json_is_object(o)) {
		post_item_refuse(i, 422, reason_code(REASON_BAD_FIELD), "a message: allowed an object");
		return;
	}
	if (json_is_object(head))
		fill_in(i, f, head, second);
	if (i->state == ITEM_REFUSED)
		return;
	json_dump_to(o, JSON_COMPACT, &i->body);
	check(i, f, m, account);
}

/* ---- on the queue ---- */

static struct broker_text text_of(const char *s)
{
	return s ? BROKER_TEXT(s) : (struct broker_text){ NULL, 0 };
}

int post_item_publish(const struct post_item *i, const struct conf *c, struct broker *b, broker_fate_f *done, void *arg)
{
	return broker_publish(b, &(struct broker_publish){
		.exchange = c->amqp_exchange, .routing_key = c->amqp_key, .mandatory = true, .body = i->body.buf, .len = i->body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .message_id = BROKER_TEXT(i->id),
			   .correlation_id = text_of(i->correlation_id), .app_id = BROKER_TEXT("wamd"), .priority = i->priority,
			   .timestamp_s = wall_ms() / 1000, .persistent = true },
		.done = done, .arg = arg });
}

const char *post_item_failure(const struct conf *c, struct broker *b, enum broker_fate fate)
{
	switch (fate) {
	case BROKER_CONFIRMED:
		return NULL;
	case BROKER_RETURNED:
		log_warn("returned", "queue=%s: the queue that messages go to is gone; declared again", c->amqp_inputs.v[0]);
		broker_redeclare(b);
		return "unroutable";
	case BROKER_NACKED:
		return "queue_full";
	case BROKER_LOST:
		return "broker_away";
	}
	BUG("fate %d", (int)fate);
}

bool post_item_mark(const struct post_item *i, const struct conf *c, const struct tenant *t, struct store *s, store_reply_f *done, void *arg)
{
	char index[KEY_TEXT_MAX], since[32], ttl[24];

	snprintf(since, sizeof(since), "+ %" PRId64, wall_ms());
	snprintf(ttl, sizeof(ttl), "%" PRId64, c->max_age);
	key_index(c, t, i->key, index);
	return store_command(s, (struct store_arg[]){ STORE_ARG("SET"), STORE_ARG(index), STORE_ARG(since), STORE_ARG("NX"), STORE_ARG("PX"),
						      STORE_ARG(ttl) }, 6, done, arg) == 0;
}
