/* server - the listening socket, its connections, and their turn. */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include "base/list.h"
#include "base/strbuf.h"

struct conn;
struct sandbox;
struct server;

struct server *server_new(struct sandbox *s, struct strbuf *why);	/* listens; NULL with the reason */
void server_free(struct server **sp);
int server_port(const struct server *s);
void server_adopt(struct server *s, struct list *conn);
void server_mark_dirty(struct server *s, struct list *dirty);

#endif
