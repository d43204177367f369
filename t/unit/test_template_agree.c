/* Two readings of Meta's pages, made apart: what wamd makes of the short form, the sandbox takes, and shows as it was meant. */
#include "unit.h"

#include "msg/template.h"
#include "sandbox/blueprint.h"
#include "template_gen.h"

enum { SEEDS = 3000 };

static char *dumped(const json_t *v)
{
	struct strbuf sb = STRBUF_INIT;

	json_dump_to(v, JSON_COMPACT | JSON_SORT_KEYS, &sb);
	return strbuf_detach(&sb);
}

/* The finished payload, in the Cloud API's form; the caller's. */
static json_t *made(const struct template_gen *g, unsigned seed)
{
	struct strbuf why = STRBUF_INIT;
	struct template_def *t = template_compile(g->definition, &why);
	json_t *out = NULL;

	ck_assert_msg(t != NULL, "seed %u: %s", seed, why.buf);
	ck_assert_msg(template_make(t, g->payload, NULL, &out, &why, NULL) == REASON_NONE, "seed %u: %s", seed, why.buf);
	template_free(&t);
	strbuf_release(&why);
	return out ? out : json_incref(g->payload);
}

/* ---- the sandbox's words for what is seen, made into those of a preview ------------------------------------------------- */

static void rename_member(json_t *o, const char *from, const char *to)
{
	json_t *v = json_object_get(o, from);

	if (v)
		json_object_set(o, to, v);
	json_object_del(o, from);
}

/* The sandbox shows a one-time password where the button's link has it, a preview shows only the password. */
static void password_from_link(json_t *button)
{
	static const char before[] = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp";
	const char *url = json_text(button, "url");

	if (!url || strncmp(url, before, sizeof(before) - 1) != 0)
		return;
	json_object_set_new(button, "code", json_string(url + sizeof(before) - 1));
	json_object_del(button, "url");
}

static void rewrite_buttons(json_t *part)
{
	json_t *list = json_object_get(part, "buttons"), *button;
	size_t i;

	json_array_foreach(list, i, button) {
		json_object_del(button, "payload");
		json_object_del(button, "action");
		rename_member(button, "coupon_code", "code");
		password_from_link(button);
	}
	if (!json_array_size(list))
		json_object_del(part, "buttons");
}

static void rewrite(json_t *part)
{
	static const char *const members[] = { "header", "body", "footer" };
	json_t *offer = json_object_get(part, "offer"), *ends = json_object_get(offer, "expiration_time_ms"), *card;
	size_t i;

	json_object_del(json_object_get(part, "header"), "type");
	for (i = 0; i < ARRAY_LEN(members); i++)
		if (json_is_null(json_object_get(part, members[i])))
			json_object_del(part, members[i]);
	if (ends)
		json_put_time(offer, "expires_at", json_integer_value(ends));
	json_object_del(offer, "expiration_time_ms");
	rename_member(part, "offer", "limited_time_offer");
	rewrite_buttons(part);
	json_array_foreach(json_object_get(part, "cards"), i, card)
		rewrite(card);
}

/* The sandbox has no word for what a phone button dials: a recipient sees its text alone. */
static json_t *wanted(const struct template_gen *g)
{
	json_t *o = json_deep_copy(g->preview), *button;
	size_t i;

	json_array_foreach(json_object_get(o, "buttons"), i, button)
		json_object_del(button, "phone_number");
	return o;
}

static void check_seen(const struct blueprint *b, const json_t *payload, const struct template_gen *g, unsigned seed)
{
	json_t *rendered = blueprint_render(b, payload), *seen = json_deep_copy(rendered), *want = wanted(g);
	char *found, *expected;

	rewrite(seen);
	found = dumped(seen);
	expected = dumped(want);
	ck_assert_msg(json_equal(seen, want), "seed %u\nseen   %s\nwanted %s", seed, found, expected);
	free(found);
	free(expected);
	json_decref(rendered);
	json_decref(seen);
	json_decref(want);
}

START_TEST(graph_takes_and_shows_what_was_made)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct graph_error e = GRAPH_ERROR_INIT;
		struct strbuf why = STRBUF_INIT;
		struct template_gen g;
		struct blueprint *b;
		json_t *payload;
		char *text;

		template_gen(&g, seed);
		payload = made(&g, seed);
		text = dumped(payload);
		b = blueprint_new(g.definition, &why);
		ck_assert_msg(b != NULL, "seed %u: %s", seed, why.buf);
		ck_assert_msg(blueprint_check(b, payload, &e) == 0, "seed %u: %d %s\n%s", seed, e.code, e.details.buf, text);
		check_seen(b, payload, &g, seed);
		free(text);
		blueprint_free(&b);
		json_decref(payload);
		template_gen_release(&g);
		strbuf_release(&e.details);
		strbuf_release(&why);
	}
}
END_TEST

/* What wamd refuses as too few or too many values of the body, Graph would have refused, too: in the Cloud API's form. */
START_TEST(both_refuse_another_number_of_values)
{
	unsigned refused = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct graph_error e = GRAPH_ERROR_INIT;
		struct template_gen g;
		struct template_def *t;
		struct blueprint *b;
		json_t *payload, *component, *out = NULL;
		enum reason ours;
		size_t i;
		int theirs;

		template_gen(&g, seed);
		payload = made(&g, seed);
		json_array_foreach(json_object_get(payload, "components"), i, component) {
			json_t *parameters = json_object_get(component, "parameters");

			if (strcmp(json_text(component, "type"), "body") != 0)
				continue;
			if (seed % 2)
				json_array_remove(parameters, 0);
			else
				json_array_append(parameters, json_array_get(parameters, 0));
		}
		t = template_compile(g.definition, NULL);
		b = blueprint_new(g.definition, NULL);
		ours = template_make(t, payload, NULL, &out, NULL, NULL);
		theirs = blueprint_check(b, payload, &e);
		ck_assert_msg((ours == REASON_NONE) == (theirs == 0), "seed %u: ours %d, theirs %d %s", seed, (int)ours, e.code, e.details.buf);
		refused += theirs != 0;
		json_decref(out);
		blueprint_free(&b);
		template_free(&t);
		json_decref(payload);
		template_gen_release(&g);
		strbuf_release(&e.details);
	}
	ck_assert_uint_ge(refused, SEEDS / 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("template_agree");
	TCase *c = unit_case(s, "template_agree");

	tcase_add_test(c, graph_takes_and_shows_what_was_made);
	tcase_add_test(c, both_refuse_another_number_of_values);
	return unit_run(s);
}
