/**
 * The two clocks, handed in so that tests turn their hands.
 *
 * Monotonic time is for durations and deadlines within one process; wall time is for what is
 * written down (a record's fetched_at, a deadline kept over a restart). Nothing but the
 * composition root calls clock_system(); everyone else is told the time or given a clock.
 *
 * Units  microseconds.
 */
#ifndef SCRAPETOP_BASE_CLOCK_H
#define SCRAPETOP_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define US_PER_MS UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)
#define TIME_NEVER UINT64_MAX /* a deadline that does not come */

struct clock {
    uint64_t (*now_us)(void *context); /* monotonic, counts while the machine sleeps */
    int64_t (*wall_us)(void *context); /* since 1970-01-01 UTC */
    void *context;
};

/** CLOCK_BOOTTIME and CLOCK_REALTIME. */
struct clock clock_system(void);

/** Tells one boot of the machine from another, and so whether clock_system's monotonic times of two
 *  processes can be compared. 0: not known. */
uint64_t clock_boot(void);

uint64_t clock_now_us(const struct clock *clock);
int64_t clock_wall_us(const struct clock *clock);

#define CLOCK_TEXT_SIZE sizeof "2026-11-21T04:15:00.123Z"

/** RFC 3339 in UTC with milliseconds. Years outside 0000-9999 are clamped to them. */
void clock_format_utc(int64_t wall_us, char text[CLOCK_TEXT_SIZE]);

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar. `year` within 4 * 10^8 of now,
 *  `month` 1-12, `day` 1-31; not checked. */
int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day);

/** The inverse; for days within 10^11 of 1970. */
void clock_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/** 28 to 31. `month` 1-12. */
unsigned clock_days_of_month(int64_t year, unsigned month);

#endif
