/**
 * Bucket: what one limiter of a server counts together, and whether one more request may start.
 *
 * Most hosts have one limiter. Some have several and name them in their answers (X-RateLimit-Resource,
 * the name of a RateLimit policy): the end of one quota says nothing about the other. A bucket keeps the
 * hold that its refusals led to, the quota that its answers told (plan/allowance.h), and the limit that
 * they taught (plan/learned_limit.h). Where several workers spend one quota, a start needs a grant, too
 * (plan/grant.h); where one of them learns for all, the others follow: what it has learned stands for what was
 * learned here.
 *
 *   open --refused, deadline named--> held to the deadline --> open, at the learned rate
 *        --refused, none named------> held shortly, or not at all --> open, at the learned rate
 *
 * Pure: told the time and the random bits. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_BUCKET_H
#define SCRAPETOP_PLAN_BUCKET_H

#include "plan/allowance.h"
#include "plan/due.h"
#include "plan/grant.h"
#include "plan/learned_limit.h"
#include "plan/pacer.h"

#define BUCKET_NAME_MAX 48
#define BUCKET_SUSPECT_PART 0.3 /* 503s among the last answers that make a limiter of them */

/** What the 503s of one lane (plan/lane.h) tell. Zeroed: nothing yet. */
struct bucket_suspicion {
    double part; /* of its last answers to first tries: 503s without a deadline, smoothed */
    uint64_t accepted_us; /* the last one that was accepted */
};

/** This worker's share of what another one has learned. Zeroed: it learns by itself. */
struct bucket_follow {
    bool is_on;
    double told; /* starts a second at most; 0: no limit */
    double
        rate; /* the same, less with each refusal until another one is told: who learns may be gone */
    unsigned at_once; /* in flight at most; 0: no limit */
};

struct bucket {
    char name[BUCKET_NAME_MAX]; /* of the resource, as the server calls it; empty: the host's own */
    uint64_t hold_until_us;     /* 0: not held */
    struct due hold_due;        /* who holds it, and by what answer */
    unsigned in_flight;
    uint64_t starts;
    uint64_t accepted, refused; /* answers */
    uint64_t bare_refused;      /* of those, without a deadline */
    int refused_status;         /* of the last that was refused */
    bool refuses_with_503;      /* as nginx does: a 503 is a refusal here ... */
    double background;          /* ... save this part of the answers, which are 503s at any rate */
    uint64_t innocent_until_us; /* slowing down did not help: its 503s tell nothing of a rate */
    struct learned_limit learned;
    struct bucket_follow follow;
    struct pacer pacer;         /* at the learned rate */
    struct allowance allowance; /* what it says of its quota */
    struct grant grant;         /* where a fleet spends that together */
    double told_rate;           /* the learned limits that the user was told last */
    unsigned told_at_once;
    bool told_shared;
};

enum bucket_answer {
    BUCKET_MAY,
    BUCKET_HELD,
    BUCKET_FULL,    /* as many at once as it takes */
    BUCKET_QUOTA,   /* not yet, so that its quota lasts */
    BUCKET_LEARNED, /* not yet, at the rate that refusals taught */
};

/** May one more request start now? `work_left`: requests that are left to be made. */
enum bucket_answer bucket_may_start(struct bucket *bucket, uint64_t work_left, uint64_t now_us);

/** When time alone will make it BUCKET_MAY; TIME_NEVER when time will not. */
uint64_t bucket_wake_us(struct bucket *bucket, uint64_t work_left, uint64_t now_us);

void bucket_started(struct bucket *bucket, uint64_t now_us);

/** An attempt ended that was no refusal. */
void bucket_accepted(struct bucket *bucket, const struct learned_answer *answer, uint64_t now_us);

/** An attempt was refused. `until_us`: the deadline that the server named, 0 when it named none; `due`
 *  tells who set it. Returns true when a hold began. */
bool bucket_refused(struct bucket *bucket, const struct learned_answer *answer, uint64_t until_us,
                    const struct due *due, uint64_t random, uint64_t now_us);

/** Holds until then, whatever for. A longer hold that stands already stays. Returns true when no hold
 *  stood before. */
bool bucket_hold(struct bucket *bucket, uint64_t until_us, const struct due *due, uint64_t now_us);

/** A 503 without a deadline: of a broken URL, a broken server, or a limiter that says so. True when it is
 *  to be taken for a refusal: many of the lane's last answers to first tries are such, and others of it
 *  are accepted. When slowing down does not help, it was none. `is_first`: of the request's tries. */
bool bucket_suspects(struct bucket *bucket, struct bucket_suspicion *suspicion, bool is_first,
                     uint64_t now_us);

/** From now on what was learned elsewhere counts, or what is learned here: from there on. */
void bucket_follow(struct bucket *bucket, double rate, unsigned at_once);
void bucket_lead(struct bucket *bucket, uint64_t now_us);

/** Refused elsewhere, while it is learned here for all. Returns true when a hold began. */
bool bucket_refused_elsewhere(struct bucket *bucket, const struct due *due, uint64_t random,
                              uint64_t now_us);

/** The rate that refusals taught, here or elsewhere; 0: none. */
double bucket_learned_rate(const struct bucket *bucket);

/** An answer of the lane was accepted. */
void bucket_trusts(struct bucket_suspicion *suspicion, uint64_t now_us);

/** In flight at most, by its own word and by what was learned; 0: no limit. */
unsigned bucket_cap(struct bucket *bucket, uint64_t now_us);

/** It holds state that must be kept. */
bool bucket_is_of_now(const struct bucket *bucket, uint64_t now_us);

#endif
