#include "sandbox/sandbox.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "sandbox/assets.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/faults.h"
#include "sandbox/hooks.h"
#include "sandbox/ids.h"
#include "sandbox/ledger.h"
#include "sandbox/pair.h"
#include "sandbox/server.h"
#include "sandbox/state_manager.h"
#include "sandbox/tenants.h"
#include "sandbox/uploads.h"
#include "sandbox/validate.h"

int64_t sandbox_now_us(void)
{
	return mono_now().us;
}

static void reload(struct sandbox *s)
{
	struct strbuf why = STRBUF_INIT;

	if (accounts_read(&s->accounts, s->opt->accounts, &why) < 0 || tenants_read(s->tenants, s->opt->accounts, &why) < 0)
		log_error("accounts-refused", "reason=\"%s\"", why.buf);
	else
		log_notice("accounts-loaded", "file=%s numbers=%zu", s->opt->accounts, s->accounts.n);
	strbuf_release(&why);
}

static void on_signal(void *arg, int signo)
{
	struct sandbox *s = arg;

	if (signo == SIGHUP) {
		reload(s);
		return;
	}
	log_notice("stopping", "signal=%d posts=%llu", signo, (unsigned long long)s->stats.posts);
	loop_stop(s->loop, EX_OK);
}

static void watch_signals(struct sandbox *s)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);	/* libssl writes without MSG_NOSIGNAL */
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	loop_signals(s->loop, &set, on_signal, s);
}

static void add_faults(struct sandbox *s)
{
	struct strbuf why = STRBUF_INIT;

	for (int i = 0; i < s->opt->n_faults; i++)
		if (faults_add(s->faults, s->opt->faults[i], strlen(s->opt->faults[i]), &why) < 0)
			fatal(EX_USAGE, "--fault %s: %s", s->opt->faults[i], why.buf);
}

/* The file's first line. */
static int read_token(const char *file, struct strbuf *token, struct strbuf *why)
{
	char line[CALL_TOKEN_MAX];
	FILE *f;

	if (!file)
		return 0;
	f = fopen(file, "re");
	if (!f)
		return why_set(why, "%s: %s", file, strerror(errno));
	if (fgets(line, sizeof(line), f))
		strbuf_add(token, line, strcspn(line, "\r\n"));
	fclose(f);
	mem_wipe(line, sizeof(line));
	return token->len ? 0 : why_set(why, "%s: its first line is empty", file);
}

struct sandbox *sandbox_new(const struct options *opt)
{
	struct sandbox *s = mem_alloc(sizeof(*s));
	struct strbuf why = STRBUF_INIT;

	s->opt = opt;
	s->loop = loop_new();
	s->ledger = ledger_new();
	s->faults = faults_new();
	s->pairs = pairs_new();
	s->catalogue = catalogue_new();
	s->tenants = tenants_new();
	s->uploads = uploads_new();
	s->assets = assets_new();
	s->hooks = hooks_new(s->loop, s->ledger);
	s->states = state_book_new();
	strbuf_init(&s->tenant_token);
	strbuf_init(&s->state_token);
	ids_seed();
	json_object_seed(0);
	validate_setup();
	stats_reset(&s->stats, sandbox_now_us());
	watch_signals(s);
	if (accounts_read(&s->accounts, opt->accounts, &why) < 0 || tenants_read(s->tenants, opt->accounts, &why) < 0 ||
	    read_token(opt->tenant_token, &s->tenant_token, &why) < 0 || read_token(opt->state_token, &s->state_token, &why) < 0)
		fatal(EX_NOINPUT, "%s", why.buf);
	add_faults(s);
	s->server = server_new(s, &why);
	if (!s->server)
		fatal(EX_UNAVAILABLE, "%s", why.buf);
	return s;
}

int sandbox_run(struct sandbox *s)
{
	printf("listening %s://%s:%d\n", s->opt->plain ? "http" : "https", s->opt->host, server_port(s->server));
	fflush(stdout);
	log_info("ready", "port=%d numbers=%zu rate=%lld pair=%d", server_port(s->server), s->accounts.n, (long long)s->opt->rate,
		 (int)s->opt->pair);
	return loop_run(s->loop);
}

void sandbox_free(struct sandbox **sp)
{
	struct sandbox *s = *sp;

	server_free(&s->server);
	hooks_free(&s->hooks);
	call_pool_release(s);
	accounts_clear(&s->accounts);
	ledger_free(&s->ledger);
	faults_free(&s->faults);
	pairs_free(&s->pairs);
	catalogue_free(&s->catalogue);
	tenants_free(&s->tenants);
	uploads_free(&s->uploads);
	assets_free(&s->assets);
	state_book_free(&s->states);
	mem_wipe(s->tenant_token.buf, s->tenant_token.len);
	strbuf_release(&s->tenant_token);
	mem_wipe(s->state_token.buf, s->state_token.len);
	strbuf_release(&s->state_token);
	loop_free(&s->loop);
	free(s);
	*sp = NULL;
}

void sandbox_reset(struct sandbox *s)
{
	hooks_reset(s->hooks);
	ledger_reset(s->ledger);
	faults_clear(s->faults);
	pairs_reset(s->pairs);
	accounts_reset_counters(&s->accounts);
	tenants_reset_calls(s->tenants);
	catalogue_reset_counts(s->catalogue);
	stats_reset(&s->stats, sandbox_now_us());
}
