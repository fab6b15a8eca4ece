/**
 * Sweep: tries a ladder of caps on the real job, one after the other, and says which is best.
 *
 * A step first throws away its ramp: a second, and until every slot has been used once. Then it measures
 * until the 95 % confidence interval of the rate is within SWEEP_INTERVAL of it, for SWEEP_STEP_MAX_US at
 * most. A request that the edge of what is measured cuts counts by the part of its time that lies within,
 * so answers that come in waves make no error, and a rate is never above what the cap can give. A step
 * ends within seconds when more than 1 % are refused, its ramp told too. The ladder ends then, or when
 * p95 is more than twice the lowest, or when a step gave less than 5 % more. Recommended is the smallest
 * cap that gives 95 % of the best rate among those that none of this speaks against.
 *
 * Pure: told the time. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_ENGINE_SWEEP_H
#define SCRAPETOP_ENGINE_SWEEP_H

#include "base/buf.h"
#include "base/hist.h"
#include "engine/answer.h"

#include <stdbool.h>
#include <stdint.h>

#define SWEEP_STEPS_MAX 16
#define SWEEP_INTERVAL 0.05
#define SWEEP_SECONDS_MIN 5
#define SWEEP_STEP_MAX_US (UINT64_C(60) * 1000000)
#define SWEEP_THROTTLED_MAX 0.01
#define SWEEP_REFUSALS 3                         /* above that part end a step at once */
#define SWEEP_REFUSED_US (UINT64_C(3) * 1000000) /* fewer, when so long after the first */
#define SWEEP_LATENCY_MAX 2.0
#define SWEEP_GAIN_MIN 0.05

/** What one cap gave, its ramp left out. */
struct sweep_row {
    unsigned cap;
    double requests_per_s;
    double interval_part; /* half the confidence interval, of the rate */
    double ideal_per_s;   /* had all slots always been busy: Little's law */
    double time_s;
    uint64_t requests;
    uint64_t mean_us, p50_us, p95_us;
    double throttled_part;
};

struct sweep {
    unsigned caps[SWEEP_STEPS_MAX]; /* rising */
    size_t cap_count;               /* 0: no sweep */
    bool is_active;
    struct sweep_row rows[SWEEP_STEPS_MAX];
    size_t row_count;
    unsigned recommended; /* 0: nothing was measured */
    char why[160];        /* why the ladder ended, and why this cap */

    struct sweep_meter {                /* of the step under way */
        uint64_t entered_us, from_us;   /* from_us: the ramp is over; 0: not yet */
        uint64_t second_us, refused_us; /* the end of the last second; the first refusal, or 0 */
        unsigned ended, throttled;      /* since entered_us */
        double ramp_us, ramp_mean_us;   /* what requests took before from_us: all, one */
        unsigned counted, seconds;      /* since from_us */
        double work, busy_us;           /* requests that have ended, and the time that they took */
        double flying_work, flying_us;  /* the same of those in flight, for the next sweep_step */
        double work_told, busy_told_us; /* of both together, at second_us */
        double sum, square_sum;         /* of the seconds' rates */
        struct hist latency;
    } meter;
};

/** "5,10,20,40": rising caps from 1 on. */
MUST_CHECK enum result sweep_parse(struct sweep *sweep, struct str text, struct err *err);

/** The first cap is caps[0]. */
void sweep_begin(struct sweep *sweep, uint64_t now_us);

/** An attempt came back. */
void sweep_answer(struct sweep *sweep, const struct answer *one);

/** True when the next sweep_step wants to be told of all that is in flight first. */
bool sweep_wants_flights(const struct sweep *sweep, uint64_t now_us);
void sweep_flight(struct sweep *sweep, uint64_t started_us, uint64_t now_us);

/** What the step has measured is worth nothing: it begins anew. */
void sweep_repeat(struct sweep *sweep, uint64_t now_us);

/** True when the step is over: then the sweep is, or the next cap is sweep_cap's. */
bool sweep_step(struct sweep *sweep, uint64_t now_us);
unsigned sweep_cap(const struct sweep *sweep);

/** No more requests: makes what it can of the step under way. */
void sweep_end(struct sweep *sweep, uint64_t now_us);

/** How many times as fast as one after the other the recommended cap is; 0 when not known. */
double sweep_speedup(const struct sweep *sweep);

/** For people: a table, wall time per 1000 requests against the cap as a plot, and the advice. */
MUST_CHECK enum result sweep_text(const struct sweep *sweep, struct buf *out);
MUST_CHECK enum result sweep_json(const struct sweep *sweep, struct buf *out);
MUST_CHECK enum result sweep_svg(const struct sweep *sweep, struct buf *out);

#endif
