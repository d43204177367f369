/*
 * bare - consume, EVALSHA, POST, EVALSHA, ack, and nothing else: what the work itself costs with our io room.
 *
 * No message is decoded, no answer is read but for its status, nothing is retried or logged.  The scripts touch as many keys
 * as admit and settle do.  What wamd costs on top of this is the price of what wamd does.
 */
#include "load/commands.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "io/http_client.h"
#include "io/store.h"
#include "load/accounts.h"
#include "load/session.h"
#include "load/times.h"

struct bare_options {
	const char *url, *redis, *graph, *ca, *accounts, *queue, *http, *version;
	int64_t count, window, streams, timeout_ms;
};

#define ROW(member, name, arg, kind, deflt, help) OPTION(struct bare_options, member, name, arg, OPTION_##kind, deflt, help)
static const struct option_row rows[] = {
	ROW(url,        "amqp",     "URL",   TEXT,    "$AMQP_URL", "The broker."),
	ROW(url,        "url",      "URL",   TEXT,    NULL, "The same."),
	ROW(redis,      "redis",    "URL",   TEXT,    "$REDIS_URL", "Redis."),
	ROW(graph,      "graph",    "URL",   TEXT,    "$GRAPH_URL", "Base of the Graph API: a sandbox, not Meta."),
	ROW(ca,         "ca",       "FILE",  TEXT,    NULL, "CA certificates for it."),
	ROW(version,    "graph-version", "V", TEXT,   "v25.0", "Graph version in the path."),
	ROW(accounts,   "accounts", "FILE",  TEXT,    NULL, "JSON array of the accounts to send from, in turn."),
	ROW(queue,      "queue",    "NAME",  TEXT,    NULL, "What to consume."),
	ROW(count,      "count",    "N",     COUNT,   "1",  "End after so many messages."),
	ROW(window,     "window",   "W",     COUNT,   "256", "Unacknowledged messages at once."),
	ROW(http,       "http",     "2|1.1", TEXT,    "2",  "HTTP version."),
	ROW(streams,    "streams",  "N",     COUNT,   "100", "HTTP/2 streams a connection may carry."),
	ROW(timeout_ms, "timeout",  "S",     SECONDS, "60", "Give up after so long without progress."),
};
#undef ROW

/* As many commands as admit makes for a new message, and as settle makes for a success. */
static const char *const script_texts[] = {
	"local now = redis.call('TIME')\n"
	"local r = redis.call('HMGET', KEYS[1], 'v', 's', 'n', 'o', 'l', 'w')\n"
	"if r[2] then return { 'final', 0 } end\n"
	"redis.call('GET', KEYS[2])\n"
	"redis.call('SET', KEYS[2], now[1] .. now[2], 'PX', 60000)\n"
	"redis.call('HSET', KEYS[1], 'v', 1, 'id', ARGV[1], 's', 'sending', 'n', 1, 'o', ARGV[2], 'l', now[1])\n"
	"redis.call('PEXPIRE', KEYS[1], 600000)\n"
	"redis.call('SET', KEYS[3], ARGV[1], 'PX', 600000)\n"
	"return { 'go', 1 }\n",
	"local now = redis.call('TIME')\n"
	"local r = redis.call('HMGET', KEYS[1], 's', 'n', 'o', 'w')\n"
	"redis.call('SET', KEYS[2], ARGV[1], 'PX', 600000)\n"
	"redis.call('HSET', KEYS[1], 'v', 1, 's', 'sent', 'n', 1, 'w', ARGV[2], 'at', now[1])\n"
	"redis.call('PEXPIRE', KEYS[1], 600000)\n"
	"return { 'ok', 1 }\n",
};
enum { ADMIT, SETTLE, N_SCRIPTS };
enum { SHA_LEN = 40, ID_MAX = 64 };

