/**
 * What the tests of learned limits share: a simulated limiter, what each is wanted to come to, and the comparison.
 */
#ifndef SCRAPETOP_TESTS_LEARNED_FIXTURE_H
#define SCRAPETOP_TESTS_LEARNED_FIXTURE_H

#include "limit_sim.h"

#define LEARNING_S 15

extern struct limit_sim sim;

struct sample {
    const char *name;
    struct limiter limiter;
    double least;   /* of what the server lets in */
    double refused; /* less than this part */
    double length_s;
};

/* What it lets in, of what the cap can send. */
double best_rate(const struct limiter *l, unsigned cap);

void assert_as_wanted(const struct sample *samples, size_t count);
#define ASSERT_AS_WANTED(samples) assert_as_wanted(samples, sizeof samples / sizeof samples[0])

#endif
