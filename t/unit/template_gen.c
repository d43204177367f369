#include "template_gen.h"

#include "base/strbuf.h"

/* What is being made, and the dice. */
struct making {
	struct template_gen *g;
	uint32_t dice;
};

/* Where it goes: the template itself or one of its cards. */
struct place {
	json_t *components, *given, *seen;
};

static unsigned roll(struct making *m, unsigned n)
{
	m->dice = m->dice * 1664525 + 1013904223;
	return (m->dice >> 8) % n;
}

static json_t *text_f(const char *fmt, ...) PRINTF(1, 2);
static json_t *text_f(const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *v;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	v = json_string(sb.buf);
	strbuf_release(&sb);
	return v;
}

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *value(struct making *m)
{
	return text_f("v%d", m->g->n_values++);
}

/* Put at the key of both, once owned by each. */
static void put_both(json_t *given, json_t *seen, const char *key, json_t *v)
{
	json_object_set(given, key, v);
	put(seen, key, v);
}

static json_t *component(struct place *p, const char *type)
{
	json_t *o = json_object();

	put(o, "type", json_string(type));
	json_array_append_new(p->components, o);
	return o;
}

/* ---- header ------------------------------------------------------------------------------------------------------------ */

static json_t *medium(struct making *m, const char *kind)
{
	json_t *o = json_object();

	if (roll(m, 2))
		put(o, "id", value(m));
	else
		put(o, "link", text_f("https://x.example/v%d", m->g->n_values++));
	if (!strcmp(kind, "document"))
		put(o, "filename", value(m));
	return o;
}

static json_t *location(struct making *m)
{
	json_t *o = json_object();

	put(o, "latitude", json_integer(roll(m, 90)));
	put(o, "longitude", text_f("%u.5", roll(m, 180)));
	put(o, "name", value(m));
	return o;
}

static json_t *product(struct making *m)
{
	json_t *o = json_object();

	put(o, "product_retailer_id", value(m));
	put(o, "catalog_id", json_string("c"));
	return o;
}

static void add_header_text(struct making *m, struct place *p, json_t *header)
{
	unsigned kind = roll(m, 3);
	json_t *v, *named;

	if (kind == 0) {
		put(header, "text", json_string("News"));
		put(p->seen, "header", json_string("News"));
		return;
	}
	v = value(m);
	put(header, "text", json_string(m->g->is_named ? "Order {{order_no}}" : "Order {{1}}"));
	put(p->seen, "header", text_f("Order %s", json_string_value(v)));
	if (kind == 1 || !m->g->is_named) {
		put(p->given, "header", v);
		return;
	}
	named = json_object();
	put(named, "order_no", v);
	put(p->given, "header", named);
}

static void add_header(struct making *m, struct place *p, const char *kind)
{
	json_t *header = component(p, "HEADER"), *inner, *outer;
	char format[16] = "";

	for (size_t i = 0; kind[i]; i++)
		format[i] = (char)(kind[i] - 'a' + 'A');
	put(header, "format", json_string(format));
	if (!strcmp(kind, "text")) {
		add_header_text(m, p, header);
		return;
	}
	inner = !strcmp(kind, "location") ? location(m) : !strcmp(kind, "product") ? product(m) : medium(m, kind);
	outer = json_object();
	put(outer, kind, inner);
	if (roll(m, 2))
		json_object_set(p->given, "header", outer);
	else
		json_object_set(p->given, "header", inner);
	put(p->seen, "header", outer);
}

/* ---- body --------------------------------------------------------------------------------------------------------------- */

static json_t *body_value(struct making *m, const char **shown)
{
	json_t *v = value(m), *o, *inner;
	unsigned kind = roll(m, 6);

	*shown = json_string_value(v);
	if (kind > 1)
		return v;
	inner = json_object();
	put(inner, "fallback_value", v);
	if (kind == 1) {
		put(inner, "code", json_string("EUR"));
		put(inner, "amount_1000", json_integer(1000));
	}
	o = json_object();
	put(o, kind == 1 ? "currency" : "date_time", inner);
	return o;
}

