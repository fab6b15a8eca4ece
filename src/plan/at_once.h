/**
 * At once: how many a server takes at the same time, as refusals teach it.
 *
 * Nothing was accepted with as many in flight as now, though plenty was with fewer: then the server counts what
 * runs at once. Refusals that come with no more than was accepted are of another kind: beside such, it takes several
 * in a row. One more is tried now and then, ever more seldom while it is in vain.
 *
 * Pure: told the time. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_AT_ONCE_H
#define SCRAPETOP_PLAN_AT_ONCE_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed at first. */
struct at_once {
    unsigned most; /* in flight at most; 0: none learned */
    uint64_t probe_us, every_us;
    double
        others; /* the part of the refusals that came with as many at once as were accepted, smoothed */
    unsigned too_many_in_row; /* refusals with more at once than was accepted lately */
};

/** A refusal, and what was known then. */
struct at_once_refusal {
    unsigned crowd;        /* in flight when it began, itself included */
    unsigned lately;       /* accepted lately, ... */
    unsigned lately_crowd; /* ... with so many in flight at most */
    double accepted;       /* since the refusal before */
    bool has_rate; /* one was learned already: it takes several in a row to think again ... */
    bool is_new;   /* ... but for the first time in its search */
};

enum at_once_news {
    AT_ONCE_NOTHING,
    AT_ONCE_FOUND, /* that explains it */
    AT_ONCE_RATE,  /* fewer at once did not help: it is a rate */
};

enum at_once_news at_once_refused(struct at_once *at_once, const struct at_once_refusal *refusal,
                                  uint64_t now_us);

/** In flight at most at this moment; 0: no limit. */
unsigned at_once_now(struct at_once *at_once, uint64_t now_us);

#endif
