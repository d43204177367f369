/*
 * What Redis must be set to before anything is sent: a policy that evicts keys removes records, and then a message is sent
 * twice; without the append-only file a restart forgets them all.
 */
#include "base/log.h"
#include "flow/sender.h"

static const char *value_of(const struct store_reply *r, const char *name)
{
	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && !strcmp(r->v[i].s, name))
			return r->v[i + 1].s;
	return "";
}

static bool policy_will_do(const struct store_reply *r)
{
	const char *policy = value_of(r, "maxmemory-policy");
	static struct log_limit limit;
	unsigned left_out;

	if (!*policy || !strcmp(policy, "noeviction"))
		return true;
	if (log_limit_ok(&limit, &left_out))
		log_error("redis_refused", "maxmemory-policy: found %s, allowed noeviction; nothing is sent", policy);
	return false;
}

static bool durability_will_do(const struct sender *s, const struct store_reply *r)
{
	if (strcmp(value_of(r, "appendonly"), "no"))
		return true;
	if (s->conf->redis_durable) {
		log_error("redis_refused", "appendonly: found no, allowed yes (redis.require_durable); nothing is sent");
		return false;
	}
	log_warn("redis_not_durable", "appendonly is no: a crash of Redis forgets what was sent, and it may be sent twice");
	return true;
}

static void on_settings(void *arg, const struct store_reply *r)
{
	struct sender *s = arg;

	if (!r)
		return;		/* lost again: asked again when it is back */
	if (r->error) {		/* managed services forbid CONFIG: their operator answers for it */
		log_notice("redis_unchecked", "CONFIG GET: %s", r->error);
		s->store_checked = true;
		return;
	}
	s->store_checked = policy_will_do(r) && durability_will_do(s, r);
}

void store_check_start(struct sender *s)
{
	struct store_arg args[] = { STORE_ARG("CONFIG"), STORE_ARG("GET"), STORE_ARG("maxmemory-policy"), STORE_ARG("appendonly") };

	if (store_command(s->store, args, ARRAY_LEN(args), on_settings, s) < 0)
		log_debug("redis_check", "lost before it was asked");
}
