#include "sandbox/state_manager.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "sandbox/call.h"
#include "sandbox/control.h"
#include "sandbox/json_out.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"
#include "sandbox/strmap.h"

enum { WAMID = 2, MOMENTS_MAX = 8, REASONS_MAX = 20, REASON_LEN = 200 };	/* WAMID: segment of the path */

enum state {
#define STATE(ident, word, after) STATE_##ident,
#include "sandbox/tbl_states.h"
#undef STATE
	STATES
};

static const struct { const char *word; unsigned after; } states[] = {
#define STATE(ident, word, after) { word, after },
#include "sandbox/tbl_states.h"
#undef STATE
};

struct moment { enum state state; int64_t at_ms; };	/* at_ms 0: no time, as of queued */

struct known {
	char *wamid, *mapping;
	struct moment was[MOMENTS_MAX];		/* the last one is what it is now */
	int n;
};

struct state_book {
	struct strmap by_wamid;
	struct known **all;
	size_t n;
	uint64_t bound, bound_again, taken, repeated, refused;
	char reasons[REASONS_MAX][REASON_LEN];	/* of the first refusals */
};

struct state_book *state_book_new(void)
{
	return mem_alloc(sizeof(struct state_book));
}

void state_book_clear(struct state_book *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->all[i]->wamid);
		free(b->all[i]->mapping);
		free(b->all[i]);
	}
	free(b->all);
	strmap_release(&b->by_wamid);
	*b = (struct state_book){ 0 };
}

void state_book_free(struct state_book **bp)
{
	if (!*bp)
		return;
	state_book_clear(*bp);
	free(*bp);
	*bp = NULL;
}

/* ---- answers ---- */

static void answer(struct call *c, int status, const char *member, const char *text)
{
	strbuf_addf(&c->out, "{\"%s\":", member);
	json_out_cstring(&c->out, text);
	strbuf_adds(&c->out, "}\n");
	call_answer_json(c, status);
}

static void refuse(struct call *c, int status, const char *why)
{
	struct state_book *b = c->sandbox->states;

	if (b->refused < REASONS_MAX)
		snprintf(b->reasons[b->refused], REASON_LEN, "%d %s", status, why);
	b->refused++;
	answer(c, status, "error", why);
}

/* False: it is answered. */
static bool admit(struct call *c)
{
	const struct strbuf *want = &c->sandbox->state_token;

	if (!want->len || (c->has_token && c->token.len == want->len && crypto_equal(c->token.buf, want->buf, want->len)))
		return true;
	call_header(c, "www-authenticate", "Bearer");
	answer(c, 401, "error", "a valid bearer token is needed");
	return false;
}

/* ---- POST /message ---- */

static void add(struct state_book *b, const char *wamid, const char *mapping)
{
	struct known *k = mem_alloc(sizeof(*k));

	*k = (struct known){ .wamid = mem_strdup(wamid), .mapping = mem_strdup(mapping), .was = { { STATE_QUEUED, 0 } }, .n = 1 };
	strmap_put(&b->by_wamid, k->wamid, k);
	if ((b->n & (b->n - 1)) == 0)
		b->all = mem_grow(b->all, b->n ? b->n * 2 : 1, sizeof(struct known *));
	b->all[b->n++] = k;
	b->bound++;
}

void states_bind(struct call *c)
{
	struct state_book *b = c->sandbox->states;
	const char *wamid, *mapping;
	const struct known *k;

	if (!admit(c))
		return;
	wamid = param_text(call_params(c), "wamid");
	mapping = param_text(call_params(c), "mappingId");
	if (!wamid || !*wamid || !mapping || !*mapping) {
		refuse(c, 400, "wamid and mappingId are needed");
		return;
	}
	k = strmap_get(&b->by_wamid, wamid, strlen(wamid));
	if (k && strcmp(k->mapping, mapping) != 0) {
		refuse(c, 409, "this wamid is bound to another mappingId");
		return;
	}
	if (k)
		b->bound_again++;
	else
		add(b, wamid, mapping);
	answer(c, k ? 200 : 201, "wamid", wamid);
}

