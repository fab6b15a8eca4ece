/**
 * Retry budget of one host: how much of what is asked of it may be asked again.
 *
 * A host that fails everything would get every request as often as tries are allowed, just when it
 * can bear it least. So retries run up a debt; each first try pays a fifth of one, a retry that went
 * well pays itself back and a fifth, and time forgives the rest within ten seconds or so. Up to
 * RETRY_BUDGET_FLOOR are always free, so that a short job is never kept waiting by it.
 *
 * Sources  Finagle's RetryBudget (20 % and 10/s over 10 s); here the window fades instead of ending.
 * Pure. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_RETRY_BUDGET_H
#define SCRAPETOP_PLAN_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_BUDGET_SHARE 0.2
#define RETRY_BUDGET_FLOOR 100
#define RETRY_BUDGET_FADE_US UINT64_C(10000000)

struct retry_budget {
    double debt; /* in retries, as of ...; below 0 it is credit */
    uint64_t at_us;
};

void retry_budget_first(struct retry_budget *budget, uint64_t now_us);   /* a first try starts */
void retry_budget_retry(struct retry_budget *budget, uint64_t now_us);   /* a further one starts */
void retry_budget_success(struct retry_budget *budget, uint64_t now_us); /* it went well */

/** How long the next retry must wait; 0 means now. */
uint64_t retry_budget_wait_us(const struct retry_budget *budget, uint64_t now_us);

#endif
