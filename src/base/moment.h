/**
 * Moments as servers write them: HTTP-dates and what is near them, and ISO 8601.
 *
 * An HTTP-date is one of the three forms of RFC 9110 section 5.6.7. Servers write more: the zone as UTC,
 * +0000, -0000 or EST, names in any case, no weekday or a wrong one, a day of one digit, a two-digit year,
 * what Date.toString gives in JavaScript ("Sat Nov 21 2026 04:15:30 GMT+0000 (Coordinated Universal
 * Time)"). So the parts are told apart by what they look like; each must be there once, and nothing
 * else. Without a zone it is UTC.
 *
 * Units    microseconds since 1970-01-01 UTC; what is finer is rounded up.
 * Threads  no state.
 */
#ifndef SCRAPETOP_BASE_MOMENT_H
#define SCRAPETOP_BASE_MOMENT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/** False when it is none or names no real day. `wall_us` is now: RFC 9110 reads a year of two digits as
 *  the one that is not more than 50 years ahead. */
bool moment_parse_http(struct str text, int64_t wall_us, int64_t *us);

/** Either of them. */
bool moment_parse(struct str text, int64_t wall_us, int64_t *us);

#endif