/* ---- PATCH /message/{wamid}/status ---- */

static enum state state_of(const char *word)
{
	int s = 0;

	while (s < STATES && strcmp(states[s].word, word) != 0)
		s++;
	return (enum state)s;
}

static void take(struct call *c, struct known *k, const struct moment *next)
{
	const struct moment *last = &k->was[k->n - 1];
	char why[REASON_LEN];

	if (next->state == last->state && next->at_ms == last->at_ms) {
		c->sandbox->states->repeated++;
		answer(c, 400, "error", "this was said before");
	} else if (!(states[next->state].after & BIT(last->state))) {
		snprintf(why, sizeof(why), "%s -> %s is not allowed", states[last->state].word, states[next->state].word);
		refuse(c, 400, why);
	} else if (next->at_ms <= last->at_ms) {
		snprintf(why, sizeof(why), "%s is not newer than %s: %" PRId64 " ms", states[next->state].word, states[last->state].word,
			 next->at_ms - last->at_ms);
		refuse(c, 400, why);
	} else {
		k->was[k->n++] = *next;		/* no longer than the table, for no state comes twice */
		c->sandbox->states->taken++;
		answer(c, 200, "status", states[next->state].word);
	}
}

void states_patch(struct call *c)
{
	struct known *k;
	const char *word, *timestamp;
	struct moment next;

	if (!admit(c))
		return;
	k = strmap_get(&c->sandbox->states->by_wamid, c->seg[WAMID].s, c->seg[WAMID].len);
	word = param_text(call_params(c), "status");
	timestamp = param_text(call_params(c), "timestamp");
	next.state = state_of(word ? word : "");
	if (!k)
		refuse(c, 404, "unknown wamid");
	else if (next.state == STATES)
		refuse(c, 400, "unknown status");
	else if (!timestamp || parse_time_ms(timestamp, &next.at_ms) < 0 || timestamp[strlen(timestamp) - 1] != 'Z')
		refuse(c, 400, "timestamp is not ISO 8601 in UTC");
	else
		take(c, k, &next);
}

/* ---- the look ---- */

static void print_known(const struct known *k, struct strbuf *out)
{
	char time[32];

	strbuf_adds(out, "{\"wamid\":");
	json_out_cstring(out, k->wamid);
	strbuf_adds(out, ",\"mappingId\":");
	json_out_cstring(out, k->mapping);
	strbuf_addf(out, ",\"status\":\"%s\",\"history\":[", states[k->was[k->n - 1].state].word);
	for (int i = 0; i < k->n; i++) {
		strbuf_addf(out, "%s{\"status\":\"%s\"", i ? "," : "", states[k->was[i].state].word);
		format_utc_ms(k->was[i].at_ms, time);
		if (k->was[i].at_ms)
			strbuf_addf(out, ",\"timestamp\":\"%s\"", time);
		strbuf_addc(out, '}');
	}
	strbuf_adds(out, "]}");
}

void state_book_print(const struct state_book *b, struct strbuf *out)
{
	strbuf_addf(out, "{\"bound\":%" PRIu64 ",\"bound_again\":%" PRIu64 ",\"taken\":%" PRIu64 ",\"repeated\":%" PRIu64 ",\"refused\":%" PRIu64
		    ",\"reasons\":[", b->bound, b->bound_again, b->taken, b->repeated, b->refused);
	for (uint64_t i = 0; i < b->refused && i < REASONS_MAX; i++) {
		strbuf_adds(out, i ? "," : "");
		json_out_cstring(out, b->reasons[i]);
	}
	strbuf_adds(out, "],\"messages\":[");
	for (size_t i = 0; i < b->n; i++) {
		strbuf_adds(out, i ? ",\n" : "\n");
		print_known(b->all[i], out);
	}
	strbuf_adds(out, "]}\n");
}

void control_states(struct call *c)
{
	state_book_print(c->sandbox->states, &c->out);
	call_answer_json(c, 200);
}

void control_states_clear(struct call *c)
{
	struct strbuf why = STRBUF_INIT;

	state_book_clear(c->sandbox->states);
	control_answer(c, 0, &why);
}
