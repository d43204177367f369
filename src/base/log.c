#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_json.h"
#include "base/str.h"

enum { LINE_MAX_BYTES = 8192 };

static enum { TO_STDERR, TO_SYSLOG, TO_FILE } target = TO_STDERR;
static char path[4096];
static int fd = 2;
static enum log_level least = LOG_LEVEL_INFO;
static const _Atomic int *wish;
static char who[64] = "wamd";
static bool is_json;

static const char *const names[] = { "debug", "info", "notice", "warn", "error" };
static const int priorities[] = { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR };

const char *log_level_name(enum log_level l)
{
	return names[l];
}

int log_level_parse(const char *s, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(s, names[i]))
			continue;
		*out = (enum log_level)i;
		return 0;
	}
	return -1;
}

static int open_file(void)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

int log_open(const char *where, enum log_level min)
{
	int new_fd;

	least = min;
	if (!strcmp(where, "stderr")) {
		target = TO_STDERR;
		fd = 2;
		return 0;
	}
	if (!strcmp(where, "syslog")) {
		target = TO_SYSLOG;
		openlog("wamd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
		return 0;
	}
	if (strlen(where) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, where, strlen(where) + 1);
	new_fd = open_file();
	if (new_fd < 0)
		return -1;
	if (target == TO_FILE)
		close(fd);
	fd = new_fd;
	target = TO_FILE;
	return 0;
}

int log_reopen(void)
{
	int new_fd;

	if (target != TO_FILE)
		return 0;
	new_fd = open_file();
	if (new_fd < 0)
		return -1;
	close(fd);
	fd = new_fd;
	return 0;
}

void log_set_level(enum log_level min)
{
	least = min;
}

void log_watch_level(const _Atomic int *other)
{
	wish = other;
}

void log_set_json(bool json)
{
	is_json = json;
}

bool log_enabled(enum log_level l)
{
	int wanted = wish ? atomic_load_explicit(wish, memory_order_relaxed) : 0;

	return wanted ? (int)l >= wanted - 1 : l >= least;
}

void log_set_who(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(who, sizeof(who), fmt, ap);
	va_end(ap);
}

/* Escapes what could forge a line; returns the new length. */
static size_t add_escaped(char *out, size_t at, size_t max, const char *s)
{
	for (; *s && at + 5 < max; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != 0x7f)
			out[at++] = (char)c;
		else
			at += (size_t)snprintf(out + at, max - at, "\\x%02x", c);
	}
	return at;
}

/* What syslog has of its own, time and level, is left out of its words. */
static size_t words_line(char *out, size_t max, const char *when, enum log_level l, const char *word, const char *text)
{
	size_t n = 0;

	if (*when)
		n = (size_t)snprintf(out, max, "%s %s ", when, names[l]);
	n += (size_t)snprintf(out + n, max - n, "%s %s ", who, word);
	return add_escaped(out, n, max, text);
}

void log_at(enum log_level l, const char *word, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES], when[32] = "";
	size_t n;
	va_list ap;

	if (!log_enabled(l))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (is_json || target != TO_SYSLOG)
		format_utc_ms(wall_ms(), when);
	if (is_json)
		n = log_json_line(line, sizeof(line) - 1, when, names[l], who, word, text);
	else
		n = words_line(line, sizeof(line) - 1, when, l, word, text);
	if (target == TO_SYSLOG) {
		line[n] = 0;
		syslog(priorities[l], "%s", line);
		return;
	}
	line[n++] = '\n';
	if (write(fd, line, n) < 0)
		return;		/* there is nowhere left to say so */
}

bool log_limit_ok(struct log_limit *l, unsigned *left_out)
{
	int64_t second = mono_now().us / 1000000;

	if (second == l->second) {
		l->left_out++;
		return false;
	}
	*left_out = l->left_out;
	l->left_out = 0;
	l->second = second;
	return true;
}
