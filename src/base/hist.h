/**
 * Histogram of durations with a bounded relative error: 2 % over a microsecond to an hour.
 *
 * Buckets are log-linear (32 to a power of two, as HdrHistogram lays them out), so that recording
 * is one increment and memory does not grow with the run.
 *
 * Units  microseconds. Threads: none of its own.
 */
#ifndef SCRAPETOP_BASE_HIST_H
#define SCRAPETOP_BASE_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS 5
#define HIST_BUCKETS ((32 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct hist {
    uint64_t count;
    uint64_t sum_us;
    uint64_t min_us, max_us; /* exact; 0 when empty */
    uint32_t buckets[HIST_BUCKETS];
};

void hist_reset(struct hist *h);
void hist_record(struct hist *h, uint64_t us);
void hist_add(struct hist *to, const struct hist *from);

/** The value that `percent` of the records do not pass; 0 when empty. */
uint64_t hist_percentile_us(const struct hist *h, double percent);
double hist_mean_us(const struct hist *h);

/** Records within [low_us, high_us), counted by bucket, so as exact as the buckets. */
uint64_t hist_count_between(const struct hist *h, uint64_t low_us, uint64_t high_us);

#endif
