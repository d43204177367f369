#include "api/gate_view.h"

#include <inttypes.h>

#include "base/str.h"

enum { FULL = 1000, STEPS_MAX = 20, CELL_MS = 5000, CELL_FULL = 1000000 };

void gate_field_name(int i, char out[16])
{
	static const char names[GATE_FIELDS][4] = {
		[GATE_BS] = "bs", [GATE_BU] = "bu", [GATE_BK] = "bk", [GATE_BO] = "bo", [GATE_RA] = "ra", [GATE_F] = "f", [GATE_FT] = "ft",
		[GATE_US] = "us", [GATE_UC] = "uc", [GATE_UL] = "ul", [GATE_UA] = "ua", [GATE_LS] = "ls", [GATE_LU] = "lu",
		[GATE_LH] = "lh", [GATE_LL] = "ll", [GATE_LW] = "lw",
	};

	if (i < GATE_FIELDS)
		snprintf(out, 16, "%s", names[i]);
	else
		snprintf(out, 16, "%c%d", i < GATE_FIELDS + GATE_CELLS / 2 ? 'g' : 'b', (i - GATE_FIELDS) % (GATE_CELLS / 2));
}

static const char *text(const struct gate_view *g, int field)
{
	return field < g->n && g->v[field].s ? g->v[field].s : "";
}

static int64_t number(const struct gate_view *g, int field)
{
	int64_t v;

	return parse_i64(text(g, field), &v) < 0 ? 0 : v;
}

static void put_flag(json_t *o, const char *key, bool value)
{
	json_object_set_new(o, key, json_boolean(value));
}

/* Takes the words over. */
static void put_why(json_t *o, struct strbuf *words)
{
	json_put_text(o, "why", words->buf);
	strbuf_release(words);
}

static json_t *new_object(const struct gate_view *g)
{
	json_t *o = json_object();

	json_put_text(o, "tenant_id", g->account->tenant->id);
	json_put_text(o, "account_id", g->account->id);
	json_put_text(o, "phone_number_id", g->account->phone_number_id);
	return o;
}

/* To the second, upwards: "in 0s" would be over already. */
static void add_left(struct strbuf *out, const char *lead, int64_t ms)
{
	char left[32];

	format_msec(ms < 1000 ? ms : (ms + 999) / 1000 * 1000, left);
	strbuf_addf(out, "%s%s", lead, left);
}

/* The next word of *p, without which the rest is unreadable. */
static int next_word(const char **p, char *out, size_t size)
{
	size_t len = strcspn(*p, " ");

	if (!len || len >= size || !(*p)[len])
		return -1;
	memcpy(out, *p, len);
	out[len] = 0;
	*p += len + 1;
	return 0;
}

static int next_number(const char **p, int64_t *out)
{
	char word[24];

	return next_word(p, word, sizeof(word)) < 0 ? -1 : parse_i64(word, out);
}

/* ---- an operator's rate ---- */

struct set_rate { int64_t rate, until_ms, since_ms; const char *tier; };

/* "rate until since tier"; false: there is none, or its time is over. */
static bool set_rate_of(const struct gate_view *g, struct set_rate *out)
{
	const char *p = g->limit;

	if (!p || next_number(&p, &out->rate) < 0 || next_number(&p, &out->until_ms) < 0 || next_number(&p, &out->since_ms) < 0 || out->rate < 1)
		return false;
	out->tier = strcmp(p, "-") ? p : NULL;
	return !out->until_ms || out->until_ms > g->now_ms;
}

static int64_t rate_of(const struct gate_view *g)
{
	struct set_rate set;

	return set_rate_of(g, &set) ? set.rate : g->account->rate;
}

static void put_set_rate(json_t *o, const struct gate_view *g)
{
	struct set_rate set;
	json_t *member;

	if (!set_rate_of(g, &set))
		return;
	member = json_object();
	json_put_int(member, "rate", set.rate);
	json_put_text(member, "tier", set.tier);
	json_put_time(member, "since", set.since_ms);
	json_put_time(member, "until", set.until_ms);
	json_object_set_new(o, "operator_rate", member);
}

/* ---- the breaker ---- */

enum breaker { CLOSED, RAMP, OPEN, PROBING, DUE };

static const char *breaker_name(enum breaker b)
{
	static const char *const names[] = { [CLOSED] = "closed", [RAMP] = "ramp", [OPEN] = "open", [PROBING] = "probing", [DUE] = "due" };

	return names[b];
}

static int64_t ramp_rate(const struct gate_view *g)
{
	int64_t since = number(g, GATE_RA), steps = (g->now_ms - since) / g->conf->breaker_ramp, rate;

	if (!since)
		return rate_of(g);
	rate = (int64_t)1 << (steps < 0 ? 0 : steps > STEPS_MAX ? STEPS_MAX : steps);
	return rate < rate_of(g) ? rate : rate_of(g);
}

