/**
 * Retry: what an attempt's end means, and when to ask again.
 *
 * Pure rules, told everything: no clock, no state. "Done, again, final" follows from the outcome,
 * the status and the try's number; how long to wait from the server's words (plan/retry_after.h) or, when
 * it said nothing, from full jitter.
 *
 * Sources  RFC 9110 section 9.2.2 (idempotency); Brooker, "Exponential Backoff And Jitter" (2015) for
 *          rand(0, min(cap, base * 2^n)).
 * Units    microseconds.
 */
#ifndef SCRAPETOP_PLAN_RETRY_H
#define SCRAPETOP_PLAN_RETRY_H

#include "job/job.h"
#include "plan/request.h"

enum verdict {
    VERDICT_DONE,
    VERDICT_REDIRECT,
    VERDICT_AGAIN, /* costs a try, waits */
    VERDICT_FREE,  /* again, without a try: our own shortage or doing */
    VERDICT_FINAL,
};

struct attempt {
    enum outcome outcome;
    int status;
    uint32_t attempt;  /* which try this was, from 1 */
    bool idempotent;   /* by its method */
    bool sent;         /* a byte of the request may have reached the server */
    bool has_deadline; /* the server named one */
    bool is_hopeless;  /* its proxy would say the same again */
    bool is_limit;     /* the body says that a limit was met (problem+json) */
};

/** The same by the job's own list, which may replace ours or change it. A server's own "not now", 429 and
 *  503, stays with a list that forgets it: it must be taken away by name. */
bool retry_wants_status(const struct job_retry *policy, int status);

enum verdict retry_judge(const struct attempt *attempt, const struct job_retry *policy);

/** It must not be sent twice, was sent, and ended without a whole answer: the server may or may not have acted on it. */
bool retry_is_doubtful(const struct attempt *attempt);

/** GET HEAD PUT DELETE OPTIONS TRACE. */
bool retry_method_is_idempotent(struct str method);

/** 503, and statuses that servers use for their load or a limit: 420, 430, 509, 529. Only with a deadline, or words of a
 *  limit, is it known that they mean it. */
bool retry_is_load_status(int status);

/** The answer speaks of the host, not of this request: 429, or a 403 or load status that says until when, or
 *  that it is a limit. */
bool retry_holds_host(const struct attempt *attempt);

/** Full jitter before try `attempt` + 1: uniform in [0, min(cap, base * 2^(attempt-1))]. `random` is
 *  any 64 random bits; `*ceiling_us` (may be NULL) gets the upper end. */
uint64_t retry_backoff_us(const struct job_retry *policy, uint32_t attempt, uint64_t random,
                          uint64_t *ceiling_us);

#endif
