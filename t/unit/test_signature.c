/* X-Hub-Signature-256: what Meta has signed passes, and nothing else. */
#include "unit.h"

#include <strings.h>

#include "base/signature.h"

/* RFC 4231, test case 2. */
static const char secret[] = "Jefe", body[] = "what do ya want for nothing?";
static const char good[] = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
enum { BODY = sizeof(body) - 1, HEADER = sizeof(good) - 1 };

static bool is_good(const char *header)
{
	const char *secrets[] = { secret };

	return signature_is_good(header, body, BODY, secrets, 1);
}

START_TEST(known_answer)
{
	ck_assert(is_good(good));
	ck_assert(is_good("sha256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843"));
}
END_TEST

START_TEST(header_is_exact)
{
	static const char *const bad[] = {
		NULL, "", "sha256=", "sha1=5bdcc146bf60754e6a042426089575c75a003f08",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"SHA256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384",
		"sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec38430",
		"sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843 ",
		" sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha256= bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha256=5gdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha256=-bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha256=0000000000000000000000000000000000000000000000000000000000000000",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!is_good(bad[i]), "%zu: %s", i, bad[i]);
}
END_TEST

START_TEST(secrets_may_change)
{
	const char *both[] = { "old", secret }, *swapped[] = { secret, "new" }, *others[] = { "old", "new" }, *none[] = { NULL, "" };

	ck_assert(signature_is_good(good, body, BODY, both, 2));
	ck_assert(signature_is_good(good, body, BODY, swapped, 2));
	ck_assert(!signature_is_good(good, body, BODY, both, 1));
	ck_assert(!signature_is_good(good, body, BODY, others, 2));
	ck_assert(!signature_is_good(good, body, BODY, none, 2));
	ck_assert(!signature_is_good(good, body, BODY, NULL, 0));
}
END_TEST

/* HMAC-SHA256 of nothing with an empty key: a secret that was forgotten must not let anybody in. */
START_TEST(empty_secret_signs_nothing)
{
	const char *none[] = { "" };

	ck_assert(!signature_is_good("sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "", 0, none, 1));
}
END_TEST

static uint32_t dice = 1;

static unsigned roll(unsigned n)
{
	dice = dice * 1664525 + 1013904223;	/* the same rolls in every run */
	return (dice >> 8) % n;
}

static void mutate(char *header, char *text)
{
	bool in_text = roll(2);
	char *at = in_text ? text + roll(BODY) : header + roll(HEADER);

	*at = (char)((unsigned char)*at ^ 1U << roll(8));
}

/* A digit in the other case is the same digit, and a second mutation may undo the first. */
static bool is_the_same(const char *header, const char *text)
{
	return memcmp(text, body, sizeof(body)) == 0 && strncmp(header, good, strlen("sha256=")) == 0 && strcasecmp(header, good) == 0;
}

START_TEST(no_mutation_passes)
{
	enum { ROUNDS = 100000 };
	int changed = 0;
	const char *secrets[] = { "another", secret };

	for (int i = 0; i < ROUNDS; i++) {
		char header[sizeof(good)], text[sizeof(body)];
		bool same;

		memcpy(header, good, sizeof(good));
		memcpy(text, body, sizeof(body));
		for (unsigned n = 1 + roll(2); n; n--)
			mutate(header, text);
		same = is_the_same(header, text);
		changed += !same;
		ck_assert_msg(signature_is_good(header, text, BODY, secrets, 2) == same, "round %d: %s", i, header);
	}
	ck_assert_int_gt(changed, ROUNDS * 9 / 10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("signature");
	TCase *t = unit_case(s, "X-Hub-Signature-256");

	tcase_add_test(t, known_answer);
	tcase_add_test(t, header_is_exact);
	tcase_add_test(t, secrets_may_change);
	tcase_add_test(t, empty_secret_signs_nothing);
	tcase_add_test(t, no_mutation_passes);
	return unit_run(s);
}
