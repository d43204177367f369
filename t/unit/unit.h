/* unit - the frame of a test program: one suite of cases, run and reported as CK_* in the environment say. */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>

#include "base/base.h"

static inline TCase *unit_case(Suite *s, const char *name)
{
	TCase *c = tcase_create(name);

	tcase_set_timeout(c, 120);	/* a sanitizer on a busy machine is slow; nothing here waits */
	suite_add_tcase(s, c);
	return c;
}

/* A name for mkdtemp or mkstemp in $TMPDIR, which t/run empties also after a failure. */
static inline void unit_temporary(char *out, size_t size, const char *name)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(out, size, "%s/%s.XXXXXX", tmp ? tmp : "/tmp", name);
}

static inline int unit_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
