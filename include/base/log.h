/*
 * log - one event, one line: `TIME LEVEL who word key=value …`, or the same as a JSON object (base/log_json.h).
 *
 * The first word is stable and names the event (include/tbl has those that tests or operators grep).  Never a secret,
 * a message body or a whole phone number: recipient_for_log() is how one is shown.  Control characters are escaped
 * and a line ends at 8 KiB, so nothing from outside can forge a line.
 * Not thread safe: one thread a process.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_NOTICE, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

const char *log_level_name(enum log_level l);
int log_level_parse(const char *s, enum log_level *out) MUST_CHECK;

/* target: "stderr", "syslog" or an absolute path.  Returns -1 with errno when the file cannot be opened. */
int log_open(const char *target, enum log_level min) MUST_CHECK;
int log_reopen(void);				/* after logrotate; keeps the old file when the new one fails */
void log_set_level(enum log_level min);
void log_watch_level(const _Atomic int *wish);	/* a level plus 1 that counts in place of the set one, as long as it is not 0 */
void log_set_json(bool json);
bool log_enabled(enum log_level l);
void log_set_who(const char *fmt, ...) PRINTF(1, 2);	/* "sender[3]" */

void log_at(enum log_level l, const char *word, const char *fmt, ...) PRINTF(3, 4);
#define log_debug(word, ...)  do { if (log_enabled(LOG_LEVEL_DEBUG)) log_at(LOG_LEVEL_DEBUG, word, __VA_ARGS__); } while (0)
#define log_info(word, ...)   do { if (log_enabled(LOG_LEVEL_INFO)) log_at(LOG_LEVEL_INFO, word, __VA_ARGS__); } while (0)
#define log_notice(word, ...) log_at(LOG_LEVEL_NOTICE, word, __VA_ARGS__)
#define log_warn(word, ...)   log_at(LOG_LEVEL_WARN, word, __VA_ARGS__)
#define log_error(word, ...)  log_at(LOG_LEVEL_ERROR, word, __VA_ARGS__)

/* For what a broken peer can repeat: at most one line a second per call site, with how many were left out. */
struct log_limit { int64_t second; unsigned left_out; };
bool log_limit_ok(struct log_limit *l, unsigned *left_out);

#endif
