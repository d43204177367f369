/*
 * csv - an answer as comma-separated values (RFC 4180), for spreadsheets and scripts.
 *
 * An answer whose one list holds objects is that list: a head with the members' names as the JSON has them, then a row each.  Any other is
 * two columns, member and value.  Members of members are joined by dots; lists in rows are JSON.
 */
#ifndef CTL_CSV_H
#define CTL_CSV_H

#include <stdio.h>

#include "ctl/answer.h"

void csv_print(const json_t *answer, FILE *out);

#endif
