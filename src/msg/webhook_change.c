#include "msg/webhook_inside.h"

#include "base/str.h"

enum { ID_SIZE = 24, LANGUAGE_SIZE = 32 };

/* Texts that are not as they came. */
struct texts { char id[ID_SIZE], language[LANGUAGE_SIZE]; };

static const struct { const char *name, *member; bool alone; } fields[] = {
#define WEBHOOK_FIELD(ident, field, member, alone) { field, member, alone },
#include "tbl/webhook_fields.h"
#undef WEBHOOK_FIELD
};

static const struct { const char *name, *event, *state; enum account_effect effect; } turns[] = {
#define ACCOUNT_TURN(ident, name, event, state, effect, meaning) { name, event, state, ACCOUNT_##effect },
#include "tbl/account_turns.h"
#undef ACCOUNT_TURN
};

const char *webhook_field_name(enum webhook_field f)
{
	return f < WEBHOOK_OTHER ? fields[f].name : NULL;
}

const char *account_turn_name(enum account_turn t)
{
	return t < ACCOUNT_LIFTED ? turns[t].name : t == ACCOUNT_LIFTED ? "lifted" : NULL;
}

/* ---- which field is it? ---- */

static enum webhook_field named(const char *field)
{
	size_t f = 0;

	while (f < ARRAY_LEN(fields) && strcmp(fields[f].name, field))
		f++;
	return (enum webhook_field)f;
}

static enum webhook_field kind_of(const char *field, const json_t *value)
{
	enum webhook_field kind = named(field);

	if (kind == WEBHOOK_OTHER || json_object_get(value, fields[kind].member))
		return kind;
	for (size_t f = 0; f < ARRAY_LEN(fields); f++)
		if (fields[f].alone && json_object_get(value, fields[f].member))
			return (enum webhook_field)f;
	return kind;
}

/* ---- texts ---- */

/* An id, which may be written as a number. */
static const char *id_text(const json_t *value, const char *name, char out[ID_SIZE])
{
	const json_t *v = json_object_get(value, name);

	if (json_is_string(v))
		return json_string_value(v);
	if (!json_is_integer(v) || json_integer_value(v) <= 0)
		return NULL;
	snprintf(out, ID_SIZE, "%lld", (long long)json_integer_value(v));
	return out;
}

/* Webhooks write en-US what listings and sends write en_US. */
static const char *language_text(const json_t *value, char out[LANGUAGE_SIZE])
{
	const char *text = json_text(value, "message_template_language");

	if (!text || !*text || strlen(text) >= LANGUAGE_SIZE)
		return NULL;
	memcpy(out, text, strlen(text) + 1);
	for (char *p = out; *p; p++)
		if (*p == '-')
			*p = '_';
	return out;
}

/* Meta writes NONE where there is no reason. */
static const char *reason_text(const json_t *value, const char *name)
{
	const char *text = json_text(value, name);

	return text && *text && strcmp(text, "NONE") ? text : NULL;
}

static const char *either(const json_t *value, const char *name, const char *other)
{
	const char *text = json_text(value, name);

	return text ? text : json_text(value, other);
}

/* ---- templates ---- */

static void read_template_status(struct webhook_template *t, const json_t *value)
{
	const json_t *info = json_object_get(value, "other_info"), *rejection = json_object_get(value, "rejection_info");

	t->event = json_text(value, "event");
	t->reason = reason_text(value, "reason");
	if (!t->reason)
		t->reason = reason_text(rejection, "reason");
	t->title = json_text(info, "title");
	t->description = json_text(info, "description");
	if (!t->description)
		t->description = json_text(rejection, "recommendation");
	t->change_ms = webhook_time_ms(json_object_get(json_object_get(value, "disable_info"), "disable_date"));
}

static void read_template(struct webhook_template *t, const json_t *value, struct texts *texts)
{
	t->id = id_text(value, "message_template_id", texts->id);
	t->name = json_text(value, "message_template_name");
	t->language = language_text(value, texts->language);
	t->category = either(value, "new_category", "message_template_category");
	if (!t->category)
		t->category = json_text(value, "category");
	t->old_category = json_text(value, "previous_category");
	t->correct_category = json_text(value, "correct_category");
	t->quality = json_text(value, "new_quality_score");
	t->old_quality = json_text(value, "previous_quality_score");
	t->change_ms = webhook_time_ms(json_object_get(value, "category_update_timestamp"));
}

