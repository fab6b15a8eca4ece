/**
 * Metrics: what a run has done so far, in memory that does not grow.
 *
 * Counters for the whole run, one entry a second for the last SNAPSHOT_SECONDS, and a latency
 * histogram. Nothing is ever scanned per request or kept per request.
 *
 * Units  microseconds (monotonic), bytes. Latency counts from the transfer's start, without the wait for a free slot.
 */
#ifndef SCRAPETOP_ENGINE_METRICS_H
#define SCRAPETOP_ENGINE_METRICS_H

#include "base/hist.h"
#include "engine/answer.h"
#include "engine/snapshot.h"

#define METRICS_STATUS_MAX 600
#define METRICS_RATE_WINDOW_S 10
#define METRICS_RATE_QUICK_S 2 /* a change is seen within so many seconds */

struct metrics {
    uint64_t started_us;
    uint64_t second_began_us; /* of the entry in the making */
    uint64_t attempts;        /* sent, as far as we know (struct response, sends) */
    uint64_t refused_streams; /* of these, once more at once, as HTTP/2 refused a stream */
    uint64_t resent;          /* of these, once more at once, as a kept connection had broken */
    uint64_t reused, bytes;
    uint64_t ok, failed; /* settled in this session */
    uint64_t retried;    /* tries beyond a request's first */
    uint64_t unchanged;  /* of the ok ones: the last body again, when it is polled */
    uint64_t ok_before, failed_before, unchanged_before; /* by earlier sessions */
    unsigned max_in_flight, cap_max;
    uint32_t status[METRICS_STATUS_MAX]; /* answers by status; [0]: none came */
    struct snapshot_status_mix mix;
    struct hist latency; /* of answers, in this session */

    struct hist recent;            /* of the second in the making */
    struct snapshot_second second; /* in the making */
    struct snapshot_second ring[SNAPSHOT_SECONDS];
    size_t ring_at, ring_count; /* ring_at: where the next goes */
};

void metrics_init(struct metrics *m, uint64_t now_us);

/** Closes the seconds that are over. `cap` and `in_flight` are those of the moment. */
void metrics_tick(struct metrics *m, uint64_t now_us, unsigned cap, unsigned in_flight);

void metrics_answer(struct metrics *m, const struct answer *answer);

/** Counts an answer with that status in its class; 0: none came. */
void metrics_count_mix(struct snapshot_status_mix *mix, int status);

void metrics_settled(struct metrics *m, bool ok);

/** The user puts a mark on the second in the making. */
void metrics_mark(struct metrics *m);

/** The n-th whole second back, 0 being the latest; NULL beyond what is kept. */
const struct snapshot_second *metrics_second(const struct metrics *m, size_t back);

/** Settled requests a second over the last `seconds` whole ones (or as many as there are). */
double metrics_rate(const struct metrics *m, size_t seconds);

/** The same for a headline: over METRICS_RATE_WINDOW_S, unless the last METRICS_RATE_QUICK_S show that it has
 *  changed, by more than chance or answers that come in waves of `latency_us` explain. */
double metrics_rate_now(const struct metrics *m, uint64_t latency_us);
double metrics_byte_rate(const struct metrics *m, size_t seconds);

#endif
