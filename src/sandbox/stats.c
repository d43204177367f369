#include "sandbox/stats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/hooks.h"
#include "sandbox/json_out.h"
#include "sandbox/sandbox.h"

void stats_reset(struct stats *s, int64_t now_us)
{
	*s = (struct stats){
		.since_us = now_us, .open_connections = s->open_connections,
		.in_flight = s->in_flight, .max_in_flight = s->in_flight,
	};
}

void stats_refused(struct stats *s, int code)
{
	int i = 0;

	while (i < s->n_refused && s->refused[i].code != code)
		i++;
	if (i == s->n_refused) {
		if (s->n_refused == STATS_CODES)
			return;
		s->refused[s->n_refused++].code = code;
	}
	s->refused[i].n++;
}

static void refused(const struct stats *s, struct strbuf *out)
{
	strbuf_adds(out, "\"refused\":{");
	for (int i = 0; i < s->n_refused; i++)
		strbuf_addf(out, "%s\"%d\":%llu", i ? "," : "", s->refused[i].code, (unsigned long long)s->refused[i].n);
	strbuf_adds(out, "},");
}

static void calls(const struct stats *s, struct strbuf *out)
{
	const char *comma = "";

	strbuf_adds(out, "\"calls\":{");
	for (int i = 0; i < ROUTES; i++) {
		if (routes[i].kind == ROUTE_CONTROL)
			continue;
		strbuf_addf(out, "%s\"%s\":%llu", comma, routes[i].name, (unsigned long long)s->calls[i]);
		comma = ",";
	}
	strbuf_adds(out, "},");
}

static long rss_kb(void)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *resident;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	strtol(text, &resident, 10);
	return strtol(resident, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

static long long cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void per_number(const struct accounts *a, struct strbuf *out)
{
	strbuf_adds(out, "\"per_number\":{");
	for (size_t i = 0; i < a->n; i++) {
		const struct number *n = a->all[i];
		if (i)
			strbuf_addc(out, ',');
		json_out_cstring(out, n->pnid);
		strbuf_addf(out, ":{\"posts\":%llu,\"accepted\":%llu,\"max_in_1s\":%u,\"max_accepted_in_1s\":%u}",
			    (unsigned long long)n->posts, (unsigned long long)n->accepted, n->seen.most, n->passed.most);
	}
	strbuf_adds(out, "},");
}

void stats_print(const struct sandbox *sandbox, struct strbuf *out)
{
	const struct stats *s = &sandbox->stats;

	strbuf_addf(out, "{\"posts\":%llu,\"accepted\":%llu,\"receipts\":%llu,", (unsigned long long)s->posts,
		    (unsigned long long)s->accepted, (unsigned long long)s->receipts);
	refused(s, out);
	calls(s, out);
	strbuf_addf(out, "\"partial\":%llu,\"connections\":%llu,\"h1\":%llu,\"h2\":%llu,\"open_connections\":%u,\"accept_pauses\":%llu,",
		    (unsigned long long)s->partial, (unsigned long long)s->connections, (unsigned long long)s->h1,
		    (unsigned long long)s->h2, s->open_connections, (unsigned long long)s->accept_pauses);
	strbuf_addf(out, "\"in_flight\":%u,\"max_in_flight\":%u,\"cpu_us\":%lld,\"rss_kb\":%ld,", s->in_flight, s->max_in_flight,
		    cpu_us(), rss_kb());
	per_number(&sandbox->accounts, out);
	strbuf_adds(out, "\"webhooks\":");
	hooks_print(sandbox->hooks, out);
	strbuf_addc(out, ',');
	strbuf_addf(out, "\"longest_turn_us\":%lld,", (long long)loop_longest_turn_us(sandbox->loop));
	strbuf_addf(out, "\"uptime\":%.3f}\n", (double)(sandbox_now_us() - s->since_us) / 1e6);
}
