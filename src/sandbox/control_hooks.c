/* Orders for webhooks: all below /_sandbox/webhooks. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/call.h"
#include "sandbox/control.h"
#include "sandbox/hooks.h"
#include "sandbox/json_out.h"
#include "sandbox/sandbox.h"

enum { PAD_MAX = 64 << 20 };

static json_t *read_order(struct call *c, struct strbuf *why)
{
	json_error_t err;
	json_t *o = json_loadb(c->body.buf, c->body.len, 0, &err);

	if (!o)
		why_write(why, "not JSON: %s", err.text);
	return o;
}

void control_webhooks(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o = read_order(c, &why);

	control_answer(c, o ? hooks_order(c->sandbox->hooks, o, &why) : -1, &why);
	json_decref(o);
}

void control_webhooks_clear(struct call *c)
{
	struct strbuf why = STRBUF_INIT;

	hooks_clear(c->sandbox->hooks);
	control_answer(c, 0, &why);
}

/* ---- a webhook of the test's own ---- */

/* Who waits for its answer: the call, unless its connection is gone by then. */
struct asker { struct call *call; };

static void on_call_gone(void *arg)
{
	struct asker *a = arg;

	a->call = NULL;
}

static void on_posted(void *arg, int status, int64_t took_us, const char *why)
{
	struct asker *a = arg;
	struct call *c = a->call;

	free(a);
	if (!c)
		return;
	c->source_free = NULL;
	c->source_arg = NULL;
	strbuf_addf(&c->out, "{\"ok\":true,\"status\":%d,\"ms\":%.3f", status, (double)took_us / 1e3);
	if (why) {
		strbuf_adds(&c->out, ",\"error\":");
		json_out_cstring(&c->out, why);
	}
	strbuf_adds(&c->out, "}\n");
	call_answer_json(c, 200);
}

/* "body": JSON, or "raw": text; "pad": so many blanks behind it. */
static int make_body(const json_t *o, struct strbuf *out, struct strbuf *why)
{
	const json_t *body = json_object_get(o, "body"), *raw = json_object_get(o, "raw"), *pad = json_object_get(o, "pad");
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (!body == !json_is_string(raw))
		return why_set(why, "either \"body\" or the text \"raw\" is needed");
	if (pad && (!json_is_integer(pad) || json_integer_value(pad) < 0 || json_integer_value(pad) > PAD_MAX))
		return why_set(why, "\"pad\" is not a number of bytes up to %d", PAD_MAX);
	if (text)
		strbuf_adds(out, text);
	else
		strbuf_add(out, json_string_value(raw), json_string_length(raw));
	free(text);
	strbuf_reserve(out, (size_t)json_integer_value(pad));
	for (json_int_t i = 0; i < json_integer_value(pad); i++)
		strbuf_addc(out, ' ');
	return 0;
}

/* "bad" is one of the right shape; "none" is none; anything else goes out as it is. */
static const char *chosen_signature(const json_t *o)
{
	const char *s = json_string_value(json_object_get(o, "signature"));

	if (!s || strcmp(s, "good") == 0)
		return NULL;
	if (strcmp(s, "none") == 0)
		return "";
	return strcmp(s, "bad") ? s : "sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
}

void control_webhooks_send(struct call *c)
{
	struct strbuf why = STRBUF_INIT, body = STRBUF_INIT;
	json_t *o = read_order(c, &why);
	int result = o ? make_body(o, &body, &why) : -1;
	struct hook_own own = { .url = json_string_value(json_object_get(o, "url")), .body = body.buf, .len = body.len,
				.secret = json_string_value(json_object_get(o, "secret")), .signature = chosen_signature(o) };
	struct asker *a = mem_alloc(sizeof(*a));

	a->call = c;
	if (result == 0)
		result = hooks_post(c->sandbox->hooks, &own, on_posted, a, &why);
	if (result == 0) {
		c->source_arg = a;
		c->source_free = on_call_gone;
	} else {
		free(a);
		control_answer(c, result, &why);
	}
	json_decref(o);
	strbuf_release(&body);
	strbuf_release(&why);
}

/* ---- made-up news ---- */

static const char *text_of(const json_t *o, const char *name, const char *fallback)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : fallback;
}

/* What a user writes: of this type, with these members or as the simplest text. */
static json_t *make_message(const json_t *o, const char *wamid)
{
	json_t *m = json_pack("{s:s, s:s, s:s*, s:s*}", "id", wamid, "type", text_of(o, "type", "text"), "from", text_of(o, "from", NULL),
			      "from_user_id", text_of(o, "from_user_id", NULL));
	char now[24];

	snprintf(now, sizeof(now), "%lld", (long long)(wall_ms() / 1000));
	json_object_set_new(m, "timestamp", json_string(now));
	if (strcmp(text_of(o, "type", "text"), "text") == 0)
		json_object_set_new(m, "text", json_pack("{s:s}", "body", text_of(o, "text", "hello")));
	json_object_update(m, json_object_get(o, "message"));
	return m;
}

static json_t *make_inbound(const json_t *o, const struct number *n, const char *wamid)
{
	json_t *message = make_message(o, wamid);

	return json_pack("{s:s, s:{s:s, s:{s:s, s:s}, s:[{s:{s:s}, s:s*, s:s*}], s:[o]}}", "field", "messages", "value",
			 "messaging_product", "whatsapp", "metadata", "display_phone_number", "15550783881", "phone_number_id", n->pnid,
			 "contacts", "profile", "name", text_of(o, "name", "A user"), "wa_id", text_of(o, "from", NULL),
			 "user_id", text_of(o, "from_user_id", NULL), "messages", message);
}

static struct number *number_of(struct call *c, const json_t *o, struct strbuf *why)
{
	const char *pnid = text_of(o, "phone_number_id", "");
	struct number *n = accounts_find(&c->sandbox->accounts, pnid, strlen(pnid));

	if (!n || !n->waba)
		why_write(why, "phone_number_id is unknown");
	return n && n->waba ? n : NULL;
}

void control_webhooks_inbound(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o = read_order(c, &why), *change = NULL;
	struct number *n = o ? number_of(c, o, &why) : NULL;
	const char *from = text_of(o, "from", text_of(o, "from_user_id", ""));
	char wamid[WAMID_SIZE];
	int result = -1;

	wamid_format(from, strlen(from), ids_next(), wamid);
	if (n && !*from)
		why_write(&why, "neither \"from\" nor \"from_user_id\" is there");
	else if (n)
		change = make_inbound(o, n, wamid);
	if (change)
		result = hooks_tell(c->sandbox->hooks, n->waba->id, change, false, &why);
	if (result == 0) {
		strbuf_addf(&c->out, "{\"ok\":true,\"id\":\"%s\"}\n", wamid);
		call_answer_json(c, 200);
	} else {
		control_answer(c, result, &why);
	}
	json_decref(change);
	json_decref(o);
	strbuf_release(&why);
}

void control_webhooks_field(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o = read_order(c, &why), *value = json_object_get(o, "value"), *change = NULL;
	const char *waba = text_of(o, "waba_id", NULL), *field = text_of(o, "field", NULL);
	int result = -1;

	if (o && (!waba || !field || !value))
		why_write(&why, "\"waba_id\", \"field\" and \"value\" are needed");
	else if (o)
		change = json_pack("{s:s, s:O}", "field", field, "value", value);
	if (change)
		result = hooks_tell(c->sandbox->hooks, waba, change, true, &why);
	control_answer(c, result, &why);
	json_decref(change);
	json_decref(o);
}
