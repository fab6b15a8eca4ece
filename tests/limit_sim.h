/**
 * A caller and a limiter made of numbers: what plan/bucket makes of refusals, minutes of it in a moment.
 *
 * The caller starts what its cap and its bucket allow, as the engine does, and tells the bucket every
 * answer. The server accepts, refuses, or fails, at once or after its latency. Deterministic.
 *
 * Or the caller is the plain script that it is measured beside (tests/weather/plain_script.py): as many threads
 * as the cap, each of which waits for itself, as it is told or at random up to 1 s, 2 s, ... 30 s.
 */
#ifndef SCRAPETOP_TESTS_LIMIT_SIM_H
#define SCRAPETOP_TESTS_LIMIT_SIM_H

#include "base/clock.h"
#include "plan/bucket.h"

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_SIM_CAP_MAX 256
#define LIMIT_SIM_T0 (UINT64_C(1000) * US_PER_S)

enum limit_kind {
    LIMITER_NONE,
    LIMITER_BUCKET,  /* tokens, `burst` at most; a leaky bucket with burst 0 is one of 1 */
    LIMITER_WINDOW,  /* rate * window_s in each fixed window */
    LIMITER_SLIDING, /* the same in any window */
    LIMITER_AT_ONCE, /* in flight */
    LIMITER_SHUT,    /* refuses all */
};

struct limiter {
    enum limit_kind kind;
    double rate, burst, window_s;
    unsigned at_once;
    double latency_ms, jitter;         /* of its answers; jitter: the part that varies evenly */
    int status;                        /* of refusals; 0: 429 */
    uint64_t named_us;                 /* the deadline that refusals name; 0: none */
    bool tells;                        /* they name the right one, in whole seconds upwards */
    bool tells_exactly;                /* ... to the microsecond */
    double stall_each_s, stall_most_s; /* it stands still so often, for so long at most; 0: never */
    double by_chance; /* part of the requests that are refused, whatever the load */
    double broken;    /* part of the answers that are a 503, whatever the load */
    double others;    /* requests a second of another caller, who obeys nothing */
};

struct limit_sim {
    struct limiter limiter; /* may be changed between two calls */
    struct bucket bucket;
    struct bucket_suspicion suspicion;
    unsigned cap;
    bool is_script;
    uint64_t now_us;
    uint64_t random;

    uint64_t accepted, refused, broken; /* answers since limit_sim_count */
    uint64_t counted_from_us;
    uint64_t holds, hold_most_us; /* begun, and the longest of them, since then */
    bool was_limiter;             /* a 503 was taken for a refusal */

    double tokens; /* the server's */
    uint64_t filled_us;
    uint64_t arrived_us; /* the last request, as the server sees it */
    uint64_t others_us;  /* the next one of the other caller */
    unsigned active;
    uint64_t let_in[4096], let_in_count;

    struct limit_flight {
        uint64_t started_us, ends_us;
        unsigned crowd;
        int status;
        uint64_t named_us; /* the deadline that its refusal names */
        bool is_working;   /* it counts for LIMITER_AT_ONCE */
        unsigned refusals; /* before it, of its URL */
    } flights[LIMIT_SIM_CAP_MAX];
    unsigned in_flight;

    struct limit_thread { /* of the script, asleep */
        uint64_t until_us;
        unsigned refusals; /* of the URL that it asks */
    } threads[LIMIT_SIM_CAP_MAX];
    unsigned asleep;
};

/** A server that has rested, and a caller that knows nothing of it. */
void limit_sim_begin(struct limit_sim *sim, const struct limiter *limiter, unsigned cap);

/** So many seconds pass. */
void limit_sim_live(struct limit_sim *sim, double seconds);

/** The counters begin anew. */
void limit_sim_count(struct limit_sim *sim);

/** Since then: accepted a second, and the part of all answers that was refused. */
double limit_sim_rate(const struct limit_sim *sim);
double limit_sim_refused(const struct limit_sim *sim);

#endif
