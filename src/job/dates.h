/**
 * Days and hours, counted: what `{"from": "2026-01-01", "to": "2026-03-31", "step": "1d"}` steps through.
 *
 * A step of days, weeks, months or years goes by the calendar; one that leaves a day out (January 31 and a month) ends at
 * the month's last day and does not drift: every step is counted from the beginning. A step of hours or minutes goes by
 * the clock: so long, whatever the zone's clock shows.
 *
 * `from` and `to` are days, and the last one is included. With a step by the clock they may be moments, and `to` is where
 * the last step ends. Both may be said in words, counted from a moment that is given: today, yesterday, -7d (that long
 * ago; also w, mo, y), month-start, year-start; hour-start, -6h, -30min (so long before the present hour or minute began).
 *
 * The proleptic Gregorian calendar. A day begins at midnight of `zone`.
 *
 * Units    days since 1970-01-01; seconds of UTC since then.
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_JOB_DATES_H
#define SCRAPETOP_JOB_DATES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct zone;

struct dates {
    const struct zone *zone; /* borrowed; NULL: UTC */
    int64_t first, last;     /* by the calendar: days */
    unsigned days, months;   /* of one step; one of them is 0 */
    uint64_t seconds;        /* of a step by the clock; then days and months are 0 */
    int64_t begin_s, end_s;  /* by the clock: of the first step, of the last */
    uint64_t count;
};

/* As it was given. `step` is "1d", "2w", "1mo" (or "1month"), "1y", "6h", "15min"; STR_NONE: a day. */
struct dates_given {
    struct str from, to, step;
    int64_t now_s; /* what words count from */
    const struct zone *zone;
};

/** E-CFG2. */
MUST_CHECK enum result dates_parse(struct dates *dates, const struct dates_given *given,
                                   struct err *err);

/** Whether it is a day or an hour in words, as above; such a one means another each day. */
bool dates_is_word(struct str text);

/** Whether steps of that length go by the clock. */
bool dates_step_by_clock(struct str step);

/** A day as a date or in words. False: neither. */
bool dates_parse_day(struct str text, int64_t today, int64_t *day);

/** hour-start, -6h, -30min; false: not one of these. */
bool dates_parse_clock_word(struct str text, int64_t now_s, int64_t *utc_s);

/* Of one step. */
enum dates_part {
    DATES_BEGIN,
    DATES_LAST, /* by the calendar its last day, by the clock its last second; no later than the end of all */
    DATES_NEXT, /* what follows that */
};

/** A stretch of time: a step, or a part of one. By the calendar it begins and ends at a midnight. */
struct dates_window {
    int64_t begin_s, next_s; /* seconds of UTC; `next_s` is what follows it */
};

struct dates_window dates_window(const struct dates *dates, uint64_t index);

/** When that begins: a midnight by the calendar. */
int64_t dates_window_utc(const struct dates *dates, const struct dates_window *window,
                         enum dates_part part);

/** The same of a step. */
int64_t dates_utc(const struct dates *dates, uint64_t index, enum dates_part part);

/** In two, as alike as can be: days by the calendar, seconds by the clock. False: it has but one. */
bool dates_halve(const struct dates *dates, const struct dates_window *window,
                 struct dates_window halves[2]);

#define DATES_INSTANT_MAX 32

/** "2026-11-21T04:15:00Z", "2026-11-21T04:15:00+02:00", "2026-11-21" (its beginning in UTC),
 *  and the other forms of base/timestamp.h that name their offset: microseconds since 1970. E-CFG2. */
MUST_CHECK enum result dates_parse_instant(struct str text, int64_t *us, struct err *err);

/** In UTC, to the second. */
void dates_format_instant(int64_t us, char text[DATES_INSTANT_MAX]);

/** %Y %m %d %j %y %H %M %S %z (as +01:00) %s and %%. */
MUST_CHECK enum result dates_check_format(struct str format, struct err *err);

/** The format where none is given: "%Y-%m-%d", or by the clock to the second with the offset. */
struct str dates_usual_format(const struct dates *dates);

/** Appends what the zone's clock shows then. */
MUST_CHECK enum result dates_format(const struct zone *zone, int64_t utc_s, struct str format,
                                    struct buf *out);

#endif