static enum breaker breaker_of(const struct gate_view *g)
{
	const char *state = text(g, GATE_BS);

	if (!*state)
		return ramp_rate(g) < rate_of(g) ? RAMP : CLOSED;
	if (number(g, GATE_BU) <= g->now_ms)
		return DUE;
	return strcmp(state, "half") ? OPEN : PROBING;
}

bool gate_breaker_is_calm(const struct gate_view *g)
{
	return breaker_of(g) == CLOSED;
}

/* Those of the last minute; each its slot and the count behind it. */
static void sum_cells(const struct gate_view *g, int64_t *good, int64_t *failed)
{
	int64_t slot = g->now_ms / CELL_MS;

	*good = *failed = 0;
	for (int i = GATE_FIELDS; i < g->n; i++) {
		int64_t v = number(g, i), at = v / CELL_FULL;

		if (at > slot - GATE_CELLS / 2 && at <= slot)
			*(i < GATE_FIELDS + GATE_CELLS / 2 ? good : failed) += v % CELL_FULL;
	}
}

static void breaker_sentence(const struct gate_view *g, enum breaker b, struct strbuf *out)
{
	int64_t left = number(g, GATE_BU) - g->now_ms;

	switch (b) {
	case CLOSED:
		strbuf_addf(out, "messages go; it opens when, of at least %" PRId64 " answers in a minute, %" PRId64 " %% failed",
			    g->conf->breaker_calls, g->conf->breaker_percent);
		return;
	case RAMP:
		strbuf_addf(out, "it closed a short while ago: messages go at %" PRId64 " a second", ramp_rate(g));
		add_left(out, ", and twice as fast every ", g->conf->breaker_ramp);
		return;
	case OPEN:
		add_left(out, "nothing goes; one message tries in ", left);
		return;
	case PROBING:
		strbuf_addf(out, "one message tries now, in the hands of %s", *text(g, GATE_BO) ? text(g, GATE_BO) : "a sender");
		add_left(out, "; without an answer another one may try in ", left);
		return;
	case DUE:
		strbuf_adds(out, "the next message tries; nothing else goes until it has its answer");
		return;
	}
}

json_t *gate_breaker(const struct gate_view *g)
{
	json_t *o = new_object(g);
	enum breaker b = breaker_of(g);
	struct strbuf words = STRBUF_INIT;
	int64_t good, failed;

	json_put_text(o, "state", breaker_name(b));
	if (b == OPEN || b == PROBING)
		json_put_time(o, "until", number(g, GATE_BU));
	json_put_int(o, "opened_in_a_row", number(g, GATE_BK));
	if (b == PROBING && *text(g, GATE_BO))
		json_put_text(o, "probe_owner", text(g, GATE_BO));
	if (b == RAMP)
		json_put_int(o, "ramp_rate", ramp_rate(g));
	if (g->n > GATE_FIELDS) {
		sum_cells(g, &good, &failed);
		json_put_int(o, "good", good);
		json_put_int(o, "failed", failed);
	}
	breaker_sentence(g, b, &words);
	put_why(o, &words);
	return o;
}

/* ---- the limit ---- */

static int64_t share(const struct gate_view *g)
{
	int64_t ago = g->now_ms - number(g, GATE_FT), now = number(g, GATE_F) + (ago > 0 ? ago / 100 : 0);

	return *text(g, GATE_F) && now < FULL ? now : FULL;
}

static double rate_now(const struct gate_view *g)
{
	double corrected = (double)(rate_of(g) * share(g)) / FULL;
	int64_t ramp = ramp_rate(g);

	return corrected < (double)ramp ? corrected : (double)ramp;
}

static void use(const struct gate_view *g, int64_t *now, int64_t *last)
{
	int64_t slot = g->now_ms / g->conf->limit_window, at = number(g, GATE_US);

	*now = at == slot ? number(g, GATE_UC) : 0;
	*last = at == slot ? number(g, GATE_UL) : at == slot - 1 ? number(g, GATE_UC) : 0;
}

static int64_t percent(const struct gate_view *g, int64_t used)
{
	return used * 100 * 1000 / (rate_of(g) * g->conf->limit_window);
}

void gate_figures(const struct gate_view *g, struct gate_figures *out)
{
	enum breaker b = breaker_of(g);
	int64_t now, last;

	use(g, &now, &last);
	out->rate_now = rate_now(g);
	out->use = (double)last * 1000 / ((double)rate_of(g) * (double)g->conf->limit_window);
	out->breaker_is_open = b == OPEN || b == PROBING || b == DUE;
}

