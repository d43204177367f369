/* webhook_cases - a value of each field that is understood, and what a visitor is told, in test_webhook.c's words; left_out pieces. */
#ifndef WEBHOOK_CASES_H
#define WEBHOOK_CASES_H

struct webhook_case { const char *name, *field, *value, *want; int left_out; };

extern const struct webhook_case webhook_cases[];
extern const int webhook_cases_n;

#endif
