/**
 * Budget: how much all bodies together may take, in flight and handed on but not yet stored.
 *
 *   up to `soft`   all bodies are read
 *   beyond it      who has more than a fair share of it waits (the largest first); who has less reads on, while
 *                  there is room beside what one body may grow to
 *   then           of those that wait one, the nearest to its end, goes on to that
 *   freed          all read again
 *
 * What one body may grow to is kept back, so that one can always come to its end, and an eighth of the rest
 * for small ones. Where one body may be more than half the limit, half is kept back.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_FETCH_BUDGET_H
#define SCRAPETOP_FETCH_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    uint64_t limit;    /* 0: there is none */
    uint64_t body_max; /* of one body */
    uint64_t flying;   /* bytes of bodies that are being read */
    uint64_t held;     /* of those that are handed on */
    size_t count;      /* that are being read */
};

/** Somebody has to wait. */
bool budget_is_short(const struct budget *budget);

/** Whether a body, not the favoured one, of which `has` bytes are there has to wait before it gets more. */
bool budget_must_wait(const struct budget *budget, uint64_t has);

/** Where none can wait: one of them has to be given up. What is handed on is only a reason when all is used up. */
bool budget_is_over(const struct budget *budget);

/** One of those that wait may go on to its end: `has` bytes are there of it. */
bool budget_allows_one(const struct budget *budget, uint64_t has);

#endif
