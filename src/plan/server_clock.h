/**
 * Server clock: what a server's clock shows, by the Date of its answers.
 *
 * Date is cut off to the second. But it ticks: of all answers, the one that came soonest after a tick tells
 * most. So the difference to our clock lies between two bounds that close in on it.
 *
 * Pure. Units: microseconds; ours are monotonic, the server's are since 1970.
 */
#ifndef SCRAPETOP_PLAN_SERVER_CLOCK_H
#define SCRAPETOP_PLAN_SERVER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed: not known. */
struct server_clock {
    bool is_known;
    int64_t low_us, high_us; /* the server's, less ours */
};

/** An answer came, `latency_us` after it was asked for. A Date that does not fit anything before means that
 *  one of the clocks was set: then only this one counts. */
void server_clock_note(struct server_clock *clock, int64_t date_us, uint64_t latency_us,
                       uint64_t now_us);

/** It is at least this late there. Must be known. */
int64_t server_clock_us(const struct server_clock *clock, uint64_t now_us);

/** It may be so much later. */
uint64_t server_clock_slack_us(const struct server_clock *clock);

#endif
