#include <strings.h>

#include "base/str.h"
#include "msg/content_inside.h"

enum { ROWS_MAX = 10, PRODUCTS_MAX = 30 };

static const char *text(const json_t *o, const char *member)
{
	const char *s = json_text(o, member);

	return s ? s : "";
}

int content_rule_none(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	(void)o;
	(void)at;
	(void)why;
	return 0;
}

/* ---- plain types ---- */

int content_rule_one_source(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	int n = content_has(o, "id") + content_has(o, "link") + content_has(o, "media");

	return n == 1 ? 0 : content_refuse(why, at, NULL, "%s, allowed exactly one of id, link and media", n ? "several" : "none");
}

int content_rule_reaction(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	const char *emoji = text(o, "emoji");

	/* Every emoji has something beyond ASCII in it. */
	if (*emoji && utf8_count(emoji, strlen(emoji)) == strlen(emoji))
		return content_refuse(why, at, "emoji", "another text, allowed one emoji, or an empty text");
	return 0;
}

int content_rule_contact_name(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	static const char *const parts[] = { "first_name", "last_name", "middle_name", "suffix", "prefix" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (*text(o, parts[i]))
			return 0;
	return content_refuse(why, at, NULL, "formatted_name alone, allowed with first_name, last_name, middle_name, suffix or prefix");
}

/* ---- what stands around an action ---- */

static const struct frame {
	const char *type;
	enum content_object action;
	enum content_need header;
	const char *header_kinds;
	enum content_need body;
	size_t body_max;
	enum content_need footer;
} frames[] = {
#define INTERACTIVE(type, action, header, kinds, body, body_max, footer) \
	{ type, CONTENT_##action, NEED_##header, kinds, NEED_##body, body_max, NEED_##footer },
#include "tbl/content_interactive.h"
#undef INTERACTIVE
};

static const struct frame *find_frame(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(frames); i++)
		if (!strcmp(frames[i].type, type))
			return &frames[i];
	return NULL;
}

/* Is this part there, if it must be, and not, if it must not; then, what is in it. */
static int check_around(const json_t *o, const char *part, enum content_need need, enum content_object which,
			const struct content_path *at, struct strbuf *why)
{
	struct content_path below = { at, part, 0 };
	bool has = content_has(o, part);

	if (need == NEED_NEVER && has)
		return content_refuse(why, at, part, "an object, allowed nothing with this type");
	return has || need == NEED_MUST ? content_object_check(which, json_object_get(o, part), &below, why) : 0;
}

static int check_header_kind(const json_t *o, const char *kinds, const struct content_path *at, struct strbuf *why)
{
	struct content_path header = { at, "header", 0 };

	if (!content_has(o, "header") || content_word_is(json_object_get(json_object_get(o, "header"), "type"), kinds))
		return 0;
	return content_refuse(why, &header, "type", "another kind, allowed %s with this type", kinds);
}

int content_rule_interactive(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	const struct frame *f = find_frame(text(o, "type"));
	struct content_path action = { at, "action", 0 }, body = { at, "body", 0 };
	const char *words = text(json_object_get(o, "body"), "text");
	size_t n = utf8_count(words, strlen(words));

	if (!f)
		return 0;
	if (check_around(o, "header", f->header, CONTENT_HEADER, at, why) < 0 ||
	    check_header_kind(o, f->header_kinds, at, why) < 0 || check_around(o, "body", f->body, CONTENT_BODY, at, why) < 0)
		return -1;
	if (n > f->body_max)
		return content_refuse(why, &body, "text", "%zu characters, allowed 1 to %zu", n, f->body_max);
	if (check_around(o, "footer", f->footer, CONTENT_FOOTER, at, why) < 0)
		return -1;
	return content_object_check(f->action, json_object_get(o, "action"), &action, why);
}

int content_rule_header(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	static const char *const kinds[] = { "text", "image", "video", "document" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcasecmp(text(o, "type"), kinds[i]) && !content_has(o, kinds[i]))
			return content_refuse(why, at, kinds[i], "nothing, allowed what type says");
	return 0;
}

/* ---- buttons, rows, products ---- */

int content_rule_reply(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	const char *id = text(o, "id");
	size_t n = strlen(id);

	if (n && (strchr(" \t\r\n", id[0]) || strchr(" \t\r\n", id[n - 1])))
		return content_refuse(why, at, "id", "a blank at an end, allowed none there");
	return 0;
}

int content_rule_buttons(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	static const char *const members[] = { "id", "title" };
	const json_t *list = json_object_get(o, "buttons");
	struct content_path buttons = { at, "buttons", 0 }, button = { &buttons, NULL, 0 }, reply = { &button, "reply", 0 };

	for (; button.index < json_array_size(list); button.index++)
		for (size_t i = 0; i < button.index; i++)
			for (size_t k = 0; k < ARRAY_LEN(members); k++) {
				const json_t *a = json_object_get(json_array_get(list, i), "reply");
				const json_t *b = json_object_get(json_array_get(list, button.index), "reply");

				if (!strcmp(text(a, members[k]), text(b, members[k])))
					return content_refuse(why, &reply, members[k], "the same as in buttons[%zu], allowed another", i);
			}
	return 0;
}

/* Where there are several sections, each has a title. */
static int check_titles(const json_t *sections, const struct content_path *list, struct strbuf *why)
{
	struct content_path section = { list, NULL, 0 };

	for (; json_array_size(sections) > 1 && section.index < json_array_size(sections); section.index++)
		if (!*text(json_array_get(sections, section.index), "title"))
			return content_refuse(why, &section, "title", "nothing, allowed a title where there are several sections");
	return 0;
}

/* No more than max in all sections together. */
static int check_total(const json_t *sections, const char *member, size_t max, const struct content_path *list, struct strbuf *why)
{
	struct content_path section = { list, NULL, 0 };
	size_t total = 0;

	for (; section.index < json_array_size(sections); section.index++) {
		total += json_array_size(json_object_get(json_array_get(sections, section.index), member));
		if (total > max)
			return content_refuse(why, &section, member, "more than %zu items in all sections, allowed 1 to %zu", max, max);
	}
	return 0;
}

int content_rule_rows(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	const json_t *sections = json_object_get(o, "sections"), *s, *r;
	struct content_path list = { at, "sections", 0 }, section = { &list, NULL, 0 }, rows = { &section, "rows", 0 }, row = { &rows, NULL, 0 };
	const char *ids[ROWS_MAX];
	size_t n = 0;

	if (check_titles(sections, &list, why) < 0 || check_total(sections, "rows", ROWS_MAX, &list, why) < 0)
		return -1;
	json_array_foreach(sections, section.index, s) {
		json_array_foreach(json_object_get(s, "rows"), row.index, r) {
			ids[n] = text(r, "id");
			for (size_t i = 0; i < n; i++)
				if (!strcmp(ids[i], ids[n]))
					return content_refuse(why, &row, "id", "the same as in another row, allowed another");
			n++;
		}
	}
	return 0;
}

int content_rule_products(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	const json_t *sections = json_object_get(o, "sections");
	struct content_path list = { at, "sections", 0 };

	return check_titles(sections, &list, why) < 0 ? -1 : check_total(sections, "product_items", PRODUCTS_MAX, &list, why);
}

/* ---- flows ---- */

/* U+1F000 to U+1FAFF, where all emoji are that were not letters or signs before: F0 9F 80 80 to F0 9F AB BF. */
static bool has_emoji(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if (p[0] == 0xf0 && p[1] == 0x9f && p[2] >= 0x80 && p[2] <= 0xab)
			return true;
	return false;
}

int content_rule_flow(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	bool by_id = content_has(o, "flow_id"), by_name = content_has(o, "flow_name");

	if (by_id == by_name)
		return content_refuse(why, at, NULL, "%s, allowed exactly one of flow_id and flow_name", by_id ? "both" : "none");
	if (has_emoji(text(o, "flow_cta")))
		return content_refuse(why, at, "flow_cta", "an emoji, allowed none");
	if (content_has(o, "flow_action_payload") && !strcasecmp(text(o, "flow_action"), "data_exchange"))
		return content_refuse(why, at, "flow_action_payload", "an object, allowed nothing with data_exchange");
	return 0;
}

int content_rule_flow_payload(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	if (content_has(o, "data") && !json_object_size(json_object_get(o, "data")))
		return content_refuse(why, at, "data", "an empty object, allowed one with members");
	return 0;
}

/* ---- carousels ---- */

int content_rule_card_body(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	int breaks = 0;

	for (const char *p = text(o, "text"); *p; p++)
		breaks += *p == '\n';
	return breaks <= 2 ? 0 : content_refuse(why, at, "text", "%d line breaks, allowed 0 to 2", breaks);
}

static bool is_product(const json_t *card)
{
	return !strcasecmp(text(card, "type"), "product");
}

int content_rule_card(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	const json_t *action = json_object_get(o, "action");
	struct content_path below = { at, "action", 0 }, header = { at, "header", 0 };
	bool has_url = content_has(action, "parameters"), has_replies = content_has(action, "buttons");

	if (is_product(o)) {
		if (!content_has(action, "product_retailer_id"))
			return content_refuse(why, &below, "product_retailer_id", "nothing, allowed a string");
		if (!content_has(action, "catalog_id"))
			return content_refuse(why, &below, "catalog_id", "nothing, allowed a string");
		return 0;
	}
	if (!content_has(o, "header"))
		return content_refuse(why, at, "header", "nothing, allowed an object");
	if (!content_word_is(json_object_get(json_object_get(o, "header"), "type"), "image|video"))
		return content_refuse(why, &header, "type", "another kind, allowed image|video in a card");
	if (has_url == has_replies)
		return content_refuse(why, &below, NULL, "%s, allowed exactly one of parameters and buttons", has_url ? "both" : "none");
	return 0;
}

/* NULL: these two may stand side by side. */
static const char *difference(const json_t *a, const json_t *b)
{
	const json_t *x = json_object_get(a, "action"), *y = json_object_get(b, "action");

	if (is_product(a) != is_product(b))
		return "another type than in cards[0], allowed the same";
	if (is_product(a))
		return strcmp(text(x, "catalog_id"), text(y, "catalog_id")) ? "another catalog_id than in cards[0], allowed the same" : NULL;
	if (content_has(x, "buttons") != content_has(y, "buttons") ||
	    json_array_size(json_object_get(x, "buttons")) != json_array_size(json_object_get(y, "buttons")))
		return "other buttons than in cards[0], allowed the same kind and number";
	return NULL;
}

static int index_of(const json_t *card)		/* 0 … 9, also as a string */
{
	const json_t *v = json_object_get(card, "card_index");

	return json_is_string(v) ? *json_string_value(v) - '0' : (int)json_number_value(v);
}

int content_rule_cards(const json_t *o, const struct content_path *at, struct strbuf *why)
{
	const json_t *cards = json_object_get(o, "cards"), *c;
	struct content_path list = { at, "cards", 0 }, card = { &list, NULL, 0 };
	unsigned seen = 0;

	json_array_foreach(cards, card.index, c) {
		const char *d = difference(json_array_get(cards, 0), c);

		if (d)
			return content_refuse(why, &card, NULL, "%s", d);
		if (seen & BIT(index_of(c) & 15))
			return content_refuse(why, &card, "card_index", "the same as in another card, allowed another");
		seen |= BIT(index_of(c) & 15);
	}
	return 0;
}
