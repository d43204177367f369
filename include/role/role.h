/* role - who exists: one table, one place of birth.  Children run role.run() after fork and never return to the supervisor. */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "base/board.h"
#include "conf/conf.h"

struct child_context {
	const struct conf *conf;
	struct board *board;
	struct board_slot *slot;
	const struct conf *other;	/* of the generation that drains, whose copy is in memory, too; NULL: none */
	int number, generation;
	int admin_fd, look_fd;	/* keeper: listening Unix sockets, for all commands and for those that only look; -1 for others */
	int metrics_fd;		/* keeper: listening TCP socket of metrics.listen; -1: none */
	int console_fd;		/* keeper: listening TCP socket of the console; -1: none */
	int command_fd;		/* keeper: writes commands to the supervisor; -1 for others */
	int link_fd;		/* sender, api: its end towards the keeper; -1 for others */
	int heir_fd, legacy_fd;	/* keeper: to the next generation's keeper, from the last one's; -1: none */
	const int *links;	/* keeper: its ends towards the senders of its generation, and behind them those towards the apis */
	int n_links, n_sender_links;
	const int *api_fds;	/* api: listening TCP sockets */
	int n_api_fds;
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
int api_main(const struct child_context *ctx);

/* What the keeper may ask of the supervisor, one byte each. */
enum { COMMAND_RELOAD = 'H', COMMAND_STOP = 'T', COMMAND_REOPEN = 'U', COMMAND_DRAIN = 'D' };

#endif
