/**
 * What a fleet's Redis knows of its job, for people and scripts, and what they tell all of its workers.
 *
 * Errors     E-FLEET1: the URL. E-FLEET5, E-FLEET7: fleet/fleet_ask.h. E-CTL1 to E-CTL4: words that a fleet does not know.
 * Threads    any; it waits for Redis.
 */
#ifndef SCRAPETOP_SESSION_FLEET_TOLD_H
#define SCRAPETOP_SESSION_FLEET_TOLD_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/** How far the job is, and who works on it. To stdout; `json`: one object. */
MUST_CHECK enum result fleet_told_status(const char *url, bool json, struct err *err);

/** EXIT_WELL when workers are at it or all is done, else EXIT_NOT_LIVE, and a line that says why not. */
MUST_CHECK enum result fleet_told_check(const char *url, int *code, struct err *err);

/** "cap 20", "rate 5/s", "pause", "resume", "drain": all workers obey. The reply is printed. */
MUST_CHECK enum result fleet_told_words(const char *url, struct str words, struct err *err);

/** The jobs in a Redis, a line each. `json`: an object each. */
MUST_CHECK enum result fleet_told_jobs(const char *url, bool json, struct err *err);

/** What only that worker had is asked again. Without `is_sure` it only says what that would be, and is RESULT_INVALID. */
MUST_CHECK enum result fleet_told_forget(const char *url, const char *worker, bool is_sure,
                                         struct err *err);

/** Takes the job out of Redis. Without `is_sure` as above. */
MUST_CHECK enum result fleet_told_remove(const char *url, bool is_sure, struct err *err);

#endif
