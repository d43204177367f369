/* Tokens' states by order and by clock, parameters, field lists, and what the tenant service makes of orders. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/accounts.h"
#include "sandbox/fields.h"
#include "sandbox/graph.h"
#include "sandbox/nodes.h"
#include "sandbox/params.h"
#include "sandbox/tenants.h"
#include "unit.h"

static const char accounts_json[] =
	"[{\"tenant_id\":\"t1\",\"account_id\":\"a\",\"phone_number_id\":\"1\",\"waba_id\":\"w\",\"access_token\":\"T\",\"app_id\":\"7\","
	"\"token_expires_at\":\"2026-11-27T04:05:06.5Z\"},"
	"{\"tenant_id\":\"t1\",\"account_id\":\"b\",\"phone_number_id\":\"2\",\"waba_id\":\"w\",\"access_token\":\"T\"},"
	"{\"tenant_id\":\"t2\",\"account_id\":\"a\",\"phone_number_id\":\"3\",\"waba_id\":\"x\",\"access_token\":\"U\",\"api_key\":\"k\"}]";
enum { EXPIRES_S = 1795752306 };

static char path[256];
static struct accounts accounts;
static struct tenants *tenants;
static struct strbuf why;

static void write_file(const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void setup(void)
{
	int fd;

	unit_temporary(path, sizeof(path), "accounts");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	write_file(accounts_json);
	strbuf_init(&why);
	tenants = tenants_new();
	ck_assert_msg(accounts_read(&accounts, path, &why) == 0, "%s", why.buf);
	ck_assert_msg(tenants_read(tenants, path, &why) == 0, "%s", why.buf);
}

static void teardown(void)
{
	accounts_clear(&accounts);
	tenants_free(&tenants);
	strbuf_release(&why);
	unlink(path);
}

static struct token *token(const char *text)
{
	return tokens_find(&accounts.tokens, text, strlen(text));
}

START_TEST(the_clock_ends_a_token_and_an_order_does)
{
	struct token *t = token("T");
	struct graph_error e = GRAPH_ERROR_INIT;

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(t->expires_s, EXPIRES_S);
	ck_assert_int_eq(token_check(t, EXPIRES_S - 1, &e), 0);
	ck_assert_int_eq(token_check(t, EXPIRES_S, &e), -1);
	ck_assert_int_eq(e.code, 190);
	ck_assert_int_eq(e.subcode, 463);
	t->state = TOKEN_REVOKED;
	ck_assert_int_eq(token_subcode_at(t, 0), 460);
	t->subcode = 458;
	ck_assert_int_eq(token_subcode_at(t, 0), 458);
	t->state = TOKEN_VALID;
	ck_assert_int_eq(token_subcode_at(t, 0), 0);
	ck_assert_int_eq(token_subcode_at(token("U"), INT64_MAX), 0);	/* never */
	strbuf_release(&e.details);
}
END_TEST

START_TEST(an_issued_token_has_the_grant_of_the_old_one)
{
	struct number *one = accounts_find(&accounts, "1", 1), *three = accounts_find(&accounts, "3", 1);
	struct token *issued = tokens_issue(&accounts.tokens, one->grant, NULL, 5, 9);

	ck_assert_ptr_eq(one->grant, accounts_find(&accounts, "2", 1)->grant);
	ck_assert_ptr_ne(one->grant, three->grant);
	ck_assert_ptr_eq(token(issued->text), issued);
	ck_assert_ptr_eq(issued->grant, one->grant);
	ck_assert(grant_has(issued->grant, one->waba));
	ck_assert(!grant_has(issued->grant, three->waba));
	ck_assert_ptr_eq(accounts_find_by_name(&accounts, "t2/a"), three);
}
END_TEST

