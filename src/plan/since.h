/**
 * Since: how far the records of an answer reach, by their time of change or their number (`since`
 * of an endpoint).
 *
 * A time that lies after the answer itself does not count: records that change between now and then
 * would never be asked for. What has no value there, or one of another type than where the listing
 * starts, does not count either. All of these are counted, and records stay in tables whatever they
 * have there.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_SINCE_H
#define SCRAPETOP_PLAN_SINCE_H

#include "base/since_value.h"
#include "job/job.h"

struct since_seen {
    bool has_latest;
    struct since_value latest; /* of those that count */
    uint64_t records;
    uint64_t without;              /* nothing there, or null */
    uint64_t odd;                  /* no value, or of another type */
    uint64_t ahead;                /* SINCE_AHEAD_US later than the answer, or more */
    struct since_value first;      /* of those: one */
    char example[SINCE_VALUE_MAX]; /* an odd one, cut, as JSON; bytes from outside */
    uint64_t news;                 /* at `{since}` of the request, or later */
    bool knows_news; /* some record has a value, and the request tells its `{since}` */
};

#define SINCE_AHEAD_US INT64_C(86400000000) /* less is a clock, or a time zone, and is not told */

/** `endpoint` has a `since`, the body has passed json_check. `vars` is the request's, or STR_NONE;
 *  the answer came at `wall_us`. */
void since_read(const struct job_endpoint *endpoint, struct str vars, struct str body,
                int64_t wall_us, struct since_seen *seen);

/** All of these were there before: what follows in a listing of the newest first was, too. */
bool since_has_no_news(const struct since_seen *seen);

#endif
