#include "flow/mark.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/str.h"
#include "flow/delivery.h"
#include "flow/keys.h"
#include "flow/topology.h"

const char *wait_cause_word(enum wait_cause c)
{
	static const char *const words[] = {
#define WAIT_CAUSE(ident, word, help) word,
#include "tbl/wait_causes.h"
#undef WAIT_CAUSE
	};

	return words[c];
}

static void on_marked(void *arg, const struct store_reply *r)
{
	(void)arg;
	if (r && r->error)
		log_error("script_failed", "script=mark %s", r->error);
}

/* It has a record that waits with it. */
static bool may_have_record(const struct delivery *d)
{
	return d->hop.kind == HOP_RETRY || d->attempt > 0 || d->replay.died_ms;
}

/* What goes past its account's line has no key yet. */
static void record_key(struct delivery *d, char out[KEY_TEXT_MAX])
{
	if (!*d->owner)
		identity_record_key(d->s->identity, &d->m, d->key);
	key_record(d->s->conf, d->account->tenant, d->key, out);
}

static void number(char out[24], int64_t v)
{
	snprintf(out, 24, "%" PRId64, v);
}

/* word "": it waits no longer. */
static void tell(struct delivery *d, const char *word, int64_t ms, const char *detail)
{
	const struct sender *s = d->s;
	char index[KEY_TEXT_MAX], record[KEY_TEXT_MAX], aside[24], first[24], ttl[24], replay[24] = "";
	struct store_arg args[9];
	int n_keys = 0, n;

	key_index(s->conf, d->account->tenant, d->m.key, index);
	args[n_keys++] = STORE_ARG(index);
	if (may_have_record(d)) {
		record_key(d, record);
		args[n_keys++] = STORE_ARG(record);
	}
	number(aside, ms);
	number(first, d->hop.first_seen_ms);
	number(ttl, d->expires_ms - wall_ms() + topology_tail(s->topology));
	if (d->replay.died_ms)
		number(replay, d->replay.died_ms);
	n = n_keys;
	args[n++] = STORE_ARG(word);
	args[n++] = STORE_ARG(d->account->id);
	args[n++] = STORE_ARG(aside);
	args[n++] = detail && *detail ? STORE_ARG(detail) : STORE_ARG("-");
	args[n++] = STORE_ARG(first);
	args[n++] = STORE_ARG(ttl);
	args[n++] = STORE_ARG(replay);
	if (store_script(s->store, SCRIPT_MARK, n_keys, args, n, on_marked, NULL) < 0)
		log_debug("unmarked", DELIVERY_FMT " cause=%s", DELIVERY_ARGS(d), word);
}

void mark_waits(struct delivery *d, enum wait_cause why, int64_t ms, const char *detail)
{
	tell(d, wait_cause_word(why), ms, detail);
}

void mark_ends(struct delivery *d)
{
	tell(d, "", 0, NULL);
}

/* ---- reading ---- */

bool mark_is(const char *index)
{
	return str_starts(index, "~ ");
}

static int find_cause(const char *word, enum wait_cause *out)
{
	for (int c = 0; c < WAIT_CAUSES; c++)
		if (!strcmp(wait_cause_word((enum wait_cause)c), word)) {
			*out = (enum wait_cause)c;
			return 0;
		}
	return -1;
}

int mark_read(const char *text, struct mark *out)
{
	char first[24], word[32], at[24], until[24];
	int end = 0;

	*out = (struct mark){ .cause = WAIT_QUEUE };
	if (!mark_is(text) || sscanf(text + 2, "%23s %31s %23s %23s %64s %n", first, word, at, until, out->account, &end) != 5 || !end ||
	    find_cause(word, &out->cause) < 0 || parse_i64(first, &out->first_ms) < 0 || parse_i64(at, &out->at_ms) < 0 ||
	    parse_i64(until, &out->until_ms) < 0)
		return -1;
	if (strcmp(text + 2 + end, "-"))
		snprintf(out->detail, sizeof(out->detail), "%s", text + 2 + end);
	return 0;
}
