#include "base/progress.h"

#include <inttypes.h>
#include <unistd.h>

enum { BAR = 20, EVERY_MS = 100 };

void progress_start(struct progress *p, const char *verb, int64_t total, bool forced)
{
	*p = (struct progress){ .verb = verb, .unit = "", .total = total, .on = forced || isatty(2), .started = mono_now() };
}

static void add_bar(char *out, int64_t done, int64_t total)
{
	int full = (int)(done * BAR / total);

	for (int i = 0; i < BAR; i++)
		out[i] = i < full ? '#' : '.';
	out[BAR] = 0;
}

static void draw(struct progress *p, int64_t done, bool is_last)
{
	int64_t us = mono_diff_us(mono_now(), p->started);
	int64_t rate = us > 0 ? done * 1000000 / us : 0;
	int64_t left_s = p->total && done ? (p->total - done) * us / done / 1000000 : 0;
	char bar[BAR + 1];

	if (!p->total) {
		fprintf(stderr, "\r%s %" PRId64 "%s %" PRId64 "/s\033[K", p->verb, done, p->unit, rate);
		return;
	}
	add_bar(bar, done, p->total);
	fprintf(stderr, "\r%s %" PRId64 "/%" PRId64 "%s [%s] %" PRId64 "/s %02" PRId64 ":%02" PRId64 " %s\033[K", p->verb,
		done, p->total, p->unit, bar, rate, (is_last ? us / 1000000 : left_s) / 60, (is_last ? us / 1000000 : left_s) % 60,
		is_last ? "    " : "left");
}

static bool is_due(struct progress *p)
{
	mono_t now = mono_now();

	if (!p->on || mono_diff_ms(now, p->drawn) < EVERY_MS)
		return false;
	p->drawn = now;
	return true;
}

void progress_show(struct progress *p, int64_t done)
{
	if (is_due(p))
		draw(p, done, false);
}

void progress_wait(struct progress *p)
{
	int64_t s = mono_diff_ms(mono_now(), p->started) / 1000;

	if (is_due(p))
		fprintf(stderr, "\r%s %02" PRId64 ":%02" PRId64 "\033[K", p->verb, s / 60, s % 60);
}

void progress_end(struct progress *p, int64_t done)
{
	if (!p->on)
		return;
	draw(p, done, true);
	fputc('\n', stderr);
}

void progress_clear(struct progress *p)
{
	if (p->on && p->drawn.us)
		fputs("\r\033[K", stderr);
}