static void put_limit(json_t *o, const struct gate_view *g)
{
	int64_t now, last;

	use(g, &now, &last);
	json_put_text(o, "tier", g->account->tier);
	json_put_int(o, "rate", g->account->rate);
	put_set_rate(o, g);
	json_object_set_new(o, "rate_now", json_real(rate_now(g)));
	json_object_set_new(o, "share_percent", json_real((double)share(g) * 100 / FULL));
	json_put_int(o, "used", now);
	json_put_int(o, "used_percent", percent(g, now));
	json_put_int(o, "used_last", last);
	json_put_int(o, "used_last_percent", percent(g, last));
	json_put_int(o, "window_ms", g->conf->limit_window);
}

static void add_set_rate(struct strbuf *out, const struct gate_view *g)
{
	struct set_rate set;

	if (!set_rate_of(g, &set))
		return;
	strbuf_addf(out, "; an operator has set its rate to %" PRId64, set.rate);
	if (set.until_ms)
		add_left(out, ", which ends in ", set.until_ms - g->now_ms);
	else
		strbuf_adds(out, " until it is reset");
}

static void limit_sentence(const struct gate_view *g, struct strbuf *out)
{
	if (ramp_rate(g) < rate_of(g)) {
		strbuf_addf(out, "its breaker closed a short while ago: %" PRId64 " a second now", ramp_rate(g));
		add_left(out, ", twice as many every ", g->conf->breaker_ramp);
	} else if (share(g) < FULL) {
		add_left(out, "Graph said that it was too fast: it has its whole rate again in ", (FULL - share(g)) * 100);
	} else {
		strbuf_addf(out, "it may send %" PRId64 " a second", rate_of(g));
	}
	add_set_rate(out, g);
	if (*text(g, GATE_UA))
		strbuf_adds(out, "; it comes near its limit");
}

json_t *gate_limit(const struct gate_view *g)
{
	json_t *o = new_object(g);
	struct strbuf words = STRBUF_INIT;

	put_limit(o, g);
	if (g->account->tier)
		json_put_int(o, "headroom_percent", g->conf->limit_headroom);
	if (g->account->tenant->rate)
		json_put_int(o, "tenant_rate", g->account->tenant->rate);
	if (ramp_rate(g) < rate_of(g))
		json_put_int(o, "ramp_rate", ramp_rate(g));
	put_flag(o, "approaching", *text(g, GATE_UA));
	limit_sentence(g, &words);
	put_why(o, &words);
	return o;
}

/* ---- the lane ---- */

static const char *lane_state(const struct gate_view *g)
{
	return *text(g, GATE_LS) ? text(g, GATE_LS) : "none";
}

bool gate_has_lane(const struct gate_view *g)
{
	return *text(g, GATE_LS);
}

