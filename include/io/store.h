/*
 * store - one asynchronous Redis connection, kept up, for our Lua scripts and a few plain commands.
 *
 * Deadline: a command unanswered for timeout_ms means the connection is given up; all pending
 * calls then get NULL.  A NULL answer means *unknown whether it ran*.  LOADING, READONLY, MASTERDOWN, OOM, MISCONF, BUSY,
 * NOREPLICAS and CLUSTERDOWN answers are given to the caller as NULL too, after down(): the store counts as away until a
 * probe (PING + ROLE) says otherwise.
 * Reconnects with full jitter (backoff_min_ms..backoff_max_ms), AUTH, SELECT, CLIENT SETNAME and SCRIPT LOAD on connect.
 * EVALSHA; on NOSCRIPT the call is repeated once with EVAL.  Commands are written once per loop turn.
 * Ownership: arguments are copied; the reply is borrowed until the callback returns.
 */
#ifndef IO_STORE_H
#define IO_STORE_H

#include "base/loop.h"
#include "base/strbuf.h"

struct store;

enum script {
#define SCRIPT(ident, file, help) SCRIPT_##ident,
#include "tbl/scripts.h"
#undef SCRIPT
	SCRIPTS
};

enum store_kind { STORE_NIL, STORE_INT, STORE_TEXT };
struct store_value { enum store_kind kind; int64_t i; const char *s; size_t len; };	/* text of digits also sets i */

struct store_reply {			/* a scalar is an array of one; nested arrays are flattened */
	int n;
	const struct store_value *v;
	const char *error;		/* Redis said -ERR …: our bug or a wrong type; n is 0 */
};

typedef void store_reply_f(void *arg, const struct store_reply *reply);	/* NULL: see above */

struct store_arg { const char *p; size_t len; };
#define STORE_ARG(s) ((struct store_arg){ (s), strlen(s) })

struct store_options {
	const char *url;		/* redis://[user][:password@]host[:port][/db] | unix:///path?db=0&password=… ; host: IP or name */
	const char *connection_name;
	const char *rules;		/* Lua in front of the scripts that decide by settings: "local NAME, … = …"; NULL: they are not used */
	int64_t timeout_ms, connect_ms, backoff_min_ms, backoff_max_ms;	/* 0: 600, 1000, 50, 2000 */
};

struct store_callbacks {		/* any may be NULL */
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);	/* also for every failed attempt */
};

/* What start-up checks: "appendonly", "maxmemory-policy" … (CONFIG GET). */
int store_url_check(const char *url, struct strbuf *why) MUST_CHECK;

struct store *store_new(struct loop *l, const struct store_options *o, const struct store_callbacks *cb, void *arg);
/* Every pending call gets its NULL; whoever asks after that is refused.  For those who end together: a last answer makes one ask another. */
void store_close(struct store *s);
void store_free(struct store **sp);		/* closes it first */
bool store_is_up(const struct store *s);
unsigned store_pending(const struct store *s);

/* Both return -1 when the store is not up (the callback is not called), else the callback is called exactly once,
   never from inside the call.  keys come first in args. */
int store_script(struct store *s, enum script which, int n_keys, const struct store_arg *args, int n_args,
		 store_reply_f *done, void *arg) MUST_CHECK;
int store_command(struct store *s, const struct store_arg *args, int n_args, store_reply_f *done, void *arg) MUST_CHECK;

const char *script_text(enum script which);	/* for tests */
const char *script_name(enum script which);

#endif
