/* top - processes and accounts, live: what the daemon says twice, and what went through between. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "ctl/call.h"
#include "ctl/command.h"
#include "ctl/paint.h"
#include "io/admin_client.h"

enum {
	INTERVAL_MS = 2000, INTERVAL_LEAST_MS = 200, INTERVAL_MOST_MS = 3600000,
	WIDTH = 80, WIDTH_MAX = 400, HEIGHT = 24, HOLD_MAX = 256,
};

struct look { json_t *status, *accounts; mono_t at; };

static struct termios before;
static bool is_screen;
static volatile sig_atomic_t is_over;

/* ---- the screen ---- */

static void leave_screen(void)
{
	if (!is_screen)
		return;
	is_screen = false;
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void on_end(int signo)
{
	(void)signo;
	is_over = 1;
}

static void enter_screen(void)
{
	struct sigaction end = { .sa_handler = on_end };
	struct termios t;

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	t = before;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	is_screen = true;
	fputs("\033[?1049h\033[?25l", stdout);
}

static void size_of(int *width, int *height)
{
	struct winsize w = { 0 };
	const char *columns = getenv("COLUMNS");
	int64_t n;

	*width = WIDTH;
	*height = HEIGHT;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) {
		*width = w.ws_col;
		*height = w.ws_row;
	} else if (columns && parse_i64(columns, &n) == 0 && n >= 20) {
		*width = n < WIDTH_MAX ? (int)n : WIDTH_MAX;
	}
	*width = *width > WIDTH_MAX ? WIDTH_MAX : *width;
}

/* Cut to the width; the rest of an old line is wiped. */
static void line(int width, enum paint p, const char *fmt, ...)
{
	char text[4 * WIDTH_MAX];
	va_list ap;
	size_t bytes = 0;
	int shown = 0;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (text[bytes] && (((unsigned char)text[bytes] & 0xc0) == 0x80 || shown < width)) {
		shown += ((unsigned char)text[bytes] & 0xc0) != 0x80;
		bytes++;
	}
	paint(stdout, p);
	fwrite(text, 1, bytes, stdout);
	paint(stdout, PAINT_NONE);
	fputs(is_screen ? "\033[K\n" : "\n", stdout);
}

/* ---- what is asked ---- */

static json_t *get(const struct ctl_options *o, const char *target)
{
	json_t *a = NULL;
	int status = ctl_get(o, target, &a);

	if (status == 200)
		return a;
	json_decref(a);
	return NULL;
}

static bool look_new(const struct ctl_options *o, const char *tenant, struct look *l)
{
	struct strbuf target = STRBUF_INIT;

	*l = (struct look){ .status = get(o, "/v1/status"), .at = mono_now() };
	strbuf_adds(&target, "/v1/accounts");
	if (tenant)
		admin_client_add_query(&target, "tenant", tenant);
	if (l->status)
		l->accounts = get(o, target.buf);	/* NULL while Redis is away: the processes are shown all the same */
	strbuf_release(&target);
	return l->status != NULL;
}

static void look_free(struct look *l)
{
	json_decref(l->status);
	json_decref(l->accounts);
	*l = (struct look){ .status = NULL };
}

/* ---- what is shown ---- */

static double a_second(const struct look *was, const struct look *is, const char *counter)
{
	int64_t ms = mono_diff_ms(is->at, was->at);
	long long n = answer_number(json_object_get(is->status, "totals"), counter) - answer_number(json_object_get(was->status, "totals"), counter);

	return ms > 0 && n > 0 ? 1000.0 * (double)n / (double)ms : 0;	/* a counter that went back began anew */
}

