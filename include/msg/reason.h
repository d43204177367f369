/* reason - why a message ended in the dead-letter queue, by the table include/tbl/reasons.h. */
#ifndef MSG_REASON_H
#define MSG_REASON_H

enum reason {
	REASON_NONE,
#define REASON(ident, code, help) REASON_##ident,
#include "tbl/reasons.h"
#undef REASON
	REASONS
};
const char *reason_code(enum reason r);		/* "": none */
enum reason reason_of_code(const char *code);	/* NONE: of another version */

#endif
