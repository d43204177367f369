/* limit set and limit reset: an operator's rate for a number, by src/lua/operate.lua.  Senders have it with the next message. */
#include <inttypes.h>

#include "api/handlers.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/hold.h"
#include "flow/keys.h"

static const int64_t for_max_ms = 365 * 86400000LL;
enum { FOR_MIN_MS = 1000 };

/* One call, until operate.lua has answered. */
struct change {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	const struct account *account;
	char who[OPERATOR_MAX];
	const char *verb;		/* limit | unlimit */
	int64_t rate, for_ms;		/* for_ms 0: until it is reset */
	const char *tier;		/* that was named in place of a rate, of limit.tiers; NULL: none */
};

static void on_client_gone(void *arg)
{
	((struct change *)arg)->call = NULL;
}

/* ---- which rate ---- */

/* What Meta grants to the account as far as the configuration knows: more needs the name of another tier. */
static int64_t most_of(const struct conf *c, const struct account *a, const char **tier)
{
	int64_t grant;

	*tier = a->tier ? a->tier : c->limit_tier;
	grant = conf_grant_of_tier(c, *tier);
	return a->rate > grant ? a->rate : grant;
}

/* The name as the configuration has it, which stays when the call has gone. */
static const char *tier_named(const struct conf *c, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < c->limit_tiers.n; i++)
		if (!strncmp(c->limit_tiers.v[i], name, len) && c->limit_tiers.v[i][len] == '=')
			return c->limit_tiers.v[i];
	return NULL;
}

static int take_rate(struct change *ch, struct strbuf *why)
{
	const struct conf *c = ch->a->conf;
	const char *text = http_call_query(ch->call, "rate"), *tier;
	int64_t most = most_of(c, ch->account, &tier);

	if (!text)
		return why_set(why, "rate: is missing");
	if (parse_i64(text, &ch->rate) == 0 && ch->rate >= 1 && ch->rate <= most)
		return 0;
	ch->tier = *text ? tier_named(c, text) : NULL;
	if (!ch->tier)
		return why_set(why, "rate: found %.32s, allowed 1 to %" PRId64 " a second, which is what tier %s grants, or a tier of limit.tiers",
			       text, most, tier);
	ch->rate = conf_rate_of_tier(c, text);
	return 0;
}

/* ---- asking ---- */

static void tell(const struct change *ch, const char *result)
{
	char span[32] = "-";

	if (ch->for_ms)
		format_msec(ch->for_ms, span);
	log_notice("operator", "%s command=%s tenant=%s account=%s rate=%" PRId64 " for=%s result=%s", ch->who, ch->verb, ch->account->tenant->id,
		   ch->account->id, ch->rate, span, result);
}

static void fail(struct change *ch, int status, const char *code, const char *detail)
{
	if (ch->call)
		reply_problem(ch->call, status, code, detail);
	free(ch);
}

/* What is in force now is told as limit show tells it. */
static void on_changed(void *arg, const struct store_reply *r)
{
	struct change *ch = arg;

	if (!r || r->error || r->n < 1) {
		if (r && r->error)
			log_error("script_failed", "script=operate %s", r->error);
		tell(ch, "unknown");
		fail(ch, 503, "store_away", "Redis did not answer: nobody knows whether it was done; doing it again does no harm");
		return;
	}
	tell(ch, strcmp(r->v[0].s, "ok") ? "as_it_was" : "done");
	if (ch->call) {
		http_call_on_gone(ch->call, NULL, NULL);
		on_limit_show(ch->a, ch->call);
	}
	free(ch);
}

static int ask(struct change *ch)
{
	char holds[KEY_TEXT_MAX], field[HOLD_FIELD_MAX], ms[24], rate[24], *tier;
	int err;

	key_holds(ch->a->conf, ch->account->tenant, holds);
	limit_field(ch->account, field);
	snprintf(ms, sizeof(ms), "%" PRId64, ch->for_ms);
	snprintf(rate, sizeof(rate), "%" PRId64, ch->rate);
	tier = ch->tier ? mem_strndup(ch->tier, strcspn(ch->tier, "=")) : mem_strdup("-");
	err = store_script(ch->a->store, SCRIPT_OPERATE, 3, (struct store_arg[]){ STORE_ARG(holds), STORE_ARG(holds), STORE_ARG(holds),
			   STORE_ARG(ch->verb), STORE_ARG(field), STORE_ARG(ms), STORE_ARG(rate), STORE_ARG(tier) }, 8, on_changed, ch);
	free(tier);
	return err;
}

static struct change *change_new(struct admin *a, struct http_call *c, const char *verb)
{
	const struct account *account = call_account(a, c);
	struct change *ch;

	if (!account)
		return NULL;
	ch = mem_alloc(sizeof(*ch));
	*ch = (struct change){ .a = a, .call = c, .account = account, .verb = verb };
	call_operator(c, ch->who);
	return ch;
}

static void start(struct change *ch)
{
	http_call_on_gone(ch->call, on_client_gone, ch);
	if (ask(ch) < 0)
		fail(ch, 503, "store_away", "Redis does not answer; nothing was changed");
}

void on_limit_set(struct admin *a, struct http_call *c)
{
	struct change *ch = change_new(a, c, "limit");
	struct strbuf why = STRBUF_INIT;

	if (ch && (take_rate(ch, &why) < 0 || call_duration(c, "for", 0, FOR_MIN_MS, for_max_ms, &ch->for_ms, &why) < 0))
		fail(ch, 400, "bad_request", why.buf);
	else if (ch)
		start(ch);
	strbuf_release(&why);
}

void on_limit_reset(struct admin *a, struct http_call *c)
{
	struct change *ch = change_new(a, c, "unlimit");

	if (!ch)
		return;
	ch->rate = ch->account->rate;
	start(ch);
}
