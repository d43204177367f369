/*
 * ids - names that look like Meta's: WAMIDs and trace ids.
 *
 * Not secrets: one seed from the kernel, then arithmetic, because every answer needs three of them.
 */
#ifndef SANDBOX_IDS_H
#define SANDBOX_IDS_H

#include "base/base.h"

enum { WAMID_SIZE = 256, TRACE_ID_SIZE = 24, RECIPIENT_MAX = 131 };

void ids_seed(void);			/* once at start */
uint64_t ids_next(void);
void ids_trace(char out[TRACE_ID_SIZE]);

/* "wamid." + base64 of recipient and id, as Meta's are; the same arguments give the same name.  Returns its length. */
size_t wamid_format(const char *recipient, size_t len, uint64_t id, char out[WAMID_SIZE]);

#endif
