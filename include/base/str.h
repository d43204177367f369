/* str - numbers, durations, sizes and small text tests, strict: the whole string must be the value. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

int parse_i64(const char *s, int64_t *out) MUST_CHECK;
int parse_msec(const char *s, int64_t *out) MUST_CHECK;		/* "250ms" "30s" "5m" "2h" "7d" */
int parse_bytes(const char *s, int64_t *out) MUST_CHECK;	/* "64KB" "5MB" "1GB", powers of 1024 */
void format_msec(int64_t ms, char out[32]);			/* the shortest form parse_msec reads back */
void format_bytes(int64_t n, char out[32]);
void format_utc_ms(int64_t unix_ms, char out[32]);		/* 2026-11-23T05:42:01.123Z */

bool str_is_digits(const char *s);				/* at least one, nothing else */
bool str_is_utf8(const char *s, size_t len);
size_t utf8_count(const char *s, size_t len);			/* code points; input must be valid */
bool str_starts(const char *s, const char *prefix);

void hex_encode(const uint8_t *in, size_t n, char *out);	/* 2n + 1 bytes */
#define BASE64_SIZE(n) (4 * (((n) + 2) / 3) + 1)
void base64_encode(const uint8_t *in, size_t n, char *out);		/* padded, standard alphabet; BASE64_SIZE(n) bytes */
size_t base64url_encode(const uint8_t *in, size_t n, char *out);	/* no padding; writes the NUL; returns length */
int base64url_decode(const char *in, size_t n, uint8_t *out, size_t out_size);	/* bytes written, or -1 */

#endif
