/*
 * identity - the record's key K, the callback token and the seal of stored messages, all from the installation key.
 *
 * K = HMAC-SHA256(key, tenant ‖ 0 ‖ message key ‖ 0 ‖ payload digest), first 16 bytes, in hex as part of Redis keys.
 * Token = "w1." base64url(K ‖ n ‖ 6 random bytes ‖ 8-byte MAC): 45 characters, no personal data, made for
 * biz_opaque_callback_data; a status webhook that carries it proves which attempt was accepted.
 */
#ifndef MSG_IDENTITY_H
#define MSG_IDENTITY_H

#include "base/crypto.h"
#include "base/strbuf.h"
#include "msg/message.h"

enum { KEY_LEN = 16, TOKEN_LEN = 45 };

struct identity;

/* The file holds 64 hex digits.  make: create it (0600, O_EXCL) when it does not exist. */
struct identity *identity_load(const char *file, bool make, struct strbuf *why) MUST_CHECK;
struct identity *identity_from_key(const uint8_t key[SHA256_LEN]);	/* for tests */
void identity_free(struct identity **ip);

void identity_record_key(struct identity *i, const struct message *m, uint8_t key[KEY_LEN]);
enum { WHO_LEN = 16 };

/* A recipient in 16 hex digits that nobody can turn back without the key. */
void identity_who(struct identity *i, const struct recipient *r, char out[WHO_LEN + 1]);
void identity_token(struct identity *i, const uint8_t key[KEY_LEN], int attempt, char out[TOKEN_LEN + 1]);
/* What is stored of a message, closed for its record's place (base/seal.h); appended to out. */
void identity_seal(struct identity *i, const uint8_t key[KEY_LEN], const void *data, size_t len, struct strbuf *out);
int identity_unseal(struct identity *i, const uint8_t key[KEY_LEN], const void *sealed, size_t len, struct strbuf *out) MUST_CHECK;
int identity_read_token(struct identity *i, const char *token, uint8_t key[KEY_LEN], int *attempt) MUST_CHECK;	/* -1: not ours */

#endif
