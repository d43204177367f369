#include "sandbox/sandbox.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/faults.h"
#include "sandbox/ids.h"
#include "sandbox/ledger.h"
#include "sandbox/pair.h"
#include "sandbox/server.h"
#include "sandbox/validate.h"

int64_t sandbox_now_us(void)
{
	return mono_now().us;
}

static void reload(struct sandbox *s)
{
	struct strbuf why = STRBUF_INIT;

	if (accounts_load(&s->accounts, s->opt->accounts, &why) < 0)
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
	ids_seed();
	json_object_seed(0);
	validate_setup();
	stats_reset(&s->stats, sandbox_now_us());
	watch_signals(s);
	if (accounts_load(&s->accounts, opt->accounts, &why) < 0)
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
	call_pool_release(s);
	accounts_release(&s->accounts);
	ledger_free(&s->ledger);
	faults_free(&s->faults);
	pairs_free(&s->pairs);
	catalogue_free(&s->catalogue);
	loop_free(&s->loop);
	free(s);
	*sp = NULL;
}

void sandbox_reset(struct sandbox *s)
{
	ledger_reset(s->ledger);
	faults_clear(s->faults);
	pairs_reset(s->pairs);
	accounts_reset_counters(&s->accounts);
	stats_reset(&s->stats, sandbox_now_us());
}
