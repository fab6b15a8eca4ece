/**
 * Session limit: whether a limit that the user set to this session has been reached (--max-fail,
 * --max-requests, --max-duration). What is counted is counted from the session's start, whatever earlier ones
 * did.
 *
 * Pure; told the time and the counts. Any thread.
 */
#ifndef SCRAPETOP_PLAN_SESSION_LIMIT_H
#define SCRAPETOP_PLAN_SESSION_LIMIT_H

#include "job/job.h"

#define SESSION_LIMIT_SETTLED_MIN 20 /* fewer are no measure of a part, until all is settled */

enum session_limit {
    SESSION_LIMIT_NONE,
    SESSION_LIMIT_FAIL,
    SESSION_LIMIT_REQUESTS,
    SESSION_LIMIT_DURATION,
};

/** More have failed for good than may. `is_end`: no more will be settled. */
bool session_limit_fail(const struct job_limits *limits, uint64_t ok, uint64_t failed, bool is_end);

/** As many have been sent as may be: one more would be over. */
bool session_limit_requests(const struct job_limits *limits, uint64_t sent);

/** Its time is over; microseconds since it began, pauses included. */
bool session_limit_duration(const struct job_limits *limits, uint64_t elapsed_us);

/** The option that sets it: "max-fail". */
const char *session_limit_option(enum session_limit limit);

#endif
