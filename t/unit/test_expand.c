/* What a value names instead of saying it: variables of the environment, and credentials of systemd. */
#include "test_conf.h"

#include <stdlib.h>

static void setup(void)
{
	in_a_directory();
	setenv("T_PASSWORD", "s3cret%2f", 1);
	setenv("T_DIR", "/srv/x", 1);
	setenv("T_EMPTY", "", 1);
	setenv("T_ODD", "a${T_DIR}b", 1);
	unsetenv("T_NONE");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static const struct { const char *redis_url, *becomes; } values[] = {
	{ "redis://:${T_PASSWORD}@h/0", "redis://:s3cret%2f@h/0" },
	{ "${T_DIR}${T_EMPTY}${T_DIR}", "/srv/x/srv/x" },
	{ "redis://:$T_PASSWORD@h", "redis://:$T_PASSWORD@h" },
	{ "redis://:a$b$@h", "redis://:a$b$@h" },
	{ "$${T_DIR}", "${T_DIR}" },
	{ "$$${T_DIR}", "$${T_DIR}" },
	{ "$$x", "$$x" },
	{ "x{T_DIR}", "x{T_DIR}" },
	{ "${T_ODD}", "a${T_DIR}b" },		/* once, and not what came of it */
};

START_TEST(a_variable_is_put_in)
{
	struct strbuf text = STRBUF_INIT;
	struct conf *c, *again;
	char *first, *second;

	strbuf_addf(&text, "redis: { url = \"%s\"; }; amqp: { urls = [ \"amqp://a\", \"%s\" ]; };", values[_i].redis_url, values[_i].redis_url);
	c = must_load(text.buf);
	ck_assert_str_eq(c->redis_url, values[_i].becomes);
	ck_assert_str_eq(c->amqp_urls.v[1], values[_i].becomes);
	first = dump(c);
	ck_assert_msg(!strstr(first, "s3cret"), "%s", first);
	again = must_load(first);
	second = dump(again);
	ck_assert_str_eq(first, second);
	if (!strstr(values[_i].becomes, "@"))		/* else the password was masked */
		ck_assert_str_eq(again->redis_url, values[_i].becomes);
	free(first);
	free(second);
	conf_free(&c);
	conf_free(&again);
	strbuf_release(&text);
}
END_TEST

START_TEST(files_and_directories_have_them_and_nothing_else)
{
	struct conf *c = must_load("run_dir = \"${T_DIR}/run\"; tenants_dir = \"${T_DIR}/t\"; log: { target = \"${T_DIR}/log\"; }; "
				   "amqp: { ca_file = \"${T_DIR}/ca\"; exchange = \"${T_DIR}\"; }; redis: { prefix = \"a$b:\"; };");

	ck_assert_str_eq(c->run_dir, "/srv/x/run");
	ck_assert_str_eq(c->tenants_dir, "/srv/x/t");
	ck_assert_str_eq(c->log_target, "/srv/x/log");
	ck_assert_str_eq(c->amqp_ca_file, "/srv/x/ca");
	ck_assert_str_eq(c->amqp_exchange, "${T_DIR}");
	ck_assert_str_eq(c->redis_prefix, "a$b:");
	conf_free(&c);
}
END_TEST

#define SHAPE "found \"${\", allowed ${NAME} with a name of A-Z a-z 0-9 _, or $${ for these two characters"
#define NO_CREDENTIALS "\", but there are no credentials: systemd gives them to a service with LoadCredential=, in CREDENTIALS_DIRECTORY"
#define CREDENTIAL_SHAPE "\", allowed credential:NAME with the name of a credential"
#define TENANT(account) "tenant: { id = \"t\"; accounts = ( { id = \"a\"; phone_number_id = \"1\"; waba_id = \"2\";\n" account " } ); };"

static const struct { const char *conf, *tenant, *reason; } broken[] = {
	{ "\nredis: { url = \"redis://:${T_NONE}@h\"; };", NULL, "@/wamd.conf:2: redis.url: found \"${T_NONE}\", which is not in the environment" },
	{ "amqp: {\n\n urls = [ \"amqp://a\", \"amqp://${T_NONE}\" ]; };", NULL,
	  "@/wamd.conf:3: amqp.urls: found \"${T_NONE}\", which is not in the environment" },
	{ "state_dir = \"${T_DIR\";", NULL, "@/wamd.conf:1: state_dir: " SHAPE },
	{ "state_dir = \"${}\";", NULL, "@/wamd.conf:1: state_dir: " SHAPE },
	{ "state_dir = \"${1A}\";", NULL, "@/wamd.conf:1: state_dir: " SHAPE },
	{ "state_dir = \"${T-DIR}\";", NULL, "@/wamd.conf:1: state_dir: " SHAPE },
	{ "state_dir = \"${T_EMPTY}\";", NULL, "@/wamd.conf:1: state_dir: found 0 characters, allowed 1 to 1024" },
	{ "tenant_service: { bearer_file = \"credential:bearer\"; };", NULL,
	  "@/wamd.conf: tenant_service.bearer_file: found \"credential:bearer" NO_CREDENTIALS },
	{ "console: { token_file = \"credential:../x\"; };", NULL, "@/wamd.conf: console.token_file: found \"credential:../x" CREDENTIAL_SHAPE },
	{ "state_manager: { token_file = \"credential:\"; };", NULL, "@/wamd.conf: state_manager.token_file: found \"credential:" CREDENTIAL_SHAPE },
	{ "webhook: { apps = [ \"app=credential:app\" ]; };", NULL, "@/wamd.conf: webhook.apps: found \"credential:app" NO_CREDENTIALS },
	{ "", TENANT("access_token_file = \"credential:token\";"),
	  "@/tenants.d/t.conf:1: access_token_file: found \"credential:token" NO_CREDENTIALS },
	{ "", TENANT("access_token = \"x\"; app_secret_file = \"credential:a/b\";"),
	  "@/tenants.d/t.conf:1: app_secret_file: found \"credential:a/b" CREDENTIAL_SHAPE },
};

START_TEST(what_is_not_there_is_named_with_its_place)
{
	struct strbuf why = STRBUF_INIT;

	put("wamd.conf", 0644, broken[_i].conf);
	if (broken[_i].tenant)
		put("tenants.d/t.conf", 0640, broken[_i].tenant);
	ck_assert_msg(load(&why) == NULL, "%s loads", broken[_i].conf);
	check_reason(broken[_i].conf, &why, broken[_i].reason);
	strbuf_release(&why);
}
END_TEST

/* ---- credentials ---- */

static void give_credentials(void)
{
	put("given/bearer", 0400, "the bearer\n");
	put("given/app", 0400, "the app secret\nverify: me\n");
	put("given/token", 0400, "EAAgiven\n");
	put("given/secret", 0440, "abc\n");
	setenv("CREDENTIALS_DIRECTORY", path_of("given"), 1);
}

static const char whole[] = "tenant_service: { bearer_file = \"credential:bearer\"; }; webhook: { apps = [ \"app=credential:app\" ]; };";
static const char tenant[] = TENANT("access_token_file = \"credential:token\"; app_secret_file = \"credential:secret\";");

START_TEST(credentials_are_read_wherever_a_secrets_file_is_named)
{
	struct conf *c;
	struct account *a;
	char *text;

	give_credentials();
	put("tenants.d/t.conf", 0640, tenant);
	c = must_load(whole);
	a = tenant_account(conf_tenant(c, "t"), "a");
	ck_assert_str_eq(c->service_secret, "the bearer");
	ck_assert_str_eq(c->apps[0].secrets[0], "the app secret");
	ck_assert_str_eq(a->token, "EAAgiven");
	ck_assert_str_eq(a->app_secret, "abc");
	text = dump(c);
	ck_assert_ptr_nonnull(strstr(text, "bearer_file = \"credential:bearer\";"));
	ck_assert_ptr_null(strstr(text, dir));			/* where they lie is another place at each start */
	free(text);
	conf_free(&c);
}
END_TEST

/* Its time is that of the start, so a token that was exchanged is the newer one; when that is refused, the other has its turn. */
START_TEST(an_exchanged_token_is_newer_than_a_credential)
{
	struct strbuf text = STRBUF_INIT;
	struct account *a;
	struct conf *c;
	char from[512];

	give_credentials();
	put("tenants.d/t.conf", 0640, tenant);
	put("stored", 0600, "EAAexchanged 1000 0\n");
	snprintf(from, sizeof(from), "%s", path_of("stored"));
	mkdir(path_of("tokens"), 0700);
	mkdir(path_of("tokens/t"), 0700);
	ck_assert_int_eq(rename(from, path_of("tokens/t/a")), 0);
	strbuf_addf(&text, "state_dir = \"%s\";", dir);
	c = must_load(text.buf);
	a = tenant_account(conf_tenant(c, "t"), "a");
	ck_assert_str_eq(a->token, "EAAexchanged");
	for (int turn = 0; turn < 4; turn++) {
		ck_assert(conf_read_token_again(c, a));
		ck_assert_str_eq(a->token, turn % 2 ? "EAAexchanged" : "EAAgiven");
	}
	ck_assert_int_eq(unlink(path_of("tokens/t/a")), 0);
	ck_assert(conf_read_token_again(c, a));
	ck_assert(!conf_read_token_again(c, a));		/* there is only one by now */
	ck_assert_str_eq(a->token, "EAAgiven");
	conf_free(&c);
	strbuf_release(&text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("expand");
	TCase *c = unit_case(s, "expand");

	tcase_add_checked_fixture(c, setup, clean);
	tcase_add_loop_test(c, a_variable_is_put_in, 0, (int)ARRAY_LEN(values));
	tcase_add_test(c, files_and_directories_have_them_and_nothing_else);
	tcase_add_loop_test(c, what_is_not_there_is_named_with_its_place, 0, (int)ARRAY_LEN(broken));
	tcase_add_test(c, credentials_are_read_wherever_a_secrets_file_is_named);
	tcase_add_test(c, an_exchanged_token_is_newer_than_a_credential);
	return unit_run(s);
}
