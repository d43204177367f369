/* table - rows whose columns are as wide as their widest cell; the last one is as long as it is.  Cells are copied. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdio.h>

#include "base/base.h"

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
	int n_columns;
	char **cells;			/* row after row */
	size_t n, size;
};

/* heads: "ACCOUNT >RATE WHY", divided by blanks; > means to the right. */
void table_init(struct table *t, const char *heads);
void table_add(struct table *t, const char *cell);	/* columns after each other, then the next row */
void table_add_number(struct table *t, long long n);
void table_print(const struct table *t, FILE *out);
void table_release(struct table *t);

#endif
