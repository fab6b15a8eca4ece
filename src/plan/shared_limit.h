/**
 * Shared limit: what to do where slowing down does not help, because others spend what is left.
 *
 * A client alone with a limiter is refused no more once it is slow enough. Beside a greedy neighbour it is refused
 * at any rate, only more seldom: who slows down for each refusal leaves everything to the neighbour. So
 * refusals in a row are watched: while the rate sinks, few are accepted between two of them all the same.
 * Then no rate is kept for a while. A deadline that is named holds all back as ever; a refusal without one
 * puts its own place to sleep, as it would a thread of a script:
 *
 *   watching --slower by far, and still refused--> shared: no rate, places asleep
 *      ^                                             |  after a while, ever more seldom
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
#define SHARED_TOLD_LEAST_US                                                                       \
    500000 /* a shorter deadline tells nothing of neighbours: who believes it only hammers */

/** Zeroed at first. */
struct shared_limit {
    unsigned vain;   /* refusals in a row that slowing down did not put off, ... */
    unsigned again;  /* ... those of them that came first after a deadline, ... */
    double rate;     /* ... the most that was accepted a second between two of them, ... */
    double accepted; /* ... and what was accepted between all of them */
    bool is_on, is_trial;
    bool is_told; /* refusals name deadlines */
    unsigned trial_accepted, trial_refused;
    uint64_t try_us, try_every_us;
    unsigned places; /* the most that were in flight */
    unsigned asleep;
    uint64_t until_us[SHARED_PLACES_MAX]; /* of those asleep */
};

/** A refusal while a rate is kept. `rate`: it; `accepted` since the one before, which is `whole` a second (0:
 *  too short a time to tell); `is_told`: the one before named a deadline. True when the limit is shared from now
 *  on. */
bool shared_limit_refused(struct shared_limit *shared, double rate, double accepted, double whole,
                          bool is_told, uint64_t now_us);

/** So many were in flight together. */
void shared_limit_crowd(struct shared_limit *shared, unsigned crowd);

/** An answer that was no refusal. */
void shared_limit_accepted(struct shared_limit *shared);

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

/** One place sleeps for about a second. `random`: any 64 bits. */
void shared_limit_sleep(struct shared_limit *shared, uint64_t random, uint64_t now_us);

/** Places that are awake; 0: none is. */
unsigned shared_limit_awake(struct shared_limit *shared, uint64_t now_us);

/** When the next one awakes; TIME_NEVER: none is asleep. */
uint64_t shared_limit_wakes_us(const struct shared_limit *shared);

#endif
