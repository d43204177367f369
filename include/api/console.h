/*
 * console - the operators' page (src/console), and who may do what at its listener on loopback.
 *
 * The page asks the same resources as wamctl.  On the admin socket the socket's mode is the login.  At the listener it is a token:
 *   session   a cookie that proves itself, "level.end.nonce.mac", keyed with the token: a reload or a dead keeper ends none, another
 *             token all.  Level r may look; f, which its owner asks for, may act
 *   act       what is no GET needs level f, the session's second proof in a header, and an Origin that is this page's own
 *   guess     a wrong token is answered late, and after some of them nobody logs in for a while
 * Every call must name a loopback host: a page of somebody else's whose name turns into 127.0.0.1 has another Host.
 * Ownership: conf and admin are borrowed; free the server first.
 */
#ifndef API_CONSOLE_H
#define API_CONSOLE_H

#include "api/admin.h"

struct console;

struct console *console_new(struct loop *l, const struct conf *c, struct admin *a);
void console_free(struct console **cp);
void console_call(void *console, struct http_call *c);	/* http_on_call_f, of the listener */

/*
 * At an admin socket: the page is answered, and what a browser sends in the name of another page is refused.  false: go on.
 * by: what lets the page in, "socket" or "readonly"; with that one it offers no actions.
 */
bool console_takes(struct http_call *c, const char *by);

#endif
