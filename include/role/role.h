/* role - who exists: one table, one place of birth.  Children run role.run() after fork and never return to the supervisor. */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "base/board.h"
#include "conf/conf.h"

struct child_context {
	const struct conf *conf;
	struct board *board;
	struct board_slot *slot;
	int number, generation;
	int admin_fd;		/* keeper: listening Unix socket; -1 for others */
	int command_fd;		/* keeper: writes commands to the supervisor; -1 for others */
};

struct role {
	const char *name;
	int (*how_many)(const struct conf *c);
	int (*run)(const struct child_context *ctx);	/* its return is the exit status */
};

extern const struct role roles[];
extern const int n_roles;

int sender_main(const struct child_context *ctx);
int keeper_main(const struct child_context *ctx);

/* What the keeper may ask of the supervisor, one byte each. */
enum { COMMAND_RELOAD = 'H', COMMAND_STOP = 'T', COMMAND_REOPEN = 'U' };

#endif
