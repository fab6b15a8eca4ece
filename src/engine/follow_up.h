/**
 * Follow-up: a session that asks a part of what an earlier one has left, and nothing else.
 *
 *   FAILED   Requests that failed for good, or one class of them, as if never tried. Waiting requests, seeds that
 *            were not reached and what the answers lead to are left to a normal session.
 *   MISSING  Requests that were started but not finished: failed, waiting or in flight, known pages and details,
 *            and what their answers lead to. Seeds that no session has reached are left.
 *
 * Neither begins a further round of polls.
 *
 * A class is what the panel of failures calls it (plan/failure.h): "HTTP 404" ("404" will do, and "4xx" for
 * all of a kind), "timeout", "bad json" ("bad-json").
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_ENGINE_FOLLOW_UP_H
#define SCRAPETOP_ENGINE_FOLLOW_UP_H

#include "base/err.h"
#include "plan/failure.h"

#include <stdbool.h>

enum follow_up_kind { FOLLOW_UP_NONE, FOLLOW_UP_FAILED, FOLLOW_UP_MISSING };

struct follow_up {
    enum follow_up_kind kind;
    struct failure_choice class; /* of FAILED; zeroed is all */
};

/** Sets the class and, with it, FOLLOW_UP_FAILED. E-ARG1 names the classes there are. */
MUST_CHECK enum result follow_up_set_class(struct follow_up *follow_up, const char *text,
                                           struct err *err);

/** Whether what failed so is to be asked again. */
bool follow_up_wants(const struct follow_up *follow_up, struct failure why);

#endif