START_TEST(a_reload_forgets_what_is_gone_and_keeps_states)
{
	struct token *issued = tokens_issue(&accounts.tokens, token("U")->grant, "V", 5, 0);

	token("U")->state = TOKEN_INVALID;
	write_file("[{\"phone_number_id\":\"3\",\"waba_id\":\"x\",\"access_token\":\"U\"}]");
	ck_assert_int_eq(accounts_read(&accounts, path, &why), 0);
	ck_assert_ptr_null(token("T"));
	ck_assert_ptr_null(accounts_find(&accounts, "1", 1));
	ck_assert_ptr_null(accounts_find_waba(&accounts, "w", 1));
	ck_assert_int_eq(token("U")->state, TOKEN_INVALID);
	ck_assert_ptr_eq(issued->grant, accounts_find(&accounts, "3", 1)->grant);
	write_file("[{\"phone_number_id\":\"3\",\"access_token\":\"U\",\"token_expires_at\":\"soon\"}]");
	ck_assert_int_eq(accounts_read(&accounts, path, &why), -1);
	ck_assert_ptr_nonnull(token("U"));
}
END_TEST

/* ---- the tenant service ---- */

static json_t *json(const char *text)
{
	json_t *o = json_loads(text, JSON_DECODE_ANY, NULL);

	ck_assert_msg(o != NULL, "%s", text);
	return o;
}

static void patch(struct tenant *t, const char *text, int want)
{
	json_t *o = json(text);

	ck_assert_int_eq(tenants_patch(tenants, t, o, &why), want);
	json_decref(o);
}

START_TEST(a_change_changes_the_etag_and_the_same_again_does_not)
{
	struct tenant *t = tenants_find(tenants, "t1", 2);
	char before[TENANT_ETAG_SIZE], after[TENANT_ETAG_SIZE];

	memcpy(before, t->etag, sizeof(before));
	ck_assert_uint_eq(json_array_size(json_object_get(t->doc, "accounts")), 2);
	patch(t, "{\"accounts\":[{\"account_id\":\"b\",\"access_token\":\"N\",\"waba_id\":null}]}", 0);
	ck_assert_str_ne(t->etag, before);
	ck_assert_str_eq(json_string_value(json_object_get(tenant_find_account(t, "b", 1), "access_token")), "N");
	ck_assert_ptr_null(json_object_get(tenant_find_account(t, "b", 1), "waba_id"));
	memcpy(after, t->etag, sizeof(after));
	patch(t, "{\"accounts\":[{\"account_id\":\"b\",\"access_token\":\"N\"}]}", 0);
	ck_assert_str_eq(t->etag, after);
	patch(t, "{\"accounts\":[{\"access_token\":\"N\"}]}", -1);
	ck_assert_str_eq(t->etag, after);
}
END_TEST

START_TEST(numbers_follow_their_tenant)
{
	struct tenant *t1 = tenants_find(tenants, "t1", 2), *t2 = tenants_find(tenants, "t2", 2);

	ck_assert_ptr_eq(tenants_by_phone(tenants, "2", 1), t1);
	ck_assert_int_eq(tenants_remove_account(tenants, t1, "b", 1, &why), 0);
	ck_assert_ptr_null(tenants_by_phone(tenants, "2", 1));
	ck_assert_int_eq(tenants_remove_account(tenants, t1, "b", 1, &why), -1);
	patch(t2, "{\"accounts\":[{\"account_id\":\"n\",\"phone_number_id\":\"2\"}]}", 0);
	ck_assert_ptr_eq(tenants_by_phone(tenants, "2", 1), t2);
	tenants_remove(tenants, t2);
	ck_assert_ptr_null(tenants_find(tenants, "t2", 2));
	ck_assert_ptr_null(tenants_by_phone(tenants, "2", 1));
	ck_assert_int_eq(tenants_put(tenants, "t2", 2, json("{\"status\":\"suspended\"}"), &why), 0);
	ck_assert_str_eq(tenants_find(tenants, "t2", 2)->body, "{\"status\":\"suspended\",\"tenant_id\":\"t2\"}");
	ck_assert_int_eq(tenants_put(tenants, "t2", 2, json("[]"), &why), -1);
}
END_TEST

