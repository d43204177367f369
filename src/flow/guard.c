#include "flow/guard.h"

#include <string.h>

#include "base/log.h"
#include "msg/content.h"

static const struct { enum guard_word bit; const char *word, *text; } words[] = {
	{ GUARD_OUTSIDE_WINDOW, "outside_window", "its recipient has not written for 24 hours, so Meta takes a template only" },
	{ GUARD_OPTED_OUT, "opted_out", "its recipient wants no marketing messages" },
	{ GUARD_FALLBACK, "fallback", NULL },
};

static const char *mode(const struct delivery *d, const char *setting)
{
	return d->s->conf->webhook_apps.n && strcmp(setting, "off") != 0 ? setting : "";
}

const char *guard_window(const struct delivery *d)
{
	return message_needs_window(&d->m) ? mode(d, d->s->conf->guard_window) : "";
}

const char *guard_opt_out(const struct delivery *d)
{
	return d->is_marketing ? mode(d, d->s->conf->guard_opt_out) : "";
}

bool guard_has_fallback(const struct delivery *d)
{
	return d->m.fallback && conf_feature_is_on(d->s->conf, d->account->tenant, FEATURE_TEMPLATES);
}

void guard_says(struct delivery *d, const char *said, bool is_news)
{
	static struct log_limit limit;
	unsigned left_out;

	d->guard = 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(said, words[i].word))
			d->guard |= words[i].bit;
	if (!is_news || !d->guard)
		return;
	if (d->guard & GUARD_FALLBACK)
		board_count(d->s->slot, COUNT_FALLBACKS);
	if (!guard_warning(d))
		return;
	board_count(d->s->slot, COUNT_GUARD_WARNED);
	if (log_limit_ok(&limit, &left_out))	/* each one's event says it, too */
		log_notice("guard", DELIVERY_FMT " warning=%s left_out=%u", DELIVERY_ARGS(d), guard_warning(d), left_out);
}

const char *guard_warning(const struct delivery *d)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].text && (d->guard & words[i].bit))
			return words[i].word;
	return NULL;
}

bool guard_sent_fallback(const struct delivery *d)
{
	return d->guard & GUARD_FALLBACK;
}

const char *guard_refusal(const char *reason)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].text && !strcmp(words[i].word, reason))
			return words[i].text;
	return NULL;
}
