/*
 * conn - one client connection: handshake, reading in bites, writing what the protocol has, dying in the way that was asked for.
 *
 * All writing and all closing happens in conn_turn() at the end of the loop's turn: so the answers of one turn share TLS records and
 * system calls, and nothing is freed under a library's callback.
 */
#ifndef SANDBOX_CONN_H
#define SANDBOX_CONN_H

#include "base/loop.h"
#include "base/strbuf.h"
#include "sandbox/faults.h"
#include "sandbox/ledger.h"
#include "sandbox/link.h"

struct call;
struct sandbox;
struct conn;

/* A protocol is this table; session is its own. */
struct proto {
	const char *name;
	void (*start)(struct conn *c);
	void (*stop)(struct conn *c);		/* frees the session and every call */
	void (*on_data)(struct conn *c, const uint8_t *data, size_t len);
	void (*fill)(struct conn *c);		/* append to c->out while there is something and it is below CONN_OUT_FULL */
	void (*submit)(struct call *call);	/* head is known; body by call_take() */
	void (*resume)(struct call *call);	/* call_take() has more than TAKE_WAIT again */
	void (*reset)(struct call *call, bool refused);	/* give up this call only (HTTP/1.1: the connection) */
	void (*goaway)(struct call *call);	/* not processed, and no more on this connection */
};

extern const struct proto proto_h1, proto_h2;

enum { CONN_OUT_FULL = 64 * 1024 };

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_ENDING,		/* will close: write what is in out, take nothing in */
	CONN_LINGERING,		/* FIN is out: wait for the peer's, so that no RST eats our last bytes */
	CONN_DEAD,		/* conn_turn() frees it */
};

struct conn {
	struct list list;		/* of the server */
	struct list dirty;		/* of the server: conn_turn() is wanted */
	struct list calls;
	struct sandbox *sandbox;
	struct link *link;
	const struct proto *proto;	/* NULL until the handshake is done */
	void *session;
	uint32_t number;
	enum conn_state state;
	enum cut how;			/* how it ends */
	struct loop_io io;
	struct loop_timer timer;	/* idle, or lingering */
	struct loop_timer again;	/* bytes wait inside libssl */
	mono_t last_active;
	struct strbuf out;
	size_t out_at;
	struct ledger_ref *answered;	/* whole answers in out: counted as answered once out is empty */
	size_t n_answered, answered_size;
};

void conn_start(struct sandbox *s, struct link_tls *tls, int fd, uint32_t number);
void conn_turn(struct conn *c);			/* may free it */
void conn_touch(struct conn *c);		/* ask for conn_turn() */
bool conn_is_open(const struct conn *c);
void conn_end(struct conn *c, enum cut how);	/* write what there is, then close */
void conn_cut(struct conn *c, enum cut how);	/* close now; what is not yet written is lost */
void conn_note_answered(struct conn *c, struct ledger_ref ref);
void conn_free_now(struct conn *c);		/* at the end of the process */

#endif
