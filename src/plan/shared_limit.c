#include "plan/shared_limit.h"

#include "base/clock.h"

#define ROW_ACCEPTED 60 /* so many in between, and they are in no row */
#define ROW 4
#define PART 0.4 /* of what was accepted a second: slower by far */
#define TOLD_PART 0.5
#define AGAIN 5            /* deadlines that were over, and the first one was refused again */
#define FEW 12             /* accepted between two of them, on average */
#define TRIAL_REFUSED 3    /* what was known is known again sooner: so many, and ... */
#define TRIAL_PART 0.08    /* ... this part of all */
#define TRIAL_ACCEPTED 150 /* without that it is shared no more */
#define SLOWER 0.8 /* 63 in 100 runs are shorter than the mean of all: these two cancel out there */
#define FASTER 1.46
#define RUN_PART 0.5
#define ALONE 100 /* accepted in a run: others have gone */
#define TRY_US (15 * US_PER_S)
#define TRY_MAX_US (120 * US_PER_S)
#define SLEEP_US (US_PER_S * 13 / 20) /* at least, and at most three times as long */

void shared_limit_forget(struct shared_limit *s)
{
    s->vain = s->again = 0;
    s->rate = s->accepted = 0;
}

static bool begin(struct shared_limit *s, bool is_told, uint64_t now_us)
{
    bool is_known = s->is_trial && s->try_every_us;

    s->is_on = true;
    s->is_told = is_told;
    s->is_trial = false;
    s->try_every_us = !is_known                          ? TRY_US
                      : 2 * s->try_every_us < TRY_MAX_US ? 2 * s->try_every_us
                                                         : TRY_MAX_US;
    s->try_us = now_us + s->try_every_us;
    return true;
}

static bool is_in_vain(const struct shared_limit *s, double rate, bool is_told)
{
    return s->again >= AGAIN || (s->vain >= ROW && (is_told || s->accepted < FEW * s->vain) &&
                                 rate < (is_told ? TOLD_PART : PART) * s->rate);
}

bool shared_limit_refused(struct shared_limit *s, double rate, double accepted, double whole,
                          bool is_told, uint64_t now_us)
{
    s->trial_refused++;
    if (s->is_trial && s->trial_refused >= TRIAL_REFUSED &&
        s->trial_refused > TRIAL_PART * (s->trial_accepted + s->trial_refused)) {
        return begin(s, is_told, now_us);
    }
    if (accepted >= ROW_ACCEPTED) {
        shared_limit_forget(s);
        return false;
    }
    if (accepted <= 0) {
        s->again += is_told && s->vain > 0;
    } else {
        s->vain++;
        s->accepted += accepted;
        s->rate = whole > s->rate ? whole : s->rate;
    }
    return is_in_vain(s, rate, is_told) && begin(s, is_told, now_us);
}

void shared_limit_crowd(struct shared_limit *s, unsigned crowd)
{
    crowd = crowd < SHARED_PLACES_MAX ? crowd : SHARED_PLACES_MAX;
    s->places = s->places > crowd ? s->places : crowd;
}

void shared_limit_accepted(struct shared_limit *s)
{
    if (s->is_trial && ++s->trial_accepted >= TRIAL_ACCEPTED) {
        shared_limit_end(s);
    }
}

void shared_limit_end(struct shared_limit *s)
{
    shared_limit_forget(s);
    s->is_on = s->is_trial = false;
    s->asleep = 0;
    s->try_every_us = 0;
}

bool shared_limit_tries(struct shared_limit *s, uint64_t now_us)
{
    if (!s->is_on || s->is_told || now_us < s->try_us) {
        return false;
    }
    s->is_on = false;
    s->is_trial = true;
    shared_limit_forget(s);
    s->trial_accepted = s->trial_refused = s->asleep = 0;
    return true;
}

bool shared_limit_is_over(const struct shared_limit *s, double run_accepted)
{
    return s->is_on && s->is_told && run_accepted >= ALONE;
}

double shared_limit_pace(double rate, double run_s, double held_s)
{
    return rate * (run_s < RUN_PART * held_s ? SLOWER : FASTER);
}

void shared_limit_sleep(struct shared_limit *s, uint64_t random, uint64_t now_us)
{
    double part = (double)(random >> 11) / 9007199254740992.0;

    if (s->asleep < s->places) {
        s->until_us[s->asleep++] = now_us + SLEEP_US + (uint64_t)(2 * part * (double)SLEEP_US);
    }
}

unsigned shared_limit_awake(struct shared_limit *s, uint64_t now_us)
{
    for (unsigned i = 0; i < s->asleep;) {
        if (s->until_us[i] <= now_us) {
            s->until_us[i] = s->until_us[--s->asleep];
        } else {
            i++;
        }
    }
    return s->places > s->asleep ? s->places - s->asleep : 0;
}

uint64_t shared_limit_wakes_us(const struct shared_limit *s)
{
    uint64_t first_us = TIME_NEVER;

    for (unsigned i = 0; i < s->asleep; i++) {
        first_us = s->until_us[i] < first_us ? s->until_us[i] : first_us;
    }
    return first_us;
}
