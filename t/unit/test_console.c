/* Who may use the console: sessions that prove themselves, hosts and origins; and alerts as they are told. */
#include "api/alert_view.h"
#include "api/console_session.h"
#include "base/str.h"
#include "unit.h"

static const char token[] = "correct-horse-battery", other[] = "correct-horse-batterz";
enum { NOW = 1000000 };

static struct session looker(void)
{
	return (struct session){ .may_act = false, .end_ms = NOW + 1, .nonce = { 1, 2, 3, 0xff } };
}

static bool reads(const char *with, const char *header, struct session *s)
{
	return session_read(s, with, header, "wamd_console", NOW);
}

START_TEST(a_session_is_read_as_it_was_written)
{
	struct session s = looker(), out;
	char text[SESSION_MAX], header[512];

	for (int act = 0; act < 2; act++) {
		s.may_act = act;
		session_write(&s, token, text);
		snprintf(header, sizeof(header), "a=b; wamd_console=%s;c=d", text);
		ck_assert(reads(token, header, &out));
		ck_assert(out.may_act == s.may_act && out.end_ms == s.end_ms && !memcmp(out.nonce, s.nonce, SESSION_NONCE));
	}
	snprintf(header, sizeof(header), "wamd_console=stale; wamd_console=%s", text);
	ck_assert(reads(token, header, &out));
}
END_TEST

START_TEST(no_other_session_is_taken)
{
	struct session s = looker(), out;
	char text[SESSION_MAX], header[512];

	session_write(&s, token, text);
	snprintf(header, sizeof(header), "wamd_console=%s", text);
	ck_assert(!reads(other, header, &out));
	ck_assert(!session_read(&out, token, header, "wamd_console", s.end_ms));	/* it is over */
	ck_assert(!reads(token, NULL, &out) && !reads(token, "", &out) && !reads(token, "wamd_console=", &out));
	for (size_t i = strlen("wamd_console="); header[i]; i++) {		/* each byte matters: level, end, nonce, MAC, dots */
		char had = header[i];

		header[i] = had == '1' ? '2' : '1';
		ck_assert_msg(!reads(token, header, &out), "%s", header);
		header[i] = 'f';
		ck_assert_msg(had == 'f' || !reads(token, header, &out), "%s", header);
		header[i] = had;
	}
	snprintf(header, sizeof(header), "wamd_console=%s0", text);
	ck_assert(!reads(token, header, &out));
	snprintf(header, sizeof(header), "wamd_console=%.*s", (int)strlen(text) - 1, text);
	ck_assert(!reads(token, header, &out));
	snprintf(header, sizeof(header), "xwamd_console=%s", text);
	ck_assert(!reads(token, header, &out));
	snprintf(header, sizeof(header), "wamd_console=%0300d", 1);
	ck_assert(!reads(token, header, &out));
}
END_TEST

START_TEST(the_proof_is_this_session_s)
{
	struct session s = looker(), full = s;
	char proof[SESSION_PROOF_MAX], text[SESSION_MAX];

	full.may_act = true;
	session_proof(&s, token, proof);
	ck_assert(session_proof_is_good(&s, token, proof) && !session_proof_is_good(&full, token, proof));
	ck_assert(!session_proof_is_good(&s, other, proof) && !session_proof_is_good(&s, token, NULL) && !session_proof_is_good(&s, token, ""));
	session_write(&s, token, text);
	ck_assert(!session_proof_is_good(&s, token, strrchr(text, '.') + 1));	/* the cookie's own MAC proves nothing */
}
END_TEST

static const struct { const char *host; bool is_loopback; } hosts[] = {
	{ "127.0.0.1", true }, { "127.0.0.1:8082", true }, { "localhost", true }, { "LOCALHOST:1", true }, { "[::1]", true }, { "[::1]:8082", true },
	{ "127.1.2.3:80", true }, { "", false }, { "localhost.evil.example", false }, { "127.0.0.1.evil.example", false }, { "evil.example", false },
	{ "localhost:80x", false }, { "127.0.0.1:", false }, { "[::2]", false }, { "10.0.0.1", false }, { "127.0.0.1@evil", false }, { "localhost:", false },
};

START_TEST(hosts_that_are_loopback)
{
	ck_assert_msg(host_is_loopback(hosts[_i].host) == hosts[_i].is_loopback, "%s", hosts[_i].host);
}
END_TEST

START_TEST(origins_of_the_page_itself)
{
	ck_assert(origin_is_own("http://localhost:8082", "localhost:8082") && origin_is_own("http://127.0.0.1:1", "127.0.0.1:1"));
	ck_assert(!origin_is_own("http://localhost:8082", "localhost:8083") && !origin_is_own("https://localhost:8082", "localhost:8082"));
	ck_assert(!origin_is_own("null", "localhost") && !origin_is_own(NULL, "localhost") && !origin_is_own("http://localhost", NULL));
	ck_assert(!origin_is_own("http://evil.example", "evil.example") && !origin_is_own("http://", ""));
}
END_TEST

static json_t *viewed(const char *member, const char *state)
{
	const struct store_value v[ALERT_FIELDS] = {
		{ STORE_TEXT, 0, state, 0 }, { STORE_TEXT, 1000, "1000", 4 }, { STORE_TEXT, 2000, "2000", 4 }, { STORE_TEXT, 3, "3", 1 },
		{ STORE_TEXT, 0, "words", 5 }, { STORE_TEXT, 0, "warning", 7 } };

	return alert_view(member, &(struct store_reply){ .n = ALERT_FIELDS, .v = v });
}

START_TEST(an_alert_is_told_while_it_is_active)
{
	json_t *o = viewed("held:t1/a1/p:1:order/en_US", "again"), *bare = viewed("tenants_away://tenant_service", "raised");

	ck_assert_str_eq(json_text(o, "kind"), "held");
	ck_assert_str_eq(json_text(o, "tenant_id"), "t1");
	ck_assert_str_eq(json_text(o, "account_id"), "a1");
	ck_assert_str_eq(json_text(o, "what"), "p:1:order/en_US");
	ck_assert_str_eq(json_text(o, "since"), "1970-01-01T00:00:01.000Z");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "count")), 3);
	ck_assert(!json_text(bare, "tenant_id") && !json_text(bare, "account_id"));
	ck_assert_str_eq(json_text(bare, "what"), "tenant_service");
	ck_assert_ptr_null(viewed("held:t1/a1/x", "resolved"));
	ck_assert_ptr_null(viewed("held:t1/a1/x", NULL));
	json_decref(o);
	json_decref(bare);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("console");
	TCase *t = unit_case(s, "console");

	tcase_add_test(t, a_session_is_read_as_it_was_written);
	tcase_add_test(t, no_other_session_is_taken);
	tcase_add_test(t, the_proof_is_this_session_s);
	tcase_add_loop_test(t, hosts_that_are_loopback, 0, (int)ARRAY_LEN(hosts));
	tcase_add_test(t, origins_of_the_page_itself);
	tcase_add_test(t, an_alert_is_told_while_it_is_active);
	return unit_run(s);
}