START_TEST(calls_are_counted_for_the_unknown_too)
{
	struct strbuf out = STRBUF_INIT;

	tenants_print_calls(tenants, &out);
	ck_assert_str_eq(out.buf, "{}\n");
	tenants_know(tenants, "t2", 2)->calls++;
	tenants_know(tenants, "no", 2)->calls += 2;
	ck_assert_ptr_null(tenants_find(tenants, "no", 2));
	strbuf_reset(&out);
	tenants_print_calls(tenants, &out);
	ck_assert_str_eq(out.buf, "{\"t2\":1,\"no\":2}\n");
	strbuf_release(&out);
}
END_TEST

/* ---- nodes, parameters, fields ---- */

START_TEST(the_worst_entity_says_how_healthy_a_node_is)
{
	struct number *n = accounts_find(&accounts, "1", 1);
	json_t *order = json("{\"health\":{\"APP\":{\"can_send_message\":\"LIMITED\"}},\"fields\":{\"name\":\"N\"}}"), *v;

	ck_assert_int_eq(node_order(&n->waba->node, false, order, &why), 0);
	v = node_field(n->waba, n, "health_status");
	ck_assert_str_eq(json_string_value(json_object_get(v, "can_send_message")), "LIMITED");
	ck_assert_uint_eq(json_array_size(json_object_get(v, "entities")), 4);
	json_decref(v);
	v = node_field(n->waba, NULL, "name");
	ck_assert_str_eq(json_string_value(v), "N");
	json_decref(v);
	ck_assert_int_eq(node_order(&n->node, true, order, &why), -1);	/* a number has no "name" */
	json_decref(order);
}
END_TEST

static const struct { const char *query, *body, *name, *value; } given[] = {
	{ "a=1&b=x%20y%2Bz+w", "", "b", "x y+z w" },
	{ "a=1", "a=2&c", "a", "2" },
	{ "a=1", "{\"a\":\"3\"}", "a", "3" },
	{ "a=%zz%4", "", "a", "%zz%4" },
	{ NULL, "[1]", "a", NULL },
	{ "a=%ff", "", "a", NULL },
};

START_TEST(parameters_come_from_query_form_and_json)
{
	json_t *all = params_parse(given[_i].query, given[_i].body, strlen(given[_i].body));
	const char *value = param_text(all, given[_i].name);

	if (given[_i].value)
		ck_assert_str_eq(value, given[_i].value);
	else
		ck_assert_ptr_null(value);
	json_decref(all);
}
END_TEST

static const struct { const char *text; size_t n; } lists[] = {
	{ "id", 1 }, { "a,b", 2 }, { "analytics.start(1).phone_numbers([\"1\",\"2\"]),id", 2 },
	{ "a(", 0 }, { "a.b", 0 }, { "a.b(1", 0 }, { "a b", 0 }, { ",", 0 },
};

START_TEST(field_lists_are_read_or_refused)
{
	json_t *fields = fields_parse(lists[_i].text, &why);

	ck_assert_msg(json_array_size(fields) == lists[_i].n, "%s: %zu", lists[_i].text, json_array_size(fields));
	ck_assert((why.len == 0) == (lists[_i].n > 0));
	json_decref(fields);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox tokens and tenants");
	TCase *t = unit_case(s, "all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_clock_ends_a_token_and_an_order_does);
	tcase_add_test(t, an_issued_token_has_the_grant_of_the_old_one);
	tcase_add_test(t, a_reload_forgets_what_is_gone_and_keeps_states);
	tcase_add_test(t, a_change_changes_the_etag_and_the_same_again_does_not);
	tcase_add_test(t, numbers_follow_their_tenant);
	tcase_add_test(t, calls_are_counted_for_the_unknown_too);
	tcase_add_test(t, the_worst_entity_says_how_healthy_a_node_is);
	tcase_add_loop_test(t, parameters_come_from_query_form_and_json, 0, (int)ARRAY_LEN(given));
	tcase_add_loop_test(t, field_lists_are_read_or_refused, 0, (int)ARRAY_LEN(lists));
	return unit_run(s);
}
