/**
 * Allowance: spreads what a host says is left of its quota over the time that is left of its window.
 *
 * Each answer tells the quota as it was when the server counted that request; what has been started
 * since is taken off. In windows longer than ALLOWANCE_SHORT_US the rest is spread evenly. In shorter
 * ones, whose end is known to the second at best and which most often are buckets that fill all the
 * time, it may be spent ALLOWANCE_SHORT_GAIN times as fast: the next answer corrects that in time.
 * When nothing is left, nothing starts before the window's end. When less work is left than quota,
 * there is nothing to spread.
 *
 * Pure. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_ALLOWANCE_H
#define SCRAPETOP_PLAN_ALLOWANCE_H

#include "plan/quota.h"

#define ALLOWANCE_SHORT_US UINT64_C(5000000)
#define ALLOWANCE_SHORT_GAIN 3

struct allowance {
    bool is_told;
    uint64_t left, limit;
    uint64_t reset_at_us; /* what was told is void from here on */
    double next_us;       /* when one more start is in time */
    uint64_t concurrent;  /* requests at once that the host advertises; 0: none told */
};

/** `uncounted`: requests to it that started after the one whose answer this is. */
void allowance_tell(struct allowance *allowance, const struct quota *quota, uint64_t uncounted,
                    uint64_t now_us);

/** How long one more start must wait when `work_left` requests are left to be made. */
uint64_t allowance_wait_us(const struct allowance *allowance, uint64_t work_left, uint64_t now_us);

void allowance_start(struct allowance *allowance, uint64_t now_us);

/** There is a quota and it has not come back by now. */
bool allowance_is_of_now(const struct allowance *allowance, uint64_t now_us);

#endif
