/*
 * template_gen - a template for a number: its definition as Graph lists it, a send in the short form that fits, and what must be seen.
 *
 * The same seed gives the same in every run and on every machine.  Values are made so that each occurs once.
 */
#ifndef TEMPLATE_GEN_H
#define TEMPLATE_GEN_H

#include "msg/json.h"

struct template_gen {
	json_t *definition;	/* name t<seed>, language en_US, APPROVED */
	json_t *payload;	/* the template object in wamd's short form; all that the template may have is given */
	json_t *preview;	/* as template_preview() should have it */
	bool is_named, is_authentication;
	int n_values;		/* how many values there are in payload; 0: the template takes none */
};

void template_gen(struct template_gen *g, uint32_t seed);
void template_gen_release(struct template_gen *g);

#endif