/* Each parameter once or twice. */
static void add_body(struct making *m, struct place *p)
{
	int n = (int)roll(m, 5);
	struct strbuf text = STRBUF_INIT, seen = STRBUF_INIT;
	json_t *given = m->g->is_named ? json_object() : json_array();

	strbuf_adds(&text, "Hello");
	strbuf_adds(&seen, "Hello");
	for (int i = 0; i < n; i++) {
		const char *shown;
		json_t *v = body_value(m, &shown);
		char name[16];

		snprintf(name, sizeof(name), m->g->is_named ? "name_%d" : "%d", i + 1);
		for (unsigned times = 1 + roll(m, 2); times; times--) {
			strbuf_addf(&text, " \303\244 {{%s}}", name);
			strbuf_addf(&seen, " \303\244 %s", shown);
		}
		if (m->g->is_named)
			put(given, name, v);
		else
			json_array_append_new(given, v);
	}
	strbuf_adds(&text, ".");
	strbuf_adds(&seen, ".");
	put(component(p, "BODY"), "text", json_string(text.buf));
	put(p->seen, "body", json_string(seen.buf));
	if (n || roll(m, 2))
		put(p->given, "body", given);
	else
		json_decref(given);
	strbuf_release(&text);
	strbuf_release(&seen);
}

/* ---- buttons ------------------------------------------------------------------------------------------------------------- */

static json_t *flow_action(struct making *m)
{
	json_t *o = json_object(), *data = json_object();

	put(data, "what", value(m));
	put(o, "flow_token", value(m));
	put(o, "flow_action_data", data);
	return o;
}

static json_t *catalog_action(struct making *m)
{
	json_t *o = json_object();

	put(o, "thumbnail_product_retailer_id", value(m));
	return o;
}

static json_t *mpm_action(struct making *m)
{
	json_t *o = catalog_action(m), *sections = json_array();

	for (unsigned i = 1 + roll(m, 3); i; i--) {
		json_t *section = json_object(), *items = json_array(), *item = json_object();

		put(section, "title", value(m));
		put(item, "product_retailer_id", value(m));
		json_array_append_new(items, item);
		put(section, "product_items", items);
		json_array_append_new(sections, section);
	}
	put(o, "sections", sections);
	return o;
}

enum button { QUICK_REPLY, URL, STATIC_URL, PHONE_NUMBER, COPY_CODE, FLOW, CATALOG, MPM, SPM, VOICE_CALL, BUTTONS };
static const char *const button_types[] = {
	[QUICK_REPLY] = "QUICK_REPLY", [URL] = "URL", [STATIC_URL] = "URL", [PHONE_NUMBER] = "PHONE_NUMBER", [COPY_CODE] = "COPY_CODE",
	[FLOW] = "FLOW", [CATALOG] = "CATALOG", [MPM] = "MPM", [SPM] = "SPM", [VOICE_CALL] = "VOICE_CALL",
};

/* The value for it, NULL: none is taken. */
static json_t *fill_button(struct making *m, enum button kind, json_t *definition, json_t *seen)
{
	json_t *v = NULL;

	put_both(definition, seen, "type", json_string(button_types[kind]));
	put_both(definition, seen, "text", text_f("Button %d", (int)kind));
	switch (kind) {
	case QUICK_REPLY:
		return roll(m, 3) ? value(m) : NULL;
	case URL:
		v = value(m);
		put(definition, "url", json_string("https://x.example/{{1}}"));
		put(seen, "url", text_f("https://x.example/%s", json_string_value(v)));
		return v;
	case STATIC_URL:
		put_both(definition, seen, "url", json_string("https://x.example/"));
		return NULL;
	case PHONE_NUMBER:
		put_both(definition, seen, "phone_number", json_string("+491511234567"));
		return NULL;
	case COPY_CODE:
		v = value(m);
		json_object_set(seen, "code", v);
		return v;
	case FLOW:
		return roll(m, 2) ? flow_action(m) : NULL;
	case CATALOG:
		return roll(m, 2) ? catalog_action(m) : NULL;
	case MPM:
		return mpm_action(m);
	case SPM:
	case VOICE_CALL:
	case BUTTONS:
		break;
	}
	return NULL;
}

