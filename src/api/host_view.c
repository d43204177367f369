#include "api/host_view.h"

#include "base/str.h"

static const char *state(const struct host_view *v)
{
	return !v->is_open ? "closed" : v->is_probing ? "probing" : v->left_ms ? "open" : "due";
}

static void sentence(const struct host_view *v, const struct host_rules *r, struct strbuf *out)
{
	char span[32];

	if (!v->is_open) {
		format_msec(r->window_ms, span);
		strbuf_addf(out, "messages go; it opens when, of at least %d answers in %s, %d %% failed", r->calls_min, span,
			    r->failed_percent);
		return;
	}
	format_msec(v->left_ms < 1000 ? v->left_ms : (v->left_ms + 999) / 1000 * 1000, span);
	if (v->is_probing)
		strbuf_addf(out, "one message tries now; without an answer another one may try in %s", span);
	else if (v->left_ms)
		strbuf_addf(out, "this machine sends nothing; one message tries in %s", span);
	else
		strbuf_adds(out, "the next message tries; nothing else goes until it has its answer");
}

json_t *host_json(const struct host_view *v, const struct host_rules *r)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o = json_object();

	json_put_text(o, "state", state(v));
	if (v->left_ms)
		json_put_int(o, "left_ms", v->left_ms);
	json_put_int(o, "good", v->good);
	json_put_int(o, "failed", v->failed);
	json_put_int(o, "first_sends", v->first);
	json_put_int(o, "retries", v->retries);
	json_put_int(o, "window_ms", r->window_ms);
	sentence(v, r, &why);
	json_put_text(o, "why", why.buf);
	strbuf_release(&why);
	return o;
}