static void show_head(const struct look *was, const struct look *is, int width)
{
	static const char *const counters[] = { "received", "sent", "retried", "unknown", "dead", "statuses", "requests" };
	const json_t *totals = json_object_get(is->status, "totals");
	bool ready = answer_flag(is->status, "ready");
	char age[32], text[WIDTH_MAX] = "";
	size_t n = 0;

	answer_age(answer_number(is->status, "up_s"), age);
	line(width, ready ? PAINT_GOOD : PAINT_BAD, "wamd %s  %s, %lld of %lld senders, generation %lld, up %s", answer_text(is->status, "version"),
	     ready ? "ready" : "NOT READY", answer_number(is->status, "senders_ready"), answer_number(is->status, "senders_wanted"),
	     answer_number(is->status, "generation"), age);
	line(width, PAINT_BOLD, "%-9s %9s %9s %9s %9s %9s %9s %9s", "", "RECEIVED", "SENT", "RETRIED", "UNKNOWN", "DEAD", "STATUSES", "REQUESTS");
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %9lld", answer_number(totals, counters[i]));
	line(width, PAINT_NONE, "%-9s%s", "total", text);
	n = 0;
	for (size_t i = 0; i < ARRAY_LEN(counters) && was->status; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %9.1f", a_second(was, is, counters[i]));
	if (was->status)
		line(width, PAINT_NONE, "%-9s%s", "a second", text);
	line(width, PAINT_NONE, "%s", "");
}

static int show_processes(const struct look *l, int width, int rows)
{
	const json_t *p;
	size_t i;
	int n = 0;

	line(width, PAINT_BOLD, "%-12s %8s %4s %6s %-9s %7s %9s %8s %7s", "PROCESS", "PID", "GEN", "UP", "STATE", "WINDOW", "IN-FLIGHT", "LAG-MS", "CRASHES");
	json_array_foreach(json_object_get(l->status, "processes"), i, p) {
		const json_t *g = json_object_get(p, "gauges");
		bool drains = answer_flag(p, "draining"), ready = answer_number(g, "ready") > 0, blocked = answer_number(g, "blocked") > 0;
		char name[32], age[32];

		if (n++ >= rows)
			continue;
		snprintf(name, sizeof(name), "%s[%lld]", answer_text(p, "role"), answer_number(p, "number"));
		answer_age(answer_number(p, "up_s"), age);
		line(width, drains ? PAINT_DIM : blocked ? PAINT_BAD : ready ? PAINT_NONE : PAINT_WARN, "%-12s %8lld %4lld %6s %-9s %7lld %9lld %8.1f %7lld",
		     name, answer_number(p, "pid"), answer_number(p, "generation"), age,
		     drains ? "draining" : ready ? "ready" : blocked ? "blocked" : "starting", answer_number(g, "window"), answer_number(g, "in_flight"),
		     (double)answer_number(g, "loop_lag_us") / 1000, answer_number(p, "crashes"));
	}
	return n < rows ? n : rows;
}

/* Trouble first, then those that use most of their rate. */
static int weight(const json_t *a)
{
	int w = (int)answer_number(a, "used_percent");

	w += json_is_object(json_object_get(a, "hold")) ? 3000 : 0;
	w += strcmp(answer_text(a, "breaker"), "closed") ? 2000 : 0;
	return w + (strcmp(answer_text(a, "lane"), "none") ? 1000 : 0);
}

static int by_weight(const void *a, const void *b)
{
	return weight(*(const json_t *const *)b) - weight(*(const json_t *const *)a);
}

/* Graph's code comes first: of 80 columns only a few are left here. */
static void hold_cell(const json_t *hold, char cell[HOLD_MAX])
{
	if (answer_number(hold, "code"))
		snprintf(cell, HOLD_MAX, "%lld %s", answer_number(hold, "code"), answer_text(hold, "reason"));
	else
		snprintf(cell, HOLD_MAX, "%s", json_is_object(hold) ? answer_text(hold, "reason") : "-");
}

static void show_accounts(const struct look *l, int width, int rows)
{
	const json_t *list = json_object_get(l->accounts, "accounts"), **sorted, *v;
	size_t n = json_array_size(list), i;

	line(width, PAINT_NONE, "%s", "");
	if (!l->accounts) {
		line(width, PAINT_WARN, "accounts: Redis does not answer");
		return;
	}
	line(width, PAINT_BOLD, "%-16s %-16s %6s %6s %5s %-9s %-8s %s", "TENANT", "ACCOUNT", "RATE", "USED", "USED%", "BREAKER", "LANE", "HOLD");
	sorted = calloc(n ? n : 1, sizeof(*sorted));
	if (!sorted)
		return;
	json_array_foreach(list, i, v)
		sorted[i] = v;
	qsort(sorted, n, sizeof(*sorted), by_weight);
	for (i = 0; i < n && (int)i < rows; i++) {
		const json_t *a = sorted[i], *hold = json_object_get(a, "hold");
		int w = weight(a);
		char held[HOLD_MAX];

		hold_cell(hold, held);
		line(width, w >= 2000 ? PAINT_BAD : w >= 1000 ? PAINT_WARN : PAINT_NONE, "%-16.16s %-16.16s %6lld %6lld %5lld %-9s %-8s %s", answer_text(a, "tenant_id"),
		     answer_text(a, "account_id"), answer_number(a, "rate"), answer_number(a, "used"), answer_number(a, "used_percent"), answer_text(a, "breaker"),
		     strcmp(answer_text(a, "lane"), "none") ? answer_text(a, "lane") : "-", held);
	}
	if (i < n)
		line(width, PAINT_DIM, "and %zu more", n - i);
	free(sorted);
}

static void show(const struct look *was, const struct look *is)
{
	int width, height, left;

	size_of(&width, &height);
	if (is_screen)
		fputs("\033[H", stdout);
	left = is_screen ? height - 9 : 10000;
	show_head(was, is, width);
	left -= show_processes(is, width, left > 8 ? left - 3 : 5);
	show_accounts(is, width, left > 3 ? left - 1 : 2);
	if (is_screen)
		fputs("\033[J", stdout);
	else
		putchar('\n');
	fflush(stdout);
}

/* ---- the rounds ---- */

/* Until the next one, or until q is pressed. */
static void wait_for_next(int64_t ms)
{
	mono_t until = mono_add_ms(mono_now(), ms);
	struct pollfd in = { .fd = is_screen ? STDIN_FILENO : -1, .events = POLLIN };
	char c;

	while (!is_over) {
		int64_t left = mono_diff_ms(until, mono_now());

		if (left <= 0 || (poll(&in, 1, (int)left) < 0 && errno != EINTR))
			return;
		if (in.revents && read(STDIN_FILENO, &c, 1) == 1) {
			is_over = c == 'q' || c == 'Q' || c == 4;
			return;		/* any other key: now */
		}
	}
}

static int rounds(const struct ctl_options *o, const char *tenant, int64_t interval, int64_t count)
{
	struct look was = { .status = NULL }, is;
	bool shown = false;

	for (int64_t i = 0; (!count || i < count) && !is_over; i++) {
		if (i)
			wait_for_next(interval);
		if (is_over || !look_new(o, tenant, &is))
			break;
		show(&was, &is);
		shown = true;
		look_free(&was);
		was = is;
	}
	look_free(&was);
	return shown ? 0 : EX_TEMPFAIL;
}

int run_top(const struct ctl_options *o, const struct ctl_params *p)
{
	const char *every = ctl_param(p, "interval"), *times = ctl_param(p, "count");
	int64_t interval = INTERVAL_MS, count = 0;
	int code;

	if ((every && (parse_msec(every, &interval) < 0 || interval < INTERVAL_LEAST_MS || interval > INTERVAL_MOST_MS)) ||
	    (times && (parse_i64(times, &count) < 0 || count < 1 || count > 1000000))) {
		fprintf(stderr, "wamctl: allowed: an interval of 200ms to 1h, a count of 1 to 1000000\n");
		return EX_USAGE;
	}
	if (ctl_param(p, "once"))
		count = 1;
	if (!ctl_param(p, "once") && !ctl_param(p, "batch"))
		enter_screen();
	code = rounds(o, ctl_param(p, "tenant"), interval, count);
	leave_screen();
	return code;
}
