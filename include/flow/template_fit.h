/* template_fit - a message's template held against a definition by what the configuration says of templates. */
#ifndef FLOW_TEMPLATE_FIT_H
#define FLOW_TEMPLATE_FIT_H

#include "conf/conf.h"
#include "msg/template.h"

/*
 * As template_make(), of which *out is a new reference, too.  language: what the definition was found by; where it is not the payload's own
 * (template.languages), *out has it.  A template that is paused or disabled is as good as any where it is to wait (template.paused).
 */
enum reason template_fit(const struct conf *c, const struct template_def *def, const json_t *payload, const char *language, json_t **out,
			 struct strbuf *why, struct strbuf *warnings);

#endif
