/* str - numbers, durations, sizes and small text tests, strict: the whole string must be the value. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

int parse_i64(const char *s, int64_t *out) MUST_CHECK;
int parse_msec(const char *s, int64_t *out) MUST_CHECK;		/* "250ms" "30s" "5m" "2h" "7d" */
int parse_bytes(const char *s, int64_t *out) MUST_CHECK;	/* "64KB" "5MB" "1GB", powers of 1024 */
int parse_time_ms(const char *s, int64_t *unix_ms) MUST_CHECK;	/* 2026-11-23T10:00:00Z, also with fraction and offset */
size_t format_i64(int64_t v, char out[24]);			/* decimal; returns the length: printf takes ten times as long */
void format_msec(int64_t ms, char out[32]);			/* the shortest form parse_msec reads back */
void format_bytes(int64_t n, char out[32]);
void format_utc_ms(int64_t unix_ms, char out[32]);		/* 2026-11-23T05:42:01.123Z */

bool str_is_digits(const char *s);				/* at least one, nothing else */
bool str_is_utf8(const char *s, size_t len);
size_t utf8_count(const char *s, size_t len);			/* code points; input must be valid */
bool str_starts(const char *s, const char *prefix);
/* The next word of a line of words that ends before end: out gets it, *p moves behind its blank.  false: none, too long, or with a NUL. */
bool str_take_word(const char **p, const char *end, char *out, size_t size);

void hex_encode(const uint8_t *in, size_t n, char *out);	/* 2n + 1 bytes */
int hex_decode(const char *in, uint8_t *out, size_t n) MUST_CHECK;	/* 2n digits in either case, nothing else */
#define BASE64_SIZE(n) (4 * (((n) + 2) / 3) + 1)
void base64_encode(const uint8_t *in, size_t n, char *out);		/* padded, standard alphabet; BASE64_SIZE(n) bytes */
size_t base64url_encode(const uint8_t *in, size_t n, char *out);	/* no padding; writes the NUL; returns length */
int base64url_decode(const char *in, size_t n, uint8_t *out, size_t out_size);	/* bytes written, or -1 */

#endif