struct job {
	struct job *next;		/* while idle */
	struct bare *bare;
	struct broker_tag tag;
	mono_t at;
	int account;
	char id[ID_MAX];
	struct strbuf post;
};

struct bare {
	struct session session;
	const struct bare_options *options;
	struct accounts accounts;
	struct http_headers **headers;
	struct strbuf *urls;
	struct store *store;
	struct http_client *http;
	char sha[N_SCRIPTS][SHA_LEN + 1];
	int loaded;
	char owner[32];
	struct job *idle;
	int64_t taken, done, failed, posted;
	struct times times;
	mono_t started, ended;
	struct rusage usage_started, usage_ended;
};

/* ---- the way of a message, from its end to its beginning ---- */

static void on_drained(void *arg, int64_t ready)
{
	struct bare *b = arg;

	(void)ready;
	session_end(&b->session, EX_OK);
}

static void finish(struct bare *b)
{
	b->ended = mono_now();
	getrusage(RUSAGE_SELF, &b->usage_ended);
	/* Behind the answer all our acks have arrived. */
	if (broker_count(b->session.broker, b->options->queue, on_drained, b) < 0)
		session_end(&b->session, EX_TEMPFAIL);
}

static void job_end(struct job *j, bool ok)
{
	struct bare *b = j->bare;

	b->failed += !ok;
	broker_ack(b->session.broker, j->tag);
	times_add(&b->times, mono_diff_us(mono_now(), j->at));
	j->next = b->idle;
	b->idle = j;
	session_progress(&b->session);
	if (++b->done == b->options->count)
		finish(b);
}

static void on_settled(void *arg, const struct store_reply *r)
{
	job_end(arg, r && !r->error);
}

static int evaluate(struct job *j, int script, const char *second, const char *third, const char *owner, store_reply_f *done)
{
	struct bare *b = j->bare;
	char record[ID_MAX + 32], other[ID_MAX + 32], index[ID_MAX + 32];
	struct store_arg args[8] = { STORE_ARG("EVALSHA"), STORE_ARG(b->sha[script]), STORE_ARG("3") };

	snprintf(record, sizeof(record), "bare:m:{b}:%s", j->id);
	snprintf(other, sizeof(other), "bare:%s:{b}:%s", second, script == ADMIT ? b->accounts.at[j->account].id : j->id);
	snprintf(index, sizeof(index), "bare:%s:{b}:%s", third, j->id);
	args[3] = STORE_ARG(record);
	args[4] = STORE_ARG(other);
	args[5] = STORE_ARG(index);
	args[6] = STORE_ARG(j->id);
	args[7] = STORE_ARG(owner);
	return store_command(b->store, args, ARRAY_LEN(args), done, j);
}

static void on_answer(void *arg, const struct http_result *r)
{
	struct job *j = arg;

	if (r->fate != HTTP_ANSWERED || r->status != 200) {
		job_end(j, false);
		return;
	}
	if (evaluate(j, SETTLE, "w", "i", "wamid.HBgNNDkxNTEwMDAwMDAwMBUCABEYEjBBMUIyQzNENUU2Rjc4OTAxMgA=", on_settled) < 0)
		job_end(j, false);
}

static void on_admitted(void *arg, const struct store_reply *r)
{
	struct job *j = arg;
	struct bare *b = j->bare;

	if (!r || r->error || !r->n) {
		job_end(j, false);
		return;
	}
	strbuf_setf(&j->post, "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"to\":\"+49152%08" PRId64
		"\",\"type\":\"text\",\"text\":{\"body\":\"Hello from wamd-load: message %s\"},\"biz_opaque_callback_data\":\"%s\"}",
		b->posted++ % 100000000, j->id, j->id);
	http_send(b->http, &(struct http_request){ .method = "POST", .url = b->urls[j->account].buf,
		.headers = b->headers[j->account], .body = j->post.buf, .len = j->post.len, .timeout_ms = 20000,
		.done = on_answer, .arg = j });
}

