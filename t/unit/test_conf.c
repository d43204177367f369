/* The configuration: what loads, what is refused and in which words, overlays, dumps, differences. */
#include "test_conf.h"

static const struct { const char *text, *reason; } broken[] = {
	{ "sender = 2;", "@/wamd.conf:1: sender: no such setting" },
	{ "amqp:\n{\n\turl = \"x\";\n};", "@/wamd.conf:3: amqp.url: no such setting" },
	{ "amqp = 5;", "@/wamd.conf:1: amqp: no such setting" },
	{ "senders = \"2\";", "@/wamd.conf:1: senders: found text, allowed a whole number" },
	{ "senders = 2.5;", "@/wamd.conf:1: senders: found a fraction, allowed a whole number" },
	{ "senders: { };", "@/wamd.conf:1: senders: found a group, allowed a whole number" },
	{ "redis:\n{ require_durable = 1;\n};", "@/wamd.conf:2: redis.require_durable: found a whole number, allowed true or false" },
	{ "amqp: { heartbeat = 10; };", "@/wamd.conf:1: amqp.heartbeat: found a whole number, allowed a duration in quotes such as \"30s\"" },
	{ "amqp: { heartbeat = \"10\"; };", "@/wamd.conf:1: amqp.heartbeat: found \"10\", allowed a duration in quotes such as \"30s\"" },
	{ "amqp: { heartbeat = \"10 s\"; };", "@/wamd.conf:1: amqp.heartbeat: found \"10 s\", allowed a duration in quotes such as \"30s\"" },
	{ "amqp: { heartbeat = \"2m\"; };", "@/wamd.conf:1: amqp.heartbeat: found 2m, allowed 1s to 1m" },
	{ "amqp: { message_max = \"17MB\"; };", "@/wamd.conf:1: amqp.message_max: found 17MB, allowed 1KB to 16MB" },
	{ "amqp: { message_max = \"1kb\"; };", "@/wamd.conf:1: amqp.message_max: found \"1kb\", allowed a size in quotes such as \"64KB\"" },
	{ "amqp: { message_max = true; };", "@/wamd.conf:1: amqp.message_max: found true or false, allowed a size in quotes such as \"64KB\"" },
	{ "\n\nsenders = 0;", "@/wamd.conf:3: senders: found 0, allowed 1 to 64" },
	{ "senders = 65;", "@/wamd.conf:1: senders: found 65, allowed 1 to 64" },
	{ "senders = 4294967298L;", "@/wamd.conf:1: senders: found 4294967298, allowed 1 to 64" },
	{ "log: { level = \"loud\"; };", "@/wamd.conf:1: log.level: found \"loud\", allowed one of: debug info notice warn error" },
	{ "log: { level = \"\"; };", "@/wamd.conf:1: log.level: found \"\", allowed one of: debug info notice warn error" },
	{ "log: { level = \"info notice\"; };", "@/wamd.conf:1: log.level: found \"info notice\", allowed one of: debug info notice warn error" },
	{ "log: { target = \"\"; };", "@/wamd.conf:1: log.target: found 0 characters, allowed 1 to 1024" },
	{ "log: { target = \"wamd.log\"; };", "@/wamd.conf: log.target: found \"wamd.log\", allowed stderr, syslog or an absolute path" },
	{ "log: { target = 7; };", "@/wamd.conf:1: log.target: found a whole number, allowed text in quotes" },
	{ "amqp: { inputs = \"q\"; };", "@/wamd.conf:1: amqp.inputs: found text, allowed a list of texts" },
	{ "amqp: { inputs = [ ]; };", "@/wamd.conf:1: amqp.inputs: found 0 items, allowed at least 1" },
	{ "amqp: { inputs = [ 1, 2 ]; };", "@/wamd.conf:1: amqp.inputs: found a whole number, allowed a list of texts" },
	{ "retry: { server = [ \"1s\", \"2s\", \"3s\", \"4s\", \"5s\", \"6s\" ]; };", "@/wamd.conf:1: retry.server: found more items, allowed at most 5" },
	{ "retry: { server = [ \"1s\", \"2d\" ]; };", "@/wamd.conf:1: retry.server: found 2d, allowed 1ms to 1d" },
	{ "retry: { server = [ \"1s\", \"x\" ]; };", "@/wamd.conf:1: retry.server: found \"x\", allowed a duration in quotes such as \"30s\"" },
	{ "graph: { error_classes = \"131026=server\"; };", "@/wamd.conf:1: graph.error_classes: found text, allowed a list of texts" },
	{ "graph: { error_classes = [ 131026 ]; };", "@/wamd.conf:1: graph.error_classes: found a whole number, allowed a list of texts" },
	{ "graph:\n{\n\terror_classes = [ \"130472=refused\", \"131026=serve\" ];\n};",
	  "@/wamd.conf:3: graph.error_classes: found \"131026=serve\", allowed a code, \"=\" and server, throttled, held or refused" },
	{ "graph: { error_classes = [ \"13x=server\" ]; };",
	  "@/wamd.conf:1: graph.error_classes: found \"13x=server\", allowed a code, \"=\" and server, throttled, held or refused" },
	{ "graph: { error_classes = [ \"5=server\", \"6=held\", \"5=held\" ]; };",
	  "@/wamd.conf:1: graph.error_classes: found \"5=held\", allowed each code once" },
	{ "graph: { error_classes = [ \"1=held\", \"2=held\", \"3=held\", \"4=held\", \"5=held\", \"6=held\", \"7=held\", \"8=held\", \"9=held\", "
	  "\"10=held\", \"11=held\", \"12=held\", \"13=held\", \"14=held\", \"15=held\", \"16=held\", \"17=held\" ]; };",
	  "@/wamd.conf:1: graph.error_classes: found more items, allowed at most 16" },
	{ "retry: { connect = [ \"1s\" ]; };", "@/wamd.conf: retry.max is 5, but retry.connect has 1 steps and retry.server 5" },
	{ "amqp: { reconnect_min = \"20s\"; };", "@/wamd.conf: amqp.reconnect_min is longer than amqp.reconnect_max" },
	{ "host: { open = \"16s\"; };", "@/wamd.conf: host.open is longer than host.open_max" },
	{ "respawn: { min = \"20s\"; };", "@/wamd.conf: respawn.min is longer than respawn.max" },
	{ "amqp: { queue_type = \"quorum\"; };", "@/wamd.conf: amqp.queue_type quorum knows no priority: set amqp.max_priority = 0" },
	{ "message: { max_age = \"4m\"; };", "@/wamd.conf: message.max_age is shorter than a delay step" },
	{ "message: { unknown_types = \"drop\"; };", "@/wamd.conf:1: message.unknown_types: found \"drop\", allowed one of: refuse pass" },
	{ "message: { default_region = \"de\"; };", "@/wamd.conf: message.default_region: found \"de\", allowed two capital letters such as DE, or none" },
	{ "message: { default_region = \"DEU\"; };", "@/wamd.conf:1: message.default_region: found 3 characters, allowed 0 to 2" },
	{ "graph: { url = \"http://graph.facebook.com\"; };", "@/wamd.conf: graph.url: must be https:// (http:// only to loopback)" },
	{ "tenant_service: { url = \"http://tenants.example.com\"; };", "@/wamd.conf: tenant_service.url: must be https:// (http:// only to loopback)" },
	{ "tenant_service: { bearer_file = \"nowhere\"; };", "@/wamd.conf: tenant_service.bearer_file: @/nowhere: No such file or directory" },
	{ "graph: { url = \"http://127.example.com\"; };", "@/wamd.conf: graph.url: must be https:// (http:// only to loopback)" },
	{ "graph: { url = \"http://127.0.0.1:80@example.com\"; };", "@/wamd.conf: graph.url: must be https:// (http:// only to loopback)" },
	{ "graph: { url = \"http://[::1].example.com\"; };", "@/wamd.conf: graph.url: must be https:// (http:// only to loopback)" },
	{ "graph: { version = \"25.0\"; };", "@/wamd.conf: graph.version: found \"25.0\", allowed such as \"v25.0\"" },
	{ "redis: { prefix = \"{}:\"; };", "@/wamd.conf: redis.prefix: found \"{}:\", allowed without { and }, which mark what a cluster keeps together" },
	{ "senders = 2;\nlimit = ;", "@/wamd.conf:2: syntax error" },
	{ "senders = 2;\nsenders = 3;", "@/wamd.conf:2: duplicate setting name: a group or setting stands only once in a file" },
};

