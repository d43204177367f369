#include "msg/template_inside.h"

#include <strings.h>

#include "base/str.h"

/* ---- members of parameters ---------------------------------------------------------------------------------------------- */

/* A text that Graph takes as it is.  name: for the error text, such as "image.id". */
static int check_string(struct template_check *c, const json_t *v, const char *name)
{
	if (!json_is_string(v))
		return template_misfit(c, "%s found %s, expected a string", name, json_kind(v));
	if (!json_string_length(v))
		return template_misfit(c, "%s found an empty string, expected 1 character or more", name);
	return 0;
}

static int check_member(struct template_check *c, const json_t *object, const char *in, const char *key)
{
	char name[96];

	snprintf(name, sizeof(name), "%s.%s", in, key);
	return check_string(c, json_object_get(object, key), name);
}

static int check_optional(struct template_check *c, const json_t *object, const char *in, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return !v || json_is_null(v) ? 0 : check_member(c, object, in, key);
}

/* A text that the recipient reads: Meta refuses what would break its line. */
static int check_words(struct template_check *c, const json_t *v, const char *name, bool may_flatten)
{
	const char *forbidden;

	if (check_string(c, v, name) < 0)
		return -1;
	forbidden = template_forbidden(json_string_value(v));
	if (!forbidden)
		return 0;
	if (!may_flatten || !c->rules || !c->rules->flatten)
		return template_misfit(c, "%s found %s, expected none", name, forbidden);
	c->must_flatten = true;
	return 0;
}

/* The parameter itself, and that it is of this type. */
static int check_type(struct template_check *c, const json_t *parameter, const char *expected)
{
	const json_t *type;

	if (!json_is_object(parameter))
		return template_misfit(c, "found %s, expected an object", json_kind(parameter));
	type = json_object_get(parameter, "type");
	if (!json_is_string(type))
		return template_misfit(c, "type found %s, expected %s", json_kind(type), expected);
	if (strcasecmp(json_string_value(type), expected) != 0)
		return template_misfit(c, "found %s, expected %s", template_shown(json_string_value(type)), expected);
	return 0;
}

static const json_t *object_member(struct template_check *c, const json_t *parameter, const char *key)
{
	const json_t *v = json_object_get(parameter, key);

	if (json_is_object(v))
		return v;
	template_misfit(c, "%s found %s, expected an object", key, json_kind(v));
	return NULL;
}

/* ---- texts of header and body ------------------------------------------------------------------------------------------- */

static int check_code(struct template_check *c, const char *code)
{
	size_t n = template_chars(code);

	if (n > OTP_CHARS)
		return template_misfit(c, "found a code of %zu characters, expected 1 to %d", n, OTP_CHARS);
	return 0;
}

static int check_currency(struct template_check *c, const json_t *parameter)
{
	const json_t *v = object_member(c, parameter, "currency"), *amount = json_object_get(v, "amount_1000");

	if (!v || check_words(c, json_object_get(v, "fallback_value"), "currency.fallback_value", true) < 0 ||
	    check_member(c, v, "currency", "code") < 0)
		return -1;
	return json_is_integer(amount) ? 0
		: template_misfit(c, "currency.amount_1000 found %s, expected a whole number",
				  json_is_real(amount) ? "a fraction" : json_kind(amount));
}

static int check_typed(struct template_check *c, const json_t *parameter)
{
	const char *type = json_text(parameter, "type");
	const json_t *v;

	if (type && !strcasecmp(type, "currency"))
		return check_currency(c, parameter);
	if (!type || strcasecmp(type, "date_time") != 0)
		return check_type(c, parameter, "text") < 0 ? -1 : check_words(c, json_object_get(parameter, "text"), "text", true);
	v = object_member(c, parameter, "date_time");
	return v ? check_words(c, json_object_get(v, "fallback_value"), "date_time.fallback_value", true) : -1;
}

static int check_value(struct template_check *c, const json_t *parameter, bool is_body)
{
	const char *type = json_text(parameter, "type");
	const json_t *text;

	if (!type || strcmp(type, "text") != 0) {	/* nearly all are texts */
		if (is_body && !c->t->is_authentication)
			return check_typed(c, parameter);
		if (check_type(c, parameter, "text") < 0)
			return -1;
	}
	text = json_object_get(parameter, "text");
	if (check_words(c, text, "text", true) < 0)
		return -1;
	if (!is_body || !c->t->is_authentication)
		return 0;
	c->body_code = json_string_value(text);
	return check_code(c, c->body_code);
}

