/*
 * base - the few words every file of wamd uses.
 *
 * Life's failures are values: functions return 0 or -1 with the reason in a struct strbuf *why.  BUG() is for a
 * broken invariant only: it logs, aborts, and the protocol turns the death into at most an unknown outcome.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>	/* these four before their worst members are banned below */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1U << (n))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
void bug_at(const char *file, int line, const char *fmt, ...) PRINTF(3, 4) NORETURN;

/* Start-up code and mem.c only: says what could not be had, and ends the process with sysexits' EX_* in code. */
void fatal(int code, const char *fmt, ...) PRINTF(2, 3) NORETURN;

/* What must not be used: the compiler says no, not a reviewer.  (snprintf, strbuf, parse_* stand ready.) */
#define BANNED(f) sorry_##f##_is_banned
#define strcpy(...) BANNED(strcpy)
#define strcat(...) BANNED(strcat)
#define sprintf(...) BANNED(sprintf)
#define vsprintf(...) BANNED(vsprintf)
#define atoi(...) BANNED(atoi)
#define atol(...) BANNED(atol)
#define strtok(...) BANNED(strtok)
#define localtime(...) BANNED(localtime)
#define gmtime(...) BANNED(gmtime)

#endif