START_TEST(every_mistake_is_named_with_its_place)
{
	struct strbuf why = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		put("wamd.conf", 0644, broken[i].text);
		ck_assert_msg(load(&why) == NULL, "%s loads", broken[i].text);
		check_reason(broken[i].text, &why, broken[i].reason);
	}
	strbuf_release(&why);
}
END_TEST

START_TEST(files_that_others_could_change_are_refused)
{
	struct strbuf why = STRBUF_INIT;

	ck_assert_ptr_null(load(&why));
	check_reason("no file", &why, "@/wamd.conf: No such file or directory");
	put("wamd.conf", 0664, "");
	ck_assert_ptr_null(load(&why));
	check_reason("group", &why, "@/wamd.conf: may be written by group or others (mode 664); chmod go-w it");
	put("wamd.conf", 0644, "");
	put("conf.d/1.conf", 0646, "");
	ck_assert_ptr_null(load(&why));
	check_reason("others", &why, "@/conf.d/1.conf: may be written by group or others (mode 646); chmod go-w it");
	put("conf.d/1.conf", 0644, "senders = 0;");
	ck_assert_ptr_null(load(&why));
	check_reason("overlay", &why, "@/conf.d/1.conf:1: senders: found 0, allowed 1 to 64");
	put("conf.d/1.conf", 0644, "");
	put("tenants.d/t.conf", 0660, "tenants = ( );");
	ck_assert_ptr_null(load(&why));
	check_reason("tenant", &why, "@/tenants.d/t.conf: may be written by group or others (mode 660); chmod go-w it");
	strbuf_release(&why);
}
END_TEST

