/**
 * Days, counted: what `{"from": "2026-01-01", "to": "2026-03-31", "step": "1d"}` steps through.
 *
 * A day may be said in words, counted from a day that is given: today, yesterday, -7d (that long ago; also w, mo, y),
 * month-start, year-start.
 *
 * The proleptic Gregorian calendar, no clock and no time zone. A step of months that leaves a day out
 * (January 31 and a month) ends at the month's last day and does not drift: every step is counted from
 * the beginning.
 *
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_JOB_DATES_H
#define SCRAPETOP_JOB_DATES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct dates {
    int64_t first, last;   /* days since 1970-01-01 */
    unsigned days, months; /* of one step; one of them is 0 */
    uint64_t count;
};

/** `step` is "1d", "2w", "1mo" (or "1month"), "1y". `today` is what words count from, days since 1970-01-01. E-CFG2. */
MUST_CHECK enum result dates_parse(struct dates *dates, struct str from, struct str to,
                                   struct str step, int64_t today, struct err *err);

/** Whether it is a day in words, as above; such a one means another day each day. */
bool dates_is_word(struct str text);

/** A day as a date or in words. False: neither. */
bool dates_parse_day(struct str text, int64_t today, int64_t *day);

/** The day that step `index` begins with; at `count` it is what would come next. */
int64_t dates_at(const struct dates *dates, uint64_t index);

#define DATES_INSTANT_MAX 32

/** "2026-11-21T04:15:00Z", "2026-11-21T04:15:00+02:00", "2026-11-21" (its beginning in UTC),
 *  and the other forms of base/timestamp.h that name their offset: microseconds since 1970. E-CFG2. */
MUST_CHECK enum result dates_parse_instant(struct str text, int64_t *us, struct err *err);

/** In UTC, to the second. */
void dates_format_instant(int64_t us, char text[DATES_INSTANT_MAX]);

/** %Y %m %d %j %y %s and %%. */
MUST_CHECK enum result dates_check_format(struct str format, struct err *err);
MUST_CHECK enum result dates_format(int64_t day, struct str format, struct buf *out);

#endif
