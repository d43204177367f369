#include "msg/template_inside.h"

#include "base/str.h"

/*
 * The short form says only what the definition cannot know.  Here it gets its frame; whether the values are good is seen by
 * template_check() on what comes out.
 */

static const json_t *member(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_null(v) ? NULL : v;
}

static void set(json_t *object, const char *key, const json_t *value)
{
	json_object_set_new_nocheck(object, key, json_deep_copy(value));
}

static json_t *typed(const char *type)
{
	json_t *o = json_object();

	json_put_text(o, "type", type);
	return o;
}

/* {"type":type,type:value} */
static json_t *parameter(const char *type, const json_t *value)
{
	json_t *o = typed(type);

	set(o, type, value);
	return o;
}

static void add_component(json_t *components, json_t *component, json_t *parameters)
{
	json_object_set_new_nocheck(component, "parameters", parameters);
	json_array_append_new(components, component);
}

static json_t *only(json_t *parameter)
{
	json_t *a = json_array();

	json_array_append_new(a, parameter);
	return a;
}

static void at(struct template_check *c, const char *what, int button, int n)
{
	c->what = what;
	c->button = button;
	c->parameter = n;
}

/* ---- header and body ---------------------------------------------------------------------------------------------------- */

/* A string, {"currency":{…}} or {"date_time":{…}}; NULL: why. */
static json_t *text_parameter(struct template_check *c, const json_t *v, const char *name)
{
	static const char *const kinds[] = { "currency", "date_time" };
	json_t *p = json_is_string(v) ? parameter("text", v) : NULL;

	for (size_t i = 0; !p && i < ARRAY_LEN(kinds); i++)
		if (json_is_object(json_object_get(v, kinds[i])) && json_object_size(v) == 1)
			p = parameter(kinds[i], json_object_get(v, kinds[i]));
	if (!p) {
		template_misfit(c, "%s%sfound %s, expected a string, currency or date_time", name ? template_shown(name) : "",
				name ? ": " : "", json_kind(v));
		return NULL;
	}
	if (name)
		json_put_text(p, "parameter_name", name);
	return p;
}

static int add_named(struct template_check *c, json_t *out, const json_t *values)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)values, name, v) {
		json_t *p = text_parameter(c, v, name);

		if (!p)
			return -1;
		json_array_append_new(out, p);
	}
	return 0;
}

static int add_positional(struct template_check *c, json_t *out, const json_t *values)
{
	for (size_t i = 0; i < json_array_size(values); i++) {
		json_t *p;

		c->parameter = (int)i;
		p = text_parameter(c, json_array_get(values, i), NULL);
		if (!p)
			return -1;
		json_array_append_new(out, p);
	}
	c->parameter = -1;
	return 0;
}

static int add_body(struct template_check *c, const struct template_part *part, const json_t *v, json_t *components)
{
	json_t *parameters;
	int err;

	if (!v)
		return 0;
	at(c, "body", -1, -1);
	if ((json_is_array(v) || json_is_object(v)) && !json_array_size(v) && !json_object_size(v))
		return 0;	/* of either kind: not every language tells them apart */
	if (c->t->is_named ? !json_is_object(v) : !json_is_array(v))
		return template_misfit(c, "found %s, expected %s", json_kind(v),
				       c->t->is_named ? "an object: the template's parameters have names" : "an array");
	if (!part->body.s && !part->is_open)
		return template_misfit(c, "the template has none");
	parameters = json_array();
	err = c->t->is_named ? add_named(c, parameters, v) : add_positional(c, parameters, v);
	add_component(components, typed("body"), parameters);
	return err;
}

static json_t *header_text(struct template_check *c, const struct template_text *t, const json_t *v)
{
	json_t *parameters, *p;

	if (!t->n_parameters) {
		template_misfit(c, "found %s, expected nothing: the template's header has no parameter", json_kind(v));
		return NULL;
	}
	if (c->t->is_named && json_is_object(v)) {
		parameters = json_array();
		if (add_named(c, parameters, v) == 0)
			return parameters;
		json_decref(parameters);
		return NULL;
	}
	if (!json_is_string(v)) {
		template_misfit(c, "found %s, expected a string", json_kind(v));
		return NULL;
	}
	p = parameter("text", v);
	if (c->t->is_named)
		json_put_text(p, "parameter_name", t->slots[0].name);
	return only(p);
}

/* {"image":{…}} or what would be in it. */
static json_t *header_object(struct template_check *c, enum template_header kind, const json_t *v)
{
	const char *expected = template_header_parameters[kind];

	if (!json_is_object(v)) {
		template_misfit(c, "found %s, expected an object: %s", json_kind(v), expected);
		return NULL;
	}
	if (kind == TEMPLATE_HEADER_GIF && json_is_object(json_object_get(v, "video")))
		expected = "video";
	for (int k = TEMPLATE_HEADER_TEXT; k < TEMPLATE_HEADER_OTHER; k++)
		if (json_object_get(v, template_header_parameters[k]) && strcmp(template_header_parameters[k], expected) != 0) {
			template_misfit(c, "found %s, expected %s", template_header_parameters[k], expected);
			return NULL;
		}
	return only(parameter(expected, member(v, expected) ? member(v, expected) : v));
}

