#include "io/redis_link.h"

#include <fcntl.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/mem.h"
#include "base/str.h"

/* It may outlive its owner's interest: hiredis frees a context late when it is in one of its callbacks. */
struct redis_link {
	struct loop *loop;
	struct loop_io io;
	struct loop_hook flush;
	bool flush_is_set, connected, writing, is_over;
	redisAsyncContext *ac;
	struct redis_link_callbacks cb;
	void *arg;
	struct store_value *values;
	int n_values, values_size;
};

static void watch(struct redis_link *k, unsigned add, unsigned drop)
{
	loop_io_set(k->loop, &k->io, k->ac->c.fd, (k->io.events | add) & ~drop);
}

static void stop_flush(struct redis_link *k)
{
	if (k->flush_is_set)
		loop_hook_del(&k->flush);
	k->flush_is_set = false;
}

static void add_read(void *arg)
{
	watch(arg, LOOP_READ, 0);
}

static void del_read(void *arg)
{
	watch(arg, 0, LOOP_READ);
}

/* Commands are written at the end of the turn; only what did not fit then waits for room. */
static void add_write(void *arg)
{
	struct redis_link *k = arg;

	if (!k->connected || k->writing) {
		k->writing = false;
		watch(k, LOOP_WRITE, 0);
		return;
	}
	if (!k->flush_is_set)
		loop_hook_add(k->loop, &k->flush);
	k->flush_is_set = true;
}

static void del_write(void *arg)
{
	struct redis_link *k = arg;

	k->writing = false;
	watch(k, 0, LOOP_WRITE);
}

static void end(struct redis_link *k)
{
	if (k->is_over)
		return;
	k->is_over = true;
	k->cb.lost(k->arg, k->ac->errstr && *k->ac->errstr ? k->ac->errstr : "closed");
	k->arg = NULL;
}

/* The context is about to be freed; by hiredis itself when the connection broke. */
static void cleanup(void *arg)
{
	struct redis_link *k = arg;

	loop_io_del(k->loop, &k->io);
	stop_flush(k);
	end(k);
	free(k->values);
	free(k);
}

static void on_flush(void *arg)
{
	struct redis_link *k = arg;
	redisAsyncContext *ac = k->ac;

	stop_flush(k);
	k->writing = true;		/* ends with hiredis asking for more writing, or for none */
	redisAsyncHandleWrite(ac);
}

static void on_ready(void *arg, unsigned events)
{
	struct redis_link *k = arg;
	redisAsyncContext *ac = k->ac;

	/* One of them: each may free the context, and k with it. */
	if (events & LOOP_WRITE && k->io.events & LOOP_WRITE)
		redisAsyncHandleWrite(ac);
	else
		redisAsyncHandleRead(ac);
}

static void on_connect(const redisAsyncContext *ac, int status)
{
	struct redis_link *k = ac->ev.data;

	k->connected = status == REDIS_OK;
}

/* ---- replies ---- */

static void add_value(struct redis_link *k, struct store_value v)
{
	if (k->n_values == k->values_size) {
		k->values_size = k->values_size ? k->values_size * 2 : 16;
		k->values = mem_grow(k->values, (size_t)k->values_size, sizeof(*k->values));
	}
	k->values[k->n_values++] = v;
}

static int64_t number_in(const char *s)
{
	int64_t n;

	return (*s == '-' || (*s >= '0' && *s <= '9')) && parse_i64(s, &n) == 0 ? n : 0;
}

/* hiredis itself bounds the depth. */
static void flatten(struct redis_link *k, const redisReply *r)
{
	switch (r->type) {
	case REDIS_REPLY_ARRAY:
		for (size_t i = 0; i < r->elements; i++)
			flatten(k, r->element[i]);
		return;
	case REDIS_REPLY_INTEGER:
		add_value(k, (struct store_value){ STORE_INT, r->integer, "", 0 });
		return;
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
	case REDIS_REPLY_ERROR:
		add_value(k, (struct store_value){ STORE_TEXT, number_in(r->str), r->str, (size_t)r->len });
		return;
	}
	add_value(k, (struct store_value){ STORE_NIL, 0, "", 0 });
}

static void on_reply(redisAsyncContext *ac, void *reply, void *call)
{
	struct redis_link *k = ac->ev.data;
	const redisReply *r = reply;
	struct store_reply out = { 0 };

	if (!r)				/* hiredis is freeing the context */
		end(k);
	if (!r || k->is_over) {
		k->cb.reply(k->arg, call, NULL);
		return;
	}
	k->n_values = 0;
	if (r->type == REDIS_REPLY_ERROR)
		out.error = r->str;
	else
		flatten(k, r);
	out.n = k->n_values;
	out.v = k->values;
	k->cb.reply(k->arg, call, &out);
}

/* ---- the contract ---- */

static void adopt(struct redis_link *k, redisAsyncContext *ac)
{
	k->ac = ac;
	ac->ev.data = k;
	ac->ev.addRead = add_read;
	ac->ev.delRead = del_read;
	ac->ev.addWrite = add_write;
	ac->ev.delWrite = del_write;
	ac->ev.cleanup = cleanup;
	fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
	redisAsyncSetConnectCallback(ac, on_connect);	/* this also asks for the first write event */
}

struct redis_link *redis_link_open(struct loop *l, const char *ip, int port, const char *path,
				   const struct redis_link_callbacks *cb, void *arg, struct strbuf *why)
{
	redisAsyncContext *ac = ip ? redisAsyncConnect(ip, port) : redisAsyncConnectUnix(path);
	struct redis_link *k;

	if (!ac)
		fatal(EX_OSERR, "out of memory");
	if (ac->err) {
		why_set(why, "%s", ac->errstr);
		redisAsyncFree(ac);
		return NULL;
	}
	k = mem_alloc(sizeof(*k));
	k->loop = l;
	k->cb = *cb;
	k->arg = arg;
	loop_io_init(&k->io, on_ready, k);
	loop_hook_init(&k->flush, on_flush, k);
	adopt(k, ac);
	return k;
}

/* Whatever still waits gets its NULL from hiredis as it frees. */
void redis_link_close(struct redis_link **kp)
{
	struct redis_link *k = *kp;

	*kp = NULL;
	if (!k || k->is_over)
		return;
	k->is_over = true;
	k->arg = NULL;
	redisAsyncFree(k->ac);
}

int redis_link_send(struct redis_link *k, const struct strbuf *command, void *call)
{
	return redisAsyncFormattedCommand(k->ac, on_reply, call, command->buf, command->len) == REDIS_OK ? 0 : -1;
}
