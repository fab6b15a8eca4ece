/**
 * Allowance: how fast one limiter may be asked, by what its answers tell of its quota.
 *
 * Servers count in fixed windows, in sliding ones or in buckets, and do not say in which. One more
 * request may start when either of two rules lets it:
 *
 *   by what is left  The answers' count, less what is on its way, spread over the time to the reset. When
 *                    nothing is left, nothing starts before the reset. What the next window gives is
 *                    then assumed, until an answer tells it: one request, or all of the limit where
 *                    each spent window so far gave all.
 *   by the rate      Starts are at least window / limit apart, and a little more. That overruns none of the
 *                    three, whatever is said to be left, and needs no reset, which many tell only to the
 *                    second. It holds only while all that the server has counted are our own requests of
 *                    the last window: else somebody else spends the same quota, or the window is not
 *                    what it seems. The first that starts so with nothing left is a trial; when one is
 *                    refused, the rule is not trusted for some windows.
 *
 * When less work is left than quota, there is nothing to spread. A bucket of known refill is spent down to its
 * last token. Where only a limit and its window are told (Crossref), the second rule is all there is.
 *
 * Pure. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_ALLOWANCE_H
#define SCRAPETOP_PLAN_ALLOWANCE_H

#include "plan/quota.h"
#include "plan/recent.h"
#include "plan/server_clock.h"
#include "plan/window_length.h"

#define ALLOWANCE_PART 0.975 /* of the rate that is allowed: the rest is for clocks and networks */
/* only a rate is told: longer ones are not spread */
#define ALLOWANCE_BURST_WINDOW_US UINT64_C(60000000)

enum allowance_kind {
    ALLOWANCE_NONE,   /* nothing is known */
    ALLOWANCE_WINDOW, /* answers tell what is left, and until when */
    ALLOWANCE_BUCKET, /* answers tell what is left, and how fast it fills */
    ALLOWANCE_RATE,   /* answers tell a limit and its window: what is left is counted here */
};

/** Zeroed at first. Open for reading: kind, left, limit, reset_at_us, concurrent; the rest belongs to this
 *  module. */
struct allowance {
    enum allowance_kind kind;
    uint64_t left, limit;
    uint64_t reset_at_us; /* the window's end; of a bucket: when it is full */
    uint64_t concurrent;  /* requests at once that the host advertises; 0: none told */

    uint64_t starts;       /* so far */
    struct recent own;     /* the starts of the last two windows */
    struct recent waiting; /* those that have no answer yet */
    uint64_t transit_us;   /* the shortest time to an answer */

    /* What the newest answer told. */
    uint64_t told_by; /* which of the starts it answers */
    uint64_t told_left, told_at_us;
    uint64_t grain_us; /* a reset may be told this much too late */
    bool rounds_down;  /* or this much too early */
    unsigned in_vain;  /* how often in a row: spent, and back already */
    bool is_real;      /* somebody was refused for it */
    struct server_clock clock;

    /* By what is left. */
    int64_t balance;   /* what is left; below zero while more than that are on their way */
    double next_us;    /* when one more start is in time */
    bool is_assumed;   /* the window has ended, and no answer has told of the next one ... */
    uint64_t ended_at; /* ... after so many starts ... */
    bool ended_spent;  /* ... with nothing left */
    bool gives_all, gives_part; /* what spent windows gave when they ended */
    uint64_t credit;            /* for answers that tell nothing of an assumed window */
    bool is_first_window;       /* of ALLOWANCE_RATE */

    /* By the rate. */
    struct window_length window;
    double due_us;                 /* when one more start is in time ... */
    bool due_is_known;             /* ... which the first answer tells */
    bool is_explained;             /* what the server has counted are our own requests */
    bool is_proven;                /* one with nothing left was accepted */
    uint64_t trial;                /* the start that tries it; 0: none */
    uint64_t ahead_from, ahead_to; /* the last starts in a row with nothing left */
    uint64_t doubted_until_us;     /* one of them was refused ... */
    unsigned doubts;               /* ... so often */

    /* Of a bucket. */
    double tokens, refill_per_us;
    uint64_t tokens_at_us;
};

struct allowance_answer {
    bool refused;        /* for a limit */
    uint64_t newer;      /* requests that started after the one that is answered */
    uint64_t latency_us; /* from its start to its answer */
};

/** An answer came; `quota` is what it told, which may be nothing. Not for attempts without an answer. */
void allowance_tell(struct allowance *allowance, const struct quota *quota,
                    const struct allowance_answer *answer, uint64_t now_us);

/** How long one more start must wait when `work_left` requests are left to be made. */
uint64_t allowance_wait_us(const struct allowance *allowance, uint64_t work_left, uint64_t now_us);

void allowance_start(struct allowance *allowance, uint64_t now_us);

/** There is a quota and it has not come back by now. */
bool allowance_is_of_now(const struct allowance *allowance, uint64_t now_us);

#endif