static void add_buttons(struct making *m, struct place *p, const enum button *kinds, int n)
{
	json_t *definitions = json_array(), *seen = json_array(), *list = json_array(), *object = json_object();
	bool as_object = roll(m, 2);

	for (int i = 0; i < n; i++) {
		json_t *definition = json_object(), *one = json_object(), *v = fill_button(m, kinds[i], definition, one);
		char key[12];

		snprintf(key, sizeof(key), "%d", i);
		if (v)
			json_object_set(object, key, v);
		json_array_append_new(list, v ? v : json_null());
		json_array_append_new(definitions, definition);
		json_array_append_new(seen, one);
	}
	put(component(p, "BUTTONS"), "buttons", definitions);
	put(p->seen, "buttons", seen);
	json_object_set(p->given, "buttons", as_object ? object : list);
	json_decref(object);
	json_decref(list);
}

/* Quick replies first, for Meta wants them together; of all others but URLs at most one. */
static void add_some_buttons(struct making *m, struct place *p)
{
	static const enum button others[] = { URL, STATIC_URL, PHONE_NUMBER, COPY_CODE, VOICE_CALL }, alone[] = { FLOW, CATALOG, MPM };
	enum button kinds[10];
	int n = 0;

	if (roll(m, 4) == 0) {
		add_buttons(m, p, &alone[roll(m, ARRAY_LEN(alone))], 1);
		return;
	}
	for (unsigned i = roll(m, 4); i; i--)
		kinds[n++] = QUICK_REPLY;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (roll(m, 2))
			kinds[n++] = others[i];
	if (n)
		add_buttons(m, p, kinds, n);
}

/* ---- kinds of templates -------------------------------------------------------------------------------------------------- */

static void make_plain(struct making *m, struct place *p)
{
	static const char *const headers[] = { "text", "text", "image", "video", "document", "gif", "location" };

	if (roll(m, 4))
		add_header(m, p, headers[roll(m, ARRAY_LEN(headers))]);
	add_body(m, p);
	if (roll(m, 2)) {
		put(component(p, "FOOTER"), "text", json_string("Thanks."));
		put(p->seen, "footer", json_string("Thanks."));
	}
	add_some_buttons(m, p);
}

static void make_product(struct making *m, struct place *p)
{
	static const enum button spm = SPM;

	add_header(m, p, "product");
	add_body(m, p);
	add_buttons(m, p, &spm, 1);
}

static void make_offer(struct making *m, struct place *p)
{
	static const enum button buttons[] = { COPY_CODE, URL };
	bool expires = roll(m, 2);
	json_t *offer = json_object(), *seen = json_object(), *given;

	add_header(m, p, roll(m, 2) ? "image" : "video");
	put_both(offer, seen, "text", json_string("Hurry!"));
	put(offer, "has_expiration", json_boolean(expires));
	put(component(p, "LIMITED_TIME_OFFER"), "limited_time_offer", offer);
	if (expires) {
		put(seen, "expires_at", json_string("2026-11-23T10:00:00.000Z"));
		given = json_object();
		put(given, "expiration_time_ms", json_integer(1795428000000));
		if (roll(m, 2))
			json_object_set(p->given, "limited_time_offer", given);
		else
			put(p->given, "limited_time_offer", json_string("2026-11-23T10:00:00Z"));
		json_decref(given);
	}
	put(p->seen, "limited_time_offer", seen);
	add_body(m, p);
	add_buttons(m, p, buttons, 1 + (int)roll(m, 2));
}

