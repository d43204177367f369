/*
 * state_manager - the handlers below /state-manager, and what it holds: one entry for each WAMID that was bound.
 *
 * Strict: a status needs a bound WAMID (404), must be a step that its table allows, and its timestamp ISO 8601 in UTC and newer than the
 * last one; 400 else.  What says once more what was said last is refused, too, but counted as repeated: whoever got no answer must ask
 * again.  With --state-token every call must bring it as bearer token; 401 without.
 */
#ifndef SANDBOX_STATE_MANAGER_H
#define SANDBOX_STATE_MANAGER_H

struct call;
struct state_book;
struct strbuf;

struct state_book *state_book_new(void);
void state_book_free(struct state_book **bp);
void state_book_clear(struct state_book *b);
void state_book_print(const struct state_book *b, struct strbuf *out);

void states_bind(struct call *c);
void states_patch(struct call *c);

void control_states(struct call *c);
void control_states_clear(struct call *c);

#endif
