/**
 * Since value: what tells how far a listing has been read: the time of a record's last change, or
 * its number.
 *
 *   moment   "2026-01-31T12:00:00.250+01:00": RFC 3339, and what base/timestamp.h reads beside it
 *   day      "2026-01-31"
 *   number   1769857200, 1769857200.25 or "1769857200": seconds or milliseconds since 1970, or an
 *            id; 64 bits and nine digits after the point, nothing rounded
 *
 * A value keeps its form. since_value_back gives an earlier one in the same form: the same offset,
 * the same digits after the point, text or number; so that a server is asked with what it has said
 * itself. What a form cannot say is cut off, towards the past.
 *
 * Units    microseconds where a name says so.
 * Threads  no state.
 */
#ifndef SCRAPETOP_BASE_SINCE_VALUE_H
#define SCRAPETOP_BASE_SINCE_VALUE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SINCE_VALUE_MAX 48 /* bytes of one as JSON, its NUL included */

enum since_kind { SINCE_NUMBER, SINCE_MOMENT, SINCE_DAY };

struct since_value {
    enum since_kind kind;
    int64_t whole; /* the number; of a moment or day seconds since 1970-01-01 UTC */
    uint32_t
        nanos; /* what comes after the point, in 10^-9: towards the future, also of negative ones */
    char json[SINCE_VALUE_MAX];
};

/** False for JSON that is none: null, another type, another text, a number with an exponent or out
 *  of bounds. */
bool since_value_parse(struct str json, struct since_value *value);

/** Of a text as people type it: numbers are numbers, all else is a JSON string. */
bool since_value_parse_typed(struct str text, struct since_value *value);

/** Whether one can be compared with the other: both numbers, or none. */
bool since_value_is_like(const struct since_value *a, const struct since_value *b);

/** < 0, 0, > 0. Only of values that are alike. */
int since_value_compare(const struct since_value *a, const struct since_value *b);

struct since_lag {
    bool is_time;   /* numbers are times, of the unit that their size tells: */
    uint64_t us;    /* so long; or */
    uint64_t count; /* of numbers that are none */
};

/** The value so much earlier, in its form. One that would be below what 64 bits or four digits of a
 *  year hold stays as it is. */
void since_value_back(const struct since_value *value, const struct since_lag *lag,
                      struct since_value *back);

/** When that is, in microseconds since 1970-01-01 UTC, rounded up. False of numbers that are no
 *  times. */
bool since_value_us(const struct since_value *value, const struct since_lag *lag, int64_t *us);

/** Without quotes; a view. */
struct str since_value_text(const struct since_value *value);

#endif