/* ---- numbers ---- */

static void read_number(struct webhook_number *n, const json_t *value)
{
	n->display = json_text(value, "display_phone_number");
	n->event = json_text(value, "event");
	n->limit = either(value, "max_daily_conversations_per_business", "current_limit");
	n->old_limit = json_text(value, "old_limit");
	n->decision = json_text(value, "decision");
	n->name = json_text(value, "requested_verified_name");
	n->reason = reason_text(value, "rejection_reason");
}

/* ---- accounts ---- */

static bool ends_in(const char *text, const char *end)
{
	size_t n = text ? strlen(text) : 0;

	return n >= strlen(end) && strcmp(text + n - strlen(end), end) == 0;
}

static enum account_turn turn_of(const struct webhook_account *a)
{
	if (a->n_restrictions == 0 && (ends_in(a->violation, "_UNBAN") || ends_in(a->violation, "_RECOVERY")))
		return ACCOUNT_LIFTED;
	for (size_t t = 0; a->event && t < ARRAY_LEN(turns); t++)
		if (strcmp(turns[t].event, a->event) == 0 && (!turns[t].state || (a->ban_state && strcmp(turns[t].state, a->ban_state) == 0)))
			return (enum account_turn)t;
	return ACCOUNT_OTHER;
}

static const struct webhook_restriction *restriction_of(const struct webhook_account *a, const char *type)
{
	for (int i = 0; i < a->n_restrictions; i++)
		if (!strcmp(a->restrictions[i].type, type))
			return &a->restrictions[i];
	return NULL;
}

static void find_effect(struct webhook_account *a)
{
	const struct webhook_restriction *begins = restriction_of(a, "RESTRICTED_BIZ_INITIATED_MESSAGING");
	const struct webhook_restriction *answers = restriction_of(a, "RESTRICTED_CUSTOMER_INITIATED_MESSAGING");

	a->effect = a->turn < ACCOUNT_LIFTED ? turns[a->turn].effect : a->turn == ACCOUNT_LIFTED ? ACCOUNT_GOES : ACCOUNT_SAME;
	if (a->turn == ACCOUNT_RESTRICTED && begins && answers) {
		a->effect = ACCOUNT_STOPS;
		a->until_ms = begins->until_ms < answers->until_ms ? begins->until_ms : answers->until_ms;
	}
}

static void read_account(struct webhook_account *a, const json_t *value)
{
	const json_t *list = json_object_get(value, "restriction_info"), *ban = json_object_get(value, "ban_info"), *r;
	size_t i;

	a->event = json_text(value, "event");
	a->violation = json_text(json_object_get(value, "violation_info"), "violation_type");
	a->ban_state = json_text(ban, "waba_ban_state");
	a->ban_date = json_text(ban, "waba_ban_date");
	json_array_foreach(list, i, r) {
		const char *type = json_text(r, "restriction_type");

		if (type && a->n_restrictions < WEBHOOK_RESTRICTIONS)
			a->restrictions[a->n_restrictions++] = (struct webhook_restriction){ type, json_text(r, "remediation"),
				webhook_time_ms(json_object_get(r, "expiration")) };
	}
	a->turn = turn_of(a);
	find_effect(a);
}

static const char *alert_text(const json_t *value, const char *name)
{
	const char *text = json_text(json_object_get(value, "alert_info"), name);

	return text ? text : json_text(value, name);	/* older webhooks have no alert_info */
}

static void read_alert(struct webhook_alert *a, const json_t *value, struct texts *texts)
{
	*a = (struct webhook_alert){
		.entity_type = json_text(value, "entity_type"), .entity_id = id_text(value, "entity_id", texts->id),
		.severity = alert_text(value, "alert_severity"), .status = alert_text(value, "alert_status"),
		.type = alert_text(value, "alert_type"), .description = alert_text(value, "alert_description"),
	};
}

