#include "api/letter_edit.h"

#include "base/mem.h"
#include "base/str.h"
#include "msg/message.h"

/* ---- what is to change ---- */

const char *letter_edit_read(struct letter_edit *e, const void *message, size_t len, struct strbuf *why)
{
	static const struct message_rules any;
	struct message m;
	enum reason r = message_decode(&m, &any, message, len, why);

	if (json_is_object(m.root))
		e->message = json_incref(m.root);	/* what else is wrong with it may be right once it has the letter's id */
	message_release(&m);
	return e->message ? NULL : reason_code(r);
}

int letter_edit_add(struct letter_edit *e, const char *change, struct strbuf *why)
{
	const char *value = strchr(change, '=');
	json_t *v, *pair;

	if (!value || value == change)
		return why_set(why, "set: found %s, allowed path=value", *change ? change : "nothing");
	v = json_loads(value + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (!v)
		v = json_string(value + 1);
	pair = json_array();
	json_array_append_new(pair, json_stringn(change, (size_t)(value - change)));
	json_array_append_new(pair, v);
	if (json_array_size(pair) < 2) {
		json_decref(pair);
		return why_set(why, "set: found bytes that are no UTF-8");
	}
	if (!e->changes)
		e->changes = json_array();
	json_array_append_new(e->changes, pair);
	return 0;
}

void letter_edit_release(struct letter_edit *e)
{
	json_decref(e->message);
	json_decref(e->changes);
	*e = (struct letter_edit){ NULL };
}

/* ---- changes ---- */

static bool has_element(const json_t *array, const char *name, size_t *i)
{
	int64_t n;

	if (parse_i64(name, &n) < 0 || n < 0 || (size_t)n >= json_array_size(array))
		return false;
	*i = (size_t)n;
	return true;
}

/* A member that is not there yet becomes an object.  NULL: there is no way. */
static json_t *enter(json_t *at, const char *name)
{
	json_t *next = json_object_get(at, name);
	size_t i;

	if (json_is_array(at))
		return has_element(at, name, &i) ? json_array_get(at, i) : NULL;
	if (!json_is_object(at) || !*name || (next && !json_is_null(next)))
		return next;
	json_object_set_new(at, name, json_object());
	return json_object_get(at, name);
}

static int put(json_t *at, const char *name, json_t *value)
{
	size_t i;

	if (json_is_array(at))
		return has_element(at, name, &i) ? json_array_set(at, i, value) : -1;
	if (!json_is_object(at) || !*name)
		return -1;
	if (!json_is_null(value))
		return json_object_set(at, name, value);
	json_object_del(at, name);
	return 0;
}

static int change(json_t *message, const char *path, json_t *value, struct strbuf *why)
{
	char *names = mem_strdup(path), *name = names, *dot;
	json_t *at = message;
	int depth = 1, err = -1;

	for (; at && depth < JSON_DEPTH_MAX && (dot = strchr(name, '.')); name = dot + 1, depth++) {
		*dot = 0;
		at = enter(at, name);
	}
	if (at && !strchr(name, '.'))
		err = put(at, name, value);
	free(names);
	if (!err)
		return 0;
	return why_set(why, "set: found %s, allowed a path to a member of an object, or to an element that is there", path);
}

static int change_all(json_t *message, const json_t *changes, struct strbuf *why)
{
	const json_t *c;
	size_t i;

	json_array_foreach(changes, i, c)
		if (change(message, json_string_value(json_array_get(c, 0)), json_array_get(c, 1), why) < 0)
			return -1;
	return 0;
}

/* ---- the new letter ---- */

static void keep_id(json_t *message, const json_t *letter)
{
	bool second = json_object_get(message, "wabaPayload") != NULL;
	json_t *at = second ? json_object_get(message, "metadata") : message;
	const char *name = second ? "internalId" : "id";
	const json_t *id = json_object_get(at, name);

	if (json_is_object(at) && (!id || json_is_null(id)))
		json_put_text(at, name, json_text(letter, "id"));
}

static const char *check(const struct message *m, enum reason r, size_t len, const json_t *letter, const struct conf *c,
			 struct strbuf *why)
{
	const char *tenant = json_text(letter, "tenant_id");

	if (r != REASON_NONE)
		return reason_code(r);
	if (!tenant || strcmp(tenant, m->tenant_id)) {
		why_set(why, "tenant_id: found %s, allowed %s", m->tenant_id, tenant ? tenant : "nothing");
		return "other_tenant";
	}
	if (len > (size_t)c->amqp_body_max) {
		why_set(why, "found %zu bytes, allowed %zu", len, (size_t)c->amqp_body_max);
		return reason_code(REASON_TOO_LARGE);
	}
	return NULL;
}

static const struct account *account_of(const struct message *m, const struct conf *c)
{
	const struct tenant *t = conf_tenant(c, m->tenant_id);

	return !t ? NULL : m->account_id ? tenant_account(t, m->account_id) : tenant_default_account(t);
}

static enum reason decode(struct message *m, const struct strbuf *body, const struct conf *c, struct strbuf *why)
{
	struct message_rules rules = message_rules(c);
	enum reason r = message_decode(m, &rules, body->buf, body->len, why);
	const struct account *a;

	if (r != REASON_NONE)
		return r;
	a = account_of(m, c);
	return message_set_phone(m, a && a->region ? a->region : c->default_region, why);
}

static json_t *with_message(const json_t *letter, const struct message *m, const struct conf *c, int64_t now_ms)
{
	json_t *o = json_copy((json_t *)(uintptr_t)letter);
	const struct account *a = account_of(m, c);
	const char *account = a ? a->id : m->account_id;	/* as the sender would name it */

	if (!account)
		json_object_del(o, "account_id");
	json_object_del(o, "message_b64");
	json_object_del(o, "message_size");
	json_put_text(o, "id", m->id);
	json_put_text(o, "account_id", account);
	json_put_text(o, "correlation_id", m->correlation_id);
	json_object_set(o, "message", m->root);
	json_put_time(o, "edited_at", now_ms);
	return o;
}

const char *letter_edit_make(const struct letter_edit *e, const json_t *letter, const struct conf *c, int64_t now_ms, json_t **out,
			     struct strbuf *why)
{
	json_t *message = json_deep_copy(e->message ? e->message : json_object_get(letter, "message"));
	struct strbuf body = STRBUF_INIT;
	const char *refusal = NULL;
	struct message m;

	*out = NULL;
	if (!json_is_object(message)) {
		why_set(why, "the letter has none that could be changed: give a whole one");
		refusal = "no_message";
	} else if (change_all(message, e->changes, why) < 0) {
		refusal = "bad_path";
	} else {
		keep_id(message, letter);
		json_dump_to(message, JSON_COMPACT, &body);
		refusal = check(&m, decode(&m, &body, c, why), body.len, letter, c, why);
		if (!refusal)
			*out = with_message(letter, &m, c, now_ms);
		message_release(&m);
	}
	json_decref(message);
	strbuf_release(&body);
	return refusal;
}