START_TEST(later_files_win)
{
	struct conf *c;

	put("conf.d/20.conf", 0644, "senders = 20; amqp: { inputs = [ \"twenty\" ]; };");
	put("conf.d/10.conf", 0644, "senders = 10; limit: { pair_burst = 10; };");
	put("conf.d/30.conf.old", 0644, "senders = 30;");
	put("conf.d/.40.conf", 0644, "senders = 40;");
	c = must_load("senders = 5; amqp: { inputs = [ \"a\", \"b\", \"c\" ]; prefetch = 7; };");
	ck_assert_int_eq(c->senders, 20);
	ck_assert_int_eq(c->limit_pair_burst, 10);
	ck_assert_int_eq(c->amqp_prefetch, 7);
	ck_assert_int_eq(c->amqp_inputs.n, 1);
	ck_assert_str_eq(c->amqp_inputs.v[0], "twenty");
	conf_free(&c);
	ck_assert_ptr_null(c);
}
END_TEST

static void check_dump_loads_again(const struct conf *c)
{
	char *first = dump(c), *second;
	struct conf *again = must_load(first);

	second = dump(again);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	conf_free(&again);
}

START_TEST(a_dump_loads_again_and_dumps_the_same)
{
	struct conf *c = conf_defaults();

	check_dump_loads_again(c);
	conf_free(&c);
	c = must_load("senders = 3; log: { target = \"/a\\\"b\\\\c\\n\\t# no; comment \303\244\"; }; amqp: { urls = [ \"amqp://h1\", \"amqps://h2\" ]; "
		      "message_max = \"1025B\"; }; retry: { wait = [ \"1500ms\", \"90s\" ]; }; user = \"\"; redis: { require_durable = true; };");
	ck_assert_str_eq(c->log_target, "/a\"b\\c\n\t# no; comment \303\244");
	check_dump_loads_again(c);
	conf_free(&c);
}
END_TEST

START_TEST(error_classes_are_kept_by_code)
{
	struct conf *c = must_load("graph: { error_classes = [ \"131026=server\", \"4=held\", \"130472=refused\" ]; };");
	char *text = dump(c);

	ck_assert_int_eq(c->error_classes.n, 3);
	ck_assert_int_eq(error_classes_find(&c->error_classes, 130472)->outcome, OUTCOME_REFUSED);
	ck_assert_int_eq(error_classes_find(&c->error_classes, 131026)->outcome, OUTCOME_SERVER);
	ck_assert_ptr_null(error_classes_find(&c->error_classes, 131047));
	ck_assert_ptr_nonnull(strstr(text, "error_classes = [ \"4=held\", \"130472=refused\", \"131026=server\" ];"));
	check_dump_loads_again(c);
	free(text);
	conf_free(&c);
	put("conf.d/1.conf", 0644, "graph: { error_classes = [ \"5=held\" ]; };");	/* a later list takes the place of all of an earlier one */
	c = must_load("graph: { error_classes = [ \"131026=server\" ]; };");
	ck_assert(c->error_classes.n == 1 && c->error_classes.v[0].code == 5);
	conf_free(&c);
}
END_TEST

