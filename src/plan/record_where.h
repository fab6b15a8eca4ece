/**
 * Record where: which stored records a user means: `run --again --where '/status != closed'`.
 *
 *   /draft                       it is there, and neither null nor false
 *   !/closed_at                  it is missing, null or false
 *   /status = open               =, !=, <, <=, >, >=; a member that is missing counts as null
 *   /total >= 100 and /paid = false
 *   /updated_at > -7d            a day or an hour in words (job/dates.h): so long before now
 *   /name = "two and three"      in quotes, as JSON has it, a value is a text, whatever is in it
 *
 * A pointer is a JSON Pointer into the record, up to a space, `=`, `!`, `<` or `>`; `*` stands for any element or member,
 * one of which is enough. Numbers, moments and days are compared as what they are, with one another; all else is equal
 * or not, and neither less nor more.
 *
 * Several are alternatives: a record meets them when it meets one.
 *
 * Ownership  plain values; nothing to free.
 * Errors     E-WHERE1: what is wrong with it, and what it may be.
 * Units      the present in seconds since 1970-01-01 UTC; days are of UTC.
 * Threads    read-only once it is parsed, so any.
 */
#ifndef SCRAPETOP_PLAN_RECORD_WHERE_H
#define SCRAPETOP_PLAN_RECORD_WHERE_H

#include "base/json_scan.h"
#include "base/since_value.h"

#define RECORD_WHERE_TERMS_MAX 16
#define RECORD_WHERE_VALUE_MAX 256 /* bytes */

enum where_order {
    WHERE_THERE,
    WHERE_NOT_THERE,
    WHERE_EQUAL,
    WHERE_UNEQUAL,
    WHERE_LESS,
    WHERE_AT_MOST,
    WHERE_MORE,
    WHERE_AT_LEAST,
};

struct where_term {
    struct json_pointer pointer;
    enum where_order order;
    bool begins;  /* an alternative */
    bool is_text; /* the value is one, ... */
    bool is_like; /* ... or is compared as `typed` */
    struct since_value typed;
    char value[RECORD_WHERE_VALUE_MAX];
    size_t value_len;
};

/** Zeroed: none, which no record meets. */
struct record_where {
    size_t count;
    struct where_term terms[RECORD_WHERE_TERMS_MAX];
};

/** Adds an alternative. */
MUST_CHECK enum result record_where_add(struct record_where *where, struct str text, int64_t now_s,
                                        struct err *err);

/** Whether this record, JSON that json_check has passed, is meant. */
bool record_where_holds(const struct record_where *where, struct str record);

/** Whether one of the records of a body is (plan/records.h). `records` may be NULL. */
bool record_where_any(const struct record_where *where, struct str body,
                      const struct json_pointer *records);

#endif
