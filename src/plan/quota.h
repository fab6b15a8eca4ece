/**
 * Quota: what an answer says of the rate limit that it was counted against.
 *
 * Every dialect that APIs are known to send is read from any response, long before a 429:
 *
 *     RateLimit: "default";r=50;t=30             draft-ietf-httpapi-ratelimit-headers-10
 *     RateLimit-Policy: "peak";q=10;qu="concurrent-requests"
 *     RateLimit: limit=100, remaining=50, reset=30                               draft 07
 *     RateLimit-Limit, -Remaining, -Reset                                        drafts to 06
 *     X-RateLimit-Limit[-Minute, ...], -Remaining, -Used, -Reset, -Reset-After   common usage
 *     X-Rate-Limit-Limit, -Interval; X-RateLimit-FillRate, -Interval-Seconds     rates and buckets
 *     anthropic-ratelimit-requests-remaining, X-HubSpot-RateLimit-Max, ...       and with a vendor's name
 *     X-Shopify-Shop-Api-Call-Limit: 39/40; X-App-Rate-Limit: 20:1,100:120       and some of their own
 *     {"extensions":{"cost":{"throttleStatus":{...}}}}                           GraphQL by cost
 *
 * plan/quota_name.h has their names, each a row of a table.
 *
 * A reset is a time from now or a moment, in any form that plan/retry_after.h reads. A moment in the past
 * is now. Moments count from the response's own Date, so that a wrong clock here harms nothing. What is
 * malformed is as if it were absent. Of several limits the tightest is told.
 *
 * Pure. Units: microseconds, requests.
 */
#ifndef SCRAPETOP_PLAN_QUOTA_H
#define SCRAPETOP_PLAN_QUOTA_H

#include "base/str.h"
#include "plan/quota_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOTA_POLICIES_MAX 16
#define QUOTA_REFILL_MAX 1e9 /* a second */

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
    /* ... which may be told this much too late, for it is in whole seconds ... */
    uint64_t grain_us;
    bool has_date;   /* ... and as a moment, which counts from the answer's Date: */
    int64_t date_us; /* on the server's clock, cut off to the second */
    uint64_t limit;  /* of a whole window, or of a full bucket; 0: not told */
    /* how long a whole window is; with a limit alone it is a rate; 0: not told */
    uint64_t window_us;
    double refill_per_s; /* the quota is a bucket that fills so fast; 0: not told, or it is none */
    uint64_t concurrent; /* requests at once that are allowed; 0: not told */
    /* what is counted together, by the server's name; borrowed from the fields */
    struct str resource;
};

/** The tightest. `wall_us` stands in for a Date that is absent. */
void quota_read(const struct quota_field *fields, size_t count, int64_t wall_us,
                struct quota *quota);

/** All that count requests, the tightest first; returns how many. Where there are several structured ones,
 *  each has its policy's name as its resource. `concurrent` is the same in all. */
size_t quota_read_all(const struct quota_field *fields, size_t count, int64_t wall_us,
                      struct quota quotas[QUOTA_POLICIES_MAX]);

/** Of a GraphQL answer's body: extensions.cost.throttleStatus, in requests that cost as much as this one
 *  did. False when there is none. */
bool quota_read_cost(struct str body, struct quota *quota);

/** Nothing is left, and it is known for how long. */
bool quota_is_spent(const struct quota *quota);

/** How long until there is something left again: the reset, else a window's length. 0: not told. */
uint64_t quota_wait_us(const struct quota *quota);

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
