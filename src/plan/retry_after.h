/**
 * Retry-After: how long a server asks to wait, as servers really write it.
 *
 * RFC 9110 section 10.2.3 knows whole seconds and the three HTTP-dates. Servers also send "2.0", "2s",
 * "1m30s", "500ms", "PT30S", "00:00:30" (base/duration.h), dates in other zones and ISO 8601 times
 * (base/moment.h), a moment since 1970 in s, ms, us or ns, a value in quotes, and several values where a
 * proxy has added its own or two headers were folded into one ("30, 120").
 *
 * Of two readings the later one holds: of several values the longest; a fraction of a millisecond is
 * rounded up. What is past is now. What cannot be read is as if it were absent.
 *
 * Pure. Units: microseconds.
 */
#ifndef SCRAPETOP_PLAN_RETRY_AFTER_H
#define SCRAPETOP_PLAN_RETRY_AFTER_H

#include "base/duration.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define RETRY_AFTER_MAX_US DURATION_MAX_US /* no wait is longer */

/** What a bare number counts in a header of this name: US_PER_S in Retry-After, US_PER_MS in
 *  Retry-After-Ms. 0 when it asks for no wait. Case does not matter. */
uint64_t retry_after_unit_us(struct str name);

/** One value or several: the time from `wall_us`, which is the server's now. */
bool retry_after_read(struct str value, uint64_t unit_us, int64_t wall_us, uint64_t *wait_us);

/** As above, in seconds and with moments that count from `date`, the same answer's Date header; when that
 *  is absent or bad, from `wall_us`. */
bool retry_after_parse(struct str value, struct str date, int64_t wall_us, uint64_t *wait_us);

/** The server's now: its Date header, or `wall_us` when that cannot be read. */
int64_t retry_after_server_us(struct str date, int64_t wall_us);

#endif
