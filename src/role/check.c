#include "role/check.h"

#include "io/broker.h"
#include "io/listen.h"
#include "io/store.h"

static int check_urls(const struct conf *c, struct strbuf *why)
{
	struct strbuf reason = STRBUF_INIT;
	int err = 0;

	for (int i = 0; i < c->amqp_urls.n && !err; i++)
		if (broker_url_check(c->amqp_urls.v[i], &reason) < 0)
			err = why_set(why, "%s: amqp.urls: %s", c->file, reason.buf);
	if (!err && store_url_check(c->redis_url, &reason) < 0)
		err = why_set(why, "%s: redis.url: %s", c->file, reason.buf);
	for (int i = 0; i < c->api_listen.n && !err; i++)
		if (listen_check(c->api_listen.v[i], &reason) < 0)
			err = why_set(why, "%s: api.listen: %s", c->file, reason.buf);
	if (*c->metrics_listen && !err && listen_check_loopback(c->metrics_listen, &reason) < 0)
		err = why_set(why, "%s: metrics.listen: %s", c->file, reason.buf);
	if (*c->console_listen && !err && listen_check_loopback(c->console_listen, &reason) < 0)
		err = why_set(why, "%s: console.listen: %s", c->file, reason.buf);
	strbuf_release(&reason);
	return err;
}

struct conf *check_load(const char *file, struct strbuf *why)
{
	struct conf *c = conf_load(file, why);

	if (c && check_urls(c, why) < 0)
		conf_free(&c);
	return c;
}
