/**
 * The bars that show how long answers take, cut where these answers are.
 *
 * Edges that are fixed before would put all answers of one API into one bar. These lie between the percentiles 1 and 99
 * of what was measured, at numbers that people can read: equal steps where all answers take about the same time, else
 * steps that grow as 1, 2, 5, 10. The first bar also has what is faster, the last what is slower, so that none is left
 * out.
 *
 * Units    microseconds.
 * Errors   none.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_ENGINE_LATENCY_BARS_H
#define SCRAPETOP_ENGINE_LATENCY_BARS_H

#include "base/hist.h"
#include "engine/snapshot.h"

/** Fills the lower edge of each bar, the first being 0, and how many answers are in it. Edges always grow. A bar is as
 *  exact as a bucket of the histogram (3 %). */
void latency_bars_fill(const struct hist *h, uint64_t low_us[SNAPSHOT_LATENCY_BARS],
                       uint64_t count[SNAPSHOT_LATENCY_BARS]);

#endif
