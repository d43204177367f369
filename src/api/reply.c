#include "api/reply.h"

static void reply(struct http_call *c, int status, const char *content_type, json_t *o)
{
	struct strbuf body = STRBUF_INIT;

	json_dump_to(o, JSON_COMPACT, &body);
	strbuf_addc(&body, '\n');
	http_answer(c, status, content_type, body.buf, body.len);
	strbuf_release(&body);
	json_decref(o);
}

void reply_json(struct http_call *c, int status, json_t *o)
{
	reply(c, status, "application/json", o);
}

void reply_problem_with(struct http_call *c, int status, const char *code, json_t *more)
{
	json_t *o = json_object();

	json_put_text(o, "code", code);
	json_put_text(o, "title", code);
	json_put_int(o, "status", status);
	json_object_update(o, more);
	json_decref(more);
	reply(c, status, "application/problem+json", o);
}

void reply_problem(struct http_call *c, int status, const char *code, const char *detail)
{
	json_t *more = json_object();

	json_put_text(more, "detail", detail);
	reply_problem_with(c, status, code, more);
}