static int add_header(struct template_check *c, const struct template_part *part, const json_t *v, json_t *components)
{
	json_t *parameters;

	if (!v)
		return 0;
	at(c, "header", -1, -1);
	if (part->header == TEMPLATE_HEADER_NONE && !part->is_open)
		return template_misfit(c, "the template has none");
	if (part->header == TEMPLATE_HEADER_TEXT)
		parameters = header_text(c, &part->header_text, v);
	else if (part->header == TEMPLATE_HEADER_OTHER || part->header == TEMPLATE_HEADER_NONE)
		parameters = json_is_array(v) ? json_deep_copy(v) : only(json_deep_copy(v));	/* not known: Graph's own form */
	else
		parameters = header_object(c, part->header, v);
	if (!parameters)
		return -1;
	add_component(components, typed("header"), parameters);
	return 0;
}

/* ---- buttons ------------------------------------------------------------------------------------------------------------ */

static json_t *button(const char *sub_type, int i)
{
	json_t *o = typed("button");
	char index[12];

	snprintf(index, sizeof(index), "%d", i);
	json_put_text(o, "sub_type", sub_type);
	json_put_text(o, "index", index);
	return o;
}

/* A kind that is not known: the value is its parameter in Graph's own form. */
static int add_open_button(struct template_check *c, const struct template_button *b, int i, const json_t *v, json_t *components)
{
	char sub_type[64];
	size_t n = strlen(b->type);

	if (!json_is_object(v))
		return template_misfit(c, "found %s, expected an object: the parameter", json_kind(v));
	n = n < sizeof(sub_type) ? n : sizeof(sub_type) - 1;
	for (size_t k = 0; k < n; k++)
		sub_type[k] = (char)(b->type[k] >= 'A' && b->type[k] <= 'Z' ? b->type[k] - 'A' + 'a' : b->type[k]);
	sub_type[n] = 0;
	add_component(components, button(sub_type, i), only(json_deep_copy(v)));
	return 0;
}

static int add_button(struct template_check *c, const struct template_part *part, int i, const json_t *v, json_t *components)
{
	const struct template_button *b = &part->buttons[i];
	const struct template_button_rule *rule = &template_button_rules[b->kind];
	bool is_action;

	at(c, "button", i, -1);
	if (b->need == TEMPLATE_NEED_NONE)
		return template_misfit(c, "found %s, expected nothing: this button takes no parameter", json_kind(v));
	if (b->need == TEMPLATE_NEED_ANY)
		return add_open_button(c, b, i, v, components);
	is_action = !strcmp(rule->parameter, "action");
	if (is_action ? !json_is_object(v) : !json_is_string(v))
		return template_misfit(c, "found %s, expected %s", json_kind(v), is_action ? "an object" : "a string");
	add_component(components, button(rule->sub_type, i), only(parameter(rule->parameter, v)));
	return 0;
}

/* Graph wants a flow's button to be named also when there is nothing to say of it; "unused" is its own default. */
static void add_plain_flow(int i, json_t *components)
{
	json_t *action = json_object();

	json_put_text(action, "flow_token", "unused");
	add_component(components, button("flow", i), only(parameter("action", action)));
	json_decref(action);
}

/* The value for button i in either notation; NULL: none. */
static const json_t *button_value(const json_t *values, int i)
{
	char key[12];

	snprintf(key, sizeof(key), "%d", i);
	return json_is_array(values) ? json_array_get(values, (size_t)i) : json_object_get(values, key);
}

static int check_button_keys(struct template_check *c, const struct template_part *part, const json_t *values)
{
	const char *key;
	json_t *v;

	at(c, "buttons", -1, -1);
	if (!json_is_array(values) && !json_is_object(values))
		return template_misfit(c, "found %s, expected an array or an object", json_kind(values));
	if (!part->n_buttons && (json_array_size(values) || json_object_size(values)))
		return template_misfit(c, "the template has none");
	if (json_array_size(values) > part->n_buttons)
		return template_misfit(c, "found %zu, expected at most %d", json_array_size(values), part->n_buttons);
	json_object_foreach((json_t *)(uintptr_t)values, key, v) {
		int64_t i;

		if (!str_is_digits(key) || parse_i64(key, &i) < 0 || i >= part->n_buttons || (key[0] == '0' && key[1]))
			return template_misfit(c, "found %s, expected numbers of buttons below %d", template_shown(key),
					       part->n_buttons);
	}
	return 0;
}

static int add_buttons(struct template_check *c, const struct template_part *part, const json_t *values, json_t *components)
{
	if (values && check_button_keys(c, part, values) < 0)
		return -1;
	for (int i = 0; i < part->n_buttons; i++) {
		const json_t *v = button_value(values, i);

		if (v && !json_is_null(v)) {
			if (add_button(c, part, i, v, components) < 0)
				return -1;
		} else if (part->buttons[i].kind == TEMPLATE_BUTTON_FLOW) {
			add_plain_flow(i, components);
		}
	}
	return 0;
}