static struct place place_new(void)
{
	return (struct place){ json_array(), json_object(), json_object() };
}

static void make_carousel(struct making *m, struct place *p)
{
	static const enum button buttons[] = { QUICK_REPLY, URL };
	json_t *definitions = json_array(), *given = json_array(), *seen = json_array();
	int n = 2 + (int)roll(m, 9);
	bool products = roll(m, 3) == 0;

	add_body(m, p);
	for (int i = 0; i < n; i++) {
		struct place card = place_new();
		json_t *definition = json_object();

		add_header(m, &card, products ? "product" : "image");
		if (products) {
			add_buttons(m, &card, &(enum button){ SPM }, 1);
		} else {
			add_body(m, &card);
			add_buttons(m, &card, buttons, ARRAY_LEN(buttons));
		}
		put(definition, "components", card.components);
		if (products && i > 1)	/* product cards are defined twice, and sent 2 to 10 times */
			json_decref(definition);
		else
			json_array_append_new(definitions, definition);
		json_array_append_new(given, card.given);
		json_array_append_new(seen, card.seen);
	}
	put(component(p, "CAROUSEL"), "cards", definitions);
	put(p->given, "cards", given);
	put(p->seen, "cards", seen);
}

static void make_authentication(struct making *m, struct place *p)
{
	json_t *code = value(m), *buttons = json_array(), *button = json_object(), *seen = json_object(), *all_seen = json_array(), *only;

	put(component(p, "BODY"), "text", json_string("*{{1}}* is your verification code."));
	put(p->seen, "body", text_f("*%s* is your verification code.", json_string_value(code)));
	put_both(button, seen, "type", json_string("URL"));
	put_both(button, seen, "text", json_string("Copy code"));
	put(button, "url", json_string("https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"));
	json_object_set(seen, "code", code);
	json_array_append_new(buttons, button);
	json_array_append_new(all_seen, seen);
	put(component(p, "BUTTONS"), "buttons", buttons);
	put(p->seen, "buttons", all_seen);
	if (roll(m, 2)) {
		put(p->given, "code", code);
		return;
	}
	only = json_array();
	json_array_append_new(only, code);
	put(p->given, "body", only);
	json_object_set(p->given, "buttons", only);
}

void template_gen(struct template_gen *g, uint32_t seed)
{
	static void (*const makers[])(struct making *, struct place *) = {
		make_plain, make_plain, make_plain, make_product, make_offer, make_carousel, make_authentication,
	};
	struct making m = { .g = g, .dice = seed * 2654435761u + 1 };
	struct place p = place_new();
	unsigned kind = roll(&m, ARRAY_LEN(makers));
	json_t *language = json_object();

	*g = (struct template_gen){ .definition = json_object(), .payload = p.given, .preview = p.seen };
	g->is_authentication = makers[kind] == make_authentication;
	g->is_named = !g->is_authentication && roll(&m, 3) == 0;
	makers[kind](&m, &p);
	put(g->definition, "id", text_f("%u", 1000 + seed));
	put_both(g->definition, g->payload, "name", text_f("t%u", seed));
	put(g->definition, "language", json_string("en_US"));
	put(g->definition, "status", json_string("APPROVED"));
	put(g->definition, "category", json_string(g->is_authentication ? "AUTHENTICATION" : kind < 3 ? "UTILITY" : "MARKETING"));
	put(g->definition, "parameter_format", json_string(g->is_named ? "NAMED" : "POSITIONAL"));
	put(g->definition, "components", p.components);
	put(language, "code", json_string("en_US"));
	if (roll(&m, 2))
		json_object_set(g->payload, "language", language);
	else
		put(g->payload, "language", json_string("en_US"));
	json_decref(language);
}

void template_gen_release(struct template_gen *g)
{
	json_decref(g->definition);
	json_decref(g->payload);
	json_decref(g->preview);
	*g = (struct template_gen){ .definition = NULL };
}
