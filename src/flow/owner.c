#include "flow/owner.h"

#include <inttypes.h>

#include "base/log.h"
#include "flow/keys.h"

static const int64_t owner_ttl_ms = 35LL * 86400 * 1000;	/* Meta tells of a message for up to 30 days */

static void on_written(void *arg, const struct store_reply *r)
{
	(void)arg;
	(void)r;	/* what Redis did not take is written when the tenant is asked for again */
}

static void write_one(const struct conf *c, struct store *s, enum owner_kind kind, const char *id, const struct account *a)
{
	char key[KEY_TEXT_MAX], value[2 * TENANT_NAME_MAX + 2], ttl[24];

	key_owner(c, kind == OWNER_OF_NUMBER ? "pn" : "pb", id, key);
	snprintf(value, sizeof(value), "%s %s", a->tenant->id, a->id);
	snprintf(ttl, sizeof(ttl), "%" PRId64, owner_ttl_ms);
	if (store_command(s, (struct store_arg[]){ STORE_ARG("SET"), STORE_ARG(key), STORE_ARG(value), STORE_ARG("PX"), STORE_ARG(ttl) }, 5,
			  on_written, NULL) < 0)
		log_debug("owner", "tenant=%s account=%s: Redis is away", a->tenant->id, a->id);
}

void owner_write(const struct conf *c, struct store *s, const struct tenant *t)
{
	for (int i = 0; i < t->n_accounts; i++) {
		const struct account *a = t->accounts[i];

		write_one(c, s, OWNER_OF_NUMBER, a->phone_number_id, a);
		if (!i || strcmp(a->waba_id, t->accounts[i - 1]->waba_id) != 0)
			write_one(c, s, OWNER_OF_WABA, a->waba_id, a);
	}
}

int owner_read(const struct conf *c, struct store *s, enum owner_kind kind, const char *id, store_reply_f *done, void *arg)
{
	char key[KEY_TEXT_MAX];

	key_owner(c, kind == OWNER_OF_NUMBER ? "pn" : "pb", id, key);
	return store_command(s, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(key) }, 2, done, arg);
}