/* ---- what only some templates have --------------------------------------------------------------------------------------- */

static int add_offer(struct template_check *c, const json_t *v, json_t *components)
{
	json_t *offer;
	int64_t ms;

	if (!v)
		return 0;
	at(c, "limited_time_offer", -1, -1);
	if (c->t->offer != TEMPLATE_OFFER_EXPIRES)
		return template_misfit(c, c->t->offer == TEMPLATE_OFFER_NONE ? "the template has none"
									     : "the template's offer does not expire");
	if (json_is_string(v) && parse_time_ms(json_string_value(v), &ms) == 0) {
		offer = json_object();
		json_put_int(offer, "expiration_time_ms", ms);
	} else if (json_is_object(v)) {
		offer = json_deep_copy(v);
	} else {
		return template_misfit(c, "found %s, expected expiration_time_ms in an object, or a time such as 2026-11-23T10:00:00Z",
				       json_is_string(v) ? "another text" : json_kind(v));
	}
	add_component(components, typed("limited_time_offer"), only(parameter("limited_time_offer", offer)));
	json_decref(offer);
	return 0;
}

static int add_card(struct template_check *c, int i, const json_t *card, json_t *cards)
{
	const struct template_part *part = &c->t->cards[i < c->t->n_cards ? i : 0];
	json_t *o = json_object(), *components = json_array();

	json_put_int(o, "card_index", i);
	json_object_set_new_nocheck(o, "components", components);
	json_array_append_new(cards, o);
	c->card = i;
	at(c, NULL, -1, -1);
	if (!json_is_object(card))
		return template_misfit(c, "found %s, expected an object", json_kind(card));
	if (add_header(c, part, member(card, "header"), components) < 0 || add_body(c, part, member(card, "body"), components) < 0 ||
	    add_buttons(c, part, member(card, "buttons"), components) < 0)
		return -1;
	c->card = -1;
	return 0;
}

static int add_cards(struct template_check *c, const json_t *v, json_t *components)
{
	json_t *component, *cards;

	if (!v)
		return 0;
	at(c, "cards", -1, -1);
	if (!json_is_array(v))
		return template_misfit(c, "found %s, expected an array", json_kind(v));
	if (!c->t->n_cards)
		return template_misfit(c, "the template has none");
	component = typed("carousel");
	cards = json_array();
	json_object_set_new_nocheck(component, "cards", cards);
	json_array_append_new(components, component);
	for (size_t i = 0; i < json_array_size(v); i++)
		if (add_card(c, (int)i, json_array_get(v, i), cards) < 0)
			return -1;
	return 0;
}

/* The one-time password fills both the text and the button that copies it. */
static int add_code(struct template_check *c, const json_t *payload, json_t *components)
{
	static const char *const others[] = { "body", "buttons" };
	const struct template_part *part = &c->t->top;
	const json_t *code = member(payload, "code");
	json_t *p;

	at(c, "code", -1, -1);
	if (!c->t->is_authentication)
		return template_misfit(c, "found one, expected none: this is no authentication template");
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (member(payload, others[i]))
			return template_misfit(c, "found %s too, expected one of them", others[i]);
	if (!json_is_string(code))
		return template_misfit(c, "found %s, expected a string", json_kind(code));
	if (part->body.n_parameters) {
		p = parameter("text", code);
		if (c->t->is_named)
			json_put_text(p, "parameter_name", part->body.slots[0].name);
		add_component(components, typed("body"), only(p));
	}
	for (int i = 0; i < part->n_buttons; i++)
		if (part->buttons[i].kind == TEMPLATE_BUTTON_OTP && add_button(c, part, i, code, components) < 0)
			return -1;
	return 0;
}

static int add_all(struct template_check *c, const json_t *payload, json_t *components)
{
	const struct template_part *part = &c->t->top;

	if (add_header(c, part, member(payload, "header"), components) < 0 ||
	    add_offer(c, member(payload, "limited_time_offer"), components) < 0)
		return -1;
	if (member(payload, "code")) {
		if (add_code(c, payload, components) < 0)
			return -1;
	} else if (add_body(c, part, member(payload, "body"), components) < 0 ||
		   add_buttons(c, part, member(payload, "buttons"), components) < 0) {
		return -1;
	}
	return add_cards(c, member(payload, "cards"), components);
}

json_t *template_expand(struct template_check *c, const json_t *payload)
{
	const json_t *given = member(payload, "components"), *language = member(payload, "language");
	json_t *out = json_object(), *code = json_object(), *components = given ? json_deep_copy(given) : json_array();
	int err = given ? 0 : add_all(c, payload, components);	/* given: only its language is short */

	json_put_text(out, "name", c->t->name);
	json_put_text(code, "code", c->t->language);
	set(out, "language", json_is_object(language) ? language : code);
	json_decref(code);
	if (!err && (given || json_array_size(components)))
		json_object_set_nocheck(out, "components", components);
	json_decref(components);
	if (!err)
		return out;
	json_decref(out);
	return NULL;
}
