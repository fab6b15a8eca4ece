/**
 * When a rule by event (job/on_rule.h) fires: its comparison has held long enough.
 *
 * A rule fires once. It fires again only after its comparison has been false, or its measure unknown. What is counted
 * over a time is counted in ON_SLOTS slots, so that memory does not grow with the run. A share, or a percentile, of fewer
 * than ON_EVIDENCE_MIN is not known: one failure of one request is no trend. Nor is a number or a rate known that is to
 * be low, before the run has counted for the whole time.
 *
 *   RESTING --comparison holds--> HOLDING --for the rule's time--> FIRED
 *      ^                             |                               |
 *      +------ it does not hold -----+-------------------------------+
 *
 * What retry-failed does makes its own comparison false, and true again when they fail again: from its second time on
 * it must have held for ON_RETRY_US, then for twice as long each time.
 *
 * It never reads a clock: every call is told `now_us`.
 *
 * Ownership  plain data, but for latencies: on_counts_release.
 * Units      microseconds, monotonic; a value is in the unit of its measure.
 * Errors     RESULT_NOMEM of on_counts_init alone.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_PLAN_ON_STATE_H
#define SCRAPETOP_PLAN_ON_STATE_H

#include "base/hist.h"
#include "job/on_rule.h"

#include <stdbool.h>
#include <stdint.h>

#define ON_SLOTS 60
#define ON_LATENCY_SLOTS 6
#define ON_EVIDENCE_MIN 20
#define ON_RETRY_US (UINT64_C(10) * 1000000)
#define ON_RETRY_MAX_US (UINT64_C(3600) * 1000000)
#define ON_GAP_US (UINT64_C(5) * 1000000) /* not looked at for so long: nobody knows what held */

/** What came in over a time. */
struct on_counts {
    uint64_t slot_us;
    uint64_t began_us; /* the first slot of all */
    uint64_t number;   /* of the slot in the making, counted from `began_us` */
    uint32_t hits[ON_SLOTS], all[ON_SLOTS];
    struct hist *latency; /* of ON_LATENCY_SLOTS; NULL: not wanted */
};

MUST_CHECK enum result on_counts_init(struct on_counts *c, const struct on_rule *rule,
                                      uint64_t now_us, struct err *err);
void on_counts_release(struct on_counts *c);

/** One more of all; `is_hit`: the rule's measure counts it. */
void on_counts_add(struct on_counts *c, bool is_hit, uint64_t now_us);
void on_counts_latency(struct on_counts *c, uint64_t latency_us, uint64_t now_us);

/** The value of a measure that is no ON_KIND_NOW. False: not known. */
bool on_counts_value(struct on_counts *c, const struct on_rule *rule, uint64_t now_us,
                     double *value);

struct on_state {
    bool is_true, has_fired; /* has_fired: since it became true */
    uint64_t since_us;       /* it is true */
    uint64_t looked_us;      /* 0: never */
    uint64_t fired;          /* times */
};

/** To be called at least every few seconds. True: the rule fires now. `value` is NULL when it is not known. */
bool on_state_look(struct on_state *state, const struct on_rule *rule, const double *value,
                   uint64_t now_us);

#endif