START_TEST(no_dump_shows_a_password)
{
	static const struct { const char *set, *shown; } rows[] = {
		{ "amqp: { urls = [ \"amqp://u:SECRET@h/v\", \"amqp://u@h\" ]; };", "urls = [ \"amqp://u:****@h/v\", \"amqp://u@h\" ];" },
		{ "amqp: { urls = [ \"amqp://u:SE@CRET@h:1\" ]; };", "urls = [ \"amqp://u:****@h:1\" ];" },
		{ "redis: { url = \"redis://u:SECRET@h:1/0\"; };", "url = \"redis://u:****@h:1/0\";" },
		{ "redis: { url = \"redis://:SECRET@h\"; };", "url = \"redis://:****@h\";" },
		{ "redis: { url = \"redis://h:1/0\"; };", "url = \"redis://h:1/0\";" },
		{ "redis: { url = \"unix:///run/r?db=1&password=SECRET\"; };", "url = \"unix:///run/r?db=1&password=****\";" },
		{ "redis: { url = \"unix:///run/r?password=SECRET&db=1\"; };", "url = \"unix:///run/r?password=****&db=1\";" },
		{ "redis: { url = \"unix:///a:b@c?password=SECRET\"; };", "password=****\";" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct conf *c = must_load(rows[i].set);
		char *text = dump(c);

		ck_assert_msg(strstr(text, rows[i].shown) != NULL, "%s gives %s", rows[i].set, text);
		ck_assert_msg(!strstr(text, "SE") && !strstr(text, "CRET"), "%s", text);
		check_dump_loads_again(c);
		free(text);
		conf_free(&c);
	}
}
END_TEST

START_TEST(the_samples_load_and_are_the_defaults)
{
	struct strbuf why = STRBUF_INIT, text = STRBUF_INIT;
	struct conf *c = conf_load("etc/wamd.conf", &why), *defaults = conf_defaults();
	char *a, *b, line[512];
	FILE *f;

	ck_assert_msg(c != NULL, "%s", why.buf);
	free(c->log_target);
	c->log_target = mem_strdup("stderr");	/* the one difference: syslog suits a daemon */
	a = dump(c);
	b = dump(defaults);
	ck_assert_str_eq(a, b);
	free(a);
	free(b);
	conf_free(&c);
	conf_free(&defaults);
	f = fopen("etc/tenants.d/example.conf.sample", "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		strbuf_adds(&text, strstr(line, "access_token_file") ? "access_token_file = \"../token\";\n" : line);
	fclose(f);
	put("token", 0600, "EAAG.x|y\n");
	put("tenants.d/acme.conf", 0640, text.buf);
	c = must_load("");
	ck_assert_str_eq(tenant_account(conf_tenant(c, "acme"), "support")->token, "EAAG.x|y");
	conf_free(&c);
	strbuf_release(&why);
	strbuf_release(&text);
}
END_TEST

static void on_changed(void *arg, const char *path, bool live)
{
	strbuf_addf(arg, "%s%s ", path, live ? "" : "!");
}

START_TEST(differences_are_told_with_what_needs_a_restart)
{
	struct strbuf told = STRBUF_INIT;
	struct conf *a = must_load("redis: { url = \"redis://:one@h\"; };"),
		    *b = must_load("redis: { url = \"redis://:two@h\"; }; run_dir = \"/r\"; retry: { wait = [ \"1s\" ]; }; amqp: { declare = false; }; "
				    "graph: { error_classes = [ \"4=held\" ]; };");

	conf_diff(a, a, on_changed, &told);
	ck_assert_str_eq(told.buf, "");
	conf_diff(a, b, on_changed, &told);
	ck_assert_str_eq(told.buf, "run_dir! amqp.declare redis.url graph.error_classes retry.wait ");	/* a new password is a difference too */
	strbuf_release(&told);
	conf_free(&a);
	conf_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conf");
	TCase *c = unit_case(s, "conf");

	tcase_add_checked_fixture(c, in_a_directory, clean);
	tcase_add_test(c, every_mistake_is_named_with_its_place);
	tcase_add_test(c, files_that_others_could_change_are_refused);
	tcase_add_test(c, later_files_win);
	tcase_add_test(c, a_dump_loads_again_and_dumps_the_same);
	tcase_add_test(c, error_classes_are_kept_by_code);
	tcase_add_test(c, no_dump_shows_a_password);
	tcase_add_test(c, the_samples_load_and_are_the_defaults);
	tcase_add_test(c, differences_are_told_with_what_needs_a_restart);
	return unit_run(s);
}
