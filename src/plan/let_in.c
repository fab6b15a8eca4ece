#include "plan/let_in.h"

#include "base/clock.h"

#include <math.h>

#define STEPS 30 /* of halving: as exact as a double is needed here */

static double seconds(uint64_t us)
{
    return (double)us / (double)US_PER_S;
}

double let_in_rate(const struct let_in_span *s)
{
    uint64_t open_us = s->span_us > s->held_us ? s->span_us - s->held_us : 0;
    double rate = s->accepted / seconds(s->span_us);

    if (seconds(open_us) > s->lately_s) {
        rate = fmax(rate, (s->lately - s->burst) / s->lately_s);
    }
    return open_us < LET_IN_SPAN_LEAST_US ? rate
                                          : fmax(rate, (s->accepted - s->burst) / seconds(open_us));
}

double let_in_below(double upper, double burst, double turn_s)
{
    double least = 0, most = upper, more = burst * log(2) / turn_s;

    for (int i = 0; i < STEPS; i++) {
        double middle = (least + most) / 2;

        if (upper - middle - middle * log(upper / middle) > more) {
            least = middle;
        } else {
            most = middle;
        }
    }
    return most;
}
