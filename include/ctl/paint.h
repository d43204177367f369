/* paint - colours for people: only on a terminal, and not where NO_COLOR (no-color.org) is set or TERM is dumb. */
#ifndef CTL_PAINT_H
#define CTL_PAINT_H

#include <stdio.h>

#include "base/base.h"

enum paint { PAINT_NONE, PAINT_BOLD, PAINT_GOOD, PAINT_WARN, PAINT_BAD, PAINT_DIM };

void paint_setup(void);				/* before anything is printed; until then there are none */
void paint(FILE *out, enum paint p);		/* PAINT_NONE: back to normal */

#endif
