/**
 * Let in: how much a limiter lets in a second, reckoned from what it accepted between two refusals.
 *
 * At a refusal a token bucket is empty. What it accepted since the one before is what came in meanwhile, and
 * what it held at the beginning.
 *
 * Source  token bucket: ITU-T I.371.
 * Pure. Units: microseconds, requests a second.
 */
#ifndef SCRAPETOP_PLAN_LET_IN_H
#define SCRAPETOP_PLAN_LET_IN_H

#include <stdint.h>

/** From one refusal to the next. */
struct let_in_span {
    uint64_t span_us, held_us; /* its length, and how much of it a deadline kept all back */
    double accepted;
    double burst;    /* what a bucket may hold, as far as is known */
    double lately_s; /* the end of it, ... */
    double lately;   /* ... and what was accepted in that */
};

/** A span so short tells no rate. */
#define LET_IN_SPAN_LEAST_US UINT64_C(300000)

/** The least that it let in a second. A bucket that was full again after a hold, or before the rate grew, gave its
 *  burst, too. */
double let_in_rate(const struct let_in_span *span);

/** The rate of a bucket that was full, and was empty when a rate that had doubled every `turn_s` seconds
 *  reached `upper`: what was more than it let in took the bucket `burst`. */
double let_in_below(double upper, double burst, double turn_s);

#endif
