#include "flow/prepare.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "flow/template_fit.h"
#include "flow/templates.h"
#include "msg/content.h"
#include "msg/template.h"

/* The words of a template message that matter here. */
struct wanted { const char *name, *language; bool is_short, is_checked; };

static bool wants_definition(const struct delivery *d, struct wanted *w)
{
	w->name = message_template(&d->m);
	w->language = message_language(&d->m);
	if (!w->name || !w->language)
		return false;
	w->is_short = template_is_short(d->m.outgoing);
	w->is_checked = w->is_short || d->s->conf->template_validate;
	return w->is_checked || strcmp(d->s->conf->guard_opt_out, "off") != 0;
}

/* The language that is named, then those of template.languages; w->language becomes the one that is found, or is still asked for. */
static enum templates_word find(struct delivery *d, struct wanted *w, const struct template_def **def)
{
	const struct conf *c = d->s->conf;
	const char *named = w->language;
	enum templates_word word = templates_find(d->s->templates, d->account, w->name, w->language, def);

	for (int i = 0; i < c->template_languages.n && word == TEMPLATES_UNKNOWN; i++) {
		if (!strcmp(named, c->template_languages.v[i]))
			continue;
		w->language = c->template_languages.v[i];
		word = templates_find(d->s->templates, d->account, w->name, w->language, def);
	}
	if (word == TEMPLATES_UNKNOWN)
		w->language = named;
	return word;
}

static enum reason hold_against(struct delivery *d, const struct wanted *w, const struct template_def *def, struct strbuf *why)
{
	struct strbuf warnings = STRBUF_INIT;
	json_t *out = NULL;
	enum reason r = template_fit(d->s->conf, def, d->m.outgoing, w->language, &out, why, &warnings);

	if (warnings.len && r == REASON_NONE)
		log_notice("template_warning", DELIVERY_FMT " template=%s: %s", DELIVERY_ARGS(d), w->name, warnings.buf);
	strbuf_release(&warnings);
	if (r == REASON_NONE && out)
		message_use_payload(&d->m, out);
	else
		json_decref(out);
	return r;
}

/* ---- files ---- */

/* Each file that has an id gets it; the first that has none is asked for. */
static enum prepared find_files(struct delivery *d)
{
	struct media_ref refs[MEDIA_REFS_MAX];
	int n = message_media(&d->m, refs, MEDIA_REFS_MAX);

	/* The failure may have been another sender's, who forgot the id; this one remembers it. */
	for (int i = 0; i < n && d->hop.kind == HOP_RETRY && !d->has_looked_again; i++)
		media_look_again(d->s->media, d->account, refs[i].ref);
	d->has_looked_again = true;
	for (int i = 0; i < n; i++) {
		const char *id = media_find(d->s->media, d->account, refs[i].ref);

		if (!id) {
			media_want(d->s->media, d->account, refs[i].ref, &d->file);
			return PREPARE_FILE;
		}
		strbuf_addf(&d->files, "%s %s\n", refs[i].ref, id);
		media_ref_settle(&refs[i], id);
	}
	return PREPARED;
}

enum reason prepare_file_is_there(struct delivery *d, const struct media_result *m, bool *away, struct strbuf *why)
{
	*away = m->word == MEDIA_AWAY;
	switch (m->word) {
	case MEDIA_READY:
	case MEDIA_AWAY:
		return REASON_NONE;
	case MEDIA_NOT_HERE:
		why_write(why, "media: %s", m->text);
		return REASON_MEDIA_NOT_HERE;
	case MEDIA_REFUSED:
		why_write(why, "media: %s", m->text);
		d->dead_code = m->code;
		return REASON_MEDIA_REFUSED;
	}
	BUG("media word %d", (int)m->word);
}

/* ---- template ---- */

static enum prepared prepare_template(struct delivery *d, bool may_wait, enum reason *r, struct strbuf *why)
{
	const struct template_def *def = NULL;
	struct wanted w;

	*r = REASON_NONE;
	d->is_marketing = message_is_direct_marketing(&d->m);
	if (!wants_definition(d, &w))
		return PREPARED;
	switch (find(d, &w, &def)) {
	case TEMPLATES_FOUND:
		d->is_marketing = !strcasecmp(template_category(def), "marketing");
		if (w.is_checked)
			*r = hold_against(d, &w, def, why);
		break;
	case TEMPLATES_UNKNOWN:
		if (!w.is_checked)
			return PREPARED;
		why_write(why, "template: none is called %.64s in %.16s", w.name, w.language);
		*r = REASON_TEMPLATE_UNKNOWN;
		break;
	case TEMPLATES_ASKED:
		if (may_wait) {
			templates_wait(d->s->templates, d->account, w.name, w.language, &d->asked);
			return PREPARE_ASKED;
		}
		/* fall through */
	case TEMPLATES_AWAY:
		/* Graph has the last word on what nobody here can judge; but the short form nobody else understands. */
		return w.is_short ? PREPARE_AWAY : PREPARED;
	}
	return *r == REASON_NONE ? PREPARED : PREPARE_REFUSED;
}

enum prepared prepare(struct delivery *d, bool may_wait, enum reason *r, struct strbuf *why)
{
	enum prepared p = prepare_template(d, may_wait, r, why);

	return p == PREPARED ? find_files(d) : p;
}
