#include "plan/allowance.h"

#include "base/clock.h"
#include "plan/pacer.h"

bool allowance_is_of_now(const struct allowance *a, uint64_t now_us)
{
    return a->is_told && now_us < a->reset_at_us;
}

static double interval_us(const struct allowance *a, uint64_t now_us)
{
    double window_us = (double)(a->reset_at_us - now_us);
    double gain = a->reset_at_us - now_us <= ALLOWANCE_SHORT_US ? ALLOWANCE_SHORT_GAIN : 1;

    return window_us / ((double)a->left * gain);
}

void allowance_tell(struct allowance *a, const struct quota *quota, uint64_t uncounted,
                    uint64_t now_us)
{
    if (quota->concurrent) {
        a->concurrent = quota->concurrent;
    }
    if (!quota->has_left || !quota->has_reset) {
        return;
    }
    a->is_told = true;
    a->left = quota->left > uncounted ? quota->left - uncounted : 0;
    a->limit = quota->limit;
    a->reset_at_us = now_us + quota->reset_us;
    if (allowance_is_of_now(a, now_us) && a->left) {
        double soonest_us = (double)now_us + interval_us(a, now_us);

        if (a->next_us > soonest_us) {
            a->next_us = soonest_us; /* spread anew over what there is now */
        }
    }
}

uint64_t allowance_wait_us(const struct allowance *a, uint64_t work_left, uint64_t now_us)
{
    double interval, early;

    if (!allowance_is_of_now(a, now_us) || (a->left && a->left >= work_left)) {
        return 0;
    }
    if (!a->left) {
        return a->reset_at_us - now_us;
    }
    interval = interval_us(a, now_us);
    early = a->next_us - (interval < (double)PACER_BURST_US ? (double)PACER_BURST_US : 0) -
            (double)now_us;
    if (early <= 0) {
        return 0;
    }
    return early < (double)(a->reset_at_us - now_us) ? (uint64_t)early + 1
                                                     : a->reset_at_us - now_us;
}

void allowance_start(struct allowance *a, uint64_t now_us)
{
    if (!allowance_is_of_now(a, now_us) || !a->left) {
        return;
    }
    if (a->next_us < (double)now_us) {
        a->next_us = (double)now_us;
    }
    a->next_us += interval_us(a, now_us);
    a->left--;
}