int64_t webhook_tier(const char *tier)
{
	char digits[16];
	size_t n;
	int64_t v;

	if (!tier || !str_starts(tier, "TIER_"))
		return WEBHOOK_NOT_SAID;
	tier += strlen("TIER_");
	if (strcmp(tier, "UNLIMITED") == 0)
		return WEBHOOK_UNLIMITED;
	n = strspn(tier, "0123456789");
	if (n == 0 || n > 9 || (tier[n] && strcmp(tier + n, "K")))
		return WEBHOOK_NOT_SAID;
	snprintf(digits, sizeof(digits), "%.*s", (int)n, tier);
	if (parse_i64(digits, &v) < 0)
		return WEBHOOK_NOT_SAID;
	return tier[n] ? v * 1000 : v;
}

static int64_t amount(const json_t *value, const char *name)
{
	const json_t *v = json_object_get(value, name);

	if (!json_is_integer(v))
		return WEBHOOK_NOT_SAID;
	return json_integer_value(v) < 0 ? WEBHOOK_UNLIMITED : json_integer_value(v);
}

static void read_capability(struct webhook_capability *c, const json_t *value)
{
	static const char limit[] = "max_daily_conversations_per_business";

	c->tier = json_text(value, limit);
	c->recipients_a_day = c->tier ? webhook_tier(c->tier) : amount(value, limit);
	c->numbers_a_business = amount(value, "max_phone_numbers_per_business");
	c->numbers_a_waba = amount(value, "max_phone_numbers_per_waba");
}

/* ---- people ---- */

static void read_preference(struct webhook_preference *p, const json_t *one)
{
	*p = (struct webhook_preference){
		.wa_id = json_text(one, "wa_id"), .user_id = json_text(one, "user_id"), .category = json_text(one, "category"),
		.value = json_text(one, "value"), .detail = json_text(one, "detail"),
		.at_ms = webhook_time_ms(json_object_get(one, "timestamp")),
	};
	p->stop = p->value && strcmp(p->value, "stop") == 0;
}

/* Who it is and what they want must be there. */
static int visit_preferences(struct webhook_change *c, const struct webhook_visitor *v, void *arg)
{
	const json_t *list = json_object_get(c->value, "user_preferences"), *one;
	int left_out = 0;
	size_t i;

	if (!json_is_array(list))
		return 1;
	json_array_foreach(list, i, one) {
		read_preference(&c->preference, one);
		if (!c->preference.value || (!c->preference.wa_id && !c->preference.user_id))
			left_out++;
		else if (v->on_change)
			v->on_change(arg, c);
	}
	return left_out;
}

int webhook_change_visit(struct webhook_change *c, const struct webhook_visitor *v, void *arg)
{
	struct texts texts;

	c->kind = kind_of(c->field, c->value);
	switch (c->kind) {
	case WEBHOOK_TEMPLATE_STATUS:
	case WEBHOOK_TEMPLATE_QUALITY:
	case WEBHOOK_TEMPLATE_COMPONENTS:
	case WEBHOOK_TEMPLATE_CATEGORY:
	case WEBHOOK_TEMPLATE_CORRECT:
		read_template(&c->template, c->value, &texts);
		if (c->kind == WEBHOOK_TEMPLATE_STATUS)
			read_template_status(&c->template, c->value);
		break;
	case WEBHOOK_NUMBER_QUALITY:
	case WEBHOOK_NUMBER_NAME:
		read_number(&c->number, c->value);
		break;
	case WEBHOOK_ACCOUNT:
		read_account(&c->account, c->value);
		break;
	case WEBHOOK_ACCOUNT_ALERT:
		read_alert(&c->alert, c->value, &texts);
		break;
	case WEBHOOK_ACCOUNT_REVIEW:
		c->review = json_text(c->value, "decision");
		break;
	case WEBHOOK_CAPABILITY:
		read_capability(&c->capability, c->value);
		break;
	case WEBHOOK_SECURITY:
		c->security = (struct webhook_security){ json_text(c->value, "display_phone_number"), json_text(c->value, "event"),
							 json_text(c->value, "requester") };
		break;
	case WEBHOOK_PREFERENCE:
		return visit_preferences(c, v, arg);
	case WEBHOOK_OTHER:
		break;
	}
	if (v->on_change)
		v->on_change(arg, c);
	return 0;
}
