/**
 * Quota value: the numbers and times that stand in rate-limit fields (plan/quota.h), in the forms that servers
 * write them.
 *
 * Pure. Units: microseconds, requests. What is malformed is false, and leaves nothing behind.
 */
#ifndef SCRAPETOP_PLAN_QUOTA_VALUE_H
#define SCRAPETOP_PLAN_QUOTA_VALUE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define QUOTA_RESET_MAX_US (UINT64_C(3650) * 86400 * 1000000) /* what is later is this late */
#define QUOTA_NUMBER_MAX UINT64_C(1000000000000000)           /* no limit is larger */

/** Digits, "12.0", "2.5". */
bool quota_value_number(struct str text, double *number);

/** A number that may be a count of requests. */
bool quota_value_to_count(double number, uint64_t *count);

/** The first of a list, without what follows a semicolon or a slash. */
bool quota_value_count(struct str text, uint64_t *count);

/** "60", "1s", "1 minute", "minute"; a bare number counts in `unit_us`. */
bool quota_value_span(struct str text, uint64_t unit_us, uint64_t *us);

/** "100;w=60", "50/1s": the window that stands after a count. As it was when there is none. */
void quota_value_window(struct str text, uint64_t *window_us);

/** Seconds as microseconds, QUOTA_RESET_MAX_US at most. */
uint64_t quota_value_us(uint64_t s);

/** When a window begins anew, as plan/retry_after.h reads it; but a number that would be ten years or more is a moment
 *  since 1970, as no window is so long. A server whose clock was never set tells one of 1980 or 2000: it counts from
 *  the same server's Date, or is past. */
bool quota_value_reset(struct str text, uint64_t unit_us, int64_t wall_us, uint64_t *us);

/** A time that is long from now is one since 1970. */
bool quota_value_is_moment(struct str text, uint64_t unit_us);

/** By how much it may be told too late: what stands in whole seconds was rounded up by most. */
uint64_t quota_value_grain_us(struct str text, uint64_t reset_us);

#endif
