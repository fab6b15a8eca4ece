/**
 * Quota: what a response's headers say of the rate limit that it was counted against.
 *
 * Every family that APIs are known to send is read from any response, long before a 429:
 *
 *     RateLimit: "default";r=50;t=30             draft-ietf-httpapi-ratelimit-headers-10
 *     RateLimit-Policy: "peak";q=10;qu="concurrent-requests"
 *     RateLimit: limit=100, remaining=50, reset=30                               draft 07
 *     RateLimit-Limit, -Remaining, -Reset                                        drafts to 06
 *     X-RateLimit-Limit[-Minute, ...], -Remaining, -Reset, -Reset-After          common usage
 *     X-Rate-Limit-Limit, -Remaining, -Reset                                     common usage
 *
 * A reset is a time from now or a moment: told apart by size, in seconds, ms, us or ns. A moment in
 * the past is now. Moments count from the response's own Date, so that a wrong clock here harms
 * nothing. What is malformed is as if it were absent. Of several limits the tightest is told.
 *
 * Pure. Units: microseconds, requests.
 */
#ifndef SCRAPETOP_PLAN_QUOTA_H
#define SCRAPETOP_PLAN_QUOTA_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOTA_POLICIES_MAX 16
#define QUOTA_RESET_MAX_US (UINT64_C(3650) * 86400 * 1000000) /* what is later is this late */
#define QUOTA_NUMBER_MAX UINT64_C(1000000000000000)           /* no limit is larger */

/** quota_read or retry_after.h reads a header of this name; any case. */
bool quota_is_field(struct str name);

struct quota_field {
    struct str name, value; /* the name in any case */
};

/** A zeroed one tells nothing. */
struct quota {
    bool has_left;
    uint64_t left;  /* requests that may still be sent ... */
    bool has_reset; /* ... within ... */
    uint64_t reset_us;
    uint64_t grain_us; /* ... which may be told this much too late, for it is in whole seconds */
    uint64_t limit;    /* of a whole window, or of a full bucket; 0: not told */
    uint64_t
        window_us; /* how long a whole window is; with a limit alone it is a rate; 0: not told */
    double refill_per_s; /* the quota is a bucket that fills so fast; 0: not told, or it is none */
    uint64_t concurrent; /* requests at once that are allowed; 0: not told */
    struct str
        resource; /* what is counted together, by the server's name; borrowed from the fields */
};

/** `wall_us` stands in for a Date that is absent. */
void quota_read(const struct quota_field *fields, size_t count, int64_t wall_us,
                struct quota *quota);

/** Nothing is left, and it is known for how long. */
bool quota_is_spent(const struct quota *quota);

/** The problem types of the same draft, of an application/problem+json body. */
enum quota_problem {
    QUOTA_PROBLEM_NONE,
    QUOTA_PROBLEM_EXCEEDED, /* quota-exceeded */
    QUOTA_PROBLEM_REDUCED,  /* temporary-reduced-capacity */
    QUOTA_PROBLEM_ABNORMAL, /* abnormal-usage-detected: going on is for the user to decide */
};

enum quota_problem quota_problem_read(struct str content_type, struct str body);
const char *quota_problem_name(enum quota_problem problem); /* "quota exceeded", "" for none */

#endif
