/**
 * Quota name: what a header's name says of the number in it.
 *
 * Most APIs make these names of the same few words: X-RateLimit-Remaining-Minute, X-HubSpot-RateLimit-
 * Interval-Milliseconds, anthropic-ratelimit-requests-reset. So one table has the words, and another the
 * names that are made otherwise (Sforce-Limit-Info). A new dialect is a row of one of them.
 *
 * Pure. Units: microseconds.
 */
#ifndef SCRAPETOP_PLAN_QUOTA_NAME_H
#define SCRAPETOP_PLAN_QUOTA_NAME_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define QUOTA_KEY_MAX 48

enum quota_part {
    QUOTA_NOTHING,
    QUOTA_LIMIT,      /* of a window, or of a full bucket */
    QUOTA_LEFT,       /* of it */
    QUOTA_USED,       /* of it */
    QUOTA_RESET,      /* when it comes back */
    QUOTA_WINDOW,     /* how long a window is */
    QUOTA_REFILL,     /* what comes back in each window, or second */
    QUOTA_RATE,       /* a second, with a fraction */
    QUOTA_CONCURRENT, /* at once */
    QUOTA_RESOURCE,   /* what is counted, by name */
    QUOTA_POLICY,     /* the same, or the limit */
    QUOTA_STRUCTURED, /* a structured field with all of it */
    QUOTA_SHARE,      /* "39/40": used of the limit */
    QUOTA_EACH_LEFT,  /* "A;159,B;720": what is left, by name */
};

struct quota_name {
    enum quota_part part;
    uint64_t unit_us;   /* that a bare number of a time counts in */
    bool is_delta;      /* a time from now, however large */
    uint64_t window_us; /* that the name tells; 0: none */
    uint64_t refill_us; /* in which a full bucket comes back, by the API's manual; 0: it is none */
    bool is_foreign;    /* it counts bytes or tokens, not requests */
    char key[QUOTA_KEY_MAX]; /* what names that speak of the same limit have in common */
};

/** False when a header of this name tells nothing of a quota. Case does not matter, nor "_" for "-". */
bool quota_name_read(struct str name, struct quota_name *out);

#endif
