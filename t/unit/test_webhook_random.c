/* Damaged webhooks: whatever comes, a visitor sees whole texts or nothing, and what it has seen it could pass on. */
#include "unit.h"

#include "base/str.h"
#include "msg/answer.h"
#include "msg/webhook.h"
#include "webhook_cases.h"

enum { ROUNDS = 20000, LONG_ROUNDS = 500000, BODY_MAX = 8192 };

static uint32_t dice = 3;
static struct strbuf sink;
static unsigned long visits, refused;

static unsigned roll(unsigned n)
{
	dice = dice * 1664525 + 1013904223;	/* the same rolls in every run */
	return (dice >> 8) % n;
}

/* ---- a visitor that touches everything ---- */

static void touch(const char *text)
{
	if (text) {
		ck_assert(str_is_utf8(text, strlen(text)));
		strbuf_adds(&sink, text);
	}
}

static void touch_value(const json_t *v)
{
	if (v)
		json_dump_to(v, JSON_COMPACT, &sink);
}

static void on_status(void *arg, const struct webhook_status *s)
{
	const char *texts[] = { s->waba, s->phone_number_id, s->status_text, s->token, s->recipient, s->recipient_user_id, s->participant,
				s->template_id, s->error_text };

	(void)arg;
	ck_assert(s->wamid && *s->wamid && strlen(s->wamid) <= WAMID_MAX && s->status_text && s->at_ms >= 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		touch(texts[i]);
	touch_value(s->pricing);
	touch_value(s->conversation);
	touch_value(s->errors);
	visits++;
}

static void on_message(void *arg, const struct webhook_message *m)
{
	const char *texts[] = { m->waba, m->phone_number_id, m->from, m->from_user_id, m->group, m->answers, m->type };

	(void)arg;
	ck_assert(m->id && *m->id && m->type && m->at_ms >= 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		touch(texts[i]);
	touch_value(m->message);
	touch_value(m->contact);
	visits++;
}

static void on_error(void *arg, const struct webhook_error *e)
{
	(void)arg;
	touch(e->text);
	touch_value(e->error);
	visits++;
}

static void touch_account(const struct webhook_account *a)
{
	ck_assert(a->n_restrictions >= 0 && a->n_restrictions <= WEBHOOK_RESTRICTIONS);
	for (int i = 0; i < a->n_restrictions; i++) {
		touch(a->restrictions[i].type);
		touch(a->restrictions[i].remediation);
	}
	touch(a->event);
	touch(a->violation);
	touch(a->ban_state);
	touch(a->ban_date);
	touch(account_turn_name(a->turn));
}

static void on_change(void *arg, const struct webhook_change *c)
{
	(void)arg;
	ck_assert(c->field && json_is_object(c->value) && c->at_ms >= 0);
	touch(c->waba);
	touch_value(c->value);
	if (c->kind <= WEBHOOK_TEMPLATE_CORRECT) {
		touch(c->template.id);
		touch(c->template.name);
		touch(c->template.language);
		touch(c->template.reason);
		touch(c->template.category);
	} else if (c->kind == WEBHOOK_ACCOUNT) {
		touch_account(&c->account);
	} else if (c->kind == WEBHOOK_ACCOUNT_ALERT) {
		touch(c->alert.entity_id);
	} else if (c->kind == WEBHOOK_PREFERENCE) {
		ck_assert(c->preference.value && (c->preference.wa_id || c->preference.user_id));
	}
	visits++;
}

static const struct webhook_visitor visitor = { on_status, on_message, on_error, on_change };

/* ---- damage ---- */

static size_t make(char *out, const struct webhook_case *c)
{
	int n = snprintf(out, BODY_MAX, "{'object':'whatsapp_business_account','entry':[{'id':'9001','time':1,'changes':[{'field':'%s','value':%s}]}]}",
			 c->field, c->value);

	ck_assert(n > 0 && n < BODY_MAX / 2);
	for (char *p = out; *p; p++)
		if (*p == '\'')
			*p = '"';
	return (size_t)n;
}

/* The value of some member becomes another one: what a parser's shape checks are for. */
static size_t replace_value(char *text, size_t len)
{
	static const char *const values[] = { "null", "7", "-1", "1e9", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[{}]", "true", "[null]", "\"\\u00e9\"" };
	const char *v = values[roll(ARRAY_LEN(values))];
	size_t at = roll((unsigned)len), end, n = strlen(v);

	while (at < len && text[at] != ':')
		at++;
	for (end = ++at; end < len && !strchr(",}]", text[end]); )
		end++;
	if (at >= len || len + n >= BODY_MAX)
		return len;
	memmove(text + at + n, text + end, len - end);
	memcpy(text + at, v, n);
	return len - (end - at) + n;
}

static size_t damage(char *text, size_t len)
{
	size_t at = roll((unsigned)len), n;

	switch (roll(4)) {
	case 0:
		text[at] = (char)roll(256);
		return len;
	case 1:
		n = 1 + roll((unsigned)(len - at < 30 ? len - at : 30));
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	}
	return replace_value(text, len);
}

START_TEST(damaged_webhooks)
{
	int rounds = getenv("WAMD_LONG") ? LONG_ROUNDS : ROUNDS;
	struct strbuf why = STRBUF_INIT;
	static char text[BODY_MAX];

	for (int i = 0; i < rounds; i++) {
		size_t len = make(text, &webhook_cases[roll((unsigned)webhook_cases_n)]);
		unsigned long before = visits;

		for (unsigned n = roll(4); n && len; n--)
			len = damage(text, len);
		strbuf_reset(&why);
		strbuf_reset(&sink);
		if (webhook_read(text, len, &visitor, NULL, &why) < 0) {
			ck_assert(why.len > 0 && visits == before);
			refused++;
		}
	}
	ck_assert_uint_gt(visits, (unsigned long)rounds / 4);
	ck_assert_uint_gt(refused, (unsigned long)rounds / 10);
	strbuf_release(&why);
	strbuf_release(&sink);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("damaged webhooks");
	TCase *t = unit_case(s, "random");

	strbuf_init(&sink);
	tcase_add_test(t, damaged_webhooks);
	return unit_run(s);
}