static struct job *job_get(struct bare *b)
{
	struct job *j = b->idle;

	if (j) {
		b->idle = j->next;
		return j;
	}
	j = mem_alloc(sizeof(*j));
	strbuf_init(&j->post);
	j->bare = b;
	return j;
}

static void on_delivery(void *arg, const struct broker_delivery *d)
{
	struct bare *b = arg;
	size_t n = d->props.message_id.len < ID_MAX ? d->props.message_id.len : ID_MAX - 1;
	struct job *j;

	if (b->taken == b->options->count) {	/* came before our pause was heard */
		broker_nack(b->session.broker, d->tag);
		return;
	}
	if (++b->taken == b->options->count)
		broker_pause(b->session.broker);
	if (!b->started.us) {
		b->started = mono_now();
		getrusage(RUSAGE_SELF, &b->usage_started);
	}
	j = job_get(b);
	j->tag = d->tag;
	j->at = mono_now();
	j->account = (int)(d->tag.tag % (uint64_t)b->accounts.n);
	if (n)
		memcpy(j->id, d->props.message_id.p, n);
	j->id[n] = 0;
	if (evaluate(j, ADMIT, "r", "i", b->owner, on_admitted) < 0)
		job_end(j, false);
}

/* ---- start ---- */

static void begin_when_ready(struct bare *b)
{
	if (b->loaded == N_SCRIPTS && broker_is_up(b->session.broker))
		broker_resume(b->session.broker);
}

static void on_up(void *arg)
{
	begin_when_ready(arg);
}

static void on_loaded(void *arg, const struct store_reply *r)
{
	struct bare *b = arg;

	if (!r || r->error || r->n != 1 || r->v[0].len != SHA_LEN) {
		fprintf(stderr, "wamd-load: SCRIPT LOAD: %s\n", r && r->error ? r->error : "no answer");
		session_end(&b->session, EX_UNAVAILABLE);
		return;
	}
	memcpy(b->sha[b->loaded++], r->v[0].s, SHA_LEN);
	begin_when_ready(b);
}

static void on_store_up(void *arg)
{
	struct bare *b = arg;

	b->loaded = 0;
	for (int i = 0; i < N_SCRIPTS; i++) {
		struct store_arg args[] = { STORE_ARG("SCRIPT"), STORE_ARG("LOAD"), STORE_ARG(script_texts[i]) };

		if (store_command(b->store, args, ARRAY_LEN(args), on_loaded, b) < 0)
			return;		/* away again: it will come up */
	}
}

static void on_store_down(void *arg, const char *why)
{
	(void)arg;
	fprintf(stderr, "wamd-load: redis: %s\n", why);
}

static void prepare_accounts(struct bare *b)
{
	static const struct texts all = { 0 };
	struct strbuf line = STRBUF_INIT;

	accounts_load(&b->accounts, b->options->accounts, &all, NULL);
	b->headers = mem_array((size_t)b->accounts.n, sizeof(struct http_headers *));
	b->urls = mem_array((size_t)b->accounts.n, sizeof(*b->urls));
	for (int i = 0; i < b->accounts.n; i++) {
		const char *lines[] = { "Content-Type: application/json", line.buf };

		strbuf_setf(&line, "Authorization: Bearer %s", b->accounts.at[i].token);
		lines[1] = line.buf;
		b->headers[i] = http_headers_new(lines, ARRAY_LEN(lines));
		strbuf_init(&b->urls[i]);
		strbuf_addf(&b->urls[i], "%s/%s/%s/messages", b->options->graph, b->options->version,
			b->accounts.at[i].phone_number_id);
	}
	mem_wipe(line.buf, line.len);
	strbuf_release(&line);
}

