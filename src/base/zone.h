/**
 * Time zones by their names ("Europe/Berlin"), as the system's files have them.
 *
 * A file lists the changes of a zone's offset, and ends with a rule for all later years. Both are read here, as libc
 * knows but one zone in a process. NULL stands for UTC in every function.
 *
 * Units      seconds; of UTC since 1970-01-01, of a local clock as if it were UTC. Offsets are east of Greenwich.
 * Ownership  zone_free releases what zone_open gave.
 * Errors     E-CFG2: no such zone, or its file is none.
 * Threads    read-only after zone_open, so any.
 * Source     RFC 9636 (TZif); POSIX.1-2024, section 8.3 (TZ).
 */
#ifndef SCRAPETOP_BASE_ZONE_H
#define SCRAPETOP_BASE_ZONE_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct zone;

/** From $TZDIR or /usr/share/zoneinfo. "UTC" gives NULL. */
MUST_CHECK enum result zone_open(struct zone **zone, struct str name, struct err *err);
void zone_free(struct zone *zone); /* NULL is ignored */

/** The offset that is in force at that moment. */
int32_t zone_offset(const struct zone *zone, int64_t utc_s);

/** The moment at which a local clock shows that: the first of two where the clock goes back. Where it is put forward over
 *  that time, as much later. */
int64_t zone_utc(const struct zone *zone, int64_t local_s);

/** The bytes of such a file. For tests: zone_open calls it. */
MUST_CHECK enum result zone_read(struct zone **zone, struct str file, struct err *err);

#endif
