#include "load/generator.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

enum { PREFIX_MAX = 200, STRIDE = 61803399, NUMBERS = 100000000 };	/* STRIDE shares no factor with NUMBERS: the walk meets each once */

static void recipient_of(const struct generator *g, char out[32])
{
	uint64_t k = (uint64_t)(g->made % (g->recipients ? g->recipients : INT64_MAX));

	if (g->to_base)
		snprintf(out, 32, "+%" PRId64, g->to_base + (int64_t)k);
	else
		snprintf(out, 32, "+49151%08" PRIu64, (k * STRIDE + g->seed % NUMBERS) % NUMBERS);
}

static json_t *text_payload(const struct generator *g, const char *id)
{
	struct strbuf body = STRBUF_INIT;
	json_t *text;

	strbuf_addf(&body, "Hello from wamd-load: message %s", id);
	while (body.len < (size_t)g->body_bytes)
		strbuf_addc(&body, body.len % 8 ? 'o' : ' ');
	text = json_pack("{s:s#}", "body", body.buf, (int)body.len);
	strbuf_release(&body);
	return text;
}

static json_t *envelope_1(const struct generator *g, const struct account *a, const char *id, const char *to)
{
	json_t *m = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", id, "tenant_id", a->tenant, "account_id", a->id, "to",
		to, "type", "text", "text", text_payload(g, id));

	json_object_set_new(m, "correlation_id", json_sprintf("c-%s", id));
	if (g->priority >= 0)
		json_object_set_new(m, "priority", json_integer(g->priority));
	if (g->on_unknown)
		json_object_set_new(m, "on_unknown", json_string(g->on_unknown));
	if (g->ttl_s)
		json_object_set_new(m, "ttl_s", json_integer(g->ttl_s));
	return m;
}

static json_t *envelope_2(const struct generator *g, const struct account *a, const char *id, const char *to)
{
	char now[32];
	json_t *meta;

	format_utc_ms(wall_ms(), now);
	meta = json_pack("{s:s, s:s, s:s, s:s}", "tenantId", a->tenant, "phoneNumberId", a->phone_number_id, "internalId", id,
		"timestamp", now);
	json_object_set_new(meta, "correlationId", json_sprintf("c-%s", id));
	if (g->priority >= 0)
		json_object_set_new(meta, "priority", json_integer(g->priority));
	return json_pack("{s:o, s:{s:s, s:s, s:s, s:s, s:o}}", "metadata", meta, "wabaPayload", "messaging_product", "whatsapp",
		"recipient_type", "individual", "to", to, "type", "text", "text", text_payload(g, id));
}

const char *generator_prefix(const char *given)
{
	static char made[32];

	if (given && strlen(given) > PREFIX_MAX)
		usage_error("--prefix is too long");
	snprintf(made, sizeof(made), "load-%08" PRIx32, (uint32_t)rand_u64());
	return given ? given : made;
}

struct outgoing *generator_next(struct generator *g)
{
	const struct account *a = &g->accounts->at[g->made % g->accounts->n];
	struct outgoing *o;
	char to[32], id[256];
	json_t *m;
	bool second;

	if (g->made >= g->count)
		return NULL;
	recipient_of(g, to);
	snprintf(id, sizeof(id), "%s-%06" PRId64, g->prefix, g->made + 1);
	/* A mix changes with every round over the accounts, or each account would only ever see one of the two. */
	second = g->envelope == ENVELOPE_2 || (g->envelope == ENVELOPE_MIX && (g->made + g->made / g->accounts->n) % 2);
	g->made++;
	o = outgoing_new();
	m = second ? envelope_2(g, a, id, to) : envelope_1(g, a, id, to);
	o->body = json_dumps(m, JSON_COMPACT);
	json_decref(m);
	if (!o->body)
		BUG("message %s cannot be written as JSON", id);
	o->len = strlen(o->body);
	o->priority = g->priority;
	json_object_set_new(o->line, "id", json_string(id));
	o->message_id = json_string_value(json_object_get(o->line, "id"));
	json_object_set_new(o->line, "tenant_id", json_string(a->tenant));
	json_object_set_new(o->line, "account_id", json_string(a->id));
	json_object_set_new(o->line, "to", json_string(to));
	return o;
}