/* "order_no" or "order_no, name and total" */
static void add_names(struct strbuf *sb, const struct template_text *t)
{
	for (int k = 0; k < t->n_parameters; k++)
		for (int i = 0; i < t->n_slots; i++)
			if (t->slots[i].number == k) {
				strbuf_addf(sb, "%s%s", k == 0 ? "" : k + 1 < t->n_parameters ? ", " : " or ", t->slots[i].name);
				break;
			}
}

/* Which of the template's parameters it is; -1: none. */
static int number_of(struct template_check *c, const struct template_text *t, const json_t *parameter, int i)
{
	/* type and value: there is nothing else */
	const json_t *name = json_object_size(parameter) <= 2 && !c->t->is_named ? NULL : json_object_get(parameter, "parameter_name");
	struct strbuf names = STRBUF_INIT;
	int number;

	if (!c->t->is_named) {
		if (name && !json_is_null(name))
			return template_misfit(c, "found a parameter_name, expected none: the template's parameters have no names");
		return i;
	}
	number = json_is_string(name) ? template_slot_number(t, json_string_value(name)) : -1;
	if (number >= 0)
		return number;
	add_names(&names, t);
	template_misfit(c, "parameter_name found %s, expected %s",
			json_is_string(name) ? template_shown(json_string_value(name)) : json_kind(name), names.len ? names.buf : "none");
	strbuf_release(&names);
	return -1;
}

/* Characters that the text has when it is filled in; values by parameter. */
static void warn_of_length(struct template_check *c, const struct template_text *t, const json_t *const *values, size_t max)
{
	size_t n = utf8_count(t->s, t->len);

	for (int i = 0; i < t->n_slots; i++) {
		const char *shown = template_value_shown(values[t->slots[i].number]);

		n += (shown ? template_chars(shown) : 0) - t->slots[i].len;
	}
	c->parameter = -1;
	if (n > max)
		template_warn(c, "found %zu characters when it is filled in, Meta's limit is %zu", n, max);
}

static int check_missing_names(struct template_check *c, const struct template_text *t, const json_t *const *values)
{
	c->parameter = -1;
	for (int i = 0; i < t->n_slots; i++)
		if (!values[t->slots[i].number])
			return template_misfit(c, "%s is missing", t->slots[i].name);
	return 0;
}

static size_t longest(const struct template_check *c, bool is_body)
{
	if (!is_body)
		return HEADER_CHARS;
	return c->card >= 0 ? CARD_BODY_CHARS : c->t->offer != TEMPLATE_OFFER_NONE ? OFFER_BODY_CHARS : BODY_CHARS;
}

int template_check_text(struct template_check *c, const struct template_text *t, const json_t *parameters, bool is_body)
{
	const json_t *values[TEMPLATE_PARAMETERS_MAX];
	size_t n = json_array_size(parameters);

	if (!c->t->is_named && n != t->n_parameters)
		return template_misfit(c, "found %zu parameters, expected %d", n, t->n_parameters);
	memset(values, 0, t->n_parameters * sizeof(*values));
	for (size_t i = 0; i < n; i++) {
		const json_t *parameter = json_array_get(parameters, i);
		int number;

		c->parameter = (int)i;
		if (!json_is_object(parameter))
			return template_misfit(c, "found %s, expected an object", json_kind(parameter));
		number = number_of(c, t, parameter, (int)i);
		if (number < 0 || check_value(c, parameter, is_body) < 0)
			return -1;
		if (values[number])
			return template_misfit(c, "%s is there twice", json_text(parameter, "parameter_name"));
		values[number] = parameter;
	}
	if (c->t->is_named && check_missing_names(c, t, values) < 0)
		return -1;
	if (c->warnings && n)
		warn_of_length(c, t, values, longest(c, is_body));
	return 0;
}

/* ---- other headers ------------------------------------------------------------------------------------------------------ */

static int check_link(struct template_check *c, const char *kind, const char *link)
{
	return !strncasecmp(link, "http://", 7) || !strncasecmp(link, "https://", 8) ? 0
		: template_misfit(c, "%s.link found no web address, expected http:// or https://", kind);
}

static int check_media(struct template_check *c, const char *kind, const json_t *media)
{
	static const char *const sources[] = { "id", "link", "media" };	/* the last is wamd's own: replaced before it is sent */
	const char *found = NULL;
	const json_t *v;

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		v = json_object_get(media, sources[i]);
		if (!v || json_is_null(v))
			continue;
		if (found)
			return template_misfit(c, "%s found both %s and %s, expected one of id, link or media", kind, found, sources[i]);
		found = sources[i];
	}
	if (!found)
		return template_misfit(c, "%s found none of id, link and media, expected one", kind);
	if (found == sources[2] && json_is_object(json_object_get(media, found)))
		return 0;
	if (check_member(c, media, kind, found) < 0 || check_optional(c, media, kind, "filename") < 0)
		return -1;
	return found == sources[1] ? check_link(c, kind, json_text(media, found)) : 0;
}

