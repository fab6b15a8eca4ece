#include "plan/pacer.h"

void pacer_init(struct pacer *pacer, struct rate rate)
{
    *pacer = (struct pacer){ 0 };
    pacer_set_rate(pacer, rate);
}

void pacer_set_rate(struct pacer *pacer, struct rate rate)
{
    double interval_us = rate.per_us ? (double)rate.per_us / rate.requests : 0;

    /* The distance to the last start is what changes: else a step from one an hour to ten a second
     * would take an hour. */
    if (pacer->next_us > 0) {
        pacer->next_us += interval_us - pacer->interval_us;
    }
    pacer->rate = rate;
    pacer->interval_us = interval_us;
}

/* Only intervals shorter than the burst profit from it: at 1000/s the loop may be 20 starts late;
 * at 10/s every start keeps its full distance. */
static double tolerance_us(const struct pacer *pacer)
{
    if (pacer->is_even) {
        return pacer->interval_us < 2 * (double)PACER_EVEN_US ? pacer->interval_us / 2
                                                              : (double)PACER_EVEN_US;
    }
    return pacer->interval_us < (double)PACER_BURST_US ? (double)PACER_BURST_US : 0;
}

uint64_t pacer_wait_us(const struct pacer *pacer, uint64_t now_us)
{
    double early;

    if (!pacer->rate.per_us) {
        return 0;
    }
    early = pacer->next_us - tolerance_us(pacer) - (double)now_us;
    return early <= 0 ? 0 : (uint64_t)early + 1;
}

void pacer_start(struct pacer *pacer, uint64_t now_us)
{
    double least_us = (double)now_us - (pacer->next_us > 0 ? pacer->credit_us : 0);

    if (pacer->next_us < least_us) {
        pacer->next_us = least_us;
    }
    pacer->next_us += pacer->interval_us;
}