static void connect_all(struct bare *b)
{
	static const struct store_callbacks store_cb = { .up = on_store_up, .down = on_store_down };
	const struct bare_options *o = b->options;
	struct store_options store = { .url = o->redis, .connection_name = "wamd-load" };
	struct http_client_options http = { .ca_file = o->ca, .http_version = strcmp(o->http, "2") ? 11 : 2,
		.window = (int)o->window, .streams = (int)o->streams, .allow_plain = true };
	struct broker_options broker = { .queues = &o->queue, .n_queues = 1, .prefetch = (int)o->window };

	http_global_setup();
	b->store = store_new(b->session.loop, &store, &store_cb, b);
	b->http = http_client_new(b->session.loop, &http);
	session_connect(&b->session, o->url, &broker);
	broker_pause(b->session.broker);
}

/* ---- the report ---- */

static int64_t us_of(struct timeval a, struct timeval b)
{
	return (a.tv_sec - b.tv_sec) * 1000000LL + (a.tv_usec - b.tv_usec);
}

/* Of this program alone: getrusage's maximum remembers what the process was before exec. */
static int64_t peak_rss_kb(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	long long kb = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (str_starts(line, "VmHWM:"))
			kb = strtoll(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

static void report(struct bare *b)
{
	double seconds = (double)mono_diff_us(b->ended, b->started) / 1e6, n = (double)b->done;
	int64_t user = us_of(b->usage_ended.ru_utime, b->usage_started.ru_utime);
	int64_t sys = us_of(b->usage_ended.ru_stime, b->usage_started.ru_stime);
	json_t *o = json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:o}", "messages", (json_int_t)b->done, "failed",
		(json_int_t)b->failed, "seconds", seconds, "per_second", n / seconds, "cpu_us", (double)(user + sys) / n,
		"user_us", (double)user / n, "system_us", (double)sys / n, "max_rss_kb", (json_int_t)peak_rss_kb(),
		"latency_ms", times_json(&b->times));

	json_dumpf(o, stdout, JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(o);
}

static void release(struct bare *b)
{
	for (int i = 0; i < b->accounts.n; i++) {
		http_headers_unref(&b->headers[i]);
		strbuf_release(&b->urls[i]);
	}
	free(b->headers);
	free(b->urls);
	for (struct job *j = b->idle, *next; j; j = next) {
		next = j->next;
		strbuf_release(&j->post);
		free(j);
	}
	times_release(&b->times);
	accounts_release(&b->accounts);
}

static void check_options(const struct bare_options *o)
{
	struct strbuf why = STRBUF_INIT;

	if (!o->redis || !o->graph || !o->accounts || !o->queue)
		usage_error("bare wants --redis, --graph, --accounts and --queue");
	if (store_url_check(o->redis, &why) < 0)
		usage_error("--redis: %s", why.buf);
	if (strcmp(o->http, "2") != 0 && strcmp(o->http, "1.1") != 0)
		usage_error("--http wants 2 or 1.1, not \"%s\"", o->http);
	if (!o->count || !o->window || o->window > 65535 || !o->streams || o->streams > 10000)
		usage_error("--count, --window and --streams are at least 1");
	strbuf_release(&why);
}

int bare_main(int argc, char **argv)
{
	struct bare_options o = { 0 };
	struct bare b = { .options = &o };
	int code;

	options_parse("bare", BARE_HELP, rows, ARRAY_LEN(rows), &o, NULL, argc, argv);
	check_options(&o);
	snprintf(b.owner, sizeof(b.owner), "bare-%08" PRIx32, (uint32_t)rand_u64());
	prepare_accounts(&b);
	b.session = (struct session){ .patience_ms = o.timeout_ms, .on_up = on_up, .on_delivery = on_delivery, .arg = &b };
	session_start(&b.session);
	connect_all(&b);
	code = session_run(&b.session);
	if (b.done == o.count)
		report(&b);
	http_client_free(&b.http);	/* their calls end first, while there is a connection to ack on */
	store_free(&b.store);
	session_close(&b.session);
	release(&b);
	return code;
}