static int check_location(struct template_check *c, const json_t *location)
{
	static const char *const degrees[] = { "latitude", "longitude" }, *const words[] = { "name", "address" };

	for (size_t i = 0; i < ARRAY_LEN(degrees); i++) {
		const json_t *v = json_object_get(location, degrees[i]);

		if (!json_is_number(v) && (!json_is_string(v) || !json_string_length(v)))
			return template_misfit(c, "location.%s found %s, expected a number", degrees[i],
					       json_is_string(v) ? "an empty string" : json_kind(v));
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const json_t *v = json_object_get(location, words[i]);

		if (v && !json_is_null(v) && !json_is_string(v))
			return template_misfit(c, "location.%s found %s, expected a string", words[i], json_kind(v));
	}
	return 0;
}

int template_check_header(struct template_check *c, enum template_header kind, const json_t *parameters)
{
	const json_t *parameter = json_array_get(parameters, 0), *v;
	const char *expected = template_header_parameters[kind], *type = json_text(parameter, "type");

	if (!expected)
		return 0;
	if (json_array_size(parameters) != 1)
		return template_misfit(c, "found %zu parameters, expected 1: %s", json_array_size(parameters), expected);
	c->parameter = 0;
	if (kind == TEMPLATE_HEADER_GIF && type && !strcasecmp(type, "video"))
		expected = "video";	/* Meta's pages show both */
	if (check_type(c, parameter, expected) < 0)
		return -1;
	v = object_member(c, parameter, expected);
	if (!v)
		return -1;
	if (kind == TEMPLATE_HEADER_LOCATION)
		return check_location(c, v);
	if (kind == TEMPLATE_HEADER_PRODUCT)
		return check_member(c, v, "product", "product_retailer_id") < 0 ? -1 : check_member(c, v, "product", "catalog_id");
	return check_media(c, expected, v);
}

/* ---- buttons ------------------------------------------------------------------------------------------------------------ */

static int check_sections(struct template_check *c, const json_t *sections)
{
	size_t n = json_array_size(sections), products = 0;

	if (!json_is_array(sections))
		return template_misfit(c, "action.sections found %s, expected an array", json_kind(sections));
	if (n < 1 || n > SECTIONS_MAX)
		return template_misfit(c, "action.sections found %zu sections, expected 1 to %d", n, SECTIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *section = json_array_get(sections, i), *items = json_object_get(section, "product_items");
		const char *title = json_text(section, "title");

		if (!json_array_size(items))
			return template_misfit(c, "action.sections[%zu].product_items found %s, expected 1 product or more", i,
					       json_is_array(items) ? "none" : json_kind(items));
		for (size_t k = 0; k < json_array_size(items); k++)
			if (!json_is_string(json_object_get(json_array_get(items, k), "product_retailer_id")))
				return template_misfit(c, "action.sections[%zu].product_items[%zu] found no product_retailer_id, expected "
						       "a string", i, k);
		products += json_array_size(items);
		if (title && template_chars(title) > SECTION_TITLE_CHARS)
			template_warn(c, "action.sections[%zu].title found %zu characters, Meta's limit is %d", i, template_chars(title),
				      SECTION_TITLE_CHARS);
	}
	if (products > PRODUCTS_MAX)
		return template_misfit(c, "action.sections found %zu products, expected 1 to %d", products, PRODUCTS_MAX);
	return 0;
}

static int check_action(struct template_check *c, enum template_button_kind kind, const json_t *parameter)
{
	const json_t *action = object_member(c, parameter, "action"), *data = json_object_get(action, "flow_action_data");

	if (!action)
		return -1;
	if (kind == TEMPLATE_BUTTON_FLOW) {
		if (check_optional(c, action, "action", "flow_token") < 0)
			return -1;
		return !data || json_is_null(data) || json_is_object(data) ? 0
			: template_misfit(c, "action.flow_action_data found %s, expected an object", json_kind(data));
	}
	if (check_optional(c, action, "action", "thumbnail_product_retailer_id") < 0)
		return -1;
	return kind == TEMPLATE_BUTTON_MPM ? check_sections(c, json_object_get(action, "sections")) : 0;
}

