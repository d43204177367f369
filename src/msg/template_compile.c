#include "msg/template_inside.h"

#include <strings.h>

#include "base/mem.h"

/*
 * A definition is built twice by the same code: in a scratch that is large enough for anything, to learn its size, and then in the one
 * allocation that stays.
 */
struct arena {
	char *base;
	size_t used, size;
};

static void *take(struct arena *a, size_t n, size_t align)
{
	size_t at = (a->used + align - 1) & ~(align - 1);

	if (at + n > a->size)
		BUG("template arena: %zu of %zu", at + n, a->size);
	a->used = at + n;
	return a->base + at;
}

#define TAKE(a, type, n) ((type *)take((a), (size_t)(n) * sizeof(type), _Alignof(type)))

static const char *take_bytes(struct arena *a, const char *s, size_t n)
{
	char *copy = take(a, n + 1, 1);

	memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

static const char *take_text(struct arena *a, const char *s)
{
	return s && *s ? take_bytes(a, s, strlen(s)) : "";
}

/* More than what becomes of v can take. */
static size_t bound(const json_t *v)
{
	size_t n = sizeof(struct template_part) + sizeof(struct template_button);
	const char *key;
	json_t *member;

	if (json_is_string(v))	/* itself, and each five bytes of it a placeholder with a name */
		return 64 + 2 * json_string_length(v) + (json_string_length(v) / 5 + 1) * (sizeof(struct template_slot) + 1);
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
		n += bound(member);
	for (size_t i = 0; i < json_array_size(v); i++)
		n += bound(json_array_get(v, i));
	return n;
}

static bool is_type(const json_t *object, const char *key, const char *word)
{
	const char *text = json_text(object, key);

	return text && !strcasecmp(text, word);
}

/* The component of that type; NULL: none. */
static const json_t *component(const json_t *components, const char *type)
{
	for (size_t i = 0; i < json_array_size(components); i++)
		if (is_type(json_array_get(components, i), "type", type))
			return json_array_get(components, i);
	return NULL;
}

/* ---- texts ------------------------------------------------------------------------------------------------------------- */

/* Does this placeholder count?  In a positional template those with names are text like any other. */
static bool counts(const struct template_found *f, bool is_named)
{
	return is_named || f->number > 0;
}

static int number_of(const struct template_text *t, int before, const struct template_found *f)
{
	for (int i = 0; i < before; i++)
		if (strlen(t->slots[i].name) == f->name_len && !memcmp(t->slots[i].name, f->name, f->name_len))
			return t->slots[i].number;
	return t->n_parameters;
}

static struct template_text take_slots(struct arena *a, const char *s, bool is_named)
{
	struct template_text t = { .s = take_text(a, s), .len = (uint32_t)strlen(s) };
	struct template_found f;
	const char *p = s;

	while (t.n_slots < TEMPLATE_PARAMETERS_MAX && template_next_slot(&p, &f))
		t.n_slots += counts(&f, is_named);
	t.slots = TAKE(a, struct template_slot, t.n_slots);
	p = s;
	for (int i = 0; i < t.n_slots && template_next_slot(&p, &f); ) {
		struct template_slot *slot = &t.slots[i];

		if (!counts(&f, is_named))
			continue;
		*slot = (struct template_slot){ .at = (uint32_t)(f.at - s), .len = (uint32_t)f.len, .number = f.number - 1 };
		if (is_named) {
			slot->number = number_of(&t, i, &f);
			slot->name = slot->number < t.n_parameters ? NULL : take_bytes(a, f.name, f.name_len);
			for (int k = 0; !slot->name; k++)
				if (t.slots[k].number == slot->number)
					slot->name = t.slots[k].name;
		}
		if (slot->number >= t.n_parameters)
			t.n_parameters = (uint16_t)(slot->number + 1);
		i++;
	}
	return t;
}

/* Listings that say nothing of it: a placeholder with a name tells. */
static bool has_named_slot(const json_t *components)
{
	static const char *const types[] = { "header", "body" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const char *p = json_text(component(components, types[i]), "text");
		struct template_found f;

		while (p && template_next_slot(&p, &f))
			if (!f.number)
				return true;
	}
	return false;
}

/* ---- components -------------------------------------------------------------------------------------------------------- */

static enum template_header header_kind(const json_t *header)
{
	static const char *const formats[] = {
#define TEMPLATE_HEADER(ident, format, parameter) [TEMPLATE_HEADER_##ident] = format,
#include "tbl/template_headers.h"
#undef TEMPLATE_HEADER
	};

	for (unsigned k = TEMPLATE_HEADER_NONE + 1; k < TEMPLATE_HEADER_OTHER; k++)
		if (is_type(header, "format", formats[k]))
			return (enum template_header)k;
	return TEMPLATE_HEADER_OTHER;
}

static void take_header(struct arena *a, const struct template_def *t, struct template_part *part, const json_t *header)
{
	const char *text = json_text(header, "text");

	part->header = header_kind(header);
	if (part->header == TEMPLATE_HEADER_TEXT)
		part->header_text = take_slots(a, text ? text : "", t->is_named);
}

/* Authentication templates are made without a text: it is Meta's, and stands in listings as a rule only. */
static void take_body(struct arena *a, const struct template_def *t, struct template_part *part, const json_t *body)
{
	const char *text = json_text(body, "text");

	if (!text && t->is_authentication)
		text = json_is_true(json_object_get(body, "add_security_recommendation"))
			? "*{{1}}* is your verification code. For your security, do not share this code."
			: "*{{1}}* is your verification code.";
	part->body = take_slots(a, text ? text : "", t->is_named);
}

static void take_footer(struct arena *a, struct template_part *part, const json_t *footer)
{
	const json_t *minutes = json_object_get(footer, "code_expiration_minutes");
	const char *text = json_text(footer, "text");
	char made[64];

	if (!text && json_is_integer(minutes)) {
		snprintf(made, sizeof(made), "This code expires in %d minutes.", (int)json_integer_value(minutes));
		text = made;
	}
	if (text)
		part->footer = take_text(a, text);
}

static enum template_button_kind button_kind(const json_t *button)
{
	for (unsigned k = 0; k < TEMPLATE_BUTTON_OTHER; k++)
		if (is_type(button, "type", template_button_rules[k].type))
			return (enum template_button_kind)k;
	return TEMPLATE_BUTTON_OTHER;
}

static void take_button(struct arena *a, const struct template_def *t, struct template_button *b, const json_t *button)
{
	const char *url = json_text(button, "url"), *number = json_text(button, "phone_number");

	b->kind = button_kind(button);
	b->need = b->kind == TEMPLATE_BUTTON_OTHER ? TEMPLATE_NEED_ANY : template_button_rules[b->kind].need;
	b->type = take_text(a, json_text(button, "type"));
	b->label = take_text(a, json_text(button, "text"));
	if (url || number)
		b->value = take_slots(a, url ? url : number, t->is_named);
	if (b->kind != TEMPLATE_BUTTON_URL)
		return;
	if (!b->value.n_slots)
		b->need = TEMPLATE_NEED_NONE;
	else if (t->is_authentication)
		b->kind = TEMPLATE_BUTTON_OTP;	/* so listings show it */
}

static void take_buttons(struct arena *a, const struct template_def *t, struct template_part *part, const json_t *buttons)
{
	size_t n = json_array_size(buttons);

	part->n_buttons = (uint8_t)(n < TEMPLATE_BUTTONS_MAX ? n : TEMPLATE_BUTTONS_MAX);
	part->buttons = TAKE(a, struct template_button, part->n_buttons);
	memset(part->buttons, 0, part->n_buttons * sizeof(*part->buttons));
	for (size_t i = 0; i < part->n_buttons; i++)
		take_button(a, t, &part->buttons[i], json_array_get(buttons, i));
}

static bool is_known(const json_t *one)
{
	static const char *const types[] = { "header", "body", "footer", "buttons", "limited_time_offer", "carousel" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (is_type(one, "type", types[i]))
			return true;
	return false;
}

static void take_part(struct arena *a, const struct template_def *t, struct template_part *part, const json_t *components)
{
	const json_t *one;

	*part = (struct template_part){ .header = TEMPLATE_HEADER_NONE };
	for (size_t i = 0; i < json_array_size(components); i++)
		part->is_open |= !is_known(json_array_get(components, i));
	if ((one = component(components, "header")))
		take_header(a, t, part, one);
	if ((one = component(components, "body")))
		take_body(a, t, part, one);
	if ((one = component(components, "footer")))
		take_footer(a, part, one);
	if ((one = component(components, "buttons")))
		take_buttons(a, t, part, json_object_get(one, "buttons"));
}

static void take_cards(struct arena *a, struct template_def *t, const json_t *cards)
{
	size_t n = json_array_size(cards);

	t->n_cards = (int)(n < TEMPLATE_CARDS_MAX ? n : TEMPLATE_CARDS_MAX);
	t->cards = TAKE(a, struct template_part, t->n_cards);
	for (int i = 0; i < t->n_cards; i++)
		take_part(a, t, &t->cards[i], json_object_get(json_array_get(cards, (size_t)i), "components"));
}

/* Its fields stand in an object of its name, or in the component itself. */
static void take_offer(struct arena *a, struct template_def *t, const json_t *offer)
{
	const json_t *inner = json_object_get(offer, "limited_time_offer");

	if (json_is_object(inner))
		offer = inner;
	t->offer = json_is_true(json_object_get(offer, "has_expiration")) ? TEMPLATE_OFFER_EXPIRES : TEMPLATE_OFFER_ENDLESS;
	t->offer_text = take_text(a, json_text(offer, "text"));
}

static const char *take_language(struct arena *a, const char *language)
{
	char *copy = take(a, strlen(language) + 1, 1);

	for (size_t i = 0; i <= strlen(language); i++)
		copy[i] = (char)(language[i] == '-' ? '_' : language[i]);	/* as webhooks have it */
	return copy;
}

static struct template_def *build(struct arena *a, const json_t *definition)
{
	const json_t *components = json_object_get(definition, "components"), *id = json_object_get(definition, "id"), *one;
	struct template_def *t = TAKE(a, struct template_def, 1);
	char number[32];

	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(id));	/* so webhooks have it */
	*t = (struct template_def){ .offer = TEMPLATE_OFFER_NONE };
	t->name = take_text(a, json_text(definition, "name"));
	t->language = take_language(a, json_text(definition, "language"));
	t->id = take_text(a, json_is_integer(id) ? number : json_string_value(id));
	t->category = take_text(a, json_text(definition, "category"));
	t->status_text = take_text(a, json_text(definition, "status"));
	t->status = template_status_of(t->status_text);
	t->is_authentication = is_type(definition, "category", "authentication");
	t->is_named = json_text(definition, "parameter_format") ? is_type(definition, "parameter_format", "named")
								: has_named_slot(components);
	take_part(a, t, &t->top, components);
	if ((one = component(components, "limited_time_offer")))
		take_offer(a, t, one);
	if ((one = component(components, "carousel")))
		take_cards(a, t, json_object_get(one, "cards"));
	t->bytes = a->used;
	return t;
}

struct template_def *template_compile(const json_t *definition, struct strbuf *why)
{
	static const char *const texts[] = { "name", "language" };
	const json_t *components = json_object_get(definition, "components");
	struct arena scratch = { .size = sizeof(struct template_def) + 64 + bound(definition) }, exact = { 0 };
	struct template_def *t;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = json_text(definition, texts[i]);

		if (!text || !*text) {
			why_set(why, "%s: found %s, expected a string", texts[i],
				text ? "an empty one" : json_kind(json_object_get(definition, texts[i])));
			return NULL;
		}
	}
	if (!json_is_array(components)) {
		why_set(why, "components: found %s, expected an array", json_kind(components));
		return NULL;
	}
	scratch.base = mem_alloc(scratch.size);
	build(&scratch, definition);
	exact.size = scratch.used;
	free(scratch.base);
	exact.base = mem_alloc(exact.size);
	t = build(&exact, definition);
	return t;
}

void template_free(struct template_def **tp)
{
	free(*tp);
	*tp = NULL;
}
