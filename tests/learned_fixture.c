#include "learned_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct limit_sim sim;

double best_rate(const struct limiter *l, unsigned cap)
{
    double by_cap = cap / l->latency_ms * 1000, by_limit = l->rate;

    if (l->kind == LIMITER_AT_ONCE) {
        by_limit = (cap < l->at_once ? cap : l->at_once) / l->latency_ms * 1000;
    }
    return l->kind != LIMITER_NONE && by_limit < by_cap ? by_limit : by_cap;
}

static bool is_as_wanted(const struct sample *sample, unsigned cap)
{
    double best = best_rate(&sample->limiter, cap);

    limit_sim_begin(&sim, &sample->limiter, cap);
    limit_sim_live(&sim, LEARNING_S);
    limit_sim_count(&sim);
    limit_sim_live(&sim, sample->length_s);
    if (limit_sim_rate(&sim) >= sample->least * best && limit_sim_refused(&sim) < sample->refused) {
        return true;
    }
    print_error("%s, cap %u: %.1f/s of %.1f/s (%.0f %%), %.2f %% refused\n", sample->name, cap,
                limit_sim_rate(&sim), best, 100 * limit_sim_rate(&sim) / best,
                100 * limit_sim_refused(&sim));
    return false;
}

void assert_as_wanted(const struct sample *samples, size_t count)
{
    static const unsigned caps[] = { 4, 10, 50 };
    unsigned bad = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof caps / sizeof caps[0]; k++) {
            bad += !is_as_wanted(&samples[i], caps[k]);
        }
    }
    assert_int_equal(bad, 0);
}
