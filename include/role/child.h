/* child - what every child does between fork and its own work: name, privileges, death with the supervisor. */
#ifndef ROLE_CHILD_H
#define ROLE_CHILD_H

#include "base/loop.h"
#include "role/role.h"

/* Forks; returns the pid.  In the child: calls role->run and exits. */
pid_t child_fork(const struct role *role, const struct child_context *ctx, const int *close_fds, int n_close);

/* For role mains: TERM drains, QUIT exits now, USR1 reopens the log. */
void child_signals(struct loop *l, void (*on_term)(void *arg), void *arg);

#endif
