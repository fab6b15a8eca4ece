/**
 * Shared limit: what to do where slowing down does not help, because others spend what is left.
 *
 * A client alone with a limiter is refused no more once it is slow enough. Beside a greedy neighbour it is refused
 * at any rate, only more seldom: who slows down for each refusal leaves everything to the neighbour. So
 * refusals in a row are watched: while the rate sinks, few are accepted between two of them all the same.
 * Then the share of the limit is that of the asking. A deadline that is named holds all back as ever. Without
 * deadlines the rate is what a script asks that has as many threads as were in flight, ten at most, each of which
 * waits at random up to 1 s, 2 s, 4 s ... after a refusal: less, the larger the part that is refused. But it is
 * evenly spaced: threads ask again at once until they are refused, which costs them a quarter more refusals and half
 * of the rate.
 *
 *   watching --slower by far, and still refused--> shared: asks as a script would, evenly
 *      ^  ^                                        | |  after a while, ever more seldom
 *      |  `---------- nothing is accepted ---------' |
 *      `---- many accepted in between ---- trial <---'  at the rate that was accepted
 *                                           `--refused some times: shared again
 *
 * Pure: told the time. Units: microseconds (monotonic), requests per second.
 */
#ifndef SCRAPETOP_PLAN_SHARED_LIMIT_H
#define SCRAPETOP_PLAN_SHARED_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define SHARED_PLACES_MAX 10 /* as a script has threads */
/* a shorter deadline tells nothing of neighbours: who believes it only hammers */
#define SHARED_TOLD_LEAST_US 500000

/** Zeroed at first. */
struct shared_limit {
    unsigned vain;   /* refusals in a row that slowing down did not put off, ... */
    unsigned again;  /* ... those of them that came first after a deadline, ... */
    double rate;     /* ... the most that was accepted a second between two of them, ... */
    double accepted; /* ... and what was accepted between all of them */
    bool is_on, is_trial;
    bool is_told; /* refusals name deadlines */
    unsigned trial_accepted, trial_refused;
    double trial_rate; /* at which it was refused first */
    uint64_t try_us, try_every_us;
    unsigned places;         /* the most that were in flight */
    double part;             /* of the answers that are refusals, smoothed, while it is shared */
    double answers;          /* that it is made of, and more */
    unsigned refused_in_row; /* without one accepted, while it is shared */
};

/** A refusal while a rate is kept. `rate`: it; `accepted` since the one before, which is `whole` a second (0:
 *  too short a time to tell); `is_told`: the one before named a deadline. True when the limit is shared from now
 *  on. */
bool shared_limit_refused(struct shared_limit *shared, double rate, double accepted, double whole,
                          bool is_told, uint64_t now_us);

/** So many were in flight together. */
void shared_limit_crowd(struct shared_limit *shared, unsigned crowd);

/** An answer, whatever it was, while it is shared or tried. */
void shared_limit_answered(struct shared_limit *shared, bool is_refused);

/** While it is shared and no deadlines are named: starts a second, where an answer takes so long. */
double shared_limit_rate(const struct shared_limit *shared, double latency_s);

/** While it is shared: nothing has been accepted for so long that it is shut, rather. */
bool shared_limit_is_shut(const struct shared_limit *shared);

/** It is time to try whether it still is: a trial begins, at a rate. */
bool shared_limit_tries(struct shared_limit *shared, uint64_t now_us);

/** The refusals were of another kind: the watch begins anew. */
void shared_limit_forget(struct shared_limit *shared);

/** A refusal while it is shared, after `run_s` since the last deadline, that names one `held_s` away: the rate to
 *  go on at. Where others take what there is, most is had when neither takes longer than the other. */
double shared_limit_pace(double rate, double run_s, double held_s);

/** So many were accepted since the last refusal: others have gone. */
bool shared_limit_is_over(const struct shared_limit *shared, double run_accepted);

/** It is shared no more, or never was. */
void shared_limit_end(struct shared_limit *shared);

#endif