/* What it was opened for (conclude_lane()). */
static const char *lane_words(const char *why)
{
	static const struct { const char *why, *words; } table[] = {
		{ "limit", "they are more than its limit lets through" }, { "share", "it had its share of a sender's window under way" },
		{ "held", "it was on hold" }, { "breaker", "its breaker was open" }, { "order", "others were waiting before them" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(table[i].why, why))
			return table[i].words;
	return why;
}

static void lane_sentence(const struct gate_view *g, struct strbuf *out)
{
	const char *state = lane_state(g), *holder = text(g, GATE_LH);
	bool is_held = *holder && number(g, GATE_LL) > g->now_ms;

	if (!strcmp(state, "none")) {
		strbuf_adds(out, "it has no lane: its messages go as they come");
		return;
	}
	if (!strcmp(state, "open"))
		strbuf_addf(out, "its messages wait here%s%s; ", *text(g, GATE_LW) ? " because " : "", lane_words(text(g, GATE_LW)));
	else if (!strcmp(state, "opening"))
		strbuf_adds(out, "a sender is opening it; ");
	else if (!strcmp(state, "closing"))
		strbuf_adds(out, "it was empty for a while and closes unless somebody joins; ");
	else if (!strcmp(state, "deleting"))
		strbuf_adds(out, "its queues are being deleted; who wants to join waits; ");
	else
		strbuf_addf(out, "it is in state %s; ", state);
	if (is_held)
		strbuf_addf(out, "%s takes from it", holder);
	else
		strbuf_adds(out, "nobody takes from it at the moment: the broker gives its ticket to a sender");
}

json_t *gate_lane(const struct gate_view *g)
{
	json_t *o = new_object(g);
	const char *state = lane_state(g);
	bool lasts = !strcmp(state, "open") || !strcmp(state, "closing");
	struct strbuf words = STRBUF_INIT;

	json_put_text(o, "state", state);
	if (*text(g, GATE_LH)) {
		json_put_text(o, "holder", text(g, GATE_LH));
		json_put_time(o, "holder_until", number(g, GATE_LL));
	}
	if (*text(g, GATE_LW))
		json_put_text(o, "opened_for", text(g, GATE_LW));
	json_put_time(o, lasts ? "since" : "until", number(g, GATE_LU));
	lane_sentence(g, &words);
	put_why(o, &words);
	return o;
}

json_t *gate_account(const struct gate_view *g, json_t *hold)
{
	json_t *o = new_object(g);

	put_flag(o, "enabled", g->account->enabled);
	put_flag(o, "suspended", g->account->tenant->suspended);
	put_limit(o, g);
	json_put_text(o, "breaker", breaker_name(breaker_of(g)));
	json_put_text(o, "lane", lane_state(g));
	if (hold)
		json_object_set_new(o, "hold", hold);
	return o;
}

/* ---- holds ---- */

int gate_hold_read(const char *field, const char *words, struct gate_hold *out)
{
	char kind[16];

	*out = (struct gate_hold){ .until_ms = 0 };
	if (hold_field_read(field, &out->scope, out->first, out->second) < 0 || next_word(&words, kind, sizeof(kind)) < 0 ||
	    next_number(&words, &out->until_ms) < 0 || next_number(&words, &out->since_ms) < 0 ||
	    next_number(&words, &out->times) < 0 || next_number(&words, &out->lease_ms) < 0 ||
	    next_word(&words, out->prober, sizeof(out->prober)) < 0 || next_number(&words, &out->code) < 0)
		return -1;
	out->is_operators = !strcmp(kind, "operator");
	snprintf(out->words, sizeof(out->words), "%s", words);
	return 0;
}

bool gate_hold_is_over(const struct gate_hold *h, int64_t now_ms)
{
	return h->is_operators && h->until_ms && h->until_ms <= now_ms;
}

int64_t gate_hold_wait_ms(const struct gate_hold *h, int64_t now_ms)
{
	int64_t until = h->lease_ms > h->until_ms ? h->lease_ms : h->until_ms;

	if (h->is_operators && !h->until_ms)
		return INT64_MAX;
	return until > now_ms ? until - now_ms : 0;
}

static void put_whose(json_t *o, const struct gate_hold *h, const struct account *whose)
{
	switch (h->scope) {
	case HOLD_TENANT:
		json_put_text(o, "tenant_id", h->first);
		break;
	case HOLD_ACCOUNT:
		json_put_text(o, "tenant_id", h->first);
		json_put_text(o, "account_id", h->second);
		break;
	case HOLD_NUMBER:
	case HOLD_RECIPIENT:
		json_put_text(o, "tenant_id", whose ? whose->tenant->id : NULL);
		json_put_text(o, "account_id", whose ? whose->id : NULL);
		json_put_text(o, "phone_number_id", h->first);
		break;
	case HOLD_WABA:
	case HOLD_TEMPLATE:
		json_put_text(o, "tenant_id", whose ? whose->tenant->id : NULL);
		json_put_text(o, "waba_id", h->first);
		break;
	case HOLD_PRIORITY:
		json_put_text(o, "tenant_id", h->first);
		break;
	case HOLD_SCOPES:
		break;
	}
	if (h->scope >= HOLD_TEMPLATE)
		json_put_text(o, hold_scope_name(h->scope), h->second);
}

static void hold_sentence(const struct gate_hold *h, int64_t now_ms, struct strbuf *out)
{
	int64_t wait = gate_hold_wait_ms(h, now_ms);

	if (h->is_operators && !h->until_ms)
		strbuf_adds(out, "until it is released");
	else if (h->is_operators)
		add_left(out, "it ends in ", wait);
	else if (h->lease_ms > now_ms)
		strbuf_addf(out, "one message tries now, in the hands of %s", h->prober);
	else if (wait)
		add_left(out, "one message tries in ", wait);
	else
		strbuf_adds(out, "the next message tries");
	strbuf_addf(out, ": %s", h->words);
}

json_t *gate_hold(const struct gate_hold *h, const struct account *whose, int64_t now_ms)
{
	struct strbuf words = STRBUF_INIT;
	json_t *o = json_object();

	json_put_text(o, "scope", hold_scope_name(h->scope));
	put_whose(o, h, whose);
	json_put_text(o, "what", h->scope >= HOLD_TEMPLATE || h->scope == HOLD_ACCOUNT ? h->second : h->first);
	json_put_text(o, "by", h->is_operators ? "operator" : "graph");
	json_put_text(o, "reason", h->words);
	json_put_time(o, "since", h->since_ms);
	if (h->is_operators) {
		json_put_time(o, "until", h->until_ms);
	} else {
		json_put_int(o, "code", h->code);
		json_put_int(o, "in_a_row", h->times + 1);
		json_put_time(o, "next_try", h->lease_ms > now_ms ? h->lease_ms : h->until_ms);
		put_flag(o, "probing", h->lease_ms > now_ms);
	}
	hold_sentence(h, now_ms, &words);
	put_why(o, &words);
	return o;
}
