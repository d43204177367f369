#include <sysexits.h>

#include "base/log.h"
#include "flow/sender.h"
#include "io/http_client.h"
#include "role/child.h"

static void on_term(void *arg)
{
	sender_drain(arg);
}

int sender_main(const struct child_context *ctx)
{
	struct strbuf why = STRBUF_INIT;
	struct loop *l = loop_new();
	struct sender *s;
	int code = EX_CONFIG;

	http_global_setup();
	s = sender_new(l, ctx->conf, ctx->board, ctx->slot, ctx->number, ctx->link_fd, &why);
	if (s) {
		child_signals(l, on_term, s);
		log_info("started", "generation=%d", ctx->generation);
		code = loop_run(l);
		log_info("stopped", "status=%d", code);
	} else {
		log_error("cannot_start", "%s", why.buf);
	}
	sender_free(&s);
	loop_free(&l);
	strbuf_release(&why);
	return code;
}
