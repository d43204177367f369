#include "api/selector.h"

#include <ctype.h>

#include "base/str.h"

static const char bad_request[] = "bad_request", unknown_account[] = "unknown_account";

static const struct account *with_waba(const struct tenant *t, const char *waba)
{
	for (int i = 0; i < t->n_accounts; i++)
		if (!strcmp(t->accounts[i]->waba_id, waba))
			return t->accounts[i];
	return NULL;
}

static const struct account *with_number(const struct tenant *t, const char *number)
{
	const struct account *a = tenant_account(t, number);

	return a && !strcmp(a->phone_number_id, number) ? a : NULL;
}

static bool is_name(const char *s)
{
	return *s && strlen(s) <= 64 && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")];
}

static bool is_graph_id(const char *s)
{
	return str_is_digits(s) && strlen(s) <= 32;
}

static const char *read_number(struct selector *s, const struct tenant *t, const char *number, struct strbuf *why)
{
	if (!is_graph_id(number)) {
		why_write(why, "number: found %.64s, allowed a phone number id: 1 to 32 digits", number);
		return bad_request;
	}
	s->scope = HOLD_NUMBER;
	s->account = with_number(t, number);
	snprintf(s->field, sizeof(s->field), "n:%s", number);
	return NULL;
}

static const char *read_waba(struct selector *s, const struct tenant *t, const char *waba, struct strbuf *why)
{
	if (!is_graph_id(waba)) {
		why_write(why, "waba: found %.64s, allowed the id of a business account: 1 to 32 digits", waba);
		return bad_request;
	}
	s->scope = HOLD_WABA;
	s->account = with_waba(t, waba);
	snprintf(s->field, sizeof(s->field), "w:%s", waba);
	return NULL;
}

static const char *read_account(struct selector *s, const struct tenant *t, const char *account, struct strbuf *why)
{
	if (!is_name(account)) {
		why_write(why, "account: found %.64s, allowed the id of an account or its phone number id", account);
		return bad_request;
	}
	s->scope = HOLD_ACCOUNT;
	s->account = tenant_account(t, account);
	snprintf(s->field, sizeof(s->field), "a:%s:%s", t->id, s->account ? s->account->id : account);
	return NULL;
}

/* Of a business account: w:<waba> becomes p:<waba>:<name>. */
static const char *narrow_to_template(struct selector *s, const char *name, struct strbuf *why)
{
	size_t len = strlen(name);

	if (s->scope == HOLD_ACCOUNT && !s->account) {
		why_write(why, "account: this tenant has no such account");
		return unknown_account;
	}
	if (s->scope != HOLD_ACCOUNT && s->scope != HOLD_WABA) {
		why_write(why, "template: names one of a business account; add account or waba");
		return bad_request;
	}
	if (!len || len > 512 || strcspn(name, " \t\r\n") != len) {
		why_write(why, "template: found %zu characters, allowed 1 to 512 without blanks", len);
		return bad_request;
	}
	if (s->scope == HOLD_ACCOUNT)
		hold_template_field(s->account, name, NULL, s->field);
	else
		snprintf(s->field + strlen(s->field), sizeof(s->field) - strlen(s->field), ":%s", name);
	s->field[0] = 'p';
	s->scope = HOLD_TEMPLATE;
	return NULL;
}

static const char *narrow_to_recipient(struct selector *s, const char *who, struct strbuf *why)
{
	bool is_user_id = isupper((unsigned char)who[0]);

	if (s->scope != HOLD_ACCOUNT) {
		why_write(why, "recipient: one of an account; add account");
		return bad_request;
	}
	if (!s->account) {
		why_write(why, "account: this tenant has no such account");
		return unknown_account;
	}
	if ((is_user_id ? recipient_from_user_id(&s->recipient, who, NULL) : recipient_from_phone(&s->recipient, who, NULL)) < 0) {
		why_write(why, "recipient: found %zu characters, allowed E.164 such as +491511234567, or a user id", strlen(who));
		return bad_request;
	}
	s->scope = HOLD_RECIPIENT;
	s->field[0] = 0;
	return NULL;
}

/* For whoever sends it: what is urgent is so for a tenant, not for one of its numbers. */
static const char *read_priority(struct selector *s, const struct tenant *t, const struct selector_options *o, struct strbuf *why)
{
	if (o->account || o->number || o->waba || o->template || o->recipient) {
		why_write(why, "priority: of the whole tenant; found something of it, too");
		return bad_request;
	}
	if (!hold_priority_class_is(o->priority)) {
		why_write(why, "priority: found %.32s, allowed low, normal, high", o->priority);
		return bad_request;
	}
	s->scope = HOLD_PRIORITY;
	hold_priority_field(t, o->priority, s->field);
	return NULL;
}

static const char *read_base(struct selector *s, const struct tenant *t, const struct selector_options *o, struct strbuf *why)
{
	if (!!o->account + !!o->number + !!o->waba > 1) {
		why_write(why, "account, number, waba: found several, allowed one of them");
		return bad_request;
	}
	if (o->priority)
		return read_priority(s, t, o, why);
	if (o->account)
		return read_account(s, t, o->account, why);
	if (o->number)
		return read_number(s, t, o->number, why);
	if (o->waba)
		return read_waba(s, t, o->waba, why);
	s->scope = HOLD_TENANT;
	snprintf(s->field, sizeof(s->field), "t:%s", t->id);
	return NULL;
}

const char *selector_read(struct selector *s, const struct tenant *t, const struct selector_options *o, struct strbuf *why)
{
	const char *code;

	*s = (struct selector){ .scope = HOLD_TENANT };
	if (o->template && o->recipient) {
		why_write(why, "template, recipient: found both, allowed one of them");
		return bad_request;
	}
	code = read_base(s, t, o, why);
	s->is_known = s->scope == HOLD_TENANT || s->scope == HOLD_PRIORITY || s->account;
	if (!code && o->template)
		code = narrow_to_template(s, o->template, why);
	if (!code && o->recipient)
		code = narrow_to_recipient(s, o->recipient, why);
	return code;
}