static int check_payload(struct template_check *c, const json_t *v)
{
	if (check_string(c, v, "payload") < 0)
		return -1;
	if (template_chars(json_string_value(v)) > PAYLOAD_CHARS)
		template_warn(c, "payload found %zu characters, Meta's limit is %d", template_chars(json_string_value(v)), PAYLOAD_CHARS);
	return 0;
}

static int check_coupon(struct template_check *c, const json_t *v)
{
	const char *code = json_string_value(v);

	if (check_words(c, v, "coupon_code", false) < 0)
		return -1;
	if (template_chars(code) > COUPON_CHARS)
		template_warn(c, "coupon_code found %zu characters, Meta's limit is %d", template_chars(code), COUPON_CHARS);
	if (code[strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")])
		template_warn(c, "coupon_code found other characters than letters and digits");
	return 0;
}

/* What is put in place of the URL's placeholder; for a one-time password button the code. */
static int check_suffix(struct template_check *c, const struct template_button *b, const json_t *parameter)
{
	const json_t *name = json_object_get(parameter, "parameter_name"), *v = json_object_get(parameter, "text");
	size_t n;

	if (name && !json_is_null(name) && !c->t->is_named)
		return template_misfit(c, "found a parameter_name, expected none: the template's parameters have no names");
	if (check_words(c, v, "text", false) < 0)
		return -1;
	if (b->kind == TEMPLATE_BUTTON_OTP) {
		c->button_code = json_string_value(v);
		return check_code(c, c->button_code);
	}
	if (strchr(json_string_value(v), ' '))
		template_warn(c, "text found a blank: a part of a URL must be encoded");
	n = template_chars(json_string_value(v)) + (b->value.n_slots ? b->value.len - b->value.slots[0].len : 0);
	if (n > URL_CHARS)
		template_warn(c, "the URL has %zu characters, Meta's limit is %d", n, URL_CHARS);
	return 0;
}

int template_check_button(struct template_check *c, const struct template_button *b, const json_t *parameters)
{
	const struct template_button_rule *rule = &template_button_rules[b->kind];
	const json_t *parameter = json_array_get(parameters, 0);
	size_t n = json_array_size(parameters);

	if (b->need == TEMPLATE_NEED_ANY || (!n && b->need == TEMPLATE_NEED_MAY))
		return 0;
	if (n != 1)
		return template_misfit(c, "found %zu parameters, expected 1: %s", n, rule->parameter);
	if (check_type(c, parameter, rule->parameter) < 0)
		return -1;
	switch (b->kind) {
	case TEMPLATE_BUTTON_QUICK_REPLY:
		return check_payload(c, json_object_get(parameter, "payload"));
	case TEMPLATE_BUTTON_COPY_CODE:
		return check_coupon(c, json_object_get(parameter, "coupon_code"));
	case TEMPLATE_BUTTON_FLOW:
	case TEMPLATE_BUTTON_CATALOG:
	case TEMPLATE_BUTTON_MPM:
		return check_action(c, b->kind, parameter);
	case TEMPLATE_BUTTON_URL:
	case TEMPLATE_BUTTON_OTP:
		return check_suffix(c, b, parameter);
	case TEMPLATE_BUTTON_PHONE_NUMBER:
	case TEMPLATE_BUTTON_VOICE_CALL:
	case TEMPLATE_BUTTON_SPM:
	case TEMPLATE_BUTTON_REQUEST_CONTACT_INFO:
	case TEMPLATE_BUTTON_OTHER:
		break;
	}
	BUG("template button %d takes a parameter", (int)b->kind);
}

/* ---- the offer ----------------------------------------------------------------------------------------------------------- */

int template_check_offer(struct template_check *c, const json_t *parameters)
{
	enum { YEAR_2001_MS = 1000000000 };	/* times 1000: less than that are seconds */
	const json_t *parameter = json_array_get(parameters, 0), *v;

	if (json_array_size(parameters) != 1)
		return template_misfit(c, "found %zu parameters, expected 1: limited_time_offer", json_array_size(parameters));
	if (check_type(c, parameter, "limited_time_offer") < 0)
		return -1;
	v = object_member(c, parameter, "limited_time_offer");
	if (!v)
		return -1;
	v = json_object_get(v, "expiration_time_ms");
	if (!json_is_integer(v))
		return template_misfit(c, "expiration_time_ms found %s, expected Unix milliseconds", json_kind(v));
	if (json_integer_value(v) < (int64_t)YEAR_2001_MS * 1000)
		return template_misfit(c, "expiration_time_ms found a time before 2001, expected Unix milliseconds");
	return 0;
}
