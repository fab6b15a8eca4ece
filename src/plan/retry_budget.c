#include "plan/retry_budget.h"

#include <math.h>

static double debt_at(const struct retry_budget *b, uint64_t now_us)
{
    double passed_us = now_us > b->at_us ? (double)(now_us - b->at_us) : 0;

    return b->debt * exp(-passed_us / (double)RETRY_BUDGET_FADE_US);
}

static void change(struct retry_budget *b, double by, uint64_t now_us)
{
    b->debt = debt_at(b, now_us) + by;
    b->at_us = now_us > b->at_us ? now_us : b->at_us;
}

void retry_budget_first(struct retry_budget *b, uint64_t now_us)
{
    change(b, -RETRY_BUDGET_SHARE, now_us);
}

void retry_budget_retry(struct retry_budget *b, uint64_t now_us)
{
    change(b, 1, now_us);
}

void retry_budget_success(struct retry_budget *b, uint64_t now_us)
{
    change(b, -1 - RETRY_BUDGET_SHARE, now_us);
}

uint64_t retry_budget_wait_us(const struct retry_budget *b, uint64_t now_us)
{
    double debt = debt_at(b, now_us), most = RETRY_BUDGET_FLOOR - 1;

    if (debt <= most) {
        return 0;
    }
    return (uint64_t)ceil(log(debt / most) * (double)RETRY_BUDGET_FADE_US) + 1;
}
