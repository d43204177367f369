/* Random templates: what fits is sent and seen as it should be; what is damaged is refused with a reason, and never harms. */
#include "unit.h"

#include "msg/template.h"
#include "template_gen.h"

enum { SEEDS = 3000, DAMAGES = 8 };

static char *dumped(const json_t *v)
{
	struct strbuf sb = STRBUF_INIT;

	json_dump_to(v, JSON_COMPACT | JSON_SORT_KEYS, &sb);
	return strbuf_detach(&sb);
}

static void check_seen(const struct template_def *t, const json_t *payload, const json_t *want, unsigned seed)
{
	json_t *seen = template_preview(t, payload);
	char *found = dumped(seen), *wanted = dumped(want);

	ck_assert_msg(json_equal(seen, want), "seed %u\nseen   %s\nwanted %s", seed, found, wanted);
	free(found);
	free(wanted);
	json_decref(seen);
}

/* The finished payload, checked; the caller's. */
static json_t *made(const struct template_def *t, const struct template_gen *g, unsigned seed)
{
	struct strbuf why = STRBUF_INIT;
	char *payload = dumped(g->payload), *definition = dumped(g->definition);
	json_t *out, *none;
	bool is_short = template_is_short(g->payload);

	ck_assert_msg(template_make(t, g->payload, NULL, &out, &why, NULL) == REASON_NONE, "seed %u: %s\n%s\n%s", seed, why.buf, payload, definition);
	ck_assert_msg(is_short == (out != NULL), "seed %u: %s", seed, payload);
	if (!out)
		out = json_deep_copy(g->payload);
	ck_assert_msg(!template_is_short(out) && template_make(t, out, NULL, &none, &why, NULL) == REASON_NONE && !none, "seed %u: %s", seed, why.buf);
	free(payload);
	free(definition);
	strbuf_release(&why);
	return out;
}

START_TEST(what_fits_is_made_and_seen)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct template_gen g;
		struct template_def *t;
		json_t *out;

		template_gen(&g, seed);
		t = template_compile(g.definition, NULL);
		ck_assert_msg(t && template_is_authentication(t) == g.is_authentication, "seed %u", seed);
		out = made(t, &g, seed);
		check_seen(t, out, g.preview, seed);
		json_decref(out);
		template_free(&t);
		template_gen_release(&g);
	}
}
END_TEST

static uint32_t dice;

static unsigned roll(unsigned n)
{
	dice = dice * 1664525 + 1013904223;	/* the same rolls in every run */
	return (dice >> 8) % n;
}

static json_t *anything(void)
{
	switch (roll(7)) {
	case 0:
		return json_null();
	case 1:
		return json_integer((int)roll(20) - 2);
	case 2:
		return json_string(roll(2) ? "" : "a\nb");
	case 3:
		return json_array();
	case 4:
		return json_object();
	case 5:
		return json_true();
	}
	return json_string("{{1}} {{a}} {{");
}

/* Somewhere in v one value is gone or another one. */
static void damage(json_t *v)
{
	size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v), i = n ? roll((unsigned)n) : 0;
	void *at = json_object_iter(v);
	json_t *inner;

	if (!n)
		return;
	for (size_t k = 0; at && k < i; k++)
		at = json_object_iter_next(v, at);
	inner = at ? json_object_iter_value(at) : json_array_get(v, i);
	if ((json_is_object(inner) || json_is_array(inner)) && roll(4))
		damage(inner);
	else if (at && roll(3))
		json_object_iter_set_new(v, at, anything());
	else if (at)
		json_object_del(v, json_object_iter_key(at));
	else if (roll(3))
		json_array_set_new(v, i, anything());
	else if (roll(2))
		json_array_remove(v, i);
	else
		json_array_append(v, json_array_get(v, i));
}

/* Whatever is in both: an answer with its reason, and what it lets through is let through in the finished form, too. */
static void check_harmless(const json_t *definition, const json_t *payload, unsigned seed)
{
	struct strbuf why = STRBUF_INIT, warnings = STRBUF_INIT;
	struct template_def *t = template_compile(definition, &why);
	json_t *out, *none;
	enum reason r;

	if (!t) {
		ck_assert_uint_gt(why.len, 0);
		strbuf_release(&why);
		return;
	}
	r = template_make(t, payload, &(struct template_rules){ .flatten = seed % 2 }, &out, &why, &warnings);
	ck_assert_msg((r == REASON_NONE) == (why.len == 0), "seed %u: %s", seed, why.buf);
	ck_assert_msg(!out || r == REASON_NONE || r == REASON_TEMPLATE_PAUSED, "seed %u", seed);
	if (out)
		ck_assert_msg(template_make(t, out, NULL, &none, &why, NULL) == r && !none, "seed %u: %s", seed, why.buf);
	json_decref(template_preview(t, payload));
	json_decref(template_preview(t, out));
	json_decref(out);
	template_free(&t);
	strbuf_release(&why);
	strbuf_release(&warnings);
}

START_TEST(what_is_damaged_does_no_harm)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct template_gen g;
		struct template_def *t;
		json_t *full;

		dice = seed;
		template_gen(&g, seed);
		t = template_compile(g.definition, NULL);
		full = made(t, &g, seed);
		for (int i = 0; i < DAMAGES; i++) {
			json_t *hurt = json_deep_copy(i % 2 ? full : g.payload), *definition = json_deep_copy(g.definition);

			damage(hurt);
			check_harmless(g.definition, hurt, seed);
			damage(definition);
			check_harmless(definition, i % 4 < 2 ? g.payload : full, seed);
			check_harmless(definition, hurt, seed);
			json_decref(hurt);
			json_decref(definition);
		}
		json_decref(full);
		template_free(&t);
		template_gen_release(&g);
	}
}
END_TEST

/* Without one of its values a template that takes any is not sent - but for those that may be left out. */
START_TEST(a_template_without_its_values_is_refused)
{
	unsigned refused = 0, taking = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct template_gen g;
		struct template_def *t;
		json_t *bare, *out;

		template_gen(&g, seed);
		t = template_compile(g.definition, NULL);
		bare = json_deep_copy(g.payload);
		json_object_clear(bare);
		json_object_set(bare, "name", json_object_get(g.payload, "name"));
		json_object_set(bare, "language", json_object_get(g.payload, "language"));
		taking += g.n_values > 0;
		refused += template_make(t, bare, NULL, &out, NULL, NULL) == REASON_TEMPLATE_PARAMETERS;
		json_decref(out);
		json_decref(bare);
		template_free(&t);
		template_gen_release(&g);
	}
	ck_assert_uint_le(refused, taking);
	ck_assert_uint_ge(refused * 10, taking * 9);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("template_random");
	TCase *c = unit_case(s, "template_random");

	tcase_add_test(c, what_fits_is_made_and_seen);
	tcase_add_test(c, what_is_damaged_does_no_harm);
	tcase_add_test(c, a_template_without_its_values_is_refused);
	return unit_run(s);
}
